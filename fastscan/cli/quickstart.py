"""``fastscan quickstart``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fastscan.cli.common import OutPath, example_command, force_option, quiet_option, tables_option
from fastscan.cli.output import progress_bar, say, show

if TYPE_CHECKING:
    from rich.table import Table

    from fastscan.reproduce import QuickstartResult


@example_command("quickstart", "fastscan quickstart -o first-results", goes_on="--force")
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    type=OutPath(),
    default="quickstart-output",
    show_default=True,
    help="Folder to write to.",
)
@force_option
@tables_option
@quiet_option
def command(out: str, force: bool, tables: str | None, quiet: bool) -> None:
    """From nothing to first results: limits of CONUS+ on two light mediators.

    Builds the response tensors, then writes the 90 % C.L. limits on a B-L vector and a scalar,
    dense chi2 scans, contours and a figure, each by CEvNS alone and with neutrino-electron
    scattering. With --force files are replaced; equal scans are kept, or finished if interrupted.
    """
    from fastscan.reproduce import run_quickstart

    with progress_bar("quickstart", quiet=quiet) as advance:
        result = run_quickstart(
            out,
            tables=tables,
            overwrite=force,
            progress=lambda label, done: advance(done, 1.0, label),
        )
    show(_table(result))
    if not quiet:
        for path in result.paths:
            say(str(path))


def _table(result: QuickstartResult) -> Table:
    from rich import box
    from rich.table import Table

    couplings = {"vector-b-l": "g_B-L", "scalar": "g_phi"}
    signal = {"cevns": "CEvNS", "both": "CEvNS + EvES"}
    table = Table(
        title="CONUS+ 90 % C.L. upper limits (1 dof)", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("mass", justify="right")
    keys = list(result.scans)
    for mediator, channels in keys:
        table.add_column(f"{couplings[mediator]}\n{signal[channels]}", justify="right")
    found = {(x.mass_mev, x.mediator, x.channels): x.upper_limit for x in result.limits}
    for mass_mev in dict.fromkeys(limit.mass_mev for limit in result.limits):
        cells = (f"{found[mass_mev, *key]:.3e}" for key in keys)
        table.add_row(_mass(mass_mev), *cells)
    return table


def _mass(mass_mev: float) -> str:
    for unit, size in (("GeV", 1e3), ("MeV", 1.0)):
        if mass_mev >= size:
            return f"{mass_mev / size:g} {unit}"
    return f"{mass_mev * 1e3:g} keV"
