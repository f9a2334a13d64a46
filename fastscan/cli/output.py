"""What the command line prints: lines, tables, JSON, and bars on stderr.

Everything goes through here, so that nothing that stands in a file or on the command line acts on
the terminal, see `fastscan.text`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fastscan.text import for_terminal

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["bold", "print_json", "progress_bar", "say", "show", "warn"]

# JSON escapes most of what is not printed by itself; not what is beyond ASCII.
_NOT_PRINTED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def say(text: str, *, name: str = "", err: bool = False) -> None:
    """Print text of one or several lines; ``name`` comes before it, in bold letters."""
    head = click.style(for_terminal(name), bold=True) if name else ""
    click.echo(head + for_terminal(text, keep="\n"), err=err)


def warn(words: Sequence[str]) -> None:
    """Say on stderr what may mislead in a result; JSON has the same words as ``warnings``."""
    for word in words:
        say(f"fastscan: warning: {word}", err=True)


def show(table: Table) -> None:
    """Print a table; it is not cut when the output is a file or a pipe."""
    from fastscan.cli.console import PlainConsole

    console = PlainConsole()
    if not console.is_terminal:
        console = PlainConsole(width=160)
    console.print(table)


def bold(name: str) -> Text:
    """A cell of a table in bold letters."""
    from rich.text import Text

    return Text(for_terminal(name), style="bold")


def print_json(value: object) -> None:
    """Print JSON; what is not finite, which JSON does not know, becomes null."""
    from fastscan.results import plain

    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(_NOT_PRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


@contextmanager
def progress_bar(what: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """A bar on stderr that shows from the first call on, and only on a terminal.

    The function it gives takes what is done, the total, and a word on what is under way.
    """
    if quiet or not sys.stderr.isatty():

        def ignore(done: float, total: float, label: str = "") -> None:
            pass

        yield ignore
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    from fastscan.cli.console import PlainConsole

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=PlainConsole(stderr=True), transient=True) as progress:
        task = progress.add_task(for_terminal(what), total=None, visible=False)

        def advance(done: float, total: float, label: str = "") -> None:
            words = for_terminal(f"{what}: {label}" if label else what)
            progress.update(task, completed=done, total=total, description=words, visible=True)

        yield advance
