"""Fits of many data vectors with one normalisation: projections on directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError
from fastscan.kernels.directions import line_ends
from fastscan.likelihoods.coordinates import Coordinate, without_partners
from fastscan.likelihoods.directions import Directions, too_many
from fastscan.likelihoods.families import Family, outer_ends, position_of
from fastscan.likelihoods.form import VectorFits
from fastscan.likelihoods.hypotheses import hypotheses, scores_at_points

__all__ = ["ClosedFits"]

FloatArray = NDArray[np.float64]

# Points of the parameters of interest whose hypotheses are kept.
_REMEMBERED = 256


class ClosedFits(VectorFits):
    """Fits of one or two parameters; see `VectorFits`.

    One coupling: exact. A mass, or one more coupling: basins from a lattice, then searched, to 1e-6
    in chi2 but where two basins are equally deep to 1e-2: there the other one may be found, in less
    than one vector of a hundred.

    Raises
    ------
    InputError
        More than two free parameters, two masses, or two couplings that can cancel each other.
    """

    def __init__(
        self, counts: Counts, interest: int, ranges: Mapping[str, tuple[float, float]]
    ) -> None:
        self._counts = counts
        self._interest, self._profiled = counts.names[:interest], counts.names[interest:]
        self._directions = Directions(counts, ranges)
        first = self._interest[0]
        self.mirrored = Coordinate.of(counts, first).mirrored
        self._outward, self._free = False, self._profiled
        if interest == 1:
            self._outward, self._free = without_partners(counts, first, self._profiled)
        self._family = self._of_all()
        self._held: dict[float, Family] = {}

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters of interest at the best fit, and the score; see `VectorFits.best`."""
        family = self._family
        outer, inner, score = family.best(data)
        own = None if family.outer is None else family.outer.parameter.name
        values = [outer if name == own else inner for name in self._interest]
        return np.stack(values, axis=1), score

    def scores(self, data: FloatArray, point: Sequence[float]) -> FloatArray:
        """Score at values of the parameters of interest; see `VectorFits.scores`."""
        if len(point) > 1:
            return scores_at_points(data, hypotheses(self._counts, [list(point)]))[:, 0]
        own = self._family.outer
        first, value = self._interest[0], float(point[0])
        if own is not None and own.parameter.name == first and not self._outward:
            at = position_of(self._family, np.full(1, value))[0]
            return self._family.score_at(data, np.full(len(data), at))
        return self._held_at(value).best(data)[2]

    def scores_of(self, data: FloatArray, points: FloatArray) -> FloatArray:
        """Scores at several points; see `VectorFits.scores_of`."""
        if points.shape[1] == 1:
            return super().scores_of(data, points)
        return scores_at_points(data, hypotheses(self._counts, points))

    def means(self, points: FloatArray, data: FloatArray) -> FloatArray:
        """Expectations at several points; see `VectorFits.means`."""
        if points.shape[1] == 1:
            return super().means(points, data)
        return hypotheses(self._counts, points).mean(data)

    def mean(self, point: Sequence[float], data: FloatArray) -> FloatArray:
        """Expectation at values of the parameters of interest; see `VectorFits.mean`."""
        if len(point) > 1:
            mean: FloatArray = hypotheses(self._counts, [list(point)]).mean(data)[0]
            return mean
        direction = self._held_at(float(point[0])).direction(data)
        return float(direction @ data) * direction

    def nuisances(self, point: Sequence[float]) -> FloatArray:
        """The direction of the expectation; see `VectorFits.nuisances`."""
        mean = self.mean(point, self._counts.observed)
        return (mean / float(np.linalg.norm(mean)))[None]

    def ends(self, data: FloatArray, rise: float) -> FloatArray:
        """Outermost values of the first parameter; see `VectorFits.ends`."""
        family = self._family
        score = family.best(data)[2]
        ends = np.empty((len(data), 2))
        if len(family.table) == 1:
            low, high = family.bounds[0]
            line_ends(data, family.table[0], family.squares[0], low, high, score - rise, ends)
            assert family.inner is not None
            return family.inner.value(np.clip(ends * family.scale[0], *family.inner.bounds))
        assert family.outer is not None
        own, values = family.outer, family.outer_value(outer_ends(family, data, score - rise))
        u = values**own.power
        u = np.where(values < 0.0, np.copysign(u, values), u) if own.power % 2 else u
        return own.value(u)

    def _of_all(self) -> Family:
        """Hypotheses of all values of the free parameters."""
        shapes = self._counts.shape_parameters
        if len(self._interest) > 1:
            if self._free:
                raise too_many(self._counts.names)
            outer, inner = sorted(self._interest, key=lambda name: name not in shapes)
            if inner in shapes:
                raise InputError(
                    f"toys can not be fitted in the plane of {outer}, {inner}",
                    where="--axis",
                    hint="scan a mass and a coupling, or two couplings",
                )
            return self._directions.family(outer, (inner,), {})
        poi = self._interest[0]
        masses = [name for name in self._free if name in shapes]
        if poi in shapes or not masses:
            return self._directions.family(poi, self._free, {})
        if len(self._free) > 1:
            raise too_many(self._free)
        return self._directions.family(masses[0], (poi,), {})

    def _held_at(self, value: float) -> Family:
        # Threads may ask at once: what one forgets the other still has.
        family = self._held.get(value)
        if family is None:
            family = self._hold(value)
            if len(self._held) >= _REMEMBERED:
                self._held.clear()
            self._held[value] = family
        return family

    def _hold(self, value: float) -> Family:
        """Hypotheses with the parameter of interest at a value, or beyond it with partners."""
        name = self._interest[0]
        if self._outward:
            bounds = {name: (value * value, np.inf)}
            if not self._free:
                return self._directions.family(None, (name,), {}, bounds)
            return self._directions.family(name, self._free, {}, bounds)
        if not self._free:
            return self._directions.family(None, (), {name: value})
        first, *others = self._free
        if first in self._counts.shape_parameters:
            return self._directions.family(first, others, {name: value})
        return self._directions.family(None, (first, *others), {name: value})
