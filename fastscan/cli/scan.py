"""``fastscan scan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import (
    OutPath,
    analysis_options,
    check_method,
    complete_parameter,
    example_command,
    json_option,
    make_likelihood,
    profile_option,
    quiet_option,
    read_assignments,
    workers_option,
)
from fastscan.cli.output import print_json, progress_bar, say, warn
from fastscan.vocabulary import SCAN_METHODS

if TYPE_CHECKING:
    from fastscan.likelihoods import Likelihood
    from fastscan.scan import Axis


@example_command(
    "scan",
    "fastscan scan vector --axis mass_mev=0.01:1000:400:log "
    "--axis g=1e-7:1e-3:400:log --out bl.zarr",
    goes_on="--resume",
)
@analysis_options
@click.option(
    "--axis",
    "axes",
    metavar="NAME=START:STOP:N[:log]",
    multiple=True,
    required=True,
    shell_complete=complete_parameter,
    help="Points of a parameter, both ends included; once for each scanned parameter.",
)
@profile_option(
    "Coupling that chi2 is minimised over at each point; may be repeated. Values do not depend on "
    "blocks or workers."
)
@click.option(
    "--out",
    "-o",
    metavar="DIR.zarr",
    type=OutPath(),
    help="Where to write [default: MODEL-EXPERIMENT-CHANNELS-AXES.zarr here].",
)
@click.option("--resume", is_flag=True, help="Continue a scan that was interrupted.")
@click.option(
    "--scheduler",
    metavar="threads|processes|tcp://HOST:PORT",
    default="threads",
    show_default=True,
    help="Where the blocks are computed; tcp:// is a dask scheduler that runs.",
)
@workers_option
@click.option(
    "--block-points",
    metavar="N",
    type=int,
    help="Grid points of a task and a chunk; values do not depend on it [default: 4194304].",
)
@click.option(
    "--dtype",
    metavar="float64|float32",
    default="float64",
    show_default=True,
    help="Of chi2 in the store. It is computed in double precision; float32 is that rounded once, "
    "to a relative error of 6e-8 at most (6e-7 where chi2 is 10), in half the space.",
)
@click.option(
    "--method",
    metavar="wilks|feldman-cousins",
    default="wilks",
    show_default=True,
    help="feldman-cousins: critical values from toys at every point of a plane.",
)
@click.option(
    "--cl",
    type=float,
    metavar="X",
    help="Confidence level of critical values [default: 0.90].",
)
@click.option(
    "--toys",
    metavar="N",
    type=int,
    help="Least effective number of toys at a point [default: 1000]; more where it takes more.",
)
@click.option(
    "--precision",
    metavar="X",
    type=float,
    help="Relative Monte Carlo error of critical values, half of it near the border "
    "[default: 0.02].",
)
@click.option("--seed", metavar="N", type=int, help="Seed of the toys [default: 0].")
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    axes: tuple[str, ...],
    profiled: tuple[str, ...],
    out: str | None,
    resume: bool,
    scheduler: str,
    workers: int | None,
    block_points: int | None,
    dtype: str,
    method: str,
    cl: float | None,
    toys: int | None,
    precision: float | None,
    seed: int | None,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Scan chi2 over a grid into a zarr store that xarray.open_zarr reads.

    Every point keeps its absolute chi2. A scan that was interrupted continues with the same command
    and --resume; results are bit-identical for any number of workers and any block size.

    With --method feldman-cousins, each point of a mass and a coupling, or of two couplings, also
    gets the critical value of chi2 above its minimum, from toys that are fitted over the plane and
    shared by all points:
    contour and plot then draw a region of the coverage it states.
    """
    own = {"cl": cl, "toys": toys, "precision": precision, "seed": seed}
    chosen = {name: value for name, value in own.items() if value is not None}
    check_method(method, SCAN_METHODS, tuple(chosen))
    from fastscan.scan import Axis, run_scan

    given = read_assignments(assignments)
    parsed = [Axis.parse(text) for text in axes]
    likelihood = make_likelihood(**analysis, quiet=quiet)
    names = "-".join(axis.name for axis in parsed)
    default = f"{likelihood.model.name}-{likelihood.experiment.name}-{likelihood.channels}-{names}"
    if method == "feldman-cousins":
        uses = {method: (), "wilks": ("block-points", "dtype")}
        check_method(method, uses, ["block-points"] if block_points is not None else [])
        check_method(method, uses, ["dtype"] if dtype != "float64" else [])
        path = Path(out or f"{default}-feldman-cousins.zarr")
        options = {"scheduler": scheduler, "workers": workers, "resume": resume,
                   "profiled": profiled}  # fmt: skip
        _construct(likelihood, parsed, given, path, {**chosen, **options}, as_json, quiet)
        return
    path = Path(out or f"{default}.zarr")
    with progress_bar("scanning", quiet=quiet) as advance:
        result = run_scan(
            likelihood,
            parsed,
            given,
            out=path,
            profiled=profiled,
            scheduler=scheduler,
            workers=workers,
            resume=resume,
            block_points=block_points,
            dtype=dtype,
            progress=lambda done, total: advance(done, total, f"{done} of {total} blocks"),
        )
    warn(result.warnings)
    if as_json:
        print_json(result.to_dict())
        return
    if not quiet:
        best = result.best_fit
        say(result.words)
        shape = " x ".join(
            f"{n} {name}" for name, n in zip(result.names, result.shape, strict=True)
        )
        point = ", ".join(f"{name} = {value:.5g}" for name, value in best.point.items())
        say(f"{shape} points in {path}")
        say(f"best fit on the grid: {point}; chi2 = {best.chi2:.4f}")


def _construct(
    likelihood: Likelihood,
    axes: list[Axis],
    given: dict[str, float],
    path: Path,
    options: dict[str, Any],
    as_json: bool,
    quiet: bool,
) -> None:
    from fastscan.scan.construction import run_construction

    with progress_bar("constructing", quiet=quiet) as advance:
        result = run_construction(
            likelihood,
            axes,
            given,
            out=path,
            progress=lambda done, total: advance(done, total, f"{done} of {total} rows"),
            **options,
        )
    warn(result.warnings)
    if as_json:
        print_json(result.to_dict())
    elif not quiet:
        best = result.best_fit
        say(result.words)
        point = ", ".join(f"{name} = {value:.5g}" for name, value in best.point.items())
        shape = " x ".join(
            f"{n} {name}" for name, n in zip(result.names, result.shape, strict=True)
        )
        say(f"{shape} points in {path}")
        say(f"best fit: {point}; chi2 = {best.chi2:.4f}")
        say(
            f"{int(result.toys.min())} toys or more at a point; critical values from "
            f"{result.critical_value.min():.3g} to {result.critical_value.max():.3g}, "
            f"errors at most {100 * result.largest_relative_error:.2g} %"
        )
