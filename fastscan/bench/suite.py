"""All benchmarks of ``fastscan bench``, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fastscan.bench import engine
from fastscan.bench.baselines import measure_baselines
from fastscan.bench.grids import GridCase, measure_grid
from fastscan.bench.report import Entry, Report, machine
from fastscan.bench.toys import measure_toys
from fastscan.exceptions import InputError
from fastscan.likelihoods import Likelihood, likelihood
from fastscan.scan import Axis, default_workers

__all__ = ["grid_cases", "run_suite"]

_MODELS = ("sm", "vector", "scalar", "millicharge", "electromagnetic")


def grid_cases(models: dict[str, Likelihood], points: int) -> dict[str, GridCase]:
    """Two planes of a mass and a coupling, and a cube of millicharges, of about so many points."""
    side, edge = round(points**0.5), round(points ** (1 / 3))
    plane = (Axis("mass_mev", 1e-2, 1e3, side, "log"), Axis("g", 1e-8, 1e-2, side, "log"))
    cube = tuple(Axis(name, -4e-12, 4e-12, edge) for name in ("q_ee", "q_emu", "q_etau"))
    return {
        "vector": GridCase("vector", "vector plane", models["vector"], plane),
        "scalar": GridCase("scalar", "scalar plane", models["scalar"], plane),
        "millicharge": GridCase("millicharge", "millicharge cube", models["millicharge"], cube),
    }


def run_suite(
    *,
    quick: bool = False,
    workers: int | None = None,
    tables: str | Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Report:
    """Measure everything, about a minute; ``quick``: some seconds, on arrays that fit caches.

    Parameters
    ----------
    quick : bool
    workers : int, optional
        Threads; all processors by default.
    tables : path, optional
        Directory of the tensor stores, see `fastscan.tensors.load_response`.
    progress : callable, optional
        Called with the name of the part under way and the fraction done.

    Raises
    ------
    InputError
        Fewer than one worker.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers", where="--workers", hint="give at least 1")
    threads = workers or default_workers()
    points, repetitions = (1_000_000, 2) if quick else (36_000_000, 5)
    models = {name: likelihood(name, tables=tables) for name in _MODELS}
    cases = grid_cases(models, points)
    few = max(2, repetitions // 2)
    measurements: dict[str, Callable[[], Iterator[Entry]]] = {
        "start-up": partial(engine.measure_start, tables, few),
        **{name: partial(measure_grid, case, threads, repetitions) for name, case in cases.items()},
        "coefficients": partial(
            engine.measure_coefficients,
            models["vector"],
            1_000 if quick else 10_000,
            threads,
            repetitions,
        ),
        "boundary": partial(
            engine.measure_boundary, models["vector"], 1_000 if quick else 20_000, repetitions
        ),
        "points": partial(
            engine.measure_points,
            models["electromagnetic"],
            100_000 if quick else 2_000_000,
            repetitions,
        ),
        "quadrature": partial(
            engine.measure_quadrature, models["vector"], 300 if quick else 3_000, few
        ),
        "baselines": partial(
            measure_baselines,
            models["vector"],
            round(points**0.5),
            300 if quick else 600,
            threads,
            few,
        ),
        "tensors": partial(engine.measure_tensors, models["sm"], repetitions),
        "limits": partial(
            engine.measure_limits, models["vector"], models["millicharge"], repetitions
        ),
        "toys": partial(
            measure_toys, models["vector"], models["sm"], 20_000 if quick else 200_000, repetitions
        ),
        "nuisances": partial(
            engine.measure_nuisances,
            likelihood("vector", "conus-plus-shapes", tables=tables),
            20_000 if quick else 200_000,
            round(points**0.5),
            threads,
            few,
        ),
        "zarr": partial(engine.measure_zarr, cases["vector"], threads, few),
    }
    report = Report(
        machine(),
        {"quick": quick, "workers": threads, "repetitions": repetitions, "points": points},
    )
    for number, (name, measure) in enumerate(measurements.items()):
        if progress is not None:
            progress(name, number / len(measurements))
        report.entries.extend(measure())
    if progress is not None:
        progress("done", 1.0)
    return report
