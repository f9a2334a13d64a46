"""Dense grids in memory against a plain fill of the same array by the same threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.bench.measure import in_turn, rate, ratio
from fastscan.bench.report import Entry
from fastscan.kernels import grid as grid_kernels
from fastscan.kernels.fill import fill
from fastscan.likelihoods import Likelihood
from fastscan.likelihoods.closed_grid import ClosedGrid
from fastscan.scan import DEFAULT_BLOCK_POINTS, Axis, Grid, Plan, scan_in_memory

__all__ = ["GridCase", "blocks_of", "fresh_fill", "measure_grid"]

FloatArray = NDArray[np.float64]
Slices = tuple[slice, ...]


@dataclass(frozen=True)
class GridCase:
    """A grid to measure: a model, and axes of which the last is a coupling."""

    name: str
    title: str
    likelihood: Likelihood
    axes: tuple[Axis, ...]


def blocks_of(shape: tuple[int, ...], workers: int) -> Plan:
    """Blocks of the default size, or smaller ones where that would leave a thread idle."""
    points = int(np.prod(shape))
    return Plan.of(shape, min(DEFAULT_BLOCK_POINTS, max(1, points // (4 * workers))))


def measure_grid(case: GridCase, workers: int, repetitions: int) -> Iterator[Entry]:
    """Rates of a grid: whole scans, the inner kernel, and reductions that write nothing."""
    grid = Grid(case.likelihood, case.axes)
    plan = blocks_of(grid.shape, workers)
    slices = [plan.slices(index) for index in plan.indices()]
    # Evaluated whole along the last axis, so that each block of the array is contiguous.
    closed = ClosedGrid(grid.form.counts, {axis.name: axis.values for axis in grid.axes})
    u = grid.axes[-1].values ** closed.power
    rows = [closed.rows(block) for block in slices]
    level = float(grid.evaluate(tuple(slice(0, 1) for _ in grid.shape)).min())
    out = np.empty(grid.shape)

    with ThreadPoolExecutor(workers) as pool:

        def parallel(task: Callable[[int], object]) -> Callable[[], None]:
            def run() -> None:
                for _ in pool.map(task, range(len(slices))):
                    pass

            return run

        def whole(task: Callable[[Grid, Slices], object]) -> Callable[[], None]:
            """All blocks of a grid that knows nothing yet: coefficients are part of its cost."""

            def run() -> None:
                fresh = Grid(case.likelihood, case.axes)
                parallel(lambda number: task(fresh, slices[number]))()

            return run

        def kernel(number: int) -> None:
            numerator, denominator = rows[number]
            block = _inner(u, slices[number])
            grid_kernels.ratio_rows(
                numerator, denominator, block, out[slices[number]].reshape(len(numerator), -1)
            )

        seconds = in_turn(
            repetitions,
            {
                "fill": parallel(lambda number: fill(1.0, out[slices[number]].reshape(-1))),
                "grid": whole(lambda fresh, block: fresh.evaluate(block, out[block])),
                "kernel": parallel(kernel),
                "minimum": whole(lambda fresh, block: fresh.minima(block)),
                "inside": whole(lambda fresh, block: fresh.inside(block, level)),
            },
            at_least_s=0.3 * repetitions,
        )
        fresh = in_turn(
            max(2, repetitions // 2),
            {
                "fill": lambda: fresh_fill(grid.shape, workers),
                "scan": lambda: scan_in_memory(
                    case.likelihood,
                    case.axes,
                    workers=workers,
                    block_points=int(np.prod(plan.block_shape)),
                ),
            },
        )
    points = plan.points
    key, title = case.name, case.title
    yield Entry(
        f"{key}_fill", rate(points, seconds["fill"]), "points/s", f"{title}: fill of its array"
    )
    yield Entry(f"{key}_grid", rate(points, seconds["grid"]), "points/s", f"{title}: chi2 into it")
    for name, what, wanted in (
        ("grid", "chi2 into an array, all of it, rate over that of its fill", ">= 0.8"),
        ("kernel", "the same without coefficients and the rows' polynomials", ">= 0.8"),
        ("minimum", "lowest chi2 of each row, nothing written", ">= 2"),
        ("inside", "points below a level in each row, nothing written", ">= 2"),
    ):
        value = ratio(seconds["fill"], seconds[name])
        yield Entry(f"{key}_{name}_over_fill", value, "1", f"{title}: {what}", wanted)
    yield Entry(
        f"{key}_scan_over_fresh_fill",
        ratio(fresh["fill"], fresh["scan"]),
        "1",
        f"{title}: scan_in_memory, rate over a fill of memory not touched before",
    )


def _inner(u: FloatArray, block: Slices) -> FloatArray:
    return u[block[-1]]


def fresh_fill(shape: tuple[int, ...], workers: int) -> None:
    """Fill memory that was not touched before, by threads, in blocks of a scan."""
    out = np.empty(shape)
    plan = blocks_of(shape, workers)
    with ThreadPoolExecutor(workers) as pool:
        blocks = (plan.slices(index) for index in plan.indices())
        list(pool.map(lambda block: fill(1.0, out[block].reshape(-1)), blocks))
