"""``fastscan sensitivity``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
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
from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.likelihoods import Likelihood
    from fastscan.results import Scenario, Sensitivity

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
    from fastscan.likelihoods.levels import delta_chi2
    from fastscan.results import Scenario
    from fastscan.scan import Axis
    from fastscan.scan.sensitivity import find_sensitivity

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
    if poi is None:
        _significances(likelihood, scenarios, given, analysis["tables"], as_json, quiet)
        return
    with progress_bar("fitting toys", quiet=quiet) as advance:
        found = find_sensitivity(
            likelihood,
            poi,
            given,
            axis=along,
            scenarios=scenarios,
            profiled=profiled or None,
            cl=cl,
            toys=toys,
            seed=seed,
            tables=analysis["tables"],
            progress=lambda label, done: advance(done, 1.0, label),
        )
    if out is not None:
        from fastscan.plotting import save_result

        save_result(found, out, overwrite=force)
    warn(found.warnings)
    if as_json:
        print_json({**found.to_dict(), "file": out})
        return
    _tell(found)
    if out is not None and not quiet:
        say(f"figure in {out}")


def _significances(
    present: Likelihood,
    scenarios: Sequence[Scenario],
    given: dict[str, float],
    tables: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    from fastscan.inference.sensitivity import (
        asimov,
        new_physics_significance,
        scaled,
        signal_significance,
    )

    point = present.parameters(given)
    new = any(
        point[p.name] != p.standard
        for p in present.model.parameters
        if p.kind == "coupling" and p.name != "sin2_theta_w"
    )
    rows = []
    with progress_bar("building tensors", quiet=quiet) as advance:
        for scenario in scenarios:
            likelihood = scaled(
                present, scenario, tables, lambda label, done: advance(done, 1.0, label)
            )
            row: dict[str, Any] = asdict(scenario)
            if new:
                row["expected"] = new_physics_significance(likelihood, given)
            else:
                row["expected"] = signal_significance(asimov(likelihood, given), given)
                if likelihood is present:
                    row["observed"] = signal_significance(likelihood, given)
            rows.append(row)
    what = "new physics over the Standard Model" if new else "a signal over none"
    if as_json:
        about = {**present.provenance.to_dict(), "set": given, "parameters": point}
        print_json({**about, "significance_of": what, "scenarios": rows})
        return
    say(present.provenance.words(point))
    say(f"significance of {what}")
    for scenario, row in zip(scenarios, rows, strict=True):
        words = f"{scenario.label}: expected {row['expected'].sigmas:.3f} sigma"
        if "observed" in row:
            seen = row["observed"]
            words += (
                f", observed {seen.sigmas:.3f} sigma at {seen.strength:.3f} times the expected one"
            )
        say(words)


def _tell(found: Sensitivity) -> None:
    from rich.table import Table

    first, unit = found.first, "" if found.first.unit == "1" else f" in {found.first.unit}"
    say(found.words)
    bound = found.provenance.known_model().parameter(first.poi).minimum
    # A lower end that is always at the bound says nothing.
    both = any(e.asimov[0] != bound for points in found.points for e in points)
    along = found.axis["name"] if found.axis else None
    table = Table(
        title=f"limits on {first.poi}{unit} at {100 * first.cl:g} % C.L., {first.toys} toys",
        title_justify="left",
    )
    heads = ["scenario", *([along] if along else []), *(["end"] if both else [])]
    heads += ["-2 sigma", "-1 sigma", "median", "+1 sigma", "+2 sigma", "Asimov", "observed"]
    for head in heads:
        table.add_column(head, justify="left" if head == "scenario" else "right")
    for scenario, points in zip(found.scenarios, found.points, strict=True):
        for e in points:
            for end in (0, 1) if both else (1,):
                row = [scenario.label, *([f"{e.given[along]:.4g}"] if along else [])]
                row += [("low", "high")[end]] if both else []
                row += [f"{v:.4g}" if e.toys else "" for v in e.bands[:, end]]
                row += [f"{e.asimov[end]:.4g}"]
                row += ["" if e.observed is None else f"{e.observed[end]:.4g}"]
                table.add_row(*row)
    show(table)
