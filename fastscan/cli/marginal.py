"""``fastscan marginal``."""

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
    profile_option,
    quiet_option,
    read_assignments,
    workers_option,
)
from fastscan.cli.output import print_json, progress_bar, say, warn


@example_command(
    "marginal",
    "fastscan marginal millicharge --axis q_ee=-3e-12:3e-12:121 --axis q_emu=-3e-12:3e-12:121 "
    "--axis q_etau=-3e-12:3e-12:121 --keep q_ee --method bayes -o q_ee.csv",
)
@analysis_options
@click.option(
    "--axis",
    "axes",
    metavar="NAME=START:STOP:N[:log]",
    multiple=True,
    required=True,
    shell_complete=complete_parameter,
    help="Points of a parameter; together they are the box.",
)
@click.option(
    "--keep",
    metavar="NAME",
    multiple=True,
    required=True,
    shell_complete=complete_parameter,
    help="Parameter that is kept, once or twice; the other axes are reduced.",
)
@profile_option(
    "Coupling that chi2 is minimised over at each point, by descents instead of an axis; may be "
    "repeated."
)
@click.option(
    "--method",
    metavar="profile|bayes",
    default="profile",
    show_default=True,
    help="Minimum of chi2, or posterior with priors flat in the box.",
)
@cl_option("Level of a band, and of the intervals that are printed for one kept parameter.")
@click.option(
    "--band",
    metavar="NAME",
    shell_complete=complete_parameter,
    help="Write, instead of chi2, how far this coupling reaches inside --cl at each kept point, "
    "the other axes free.",
)
@click.option(
    "--dof",
    type=int,
    metavar="N",
    help="Degrees of freedom of the band [default: the kept parameters and its coupling].",
)
@out_option(
    "FILE.csv|json|nc", "Where to write [default: MODEL-KEPT-METHOD.csv here, or -band-NAME.csv]."
)
@force_option
@workers_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    axes: tuple[str, ...],
    keep: tuple[str, ...],
    profiled: tuple[str, ...],
    method: str,
    cl: float,
    band: str | None,
    dof: int | None,
    out: str | None,
    force: bool,
    workers: int | None,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Profile or marginalise chi2 to one or two parameters, from a dense scan never stored.

    The posterior is that of exp(-chi2/2) with the nuisances profiled; `fastscan posterior`
    integrates over them, too. With --band: the lowest and highest value of another coupling inside
    the confidence region, at each point of the kept ones.
    """
    from fastscan.exceptions import InputError
    from fastscan.likelihoods import delta_chi2
    from fastscan.results import check_result_path, interval_words, with_unit
    from fastscan.scan import Axis, Band, Marginal, contour_band, marginalise

    given = read_assignments(assignments)
    parsed = [Axis.parse(text) for text in axes]
    delta_chi2(cl)
    if band is None and dof is not None:
        raise InputError(
            "--dof is for a band", where="--dof", hint="add --band NAME, or leave it out"
        )
    if band is not None and method != "profile":
        raise InputError(
            "a band is of the profile", where="--band", hint="leave out --method bayes"
        )
    if band is not None and profiled:
        raise InputError(
            "a band profiles the other axes", where="--profile", hint="give it an --axis instead"
        )
    likelihood = make_likelihood(**analysis, quiet=quiet)
    kept = "-".join(keep)
    what = method if band is None else f"band-{band}"
    path = check_result_path(out or f"{likelihood.model.name}-{kept}-{what}.csv", force=force)
    with progress_bar("scanning", quiet=quiet) as advance:
        options: dict[str, Any] = {"cl": cl, "workers": workers, "progress": advance}
        found: Band | Marginal
        if band is not None:
            found = contour_band(likelihood, parsed, keep, band, given, dof=dof, **options)
        else:
            found = marginalise(
                likelihood, parsed, keep, given, method=method, profiled=profiled, **options
            )
    found.write(path, force=force)
    warn(found.warnings)
    if as_json:
        print_json({"file": str(path), **found.to_dict()})
        return
    if quiet:
        return
    say(found.words)
    if isinstance(found, Band):
        say(f"reach of {band} along {' and '.join(keep)} in {path}")
        return
    if len(keep) == 1:
        unit = likelihood.model.parameter(keep[0]).unit
        pieces = with_unit(interval_words(found.intervals()), unit)
        say(f"{keep[0]} in {pieces} at {100 * cl:g} %")
        say(f"errors of the ends {interval_words(found.interval_errors(), 2)}")
    if method == "bayes":
        say("nuisances are profiled, not integrated over: see fastscan posterior")
    say(f"{method} of {' and '.join(keep)} in {path}")
