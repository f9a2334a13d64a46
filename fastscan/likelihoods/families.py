"""Directions of predictions in the space of data, on lattices that find every basin of a fit.

With the normalisation as the only nuisance a prediction is a unit vector q, and a fit looks for the
largest (q . D)**2; see `fastscan.likelihoods.hypotheses`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.kernels import directions, fans
from fastscan.likelihoods.coordinates import Coordinate

__all__ = ["Family", "outer_ends", "position_of"]

FloatArray = NDArray[np.float64]

# Spacing of the lattice that finds basins, in standard deviations of the data vector, and how much
# lower in chi2 a basin's lattice point may be than the best one's before it is left alone.
_STEP = 0.4
_MARGIN = 0.15
# Squared counts below this part of their terms: two couplings that cancel, in a valley in which
# interpolation between rows has no digits left.
_VALLEY = 1e-5
# Samples of the inner coupling from which lattice points are chosen.
_SAMPLES = 301
_REACH = 1e6


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
            directions.fit_lines(data, self.table[0], self.squares[0], low, high, x, score)
        else:
            fans.fit_fans(
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
            directions.fit_lines(one, row, self.squares[0], low, high, x, score)
        else:
            fans.fit_fans(
                one, self.table, self.squares, self.bounds, self.lattice, self.row_of,
                self.rows, _MARGIN, position, x, score,
            )  # fmt: skip
            row = fans.row_between(position[0], self.table)
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
        fans.scores_at(data, positions, self.table, self.squares, self.bounds, score)
        return score

    def outer_value(self, position: FloatArray) -> FloatArray:
        """Outer parameter at positions in rows of the table."""
        if self.outer is None:
            return np.full(position.shape, np.nan)
        first, last = self.positions[0], self.positions[-1]
        at = first + position * (last - first) / (len(self.positions) - 1)
        if self.outer.is_mass:
            return self.outer.reached(self.outer.scale.values(at))
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
        if self.outer is not None and not self.outer.is_mass:
            size = np.linalg.norm(np.abs(powers) @ np.abs(self.table[row]), axis=1)
            if (norm[:, 0] < math.sqrt(_VALLEY) * size).any():
                raise InputError(
                    "couplings that cancel each other are not fitted to toys",
                    where="--profile",
                    hint="hold one of them with --set NAME=VALUE",
                )
        directions: FloatArray = q / np.where(norm > 0.0, norm, 1.0)
        return directions


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
    if family.outer.is_mass:
        scale = family.outer.scale
        at = scale.variables(np.clip(value, scale.low, scale.high))
    else:
        power = family.outer.power
        u = np.copysign(np.abs(value) ** power, value) if power % 2 else np.abs(value) ** power
        at = np.arctan(u / family.outer_scale)
    first, last = family.positions[0], family.positions[-1]
    position: FloatArray = (at - first) / (last - first) * (len(family.positions) - 1)
    return np.clip(position, 0.0, len(family.positions) - 1.0)
