"""``fastscan posterior``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import print_json, say, warn
from fastscan.cli.words import about_likelihood, analysed
from fastscan.exceptions import InputError


@example_command(
    "posterior",
    "fastscan posterior vector --poi g --set mass_mev=10 --prior flat-g2 -o posterior.png",
)
@analysis_options
@click.option(
    "--poi",
    "names",
    metavar="NAME",
    multiple=True,
    required=True,
    shell_complete=complete_parameter,
    help="Parameter of the posterior, once or twice; the others are held.",
)
@click.option(
    "--prior",
    "priors",
    metavar="[NAME=]flat-g|flat-g2|log-g",
    multiple=True,
    help="Flat in the parameter, its square or its logarithm [default: flat-g].",
)
@click.option(
    "--box",
    "boxes",
    metavar="NAME=LOW:HIGH",
    multiple=True,
    shell_complete=complete_parameter,
    help="Where the prior is not zero; an end may be left out, as in g=1e-7: [default: the "
    "parameter's range, cut where the likelihood has fallen to 1e-8].",
)
@cl_option("Probability, not sigmas.")
@out_option("FILE.png|pdf|svg", "Draw the posterior into this file.")
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    names: tuple[str, ...],
    priors: tuple[str, ...],
    boxes: tuple[str, ...],
    cl: float,
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Bayesian posterior of one or two parameters, by quadrature, without a grid or a sampler.

    Nuisances are marginalised with their normal priors, in closed form; `marginal --method bayes`
    keeps them profiled instead, which puts more weight on large signals. Credible regions are the
    densest ones, in units in which the prior is flat.
    """
    from fastscan.inference.edges import edge_words
    from fastscan.inference.goodness import doubtful_fits
    from fastscan.inference.posterior import PlanePosterior, posterior
    from fastscan.likelihoods.levels import delta_chi2

    given = read_assignments(assignments)
    delta_chi2(cl)
    prior = _read_priors(priors, names)
    box = _read_boxes(boxes)
    if out is not None:
        from fastscan.plotting import check_figure_path

        check_figure_path(out, overwrite=force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    found = posterior(likelihood, names, given, prior=prior, box=box)
    if out is not None:
        _draw(likelihood, found, names, cl, out, force)
    touches = found.touches(cl)
    warnings = doubtful_fits(likelihood, found.chi2_min, len(names))
    if touches:
        cut = edge_words(touches, "box")
        warnings.insert(0, f"{cut}: it ends where the prior does, not where the data do")
    if found.warning:
        warnings.insert(0, found.warning)
    warn(warnings)
    about = {
        **analysed(likelihood),
        "parameters": found.parameters,
        "cl": cl,
        "chi2_min": found.chi2_min,
        "quadrature_error": found.quadrature_error,
        "warning": found.warning,
        "touches": [touch.to_dict() for touch in touches],
        "warnings": warnings,
        "file": out,
    }
    if isinstance(found, PlanePosterior):
        about |= {
            "poi": found.names,
            "prior": found.priors,
            "box": found.boxes,
            "mode": found.mode,
            "level": found.level(cl),
            "contours": found.contours(cl),
            "marginal": {
                name: {
                    "median": found.quantile(name, 0.5),
                    "central": [found.quantile(name, p) for p in (0.5 - cl / 2, 0.5 + cl / 2)],
                    "upper_limit": found.quantile(name, cl),
                }
                for name in found.names
            },
        }
    else:
        one = found.credible(cl)
        about |= {
            "poi": one.poi,
            "unit": one.unit,
            "prior": one.prior,
            "box": one.box,
            "mode": one.mode,
            "intervals": one.intervals,
            "upper_limit": one.upper_limit,
            "median": found.quantile(0.5),
        }
    if as_json:
        print_json(about)
        return
    say(f"{about_likelihood(likelihood, found.parameters)}; nuisances marginalised")
    _tell(about)
    if out is not None and not quiet:
        say(f"figure in {out}")


def _tell(about: dict[str, Any]) -> None:
    level = f"{100 * about['cl']:g} %"
    if isinstance(about["poi"], str):
        unit = "" if about["unit"] == "1" else f" {about['unit']}"
        pieces = " or ".join(f"[{low:.5g}, {high:.5g}]" for low, high in about["intervals"])
        say(f"{about['poi']} in {pieces}{unit} at {level} credibility")
        say(
            f"{about['poi']} < {about['upper_limit']:.5g}{unit} at {level}; median "
            f"{about['median']:.5g}{unit}, mode {about['mode']:.5g}{unit}"
        )
        low, high = about["box"]
        say(f"prior {about['prior']} from {low:.4g} to {high:.4g}")
    else:
        mode = ", ".join(f"{n} = {v:.5g}" for n, v in zip(about["poi"], about["mode"], strict=True))
        say(f"mode {mode}, chi2 = {about['chi2_min']:.4f}")
        for name, prior, (low, high) in zip(
            about["poi"], about["prior"], about["box"], strict=True
        ):
            say(f"prior of {name}: {prior} from {low:.4g} to {high:.4g}")
        for name, one in about["marginal"].items():
            low, high = one["central"]
            say(
                f"{name} alone, the other integrated over: median {one['median']:.5g}, "
                f"central {level} [{low:.5g}, {high:.5g}], {level} below {one['upper_limit']:.5g}"
            )
        say(
            f"{level} credible: log likelihood above {about['level']:.5g} from its highest, "
            f"{len(about['contours'])} lines (see --json)"
        )


def _draw(
    likelihood: Any, found: Any, names: Sequence[str], cl: float, out: str, force: bool
) -> None:
    from fastscan.plotting import caption, save_figure
    from fastscan.plotting.posterior import posterior_figure

    parameters = [likelihood.model.parameter(name) for name in names]
    title = caption(
        likelihood.model,
        likelihood.experiment,
        found.parameters,
        likelihood.channels,
        method="Bayes, nuisances marginalised",
        level=f"{100 * cl:g} %",
    )
    figure = posterior_figure(found, parameters, cl=cl, title=title)
    save_figure(figure, out, description=f"posterior of {', '.join(names)}", overwrite=force)


def _read_priors(words: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Priors by name; a word without a name is that of all parameters."""
    priors: dict[str, str] = {}
    for word in words:
        name, equals, prior = word.partition("=")
        for own in (name,) if equals else names:
            if own in priors:
                raise InputError(f"two priors of {own}", where="--prior", hint="leave one out")
            priors[own] = prior if equals else word
    return priors


def _read_boxes(words: Sequence[str]) -> dict[str, tuple[float | None, float | None]]:
    boxes: dict[str, tuple[float | None, float | None]] = {}
    for word in words:
        name, equals, ends = word.partition("=")
        low, colon, high = ends.partition(":")
        try:
            if not (name and equals and colon):
                raise ValueError
            box = tuple(float(end) if end.strip() else None for end in (low, high))
        except ValueError:
            raise InputError(
                "box is not of the form NAME=LOW:HIGH",
                where=f"--box {word}",
                hint="write it as g=1e-7:1e-3",
            ) from None
        if name in boxes:
            raise InputError(f"two boxes of {name}", where="--box", hint="leave one out")
        boxes[name] = (box[0], box[1])
    return boxes
