"""Chi2 along a coupling with any linear pulls: turning points and crossings of many lines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts, at_centre
from fastscan.likelihoods.couplings import bounds_of_power, powers_along, unfolded, widened
from fastscan.likelihoods.form import Lines
from fastscan.likelihoods.layers import Layers, line_polynomials
from fastscan.likelihoods.tiles import by_tiles

__all__ = ["LinearLines", "Turning"]

FloatArray = NDArray[np.float64]

# Lines of a task: some tens of milliseconds.
_TILE = 16
# Marks of a line that there is room for at first; ends and extrema are rarely ten.
_MARKS = 24
# Signals in standard deviations that stand for infinite ones: with several nuisances, and with a
# normalisation alone, which takes signals of any size away.
_SIGNAL, _SINGLE_SIGNAL = 1e8, 1e14


class Turning:
    """Ends and extrema of lines on which counts are polynomials in u, and what lies between.

    Beyond signals of so many standard deviations chi2 is taken to no longer change: further out
    nuisances whose changes are parallel there, as two normalisations of a channel that outgrows the
    other, could no longer be told apart for rounding.

    Parameters
    ----------
    polynomials : (lines, powers, 1 + pulls, bins)
        Counts, and their change by each pull, of each power of u, over sigma.
    centre : (pulls,)
        See `fastscan.counts.Counts`.
    problem : tuple
        Constraint of the pulls and data, as `fastscan.kernels.pulls` has them.
    bounds : (2,)
        Of u; may be infinite.

    Attributes
    ----------
    reach : (lines,)
        u beyond which chi2 no longer changes.
    marks, heights : (lines, most)
        Ends and extrema in rising order, and chi2 there; the first and the last of ``counts`` marks
        are the bounds, or the reach where that is less.
    counts : (lines,)
    """

    def __init__(
        self,
        polynomials: FloatArray,
        centre: FloatArray,
        problem: tuple[FloatArray, FloatArray],
        bounds: tuple[float, float],
    ) -> None:
        # Compiled code, loaded by those who have several nuisances.
        from fastscan.kernels.lines import line_turning_points

        lines = len(polynomials)
        moved, (constraint, data) = at_centre(polynomials, centre), problem
        self._arguments = moved, _sizes(polynomials), constraint, data
        self.reach = _reach(polynomials, centre.size)
        self.bounds = bounds
        ends = np.clip(np.array(bounds), -self.reach[:, None], self.reach[:, None])
        self.counts = np.zeros(lines, dtype=np.int64)
        most = _MARKS
        while True:
            self.marks, self.heights = np.empty((2, lines, most))
            line_turning_points(
                *self._arguments[:2],
                ends,
                constraint,
                data,
                self.marks,
                self.heights,
                self.counts,
            )
            if self.counts.max() <= most:
                break
            most = int(self.counts.max())

    def minima(self) -> tuple[FloatArray, FloatArray]:
        """The lowest mark of each line, infinite where chi2 falls for ever, and chi2 there."""
        known = np.arange(self.marks.shape[1]) < self.counts[:, None]
        heights = np.where(known, self.heights, np.inf)
        best = np.arange(len(heights)), heights.argmin(axis=1)
        return self._unclipped(self.marks[best], self.reach), heights[best]

    def pieces(self, level: float) -> FloatArray:
        """Intervals of u with chi2 at most a level, shape (lines, pieces, 2), NaN beyond the last.

        Their ends are roots of the exact chi2, or the bounds.
        """
        from fastscan.kernels.lines import line_crossings

        pieces = np.empty((len(self.marks), self.marks.shape[1] // 2 + 1, 2))
        used = line_crossings(
            *self._arguments, self.marks, self.heights, self.counts, level, pieces
        )
        return self._unclipped(pieces[:, : max(used, 1)], self.reach[:, None, None])

    def _unclipped(self, u: FloatArray, reach: FloatArray) -> FloatArray:
        """The bounds in place of the reach that stands for them."""
        lower, upper = self.bounds
        return np.where(u >= reach, upper, np.where(u <= -reach, lower, u))


class LinearLines(Lines):
    """Chi2 along one coupling through many points; see `Lines`.

    Parameters
    ----------
    counts : Counts
    coupling : str
    columns : mapping of str to (rows,)
        All other free parameters: row i is a point of them.
    workers : int or None
        Threads; None for all processors.
    problem : tuple
        See `Turning`.
    """

    def __init__(
        self,
        counts: Counts,
        coupling: str,
        columns: Mapping[str, FloatArray],
        workers: int | None,
        problem: tuple[FloatArray, FloatArray],
    ) -> None:
        rows = max((np.size(column) for column in columns.values()), default=1)
        coordinate = counts.couplings.index(coupling)
        powers, self._power = powers_along(counts.exponents, coordinate)
        self._parameter, self._workers = counts.parameter(coupling), workers
        bounds = bounds_of_power(self._parameter, self._power)
        points = np.ones((rows, len(counts.names)))
        for name, column in columns.items():
            points[:, counts.names.index(name)] = column
        weights = counts.monomials(points)
        shapes = {name: columns[name] for name in counts.shape_parameters}
        layers = Layers(counts, shapes)

        def turning(own: slice) -> Turning:
            coefficients = layers.coefficients({name: v[own] for name, v in shapes.items()})
            polynomials = line_polynomials(coefficients, weights[own], powers)
            return Turning(polynomials, counts.centre, problem, bounds)

        self._turning = by_tiles(rows, turning, workers, _TILE)

    def minima(self) -> tuple[FloatArray, FloatArray]:
        """Lowest chi2 of each row; see `Lines.minima`."""
        found = [turning.minima() for turning in self._turning]
        u, chi2 = (np.concatenate(part) for part in zip(*found, strict=True))
        coupling: FloatArray = np.sign(u) * np.abs(u) ** (1.0 / self._power)
        return coupling, chi2

    def below(self, level: float, *, outward: bool = False) -> FloatArray:
        """Intervals of the coupling with chi2 at most a level; see `Lines.below`."""
        found = by_tiles(
            len(self._turning),
            lambda own: [turning.pieces(level) for turning in self._turning[own]],
            self._workers,
            1,
        )
        every = [pieces for tile in found for pieces in tile]
        most = max(pieces.shape[1] for pieces in every)
        pieces = np.concatenate([widened(pieces, most) for pieces in every])
        return unfolded(pieces, self._parameter, self._power, outward=outward)


def _sizes(polynomials: FloatArray) -> FloatArray:
    """Size of u at which it changes the counts by about their errors, shape (lines,)."""
    norms = np.sqrt((polynomials[:, 1:, 0] ** 2).sum(axis=-1))
    with np.errstate(divide="ignore"):
        sizes = norms ** (-1.0 / np.arange(1, norms.shape[1] + 1))
    least = sizes.min(axis=1, initial=np.inf)
    return np.where(np.isfinite(least), least, 1.0)


def _reach(polynomials: FloatArray, pulls: int) -> FloatArray:
    """Values of u at signals that stand for infinite ones, shape (lines,)."""
    largest = np.abs(polynomials[:, :, 0]).max(axis=-1)
    signal = _SIGNAL if pulls > 1 else _SINGLE_SIGNAL
    reach = np.ones(len(polynomials))
    for power in range(1, largest.shape[1]):
        depends = largest[:, power] > 0.0
        reach[depends] = (signal / largest[depends, power]) ** (1.0 / power)
    return reach
