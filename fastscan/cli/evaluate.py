"""``fastscan evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fastscan.cli.common import (
    LocalPath,
    OutPath,
    analysis_options,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import print_json, progress_bar, say, warn


@example_command("evaluate", "fastscan evaluate electromagnetic points.csv -o chi2.csv")
@analysis_options
@click.argument("points", metavar="POINTS", type=LocalPath())
@click.option(
    "--columns",
    metavar="NAME,NAME,...",
    help="Parameters of the columns of a .npy; tables name them themselves.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE.npy|csv|parquet",
    type=OutPath(),
    required=True,
    help="Where to write: .npy chi2 alone, the others points and chi2.",
)
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    points: str,
    columns: str | None,
    out: str,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Evaluate chi2 at any points, read and written in pieces.

    POINTS is a table of text (.csv, .txt, .dat) with a line of names, .parquet or .npy.

    Out of a parameter's range chi2 is infinite, and a column out_of_range (1 there, else 0) stands
    before it; where the counts overflow a double it is infinite, too.
    """
    from fastscan.likelihoods import Chi2Function
    from fastscan.scan import evaluate_points, open_points
    from fastscan.storage.replacement import check_free

    given = read_assignments(assignments)
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    source = open_points(points, names)
    check_free(out, overwrite=force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    chi2 = Chi2Function(likelihood, source.columns, given)
    with progress_bar("evaluating", quiet=quiet) as advance:
        found = evaluate_points(chi2, source, Path(out), overwrite=force, progress=advance)
    warnings = []
    if found.out_of_range:
        warnings.append(f"{found.out_of_range} points are out of range: chi2 is infinite there")
    if found.overflowing:
        warnings.append(
            f"the counts of {found.overflowing} points overflow: chi2 is infinite there"
        )
    warn(warnings)
    if as_json:
        print_json(
            {
                "file": out,
                "points": found.points,
                "columns": source.columns,
                "fixed": chi2.fixed,
                "out_of_range": found.out_of_range,
                "overflowing": found.overflowing,
                "warnings": warnings,
            }
        )
    elif not quiet:
        say(likelihood.provenance.words(chi2.fixed))
        say(f"chi2 of {found.points} points in {out}")
