"""``fastscan coverage``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import (
    cl_option,
    example_command,
    experiment_option,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    quiet_option,
    seed_option,
    tables_option,
)
from fastscan.cli.output import print_json, progress_bar, say, show

if TYPE_CHECKING:
    from fastscan.likelihoods import Likelihood
    from fastscan.results import Coverage

# The readings of the papers that print limits.
_PAPERS = {"C25": "conus-plus-c25", "A25": "conus-plus-a25"}


@dataclass(frozen=True)
class _Case:
    """A point whose coverage is asked for."""

    source: str
    likelihood: Likelihood
    poi: str
    value: float
    given: dict[str, float]
    cl: float


@example_command("coverage", "fastscan coverage magnetic-moment --toys 1000")
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@experiment_option
@cl_option("Confidence level.")
@click.option(
    "--toys", type=int, default=10_000, show_default=True, metavar="N", help="Toys at each point."
)
@seed_option
@out_option("FILE.csv", "Write the table as CSV, too.")
@tables_option
@force_option
@json_option
@quiet_option
def command(
    models: tuple[str, ...],
    experiments: tuple[str, ...],
    cl: float,
    toys: int,
    seed: int,
    out: str | None,
    tables: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find how often limits hold the truth: by Wilks, Feldman-Cousins, CLs and Bayes.

    Experiments are repeated with the parameter at its own limit (Wilks, one degree of freedom), and
    at limits that papers print, where they do. Each method is asked whether its interval holds that
    value; the share is its coverage there, beside the level it states.

    All shipped models by default: the first coupling of each, at a mediator mass of 10 MeV.
    """
    from fastscan.inference.coverage import METHODS, coverage
    from fastscan.models import MODELS

    if out is not None:
        from fastscan.storage.replacement import check_free

        check_free(out, overwrite=force)
    names = models or tuple(name for name in MODELS if name != "electromagnetic")
    cases: list[_Case] = []
    for name in names:
        options = {"tables": tables, "quiet": quiet}
        cases.extend(_own_limits(name, experiments, cl, options))
        cases.extend(_printed_limits(name, options))
    found: list[tuple[_Case, Coverage]] = []
    with progress_bar("toys", quiet=quiet) as advance:
        for i, case in enumerate(cases):
            advance(i, len(cases), f"{case.likelihood.model.name} {case.poi}")
            own = coverage(
                case.likelihood,
                case.poi,
                case.value,
                case.given,
                cl=case.cl,
                toys=toys,
                seed=seed,
            )
            found.append((case, own))
    if out is not None:
        _write(Path(out), found, METHODS, overwrite=force)
    if as_json:
        print_json({"toys": toys, "seed": seed, "points": [_entry(*pair) for pair in found]})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("model", "parameter", "held", "value", "from", "states"):
        table.add_column(title)
    for method in METHODS:
        table.add_column(method, justify="right")
    for case, own in found:
        cells = [_cell(own, method) for method in METHODS]
        unit = "" if own.unit == "1" else f" {own.unit}"
        channels = "" if case.likelihood.channels == "both" else f", {case.likelihood.channels}"
        table.add_row(
            own.model,
            own.poi,
            own.provenance.held_words(own.parameters),
            f"{own.value:.4g}{unit}",
            f"{case.source}{channels}",
            f"{100 * own.cl:.4g} %",
            *cells,
        )
    show(table)
    if not quiet:
        say(f"coverage in per cent, {toys} toys a point, seed {seed}; errors are binomial")


def _own_limits(
    name: str, experiments: Sequence[str], cl: float, options: dict[str, Any]
) -> Iterator[_Case]:
    from fastscan.inference.coverage import standard_points

    likelihood = _likelihood(name, experiments, "both", options)
    for poi, given in standard_points(likelihood.model):
        limit = likelihood.limit(poi, given, cl=cl)
        parameter = likelihood.model.parameter(poi)
        low, high = limit.intervals[0][0], limit.intervals[-1][1]
        # Of an interval that is symmetric around zero one end is enough.
        ends = [high] if low == -high else [low, high]
        for value in ends:
            if math.isfinite(value) and value not in (parameter.minimum, parameter.maximum):
                yield _Case("own limit", likelihood, poi, value, given, cl)


def _printed_limits(name: str, options: dict[str, Any]) -> Iterator[_Case]:
    from fastscan.inputs import published_results

    for printed in published_results():
        if printed.paper not in _PAPERS or printed.cl is None:
            continue
        home = {"sin2_theta_w": "sm", "mu_nu": "magnetic-moment"}.get(printed.quantity)
        home = home or {"q": "millicharge", "r2": "charge-radius"}.get(
            printed.quantity.partition("_")[0], ""
        )
        if home != name:
            continue
        likelihood = _likelihood(name, (_PAPERS[printed.paper],), printed.channels, options)
        parameter = likelihood.model.parameter(printed.quantity)
        # Papers print 68 for one standard deviation.
        cl = 0.6827 if printed.cl == 68 else printed.cl / 100.0
        low, high = printed.low, printed.high
        ends = [high] if low is not None and high is not None and low == -high else [low, high]
        for value in ends:
            if value is not None and value not in (parameter.minimum, parameter.maximum):
                yield _Case(printed.paper, likelihood, printed.quantity, value, {}, cl)


def _likelihood(
    name: str, experiments: Sequence[str], channels: str, options: dict[str, Any]
) -> Likelihood:
    return make_likelihood(
        model=name,
        experiments=experiments,
        channels=channels,
        charges=None,
        options=(),
        sigma_alpha=None,
        flux_weights=None,
        **options,
    )


def _cell(own: Coverage, method: str) -> str:
    share = own.shares.get(method)
    return "" if share is None else f"{100 * share.value:.1f} ± {100 * share.error:.1f}"


def _entry(case: _Case, own: Coverage) -> dict[str, Any]:
    return {"source": case.source, **own.to_dict()}


def _write(
    path: Path, found: list[tuple[_Case, Coverage]], methods: tuple[str, ...], *, overwrite: bool
) -> None:
    from fastscan import __version__
    from fastscan.storage.outputs import write_text
    from fastscan.storage.tables import table_text

    columns = ["model", "poi", "unit", "value", "source", "experiment", "channels", "cl", "held"]
    for method in methods:
        columns += [method.replace("-", "_"), f"{method.replace('-', '_')}_error"]
    rows = []
    for case, own in found:
        entry = _entry(case, own)
        row = [entry[name] for name in columns[:8]]
        row.append(own.provenance.held_words(own.parameters))
        for method in methods:
            share = own.shares.get(method)
            row += ["", ""] if share is None else [share.value, share.error]
        rows.append(row)
    about = {
        "content": "share of toys whose interval holds the true value, by method, and its error",
        "toys": found[0][1].toys if found else 0,
        "seed": found[0][1].seed if found else 0,
        "made by": f"fastscan {__version__}",
    }
    write_text(path, table_text(about, columns, rows), overwrite=overwrite)
