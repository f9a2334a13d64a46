"""``fastscan impacts``."""

from __future__ import annotations

from dataclasses import asdict
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
from fastscan.cli.words import about_likelihood, analysed

if TYPE_CHECKING:
    from fastscan.inference.impacts import Impacts
    from fastscan.likelihoods import Likelihood


@example_command(
    "impacts",
    "fastscan impacts sm --poi sin2_theta_w --experiment conus-plus-shapes -o impacts.png",
)
@analysis_options
@poi_option()
@profile_option("Parameter that chi2 is minimised over; may be repeated.")
@cl_option("Confidence level of the limits, one degree of freedom.")
@out_option("FILE.csv|png|pdf|svg", "Write the table, or draw it, into this file.")
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
    from fastscan.inference.goodness import doubtful_fits
    from fastscan.inference.impacts import find_impacts

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
    title = f"{likelihood.model.name}, {likelihood.experiment.name}"
    if out is not None:
        _write(likelihood, found, title, out, force)
    warnings = doubtful_fits(likelihood, found.chi2_min, 1 + len(found.profiled))
    warn(warnings)
    if as_json:
        print_json(analysed(likelihood) | asdict(found) | {"file": out, "warnings": warnings})
        return
    say(about_likelihood(likelihood, found.parameters, found.profiled))
    _tell(found)
    if out is not None and not quiet:
        say(f"impacts in {out}")


def _check_out(out: str, force: bool) -> None:
    if Path(out).suffix.lower() == ".csv":
        from fastscan.storage.replacement import check_free

        check_free(Path(out), overwrite=force)
        return
    from fastscan.plotting import check_figure_path

    check_figure_path(out, overwrite=force)


def _write(likelihood: Likelihood, found: Impacts, title: str, out: str, force: bool) -> None:
    if Path(out).suffix.lower() != ".csv":
        from fastscan.plotting import COLUMN_WIDTH_CM, caption, save_figure
        from fastscan.plotting.impacts import impacts_figure

        words = caption(
            likelihood.model,
            likelihood.experiment,
            found.parameters,
            likelihood.channels,
            level=f"{100 * found.cl:g} % C.L., Wilks",
            # Above the first of three panels; beside it stands a legend.
            width_cm=COLUMN_WIDTH_CM,
        )
        figure = impacts_figure(found, likelihood.model.parameter(found.poi), title=words)
        save_figure(figure, out, description=f"impacts on {found.poi}", overwrite=force)
        return
    from fastscan.storage.outputs import write_text
    from fastscan.storage.tables import table_text

    about = {
        "impacts on": f"{found.poi} in {found.unit}",
        "of": about_likelihood(likelihood, found.parameters, found.profiled),
        "best fit": f"{found.best_fit:.12g}",
        f"intervals at {100 * found.cl:g} % C.L.": _pieces(found.intervals),
        "pull, error": "standard deviations before the fit",
        "shift_down, shift_up": "of the best fit, nuisance one error below and above its pull",
        "low, high": "outermost ends of the intervals without the nuisance",
    }
    columns = ("nuisance", "pull", "error", "shift_down", "shift_up", "low", "high")
    rows = [
        (
            row.name,
            row.pull,
            row.error,
            row.shift_down,
            row.shift_up,
            min(low for low, _ in row.intervals),
            max(high for _, high in row.intervals),
        )
        for row in found.rows
    ]
    write_text(Path(out), table_text(about, columns, rows), overwrite=force)


def _tell(found: Impacts) -> None:
    from rich.table import Table

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
            _pieces(row.intervals),
        )
    show(table)
    say(f"best fit {found.best_fit:.5g}{unit}, {_pieces(found.intervals)} at {level} with all")


def _pieces(intervals: list[tuple[float, float]]) -> str:
    return " or ".join(f"[{low:.5g}, {high:.5g}]" for low, high in intervals)
