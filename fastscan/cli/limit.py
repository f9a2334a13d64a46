"""``fastscan limit``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
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
from fastscan.cli.words import about_likelihood, analysed
from fastscan.vocabulary import LIMIT_METHODS

if TYPE_CHECKING:
    from fastscan.likelihoods import Likelihood


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
    data do not set is null.

    feldman-cousins has the coverage it states near bounds of a parameter, too; cls gives an upper
    limit; bayes the densest region of a posterior with the nuisances integrated out. Ends from toys
    have Monte Carlo errors, and are the same with any number of processors.
    """
    given = read_assignments(assignments)
    chosen = {k: v for k, v in {"toys": toys, "seed": seed}.items() if v is not None}
    named = {"prior": prior is not None, "one_sided": one_sided}
    check_method(
        method, LIMIT_METHODS, [*chosen, *(name for name, given in named.items() if given)]
    )
    likelihood = make_likelihood(**analysis, quiet=quiet)
    if method != "wilks":
        found = _FINDERS[method](likelihood, poi, given, profiled or None, cl, chosen, prior, quiet)
        _report(likelihood, method, found, as_json)
        return
    from fastscan.inference.goodness import doubtful_fits

    limit = likelihood.limit(poi, given, profiled=profiled or None, cl=cl, one_sided=one_sided)
    warnings = doubtful_fits(likelihood, limit.chi2_min, 1 + len(limit.profiled))
    if limit.degenerate:
        makes_up = f"{' and '.join(limit.profiled)} can make up for it"
        why = makes_up if limit.profiled else "no count depends on it here"
        warnings.append(
            f"degenerate: chi2 is the same at every {poi}, as {why}; the data set no limit, and "
            "the best fit is one of many"
        )
    warn(warnings)
    if as_json:
        print_json(
            {
                **analysed(likelihood),
                "parameters": limit.parameters,
                "poi": limit.poi,
                "unit": limit.unit,
                "cl": limit.cl,
                "delta_chi2": limit.delta_chi2,
                "one_sided": limit.one_sided,
                "best_fit": limit.best_fit,
                "chi2_min": limit.chi2_min,
                "intervals": limit.intervals,
                "degenerate": limit.degenerate,
                "profiled": limit.profiled,
                "best_fit_profiled": limit.best_basin.profiled,
                "basins": [asdict(basin) for basin in limit.basins],
                "warnings": warnings,
            }
        )
        return
    unit = "" if limit.unit == "1" else f" {limit.unit}"
    pieces = " or ".join(f"[{low:.5g}, {high:.5g}]" for low, high in limit.intervals)
    say(about_likelihood(likelihood, limit.parameters, limit.profiled))
    say(
        f" in {pieces}{unit} at {100 * limit.cl:g} % C.L. "
        f"({'one-sided, ' if limit.one_sided else ''}delta chi2 = {limit.delta_chi2:.4g})",
        name=limit.poi,
    )
    for basin in limit.basins:
        profiled_at = "".join(f", {name} = {v:.4g}" for name, v in basin.profiled.items())
        mark = "best fit" if basin.chi2 <= limit.chi2_min + 1e-9 else "basin"
        say(f"{mark} {basin.value:.5g}{unit}{profiled_at}, chi2 = {basin.chi2:.4f}")


def _feldman_cousins(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float],
    profiled: Sequence[str] | None,
    cl: float,
    chosen: Mapping[str, int],
    prior: str | None,
    quiet: bool,
) -> dict[str, Any]:
    from fastscan.inference.feldman_cousins import feldman_cousins
    from fastscan.scan.executors import default_workers

    with progress_bar("toys", quiet=quiet) as advance:
        limit = feldman_cousins(
            likelihood,
            poi,
            given,
            profiled=profiled,
            cl=cl,
            workers=default_workers(),
            progress=lambda done, total: advance(done, total, f"{done} points"),
            **chosen,
        )
    return asdict(limit)


def _cls(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float],
    profiled: Sequence[str] | None,
    cl: float,
    chosen: Mapping[str, int],
    prior: str | None,
    quiet: bool,
) -> dict[str, Any]:
    from fastscan.inference.cls import cls_limit
    from fastscan.inference.feldman_cousins import DEFAULT_TOYS
    from fastscan.scan.executors import default_workers

    with progress_bar("toys", quiet=quiet) as advance:
        limit = cls_limit(
            likelihood,
            poi,
            given,
            profiled=profiled,
            cl=cl,
            workers=default_workers(),
            progress=lambda done, total: advance(done, total),
            **{"toys": DEFAULT_TOYS, **chosen},
        )
    found = asdict(limit)
    found["intervals"] = [(0.0, limit.upper_limit)]
    found["interval_errors"] = [(0.0, limit.upper_error)]
    return found


def _bayes(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float],
    profiled: Sequence[str] | None,
    cl: float,
    chosen: Mapping[str, int],
    prior: str | None,
    quiet: bool,
) -> dict[str, Any]:
    from fastscan.exceptions import InputError
    from fastscan.inference.posterior import credible_intervals

    if profiled:
        raise InputError(
            "a posterior of one parameter holds the others",
            where="--profile",
            hint="leave it out, or see fastscan posterior for a plane",
        )
    found = asdict(credible_intervals(likelihood, poi, given, prior=prior or "flat-g", cl=cl))
    held = likelihood.parameters(given, (poi,))
    return {**found, "best_fit": found.pop("mode"), "parameters": held, "profiled": ()}


_FINDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "feldman-cousins": _feldman_cousins,
    "cls": _cls,
    "bayes": _bayes,
}


def _report(likelihood: Likelihood, method: str, found: dict[str, Any], as_json: bool) -> None:
    from fastscan.inference.goodness import doubtful_fits

    warnings = [found["warning"]] if found.get("warning") else []
    warnings += doubtful_fits(likelihood, found["chi2_min"], 1 + len(found["profiled"]))
    warn(warnings)
    if as_json:
        print_json(
            {
                **analysed(likelihood),
                "method": method,
                **found,
                "warnings": warnings,
            }
        )
        return
    unit = "" if found["unit"] == "1" else f" {found['unit']}"
    pieces = " or ".join(f"[{low:.5g}, {high:.5g}]" for low, high in found["intervals"])
    words = method if method != "bayes" else f"bayes, prior {found['prior']}"
    say(about_likelihood(likelihood, found["parameters"], found["profiled"]))
    say(f" in {pieces}{unit} at {100 * found['cl']:g} % C.L. ({words})", name=found["poi"])
    if found.get("interval_errors") and found["toys"]:
        errors = " or ".join(f"[{low:.2g}, {high:.2g}]" for low, high in found["interval_errors"])
        say(f"Monte Carlo errors {errors}; {found['toys']} toys, seed {found['seed']}")
    if "asymptotic_upper_limit" in found:
        say(f"formulas of large samples: {found['asymptotic_upper_limit']:.5g}{unit}")
    mark = "mode" if method == "bayes" else "best fit"
    say(f"{mark} {found['best_fit']:.5g}{unit}, chi2 = {found['chi2_min']:.4f}")
