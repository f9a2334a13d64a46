"""The parts of the engine one by one, each against the thing it should be compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from fastscan.bench.grids import GridCase, blocks_of, fresh_fill
from fastscan.bench.measure import Spread, in_turn, rate, ratio
from fastscan.bench.quadrature import PlainQuadrature
from fastscan.bench.report import Entry
from fastscan.likelihoods import Chi2Function, Likelihood
from fastscan.scan import Axis, Grid, find_boundary, run_scan, scan_in_memory
from fastscan.scan.store import compressors
from fastscan.tensors import build_response

__all__ = [
    "measure_boundary",
    "measure_coefficients",
    "measure_limits",
    "measure_nuisances",
    "measure_points",
    "measure_quadrature",
    "measure_start",
    "measure_tensors",
    "measure_zarr",
]

# Calls that are timed together.
_CALLS = 1000
# Typical sizes of the couplings, so that random points give counts of the order of the data's.
_SIZES = {"mu_nu": 1e-10, "q": 1e-12, "r2": 1e-32}


def measure_coefficients(
    likelihood: Likelihood, masses: int, workers: int, repetitions: int
) -> Iterator[Entry]:
    """Coefficients of many mediator masses, shared out to threads."""
    counts = likelihood.counts(("mass_mev", "g"))
    parts = np.array_split(np.geomspace(1e-2, 1e3, masses), 4 * workers)
    with ThreadPoolExecutor(workers) as pool:

        def task() -> None:
            list(pool.map(lambda part: counts.nominal({"mass_mev": part}), parts))

        seconds = in_turn(repetitions, {"coefficients": task})["coefficients"]
    yield Entry(
        f"{likelihood.model.name}_coefficients",
        Spread.of(1e4 / masses * s for s in seconds),
        "s",
        f"coefficients of 10 000 masses, {likelihood.model.name}, all threads",
        "<= 0.1",
    )


def measure_boundary(likelihood: Likelihood, masses: int, repetitions: int) -> Iterator[Entry]:
    """Exact boundaries without a grid."""
    axis = Axis("mass_mev", 1e-2, 1e3, masses, "log")
    seconds = in_turn(repetitions, {"boundary": lambda: find_boundary(likelihood, axis, "g")})
    yield Entry(
        "boundary",
        rate(masses, seconds["boundary"]),
        "masses/s",
        f"excluded couplings of {likelihood.model.name} at each mass, exact",
        ">= 1e5",
    )


def measure_points(likelihood: Likelihood, points: int, repetitions: int) -> Iterator[Entry]:
    """A list of points of all couplings, and one point alone, one thread."""
    names = [
        p.name
        for p in likelihood.model.parameters
        if p.name != "sin2_theta_w" and likelihood.felt(p.name)
    ]
    sizes = [_SIZES.get(name, _SIZES.get(name.partition("_")[0], 1.0)) for name in names]
    values = np.random.default_rng(1).uniform(0.0, 1.0, (points, len(names))) * sizes
    chi2 = Chi2Function(likelihood, names)
    one = values[0]

    def calls() -> None:
        for _ in range(_CALLS):
            chi2(one)

    seconds = in_turn(repetitions, {"points": lambda: chi2(values), "calls": calls})
    yield Entry(
        "point_list",
        rate(points, seconds["points"]),
        "points/s",
        f"random points of {len(names)} couplings of {likelihood.model.name}, one thread",
        ">= 2e7",
    )
    yield Entry(
        "point_call",
        Spread.of(s / _CALLS for s in seconds["calls"]),
        "s",
        f"one call for one point of {len(names)} couplings of {likelihood.model.name}",
        "<= 1.2e-5",
    )


def measure_nuisances(
    likelihood: Likelihood, points: int, side: int, workers: int, repetitions: int
) -> Iterator[Entry]:
    """Points with several nuisances, one thread, and a plane of them against a fill."""
    given, nuisances = {"mass_mev": 10.0}, len(likelihood.nuisance_names)
    form = likelihood.form(["g"], given)
    couplings = np.geomspace(1e-7, 1e-4, points)[:, None]
    seconds = in_turn(repetitions, {"points": lambda: form.values(couplings)})
    yield Entry(
        "nuisances",
        rate(points, seconds["points"]),
        "points/s",
        f"points of {likelihood.model.name} with {nuisances} nuisances profiled, one thread",
    )
    axes = [Axis("mass_mev", 1e-2, 1e3, side, "log"), Axis("g", 1e-8, 1e-2, side, "log")]
    plane = in_turn(
        repetitions,
        {
            "fill": lambda: fresh_fill((side, side), workers),
            "scan": lambda: scan_in_memory(likelihood, axes, workers=workers),
        },
    )
    about = f"{likelihood.model.name} plane with {nuisances} nuisances profiled: scan_in_memory"
    yield Entry("nuisances_plane", rate(side * side, plane["scan"]), "points/s", about)
    yield Entry(
        "nuisances_plane_over_fresh_fill",
        ratio(plane["fill"], plane["scan"]),
        "1",
        f"{about}, rate over a fill of memory not touched before",
    )


def measure_tensors(likelihood: Likelihood, repetitions: int) -> Iterator[Entry]:
    """Build of the response tensors, machine code there."""
    seconds = in_turn(repetitions, {"build": lambda: build_response(likelihood.experiments[0])})
    about = f"response tensors of {likelihood.experiment.name}, machine code there"
    yield Entry("tensor_build", Spread.of(seconds["build"]), "s", about)


def measure_quadrature(likelihood: Likelihood, side: int, repetitions: int) -> Iterator[Entry]:
    """A point by quadrature against a point of a grid, one thread each."""
    plain = PlainQuadrature(likelihood)
    axes = [Axis("mass_mev", 1e-2, 1e3, side, "log"), Axis("g", 1e-8, 1e-2, side, "log")]
    out = np.empty((side, side))

    def grid() -> None:
        Grid(likelihood, axes).evaluate((slice(None), slice(None)), out)

    seconds = in_turn(repetitions, {"point": lambda: plain.chi2(1.0, 1e-5), "grid": grid})
    yield Entry(
        "quadrature_point",
        Spread.of(seconds["point"]),
        "s",
        "one point of vector by scipy.integrate.quad at every recoil node",
    )
    points = [s / side**2 for s in seconds["grid"]]
    yield Entry(
        "quadrature_over_grid",
        ratio(seconds["point"], points),
        "1",
        f"the same, time over that of a point of a plane of {side} x {side}, all of it, one thread",
        ">= 1e6",
    )


def measure_limits(
    mediator: Likelihood, millicharge: Likelihood, repetitions: int
) -> Iterator[Entry]:
    """Exact limits, others held or profiled."""
    seconds = in_turn(
        repetitions,
        {
            "limit": lambda: mediator.limit("g", {"mass_mev": 10.0}),
            "profiled": lambda: millicharge.limit("q_ee"),
        },
    )
    yield Entry("limit", Spread.of(seconds["limit"]), "s", "limit on g of vector at 10 MeV")
    yield Entry(
        "limit_profiled",
        Spread.of(seconds["profiled"]),
        "s",
        "limit on q_ee of millicharge, its two other elements profiled",
    )


def measure_zarr(case: GridCase, workers: int, repetitions: int) -> Iterator[Entry]:
    """A scan into a zarr store against random data into an array of the same chunks and codec."""
    import zarr

    shape = tuple(axis.points for axis in case.axes)
    plan = blocks_of(shape, workers)
    block = np.random.default_rng(1).random(plan.block_shape)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        raw, ours = Path(folder, "raw.zarr"), Path(folder, "scan.zarr")

        def write_raw() -> None:
            shutil.rmtree(raw, ignore_errors=True)
            array = zarr.create_array(
                raw,
                shape=shape,
                chunks=plan.block_shape,
                dtype="float64",
                compressors=compressors(),
            )

            def one(index: tuple[int, ...]) -> None:
                slices = plan.slices(index)
                array[slices] = block[tuple(slice(s.stop - s.start) for s in slices)]

            list(pool.map(one, plan.indices()))

        def write_scan() -> None:
            shutil.rmtree(ours, ignore_errors=True)
            run_scan(case.likelihood, case.axes, out=ours, workers=workers, block_points=block.size)

        seconds = in_turn(repetitions, {"raw": write_raw, "scan": write_scan})
    yield Entry(
        "zarr_raw",
        rate(8e-9 * plan.points, seconds["raw"]),
        "GB/s",
        "random data into zarr, the scan's codec and chunks, before compression",
    )
    yield Entry(
        "zarr_scan_over_raw",
        ratio(seconds["scan"], seconds["raw"]),
        "1",
        f"{case.title}: time of a scan into zarr over that of random data",
        "<= 1.5",
    )


def measure_start(tables: str | Path | None, repetitions: int) -> Iterator[Entry]:
    """Whole processes against the imports that no use of the engine can do without."""
    program = ("-c", "from fastscan.cli import main; main()")
    environment = dict(os.environ)
    if tables is not None:
        environment["FASTSCAN_TABLES"] = str(tables)
    commands = {
        "imports": ("-c", "import numba, zarr"),
        "help": (*program, "--help"),
        "limit": (*program, "limit", "sm", "--poi", "sin2_theta_w"),
    }
    seconds = in_turn(
        repetitions,
        {name: partial(_python, words, environment) for name, words in commands.items()},
    )
    yield Entry("imports", Spread.of(seconds["imports"]), "s", 'python -c "import numba, zarr"')
    yield Entry(
        "help_over_imports",
        ratio(seconds["help"], seconds["imports"]),
        "1",
        "fastscan --help, time over that of the imports",
        "<= 0.3",
    )
    yield Entry(
        "limit_over_imports",
        ratio(seconds["limit"], seconds["imports"]),
        "1",
        "fastscan limit sm --poi sin2_theta_w, time over that of the imports",
        "<= 1.45",
    )


def _python(words: Sequence[str], environment: dict[str, str]) -> None:
    command = [sys.executable, *words]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
