"""The response on panels of recoil energy: for what is not known when tensors are stored.

The nodes of a stored tensor lie between the recoils at which the least energy of a massless final
state passes the kinks of the flux. Where another least energy depends on a mass, or the flux on a
frequency, these are others at every point. Here nodes are placed for the response alone: on each
panel it is a polynomial through the Gauss points, to `TOLERANCE` of its largest bin there, and the
rest of the integrand is integrated exactly against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fastscan.inputs import Experiment
from fastscan.tensors.build import (
    Component,
    bin_contents,
    maximum_recoil,
    minimum_energy,
    recoiling_components,
)
from fastscan.tensors.emission import Emission, flavour_flux
from fastscan.tensors.flux_table import LOWEST_ENERGY_MEV, FluxTable, bin_weights
from fastscan.tensors.header import canonical_header, header_name
from fastscan.tensors.legendre import NODES, ORDER, WEIGHTS, cumulative, tail
from fastscan.tensors.response import CHANNELS
from fastscan.tensors.segments import cut_segments
from fastscan.tensors.size import TensorSize

__all__ = ["EnergyPanels", "PanelResponse", "RecoilPanels", "load_panels"]

FloatArray = NDArray[np.float64]

# Last Legendre coefficients of the response on a panel, relative to its largest bin there, and to
# the largest one anywhere.
TOLERANCE = 1e-10
_NEGLIGIBLE = 1e-14
# The same of what the response leaves of the flux, relative to the largest bin in all.
_ENERGY_TOLERANCE = 1e-11
# Ratio of the ends of the widest panel.
_WIDEST = 2.0
_NARROWEST = 1e-10
# Experiments whose panels are kept, those of moved settings among them.
_KEPT = 32


@dataclass(frozen=True)
class RecoilPanels:
    """The response of one channel at the Gauss points of panels, one panel after the other.

    Attributes
    ----------
    recoil_energy_mev, target_mass_mev, protons, neutrons, form_factor_squared : (t,)
        As of `ChannelResponse`.
    response : (t, bins)
    low_mev, high_mev : (panels,)
        Ends of each panel; those of an isotope increase, and the next isotope begins again.
    breaks_mev : (breaks, 2)
        Recoil energies at which the response has a kink, and the masses of their targets.
    """

    recoil_energy_mev: FloatArray
    target_mass_mev: FloatArray
    protons: FloatArray
    neutrons: FloatArray
    form_factor_squared: FloatArray
    response: FloatArray
    low_mev: FloatArray
    high_mev: FloatArray
    breaks_mev: FloatArray

    def below(self, energy_mev: FloatArray, values: FloatArray) -> FloatArray:
        """Sums over all recoils that a massless final state allows, at each energy.

        Parameters
        ----------
        energy_mev : (energies,)
        values : (t, columns)
            Integrands at the nodes times `response`'s weights.

        Returns
        -------
        (energies, columns)
        """
        out = np.zeros((energy_mev.size, values.shape[1]))
        by_panel = values.reshape(-1, ORDER, values.shape[1])
        starts = np.flatnonzero(np.append(True, self.low_mev[1:] < self.high_mev[:-1]))
        for first, last in zip(starts, [*starts[1:], self.low_mev.size], strict=True):
            low, high = self.low_mev[first:last], self.high_mev[first:last]
            sums = np.zeros((last - first + 1, values.shape[1]))
            np.cumsum(by_panel[first:last].sum(axis=1), axis=0, out=sums[1:])
            largest = maximum_recoil(energy_mev, self.target_mass_mev[ORDER * first])
            panel = np.searchsorted(low, largest, "right") - 1
            out += sums[np.where(largest >= high[-1], last - first, np.maximum(panel, 0))]
            cut = np.flatnonzero((panel >= 0) & (largest < high[-1]))
            own = panel[cut]
            place = (2.0 * largest[cut] - (low[own] + high[own])) / (high[own] - low[own])
            # One panel at a time: gathered together they would fill the memory.
            factors = cumulative(np.clip(place, -1.0, 1.0))
            for p in np.unique(own):
                here = own == p
                out[cut[here]] += factors[here] @ by_panel[first + p]
        return out


@dataclass(frozen=True)
class EnergyPanels:
    """Gauss points of panels in 1/E, on which the counts of each energy are polynomials.

    Attributes
    ----------
    energy_mev, weight : (e,)
        Points, one panel after the other, and flux times dE.
    centre_per_mev, half_per_mev : (panels,)
        Middle and half the width of each panel in 1/E.
    """

    energy_mev: FloatArray
    weight: FloatArray
    centre_per_mev: FloatArray
    half_per_mev: FloatArray


@dataclass(frozen=True)
class PanelResponse:
    """Panels of both channels of an experiment, and its fluxes.

    Attributes
    ----------
    fluxes : dict of Emission
        By flavour.
    channels : dict of RecoilPanels
    """

    fluxes: dict[str, Emission]
    channels: dict[str, RecoilPanels]

    def flux_table(self, flavour: str, flux_weights: FloatArray | None = None) -> FluxTable:
        """Moments of a flux above an energy, with a factor on each energy bin."""
        return FluxTable.of(self.fluxes[flavour], flux_weights)

    def energies(
        self, channel: str, flavour: str, flux_weights: FloatArray | None = None
    ) -> EnergyPanels:
        """Panels of energy of one channel and flavour."""
        panels, flux = self.channels[channel], self.fluxes[flavour]
        ends = minimum_energy(panels.breaks_mev[:, 0], panels.breaks_mev[:, 1])
        end = flux.energy_max_mev
        fixed = np.concatenate([flux.kinks_mev, flux.bin_edges_mev[1:], ends])
        fixed = np.unique(np.append(fixed[(fixed >= ends.min(initial=end)) & (fixed < end)], end))
        # What models multiply: powers of the recoil energy, and of the energy.
        powers = (panels.recoil_energy_mev[:, None] / panels.high_mev.max(initial=1.0)) ** [-1, 1]
        columns = (panels.response[:, None, :] * powers[:, :, None]).reshape(len(powers), -1)
        columns = columns * panels.form_factor_squared[:, None]

        def values(low: FloatArray, high: FloatArray) -> FloatArray:
            inverse = 0.5 * (low + high)[:, None] + 0.5 * (high - low)[:, None] * NODES
            energy = 1.0 / inverse
            found = panels.below(energy.ravel(), columns).reshape(*energy.shape, -1)
            found = found * (flux(energy) * energy**2 * (high - low)[:, None])[..., None]
            every = np.concatenate([found, found * inverse[..., None] ** 2 * end**2], axis=-1)
            return np.moveaxis(every, 1, 2)

        low, high = 1.0 / fixed[:0:-1], 1.0 / fixed[-2::-1]
        largest = np.abs(values(low, high) @ WEIGHTS).sum(axis=0) if low.size else np.zeros(1)
        largest = largest.reshape(4, -1).max(axis=1).repeat(largest.size // 4)
        done = []
        while low.size:
            bad = (tail(values(low, high)) > _ENERGY_TOLERANCE * largest).any(axis=1)
            bad &= high - low > _NARROWEST * high
            done.append(np.stack([low[~bad], high[~bad]]))
            middle = 0.5 * (low[bad] + high[bad])
            low, high = np.concatenate((low[bad], middle)), np.concatenate((middle, high[bad]))
        low, high = np.concatenate([np.empty((2, 0)), *done], axis=1)
        order = np.argsort(low)
        centre, half = 0.5 * (low + high)[order], 0.5 * (high - low)[order]
        energy = 1.0 / (centre[:, None] + half[:, None] * NODES).ravel()
        weight = flux(energy) * energy**2 * (half[:, None] * WEIGHTS).ravel()
        # A line is a panel of no width: all of its points are one energy.
        lines, fluxes = flux.lines
        energy = np.concatenate([energy, np.repeat(lines, ORDER)])
        weight = np.concatenate([weight, np.outer(fluxes, 0.5 * WEIGHTS).ravel()])
        centre = np.concatenate([centre, 1.0 / lines])
        half = np.concatenate([half, np.zeros(lines.size)])
        if flux_weights is not None:
            weight = weight * bin_weights(flux, energy, flux_weights)
        return EnergyPanels(energy, weight, centre, half)


def load_panels(experiment: Experiment) -> PanelResponse:
    """Panels of an experiment, made on first use and kept in memory.

    Raises
    ------
    InputError
        They would be larger than tensors may be.
    """
    return _load(_Named(header_name(canonical_header(experiment)), experiment))


@dataclass(frozen=True)
class _Named:
    """An experiment by what identifies its tensors."""

    name: str
    experiment: Experiment

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and self.name == other.name


@lru_cache(maxsize=_KEPT)
def _load(named: _Named) -> PanelResponse:
    experiment = named.experiment
    size = TensorSize.of(experiment)
    segments = cut_segments(experiment)
    components = recoiling_components(experiment, segments)
    parts = []
    for component in components:
        contents = bin_contents(experiment, component, segments)
        edges = _smooth_panels(component, contents, size)
        parts.append(_evaluate(component, contents, edges))
    fluxes: dict[str, Emission] = {
        component.flavour: flavour_flux(experiment, component.flavour, LOWEST_ENERGY_MEV)
        for component in experiment.components
    }
    return PanelResponse(fluxes, dict(zip(CHANNELS, (_join(parts[:-1]), parts[-1]), strict=True)))


def _smooth_panels(
    component: Component, contents: Callable[[FloatArray], FloatArray], size: TensorSize
) -> FloatArray:
    """Panels on which the response is a polynomial, shape (2, panels)."""
    start, stop = component.lowest_recoil_mev, component.highest_recoil_mev
    if not stop > start:
        return np.empty((2, 0))
    octaves = math.ceil(math.log(stop / start) / math.log(_WIDEST))
    edges = np.concatenate(
        [np.geomspace(start, stop, octaves + 1)[1:-1], component.breaks_mev, [start, stop]]
    )
    edges = np.unique(edges[(edges >= start) & (edges <= stop)])
    low, high = edges[:-1], edges[1:]
    done = []
    count, largest = 0, 0.0
    while low.size:
        size.check(ORDER * (count + low.size))
        recoil = 0.5 * (low + high)[:, None] + 0.5 * (high - low)[:, None] * NODES
        values = contents(recoil.ravel()) * component.form_factor_squared(recoil.ravel())[:, None]
        values = np.moveaxis(values.reshape(*recoil.shape, -1), 1, 2)
        there = np.abs(values).max(axis=(1, 2))
        largest = max(largest, float(there.max()))
        bad = tail(values).max(axis=1) > np.maximum(TOLERANCE * there, _NEGLIGIBLE * largest)
        bad &= high - low > _NARROWEST * high
        done.append(np.stack([low[~bad], high[~bad]]))
        count += int((~bad).sum())
        middle = 0.5 * (low[bad] + high[bad])
        low, high = np.concatenate((low[bad], middle)), np.concatenate((middle, high[bad]))
    kept = np.concatenate(done, axis=1)
    return kept[:, np.argsort(kept[0])]


def _evaluate(
    component: Component, contents: Callable[[FloatArray], FloatArray], edges: FloatArray
) -> RecoilPanels:
    low, high = edges
    half = 0.5 * (high - low)[:, None]
    recoil = (0.5 * (low + high)[:, None] + half * NODES).ravel()
    start, stop = component.lowest_recoil_mev, component.highest_recoil_mev
    kinks = np.unique(np.concatenate([[start, stop], component.breaks_mev]))
    kinks = kinks[(kinks >= start) & (kinks <= stop)]
    return RecoilPanels(
        recoil,
        np.full_like(recoil, component.mass_mev),
        np.full_like(recoil, component.protons),
        np.full_like(recoil, component.neutrons),
        component.form_factor_squared(recoil),
        contents(recoil) * (half * WEIGHTS).reshape(-1, 1),
        low,
        high,
        np.stack([kinks, np.full_like(kinks, component.mass_mev)], axis=1),
    )


def _join(parts: list[RecoilPanels]) -> RecoilPanels:
    """Isotopes one after the other."""
    names = RecoilPanels.__dataclass_fields__
    return RecoilPanels(*(np.concatenate([getattr(part, n) for part in parts]) for n in names))
