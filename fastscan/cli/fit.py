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
from fastscan.cli.words import about_likelihood, analysed
from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.inference.goodness import Fit
    from fastscan.likelihoods import Likelihood


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
    from fastscan.inference.goodness import best_fit, doubtful_fits

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
        _draw(likelihood, fit, out, force)
    warnings = doubtful_fits(likelihood, fit.chi2_min, len(fit.free))
    warn(warnings)
    if as_json:
        print_json({**_about(likelihood, fit), "file": out, "warnings": warnings})
        return
    _tell(likelihood, fit)
    if out is not None and not quiet:
        say(f"figure in {out}")


def _about(likelihood: Likelihood, fit: Fit) -> dict[str, Any]:
    return {
        **analysed(likelihood),
        "free": fit.free,
        "parameters": fit.parameters,
        "chi2_min": fit.chi2_min,
        "ndf": fit.ndf,
        "p_value": fit.p_value,
        "alpha_hat": fit.alpha_hat,
        "pulls": fit.pulls,
        "toys": None
        if fit.toys is None
        else {
            "p_value": fit.toys.p_value,
            "error": fit.toys.error,
            "toys": fit.toys.toys,
            "seed": fit.toys.seed,
        },
        "experiments": {
            experiment.name: {
                "edges_ev": experiment.observation.edges_ev,
                "unit": experiment.observation.unit,
                "data": fit.data[bins],
                "sigma": fit.sigma[bins],
                "standard_model": fit.expected[bins],
                "nominal": fit.nominal[bins],
                "fitted": fit.counts[bins],
                "residuals": fit.residuals[bins],
            }
            for experiment, bins in zip(likelihood.experiments, likelihood.bin_slices, strict=True)
        },
    }


def _tell(likelihood: Likelihood, fit: Fit) -> None:
    from rich.table import Table

    held = {name: value for name, value in fit.parameters.items() if name not in fit.free}
    say(about_likelihood(likelihood, held))
    for experiment, bins in zip(likelihood.experiments, likelihood.bin_slices, strict=True):
        observation = experiment.observation
        table = Table(title=f"{experiment.name}, {observation.unit}", title_justify="left")
        for heading in ("bin [eV]", "data", "sigma", "SM", "fit", "(data - fit) / sigma"):
            table.add_column(heading, justify="right")
        edges = observation.edges_ev
        columns = (fit.data, fit.sigma, fit.expected, fit.counts, fit.residuals)
        for i, row in enumerate(zip(*(column[bins] for column in columns), strict=True)):
            numbers = (f"{value:.3f}" for value in row[:-1])
            table.add_row(f"{edges[i]:g} – {edges[i + 1]:g}", *numbers, f"{row[-1]:+.2f}")
        show(table)
    for name, value in fit.free.items():
        unit = likelihood.model.parameter(name).unit
        say(f"{name} = {value:.5g}{'' if unit == '1' else f' {unit}'}")
    say(f"chi2 = {fit.chi2_min:.4f} for {fit.ndf} degrees of freedom, p = {fit.p_value:.4g}")
    if fit.toys is not None:
        say(
            f"p = {fit.toys.p_value:.4g} +- {fit.toys.error:.2g} from {fit.toys.toys} toys, "
            f"seed {fit.toys.seed}"
        )
    pulls = ", ".join(f"{name} {pull:+.3f}" for name, pull in fit.pulls.items())
    say(f"pulls in standard deviations: {pulls}")


def _draw(likelihood: Likelihood, fit: Fit, out: str, force: bool) -> None:
    from fastscan.plotting import caption, save_figure
    from fastscan.plotting.residuals import ResidualPanel, residual_figure

    free = [likelihood.model.parameter(name) for name in fit.free]
    held = {name: value for name, value in fit.parameters.items() if name not in fit.free}
    panels = [
        ResidualPanel(
            title=caption(
                likelihood.model,
                experiment,
                held,
                likelihood.channels,
                method=f"free: {', '.join(f'${p.symbol}$' for p in free)}" if free else "",
            ),
            unit=experiment.observation.unit,
            edges_ev=experiment.observation.edges_ev,
            data=fit.data[bins],
            sigma=fit.sigma[bins],
            expected=fit.expected[bins],
            fitted=fit.counts[bins],
        )
        for experiment, bins in zip(likelihood.experiments, likelihood.bin_slices, strict=True)
    ]
    label = rf"best fit, $\chi^2$ = {fit.chi2_min:.2f} / {fit.ndf}"
    figure = residual_figure(panels, label=label)
    save_figure(figure, out, description=f"fit of {likelihood.model.name}", overwrite=force)
