"""``fastscan limit``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.likelihoods import Likelihood
    from fastscan.results import Intervals

# Methods, and the options that each uses.
METHODS = {
    "wilks": ("one-sided",),
    "feldman-cousins": ("toys", "seed"),
    "cls": ("toys", "seed"),
    "bayes": ("prior",),
}


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
    chosen = {k: v for k, v in {"toys": toys, "seed": seed}.items() if v is not None}
    named = {"prior": prior is not None, "one-sided": one_sided}
    check_method(method, METHODS, [*chosen, *(name for name, given in named.items() if given)])
    likelihood = make_likelihood(**analysis, quiet=quiet)
    with progress_bar("toys", quiet=quiet) as advance:
        limit = _find(
            likelihood,
            method,
            poi,
            given,
            profiled or None,
            cl,
            {
                **chosen,
                **({"prior": prior} if prior is not None else {}),
                **({"one_sided": True} if one_sided else {}),
            },
            advance,
        )
    warn(limit.warnings)
    if as_json:
        print_json(limit.to_dict())
        return
    say(limit.words)
    say(f" {limit.tail}", name=limit.poi)
    for line in limit.details:
        say(line)


def _find(
    likelihood: Likelihood,
    method: str,
    poi: str,
    given: Mapping[str, float],
    profiled: Sequence[str] | None,
    cl: float,
    chosen: Mapping[str, Any],
    advance: Callable[..., None],
) -> Intervals:
    if method == "bayes":
        from fastscan.inference.posterior import credible_intervals

        if profiled:
            raise InputError(
                "a posterior of one parameter holds the others",
                where="--profile",
                hint="leave it out, or see fastscan posterior for a plane",
            )
        return credible_intervals(likelihood, poi, given, cl=cl, **chosen)
    if method == "wilks":
        return likelihood.limit(poi, given, profiled=profiled, cl=cl, **chosen)
    from fastscan.scan.executors import default_workers

    workers = default_workers()
    if method == "cls":
        from fastscan.inference.cls import cls_limit
        from fastscan.inference.feldman_cousins import DEFAULT_TOYS

        return cls_limit(
            likelihood,
            poi,
            given,
            profiled=profiled,
            cl=cl,
            workers=workers,
            progress=advance,
            **{"toys": DEFAULT_TOYS, **chosen},
        )
    from fastscan.inference.feldman_cousins import feldman_cousins

    return feldman_cousins(
        likelihood,
        poi,
        given,
        profiled=profiled,
        cl=cl,
        workers=workers,
        progress=lambda done, total: advance(done, total, f"{done} points"),
        **chosen,
    )
