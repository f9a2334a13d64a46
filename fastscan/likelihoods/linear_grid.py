"""Rows of chi2 along a coupling with any linear pulls: grids, and lines without a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError
from fastscan.likelihoods.curve import pieces_below
from fastscan.likelihoods.form import GridForm, Lines
from fastscan.likelihoods.linear import LinearForm, chi2_of_layers
from fastscan.likelihoods.surface import bounds_of_power, root_of_power, unfolded, widened
from fastscan.likelihoods.tiles import by_tiles

__all__ = ["LinearGrid", "LinearLines"]

FloatArray = NDArray[np.float64]

# Points whose layers, about a kilobyte each, stay in the processor's cache.
_TILE = 512


class LinearGrid(GridForm):
    """Chi2 on the product of columns; see `GridForm`. About a microsecond a point.

    Parameters
    ----------
    counts : Counts
    columns : mapping of str to (points,)
        In the order of ``counts.names``.
    """

    default_block_points = 65_536

    def __init__(self, counts: Counts, columns: Mapping[str, FloatArray]) -> None:
        self._counts = counts
        self._columns = [columns[name] for name in counts.names]
        self.shape = tuple(column.size for column in self._columns)

    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2; see `GridForm.evaluate`."""
        shape = self._points(slices)
        columns = [column[s] for column, s in zip(self._columns, slices, strict=True)]
        flat = out.reshape(-1)
        for start in range(0, flat.size, _TILE):
            part = slice(start, min(start + _TILE, flat.size))
            index = np.unravel_index(np.arange(part.start, part.stop), shape)
            points = np.stack([c[i] for c, i in zip(columns, index, strict=True)], axis=1)
            with np.errstate(over="ignore", invalid="ignore"):
                layers = self._counts.layers(points)
                finite = np.isfinite((layers * layers).sum())
            if not finite:
                raise InputError(
                    "chi2 is not finite: the counts overflow a double",
                    where=", ".join(self._counts.names),
                    hint="use smaller couplings",
                )
            flat[part] = chi2_of_layers(layers, self._counts.seen, self._counts.centre)


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
    """

    def __init__(
        self,
        counts: Counts,
        coupling: str,
        columns: Mapping[str, FloatArray],
        workers: int | None = 1,
    ) -> None:
        rows = max((np.size(column) for column in columns.values()), default=1)
        form = LinearForm(counts)
        coordinate = counts.couplings.index(coupling)
        every = form.coefficients({name: columns[name] for name in counts.shape_parameters})
        points = np.zeros((rows, len(counts.couplings)))
        for c, name in enumerate(counts.couplings):
            if name != coupling:
                points[:, c] = columns[name]
        curves = [
            form.surface(every[i if len(every) > 1 else 0]).line(point, coordinate)
            for i, point in enumerate(points)
        ]
        self._power = curves[0][1]
        self._parameter = counts.parameter(coupling)
        self._bounds = bounds_of_power(self._parameter, self._power)
        self._curves = [curve for curve, _ in curves]
        self._turning = by_tiles(
            rows, lambda own: [curve.turning_points() for curve in self._curves[own]], workers, 8
        )
        self._marks = [marks for tile in self._turning for marks in tile]

    def minima(self) -> tuple[FloatArray, FloatArray]:
        """Lowest chi2 of each row; see `Lines.minima`."""
        best, lowest = [], []
        for curve, marks in zip(self._curves, self._marks, strict=True):
            heights = [curve(u) for u in marks]
            i = int(np.argmin(heights))
            best.append(root_of_power(marks[i], self._power))
            lowest.append(heights[i])
        return np.array(best), np.array(lowest)

    def below(self, level: float, *, outward: bool = False) -> FloatArray:
        """Intervals of the coupling with chi2 at most a level; see `Lines.below`."""
        found = [
            np.array(pieces_below(curve, marks, level)).reshape(1, -1, 2)
            for curve, marks in zip(self._curves, self._marks, strict=True)
        ]
        most = max(1, *(pieces.shape[1] for pieces in found))
        pieces = np.concatenate([widened(pieces, most) for pieces in found])
        return unfolded(pieces, self._parameter, self._power, outward=outward)
