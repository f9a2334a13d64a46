"""Figures as files."""

from __future__ import annotations

import io
import logging
from importlib.metadata import version
from pathlib import Path

from matplotlib.figure import Figure

from fastscan.plotting.style import missing_letters, style
from fastscan.storage.outputs import write_bytes
from fastscan.storage.replacement import check_format
from fastscan.text import for_terminal

__all__ = ["check_figure_path", "save_figure"]

_log = logging.getLogger(__name__)


def check_figure_path(path: str | Path, *, overwrite: bool = False) -> Path:
    """Check, before any work, that a figure may get this name.

    Raises
    ------
    InputError
        The suffix is not that of a known format.
    StoreError
        The file exists and may not be replaced.
    """
    return check_format(path, _METADATA, "a figure", overwrite=overwrite)


def save_figure(
    figure: Figure, path: str | Path, *, description: str = "", overwrite: bool = False
) -> Path:
    """Write a figure whole or not at all; the same figure always gives the same bytes.

    Parameters
    ----------
    figure : Figure
    path : path
        Ends in .pdf, .png or .svg.
    description : str
        Stored in the file's metadata.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        Unknown suffix, or a folder that can not be written.
    StoreError
        The file exists and may not be replaced.
    RunError
        The disk is full.
    """
    path = check_figure_path(path, overwrite=overwrite)
    suffix = path.suffix.lower()
    content = io.BytesIO()
    with style():
        figure.savefig(content, format=suffix[1:], metadata=_metadata(suffix, description))
        missing = missing_letters(figure)
    if missing:
        letters = for_terminal(" ".join(missing))
        _log.warning("%s: its font does not have %s: drawn as boxes", path, letters)
    write_bytes(path, content.getvalue(), overwrite=overwrite)
    return path


# Keys under which each format takes who made it, and what it is; None leaves the date out.
_METADATA: dict[str, tuple[str, str, str | None]] = {
    ".pdf": ("Creator", "Subject", "CreationDate"),
    ".png": ("Software", "Description", None),
    ".svg": ("Creator", "Description", "Date"),
}


def _metadata(suffix: str, description: str) -> dict[str, str | list[str] | None]:
    maker, subject, date = _METADATA[suffix]
    software = f"fastscan {version('fastscan')}"
    # SVG wants its makers in a list.
    metadata: dict[str, str | list[str] | None] = {
        maker: [software] if suffix == ".svg" else software
    }
    if description:
        metadata[subject] = for_terminal(description)
    if date is not None:
        metadata[date] = None
    return metadata
