"""``fastscan impacts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastscan.cli.common import (
    analysis_options,
    cl_option,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    poi_option,
    profile_option,
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import bold, print_json, progress_bar, say, show, warn

if TYPE_CHECKING:
    from fastscan.results import Impacts


@example_command(
    "impacts",
    "fastscan impacts sm --poi sin2_theta_w --experiment conus-plus-shapes -o impacts.png",
)
@analysis_options
@poi_option()
@profile_option("Parameter that chi2 is minimised over; may be repeated.")
@cl_option("Confidence level of the limits, one degree of freedom.")
@out_option("FILE.csv|json|nc|png|pdf|svg", "Write the table, or draw it, into this file.")
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    poi: str,
    profiled: tuple[str, ...],
    cl: float,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Rank the nuisances by what they do to one parameter.

    Pulls are in standard deviations before the fit, with their errors after it. A shift is that of
    the best fit when the nuisance is held one standard deviation (after the fit) below or above
    its pull and all others are fitted again; the last column is the limit without the nuisance.
    """
    from fastscan.inference.impacts import find_impacts
    from fastscan.results import FORMATS

    given = read_assignments(assignments)
    if out is not None:
        _check_out(out, force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    with progress_bar("fitting", quiet=quiet) as advance:
        found = find_impacts(
            likelihood,
            poi,
            given,
            profiled=profiled or None,
            cl=cl,
            progress=lambda label, done: advance(done, 1.0, label),
        )
    if out is not None:
        if Path(out).suffix.lower() in FORMATS:
            found.write(out, force=force)
        else:
            from fastscan.plotting import save_result

            save_result(found, out, overwrite=force)
    warn(found.warnings)
    if as_json:
        print_json({**found.to_dict(), "file": out})
        return
    say(found.words)
    _tell(found)
    if out is not None and not quiet:
        say(f"impacts in {out}")


def _check_out(out: str, force: bool) -> None:
    from fastscan.results import FORMATS, check_result_path

    if Path(out).suffix.lower() in FORMATS:
        check_result_path(out, force=force)
        return
    from fastscan.plotting import check_figure_path

    check_figure_path(out, overwrite=force)


def _tell(found: Impacts) -> None:
    from rich.table import Table

    from fastscan.results import interval_words

    unit = "" if found.unit == "1" else f" {found.unit}"
    level = f"{100 * found.cl:g} % C.L."
    table = Table(
        "nuisance", "pull", "after the fit", "shift down", "shift up", f"{level} without it",
        title=f"impacts on {found.poi}{unit}", title_justify="left",
    )  # fmt: skip
    for row in found.rows:
        table.add_row(
            bold(row.name),
            f"{row.pull:+.3f}",
            f"{row.error:.4f}",
            f"{row.shift_down:+.4g}",
            f"{row.shift_up:+.4g}",
            interval_words(row.intervals),
        )
    show(table)
    pieces = interval_words(found.intervals)
    say(f"best fit {found.best_fit:.5g}{unit}, {pieces} at {level} with all")
