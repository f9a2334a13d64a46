"""Directions of predictions in the space of data, on lattices that find every basin of a fit.

With the normalisation as the only nuisance a prediction is a unit vector q, and a fit looks for the
largest (q . D)**2; see `fastscan.likelihoods.hypotheses`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError
from fastscan.kernels import toys as kernels
from fastscan.likelihoods.hypotheses import Hypotheses, hypotheses
from fastscan.likelihoods.surface import bounds_of_power
from fastscan.models import Parameter

__all__ = [
    "Coordinate",
    "Family",
    "PointLine",
    "Vectors",
    "contiguous",
    "outer_ends",
    "position_of",
    "squared",
    "too_many",
]

FloatArray = NDArray[np.float64]

# Spacing of the lattice that finds basins, in standard deviations of the data vector, and how much
# lower in chi2 a basin's lattice point may be than the best one's before it is left alone.
_STEP = 0.4
_MARGIN = 0.15
# Squared counts below this part of their terms: two couplings that cancel, in a valley in which
# interpolation between rows has no digits left.
_VALLEY = 1e-5
# Rows of a table between which coefficients are interpolated: of a mass in each decade, of a
# coupling in all, and samples of the inner coupling from which lattice points are chosen.
_ROWS_PER_DECADE = 48
_ROWS = 385
_SAMPLES = 301
_REACH = 1e6
# With several nuisances: distance of neighbouring points in standard deviations, and their number.
_POINT_STEP = 0.2
_COARSE_POINTS, _MOST_POINTS = 101, 4001
_TOGETHER = 1024
# Every propagator is massless below and a contact interaction above, to 1e-6 (in MeV).
_MASS_RANGE_MEV = (1e-6, 1e8)


@dataclass(frozen=True)
class Coordinate:
    """A parameter as families use it: u = coupling**power, or a mass."""

    parameter: Parameter
    power: int = 1

    @property
    def bounds(self) -> tuple[float, float]:
        """Of u, or of the mass."""
        if self.parameter.kind == "shape":
            low, high = self.parameter.minimum, self.parameter.maximum
            return max(low, _MASS_RANGE_MEV[0]), min(high, _MASS_RANGE_MEV[1])
        return bounds_of_power(self.parameter, self.power)

    def value(self, u: FloatArray) -> FloatArray:
        """The parameter, positive where its sign does not matter."""
        if self.parameter.kind == "shape":
            return u
        value: FloatArray = np.copysign(np.abs(u) ** (1.0 / self.power), u)
        return value


@dataclass
class Family:
    """Hypotheses of one normalisation: one coupling, or a coupling or mass around another one.

    Attributes
    ----------
    outer, inner : Coordinate or None
    table : (rows, p + 1, n)
        Vectors of each power of the scaled inner coupling, at positions of the outer parameter.
    positions : (rows,)
        Evenly spaced: the logarithm of a mass, the arc tangent of a scaled coupling.
    scale, outer_scale : (rows,), float
        Inner coupling, and outer one, for which the scaled one is 1.
    bounds : (rows, 2)
        Of the scaled inner coupling.
    """

    outer: Coordinate | None
    inner: Coordinate | None
    table: FloatArray
    positions: FloatArray
    scale: FloatArray
    outer_scale: float
    bounds: FloatArray
    radius: float
    squares: FloatArray = field(init=False)
    lattice: FloatArray = field(init=False)
    row_of: NDArray[np.int64] = field(init=False)
    rows: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        degree = self.table.shape[1] - 1
        self.squares = np.zeros((len(self.table), 2 * degree + 1))
        for j in range(degree + 1):
            for k in range(degree + 1):
                self.squares[:, j + k] += (self.table[:, j] * self.table[:, k]).sum(axis=1)
        if len(self.table) > 1:
            self._lay_lattice()

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Outer and inner parameter at the best fit, and |D|**2 - chi2 there, (toys,) each."""
        toys = len(data)
        x, score, position = np.empty(toys), np.empty(toys), np.zeros(toys)
        if len(self.table) == 1:
            low, high = self.bounds[0]
            kernels.fit_lines(data, self.table[0], self.squares[0], low, high, x, score)
        else:
            kernels.fit_fans(
                data, self.table, self.squares, self.bounds, self.lattice, self.row_of,
                self.rows, _MARGIN, position, x, score,
            )  # fmt: skip
        return self.outer_value(position), self._inner_value(x, position), score

    def direction(self, data: FloatArray) -> FloatArray:
        """Unit vector of the best fit to one data vector, (n,)."""
        x, score, position = np.empty(1), np.empty(1), np.zeros(1)
        one = data[None]
        low, high = self.bounds[0]
        row = self.table[0]
        if len(self.table) == 1:
            kernels.fit_lines(one, row, self.squares[0], low, high, x, score)
        else:
            kernels.fit_fans(
                one, self.table, self.squares, self.bounds, self.lattice, self.row_of,
                self.rows, _MARGIN, position, x, score,
            )  # fmt: skip
            row = kernels.row_between(position[0], self.table)
        degree = row.shape[0] - 1
        powers = (
            x[0] ** np.arange(degree + 1)
            if abs(x[0]) <= 1.0
            else (1.0 / x[0]) ** np.arange(degree, -1, -1)
        )
        direction: FloatArray = powers @ row
        return direction / np.linalg.norm(direction)

    def score_at(self, data: FloatArray, positions: FloatArray) -> FloatArray:
        """|D|**2 - chi2, the inner coupling fitted, each at a position of its own, (toys,)."""
        score = np.empty(len(data))
        kernels.scores_at(data, positions, self.table, self.squares, self.bounds, score)
        return score

    def outer_value(self, position: FloatArray) -> FloatArray:
        """Outer parameter at positions in rows of the table."""
        if self.outer is None:
            return np.full(position.shape, np.nan)
        first, last = self.positions[0], self.positions[-1]
        at = first + position * (last - first) / (len(self.positions) - 1)
        if self.outer.parameter.kind == "shape":
            mass = np.exp(at)
            # The ends of the table stand for the massless and the decoupled limit.
            mass = np.where(mass <= _MASS_RANGE_MEV[0] * (1.0 + 1e-9), 0.0, mass)
            return np.where(mass >= _MASS_RANGE_MEV[1] * (1.0 - 1e-9), np.inf, mass)
        with np.errstate(over="ignore"):
            u = self.outer_scale * np.tan(at)
        u = np.where(np.abs(at) >= 0.5 * np.pi, np.copysign(np.inf, at), u)
        low, high = self.outer.bounds
        return self.outer.value(np.clip(u, low, high))

    def _inner_value(self, x: FloatArray, position: FloatArray) -> FloatArray:
        if self.inner is None:
            return np.full(x.shape, np.nan)
        scale = np.exp(np.interp(position, np.arange(len(self.scale)), np.log(self.scale)))
        low, high = self.inner.bounds
        return self.inner.value(np.clip(x * scale, low, high))

    def _lay_lattice(self) -> None:
        """Lattice points evenly spaced on the sphere, in rows of the table that are so, too."""
        low, high = self.bounds[:, 0].min(), self.bounds[:, 1].max()
        reach = np.sinh(np.linspace(0.0, math.asinh(_REACH), _SAMPLES))
        grid = np.unique(np.concatenate([-reach, reach, [low, high]]))
        grid = grid[(grid >= low) & (grid <= high)]
        before = self._directions(0, grid)
        depth = [0.0]
        for r in range(1, len(self.table)):
            after = self._directions(r, grid)
            # How far the row has moved across itself: along itself it stays the same curve.
            move, tangent = after - before, np.gradient(before, axis=0) if len(grid) > 1 else None
            if tangent is not None:
                norm = np.maximum((tangent * tangent).sum(axis=1), 1e-300)
                move -= ((move * tangent).sum(axis=1) / norm)[:, None] * tangent
            across = float(np.sqrt((move * move).sum(axis=1).max()))
            depth.append(depth[-1] + self.radius * across)
            before = after
        rows = np.searchsorted(depth, np.arange(0.0, depth[-1], _STEP))
        self.rows = np.unique(np.concatenate([rows, [0, len(depth) - 1]])).astype(np.int64)
        points, row_of = [], []
        for i, r in enumerate(self.rows):
            q = self._directions(int(r), grid)
            length = np.concatenate(
                [[0.0], np.cumsum(np.sqrt((np.diff(q, axis=0) ** 2).sum(axis=1)))]
            )
            count = 1 + math.ceil(self.radius * length[-1] / _STEP)
            even = np.interp(np.linspace(0.0, length[-1], count), length, np.arange(len(grid)))
            # Between samples in their own measure, in which they are dense.
            between = np.interp(even, np.arange(len(grid)), np.arcsinh(grid))
            own = np.where(
                even == np.round(even), grid[np.round(even).astype(int)], np.sinh(between)
            )
            points.append(self._directions(int(r), own))
            row_of.append(np.full(count, i))
        lattice = np.concatenate(points)
        self.lattice = np.pad(lattice, ((0, 0), (0, -lattice.shape[1] % 4)))
        self.row_of = np.concatenate(row_of).astype(np.int64)

    def _directions(self, row: int, grid: FloatArray) -> FloatArray:
        """Unit vectors at samples of the scaled inner coupling that its bounds allow."""
        x = np.clip(grid, *self.bounds[row])
        degree = self.table.shape[1] - 1
        small = np.abs(x) <= 1.0
        with np.errstate(divide="ignore"):
            shrunk = np.where(small, x, 1.0 / x)
        powers = np.where(
            small[:, None],
            shrunk[:, None] ** np.arange(degree + 1),
            shrunk[:, None] ** np.arange(degree, -1, -1),
        )
        q = powers @ self.table[row]
        norm = np.linalg.norm(q, axis=1, keepdims=True)
        if self.outer is not None and self.outer.parameter.kind == "coupling":
            size = np.linalg.norm(np.abs(powers) @ np.abs(self.table[row]), axis=1)
            if (norm[:, 0] < math.sqrt(_VALLEY) * size).any():
                raise InputError(
                    "couplings that cancel each other are not fitted to toys",
                    where="--profile",
                    hint="hold one of them with --set NAME=VALUE",
                )
        directions: FloatArray = q / np.where(norm > 0.0, norm, 1.0)
        return directions


class PointLine:
    """Hypotheses of one parameter with any nuisances, at points close enough to go between them.

    Points are even in a smooth variable, asinh(u / scale) or the logarithm of a mass, and a
    polynomial through six of them is right to 1e-5 in chi2 or better.
    """

    def __init__(self, counts: Counts, coordinate: Coordinate, bounds: tuple[float, float]) -> None:
        self.counts = counts
        self.coordinate = coordinate
        self.bounds = bounds
        low, high = bounds
        if coordinate.parameter.kind == "shape":
            self.scale = 1.0
            ends = np.log([low, high])
        else:
            self.scale = _size_of(counts, coordinate)
            ends = np.arcsinh(np.clip([low / self.scale, high / self.scale], -_REACH, _REACH))
        self.start, self.stop = float(ends[0]), float(ends[1])
        count = _COARSE_POINTS
        while True:
            points = self.values(np.linspace(0.0, count - 1.0, count), count)
            predicted = hypotheses(counts, points[:, None])
            step = _largest_step(predicted, counts.observed)
            if step <= _POINT_STEP or count >= _MOST_POINTS:
                break
            count = min(_MOST_POINTS, math.ceil(1.1 * count * step / _POINT_STEP))
        self.count = count
        self._terms = _score_terms(predicted)

    def values(self, position: FloatArray, count: int | None = None) -> FloatArray:
        """The parameter at positions in points."""
        steps = (self.count if count is None else count) - 1
        at = self.start + position / steps * (self.stop - self.start)
        if self.coordinate.parameter.kind == "shape":
            return np.exp(at)
        return self.coordinate.value(np.clip(self.scale * np.sinh(at), *self.bounds))

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The parameter at the best fit, infinite beyond the last point, and |D|**2 - chi2."""
        position, height, _ = self._peaks(data, None)
        return self._unbounded(position), height

    def ends(self, data: FloatArray, rise: float) -> FloatArray:
        """Outermost ends of the region chi2 <= minimum + rise, (toys, 2)."""
        return self._unbounded(self._peaks(data, rise)[2])

    def _peaks(
        self, data: FloatArray, rise: float | None
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Positions, scores and, for a rise, ends; a few toys at a time, for the memory's sake."""
        position, height, ends = np.empty(len(data)), np.empty(len(data)), np.empty((len(data), 2))
        for start in range(0, len(data), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            heights = _scores(data[part], *self._terms)
            kernels.peaks(heights, _MARGIN, position[part], height[part])
            if rise is not None:
                kernels.peak_ends(heights, height[part] - rise, position[part], ends[part])
        return position, height, ends

    def score_at(self, data: FloatArray, value: float) -> FloatArray:
        """|D|**2 - chi2 at a value of the parameter, exactly."""
        return _scores(data, *_score_terms(hypotheses(self.counts, [[value]])))[:, 0]

    def _unbounded(self, position: FloatArray) -> FloatArray:
        """Values at positions; the last point of a range that goes on stands for infinity."""
        value = self.values(position)
        if self.coordinate.parameter.kind == "shape":
            parameter = self.coordinate.parameter
            low, high = parameter.minimum, parameter.maximum
            value = np.where(
                (position <= 1e-9) & (self.bounds[0] <= _MASS_RANGE_MEV[0]), low, value
            )
            if self.bounds[1] < _MASS_RANGE_MEV[1]:
                return value
            return np.where(position >= self.count - 1 - 1e-9, high, value)
        low, high = self.coordinate.value(np.array(self.bounds))
        near, far = position <= 1e-9, position >= self.count - 1 - 1e-9
        value = np.where(near, low, value)
        return np.where(far, high, value)


class Vectors:
    """Directions of one normalisation nuisance as polynomials, and families of them."""

    def __init__(self, counts: Counts, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._counts = counts
        self._ranges = ranges
        self._exponents = counts.exponents
        seen = counts.observed
        self.radius = float(np.sqrt(seen @ seen + seen.size))
        self.one_normalisation = counts.normalisation is not None

    def even(self, name: str) -> bool:
        """Whether a coupling enters by even powers alone."""
        return self.coordinate(name).power % 2 == 0

    def is_shape(self, name: str) -> bool:
        """Whether a parameter is a mass."""
        return self._parameter(name).kind == "shape"

    def reduce(self, poi: str, profiled: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
        """Whether a partner moves the parameter of interest outwards, and what is left to fit."""
        kept: list[str] = []
        outward = False
        for name in profiled:
            if not self.is_shape(name) and not self.is_shape(poi) and self._counts.alike(poi, name):
                outward = True
            elif self.is_shape(name) or not any(
                self._counts.alike(other, name) for other in kept if not self.is_shape(other)
            ):
                kept.append(name)
        return outward, tuple(kept)

    def family(
        self,
        outer: str | None,
        inner: Sequence[str],
        held: Mapping[str, float],
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Family:
        """Family around an outer parameter, or none, with at most one inner coupling.

        Parameters
        ----------
        outer, inner : names
        held : mapping
            Values of free parameters; those in no role are zero, as partners are.
        bounds : mapping, optional
            Of u, narrower than the range.
        """
        if len(inner) > 1:
            raise too_many([*filter(None, [outer]), *inner])
        if outer is not None and not inner and not self.is_shape(outer):
            # One coupling alone is exact.
            return self.family(None, (outer,), held, bounds)
        narrowed = dict(bounds or {})
        inner_at = self.coordinate(inner[0]) if inner else None
        outer_at = self.coordinate(outer) if outer is not None else None
        positions = np.zeros(1)
        outer_scale = 1.0
        if outer_at is not None:
            low, high = self.bounds(outer_at, narrowed)
            if outer_at.parameter.kind == "shape":
                ends = np.log([max(low, _MASS_RANGE_MEV[0]), high])
                decades = (ends[1] - ends[0]) / math.log(10.0)
                rows = max(16, round(decades * _ROWS_PER_DECADE))
            else:
                outer_scale = self._scale(outer_at, held)
                ends = np.arctan(np.array([low, high]) / outer_scale)
                rows = _ROWS
            positions = np.linspace(ends[0], ends[1], rows)
        table = self._table(outer_at, inner_at, held, positions, outer_scale)
        degree = table.shape[1] - 1
        scale = np.ones(len(table))
        limits = np.tile([0.0, 0.0], (len(table), 1))
        if inner_at is not None:
            if outer_at is None or outer_at.parameter.kind == "shape":
                sizes = np.linalg.norm(table[:, [0, degree]], axis=2)
                with np.errstate(divide="ignore", invalid="ignore"):
                    scale = (sizes[:, 0] / sizes[:, 1]) ** (1.0 / max(degree, 1))
                scale = np.where(np.isfinite(scale) & (scale > 0.0), scale, 1.0)
            else:
                scale[:] = self._scale(inner_at, held)
            table = table * scale[:, None, None] ** np.arange(degree + 1)[:, None]
            limits = np.array(self.bounds(inner_at, narrowed)) / scale[:, None]
        return Family(
            outer_at,
            inner_at,
            np.ascontiguousarray(table),
            positions,
            scale,
            outer_scale,
            np.ascontiguousarray(limits),
            self.radius,
        )

    def _table(
        self,
        outer: Coordinate | None,
        inner: Coordinate | None,
        held: Mapping[str, float],
        positions: FloatArray,
        outer_scale: float,
    ) -> FloatArray:
        """Vectors of the powers of the inner coupling, (rows, p + 1, n)."""
        shapes = {
            name: np.array([held[name]]) for name in self._counts.shape_parameters if name in held
        }
        if outer is not None and outer.parameter.kind == "shape":
            shapes[outer.parameter.name] = np.exp(positions)
        columns = self._coefficients(shapes)
        powers = np.zeros(len(self._exponents), dtype=np.int64)
        weights = np.ones((len(positions), len(self._exponents)))
        top = 0
        for c, name in enumerate(self._counts.couplings):
            own = self._exponents[:, c]
            if inner is not None and name == inner.parameter.name:
                powers = own // inner.power
            elif outer is not None and name == outer.parameter.name:
                own = own // outer.power
                top = int(own.max())
                # Homogeneous in (cos, sin): an infinite coupling is a point like any other.
                cosine, sine = np.cos(positions), np.sin(positions)
                cosine[np.abs(positions) >= 0.5 * np.pi] = 0.0
                weights *= cosine[:, None] ** (top - own) * (outer_scale * sine[:, None]) ** own
            else:
                weights *= held.get(name, 0.0) ** own
        bins = columns.shape[2]
        table = np.zeros((len(positions), int(powers.max(initial=0)) + 1, bins + 1))
        for m, power in enumerate(powers):
            table[:, power, :bins] += weights[:, m, None] * columns[:, m]
        pull = np.ones(len(positions))
        if outer is not None and outer.parameter.kind == "coupling":
            pull = np.where(np.abs(positions) >= 0.5 * np.pi, 0.0, np.cos(positions)) ** top
        table[:, 0, bins] = pull
        return table

    def _coefficients(self, shapes: Mapping[str, FloatArray]) -> FloatArray:
        """Change of the counts over sigma by one unit of the normalisation, (rows, m, bins)."""
        columns: FloatArray = self._counts.coefficients(dict(shapes) or None)[:, 1]
        return columns

    def bounds(
        self, at: Coordinate, narrowed: Mapping[str, tuple[float, float]] | None = None
    ) -> tuple[float, float]:
        """Range of u or of a mass, narrowed where it was asked for."""
        narrowed = narrowed or {}
        name = at.parameter.name
        low, high = at.bounds
        if name in self._ranges:
            start, stop = self._ranges[name]
            if at.parameter.kind == "coupling" and at.power % 2 == 0:
                inside = start <= 0.0 <= stop
                squares = sorted((abs(start) ** at.power, abs(stop) ** at.power))
                start, stop = (0.0 if inside else squares[0]), squares[1]
            elif at.parameter.kind == "coupling":
                start, stop = start**at.power, stop**at.power
            low, high = max(low, start), min(high, stop)
        if name in narrowed:
            low, high = max(low, narrowed[name][0]), min(high, narrowed[name][1])
        return low, high

    def coordinate(self, name: str) -> Coordinate:
        """Variable in which counts are polynomials, or the logarithm of a mass."""
        parameter = self._parameter(name)
        if parameter.kind == "shape":
            return Coordinate(parameter)
        return Coordinate(parameter, self._counts.power(name))

    def _parameter(self, name: str) -> Parameter:
        return self._counts.parameter(name)

    def _scale(self, at: Coordinate, held: Mapping[str, float]) -> float:
        """Size of u at which the coupling alone changes the direction by order one."""
        shapes = {n: np.array([held.get(n, 1.0)]) for n in self._counts.shape_parameters}
        columns = self._coefficients(shapes)[0]
        own = self._exponents[:, self._counts.couplings.index(at.parameter.name)]
        constant = np.linalg.norm(columns[self._exponents.sum(axis=1) == 0].sum(axis=0))
        size = math.hypot(float(constant), 1.0)
        sizes = [
            (size / float(np.linalg.norm(columns[m]))) ** (at.power / int(own[m]))
            for m in range(len(columns))
            if own[m] > 0 and own[m] == self._exponents[m].sum() and columns[m].any()
        ]
        return min(sizes, default=1.0)


def outer_ends(family: Family, data: FloatArray, level: FloatArray) -> FloatArray:
    """Outermost positions of the outer parameter at which the score is at least a level."""
    last = len(family.table) - 1
    steps = family.rows.astype(float)
    heights = np.stack([family.score_at(data, np.full(len(data), r)) for r in steps], axis=1)
    best = family.best(data)
    peak = position_of(family, best[0])
    ends = np.empty((len(data), 2))
    for side, order in enumerate((range(len(steps)), range(len(steps) - 1, -1, -1))):
        inside, outside = peak.copy(), np.full(len(data), np.nan)
        found = np.zeros(len(data), dtype=bool)
        before = None
        for r in order:
            here = ~found & (heights[:, r] >= level)
            # The peak may lie between two rows that are both below the level.
            beyond = steps[r] > peak if side == 0 else steps[r] < peak
            stop = here | (~found & beyond)
            inside[here] = steps[r]
            outside[stop] = np.nan if before is None else before
            found |= stop
            before = steps[r]
        whole = np.isnan(outside) & found
        outside = np.where(np.isnan(outside), steps[-1] if side else steps[0], outside)
        for _ in range(48):
            middle = 0.5 * (inside + outside)
            above = family.score_at(data, middle) >= level
            inside, outside = np.where(above, middle, inside), np.where(above, outside, middle)
        ends[:, side] = np.where(whole & (inside == outside), float(last) * side, inside)
    return ends


def position_of(family: Family, value: FloatArray) -> FloatArray:
    """Position, in rows of the table, of values of the outer parameter."""
    assert family.outer is not None
    if family.outer.parameter.kind == "shape":
        at = np.log(np.clip(value, *_MASS_RANGE_MEV))
    else:
        power = family.outer.power
        u = np.copysign(np.abs(value) ** power, value) if power % 2 else np.abs(value) ** power
        at = np.arctan(u / family.outer_scale)
    first, last = family.positions[0], family.positions[-1]
    position: FloatArray = (at - first) / (last - first) * (len(family.positions) - 1)
    return np.clip(position, 0.0, len(family.positions) - 1.0)


def _score_terms(predicted: Hypotheses) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Arguments of `fit_points`: Q, the part of f that no nuisance covers, its square."""
    basis, offset = predicted.basis, predicted.offset
    covered = np.einsum("pkn,pn->pk", basis, offset)
    linear = offset - np.einsum("pk,pkn->pn", covered, basis)
    return np.ascontiguousarray(basis), linear, np.einsum("pn,pn->p", linear, linear)


def _scores(
    data: FloatArray, basis: FloatArray, linear: FloatArray, constant: FloatArray
) -> FloatArray:
    score = np.empty((len(data), len(basis)))
    kernels.fit_points(data, basis, linear, constant, score)
    return score


def _largest_step(predicted: Hypotheses, observed: FloatArray) -> float:
    """Largest distance of neighbours: data of one, nuisances fitted to those seen, at the other."""
    means = predicted.mean(observed)
    basis, linear, constant = _score_terms(predicted)
    along = np.einsum("pkn,pn->pk", basis[1:], means[:-1])
    square = np.einsum("pn,pn->p", means[:-1], means[:-1])
    score = (along**2).sum(axis=1) + 2.0 * np.einsum("pn,pn->p", linear[1:], means[:-1])
    chi2 = square - score + constant[1:]
    return float(np.sqrt(np.maximum(chi2, 0.0).max()))


def _size_of(counts: Counts, at: Coordinate) -> float:
    """Size of u at which a coupling alone changes the counts by about their errors."""
    columns = counts.nominal()[0]
    own = counts.exponents[:, counts.couplings.index(at.parameter.name)]
    sizes = [
        float(np.linalg.norm(columns[m])) ** (-at.power / int(own[m]))
        for m in range(len(columns))
        if own[m] > 0 and columns[m].any()
    ]
    return min(sizes, default=1.0)


def contiguous(data: ArrayLike) -> FloatArray:
    """Data vectors as rows in memory, shape (vectors, n)."""
    return np.ascontiguousarray(np.atleast_2d(np.asarray(data, dtype=float)))


def squared(data: FloatArray) -> FloatArray:
    """Squared length of each data vector."""
    squared: FloatArray = np.einsum("tn,tn->t", data, data)
    return squared


def too_many(names: Sequence[str]) -> InputError:
    """The error for more free parameters than a lattice is laid in."""
    return InputError(
        f"toys are fitted in two parameters at most, not {', '.join(names)}",
        where="--profile",
        hint="hold some with --set NAME=VALUE",
    )
