"""A console that takes text for text."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from fastscan.text import for_terminal

__all__ = ["PlainConsole"]


class PlainConsole(Console):
    """Rich's console, for which brackets, colons and escape sequences in cells mean nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Make text of a string; whatever a table holds comes by here."""
        return super().render_str(for_terminal(text, keep="\n"), **options)

    def on_broken_pipe(self) -> None:
        """Leave it to the command line to end: that nobody reads on is no failure."""
        raise BrokenPipeError
