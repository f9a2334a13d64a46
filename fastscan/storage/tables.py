"""The text of CSV tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from fastscan.text import for_terminal

__all__ = ["table_text"]


def table_text(
    about: Mapping[str, object], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> str:
    """A CSV table under comment lines that say what its numbers are.

    Floats are written with twelve digits; a text of several lines becomes one.
    """
    text = io.StringIO()
    for key, value in about.items():
        text.write(f"# {key}: {for_terminal(' '.join(str(value).split()))}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(f"{cell:.12g}" if isinstance(cell, float) else cell for cell in row)
    return text.getvalue()
