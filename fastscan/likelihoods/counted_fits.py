"""Fits of many data vectors some of whose bins hold counts: from a lattice, by Newton's method."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts, plain_constraint
from fastscan.exceptions import InputError
from fastscan.kernels.counted_fits import (
    counted_along,
    counted_state,
    fit_counted,
    lattice_chi2,
    spread_nodes,
)
from fastscan.likelihoods.chart import Chart
from fastscan.likelihoods.counted import counted_problem
from fastscan.likelihoods.counted_hypotheses import CountedHypotheses
from fastscan.likelihoods.hypotheses import hypotheses
from fastscan.likelihoods.searched_fits import SearchedFits, way_out

__all__ = ["CountedFits"]

FloatArray = NDArray[np.float64]

# Nodes of a coupling, by the number of coordinates; of a mass, one in so many rows of its table.
_NODES = {1: 33, 2: 17}
_LEAST_NODES = 9
_ROWS_OF_A_NODE = 8
_MOST_NODES = 20_000
# Nodes are this much denser, in logarithm, around no coupling than around an infinite one.
_DENSER = 4.0
# Events that a bin is expected to hold at least where chi2 is estimated.
_LEAST_EVENTS = 0.05


class CountedFits(SearchedFits["Lattice"]):
    """Fits of one or two parameters, of more where a lattice holds them; see `VectorFits`.

    Chi2 is the lowest to 1e-6 but where two basins are closer than nodes of the lattice.

    Raises
    ------
    InputError
        Two masses, or more free parameters than a lattice can hold.
    """

    def scores(self, data: FloatArray, point: Sequence[float]) -> FloatArray:
        """Score at values of the parameters of interest; see `VectorFits.scores`."""
        if not self._free and not self._outward:
            chi2 = self._hypothesis(point).chi2(_physical(self._counts, data))[:, 0]
            score: FloatArray = np.einsum("tn,tn->t", data, data) - chi2
            return score
        return self._held_at(point).best(data)[1]

    def mean(self, point: Sequence[float], data: FloatArray) -> FloatArray:
        """Expectation at values of the parameters of interest; see `VectorFits.mean`."""
        if not self._free and not self._outward:
            mean: FloatArray = self._hypothesis(point).mean(_physical(self._counts, data[None])[0])[
                0
            ]
            return mean
        search = self._held_at(point)
        return search.mean(search.best(data[None])[0][0], data)

    def nuisances(self, point: Sequence[float]) -> FloatArray:
        """Directions in which pulls move the expectation; see `VectorFits.nuisances`."""
        if not self._free and not self._outward:
            predicted = hypotheses(self._counts, [list(point)])
        else:
            search = self._held_at(point)
            predicted = search.chart.hypotheses(search.best(self._counts.observed[None])[0])
        basis: FloatArray = predicted.basis[0]
        return basis

    def ends(self, data: FloatArray, rise: float) -> FloatArray:
        """Outermost values of the first parameter; see `VectorFits.ends`."""
        search, chart = self._all, self._all.chart
        own = chart.names.index(self._interest[0])
        z, score = search.best(data)
        lowest = np.einsum("tn,tn->t", data, data) - score
        ends = np.empty((len(data), 2))
        for t, one in enumerate(data):
            level = float(lowest[t] + rise)
            inside = search.chi2(one) <= level
            starts = np.concatenate([z[t][None], search.nodes[inside]])
            for side in range(2):
                i = int((starts[:, own] if side else -starts[:, own]).argmax())
                ends[t, side] = self._end(one, level, own, side, starts[i])
        return self._at_ends(z, ends)

    def _end(self, data: FloatArray, level: float, own: int, side: int, start: FloatArray) -> float:
        """Where chi2, lowest over all other coordinates, leaves a level on the way out."""
        search = self._all
        bound = float(search.chart.bounds[own, side])
        z = start.copy()

        def excess(place: float) -> float:
            return search.along(data, own, place, z) - level

        inside = float(start[own])
        step = (1.0 if side else -1.0) * search.spacing(own, inside)
        return way_out(excess, inside, step, bound, z, 1e-12)

    def _hypothesis(self, point: Sequence[float]) -> CountedHypotheses:
        return CountedHypotheses(self._counts, np.array([list(point)], dtype=float))

    def _over(self, chart: Chart) -> Lattice:
        return Lattice(chart, self._counts)


class Lattice:
    """Nodes that fill the box of a chart, denser around small couplings.

    Attributes
    ----------
    chart : Chart
    nodes : (nodes, coordinates)
    """

    def __init__(self, chart: Chart, counts: Counts) -> None:
        self.chart, self._counts = chart, counts
        self._axes = [self._axis(i) for i in range(len(chart.names))]
        number = math.prod(axis.size for axis in self._axes)
        if number > _MOST_NODES:
            raise InputError(
                f"toys are not fitted in {', '.join(chart.names)} at once",
                where="parameters",
                hint="hold some with --set NAME=VALUE",
            )
        mesh = np.meshgrid(*self._axes, indexing="ij")
        self.nodes = np.stack([m.ravel() for m in mesh], axis=1)
        places = np.arange(number).reshape([axis.size for axis in self._axes])
        beside = []
        for i in range(places.ndim):
            padded = np.pad(places, [(int(i == j),) * 2 for j in range(places.ndim)],
                            constant_values=-1)  # fmt: skip
            for shift in (0, 2):
                beside.append(padded.take(range(shift, shift + places.shape[i]), axis=i).ravel())
        self._neighbours = np.stack(beside, axis=1).astype(np.int64)
        self._problem = counted_problem(counts, plain_constraint(counts.centre))
        pulls, n = counts.centre.size, counts.observed.size
        self._layers = np.empty((number, 1 + pulls, n))
        spread_nodes(self.nodes, *chart.expansion, self._layers)
        self._terms = self._estimate()

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coordinates at the best fit to each data vector, and the score there."""
        z, chi2 = np.empty((len(data), self.nodes.shape[1])), np.empty(len(data))
        fit_counted(
            np.ascontiguousarray(data), self.nodes, self._neighbours, *self._terms,
            *self.chart.expansion, self.chart.bounds, *self._problem, z, chi2,
        )  # fmt: skip
        return z, np.einsum("tn,tn->t", data, data) - chi2

    def chi2(self, vector: FloatArray) -> FloatArray:
        """Chi2 of a data vector at all nodes."""
        return self._states(vector)[0]

    def _states(self, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Chi2 of a data vector at all nodes, and what is expected of it there."""
        chi2, mean = np.empty(len(self.nodes)), np.empty((len(self.nodes), vector.size))
        lattice_chi2(vector, self._layers, *self._problem, chi2, mean)
        return chi2, mean

    def _estimate(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Terms of chi2 that is of second order in the pulls around those of the data seen.

        With y and x what is expected there of bins and pulls, chi2 of a vector (d, a) is a constant
        less l . (d, a), less the square of R (h - T W (d, a)) that the pulls gain.
        """
        counts = self._counts
        mean = self._states(counts.observed)[1]
        bins = counts.seen.size
        events = np.append(counts.poisson, np.zeros(mean.shape[1] - bins, dtype=bool))
        unit = np.append(counts.sigma, np.ones(mean.shape[1] - bins))
        known = np.append(np.ones(bins), counts.penalised.astype(float))
        # A bin that is expected to be empty may hold an event in another vector.
        floor = np.maximum(mean, np.where(events, _LEAST_EVENTS / unit, -np.inf))
        with np.errstate(divide="ignore", invalid="ignore"):
            linear = np.where(events, -2.0 * unit * np.log(floor), -2.0 * known * mean)
            weights = np.where(events, unit / floor, known)
        constant = np.where(events, 2.0 * unit * mean, known * mean**2).sum(axis=1)
        columns = self._layers[:, 1:]
        square = np.einsum("pkn,pn,pjn->pkj", columns, weights, columns)
        size = np.sqrt(np.maximum(np.einsum("pkk->pk", square), 1e-300))
        square = square / size[:, :, None] / size[:, None, :] + 1e-12 * np.eye(size.shape[1])
        root = np.linalg.inv(np.linalg.cholesky(square)) / size[:, None, :]
        slopes = root @ (columns * weights[:, None])
        expected = np.where(events, floor, mean)
        offset = np.einsum("pkn,pn->pk", slopes, expected)
        return constant, linear, offset, slopes

    def along(self, vector: FloatArray, coordinate: int, place: float, z: FloatArray) -> float:
        """Chi2 with one coordinate at a place, the others fitted from where they are in z."""
        chi2: float = counted_along(
            vector, *self.chart.expansion, self.chart.bounds, *self._problem, coordinate, place, z
        )
        return chi2

    def mean(self, z: FloatArray, vector: FloatArray) -> FloatArray:
        """Expectation at coordinates, the pulls fitted to a data vector, (n,)."""
        mean = np.empty(vector.size)
        counted_state(vector, *self.chart.expansion, *self._problem, z, mean)
        return mean

    def spacing(self, coordinate: int, place: float) -> float:
        """A quarter of the way between the nodes around a place."""
        axis = self._axes[coordinate]
        i = int(np.clip(np.searchsorted(axis, place), 1, axis.size - 1))
        return 0.25 * float(axis[i] - axis[i - 1])

    def _axis(self, i: int) -> FloatArray:
        low, high = (float(end) for end in self.chart.bounds[i])
        if i < len(self.chart.names) - self.chart.expansion[1].shape[1]:
            return np.linspace(low, high, max(2, round((high - low) / _ROWS_OF_A_NODE)))
        count = _NODES.get(len(self.chart.names), _LEAST_NODES)
        reach = max(abs(low), abs(high))
        steps = np.linspace(-1.0, 1.0, 2 * count - 1)
        angles = reach * np.sinh(_DENSER * steps) / math.sinh(_DENSER)
        inside = angles[(angles > low) & (angles < high)]
        if inside.size < count // 2:
            return np.linspace(low, high, count)
        return np.concatenate([[low], inside, [high]])


def _physical(counts: Counts, data: FloatArray) -> FloatArray:
    """Data vectors without negative numbers of events."""
    bins = counts.seen.size
    out = data.copy()
    out[:, :bins] = np.where(counts.poisson, np.maximum(data[:, :bins], 0.0), data[:, :bins])
    return out
