"""``fastscan bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fastscan.cli.common import (
    example_command,
    json_option,
    quiet_option,
    tables_option,
    workers_option,
)
from fastscan.cli.output import print_json, progress_bar, show

if TYPE_CHECKING:
    from rich.table import Table

    from fastscan.bench import Report


@example_command("bench", "fastscan bench --quick")
@click.option(
    "--quick", is_flag=True, help="A few seconds on small arrays: a rough check, not a result."
)
@workers_option
@tables_option
@json_option
@quiet_option
def command(
    quick: bool, workers: int | None, tables: str | None, as_json: bool, quiet: bool
) -> None:
    """Measure this machine, and how close the engine comes to it, in about a minute.

    Grids in memory against a fill of the same array, a scan into zarr against random data with the
    same codec, start-up against the imports, a point against plain quadrature; coefficients,
    boundary, point list, tensors, limits.
    Things to be compared run in turn; each number is a median, with the lowest and highest.
    """
    from fastscan.bench import run_suite

    with progress_bar("measuring", quiet=quiet) as advance:
        report = run_suite(
            quick=quick,
            workers=workers,
            tables=tables,
            progress=lambda label, done: advance(done, 1.0, label),
        )
    if as_json:
        print_json(report.to_dict())
        return
    show(_table(report))


def _table(report: Report) -> Table:
    from rich import box
    from rich.table import Table

    about = report.machine
    title = f"{about['processor'] or about['architecture']}, {report.settings['workers']} threads"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("median", "lowest", "highest", "unit", "wanted"):
        table.add_column(name, justify="left" if name in ("unit", "wanted") else "right")
    table.add_column("what")
    for entry in report.entries:
        value = entry.value
        numbers = (f"{x:.3g}" for x in (value.median, value.low, value.high))
        unit = "" if entry.unit == "1" else entry.unit
        table.add_row(*numbers, unit, entry.wanted, entry.what)
    return table
