"""``fastscan sensitivity``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

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
    seed_option,
)
from fastscan.cli.output import print_json, progress_bar, say, show, warn
from fastscan.cli.words import about_likelihood, analysed, scenario_label
from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.inference.sensitivity import Expected, Scenario
    from fastscan.likelihoods import Likelihood
    from fastscan.scan import Axis

# A figure of exposures needs so many to be a curve.
_CURVE = 2


@example_command(
    "sensitivity",
    "fastscan sensitivity vector --poi g --axis mass_mev=0.1:100:30:log --toys 500 -o bands.png",
)
@analysis_options
@poi_option(
    "Parameter that limits are expected on; without one: the expected significance of what "
    "is set, or of the signal of the Standard Model.",
    required=False,
)
@profile_option("Parameter that chi2 is minimised over, as for limit; may be repeated.")
@click.option(
    "--exposure",
    "exposures",
    type=float,
    multiple=True,
    default=(1.0,),
    metavar="X",
    help="Mass times live time in units of the present one; may be repeated.",
)
@click.option(
    "--background",
    "backgrounds",
    type=float,
    multiple=True,
    default=(1.0,),
    metavar="X",
    help="Background rate in units of the present one; may be repeated.",
)
@click.option(
    "--threshold",
    "thresholds",
    type=float,
    multiple=True,
    metavar="EV",
    help="Ionisation energy all detectors see from, in eV; may be repeated [default: the present "
    "ones].",
)
@click.option(
    "--axis",
    metavar="NAME=START:STOP:N[:log]",
    shell_complete=complete_parameter,
    help="Values of another parameter at which limits are found, as masses.",
)
@cl_option("Confidence level.")
@click.option(
    "--toys",
    type=int,
    default=1000,
    show_default=True,
    metavar="N",
    help="Pseudo-experiments for the bands; 0: no bands.",
)
@seed_option
@out_option(
    "FILE.png|pdf|svg",
    "Draw the limits along the axis, or along several exposures, into this file.",
)
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    poi: str | None,
    profiled: tuple[str, ...],
    exposures: tuple[float, ...],
    backgrounds: tuple[float, ...],
    thresholds: tuple[float, ...],
    axis: str | None,
    cl: float,
    toys: int,
    seed: int,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Expected limits and their spread, or significances, of this or a scaled experiment.

    Every combination of exposure, background and threshold is one scenario. Errors scale as
    sqrt(background / exposure): the published ones are taken for all background. A lower threshold
    adds bins of the same width, which all detectors reach, with the background of the lowest
    observed bin. Expected are the counts of the Standard Model.
    """
    from fastscan.inference.goodness import doubtful_fits
    from fastscan.inference.sensitivity import Scenario, scaled
    from fastscan.likelihoods.levels import delta_chi2
    from fastscan.scan import Axis

    given = read_assignments(assignments)
    delta_chi2(cl)
    along = None if axis is None else Axis.parse(axis)
    if poi is None and (along is not None or out is not None or profiled):
        raise InputError(
            "limits need a parameter of interest", where="--poi", hint="name it, as in --poi g"
        )
    scenarios = list(
        dict.fromkeys(
            Scenario(*numbers) for numbers in product(exposures, backgrounds, thresholds or (None,))
        )
    )
    if out is not None:
        from fastscan.plotting import check_figure_path

        check_figure_path(out, overwrite=force)
        if along is None and len(set(exposures)) < _CURVE:
            raise InputError(
                "a figure of one number",
                where="-o",
                hint="give an --axis, or --exposure more than once",
            )
    likelihood = make_likelihood(**analysis, quiet=quiet)
    with progress_bar("building tensors", quiet=quiet) as advance:
        likelihoods = [
            scaled(likelihood, s, analysis["tables"], lambda label, done: advance(done, 1.0, label))
            for s in scenarios
        ]
    # Of the counts seen only a scenario that changes nothing knows.
    warnings = doubtful_fits(likelihood) if likelihood in likelihoods else []
    warn(warnings)
    about = {
        **analysed(likelihood),
        "set": given,
        "warnings": warnings,
    }
    if poi is None:
        _significances(about, likelihood, scenarios, likelihoods, given, as_json)
        return
    arguments = {"profiled": profiled or None, "cl": cl, "toys": toys, "seed": seed}
    with progress_bar("fitting toys", quiet=quiet) as advance:
        found = [
            _limits(each, likelihood, poi, given, along, arguments, i, len(scenarios), advance)
            for i, each in enumerate(likelihoods)
        ]
    names = likelihood.profiled_names(poi, given, profiled or None)
    held = likelihood.parameters(given, (poi, *names, *([] if along is None else [along.name])))
    if out is not None:
        from fastscan.cli.bands import save_bands

        save_bands(likelihood, scenarios, found, along, held, out, force)
    if as_json:
        print_json(
            {
                **about,
                "parameters": held,
                "profiled": names,
                "poi": poi,
                "unit": found[0][0].unit,
                "cl": cl,
                "toys": toys,
                "seed": seed,
                "axis": None if along is None else along.to_dict(),
                "file": out,
                "scenarios": [
                    {**_words(s), "points": [_point(e) for e in points]}
                    for s, points in zip(scenarios, found, strict=True)
                ],
            }
        )
        return
    _tell(likelihood, scenarios, found, along, held, names)
    if out is not None and not quiet:
        say(f"figure in {out}")


def _limits(
    likelihood: Likelihood,
    present: Likelihood,
    poi: str,
    given: dict[str, float],
    along: Axis | None,
    arguments: dict[str, Any],
    scenario: int,
    scenarios: int,
    advance: Callable[..., None],
) -> list[Expected]:
    from fastscan.inference.sensitivity import expected_limit, expected_limits

    observed = likelihood is present
    if along is None:
        advance(scenario, scenarios)
        return [expected_limit(likelihood, poi, given, observed=observed, **arguments)]
    return expected_limits(
        likelihood,
        poi,
        along.name,
        along.values,
        given,
        observed=observed,
        progress=lambda done, total: advance(scenario * total + done, scenarios * total),
        **arguments,
    )


def _significances(
    about: dict[str, Any],
    present: Likelihood,
    scenarios: Sequence[Scenario],
    likelihoods: Sequence[Likelihood],
    given: dict[str, float],
    as_json: bool,
) -> None:
    from fastscan.inference.sensitivity import (
        asimov,
        new_physics_significance,
        signal_significance,
    )

    point = present.parameters(given)
    new = any(
        point[p.name] != p.standard
        for p in present.model.parameters
        if p.kind == "coupling" and p.name != "sin2_theta_w"
    )
    rows = []
    for scenario, likelihood in zip(scenarios, likelihoods, strict=True):
        row = _words(scenario)
        if new:
            row["expected"] = new_physics_significance(likelihood, given)
        else:
            row["expected"] = signal_significance(asimov(likelihood, given), given)
            if likelihood is present:
                row["observed"] = signal_significance(likelihood, given)
        rows.append(row)
    what = "new physics over the Standard Model" if new else "a signal over none"
    if as_json:
        print_json(
            {
                **about,
                "parameters": point,
                "significance_of": what,
                "scenarios": [_plain(r) for r in rows],
            }
        )
        return
    say(about_likelihood(present, point))
    say(f"significance of {what}")
    for scenario, row in zip(scenarios, rows, strict=True):
        words = f"{scenario_label(scenario)}: expected {row['expected'].sigmas:.3f} sigma"
        if "observed" in row:
            seen = row["observed"]
            words += (
                f", observed {seen.sigmas:.3f} sigma at {seen.strength:.3f} times the expected one"
            )
        say(words)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        for key, value in row.items()
    }


def _words(scenario: Scenario) -> dict[str, Any]:
    return {
        "exposure": scenario.exposure,
        "background": scenario.background,
        "threshold_ev": scenario.threshold_ev,
    }


def _point(expected: Expected) -> dict[str, Any]:
    from fastscan.inference.sensitivity import BAND_SIGMAS

    return {
        "given": expected.given,
        "asimov": expected.asimov,
        "bands": {
            f"{sigma:+g}": band for sigma, band in zip(BAND_SIGMAS, expected.bands, strict=True)
        }
        if expected.toys
        else None,
        "observed": expected.observed,
    }


def _two_sided(likelihood: Likelihood, found: Sequence[Sequence[Expected]]) -> bool:
    """Whether the lower end of an interval says something: it is not always at the bound."""
    poi = found[0][0].poi
    bound = likelihood.model.parameter(poi).minimum
    return any(e.asimov[0] != bound for points in found for e in points)


def _tell(
    likelihood: Likelihood,
    scenarios: Sequence[Scenario],
    found: Sequence[Sequence[Expected]],
    along: Axis | None,
    held: dict[str, float],
    profiled: Sequence[str],
) -> None:
    from rich.table import Table

    first = found[0][0]
    unit = "" if first.unit == "1" else f" in {first.unit}"
    say(about_likelihood(likelihood, held, profiled))
    both = _two_sided(likelihood, found)
    table = Table(
        title=f"limits on {first.poi}{unit} at {100 * first.cl:g} % C.L., {first.toys} toys",
        title_justify="left",
    )
    heads = ["scenario", *([along.name] if along is not None else []), *(["end"] if both else [])]
    heads += ["-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma", "Asimov", "observed"]
    for head in heads:
        table.add_column(head, justify="left" if head == "scenario" else "right")
    for scenario, points in zip(scenarios, found, strict=True):
        for e in points:
            for end in (0, 1) if both else (1,):
                row = [scenario_label(scenario)]
                row += [f"{e.given[along.name]:.4g}"] if along is not None else []
                row += [("low", "high")[end]] if both else []
                row += [f"{v:.4g}" if e.toys else "" for v in e.bands[:, end]]
                row += [f"{e.asimov[end]:.4g}"]
                row += ["" if e.observed is None else f"{e.observed[end]:.4g}"]
                table.add_row(*row)
    show(table)
