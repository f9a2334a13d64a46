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
from fastscan.cli.words import about_header


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
@out_option("FILE.csv", "Where to write [default: MODEL-KEPT-METHOD.csv here, or -band-NAME.csv].")
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
    from fastscan.scan import Axis, contour_band, marginalise, write_band, write_marginal
    from fastscan.storage.replacement import check_free

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
    if band is not None:
        name = f"{likelihood.model.name}-{'-'.join(keep)}-band-{band}.csv"
        path = check_free(out or name, overwrite=force)
        with progress_bar("scanning", quiet=quiet) as advance:
            found = contour_band(
                likelihood,
                parsed,
                keep,
                band,
                given,
                cl=cl,
                dof=dof,
                workers=workers,
                progress=advance,
            )
        write_band(found, path, overwrite=force)
        warn(found.warnings)
        if as_json:
            print_json(
                {
                    "file": str(path),
                    "kept": keep,
                    "band": band,
                    "cl": cl,
                    "chi2_min": found.chi2_min,
                    "level": found.level,
                    "touches": [touch.to_dict() for touch in found.touches],
                    "warnings": found.warnings,
                    "header": found.header,
                }
            )
        elif not quiet:
            say(about_header(found.header))
            words = f"reach of {band} along {' and '.join(keep)} in {path}"
            say(words)
        return
    name = f"{likelihood.model.name}-{'-'.join(keep)}-{method}.csv"
    path = check_free(out or name, overwrite=force)
    with progress_bar("scanning", quiet=quiet) as advance:
        marginal = marginalise(
            likelihood,
            parsed,
            keep,
            given,
            method=method,
            profiled=profiled,
            workers=workers,
            progress=advance,
        )
    write_marginal(marginal, path, cl=cl, overwrite=force)
    intervals = marginal.intervals(cl) if len(keep) == 1 else None
    errors = marginal.interval_errors(cl) if len(keep) == 1 else None
    warnings = marginal.warnings(cl)
    warn(warnings)
    if as_json:
        print_json(
            {
                "file": str(path),
                "method": method,
                "kept": keep,
                "cl": cl,
                "chi2_min": marginal.chi2_min,
                "grid_chi2_min": marginal.grid_chi2_min,
                "best_fit": marginal.minimum.point,
                "nuisances": "profiled",
                "intervals": intervals,
                "interval_errors": errors,
                "touches": [touch.to_dict() for touch in marginal.touches(cl)],
                "warnings": warnings,
                "header": marginal.header,
            }
        )
        return
    if not quiet:
        say(about_header(marginal.header))
        if intervals is not None and errors is not None:
            pieces = " or ".join(f"[{low:.5g}, {high:.5g}]" for low, high in intervals)
            unit = likelihood.model.parameter(keep[0]).unit
            words = f"{keep[0]} in {pieces}{'' if unit == '1' else f' {unit}'} at {100 * cl:g} %"
            say(words)
            pairs = " or ".join(f"[{low:.2g}, {high:.2g}]" for low, high in errors)
            say(f"errors of the ends {pairs}")
        if method == "bayes":
            say("nuisances are profiled, not integrated over: see fastscan posterior")
        say(f"{method} of {' and '.join(keep)} in {path}")
