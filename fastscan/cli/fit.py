"""``fastscan fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import (
    analysis_options,
    complete_parameter,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    quiet_option,
    read_assignments,
    seed_option,
)
from fastscan.cli.output import print_json, say, show, warn
from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.results import Fit


@example_command("fit", "fastscan fit vector --set mass_mev=10 --free g -o fit.png")
@analysis_options
@click.option(
    "--free",
    "--poi",
    "free",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_parameter,
    help="Parameter to fit; may be repeated [default: the model's couplings that are not set, "
    "sin2_theta_w excepted].",
)
@click.option(
    "--toys",
    type=int,
    default=0,
    metavar="N",
    help="Pseudo-experiments for a p-value without the chi2 distribution [default: none].",
)
@seed_option
@out_option("FILE.png|pdf|svg", "Draw data, fit and residuals into this file.")
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    free: tuple[str, ...],
    toys: int,
    seed: int,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Fit a model and tell how good the fit is: chi2, p-value, pulls and residuals.

    Degrees of freedom are bins less free parameters; the p-value is approximate where a parameter
    is at a bound, as a coupling of zero is: --toys does without that.
    """
    from fastscan.inference.goodness import best_fit

    if toys < 0 or seed < 0:
        raise InputError(
            f"{toys} toys with seed {seed}", where="--toys, --seed", hint="give numbers from 0 up"
        )
    given = read_assignments(assignments)
    if out is not None:
        from fastscan.plotting import check_figure_path

        check_figure_path(out, overwrite=force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    fit = best_fit(likelihood, free or None, given, toys=toys, seed=seed)
    if out is not None:
        from fastscan.plotting import save_result

        save_result(fit, out, overwrite=force)
    warn(fit.warnings)
    if as_json:
        print_json({**fit.to_dict(), "file": out})
        return
    _tell(fit)
    if out is not None and not quiet:
        say(f"figure in {out}")


def _tell(fit: Fit) -> None:
    from rich.table import Table

    say(fit.words)
    for one in fit.bins:
        table = Table(title=f"{one.experiment}, {one.unit}", title_justify="left")
        for heading in ("bin [eV]", "data", "sigma", "SM", "fit", "(data - fit) / sigma"):
            table.add_column(heading, justify="right")
        columns = (fit.data, fit.sigma, fit.expected, fit.counts, fit.residuals)
        for i, row in enumerate(zip(*(column[one.place] for column in columns), strict=True)):
            numbers = (f"{value:.3f}" for value in row[:-1])
            edges = f"{one.edges_ev[i]:g} – {one.edges_ev[i + 1]:g}"
            table.add_row(edges, *numbers, f"{row[-1]:+.2f}")
        show(table)
    for line in fit.details:
        say(line)
