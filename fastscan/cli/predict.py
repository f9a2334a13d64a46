"""``fastscan predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastscan.cli.common import (
    analysis_options,
    example_command,
    force_option,
    json_option,
    make_likelihood,
    out_option,
    quiet_option,
    read_assignments,
)
from fastscan.cli.output import print_json, say, show

if TYPE_CHECKING:
    from fastscan.results import Prediction


@example_command("predict", "fastscan predict vector --set mass_mev=1 --set g=1e-5")
@analysis_options
@out_option(
    "FILE.csv|json|nc", "Write the counts; as CSV they are pseudo-data, which --data reads."
)
@force_option
@json_option
@quiet_option
def command(
    assignments: tuple[str, ...],
    out: str | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **analysis: Any,
) -> None:
    """Predict the counts of each bin, channel by channel, and their chi2."""
    from fastscan.results import check_result_path

    point = read_assignments(assignments)
    if out is not None:
        check_result_path(out, force=force)
    prediction = make_likelihood(**analysis, quiet=quiet).predict(**point)
    if out is not None:
        prediction.write(out, force=force)
    if as_json:
        print_json(prediction.to_dict())
        return
    say(prediction.words)
    for part in prediction.parts or (prediction,):
        _print_table(part)
    pulls = ", ".join(f"{name} {pull:+.3f}" for name, pull in prediction.pulls.items())
    if prediction.parts:
        say(f"together: chi2 = {prediction.chi2:.4f}")
    if tuple(prediction.pulls) != ("normalisation",):
        say(f"pulls in standard deviations: {pulls}")


def _print_table(part: Prediction) -> None:
    from rich.table import Table

    table = Table(
        title=part.bins[0].experiment,
        title_justify="left",
        caption=f"{part.unit}; chi2 = {part.chi2:.4f}, alpha = {part.alpha_hat:+.4f}",
    )
    for column in ("eV_ee", "CEvNS", "EvES", "total", "observed"):
        table.add_column(column, justify="right")
    edges = part.edges_ev
    rows = zip(edges[:-1], edges[1:], part.cevns, part.eves, part.total,
               part.observed, part.sigma, strict=True)  # fmt: skip
    for low, high, cevns, eves, total, seen, error in rows:
        table.add_row(
            f"{low:g}-{high:g}",
            f"{cevns:.5g}",
            f"{eves:.4g}",
            f"{total:.5g}",
            f"{seen:.2f} ± {error:.2f}",
        )
    table.add_section()
    table.add_row(
        "sum",
        f"{part.cevns.sum():.6g}",
        f"{part.eves.sum():.4g}",
        f"{part.total.sum():.6g}",
        f"{part.observed.sum():.2f}",
    )
    show(table)
