"""Locks: one process at a time makes, fills or replaces an output.

The lock of ``x.zarr`` is the file ``.x.zarr.lock`` beside it, which holds the words by which its
holder is named. The system lets go of it when the process ends, however it ends; the file is
deleted by the next one who is done.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastscan.exceptions import StoreError

__all__ = ["hold"]

_log = logging.getLogger(__name__)

# A wait longer than this is worth a word.
_PATIENCE_SECONDS = 10.0
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


@contextmanager
def hold(path: Path, noun: str, *, wait: bool = False) -> Iterator[bool]:
    """Be the only process that writes an output.

    Parameters
    ----------
    path : Path
        The output, there or not; its folder is there.
    noun : str
        What its user calls it.
    wait : bool
        Wait for the other one, instead of refusing.

    Yields
    ------
    bool
        False where the file system has no locks: then nobody knows of others.

    Raises
    ------
    StoreError
        Another process holds it; it is named.
    OSError
        The folder can not be written.
    """
    # Imported when needed: most commands write nothing.
    from filelock import FileLock, Timeout

    # The same output by another name, as through a link, has the same lock.
    real = Path(os.path.realpath(path))
    lock = FileLock(real.parent / f".{real.name}.lock", fallback_to_soft=False)
    file = Path(lock.lock_file)
    # FileLock would make the folder.
    os.stat(real.parent / ".")
    try:
        try:
            lock.acquire(timeout=_PATIENCE_SECONDS if wait else 0)
        except Timeout as refused:
            if not wait:
                raise StoreError(
                    f"another process is writing this {noun}{_holder(file)}",
                    where=str(path),
                    hint="wait for it, or name another output",
                ) from refused
            _log.warning("another process is writing this %s%s; waiting", noun, _holder(file))
            lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _log.warning("no locks on this file system: keep other processes from %s", path)
        with suppress(OSError):
            file.unlink()
        yield False
        return
    try:
        with suppress(OSError):
            file.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        yield True
    finally:
        # While it is held: whoever waits for this very file sees that it is gone, and tries again.
        with suppress(OSError):
            file.unlink()
        lock.release()


def _holder(file: Path) -> str:
    """Who holds a lock, after a colon, as far as it can be read."""
    try:
        words = " ".join(file.read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        return ""
    return f": {words}" if words.startswith("process ") else ""
