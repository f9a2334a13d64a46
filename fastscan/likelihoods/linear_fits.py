"""Fits of many data vectors with any linear pulls: basins from a lattice, then Newton's method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.kernels.descent import chi2_along
from fastscan.kernels.projections import LANES, fit_points
from fastscan.likelihoods.cells import Cells
from fastscan.likelihoods.chart import Chart
from fastscan.likelihoods.coordinates import Coordinate, without_partners
from fastscan.likelihoods.form import VectorFits
from fastscan.likelihoods.hypotheses import Hypotheses, hypotheses, scores_at_points

__all__ = ["LinearFits"]

FloatArray = NDArray[np.float64]

# Points of the parameters of interest whose hypotheses are kept.
_REMEMBERED = 256
# Halvings, at most, on the way to an end.
_STEPS = 100


class LinearFits(VectorFits):
    """Fits of one or two parameters, of more where few cells hold them; see `VectorFits`.

    Chi2 is the lowest to 1e-6, but where two basins are about equally deep: there the other one may
    be found, 1e-2 higher at most, in less than one vector of a thousand with one free parameter, of
    a hundred with two (two of a hundred where these nearly cancel each other).

    Raises
    ------
    InputError
        Two masses, or more free parameters than cells can hold.
    """

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
        self._held: dict[tuple[float, ...], Cells] = {}

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters of interest at the best fit, and the score; see `VectorFits.best`."""
        z, score = self._all.best(data)
        values = self._all.chart.values(z)
        return np.stack([values[name] for name in self._interest], axis=1), score

    def scores(self, data: FloatArray, point: Sequence[float]) -> FloatArray:
        """Score at values of the parameters of interest; see `VectorFits.scores`."""
        if not self._free and not self._outward:
            return scores_at_points(data, self._point(point))[:, 0]
        return self._held_at(point).best(data)[1]

    def scores_of(self, data: FloatArray, points: FloatArray) -> FloatArray:
        """Scores at several points; see `VectorFits.scores_of`."""
        if self._free or self._outward:
            return super().scores_of(data, points)
        return scores_at_points(data, hypotheses(self._counts, points))

    def means(self, points: FloatArray, data: FloatArray) -> FloatArray:
        """Expectations at several points; see `VectorFits.means`."""
        if self._free or self._outward:
            return super().means(points, data)
        return hypotheses(self._counts, points).mean(data)

    def mean(self, point: Sequence[float], data: FloatArray) -> FloatArray:
        """Expectation at values of the parameters of interest; see `VectorFits.mean`."""
        mean: FloatArray = self._fitted(point, data).mean(data)[0]
        return mean

    def nuisances(self, point: Sequence[float]) -> FloatArray:
        """Directions in which pulls move the expectation; see `VectorFits.nuisances`."""
        basis: FloatArray = self._fitted(point, self._counts.observed).basis[0]
        return basis

    def ends(self, data: FloatArray, rise: float) -> FloatArray:
        """Outermost values of the first parameter; see `VectorFits.ends`."""
        cells, chart = self._all, self._all.chart
        own = chart.names.index(self._interest[0])
        smallest = np.flatnonzero(cells.children == 0)
        middles, widths = cells.middles[smallest], cells.widths[smallest]
        basis, linear, constant = (term[smallest] for term in cells.terms)
        z, score = cells.best(data)
        ends = np.empty((len(data), 2))
        every = np.empty((LANES, len(smallest)))
        for t, one in enumerate(data):
            if t % LANES == 0:
                fit_points(data[t : t + LANES], basis, linear, constant, every)
            inside = every[t % LANES] >= score[t] - rise
            starts = np.concatenate([z[t][None], middles[inside]])
            units = np.concatenate([widths[:1], widths[inside]])
            level = float(one @ one - score[t] + rise)
            for side in range(2):
                i = int((starts[:, own] if side else -starts[:, own]).argmax())
                ends[t, side] = self._end(one, level, own, side, starts[i], units[i])
        values = np.empty((len(data), 2))
        for side in range(2):
            at = z.copy()
            at[:, own] = ends[:, side]
            values[:, side] = chart.values(at)[self._interest[0]]
        return values

    def _end(
        self,
        data: FloatArray,
        level: float,
        own: int,
        side: int,
        start: FloatArray,
        unit: FloatArray,
    ) -> float:
        """Where chi2, lowest over all other coordinates, leaves a level on the way out."""
        expansion = self._all.chart.expansion
        bounds = self._all.chart.bounds
        bound = float(bounds[own, side])
        z = start.copy()

        def excess(place: float) -> float:
            chi2: float = chi2_along(data, *expansion, bounds, unit, own, place, z) - level
            return chi2

        inside, step = float(start[own]), float(unit[own]) * (1.0 if side else -1.0)
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
        end: float = brentq(excess, inside, outside, xtol=1e-14, rtol=1e-13, maxiter=_STEPS)
        return end

    def _point(self, point: Sequence[float]) -> Hypotheses:
        return hypotheses(self._counts, [list(point)])

    def _fitted(self, point: Sequence[float], data: FloatArray) -> Hypotheses:
        """The hypothesis at a point, what is profiled where it fits data best."""
        if not self._free and not self._outward:
            return self._point(point)
        search = self._held_at(point)
        return search.chart.hypotheses(search.best(data[None])[0])

    def _held_at(self, point: Sequence[float]) -> Cells:
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
    ) -> Cells:
        """Hypotheses of all values of some parameters, of the first from a value on."""
        bounds = {
            name: Coordinate.of(self._counts, name).within(self._ranges.get(name)) for name in free
        }
        if least is not None:
            bounds[free[0]] = (self._first.variable(least), math.inf)
        chart = Chart(self._counts, bounds, held)
        return Cells.of(chart, self._counts.observed)
