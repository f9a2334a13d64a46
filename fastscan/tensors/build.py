"""Build the response tensors of an experiment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import toms748

from fastscan.constants import (
    ATOMIC_MASS_UNIT_MEV,
    AVOGADRO_PER_MOL,
    ELECTRON_MASS_MEV,
    HBAR_C_MEV_FM,
    MEV_MINUS_2_IN_CM2,
)
from fastscan.inputs import Experiment, FormFactor, Quenching
from fastscan.kernels.response import sharp_response, smeared_response
from fastscan.tensors.emission import SourceFlux
from fastscan.tensors.header import QUADRATURE_TOLERANCE, canonical_header, header_name
from fastscan.tensors.recoil import LOWEST_ORDER, TooManyNodes, choose_nodes
from fastscan.tensors.response import ChannelResponse, Response
from fastscan.tensors.segments import (
    Segments,
    cut_segments,
    ionisation_breaks,
    ionisation_window,
    variance_per_ev,
)
from fastscan.tensors.size import TensorSize

__all__ = [
    "Component",
    "bin_contents",
    "build_response",
    "maximum_recoil",
    "minimum_energy",
    "recoiling_components",
]

FloatArray = NDArray[np.float64]

MEV_PER_EV = 1e-6
# Ratio of the ends of a panel of recoil energies, beyond which it is cut before it is integrated.
WIDEST_PANEL = 1e4


@dataclass(frozen=True)
class Component:
    """Recoiling particles of one kind: an isotope's nuclei, or the electrons of the target."""

    mass_mev: float
    protons: float
    neutrons: float
    lowest_recoil_mev: float
    highest_recoil_mev: float
    breaks_mev: FloatArray
    ionisation_ev: Callable[[FloatArray], FloatArray]
    # Scatterers per gram, at each recoil energy.
    targets_per_g: Callable[[FloatArray], FloatArray]
    form_factor_squared: Callable[[FloatArray], FloatArray]
    # Refuses a range of recoil energies that can not be treated.
    check: Callable[[float, float], None] = lambda low, high: None


def build_response(
    experiment: Experiment, progress: Callable[[str, float], None] | None = None
) -> Response:
    """Compute the response tensors of both channels.

    Parameters
    ----------
    experiment : Experiment
        Reactor, target, detectors and bins.
    progress : callable, optional
        Called with the name of the part under way and the fraction done.

    Returns
    -------
    Response
        Of quadrature error at most ``QUADRATURE_TOLERANCE`` of the largest bin.

    Raises
    ------
    InputError
        The tensors would be larger than half a gigabyte.
    """
    size = TensorSize.of(experiment)
    size.check(size.fewest_nodes)
    segments = cut_segments(experiment)
    components = recoiling_components(experiment, segments)
    flux = SourceFlux(
        experiment,
        min(_lowest_energy(c) for c in components),
        experiment.target.logarithm_of_mev,
    )
    built: list[ChannelResponse] = []
    breaks = [_breaks(component, flux) for component in components]
    size.check(LOWEST_ORDER * sum(max(0, edges.size - 1) for edges in breaks))
    for i, component in enumerate(components):
        if progress is not None:
            label = f"A = {component.protons + component.neutrons:.0f}"
            progress(label if component.protons else "electrons", i / len(components))
        kept = sum(part.recoil_energy_mev.size for part in built)
        try:
            part = _integrate_component(
                experiment, component, flux, segments, breaks[i], size.most_nodes - kept
            )
        except TooManyNodes as error:
            raise size.error(kept + error.args[0]) from error
        built.append(part)
    if progress is not None:
        progress("done", 1.0)
    header = canonical_header(experiment)
    return Response(
        header=header,
        name=header_name(header),
        channels={"cevns": _join(built[:-1]), "eves": built[-1]},
        energy_bin_edges_mev=flux.bin_edges_mev,
        edges_ev=np.asarray(experiment.observation.edges_ev, dtype=float),
        bin_flux_per_cm2_s=flux.bin_flux,
    )


def recoiling_components(experiment: Experiment, segments: Segments) -> list[Component]:
    """Isotopes of the target, and its electrons as the last one."""
    window_ev = ionisation_window(experiment, segments)
    nuclei = _nuclear_components(experiment, segments, window_ev)
    return [*nuclei, _electron_component(experiment, segments, window_ev)]


def bin_contents(
    experiment: Experiment, component: Component, segments: Segments
) -> Callable[[FloatArray], FloatArray]:
    """Counts of each bin for unit flux and cross section: recoil energies (T,) -> (T, bins)."""
    bins = experiment.observation.edges_ev.size - 1

    def smear(recoil: FloatArray) -> FloatArray:
        ionisation = experiment.ionisation.energy_scale * component.ionisation_ev(recoil)
        shape = (ionisation, bins, segments.bin_index, segments.edges_ev, segments.weights)
        if experiment.ionisation.resolution == "none":
            values: FloatArray = sharp_response(*shape)
        else:
            values = smeared_response(*shape, segments.noise_ev, variance_per_ev(experiment))
        scale = component.targets_per_g(recoil) * MEV_MINUS_2_IN_CM2
        return scale[:, None] * values

    return smear


def _nuclear_components(
    experiment: Experiment, segments: Segments, window_ev: tuple[float, float]
) -> list[Component]:
    breaks_ev = ionisation_breaks(experiment, segments)
    scale = experiment.ionisation.energy_scale
    quenching, form_factor = experiment.target.quenching, experiment.target.form_factor
    components = []
    for element in experiment.target.elements:
        ionisation = partial(quenching.ionisation_ev, atomic_number=element.atomic_number)
        recoils_of = _Inverse(quenching, element.atomic_number)
        low, high = recoils_of.window(window_ev[0] / scale, window_ev[1] / scale)
        breaks = np.array([recoil for e in breaks_ev for recoil in recoils_of(e / scale)])
        breaks = np.concatenate((breaks, quenching.kinks_mev()))
        for i, mass_number in enumerate(element.mass_number):
            mass_mev = float(
                element.atomic_mass_u[i] * ATOMIC_MASS_UNIT_MEV
                - element.atomic_number * ELECTRON_MASS_MEV
            )
            kinks = (form_factor.kinks_per_fm() * HBAR_C_MEV_FM) ** 2 / (2.0 * mass_mev)
            components.append(
                Component(
                    mass_mev=mass_mev,
                    protons=float(element.atomic_number),
                    neutrons=float(mass_number - element.atomic_number),
                    lowest_recoil_mev=low,
                    highest_recoil_mev=high,
                    breaks_mev=np.concatenate((breaks, kinks)),
                    check=quenching.check_range,
                    ionisation_ev=ionisation,
                    targets_per_g=partial(
                        np.full_like,
                        fill_value=AVOGADRO_PER_MOL
                        / _grams_per_formula_mol(experiment)
                        * element.atoms_per_formula_unit
                        * element.abundance[i],
                    ),
                    form_factor_squared=_form_factor(form_factor, mass_mev, float(mass_number)),
                )
            )
    return components


def _form_factor(
    form_factor: FormFactor, mass_mev: float, mass_number: float
) -> Callable[[FloatArray], FloatArray]:
    def squared(recoil: FloatArray) -> FloatArray:
        momentum = np.sqrt(2.0 * mass_mev * recoil) / HBAR_C_MEV_FM
        return form_factor.squared(momentum, mass_number)

    return squared


def _electron_component(
    experiment: Experiment, segments: Segments, window_ev: tuple[float, float]
) -> Component:
    target = experiment.target
    per_mol = AVOGADRO_PER_MOL / _grams_per_formula_mol(experiment)

    def electrons_per_g(recoil: FloatArray) -> FloatArray:
        total = np.zeros_like(recoil)
        for element in target.elements:
            total += (
                per_mol * element.atoms_per_formula_unit * target.active_electrons(element, recoil)
            )
        return total

    mev_per_ev = MEV_PER_EV / experiment.ionisation.energy_scale
    breaks = (ionisation_breaks(experiment, segments) * mev_per_ev, target.electron_kinks_mev())
    return Component(
        mass_mev=ELECTRON_MASS_MEV,
        protons=0.0,
        neutrons=0.0,
        lowest_recoil_mev=window_ev[0] * mev_per_ev,
        highest_recoil_mev=window_ev[1] * mev_per_ev,
        breaks_mev=np.concatenate(breaks),
        ionisation_ev=lambda recoil: recoil / MEV_PER_EV,
        targets_per_g=electrons_per_g,
        form_factor_squared=np.ones_like,
    )


def _grams_per_formula_mol(experiment: Experiment) -> float:
    return float(
        sum(
            element.atoms_per_formula_unit * (element.abundance * element.atomic_mass_u).sum()
            for element in experiment.target.elements
        )
    )


class _Inverse:
    """Recoil energies in MeV of an ionisation energy in eV, by root finding to 1e-12."""

    def __init__(self, quenching: Quenching, atomic_number: int) -> None:
        self._quenching, self._atomic_number = quenching, atomic_number
        low, high = quenching.range_mev()
        turns = quenching.turns_mev()
        # Between two of these the ionisation energy rises or falls throughout.
        self._ends_mev = [low, *turns[(turns > low) & (turns < high)], high]

    def ionisation_ev(self, recoil_mev: float) -> float:
        """Ionisation energy of one recoil."""
        recoil = np.array([recoil_mev])
        return float(self._quenching.ionisation_ev(recoil, self._atomic_number)[0])

    def __call__(self, energy_ev: float) -> list[float]:
        """All recoils that give the energy, in order; zero for no energy or less."""
        if energy_ev <= 0.0:
            return [0.0]

        def excess(recoil_mev: float) -> float:
            return self.ionisation_ev(recoil_mev) - energy_ev

        found: list[float] = []
        for low, high in pairwise(self._ends_mev):
            if high == math.inf:
                if low > 0.0 and excess(low) > 0.0:
                    continue
                # A recoil ionises at most as much as an electron of its energy.
                low = high = max(low, energy_ev * MEV_PER_EV)
                while excess(high) < 0.0:
                    high *= 2.0
                found.append(_root(excess, low, high) if high > low else low)
            elif excess(low) * excess(high) < 0.0:
                found.append(_root(excess, low, high))
            else:
                found += [end for end in (low, high) if excess(end) == 0.0]
        return sorted(set(found))

    def window(self, low_ev: float, high_ev: float) -> tuple[float, float]:
        """The recoils between which the ionisation energy is in a range; equal where none is."""
        ends = [end for end in self._ends_mev if 0.0 < end < math.inf]
        inside = [end for end in ends if low_ev <= self.ionisation_ev(end) <= high_ev]
        found = [*self(low_ev), *self(high_ev), *inside]
        return (min(found), max(found)) if found else (0.0, 0.0)


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    root: float = toms748(excess, low, high, xtol=1e-300, rtol=1e-13)
    return root


def minimum_energy(recoil_mev: FloatArray, mass_mev: float | FloatArray) -> FloatArray:
    """Smallest antineutrino energy that gives a recoil: (T + sqrt(T**2 + 2 M T)) / 2."""
    return 0.5 * (recoil_mev + np.sqrt(recoil_mev * (recoil_mev + 2.0 * mass_mev)))


def maximum_recoil(energy_mev: FloatArray, mass_mev: float) -> FloatArray:
    """Largest recoil an antineutrino energy gives: 2 E**2 / (M + 2 E)."""
    return 2.0 * energy_mev**2 / (mass_mev + 2.0 * energy_mev)


def _lowest_energy(component: Component) -> float:
    lowest = np.array([component.lowest_recoil_mev])
    return float(minimum_energy(lowest, component.mass_mev)[0])


def _breaks(component: Component, flux: SourceFlux) -> FloatArray:
    """Recoil energies between which the integrand of a component is smooth."""
    low = component.lowest_recoil_mev
    end = float(maximum_recoil(np.array([flux.energy_max_mev]), component.mass_mev)[0])
    high = min(component.highest_recoil_mev, end)
    if high <= low:
        return np.empty(0)
    component.check(low, high)
    # Where E_min(T) crosses a kink of the flux, or the edge of an energy bin that may be
    # reweighted on its own, the flux moments have a kink in T.
    kinks = maximum_recoil(flux.recoil_breaks_mev, component.mass_mev)
    breaks = np.unique(np.concatenate(([low, high], kinks, component.breaks_mev)))
    breaks = breaks[(breaks >= low) & (breaks <= high)]
    # Photon exchange rises like T**-2: over more decades than this no rule sees its lower end.
    pieces = [
        np.geomspace(lower, upper, 1 + math.ceil(math.log10(upper / lower)))
        for lower, upper in pairwise(breaks)
        if upper > WIDEST_PANEL * lower
    ]
    return np.unique(np.concatenate([breaks, *pieces]))


def _integrate_component(
    experiment: Experiment,
    component: Component,
    flux: SourceFlux,
    segments: Segments,
    breaks: FloatArray,
    most_nodes: int,
) -> ChannelResponse:
    mass = component.mass_mev
    high = breaks[-1] if breaks.size else 0.0
    # The moment of equivalent photons is one of electrons.
    with_logarithm = component.protons == 0.0 and experiment.target.logarithm_of_mev is not None

    smear = bin_contents(experiment, component, segments)

    # Every model multiplies a flux moment by a form factor and a power of T between -2 (photon
    # exchange, squared) and 1, or by a smoother propagator in between.
    def integrand(recoil: FloatArray) -> FloatArray:
        moments = flux.total_moments(minimum_energy(recoil, mass))
        moments = moments * component.form_factor_squared(recoil)
        powers = (recoil / high) ** np.array([[-2.0], [-1.0], [0.0], [1.0]])
        shapes = (moments[:, :3, None, :] * powers[None]).reshape(-1, recoil.size)
        if with_logarithm:
            photons = experiment.target.photoabsorption_share_mb(recoil) / recoil
            shapes = np.concatenate((shapes, moments[:, 3] * photons))
        products: FloatArray = np.einsum("st,tb->tsb", shapes, smear(recoil))
        return products

    nodes = choose_nodes(breaks, integrand, QUADRATURE_TOLERANCE, most_nodes)
    recoil = nodes.recoil_energy_mev
    return ChannelResponse(
        recoil_energy_mev=recoil,
        target_mass_mev=np.full_like(recoil, mass),
        protons=np.full_like(recoil, component.protons),
        neutrons=np.full_like(recoil, component.neutrons),
        form_factor_squared=component.form_factor_squared(recoil),
        flux_moments=flux.moments(minimum_energy(recoil, mass))[: 4 if with_logarithm else 3],
        response=smear(recoil) * nodes.weight_mev[:, None],
        error_estimate=nodes.error_estimate,
        panels=nodes.panels,
    )


def _join(parts: list[ChannelResponse]) -> ChannelResponse:
    """Isotopes one after the other on one axis of recoil nodes."""
    joined = {
        name: np.concatenate(
            [getattr(part, name) for part in parts], axis=dims.index("recoil_node")
        )
        for name, dims in ChannelResponse.ARRAYS.items()
    }
    return ChannelResponse(
        **joined,
        error_estimate=max(part.error_estimate for part in parts),
        panels=sum(part.panels for part in parts),
    )
