"""Paths of this machine, told from URLs and from names that no file can have."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fastscan.exceptions import InputError

__all__ = ["local_path", "taken"]

# A scheme of two letters or more, so that the drive of C:/ is none; pathlib makes one slash of two.
# fsspec chains schemes, as in simplecache::s3://.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+:/")


def local_path(name: str | os.PathLike[str], *, where: str = "") -> Path:
    """The path that a name stands for.

    Parameters
    ----------
    name : str or path
    where : str, optional
        The option or key that holds it; the name itself by default.

    Raises
    ------
    InputError
        It is a URL, or no file can have it.

    Examples
    --------
    >>> local_path("plane.zarr").name
    'plane.zarr'
    >>> local_path("s3://bucket/plane.zarr")
    Traceback (most recent call last):
    ...
    fastscan.exceptions.InputError: 's3://bucket/plane.zarr' is a URL, not a path of this machine \
(s3://bucket/plane.zarr); name a local file or folder, and copy it there or from there
    """
    text = os.fspath(name)
    if _URL.match(text):
        raise InputError(
            f"{text!r} is a URL, not a path of this machine",
            where=where or text,
            hint="name a local file or folder, and copy it there or from there",
        )
    if "\0" in text:
        raise InputError(
            "impossible file name", where=where or repr(text), hint="name another with -o or --out"
        )
    return Path(text)


def taken(path: Path) -> bool:
    """Whether something has this name already.

    Raises
    ------
    InputError
        It is no possible name.
    """
    try:
        # A dangling link is a name taken, too.
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise InputError(
            f"output has an impossible name: {getattr(error, 'strerror', None) or error}",
            where=str(path)[:80],
            hint="name another with -o or --out",
        ) from error
    return True
