"""What all sources of an experiment send to its detectors, component by component."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import (
    AVOGADRO_PER_MOL,
    FERMI_CONSTANT_PER_MEV2,
    HBAR_C_MEV_FM,
    MUON_MASS_MEV,
)
from fastscan.inputs import (
    Component,
    Experiment,
    LineSource,
    Oscillation,
    PionDecay,
    Reactor,
    Solar,
    Source,
    TableSource,
    solar_part,
)
from fastscan.inputs.solar import SolarPart, SolarPartName
from fastscan.inputs.spectrum import logarithmic_slopes
from fastscan.kernels import spectra
from fastscan.tensors.flux import Flux, PanelFlux

__all__ = ["Emission", "SourceFlux", "component_flux", "conversion", "flavour_flux", "flux_parts"]

FloatArray = NDArray[np.float64]

# Particle Data Group 2024.
PION_MASS_MEV = 139.57039
# Panels in octaves down to here are enough for what is no moment above an energy.
LOWEST_ENERGY_MEV = 1e-3
TOLERANCE = 1e-12


class Emission(Protocol):
    """A flux or a fluence of one flavour: its bins, and its moments above an energy in them."""

    energy_max_mev: float
    bin_edges_mev: FloatArray
    # Of what is no line.
    kinks_mev: FloatArray

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux between lines at each energy, any shape."""

    @property
    def lines(self) -> FloatArray:
        """Energies of lines and the flux of each, shape (2, lines)."""

    @property
    def recoil_kinks_mev(self) -> FloatArray:
        """Energies that a quadrature over recoils has to know of."""

    @property
    def bin_flux(self) -> FloatArray:
        """Of each energy bin, shape (bins,)."""

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """Moments int phi E**-n dE above each energy, shape (3, bins, T)."""

    def parts(self) -> dict[str, float]:
        """Flux of each part by name."""


class PolynomialFlux:
    """sum_k c_k E**k with k >= 2 up to an end, nothing above: moments in closed form.

    Parameters
    ----------
    name : str
    coefficients : dict of int to float
        c_k by k.
    end_mev : float
    bin_edges_mev : (2,)
    """

    def __init__(
        self,
        name: str,
        coefficients: dict[int, float],
        end_mev: float,
        bin_edges_mev: FloatArray,
        logarithm_of_mev: float | None = None,
    ) -> None:
        assert min(coefficients) >= 2
        self._logarithm_of_mev = logarithm_of_mev
        self._name, self._coefficients = name, coefficients
        self.energy_max_mev = end_mev
        self.bin_edges_mev = bin_edges_mev
        self.kinks_mev = self.recoil_kinks_mev = np.array([end_mev])
        self.lines = np.empty((2, 0))

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux at each energy, any shape."""
        energy = np.asarray(energy_mev, dtype=float)
        terms = [c * energy**k for k, c in self._coefficients.items()]
        return np.where(energy <= self.energy_max_mev, np.sum(terms, axis=0), 0.0)

    @property
    def bin_flux(self) -> FloatArray:
        """Of the one bin, shape (1,)."""
        flux: FloatArray = self.moments(np.zeros(1))[0, :, 0]
        return flux

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """sum_k c_k (end**(k - n + 1) - E**(k - n + 1)) / (k - n + 1), shape (3, 1, T)."""
        start = np.minimum(np.asarray(minimum_energy_mev, dtype=float), self.energy_max_mev)
        of = self._logarithm_of_mev
        out = np.zeros((3 if of is None else 4, 1, start.size))
        for k, coefficient in self._coefficients.items():
            for n in range(3):
                power = k - n + 1
                above = self.energy_max_mev**power - start**power
                out[n, 0] += coefficient / power * above
            if of is not None:
                power = k + 1
                ends = (self.energy_max_mev, np.maximum(start, np.finfo(float).tiny))
                upper, lower = (e**power * (np.log(e / of) - 1.0 / power) for e in ends)
                out[3, 0] += coefficient / power * (upper - lower)
        return out

    def parts(self) -> dict[str, float]:
        """All of it."""
        return {self._name: float(self.bin_flux[0])}


class LineFlux:
    """Neutrinos of single energies, each with its flux; one bin."""

    def __init__(
        self,
        name: str,
        energies_mev: Sequence[float] | FloatArray,
        fluxes: Sequence[float] | FloatArray,
        bin_edges_mev: FloatArray,
        logarithm_of_mev: float | None = None,
    ) -> None:
        self._name, self._logarithm_of_mev = name, logarithm_of_mev
        self.lines = np.array([energies_mev, fluxes], dtype=float)
        self.recoil_kinks_mev, self._fluxes = self.lines
        self.kinks_mev = np.empty(0)
        self.energy_max_mev = float(self.recoil_kinks_mev.max())
        self.bin_edges_mev = bin_edges_mev

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Nothing between the lines."""
        return np.zeros(np.shape(energy_mev))

    @property
    def bin_flux(self) -> FloatArray:
        """Of the one bin, shape (1,)."""
        return np.array([self._fluxes.sum()])

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """Sums of phi E**-n of the lines above each energy, shape (3, 1, T)."""
        energy = self.recoil_kinks_mev
        above = energy > np.asarray(minimum_energy_mev, dtype=float)[:, None]
        terms = self._fluxes * energy ** -np.arange(3.0)[:, None]
        if self._logarithm_of_mev is not None:
            terms = np.vstack([terms, self._fluxes * np.log(energy / self._logarithm_of_mev)])
        moments: FloatArray = np.einsum("tl,nl->nt", above, terms)[:, None, :]
        return moments

    def parts(self) -> dict[str, float]:
        """All of it."""
        return {self._name: float(self._fluxes.sum())}


class SpectrumFlux(PanelFlux):
    """A spectrum in one bin that is smooth between its kinks.

    Parameters
    ----------
    name : str
    spectrum : callable
        Energies in MeV, any shape -> flux per MeV.
    kinks_mev : ndarray
        The last one is where it ends.
    bin_edges_mev : (2,)
    lowest_energy_mev : float
        As of `Flux`.
    """

    def __init__(
        self,
        name: str,
        spectrum: Callable[[FloatArray], FloatArray],
        kinks_mev: FloatArray,
        bin_edges_mev: FloatArray,
        lowest_energy_mev: float,
        logarithm_of_mev: float | None = None,
    ) -> None:
        self._name, self._spectrum = name, spectrum
        self._logarithm_of_mev = logarithm_of_mev
        self.kinks_mev = kinks_mev[kinks_mev > 0.0]
        self.energy_max_mev = float(kinks_mev[-1])
        self.bin_edges_mev = bin_edges_mev
        self._edges = self._build_panels(lowest_energy_mev, TOLERANCE)
        self._tabulate()

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux at each energy, any shape."""
        return self._spectrum(energy_mev)

    def parts(self) -> dict[str, float]:
        """All of it."""
        return {self._name: float(self.bin_flux.sum())}


class SumFlux:
    """Emissions of one flavour in the same bins."""

    def __init__(self, emissions: Sequence[Emission], bin_edges_mev: FloatArray) -> None:
        self._emissions = emissions
        self.bin_edges_mev = bin_edges_mev
        self.energy_max_mev = max(emission.energy_max_mev for emission in emissions)
        self.kinks_mev, self.recoil_kinks_mev = (
            np.unique(np.concatenate([getattr(emission, name) for emission in emissions]))
            for name in ("kinks_mev", "recoil_kinks_mev")
        )
        self.lines = np.concatenate([emission.lines for emission in emissions], axis=1)

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux between lines at each energy, any shape."""
        total: FloatArray = np.sum([emission(energy_mev) for emission in self._emissions], axis=0)
        return total

    @property
    def bin_flux(self) -> FloatArray:
        """Of each energy bin, shape (bins,)."""
        total: FloatArray = np.sum([emission.bin_flux for emission in self._emissions], axis=0)
        return total

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """Moments int phi E**-n dE above each energy, shape (3, bins, T)."""
        first, *rest = (emission.moments(minimum_energy_mev) for emission in self._emissions)
        for moments in rest:
            first = first + moments
        return first

    def parts(self) -> dict[str, float]:
        """Flux of each part, summed over emissions that have the same."""
        found: dict[str, float] = {}
        for emission in self._emissions:
            for name, flux in emission.parts().items():
                found[name] = found.get(name, 0.0) + flux
        return found


class SourceFlux:
    """Neutrinos of all sources of an experiment, their components one after the other in bins.

    Parameters
    ----------
    experiment : Experiment
    lowest_energy_mev : float
        Smallest energy that any moment will be asked from.
    logarithm_of_mev : float, optional
        Add a fourth moment, int phi ln(E / this) dE.

    Attributes
    ----------
    components : list of Emission
        In the order of `Experiment.components`.
    bin_edges_mev : ndarray
        Those of each component in turn.
    """

    def __init__(
        self,
        experiment: Experiment,
        lowest_energy_mev: float,
        logarithm_of_mev: float | None = None,
    ) -> None:
        sources = experiment.every_source
        self.components = [
            component_flux(component, sources, lowest_energy_mev, logarithm_of_mev)
            for component in experiment.components
        ]
        self.energy_max_mev = max(flux.energy_max_mev for flux in self.components)
        self.bin_edges_mev = np.concatenate([flux.bin_edges_mev for flux in self.components])

    @property
    def bin_flux(self) -> FloatArray:
        """Of each energy bin, shape (bins,)."""
        return np.concatenate([flux.bin_flux for flux in self.components])

    @property
    def recoil_breaks_mev(self) -> FloatArray:
        """Kinks of all components, and edges of bins that may be reweighted on their own."""
        kinks = [(flux.recoil_kinks_mev, flux.bin_edges_mev[1:]) for flux in self.components]
        return np.concatenate([energies for pair in kinks for energies in pair])

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """Moments int phi E**-n dE above each energy, shape (3, bins, T)."""
        return np.concatenate([flux.moments(minimum_energy_mev) for flux in self.components], 1)

    def total_moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """The same, summed over the bins of each component, shape (components, 3, T)."""
        return np.stack([flux.moments(minimum_energy_mev).sum(axis=1) for flux in self.components])


def flux_parts(experiment: Experiment) -> dict[str, float]:
    """Flux of each part of the sources, per cm**2 and s; a fluence per cm**2.

    Examples
    --------
    >>> from fastscan.inputs import load_experiment
    >>> parts = flux_parts(load_experiment("conus-plus"))
    >>> {name: f"{flux:.3e}" for name, flux in parts.items()}
    {'fissions below 2 MeV': '8.858e+12', 'fissions from 2 MeV': '3.501e+12', \
'neutron captures': '2.640e+12'}
    """
    components = experiment.components
    found: dict[str, float] = {}
    for component in components:
        flux = component_flux(component, experiment.every_source, LOWEST_ENERGY_MEV)
        mark = "" if len(components) == 1 else f", {component.flavour}"
        found |= {f"{name}{mark}": value for name, value in flux.parts().items()}
    return found


def flavour_flux(experiment: Experiment, flavour: str, lowest_energy_mev: float) -> Emission:
    """Flux of all neutrinos of one flavour.

    Its bins are those of its component; of several, one that holds all.
    """
    found = [
        component_flux(component, experiment.every_source, lowest_energy_mev)
        for component in experiment.components
        if component.flavour == flavour
    ]
    if len(found) == 1:
        return found[0]
    return SumFlux(found, np.array([0.0, max(flux.bin_edges_mev[-1] for flux in found)]))


def component_flux(
    component: Component,
    sources: Sequence[Source],
    lowest_energy_mev: float,
    logarithm_of_mev: float | None = None,
) -> Emission:
    """Flux of one component of the neutrinos of some sources."""
    edges = np.asarray(component.energy_bin_edges_mev)
    found = [
        emission
        for i in component.sources
        for emission in _emissions(
            sources[i], component.flavour, edges, lowest_energy_mev, logarithm_of_mev
        )
    ]
    return found[0] if len(found) == 1 else SumFlux(found, edges)


def _emissions(
    source: Source, flavour: str, edges: FloatArray, lowest: float, log_of: float | None
) -> list[Emission]:
    """What a source emits of one flavour."""
    match source:
        case Reactor():
            return [Flux(source, lowest, logarithm_of_mev=log_of)]
        case PionDecay():
            return [_pion_decay(source, flavour, edges, log_of)]
        case Solar():
            return _solar(source, flavour, edges, lowest, log_of)
        case LineSource():
            shares = np.array(source.shares or (1.0,))
            return [LineFlux("lines", source.energies_mev, source.amount * shares, edges, log_of)]
        case TableSource():
            return [_table(source, edges, lowest, log_of)]


def _pion_decay(
    source: PionDecay, flavour: str, edges: FloatArray, log_of: float | None
) -> Emission:
    """A line, or the spectra of a muon that decays at rest, see `PionDecay`."""
    fluence, end = source.fluence_per_cm2, 0.5 * MUON_MASS_MEV
    if flavour == "nu_mu":
        line = (PION_MASS_MEV**2 - MUON_MASS_MEV**2) / (2.0 * PION_MASS_MEV)
        return LineFlux("pions", [line], [fluence], edges, log_of)
    scale = fluence / MUON_MASS_MEV**3
    if flavour == "nubar_mu":
        coefficients = {2: 48.0 * scale, 3: -64.0 * scale / MUON_MASS_MEV}
    else:
        coefficients = {2: 96.0 * scale, 3: -192.0 * scale / MUON_MASS_MEV}
    return PolynomialFlux("muons", coefficients, end, edges, log_of)


def _table(source: TableSource, edges: FloatArray, lowest: float, log_of: float | None) -> Emission:
    energy, values = source.table["energy_mev"], source.table["per_mev"]
    if energy[0] > 0.0 and source.below is None:
        energy, values = np.array([0.0, *energy]), np.array([0.0, *values])
    slopes = logarithmic_slopes(energy, values)
    first = energy[0]

    def shape(at: FloatArray) -> FloatArray:
        if source.interpolation == "linear":
            found: FloatArray = np.interp(at, energy, values, right=0.0)
            return np.where(at < first, 0.0, found)
        flat = np.ascontiguousarray(at, dtype=float).ravel()
        found = spectra.table_spectrum(flat, energy, values, slopes)
        return found.reshape(np.shape(at))

    name = source.file.path.name
    flux = SpectrumFlux(name, shape, energy, edges, lowest, log_of)
    if source.unit is not None:
        return flux
    scale = source.amount / float(flux.bin_flux.sum())
    return SpectrumFlux(name, lambda at: scale * shape(at), energy, edges, lowest, log_of)


def _solar(
    source: Solar, flavour: str, edges: FloatArray, lowest: float, log_of: float | None
) -> list[Emission]:
    """Each part times the probability to arrive in a flavour."""
    column = source.flavours.index(flavour)
    table = source.probability_table

    def probability(name: SolarPartName, energy: FloatArray) -> FloatArray:
        if table is not None:
            found: FloatArray = np.interp(energy, table["energy_mev"], table[flavour])
            return found
        density = solar_part(name).electron_density_mol_per_cm3
        return conversion(energy, density, source.oscillation)[column]

    found: list[Emission] = []
    for name in source.parts:
        part, flux = solar_part(name), source.flux_of(name)
        if part.is_line:
            fluxes = flux * part.per_mev * probability(name, part.energy_mev)
            found.append(LineFlux(name, part.energy_mev, fluxes, edges, log_of))
            continue

        def spectrum(energy: FloatArray, part: SolarPart = part, flux: float = flux) -> FloatArray:
            shape = np.interp(energy, part.energy_mev, part.per_mev, right=0.0)
            values: FloatArray = flux * shape * probability(part.name, energy)
            return values

        kinks = [part.energy_mev]
        if table is not None:
            inner = table["energy_mev"]
            kinks.append(inner[inner < part.energy_mev[-1]])
        merged = np.unique(np.concatenate(kinks))
        found.append(SpectrumFlux(name, spectrum, merged, edges, lowest, log_of))
    return found


def conversion(
    energy_mev: FloatArray, electron_density_mol_per_cm3: float, oscillation: Oscillation
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P_ee, P_emu and P_etau of adiabatic conversion in the Sun.

    P_ee = s13**4 + c13**4 (1 + cos 2theta12 cos 2theta12_m) / 2, with
    cos 2theta12_m = (cos 2theta12 - beta) / sqrt((cos 2theta12 - beta)**2 + sin**2 2theta12) and
    beta = 2 sqrt2 G_F c13**2 N_e E / dm2_21 (Particle Data Group, review of neutrino mixing). The
    rest is shared by nu_mu and nu_tau as cos**2 theta23 and sin**2 theta23.

    Parameters
    ----------
    energy_mev : ndarray
    electron_density_mol_per_cm3 : float
        Where the neutrinos are made.
    oscillation : Oscillation

    Examples
    --------
    >>> electron, muon, tau = conversion(np.array([0.3]), 60.9, Oscillation())
    >>> f"{electron[0]:.4f} {electron[0] + muon[0] + tau[0]:.1f}"
    '0.5436 1.0'
    """
    theta12, theta13, theta23 = (
        np.radians(getattr(oscillation, f"theta{pair}_deg")) for pair in ("12", "13", "23")
    )
    cos2, sin2 = np.cos(2.0 * theta12), np.sin(2.0 * theta12)
    electrons_mev3 = electron_density_mol_per_cm3 * AVOGADRO_PER_MOL * (HBAR_C_MEV_FM * 1e-13) ** 3
    potential_mev = np.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2 * electrons_mev3
    splitting_mev2 = oscillation.dm2_21_ev2 * 1e-12
    beta = 2.0 * potential_mev * np.cos(theta13) ** 2 * energy_mev / splitting_mev2
    cos2_matter = (cos2 - beta) / np.hypot(cos2 - beta, sin2)
    electron = np.sin(theta13) ** 4 + np.cos(theta13) ** 4 * 0.5 * (1.0 + cos2 * cos2_matter)
    muon = (1.0 - electron) * np.cos(theta23) ** 2
    return electron, muon, 1.0 - electron - muon
