"""The basins of a profile, followed along the parameter of interest from both sides."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.likelihoods.basins import Basins, Descents
from fastscan.likelihoods.coordinates import ShapeScale
from fastscan.likelihoods.curve import find_turning_points
from fastscan.likelihoods.form import Chi2Form
from fastscan.models import Parameter

__all__ = ["Track", "is_flat"]

FloatArray = NDArray[np.float64]

# Mediator masses tried first.
_MASSES = 721
# Of a profiled mass, at every point of the profile: eight in a decade bracket its minimum.
_PROFILED_MASSES = 145
# A profile is looked at between -x and x, x this many natural sizes of the coupling, on points
# that grow like sinh: evenly near zero, in equal ratios further out.
_REACH = 1e8
_SAMPLES = 81
# Starts at each point: a basin is met from every one that it spans. At masses, which are many more,
# fewer.
_STARTS, _STARTS_AT_MASSES = 12, 2
# Minima in all dimensions that are kept; around each the profile is looked at more closely, in
# these parts of the way to its neighbours.
_MINIMA = 32
_CLOSER = 0.5 ** np.arange(1, 7)
# A change of chi2 by less than this part of 1 + chi2 is rounding.
_ROUNDING = 1e-11
# A profile that rises nowhere by more than this part is flat.
_FLAT = 1e-7


class Track:
    """Chi2 of one parameter, some couplings and at most one mass profiled.

    The variable t along it is asinh(coupling / its natural size), or the logarithm of a mass.

    Parameters
    ----------
    form : Chi2Form
    poi : Parameter
    free : tuple of int
        Columns of the couplings that are profiled.
    mass : Parameter, optional
        A mass that is profiled, too.
    positive : bool
        Look at positive values of a coupling alone.
    """

    def __init__(
        self,
        form: Chi2Form,
        poi: Parameter,
        free: tuple[int, ...],
        mass: Parameter | None,
        *,
        positive: bool,
    ) -> None:
        self._form, self._poi, self._free, self._mass = form, poi, free, mass
        counts = form.counts
        self._defaults = np.array([counts.parameter(c).standard for c in counts.couplings])
        self._own = counts.couplings.index(poi.name) if poi.kind == "coupling" else -1
        shape = poi if self._own < 0 else mass
        # Of the mass, whether it is the parameter of interest or profiled.
        self._shape = ShapeScale(shape) if shape is not None else None
        self._ladder = np.zeros(1)
        if mass is not None and self._shape is not None:
            self._ladder = self._shape.steps(_PROFILED_MASSES)
        self._positive = positive
        if self._own < 0:
            assert self._shape is not None
            self.first, self.last = self._shape.first, self._shape.last
            return
        unit = form.descents(counts.typical_shape)
        self._scale = float(unit.sizes[0, self._own])
        low, high = unit.lower[0, self._own], unit.upper[0, self._own]
        self.first = 0.0 if positive else math.asinh(max(low, -_REACH))
        self.last = math.asinh(min(high, _REACH))
        self._descents = unit
        if mass is not None:
            self._descents = form.descents({mass.name: self._masses(self._ladder)})

    def to_value(self, t: float) -> float:
        """The parameter at t; its bounds at the ends."""
        if self._own < 0:
            return self._mass_at(t)
        if t >= self.last:
            return self._poi.maximum
        if t <= self.first:
            return 0.0 if self.first == 0.0 else self._poi.minimum
        return self._scale * math.sinh(t)

    def to_track(self, value: float) -> float:
        """The variable t of a value."""
        if self._own >= 0:
            return math.asinh(value / self._scale)
        assert self._shape is not None
        return self._shape.variable(value)

    def _mass_at(self, t: float) -> float:
        return 1.0 if self._shape is None else self._shape.value(t)

    def _masses(self, t: FloatArray) -> FloatArray:
        assert self._shape is not None
        return self._shape.values(t)

    def at(self, t: float) -> tuple[float, FloatArray, float]:
        """Chi2, the couplings and the profiled mass of the lowest basin at t.

        From the basins of the two samples beside it.
        """
        descents, rows, held = self._nodes(np.array([t]))
        basins = descents.follow(self._free, rows, held, self._beside(t, *self._samples))
        masses = len(self._ladder)
        node = int(basins.lowest.argmin())
        point, chi2 = basins.best(node)
        point = point * descents.sizes[rows[node]]
        log_mass = float(self._ladder[node])
        if not 0 < node < masses - 1:
            return chi2, point, self._mass_at(log_mass)

        def at_mass(u: float) -> tuple[float, FloatArray]:
            shape = {self._mass.name: np.array([self._mass_at(u)])} if self._mass else {}
            descents = self._form.descents(shape)
            held = self._held(descents, np.array([t]), np.zeros(1, np.int64))
            near = basins.points[node - 1 : node + 2].reshape(1, -1, self._defaults.size)
            near = near[:, ~np.isnan(near[0, :, 0])]
            found = descents.follow(self._free, np.zeros(1, np.int64), held, near)
            point, chi2 = found.best(0)
            return chi2, point * descents.sizes[0]

        around = [float(u) for u in self._ladder[node - 1 : node + 2]]
        turning = find_turning_points(lambda u: at_mass(u)[0], around)
        log_mass = min(turning, key=lambda u: at_mass(u)[0])
        chi2, point = at_mass(log_mass)
        return chi2, point, self._mass_at(log_mass)

    def _beside(self, t: float, points: list[float], found: Basins) -> FloatArray:
        """Basins of the samples on both sides of t, shape (masses, basins, couplings)."""
        right = min(bisect_left(points, t), len(points) - 1)
        left = right if points[right] == t else max(right - 1, 0)
        by_point = found.points.reshape(len(points), self._ladder.size, -1, self._defaults.size)
        return np.concatenate([by_point[i] for i in dict.fromkeys((left, right))], axis=1)

    @cached_property
    def samples(self) -> tuple[list[float], list[float]]:
        """Points t in rising order, close enough to bracket all extrema, and chi2 there.

        What changes by no more than rounding between neighbours does not change.
        """
        points, found = self._samples
        if self._mass is not None:
            values = [self.at(t)[0] for t in points]
        else:
            values = found.lowest.tolist()
        for i in range(1, len(values)):
            if abs(values[i] - values[i - 1]) <= _ROUNDING * (1.0 + abs(values[i])):
                values[i] = values[i - 1]
        return points, values

    @cached_property
    def _samples(self) -> tuple[list[float], Basins]:
        if self._own < 0:
            assert self._shape is not None
            points = self._shape.steps(_MASSES)
        else:
            points = np.linspace(self.first, self.last, _SAMPLES)
            zero = int(np.searchsorted(points, 0.0))
            if self.first < 0.0 < self.last and points[zero] != 0.0:
                points = np.insert(points, zero, 0.0)
        each = _STARTS if self._own >= 0 and self._mass is None else _STARTS_AT_MASSES
        descents, rows, held = self._nodes(points)
        starts = descents.starts(self._free, rows, held, each)
        found = descents.follow(self._free, rows, held, starts)
        if self._own < 0 or self._mass is not None or is_flat(found.lowest):
            return points.tolist(), found
        return self._closer(points, found)

    def _closer(self, points: FloatArray, found: Basins) -> tuple[list[float], Basins]:
        """Samples with the minima of the profile, and more points beside them."""
        zero = np.zeros(1, np.int64)
        _, _, held = self._nodes(points)
        every = found.points[~np.isnan(found.points[:, :, 0])]
        minima = self._descents.follow(
            (self._own, *self._free), zero, held[:1], every[None], room=_MINIMA, kept=self._own
        )
        kept: dict[float, FloatArray] = {}
        for minimum, chi2 in zip(minima.points[0], minima.chi2[0], strict=True):
            # Of a parameter that enters squared the positive side is enough.
            t = float(np.arcsinh(abs(minimum[self._own]) if self._positive else minimum[self._own]))
            if not self.first < t < self.last:
                continue
            _, _, held = self._nodes(np.array([t]))
            beside = self._beside(t, points.tolist(), found)
            lowest = self._descents.follow(self._free, zero, held, beside).lowest[0]
            right = int(np.searchsorted(points, t))
            around = found.lowest[right - 1 : right + 1]
            rounding = _ROUNDING * (1.0 + chi2)
            # Neither on another basin's slope, nor one point of a flat valley.
            if chi2 <= lowest + rounding and (around > chi2 + rounding).any():
                kept[t] = minimum
        marks = np.unique([*points, *kept])
        closer = [marks]
        for t in kept:
            i = int(np.searchsorted(marks, t))
            closer += [t + (marks[i + side] - t) * _CLOSER for side in (-1, 1)]
        marks = np.unique(np.concatenate(closer))
        every_basin = found.inserted(np.searchsorted(points, np.setdiff1d(marks, points)))
        starts = np.full((marks.size, 1, self._defaults.size), np.nan)
        for t, minimum in kept.items():
            starts[np.searchsorted(marks, t), 0] = minimum
        descents, rows, held = self._nodes(marks)
        return marks.tolist(), descents.follow(self._free, rows, held, starts, every_basin)

    def _nodes(self, points: FloatArray) -> tuple[Descents, NDArray[np.int64], FloatArray]:
        """Descents at points t, the rows of their nodes, and the couplings there."""
        if self._own < 0:
            rows = np.arange(points.size)
            descents = self._form.descents({self._poi.name: self._masses(points)})
            return descents, rows, self._held(descents, points, rows)
        rows = np.tile(np.arange(self._ladder.size), points.size)
        return self._descents, rows, self._held(self._descents, points, rows)

    def _held(self, descents: Descents, points: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        held = self._defaults / descents.sizes[rows]
        if self._own >= 0:
            value = np.repeat(self._scale * np.sinh(points), len(rows) // points.size)
            held[:, self._own] = value / descents.sizes[rows, self._own]
        clipped: FloatArray = np.clip(held, descents.lower[rows], descents.upper[rows])
        return clipped


def is_flat(chi2: ArrayLike) -> bool:
    """Whether chi2 is the same at all points, but for rounding."""
    values = np.asarray(chi2)
    return bool(values.max() - values.min() <= _FLAT * (1.0 + abs(values.min())))
