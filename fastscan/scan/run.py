"""Run a scan: blocks under dask, results in a zarr store or in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import Likelihood
from fastscan.scan import store
from fastscan.scan.axes import Axis
from fastscan.scan.completion import Progress, fill_store
from fastscan.scan.executors import Index, executor
from fastscan.scan.grid import Grid
from fastscan.scan.provenance import scan_header
from fastscan.scan.result import MemoryScan, ScanResult
from fastscan.storage.paths import local_path
from fastscan.storage.plan import Plan
from fastscan.storage.writer import BlockWriter

__all__ = ["run_scan", "scan_in_memory"]

FloatArray = NDArray[np.float64]


def scan_in_memory(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] = (),
    workers: int | None = None,
    block_points: int | None = None,
) -> ScanResult:
    """Chi2 on a grid in memory, by threads.

    Parameters
    ----------
    likelihood, axes, given, profiled
        As for `fastscan.scan.Grid`; the result has the axes in the order given.
    workers : int, optional
        Threads; all processors by default.
    block_points : int, optional
        Grid points of one task; the values do not depend on it.

    Returns
    -------
    ScanResult
        Its ``chi2`` is an `xarray.DataArray` with named axes and units.

    Raises
    ------
    InputError
        Bad axes or parameters, or a grid larger than the memory.

    Examples
    --------
    >>> import fastscan
    >>> from fastscan import Axis
    >>> axes = [Axis("g", 1e-6, 1e-4, 3, "log"), Axis("mass_mev", 1.0, 10.0, 2)]
    >>> plane = fastscan.scan_in_memory(fastscan.likelihood("vector"), axes)
    >>> plane.chi2.sel(mass_mev=10.0, g=1e-5, method="nearest").round(3).item()
    6.867
    """
    grid = Grid(likelihood, axes, given, profiled)
    plan = _plan(grid, block_points)
    _try_corners(grid)
    try:
        out = np.empty(grid.shape)
    except MemoryError:
        raise InputError(
            f"a grid of {plan.points:.3g} points does not fit the memory",
            where="scan_in_memory",
            hint="use fewer points, or run_scan, which writes to disk",
        ) from None

    def evaluate(_: None, index: Index) -> None:
        slices = plan.slices(index)
        view = out[slices]
        if view.flags.c_contiguous:
            grid.evaluate(slices, view)
        else:
            view[...] = grid.evaluate(slices)

    with executor("threads", workers) as run:
        run(evaluate, None, plan.indices(), lambda: None)
    return MemoryScan(likelihood, scan_header(likelihood, grid), out, grid)


def run_scan(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    given: Mapping[str, float] | None = None,
    *,
    out: str | Path,
    profiled: Sequence[str] = (),
    scheduler: str = "threads",
    workers: int | None = None,
    resume: bool = False,
    block_points: int | None = None,
    dtype: str = "float64",
    progress: Progress | None = None,
) -> ScanResult:
    """Scan chi2 over a grid into a zarr store.

    Parameters
    ----------
    likelihood, axes, given, profiled
        As for `fastscan.scan.Grid`.
    out : path
        The store to make; it must not exist, unless ``resume``.
    scheduler : str
        ``threads``, ``processes``, or the address of a running dask scheduler, ``tcp://…``, whose
        workers see the same file system.
    workers : int, optional
        Threads or processes; all processors by default.
    resume : bool
        Continue a scan of the same header: blocks that are done stay as they are.
    block_points : int, optional
        Grid points of one task and chunk; the values do not depend on it.
    dtype : {"float64", "float32"}
        Of chi2 in the store. It is computed in double precision; ``float32`` is that rounded once,
        to a relative error of at most 6e-8 (an error of 6e-7 where chi2 is 10), in half the space.
        The summaries, and so the best fit, stay in double precision.
    progress : callable, optional
        Called with the number of blocks done and of all blocks.

    Returns
    -------
    ScanResult

    Raises
    ------
    InputError
        Bad axes, parameters, scheduler, worker number or dtype; a grid larger than the disk.
    StoreError
        The output exists, or is not the scan to resume.
    RunError
        The disk filled up or a worker died; finished blocks are kept.
    """
    path = local_path(out)
    grid = Grid(likelihood, axes, given, profiled)
    if dtype not in store.DTYPES:
        raise InputError(
            f"unknown dtype {dtype!r}", where="--dtype", hint=f"write {' or '.join(store.DTYPES)}"
        )
    header = {**scan_header(likelihood, grid), "dtype": dtype}
    plan = _plan(grid, block_points)
    _try_corners(grid)
    fill_store(
        path,
        store.scan_layout(dtype),
        header,
        grid.axes,
        [likelihood.model.parameter(axis.name) for axis in grid.axes],
        plan,
        compute_block,
        lambda plan: _Work(grid, plan, str(path.absolute()), dtype),
        scheduler=scheduler,
        workers=workers,
        resume=resume,
        progress=progress,
    )
    result = ScanResult.open(path)
    # What it was made with need not be made again.
    result.__dict__["_made_again"] = (likelihood, "")
    return result


@dataclass(frozen=True)
class _Work:
    """What every block of a scan shares."""

    grid: Grid
    plan: Plan
    path: str
    dtype: str

    @cached_property
    def writer(self) -> BlockWriter:
        """The store, opened once in each process."""
        return BlockWriter.open(Path(self.path), store.scan_layout(self.dtype), self.plan)

    @cached_property
    def _own(self) -> threading.local:
        return threading.local()

    def buffer(self, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Memory for a block, the same for each block of a thread.

        To map fresh memory takes several times as long as to compute what is put there.
        """
        points = prod(self.plan.block_shape)
        if not hasattr(self._own, dtype):
            setattr(self._own, dtype, np.empty(points, dtype))
        found: NDArray[Any] = getattr(self._own, dtype)
        return found[: prod(shape)].reshape(shape)

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in self.__dict__.items() if k not in ("writer", "_own")}


def compute_block(work: _Work, index: Index) -> None:
    """One task: compute a block and write it.

    Raises
    ------
    RunError
        The block could not be written.
    """
    slices = work.plan.slices(index)
    shape = tuple(s.stop - s.start for s in slices)
    chi2 = work.grid.evaluate(slices, work.buffer("float64", shape))
    best = int(chi2.argmin())
    position = np.unravel_index(best, shape)
    point = tuple(int(s.start + p) for s, p in zip(slices, position, strict=True))
    values: dict[str, Any] = {
        "block_chi2_min": float(chi2.flat[best]),
        "block_best_index": best,
        "block_alpha_hat": work.grid.alpha_hat(point),
    }
    if work.dtype != "float64":
        rounded = work.buffer(work.dtype, shape)
        rounded[...] = chi2
        chi2 = rounded
    values["chi2"] = chi2
    work.writer.write(index, values)


def _try_corners(grid: Grid) -> None:
    """Evaluate the corners: kernels compile before workers race for them, overflow shows early."""
    for corner in product(*({0, points - 1} for points in grid.shape)):
        grid.evaluate(tuple(slice(i, i + 1) for i in corner))


def _plan(grid: Grid, block_points: int | None) -> Plan:
    if block_points is None:
        block_points = grid.default_block_points
    if block_points < 1:
        raise InputError(
            f"blocks of {block_points} points", where="--block-points", hint="give at least 1"
        )
    return Plan.of(grid.shape, block_points)
