"""``fastscan boundary``."""

from __future__ import annotations

from typing import Any

import click

from fastscan.cli.common import (
    analysis_options,
    cl_option,
    complete_parameter,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    poi_option,
    profile_option,
    quiet_option,
    read_assignments,
    workers_option,
)
from fastscan.cli.output import print_json, say, warn


@example_command(
    "boundary",
    "fastscan boundary vector --axis mass_mev=0.01:1000:50:log --tolerance 1e-3 -o bl-exact.csv",
)
@analysis_options
@click.option(
    "--axis",
    metavar="NAME=START:STOP:N[:log]",
    required=True,
    shell_complete=complete_parameter,
    help="Points at which the boundary is found.",
)
@poi_option(
    "The coupling that is bounded [default: the model's first coupling off the axis].",
    required=False,
)
@profile_option(
    "Coupling that chi2 is minimised over: one whose square adds to that of --poi, as "
    "q_etau's does to q_emu's."
)
@cl_option("Confidence level.")
@click.option(
    "--dof", type=int, default=2, show_default=True, metavar="N", help="Degrees of freedom, 1 or 2."
)
@click.option(
    "--tolerance",
    type=float,
    metavar="X",
    help="Add points until lines between them are right to this relative accuracy.",
)
@out_option(
    "FILE.csv|json|nc", "Where to write [default: MODEL-EXPERIMENT-CHANNELS-boundary.csv here]."
)
@force_option
@workers_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    axis: str,
    poi: str | None,
    profiled: tuple[str, ...],
    cl: float,
    dof: int,
    tolerance: float | None,
    out: str | None,
    force: bool,
    workers: int | None,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Find the exact excluded intervals of a coupling along an axis: roots, no grid.

    The level is the lowest chi2 of the plane, on the axis or off it, plus the rise for --cl and
    --dof.
    """
    from fastscan.exceptions import InputError
    from fastscan.results import check_result_path
    from fastscan.scan import Axis, find_boundary

    given = read_assignments(assignments)
    parsed = Axis.parse(axis)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    couplings = [p.name for p in likelihood.model.parameters if p.kind == "coupling"]
    free = [name for name in couplings if name != parsed.name and name not in given]
    if poi is None and not free:
        raise InputError("no coupling is left to bound", where="--poi", hint="set fewer parameters")
    name = f"{likelihood.model.name}-{likelihood.experiment.name}-{likelihood.channels}"
    path = check_result_path(out or f"{name}-boundary.csv", force=force)
    boundary = find_boundary(
        likelihood,
        parsed,
        poi or free[0],
        given,
        cl=cl,
        dof=dof,
        tolerance=tolerance,
        workers=workers,
        profiled=profiled,
    )
    boundary.write(path, force=force)
    warn(boundary.warnings)
    if as_json:
        print_json({"file": str(path), **boundary.to_dict()})
    elif not quiet:
        best = ", ".join(f"{name} = {value:.5g}" for name, value in boundary.best_fit.items())
        say(boundary.words)
        say(f"boundary at {len(boundary.values)} points in {path}")
        say(f"best fit: {best}; chi2 = {boundary.chi2_min:.4f}")
