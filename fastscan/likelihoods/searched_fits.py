"""What fits of data vectors share that search a chart of the parameters for basins."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.chart import Chart
from fastscan.likelihoods.coordinates import Coordinate, without_partners
from fastscan.likelihoods.form import VectorFits

__all__ = ["Search", "SearchedFits", "way_out"]

FloatArray = NDArray[np.float64]

# Points of the parameters of interest whose searches are kept.
_REMEMBERED = 256
# Halvings, at most, on the way to an end.
_STEPS = 100


class Search(Protocol):
    """All values of some parameters, among which data vectors are fitted."""

    @property
    def chart(self) -> Chart:
        """Coordinates of the parameters."""

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coordinates of the best fits, (vectors, coordinates), and their scores."""


Found = TypeVar("Found", bound=Search)


class SearchedFits(VectorFits, Generic[Found]):
    """Fits of one or two parameters, others profiled, from a search over all of them."""

    def __init__(
        self, counts: Counts, interest: int, ranges: Mapping[str, tuple[float, float]]
    ) -> None:
        self._counts, self._ranges = counts, ranges
        self._interest, profiled = counts.names[:interest], counts.names[interest:]
        first = self._interest[0]
        self._first = Coordinate.of(counts, first)
        self.mirrored = self._first.mirrored
        self._outward, self._free = False, profiled
        if interest == 1:
            self._outward, self._free = without_partners(counts, first, profiled)
        self._all = self._search((*self._interest, *self._free), {})
        self._held: dict[tuple[float, ...], Found] = {}

    @abstractmethod
    def _over(self, chart: Chart) -> Found:
        """Make the search over a chart."""

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters of interest at the best fit, and the score; see `VectorFits.best`."""
        z, score = self._all.best(data)
        values = self._all.chart.values(z)
        return np.stack([values[name] for name in self._interest], axis=1), score

    def _held_at(self, point: Sequence[float]) -> Found:
        # Threads may ask at once: what one forgets the other still has.
        key = tuple(float(value) for value in point)
        search = self._held.get(key)
        if search is None:
            if self._outward:
                search = self._search((*self._interest, *self._free), {}, abs(key[0]))
            else:
                search = self._search(self._free, dict(zip(self._interest, key, strict=True)))
            if len(self._held) >= _REMEMBERED:
                self._held.clear()
            self._held[key] = search
        return search

    def _search(
        self, free: Sequence[str], held: Mapping[str, float], least: float | None = None
    ) -> Found:
        """Hypotheses of all values of some parameters, of the first from a value on."""
        bounds = {
            name: Coordinate.of(self._counts, name).within(self._ranges.get(name)) for name in free
        }
        if least is not None:
            bounds[free[0]] = (self._first.variable(least), math.inf)
        return self._over(Chart(self._counts, bounds, held))

    def _at_ends(self, z: FloatArray, ends: FloatArray) -> FloatArray:
        """Values of the first parameter at its outermost coordinates, (vectors, 2)."""
        chart, name = self._all.chart, self._interest[0]
        values = np.empty(ends.shape)
        for side in range(2):
            at = z.copy()
            at[:, chart.names.index(name)] = ends[:, side]
            values[:, side] = chart.values(at)[name]
        return values


def way_out(
    excess: Callable[[float], float],
    inside: float,
    step: float,
    bound: float,
    z: FloatArray,
    accuracy: float,
) -> float:
    """Where an excess that is negative inside becomes positive on the way out, or the bound.

    ``z`` is what ``excess`` starts from, and moves; it is set back to before the crossing.
    """
    low = excess(inside)
    while True:
        outside = inside + step
        if (outside - bound) * step >= 0.0:
            outside = bound
        before = z.copy()
        high = excess(outside)
        if high > 0.0:
            break
        if outside == bound:
            return bound
        inside, low, step = outside, high, 1.5 * step
    z[:] = before
    from scipy.optimize import brentq

    if low >= 0.0:
        return inside
    end: float = brentq(excess, inside, outside, xtol=1e-14, rtol=accuracy, maxiter=_STEPS)
    return end
