"""Moments of a flux above any energy, from a table of polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from fastscan.tensors.legendre import NODES, ORDER, TO_LEGENDRE, tail

__all__ = ["FluxTable", "SmoothFlux", "flux_panels"]

FloatArray = NDArray[np.float64]

# Below this no least energy is followed; each octave down to it is a panel.
LOWEST_ENERGY_MEV = 1e-6
# Last Legendre coefficients of the flux on a panel, relative to its size there.
_TOLERANCE = 1e-12
# Next to an end point of a beta decay the Coulomb factor is not analytic; a panel this narrow
# carries nothing.
_NARROWEST = 1e-5
# Legendre series -> powers.
_POWERS = np.array(
    [
        np.pad(legendre.leg2poly(row), (0, ORDER - degree))
        for degree, row in enumerate(np.eye(ORDER + 1))
    ]
)


class SmoothFlux(Protocol):
    """What is asked of a flux: smooth between kinks, nothing above its end; and lines."""

    energy_max_mev: float
    kinks_mev: FloatArray
    bin_edges_mev: FloatArray

    @property
    def lines(self) -> FloatArray:
        """Energies of lines and the flux of each, shape (2, lines)."""

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux between the lines at each energy, any shape, cm**-2 s**-1 MeV**-1."""


def flux_panels(flux: SmoothFlux, *, bins: bool) -> FloatArray:
    """Edges of panels on which the flux over E**n is a polynomial to rounding, increasing.

    Broken at its kinks and lines, in octaves below the first, and at the edges of its energy bins
    where these are weighted.
    """
    fixed = [flux.kinks_mev, flux.lines[0], np.array([flux.energy_max_mev])]
    if bins:
        fixed.append(flux.bin_edges_mev[1:])
    edges = np.unique(np.concatenate(fixed))
    octaves = int(np.ceil(np.log2(edges[0] / LOWEST_ENERGY_MEV)))
    edges = np.concatenate([edges[0] * 0.5 ** np.arange(octaves, 0, -1.0), edges])
    low, high = edges[:-1], edges[1:]
    done = [edges[-1:]]
    while low.size:
        values = _powers(flux, low, high)
        bad = (tail(values) > _TOLERANCE * np.abs(values).max(axis=-1)).any(axis=0)
        bad &= high - low > _NARROWEST * high
        done.append(low[~bad])
        middle = 0.5 * (low[bad] + high[bad])
        low, high = np.concatenate((low[bad], middle)), np.concatenate((middle, high[bad]))
    return np.sort(np.concatenate(done))


@dataclass(frozen=True)
class FluxTable:
    """Moments above an energy, int_E phi E'**-n dE', as one polynomial a panel.

    Attributes
    ----------
    edges_mev : (panels + 1,)
        Increasing; the last one is the end of the flux.
    kinks : (panels + 1,)
        Whether the flux, with its weights, is not smooth at an edge.
    tables : (panels, 3, terms)
        Coefficients of the powers of x, which goes from -1 to 1 across the panel, in
        cm**-2 s**-1 MeV**-n. Off by about 1e-12 of the moments.
    """

    edges_mev: FloatArray
    kinks: NDArray[np.bool_]
    tables: FloatArray

    @classmethod
    def of(cls, flux: SmoothFlux, flux_weights: FloatArray | None = None) -> FluxTable:
        """Tabulate a flux, each of its energy bins multiplied by its weight, if there are any."""
        edges = flux_panels(flux, bins=flux_weights is not None)
        low, high = edges[:-1], edges[1:]
        values = _powers(flux, low, high) * (0.5 * (high - low))[:, None]
        if flux_weights is not None:
            values = values * bin_weights(flux, 0.5 * (low + high), flux_weights)[:, None]
        series = legendre.legint(values @ TO_LEGENDRE.T, axis=-1)
        # From the place to the upper edge of its panel, and from there to the end.
        series = -series
        series[..., 0] -= series.sum(axis=-1)
        whole: FloatArray = np.asarray(legendre.legval(-1.0, np.moveaxis(series, -1, 0)))
        series[:, :-1, 0] += np.cumsum(whole[:, :0:-1], axis=1)[:, ::-1]
        for energy, strength in flux.lines.T:
            weight = 1.0
            if flux_weights is not None:
                weight = float(bin_weights(flux, np.array([energy]), flux_weights)[0])
            terms = strength * weight * energy ** -np.arange(3.0)
            series[:, high <= energy, 0] += terms[:, None]
        kinks = [flux.kinks_mev, flux.lines[0], np.array([flux.energy_max_mev])]
        if flux_weights is not None:
            kinks.append(flux.bin_edges_mev)
        at = np.isin(edges, np.concatenate(kinks))
        return cls(edges, at, np.ascontiguousarray(np.swapaxes(series @ _POWERS, 0, 1)))

    def moments(self, energy_mev: FloatArray) -> FloatArray:
        """Moments above each energy, shape (3, energies); zero above the end of the flux."""
        panel = np.clip(np.searchsorted(self.edges_mev, energy_mev, "right") - 1, 0, None)
        inside = np.flatnonzero(panel < len(self.tables))
        out = np.zeros((3, np.size(energy_mev)))
        low, high = self.edges_mev[panel[inside]], self.edges_mev[panel[inside] + 1]
        x = (2.0 * energy_mev[inside] - (low + high)) / (high - low)
        own = np.moveaxis(self.tables[panel[inside]], -1, 0)
        out[:, inside] = np.polynomial.polynomial.polyval(x[:, None], own, tensor=False).T
        return out


def bin_weights(flux: SmoothFlux, energy_mev: FloatArray, weights: FloatArray) -> FloatArray:
    """Weight of the energy bin that holds each energy."""
    return np.asarray(weights)[np.searchsorted(flux.bin_edges_mev, energy_mev) - 1]


def _powers(flux: SmoothFlux, low: FloatArray, high: FloatArray) -> FloatArray:
    """Flux over E**n at the Gauss points of panels, shape (3, panels, points)."""
    energy = 0.5 * (high + low)[:, None] + 0.5 * (high - low)[:, None] * NODES
    values = flux(energy)
    return np.stack([values, values / energy, values / energy**2])
