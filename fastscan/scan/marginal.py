"""Profiles and posteriors of one or two parameters from a dense scan that is never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.kernels import grid as grid_kernels
from fastscan.scan.axes import Axis
from fastscan.scan.executors import Index, executor
from fastscan.scan.grid import Grid
from fastscan.scan.provenance import header_lines, scan_header
from fastscan.scan.pulled_grid import grid_of
from fastscan.statistics import Likelihood, delta_chi2
from fastscan.storage.files import write_text
from fastscan.storage.plan import Plan
from fastscan.storage.tables import table_text

__all__ = ["Marginal", "count_inside", "marginalise", "write_marginal"]

FloatArray = NDArray[np.float64]

# Reduced points evaluated together; fixed, so that sums do not depend on how work is shared out.
TILE_POINTS = 65_536
# Kept points of one task.
TASK_POINTS = 16


@dataclass(frozen=True)
class Marginal:
    """Chi2 or posterior density of the kept parameters.

    Attributes
    ----------
    method : {"profile", "bayes"}
        Minimum of chi2 over the reduced parameters, or integral of exp(-chi2/2) over them with
        priors flat in the box of the axes.
    axes : tuple of Axis
        Kept parameters.
    values : (points of each axis)
        Absolute chi2, or density normalised to one over the box.
    chi2_min : float
        Lowest chi2 of the whole scan.
    header : dict
        Of the scan, see `fastscan.scan.scan_header`.
    """

    method: str
    axes: tuple[Axis, ...]
    values: FloatArray
    chi2_min: float
    header: dict[str, Any]

    def intervals(self, cl: float = 0.90) -> list[tuple[float, float]]:
        """Intervals of a single kept parameter, ends interpolated linearly between points.

        Profile: chi2 at most its minimum plus the one-parameter rise. Posterior: the densest region
        that holds a probability of ``cl``.

        Raises
        ------
        InputError
            More than one parameter was kept, or a bad level.
        """
        rise = delta_chi2(cl)
        if len(self.axes) != 1:
            raise InputError(
                f"intervals of {len(self.axes)} parameters", hint="keep a single parameter"
            )
        x = self.axes[0].values
        if self.method == "profile":
            height = self.chi2_min + rise - self.values
        else:
            height = self.values - _density_level(self.values, _trapezoid(x), cl)
        return _positive_pieces(x, height)


def marginalise(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    keep: Sequence[str],
    given: Mapping[str, float] | None = None,
    *,
    method: str = "profile",
    workers: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Marginal:
    """Scan chi2 over all axes and reduce it to some of them, block by block.

    Parameters
    ----------
    likelihood, axes, given
        As for `fastscan.scan.Grid`.
    keep : sequence of str
        One or two of the axes.
    method : {"profile", "bayes"}
    workers : int, optional
        Threads; all processors by default. The values do not depend on it.
    progress : callable, optional
        Called with the number of parts done and of all parts.

    Raises
    ------
    InputError
        ``keep`` names no axis, all of them or one twice; an axis of a single point (an empty box).
    """
    grid = grid_of(likelihood, axes, given)
    names = [axis.name for axis in grid.axes]
    _check(grid, keep, method)
    kept = [names.index(name) for name in keep]
    reduced = [i for i in range(len(names)) if i not in kept]
    kept_shape = tuple(grid.shape[i] for i in kept)
    tiles = Plan.of(tuple(grid.shape[i] for i in reduced), TILE_POINTS)
    tasks = Plan.of(kept_shape, TASK_POINTS)
    weights = _box_weights([grid.axes[i] for i in reduced])
    passes = 1 if method == "profile" else 2
    fused = grid.coupling_innermost and len(names) - 1 in reduced
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, passes * tasks.blocks)

    def reduce(into: FloatArray, reference: float | None, index: Index) -> None:
        own = tasks.slices(index)
        shape = tuple(s.stop - s.start for s in own)
        # Kept points first, the reduced ones of a tile in one row behind each.
        order = [*kept, *reduced]
        part = np.full(prod(shape), np.inf if reference is None else 0.0)
        for tile in tiles.indices():
            where = tiles.slices(tile)
            slices: list[slice] = [slice(None)] * len(names)
            for i, s in (*zip(kept, own, strict=True), *zip(reduced, where, strict=True)):
                slices[i] = s
            if reference is None and fused:
                # The innermost axis is reduced as it is computed.
                chi2 = grid.minima(tuple(slices)).transpose(order[:-1])
            else:
                chi2 = grid.evaluate(tuple(slices)).transpose(order)
            rows = np.ascontiguousarray(chi2.reshape(part.size, -1))
            if reference is None:
                grid_kernels.row_minima(rows, part)
            else:
                row_weights = np.ascontiguousarray(weights[where].ravel())
                grid_kernels.row_posteriors(rows, row_weights, reference, part)
        into[own] = part.reshape(shape)

    profile = np.empty(kept_shape)
    grid.evaluate(tuple(slice(0, 1) for _ in names))
    with executor("threads", workers) as run:
        run(lambda into, index: reduce(into, None, index), profile, tasks.indices(), tick)
        lowest = float(profile.min())
        values = profile
        if method == "bayes":
            values = np.empty(kept_shape)
            run(lambda into, index: reduce(into, lowest, index), values, tasks.indices(), tick)
            kept_weights = _box_weights([grid.axes[i] for i in kept])
            values = values / (values * kept_weights).sum()
    header = {**scan_header(likelihood, grid), "method": method, "kept": list(keep)}
    return Marginal(method, tuple(grid.axes[i] for i in kept), values, lowest, header)


def count_inside(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    level: float,
    given: Mapping[str, float] | None = None,
    *,
    workers: int | None = None,
) -> int:
    """Count the points of a grid with chi2 at most ``level``, without holding or writing it.

    Parameters
    ----------
    likelihood, axes, given
        As for `fastscan.scan.Grid`.
    level : float
        Absolute chi2.
    workers : int, optional
        Threads; all processors by default.
    """
    grid = grid_of(likelihood, axes, given)
    plan = Plan.of(grid.shape)
    counts = np.zeros(plan.grid, dtype=np.int64)

    def count(into: NDArray[np.int64], index: Index) -> None:
        into[index] = grid.inside(plan.slices(index), level)

    with executor("threads", workers) as run:
        run(count, counts, plan.indices(), lambda: None)
    return int(counts.sum())


def write_marginal(
    marginal: Marginal,
    path: str | Path,
    *,
    overwrite: bool = False,
) -> None:
    """Write a profile or posterior as CSV: the kept parameters, and chi2 or density.

    Raises
    ------
    StoreError
        The file exists.
    InputError
        The folder can not be written.
    """
    what = (
        "absolute chi2, minimised over the other axes"
        if marginal.method == "profile"
        else "posterior density, flat priors in the box of the axes"
    )
    about = {
        "content": what,
        "chi2 minimum": f"{marginal.chi2_min:.9g}",
        **header_lines(marginal.header),
    }
    column = "chi2" if marginal.method == "profile" else "density"
    names = [*(axis.name for axis in marginal.axes), column]
    meshes = np.meshgrid(*(axis.values for axis in marginal.axes), indexing="ij")
    columns = [*(mesh.ravel().tolist() for mesh in meshes), marginal.values.ravel().tolist()]
    text = table_text(about, names, zip(*columns, strict=True))
    write_text(path, text, overwrite=overwrite)


def _check(grid: Grid, keep: Sequence[str], method: str) -> None:
    names = [axis.name for axis in grid.axes]
    if method not in ("profile", "bayes"):
        raise InputError(
            f"unknown method {method!r}", where="--method", hint="write profile or bayes"
        )
    for name in keep:
        if name not in names or list(keep).count(name) > 1:
            raise InputError(
                f"{name} is kept but is no axis, or is kept twice",
                where="--keep",
                hint=f"name some of: {', '.join(names)}",
            )
    if not 1 <= len(keep) <= 2 or len(keep) == len(names):
        raise InputError(
            f"{len(keep)} of {len(names)} axes are kept",
            where="--keep",
            hint="keep one or two, and leave at least one to reduce",
        )
    for axis in grid.axes:
        if axis.points < 2:
            raise InputError(
                "the box is empty: its axis has a single point",
                where=f"--axis {axis.name}",
                hint="give at least two points",
            )


def _trapezoid(x: FloatArray) -> FloatArray:
    """Weights of the trapezoidal rule: the prior is flat in the parameter, however spaced."""
    weights = np.zeros_like(x)
    steps = np.diff(x)
    weights[:-1] += 0.5 * steps
    weights[1:] += 0.5 * steps
    return weights


def _box_weights(axes: Sequence[Axis]) -> FloatArray:
    weights = np.ones(())
    for axis in axes:
        weights = np.multiply.outer(weights, _trapezoid(axis.values))
    return weights


def _density_level(density: FloatArray, weights: FloatArray, probability: float) -> float:
    """Density above which lies the given probability."""
    order = np.argsort(density)[::-1]
    content = np.cumsum((density * weights)[order])
    return float(np.interp(probability * content[-1], content, density[order]))


def _positive_pieces(x: FloatArray, height: FloatArray) -> list[tuple[float, float]]:
    pieces: list[tuple[float, float]] = []
    start = float(x[0]) if height[0] >= 0.0 else None
    for i in range(1, x.size):
        if (height[i - 1] >= 0.0) == (height[i] >= 0.0):
            continue
        fraction = height[i - 1] / (height[i - 1] - height[i])
        crossing = float(x[i - 1] + fraction * (x[i] - x[i - 1]))
        if start is None:
            start = crossing
        else:
            pieces.append((start, crossing))
            start = None
    if start is not None:
        pieces.append((start, float(x[-1])))
    return pieces
