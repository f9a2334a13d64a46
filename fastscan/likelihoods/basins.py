"""Local minima of chi2 over several couplings: where to look for them, and how to follow them.

Couplings are in their natural sizes, rounded to powers of two so that no digit is lost. Descents
start at points spread over all sizes that the counts know of: the natural one, and those at which a
square outgrows its interference, or the signal the counts without it. A basin that is narrow in the
couplings is wide in its own ratio, and each node of a path, with starts of its own, passes what it
finds on to its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.counts.counts import natural_size
from fastscan.models import Parameter

__all__ = ["Basins", "Descents"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Basins kept of each node.
_ROOM = 10
# Couplings without bounds reach so many natural sizes; with several pulls, signals of so many
# standard deviations, beyond which chi2 no longer changes but for rounding.
_REACH, _SIGNAL = 1e9, 1e8
# Starts lie so many times further in and out than the sizes that the counts know of.
_MARGIN = 8.0
# Every fourth start may lie so many times further out: where couplings almost make up for each
# other, so do their basins.
_WIDE = 1e4
# What is left of counts at the pulls' centre is rounding below this part of them.
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Basins:
    """Local minima at the nodes of a path.

    Attributes
    ----------
    points : (nodes, room, couplings)
        In natural sizes; NaN beyond the last of a node.
    chi2 : (nodes, room)
        Infinite there.
    number : (nodes,)
    """

    points: FloatArray
    chi2: FloatArray
    number: IntArray

    @classmethod
    def none(cls, nodes: int, couplings: int, room: int = _ROOM) -> Basins:
        """No minimum known yet."""
        return cls(
            np.full((nodes, room, couplings), np.nan),
            np.full((nodes, room), np.inf),
            np.zeros(nodes, np.int64),
        )

    @property
    def lowest(self) -> FloatArray:
        """Chi2 of the lowest of each node, shape (nodes,)."""
        lowest: FloatArray = self.chi2.min(axis=1)
        return lowest

    def best(self, node: int) -> tuple[FloatArray, float]:
        """The lowest of a node: its point, and chi2."""
        which = int(self.chi2[node].argmin())
        return self.points[node, which], float(self.chi2[node, which])

    def inserted(self, where: IntArray) -> Basins:
        """With nodes of which nothing is known before those of the given numbers."""
        return Basins(
            np.insert(self.points, where, np.nan, axis=0),
            np.insert(self.chi2, where, np.inf, axis=0),
            np.insert(self.number, where, 0),
        )


class Descents:
    """Counts with linear pulls, ready for descents to their minima.

    Parameters
    ----------
    counts : Counts
    shape : mapping of str to (rows,), optional
        All shape parameters of the counts.
    problem : tuple, optional
        Constraint and data of bins that hold counts, see `fastscan.kernels.counted`.

    Attributes
    ----------
    sizes : (rows, couplings)
        The unit of each coupling: its natural size rounded to a power of two.
    """

    def __init__(
        self,
        counts: Counts,
        shape: Mapping[str, FloatArray] | None = None,
        problem: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        self._counts = counts
        self._centre, self._data = problem or (counts.centre, counts.seen)
        self._couplings = tuple(counts.parameter(name) for name in counts.couplings)
        self._known_mirrors: dict[tuple[int, ...], tuple[FloatArray, IntArray]] = {}
        layers = counts.coefficients(shape)
        exponents = counts.exponents
        self.sizes = np.array([[_size(exponents, row[0], c) for c in range(exponents.shape[1])]
                               for row in layers])  # fmt: skip
        layers = layers * np.prod(self.sizes[:, None] ** exponents, axis=2)[:, None, :, None]
        nominal = layers[:, 0].copy()
        shifted = nominal - np.einsum("k,rkmb->rmb", counts.centre, layers[:, 1:])
        layers[:, 0] = np.where(np.abs(shifted) > _ROUNDING * np.abs(nominal), shifted, 0.0)
        self._layers = np.ascontiguousarray(layers)
        norms = np.linalg.norm(nominal, axis=2)
        several = counts.centre.size > 1
        self._inner, self._outer, reach = _ranges(exponents, norms, counts.seen, several)
        low = np.array([p.minimum for p in self._couplings]) / self.sizes
        high = np.array([p.maximum for p in self._couplings]) / self.sizes
        self.lower, self.upper = np.maximum(low, -reach), np.minimum(high, reach)

    def follow(
        self,
        free: Sequence[int],
        rows: IntArray,
        held: FloatArray,
        starts: FloatArray,
        known: Basins | None = None,
        *,
        room: int = _ROOM,
        kept: int | None = None,
    ) -> Basins:
        """Minima over some couplings at the nodes of a path, followed there and back.

        Parameters
        ----------
        free : sequence of int
            Columns of the couplings that are minimised over.
        rows : (nodes,)
            Row of the shape parameters of each node.
        held : (nodes, couplings)
            The other couplings, in natural sizes.
        starts : (nodes, starts, couplings)
            The free couplings, NaN for that of the lowest basin found so far; NaN alone for none.
        known : Basins, optional
            Minima that were found before.
        room : int
            Minima kept of each node.
        kept : int, optional
            A free coupling whose sign is told apart even if it changes nothing.
        """
        from fastscan.kernels import basins as kernels

        nodes, couplings = held.shape
        found = known or Basins.none(nodes, couplings, room)
        mirrors, own = self._mirrors(tuple(c for c in free if c != kept))
        columns = np.array(free, dtype=np.int64)
        none = np.empty((nodes, 0, couplings))
        there = np.arange(nodes)
        for path, given in ((there, starts), (there[::-1].copy(), none))[: min(nodes, 2)]:
            kernels.follow(
                path, rows, held, self._layers, self._counts.exponents, self._data,
                self._centre, columns, self.lower, self.upper, mirrors, own, given,
                found.points, found.chi2, found.number,
            )  # fmt: skip
        return found

    def _mirrors(self, free: tuple[int, ...]) -> tuple[FloatArray, IntArray]:
        if free not in self._known_mirrors:
            self._known_mirrors[free] = _mirrors(self._counts.exponents, free, self._couplings)
        return self._known_mirrors[free]

    def starts(
        self, free: Sequence[int], rows: IntArray, held: FloatArray, each: int
    ) -> FloatArray:
        """Points spread evenly over signs and logarithms, shape (nodes, each, couplings).

        They are consecutive points of one low-discrepancy sequence, so that nodes which share a
        basin look for it together. Of every second one all couplings but one are NaN, for those of
        the lowest basin: where each of several couplings has two basins, the lowest combination is
        found step by step.
        """
        nodes, couplings = held.shape
        starts = np.repeat(held[:, None], each, axis=1)
        others = [c for c in range(couplings) if c not in free]
        # Couplings that are held far out move the others' minima out as well.
        far = np.abs(held[:, others]).max(axis=1, initial=0.0)
        turn = np.arange(nodes * each).reshape(nodes, each)
        wide = np.where(turn % 4 == 2, _WIDE, 1.0)
        spread = _sequence(nodes * each, len(free)).reshape(nodes, each, len(free))
        for i, c in enumerate(free):
            inner = self._inner[rows, c][:, None]
            outer = np.maximum(self._outer[rows, c], _MARGIN * far)[:, None] * wide
            low, high = self.lower[rows, c][:, None], self.upper[rows, c][:, None]
            outer = np.maximum(np.minimum(outer, high - low), 2.0 * inner)
            share = 2.0 * spread[:, :, i] - 1.0
            default = (self._couplings[c].standard / self.sizes[rows, c])[:, None]
            moved = default + np.copysign(inner * (outer / inner) ** np.abs(share), share)
            # One side alone: mirrored, as nothing is beyond a bound.
            inside = (moved >= low) & (moved <= high)
            moved = np.where(inside, moved, 2.0 * default - moved)
            starts[:, :, c] = np.clip(moved, low, high)
        if len(free) > 1:
            for i, c in enumerate(free):
                one_moves = (turn % 2 == 1) & (turn // 2 % len(free) != i)
                starts[one_moves, c] = np.nan
        return starts


def _size(exponents: IntArray, coefficients: FloatArray, coupling: int) -> float:
    size = natural_size(exponents, coefficients, coupling) or 1.0
    return math.ldexp(1.0, round(math.log2(size)))


def _ranges(
    exponents: IntArray, norms: FloatArray, data: FloatArray, several: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smallest and largest size that the counts know of, and reach, shape (rows, couplings) each.

    Parameters
    ----------
    exponents : (monomials, couplings)
    norms : (rows, monomials)
        Of the counts over their errors, couplings in natural sizes.
    data : (bins,)
    several : bool
        Whether there are several pulls.
    """
    shape = len(norms), exponents.shape[1]
    inner, outer, reach = np.ones(shape), np.ones(shape), np.full(shape, _REACH)
    seen = max(float(np.linalg.norm(data)), 1.0)
    for row, own in enumerate(norms):
        for c in range(shape[1]):
            alone = exponents.sum(axis=1) == exponents[:, c]
            terms = {int(exponents[m, c]): own[m] for m in np.flatnonzero(alone) if own[m] > 0.0}
            powers = sorted(p for p in terms if p > 0)
            levels = [1.0, seen, terms.get(0, 1.0)]
            sizes = [(level / terms[p]) ** (1.0 / p) for p in powers for level in levels]
            sizes += [
                (terms[p] / terms[q]) ** (1.0 / (q - p)) for p in powers for q in powers if p < q
            ]
            if sizes:
                inner[row, c], outer[row, c] = min(sizes), max(sizes)
            if several and powers:
                reach[row, c] = (_SIGNAL / terms[powers[-1]]) ** (1.0 / powers[-1])
    return inner / _MARGIN, outer * _MARGIN, reach


def _mirrors(
    exponents: IntArray, free: Sequence[int], couplings: Sequence[Parameter]
) -> tuple[FloatArray, IntArray]:
    """Signs of the free couplings that change no monomial, and a column of its own for each.

    They are the null space of the exponents modulo two.
    """
    signed = [c for c in free if couplings[c].minimum == -couplings[c].maximum]
    odd = exponents[:, signed] % 2 == 1
    pivots: list[int] = []
    for i in range(len(signed)):
        rest = np.flatnonzero(odd[len(pivots) :, i]) + len(pivots)
        if rest.size == 0:
            continue
        top = len(pivots)
        odd[[top, rest[0]]] = odd[[rest[0], top]]
        others = odd[:, i].copy()
        others[top] = False
        odd[others] ^= odd[top]
        pivots.append(i)
    own = [i for i in range(len(signed)) if i not in pivots]
    mirrors = np.ones((len(own), exponents.shape[1]))
    for mirror, i in zip(mirrors, own, strict=True):
        mirror[signed[i]] = -1.0
        for top, pivot in enumerate(pivots):
            if odd[top, i]:
                mirror[signed[pivot]] = -1.0
    return mirrors, np.array([signed[i] for i in own], dtype=np.int64)


def _sequence(points: int, dimensions: int) -> FloatArray:
    """Points spread evenly over the unit cube, shape (points, dimensions).

    Multiples, modulo one, of powers of the root of x**(dimensions + 1) = x + 1, the golden ratio in
    one dimension. SciPy's sequences take longer to import than a limit takes.
    """
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1.0)
    return (0.5 + np.arange(1, points + 1)[:, None] * steps) % 1.0
