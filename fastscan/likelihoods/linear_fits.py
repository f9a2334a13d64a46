"""Fits of many data vectors with any linear pulls: basins from a lattice, then Newton's method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.kernels.descent import chi2_along
from fastscan.kernels.projections import LANES, fit_points
from fastscan.likelihoods.cells import Cells
from fastscan.likelihoods.chart import Chart
from fastscan.likelihoods.hypotheses import Hypotheses, hypotheses, scores_at_points
from fastscan.likelihoods.searched_fits import SearchedFits, way_out

__all__ = ["LinearFits"]

FloatArray = NDArray[np.float64]


class LinearFits(SearchedFits[Cells]):
    """Fits of one or two parameters, of more where few cells hold them; see `VectorFits`.

    Chi2 is the lowest to 1e-6, but where two basins are about equally deep: there the other one may
    be found, 1e-2 higher at most, in less than one vector of a thousand with one free parameter, of
    a hundred with two (two of a hundred where these nearly cancel each other).

    Raises
    ------
    InputError
        Two masses, or more free parameters than cells can hold.
    """

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
        return self._at_ends(z, ends)

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
        return way_out(excess, inside, step, bound, z, 1e-13)

    def _point(self, point: Sequence[float]) -> Hypotheses:
        return hypotheses(self._counts, [list(point)])

    def _fitted(self, point: Sequence[float], data: FloatArray) -> Hypotheses:
        """The hypothesis at a point, what is profiled where it fits data best."""
        if not self._free and not self._outward:
            return self._point(point)
        search = self._held_at(point)
        return search.chart.hypotheses(search.best(data[None])[0])

    def _over(self, chart: Chart) -> Cells:
        return Cells.of(chart, self._counts.observed)
