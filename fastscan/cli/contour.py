"""``fastscan contour``."""

from __future__ import annotations

from pathlib import Path

import click

from fastscan.cli.common import OutPath, beside, example_command, force_option, quiet_option, stdout


@example_command("contour", "fastscan contour bl.zarr --cl 0.90 -o bl.csv")
@click.argument("store", metavar="DIR.zarr", type=click.Path())
@click.option(
    "--cl", type=float, default=0.90, show_default=True, metavar="X", help="Confidence level."
)
@click.option(
    "--dof", type=int, default=2, show_default=True, metavar="N", help="Degrees of freedom, 1 or 2."
)
@click.option(
    "-o",
    "--out",
    metavar="FILE.csv",
    type=OutPath(),
    help="Where to write [default: DIR.csv beside the scan].",
)
@force_option
@quiet_option
def command(store: str, cl: float, dof: int, out: str | None, force: bool, quiet: bool) -> None:
    """Write the contour of a two-dimensional scan as CSV, with a header that says what it is."""
    from fastscan.scan import ScanResult, write_contour

    result = ScanResult.open(store)
    path = Path(out) if out is not None else beside(store, ".csv")
    lines = write_contour(result, path, cl=cl, dof=dof, overwrite=force)
    if not quiet:
        pieces = "1 line" if lines == 1 else f"{lines} lines"
        stdout().print(f"{pieces} in {path}", soft_wrap=True)
