"""Chi2 on a grid reduced to some of its axes, tile by tile: nothing of the scan is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray

from fastscan.kernels import grid as grid_kernels
from fastscan.scan.axes import Axis
from fastscan.scan.density import quadrature_weights
from fastscan.scan.executors import Executor, Index
from fastscan.scan.grid import Grid
from fastscan.storage.plan import Plan

__all__ = ["TASK_POINTS", "TILE_POINTS", "Reduction", "box_weights"]

FloatArray = NDArray[np.float64]

# Reduced points evaluated together; fixed, so that sums do not depend on how work is shared out.
TILE_POINTS = 65_536
# Kept points of one task.
TASK_POINTS = 16


class Reduction:
    """Minima of chi2 over some axes of a grid, and integrals of exp(-chi2 / 2).

    Parameters
    ----------
    grid : Grid
    kept : sequence of int
        Axes that stay, in the order of the results.

    Attributes
    ----------
    axes : tuple of Axis
        Those that stay.
    shape : tuple of int
        Their points.
    blocks : int
        Number of tasks.
    """

    def __init__(self, grid: Grid, kept: Sequence[int]) -> None:
        self._grid, self._kept = grid, list(kept)
        self._reduced = [i for i in range(len(grid.axes)) if i not in kept]
        self.axes = tuple(grid.axes[i] for i in kept)
        self.shape = tuple(axis.points for axis in self.axes)
        self._tiles = Plan.of(tuple(grid.shape[i] for i in self._reduced), TILE_POINTS)
        self._tasks = Plan.of(self.shape, TASK_POINTS)
        self.blocks = self._tasks.blocks

    def minima(self, run: Executor, tick: Callable[[], None]) -> FloatArray:
        """Lowest chi2 at each kept point."""
        grid, last = self._grid, len(self._grid.axes) - 1
        fused = grid.coupling_innermost and last in self._reduced

        def find(into: FloatArray, index: Index) -> None:
            own = self._tasks.slices(index)
            shape = tuple(s.stop - s.start for s in own)
            part = np.full(prod(shape), np.inf)
            for tile in self._tiles.indices():
                slices = self._slices(own, self._tiles.slices(tile))
                # Kept points first, the reduced ones of a tile in one row behind each.
                order = [*self._kept, *self._reduced]
                if fused:
                    # The innermost axis is reduced as it is computed.
                    chi2 = grid.minima(slices).transpose(order[:-1])
                else:
                    chi2 = grid.evaluate(slices).transpose(order)
                rows = np.ascontiguousarray(chi2.reshape(part.size, -1))
                grid_kernels.row_minima(rows, part)
            into[own] = part.reshape(shape)

        lowest = np.empty(self.shape)
        run(find, lowest, self._tasks.indices(), tick)
        return lowest

    def integrals(
        self, run: Executor, tick: Callable[[], None], reference: FloatArray
    ) -> tuple[FloatArray, FloatArray, list[FloatArray]]:
        """Integrals of exp(-(chi2 - reference) / 2) at each kept point, priors flat.

        Returns
        -------
        whole : array of the kept shape
        coarse : array
            From every other point of the reduced axes.
        cut : list of array
            With half a step left out at one end of one of them.
        """
        variants = self._variants()

        def add(into: FloatArray, index: Index) -> None:
            own = self._tasks.slices(index)
            shape = tuple(s.stop - s.start for s in own)
            lowest = np.ascontiguousarray(reference[own].ravel())
            sums = np.zeros((len(variants), lowest.size))
            for tile in self._tiles.indices():
                where = self._tiles.slices(tile)
                chi2 = self._grid.evaluate(self._slices(own, where))
                chi2 = chi2.transpose([*self._kept, *self._reduced])
                rows = np.ascontiguousarray(chi2.reshape(lowest.size, -1))
                weights = [
                    reduce(np.multiply.outer, (w[s] for w, s in zip(own_w, where, strict=True)))
                    for own_w in variants
                ]
                flat = np.stack([np.asarray(w).ravel() for w in weights])
                grid_kernels.row_posteriors(rows, flat, lowest, sums)
            into[:, *own] = sums.reshape(-1, *shape)

        found = np.empty((len(variants), *self.shape))
        run(add, found, self._tasks.indices(), tick)
        return found[0], found[1], list(found[2:])

    def _slices(self, own: Sequence[slice], where: Sequence[slice]) -> tuple[slice, ...]:
        slices = [slice(None)] * len(self._grid.axes)
        for i, s in (*zip(self._kept, own, strict=True), *zip(self._reduced, where, strict=True)):
            slices[i] = s
        return tuple(slices)

    def _variants(self) -> list[list[FloatArray]]:
        """Weights along each reduced axis: of the whole, and of what tells its error."""
        axes = [self._grid.axes[i] for i in self._reduced]
        found = [[quadrature_weights(axis, every) for axis in axes] for every in (1, 2)]
        for i, axis in enumerate(axes):
            for end in (0, -1):
                weights = list(found[0])
                weights[i] = quadrature_weights(axis, cut=end)
                found.append(weights)
        return found


def box_weights(axes: Sequence[Axis]) -> FloatArray:
    """Weights of an integral over several axes."""
    return np.asarray(reduce(np.multiply.outer, (quadrature_weights(axis) for axis in axes)))
