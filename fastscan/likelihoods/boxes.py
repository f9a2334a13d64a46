"""A smooth function on a product of columns: adaptive boxes of Chebyshev series.

A box of the grid is a range of every column. It is interpolated in Chebyshev points of its long
columns, and halved where the series does not end in nothing, until it holds hardly more points than
the series needs; these are then computed. All of this depends on the columns alone, and so does
every value: not on the blocks in which the grid is filled, nor on who fills them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from fastscan.kernels import boxes as box_kernels

__all__ = ["Boxes", "Exact"]

FloatArray = NDArray[np.float64]
# Values on the product of columns, and what rounding does to them; both flat, in C order.
Exact = Callable[[Sequence[FloatArray]], tuple[FloatArray, FloatArray]]
Ranges = tuple[tuple[int, int], ...]

# Error beside 1 + |value|: what points off the nodes are checked against.
ERROR = 1e-10
# The last three terms of a series, together, are kept this much below.
_TAIL = 0.1
# Chebyshev points along a long column, a multiple of four.
_NODES = 24
# The first boxes: at most so many, each this many times longer than its nodes.
_REGIONS = 64
_LONG = 6
# A box is interpolated if it has this many times more points than nodes.
_GAIN = 2
# Points of every column that an interpolated box is checked at.
_CHECKS = 2


@dataclass(frozen=True)
class _Box:
    """A box, and its series in the long columns; none: its points are computed."""

    ranges: Ranges
    series: FloatArray | None = None


class Boxes:
    """Values of a function on the product of columns.

    Parameters
    ----------
    columns : sequence of (points,)
    exact : callable
        See `Exact`; every value the same whatever else is computed with it.

    Attributes
    ----------
    error : float
        Of values beside 1 + |value|, zero where all are computed. Checked at points of every box; a
        function that is itself rounded to less is met to its rounding.
    """

    def __init__(self, columns: Sequence[FloatArray], exact: Exact) -> None:
        self._columns, self._exact = list(columns), exact
        self.shape = tuple(column.size for column in columns)
        self._logarithmic = [_logarithmic(column) for column in columns]
        self._coordinates = [
            np.log(column) if logarithmic else column
            for column, logarithmic in zip(columns, self._logarithmic, strict=True)
        ]
        # Columns that are not in order are never long.
        self._nodes = [_NODES if _monotonic(column) else column.size for column in columns]
        self.error = 0.0 if self._few(tuple((0, n) for n in self.shape)) else ERROR
        self._regions = list(product(*(list(pairwise(cuts)) for cuts in self._cuts())))
        self._forget()

    def __getstate__(self) -> dict[str, object]:
        own = ("_locks", "_made")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._forget()

    def fill(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with the function."""
        block = tuple(s.indices(n)[:2] for s, n in zip(slices, self.shape, strict=True))
        if out.size == 0:
            return
        flat = out.reshape(-1, block[-1][1] - block[-1][0])
        touched = [i for i, region in enumerate(self._regions) if _common(region, block)]
        self._make(touched)
        for i in touched:
            for box in self._made[i] or ():
                if common := _common(box.ranges, block):
                    self._fill_part(box, common, block, flat)

    def _forget(self) -> None:
        self._made: list[list[_Box] | None] = [None] * len(self._regions)
        self._locks = [threading.Lock() for _ in self._regions]

    def _make(self, touched: Sequence[int]) -> None:
        """Make regions, once; of those that are needed first the ones nobody is making."""
        for wait in (False, True):
            for i in touched:
                if self._made[i] is None and self._locks[i].acquire(blocking=wait):
                    try:
                        if self._made[i] is None:
                            self._made[i] = list(self._leaves(self._regions[i]))
                    finally:
                        self._locks[i].release()

    def _cuts(self) -> list[list[int]]:
        """Ends of the regions along each column."""
        cuts = [[0, n] for n in self.shape]
        pieces = [1] * len(cuts)
        while prod(pieces) < _REGIONS:
            room = [n / (p * m) for n, p, m in zip(self.shape, pieces, self._nodes, strict=True)]
            longest = int(np.argmax(room))
            if room[longest] < 2 * _LONG:
                break
            pieces[longest] *= 2
        for i, (n, p) in enumerate(zip(self.shape, pieces, strict=True)):
            cuts[i] = [n * k // p for k in range(p + 1)]
        return cuts

    def _few(self, ranges: Ranges) -> bool:
        """Whether a box has hardly more points than nodes."""
        lengths = [b - a for a, b in ranges]
        nodes = [min(n, m) for n, m in zip(lengths, self._nodes, strict=True)]
        return prod(lengths) < _GAIN * prod(nodes)

    def _leaves(self, region: Ranges) -> Iterator[_Box]:
        """Boxes of a region, halved until they are right or small."""
        todo = [region]
        while todo:
            ranges = todo.pop()
            if self._few(ranges):
                yield _Box(ranges)
                continue
            series, ends = self._interpolated(ranges)
            if ends is None:
                yield _Box(ranges, series)
                continue
            i = int(np.argmax(ends))
            a, b = ranges[i]
            pieces = min(_pieces(ends[i]), (b - a) // self._nodes[i] + 1)
            cuts = [a + (b - a) * k // pieces for k in range(pieces + 1)]
            todo += [(*ranges[:i], own, *ranges[i + 1 :]) for own in pairwise(cuts)]

    def _interpolated(self, ranges: Ranges) -> tuple[FloatArray, list[float] | None]:
        """Series of a box, and the part of it in its ends along each column; None: it is right."""
        lengths = [b - a for a, b in ranges]
        long = [n > m for n, m in zip(lengths, self._nodes, strict=True)]
        columns = [
            self._nodes_of(i, own) if long[i] else self._columns[i][slice(*own)]
            for i, own in enumerate(ranges)
        ]
        values, rounding = self._exact(columns)
        shape = tuple(column.size for column in columns)
        series = values.reshape(shape)
        for i in range(len(shape)):
            if long[i]:
                series = _contracted(_cosines(shape[i]), series, i)
        size = np.abs(series)
        ends = [
            float(np.moveaxis(size, i, 0)[-3:].sum()) if long[i] else 0.0 for i in range(len(shape))
        ]
        # What would be seen at the node where it matters most.
        wanted = float(np.maximum(_TAIL * ERROR * (1.0 + np.abs(values)), rounding).min())
        if max(ends) <= wanted:
            if long[-1]:
                # Along rows every term counts: whole fours of them that make no difference go.
                rest = np.cumsum(size.reshape(-1, shape[-1]).sum(axis=0)[::-1])[::-1]
                least = _TAIL * ERROR * (1.0 + float(np.abs(values).min()))
                terms = int(np.count_nonzero(rest > 0.3 * min(wanted, least)))
                series = np.ascontiguousarray(series[..., : max(4, -(-terms // 4) * 4)])
            if self._agrees(_Box(ranges, series), wanted):
                return series, None
        # How many times smaller ends are wanted: 1 the size of the series, 0 small enough.
        reach = float(np.log(max(float(size.sum()), 2.0 * wanted) / wanted))
        return series, [1.0 + np.log(max(end, wanted) / size.sum()) / reach for end in ends]

    def _agrees(self, box: _Box, wanted: float) -> bool:
        """Whether a series is right off its nodes, at points that are always the same."""
        random = np.random.default_rng([end for own in box.ranges for end in own])
        some = [np.sort(random.integers(a, b, _CHECKS)) for a, b in box.ranges]
        found = self._summed(box, some).ravel()
        exact, rounding = self._exact([c[s] for c, s in zip(self._columns, some, strict=True)])
        allowed = 0.5 * ERROR * (1.0 + np.abs(exact)) + 2.0 * (wanted + rounding)
        return bool((np.abs(found - exact) <= allowed).all())

    def _nodes_of(self, i: int, own: tuple[int, int]) -> FloatArray:
        """Chebyshev points of a range of a column."""
        middle, half = self._middle(i, own)
        nodes = self._nodes[i]
        at = middle + half * np.cos((np.arange(nodes) + 0.5) * (np.pi / nodes))
        return np.asarray(np.exp(at) if self._logarithmic[i] else at)

    def _middle(self, i: int, own: tuple[int, int]) -> tuple[float, float]:
        first, last = self._coordinates[i][own[0]], self._coordinates[i][own[1] - 1]
        return 0.5 * (float(first) + float(last)), 0.5 * (float(last) - float(first))

    def _polynomials(self, box: _Box, i: int, which: NDArray[np.int64] | slice) -> FloatArray:
        """Chebyshev polynomials along a long column, shape (terms, points)."""
        assert box.series is not None
        middle, half = self._middle(i, box.ranges[i])
        x = (self._coordinates[i][which] - middle) / half
        polynomials = np.empty((box.series.shape[i], x.size))
        box_kernels.chebyshev_polynomials(x, polynomials)
        return polynomials

    def _leading(self, box: _Box, which: Sequence[NDArray[np.int64] | slice]) -> FloatArray:
        """The series summed along all columns but the last, shape (rows, last)."""
        assert box.series is not None
        series = box.series
        for i, own in enumerate(which[:-1]):
            if self._is_long(box, i):
                series = _contracted(self._polynomials(box, i, own), series, i)
            else:
                series = series.take(np.arange(self.shape[i])[own] - box.ranges[i][0], axis=i)
        return np.ascontiguousarray(series.reshape(-1, series.shape[-1]))

    def _is_long(self, box: _Box, i: int) -> bool:
        return box.ranges[i][1] - box.ranges[i][0] > self._nodes[i]

    def _summed(self, box: _Box, which: Sequence[NDArray[np.int64]]) -> FloatArray:
        """Values of an interpolated box at the product of some points."""
        leading, last = self._leading(box, which), len(which) - 1
        if not self._is_long(box, last):
            return leading[:, which[last] - box.ranges[last][0]]
        out = np.empty((len(leading), which[last].size))
        polynomials = self._polynomials(box, last, which[last])
        box_kernels.series_rows(leading, polynomials, np.arange(len(leading)), 0, out)
        return out

    def _fill_part(self, box: _Box, common: Ranges, block: Ranges, out: FloatArray) -> None:
        """Fill the common part of a box and a block, ``out``, rows of its last column."""
        rows = np.zeros(1, dtype=np.int64)
        for (a, b), (start, stop) in zip(common[:-1], block[:-1], strict=True):
            rows = (rows[:, None] * (stop - start) + np.arange(a - start, b - start)).ravel()
        first, last = (end - block[-1][0] for end in common[-1])
        which = [slice(a, b) for a, b in common]
        if box.series is None:
            values, _ = self._exact([c[s] for c, s in zip(self._columns, which, strict=True)])
            out[rows, first:last] = values.reshape(rows.size, -1)
            return
        leading, i = self._leading(box, which), len(which) - 1
        if self._is_long(box, i):
            polynomials = self._polynomials(box, i, which[i])
            box_kernels.series_rows(leading, polynomials, rows, first, out)
        else:
            origin = box.ranges[i][0]
            out[rows, first:last] = leading[:, common[i][0] - origin : common[i][1] - origin]


@cache
def _cosines(nodes: int) -> FloatArray:
    """From values in Chebyshev points to a series, shape (points, terms)."""
    angles = (np.arange(nodes) + 0.5) * (np.pi / nodes)
    cosines: FloatArray = np.cos(angles[:, None] * np.arange(nodes)) * (2.0 / nodes)
    cosines[:, 0] *= 0.5
    return cosines


def _contracted(factors: FloatArray, array: FloatArray, axis: int) -> FloatArray:
    """One axis of an array summed with factors, shape (axis, points), in a fixed order."""
    shape = array.shape
    middle = np.ascontiguousarray(array).reshape(prod(shape[:axis]), shape[axis], -1)
    out = np.empty((middle.shape[0], factors.shape[1], middle.shape[2]))
    box_kernels.contract_middle(factors, middle, out)
    return out.reshape((*shape[:axis], factors.shape[1], *shape[axis + 1 :]))


def _pieces(end: float) -> int:
    """Pieces of a box of which this part of the digits is missing: each halving doubles them."""
    missing = min(max(end, 0.0), 0.95)
    return int(2 ** max(1, int(np.floor(np.log2(1.0 / (1.0 - missing))))))


def _common(left: Ranges, right: Ranges) -> Ranges:
    """What two boxes share, () if nothing."""
    found = []
    for (a, b), (c, d) in zip(left, right, strict=True):
        start, stop = max(a, c), min(b, d)
        if start >= stop:
            return ()
        found.append((start, stop))
    return tuple(found)


def _monotonic(column: FloatArray) -> bool:
    steps = np.diff(column)
    return bool((steps > 0.0).all() or (steps < 0.0).all())


def _logarithmic(column: FloatArray) -> bool:
    """Whether a column is more even in its logarithm."""
    if column.size < 3 or not (column > 0.0).all() or not _monotonic(column):
        return False
    plain, logarithms = np.diff(column), np.diff(np.log(column))
    return bool(np.std(logarithms / logarithms.mean()) < np.std(plain / plain.mean()))
