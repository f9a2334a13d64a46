"""Output files: written whole or not at all, and never over another one unasked."""

from __future__ import annotations

import csv
import errno
import io
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fastscan.exceptions import FastscanError, InputError, RunError, StoreError
from fastscan.text import for_terminal

__all__ = ["FULL_DISK", "check_free", "table_text", "write_bytes", "write_failure", "write_text"]


FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Check that an output may get this name, before any work is done for it.

    Raises
    ------
    StoreError
        Something is there and may not be replaced.
    InputError
        The name is impossible.
    """
    if "\0" in str(path):
        raise InputError("impossible file name", where=repr(path.name), hint="name another with -o")
    if not overwrite and os.path.lexists(path):
        raise StoreError(
            "output exists and is not overwritten",
            where=str(path),
            hint="name another with -o, or replace it with --force",
        )


def write_bytes(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all: under a temporary name beside it, then renamed.

    Raises
    ------
    StoreError
        The file exists and may not be replaced.
    InputError
        The folder can not be written.
    RunError
        The disk is full.
    """
    check_free(path, overwrite=overwrite)
    partial = path.parent / f".{path.name}-{uuid.uuid4().hex}.partial"
    try:
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error


def write_failure(path: Path, error: OSError) -> FastscanError:
    """The error for an output that could not be written."""
    if error.errno in FULL_DISK:
        return RunError(
            "output can not be written: the disk is full",
            where=str(path),
            hint="make room, or name another with -o",
        )
    return InputError(
        f"output can not be written: {error.strerror or error}",
        where=str(path),
        hint="name another with -o",
    )


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text file, see `write_bytes`; lines end with a line feed on every system."""
    write_bytes(path, text.encode(), overwrite=overwrite)


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
