"""``fastscan reproduce``."""

from __future__ import annotations

import click

from fastscan.cli.common import (
    LocalPath,
    example_command,
    force_option,
    out_option,
    quiet_option,
    tables_option,
)
from fastscan.cli.output import progress_bar, say


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from fastscan.reproduce.readings import PAPERS

    return [word for word in (*PAPERS, "all") if word.startswith(incomplete)]


@example_command("reproduce", "fastscan reproduce a25 -o a25-again", goes_on="--force")
@click.argument("paper", metavar="[c25|a25|all]", default="all", shell_complete=_complete)
@out_option("DIR", "Folder to write to [default: reproduce-PAPER].")
@click.option(
    "--overlay",
    "overlays",
    metavar="FILE.csv",
    type=LocalPath(),
    multiple=True,
    help="A curve of others for a plane (see fastscan plot); may be given several times.",
)
@force_option
@tables_option
@quiet_option
def command(
    paper: str,
    out: str | None,
    overlays: tuple[str, ...],
    force: bool,
    tables: str | None,
    quiet: bool,
) -> None:
    """Make the figures and tables of the two CONUS+ papers again, beside what they print.

    c25 is arXiv:2501.12441, a25 is arXiv:2501.10355. Besides their figures and tables, writes every
    printed number with ours and the difference (comparison.md, .csv), for c25 the change of each
    limit with each assumption (sensitivity.md, .csv), and all settings resolved (settings.json).
    """
    from fastscan.inputs import Overlay
    from fastscan.reproduce import chosen_papers, run_papers

    papers = chosen_papers(paper)
    curves = [Overlay.read(name) for name in overlays]
    with progress_bar("reproducing", quiet=quiet) as advance:
        paths = run_papers(
            papers,
            out or f"reproduce-{paper}",
            tables=tables,
            overwrite=force,
            progress=lambda label, done: advance(done, 1.0, label),
            overlays=curves,
        )
    if not quiet:
        for path in paths:
            say(str(path))
