"""What may be replaced: what fastscan makes, and nobody uses.

A file is replaced when that is asked for (``--force``) and a regular file has the name: never a
folder, a link or a device. A store is replaced when its metadata say, under their checksum, that
fastscan made it, when every file in it is one of its own, and when no process is writing it.
Whether it is finished, or has lost chunks, does not matter. Anything else is refused by name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastscan.exceptions import InputError, StoreError
from fastscan.storage.folders import remove_folder
from fastscan.storage.locks import forget, hold
from fastscan.storage.paths import local_path, taken

if TYPE_CHECKING:
    from fastscan.storage.layout import Layout

__all__ = ["check_format", "check_free", "check_replaceable", "remove_store"]


def check_free(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Check that a file may get this name, before any work is done for it.

    Raises
    ------
    StoreError
        Something is there and may not be replaced.
    InputError
        The name is impossible, or a URL.
    """
    path = local_path(path)
    if not taken(path):
        return path
    if not overwrite:
        forget(path)
        raise StoreError(
            "output exists and is not overwritten",
            where=str(path),
            hint="name another with -o, or replace it with --force",
        )
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a link"))
        kind = next((words for test, words in kinds if test(mode)), "no regular file")
        raise StoreError(
            f"output can not be written: it is {kind}, which is never replaced",
            where=str(path),
            hint="name another with -o, or move it away",
        )
    return path


def check_format(
    path: str | os.PathLike[str], formats: Iterable[str], what: str, *, overwrite: bool = False
) -> Path:
    """Check that a file of one of some formats, named by suffixes, may get this name.

    Raises
    ------
    InputError
        The suffix is not that of a known format of ``what``.
    StoreError
        See `check_free`.
    """
    path = local_path(path)
    if path.suffix.lower() not in formats:
        raise InputError(
            f"unknown format {path.suffix!r} of {what}",
            where=str(path),
            hint=f"end its name with one of: {', '.join(formats)}",
        )
    return check_free(path, overwrite=overwrite)


def check_replaceable(path: Path, layout: Layout) -> None:
    """Check that a store is one that may be replaced, as far as its files tell.

    Raises
    ------
    StoreError
        It is a link, foreign or of another kind; its metadata are damaged; or something else is in
        it.
    """
    # It imports zarr, which writers of files need not.
    from fastscan.storage.contents import Contents

    if path.is_symlink():
        raise StoreError(
            "output is a link, which is never replaced",
            where=str(path),
            hint="name another output, or move it away",
        )
    strays = Contents.open(path, layout).strays()
    if strays:
        raise StoreError(
            f"{layout.noun} is not replaced: fastscan did not make {strays[0]} in it",
            where=str(path),
            hint="name another output, or move that away",
        )


def remove_store(path: Path, layout: Layout) -> None:
    """Delete a store in one step, if it may be replaced.

    Raises
    ------
    StoreError
        See `check_replaceable`; or another process is writing it.
    """
    with hold(path, layout.noun):
        check_replaceable(path, layout)
        remove_folder(path)
