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
    from fastscan.inference.posterior import posterior
    from fastscan.likelihoods.levels import delta_chi2

    given = read_assignments(assignments)
    delta_chi2(cl)
    prior = _read_priors(priors, names)
    box = _read_boxes(boxes)
    if out is not None:
        from fastscan.plotting import check_figure_path

        check_figure_path(out, overwrite=force)
    likelihood = make_likelihood(**analysis, quiet=quiet)
    found = posterior(likelihood, names, given, prior=prior, box=box, cl=cl)
    if out is not None:
        from fastscan.plotting import save_result

        save_result(found, out, overwrite=force)
    warn(found.warnings)
    if as_json:
        print_json({**found.to_dict(), "file": out})
        return
    say(f"{found.words}; nuisances marginalised")
    say(found.headline)
    for line in found.details:
        say(line)
    if out is not None and not quiet:
        say(f"figure in {out}")


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
