"""What the tests of scans look at: files of a store, and the one line of an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastscan import FastscanError


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def identity(folder: Path, pattern: str = "**/*") -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of change of files: a file that was written again shows."""
    found = {}
    for path in sorted(folder.glob(pattern)):
        if path.is_file():
            about = path.stat()
            found[str(path.relative_to(folder))] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


def refusal(kind: type[FastscanError], call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """The text of the error that a call must raise: of this very kind, one line, with a hint."""
    with pytest.raises(kind) as caught:
        call(*args, **kwargs)
    error = caught.value
    assert type(error) is kind
    assert error.what
    assert error.where
    assert error.hint
    text = str(error)
    assert len(text.splitlines()) == 1
    return text
