"""``fastscan limit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import (
    analysis_options,
    check_method,
    cl_option,
    example_command,
    json_option,
    make_likelihood,
    poi_option,
    profile_option,
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import print_json, progress_bar, say, warn
from fastscan.vocabulary import LIMIT_METHODS

if TYPE_CHECKING:
    from fastscan.results import Intervals


@example_command("limit", "fastscan limit vector --poi g --set mass_mev=10 --channels cevns")
@analysis_options
@poi_option()
@profile_option(
    "Parameter that chi2 is minimised over; may be repeated. millicharge and charge-radius "
    "profile their other two elements unless these are set."
)
@cl_option("Confidence level, one degree of freedom.")
@click.option(
    "--method",
    metavar="wilks|feldman-cousins|cls|bayes",
    default="wilks",
    show_default=True,
    help="How the level is reached: by the rise of chi2, by toys, or by a prior.",
)
@click.option(
    "--toys",
    metavar="N",
    type=int,
    help="Toys at each point near an end [default: 20000]; 0 with cls: formulas of large samples.",
)
@click.option("--seed", metavar="N", type=int, help="Seed of the toys [default: 0].")
@click.option(
    "--prior",
    metavar="flat-g|flat-g2",
    help="Prior of bayes [default: flat-g]; boxes and log-g: fastscan posterior.",
)
@click.option("--one-sided", is_flag=True, help="An upper limit alone, by wilks: 1.642 at 90 %.")
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    poi: str,
    profiled: tuple[str, ...],
    cl: float,
    method: str,
    toys: int | None,
    seed: int | None,
    prior: str | None,
    one_sided: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Find all allowed intervals of one parameter, exactly, without a grid.

    Intervals may be disjoint; a basin is the deepest minimum inside one. In JSON a bound that the
    data do not set is null, and named as unbounded.

    feldman-cousins has the coverage it states near bounds of a parameter, too; cls gives an upper
    limit; bayes the densest region of a posterior with the nuisances integrated out. Ends from toys
    have Monte Carlo errors, and are the same with any number of processors.
    """
    given = read_assignments(assignments)
    own = {"toys": toys, "seed": seed, "prior": prior, "one_sided": one_sided or None}
    chosen: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    check_method(method, LIMIT_METHODS, tuple(chosen))
    likelihood = make_likelihood(**analysis, quiet=quiet)
    with progress_bar("toys", quiet=quiet) as advance:
        limit: Intervals = likelihood.limit(
            poi,
            given,
            method=method,
            profiled=profiled or None,
            cl=cl,
            progress=advance,
            **chosen,
        )
    warn(limit.warnings)
    if as_json:
        print_json(limit.to_dict())
        return
    say(limit.words)
    say(f" {limit.tail}", name=limit.poi)
    for line in limit.details:
        say(line)
