"""Folders of stores: they get their name, and lose it, in one step."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["born", "remove_folder", "remove_unborn"]


@contextmanager
def born(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``path``, which is not there yet, when all went well.

    Raises
    ------
    OSError
        It can not be made, or something has the name by now.
    """
    partial = _partial(path)
    try:
        yield partial
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Delete a folder: it loses its name at once, so that nobody ever sees half of it."""
    partial = _partial(path)
    path.rename(partial)
    shutil.rmtree(partial, ignore_errors=True)


def remove_unborn(path: Path) -> None:
    """Delete the temporary folders of interrupted creations; the caller holds the lock."""
    pattern = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{32}}\.partial")
    for folder in path.absolute().parent.iterdir():
        if pattern.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _partial(path: Path) -> Path:
    return path.absolute().with_name(f".{path.name}-{uuid.uuid4().hex}.partial")
