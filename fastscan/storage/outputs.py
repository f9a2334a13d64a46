"""Output files: written whole or not at all, and never over another one unasked."""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastscan.exceptions import FastscanError, InputError, RunError
from fastscan.storage.locks import hold
from fastscan.storage.replacement import check_free

__all__ = [
    "FULL_DISK",
    "check_writable",
    "make_folder",
    "write_bytes",
    "write_failure",
    "write_text",
    "written",
]

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Write a file whole or not at all: under a temporary name beside it, then renamed.

    Parameters
    ----------
    path : path
        What is written in the end.
    overwrite : bool
        Replace a file that exists.

    Yields
    ------
    Path
        Where to write it.

    Raises
    ------
    StoreError
        Something is there and may not be replaced, or another process is writing it.
    InputError
        The folder can not be written.
    RunError
        The disk is full.
    """
    path = check_free(path, overwrite=overwrite)
    partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}.partial")
    try:
        with hold(path, "file") as alone:
            # Once more: it may have been written since.
            check_free(path, overwrite=overwrite)
            if alone:
                _remove_leftovers(path)
            try:
                yield partial
                os.replace(partial, path)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error


def write_bytes(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all, see `written`."""
    with written(path, overwrite=overwrite) as partial:
        partial.write_bytes(content)


def write_text(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> None:
    """Write a text file, see `written`; lines end with a line feed on every system."""
    write_bytes(path, text.encode(), overwrite=overwrite)


def write_failure(
    path: Path, error: OSError, *, hint: str = "name another with -o"
) -> FastscanError:
    """The error for an output that could not be written."""
    if error.errno in FULL_DISK:
        return RunError(
            "output can not be written: the disk is full",
            where=str(path),
            hint=f"make room, or {hint}",
        )
    return InputError(
        f"output can not be written: {error.strerror or error}", where=str(path), hint=hint
    )


def make_folder(folder: Path, *, hint: str = "name another with -o") -> None:
    """Make a folder and those above it.

    Raises
    ------
    InputError
        That can not be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"folder can not be made: {error.strerror or error}", where=str(folder), hint=hint
        ) from error


def check_writable(folder: Path, *, hint: str) -> None:
    """Make a folder if it is not there, and check that it can be written.

    Raises
    ------
    InputError
        That can not be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{uuid.uuid4().hex}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"folder can not be written: {error.strerror or error}", where=str(folder), hint=hint
        ) from error


def _remove_leftovers(path: Path) -> None:
    """Delete what killed writers of this very file left beside it."""
    pattern = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{32}}\.partial")
    for leftover in path.absolute().parent.iterdir():
        if pattern.fullmatch(leftover.name) and leftover.is_file():
            leftover.unlink(missing_ok=True)
