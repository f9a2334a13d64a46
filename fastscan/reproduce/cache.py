"""Tables of limits that were found before, kept beside the tensors."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fastscan.exceptions import FastscanError
from fastscan.inputs.shipped import MANIFEST_NAME, data_directory
from fastscan.storage.outputs import make_folder, write_text
from fastscan.tensors import tables_directory

__all__ = ["remembered"]

_KIND = "fastscan limits"
# Numbers depend on nothing but the code of these, the data, and the libraries that compute.
_CODE = (
    "constants.py",
    "kernels",
    "inputs",
    "tensors",
    "models",
    "counts",
    "likelihoods",
    "inference",
    "reproduce",
)
_LIBRARIES = ("numpy", "scipy", "numba")

_log = logging.getLogger(__name__)


def remembered(
    request: Mapping[str, Any], tables: str | Path | None, find: Callable[[], list[Any]]
) -> list[Any]:
    """Read rows that were found before under the very same conditions, or find and keep them.

    Parameters
    ----------
    request : mapping
        What is asked for, ready for JSON. Together with the code, the data and the libraries it
        identifies the rows: after a change in any of them they are found anew.
    tables : path, optional
        Folder of the tensor stores.
    find : callable
        Finds the rows, a list ready for JSON; infinities and NaN may be among them.

    Returns
    -------
    list
        Equal in both cases.
    """
    text = json.dumps({"kind": _KIND, **_conditions(), "request": request}, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()
    path = tables_directory(tables) / f"{name}.json"
    rows = _read(path)
    if rows is None:
        rows = find()
        content = json.dumps(rows)
        document = {"kind": _KIND, "rows_sha256": _sha256(content.encode()), "rows": rows}
        try:
            make_folder(path.parent)
            write_text(path, json.dumps(document) + "\n", overwrite=True)
        except FastscanError as error:
            # The rows themselves are as good as ever.
            _log.warning("%s", error)
        rows = json.loads(content)
    return rows


def _read(path: Path) -> list[Any] | None:
    """Rows of a file; None if there is none, or anything is wrong with it."""
    try:
        document = json.loads(path.read_bytes())
        rows: list[Any] = document["rows"]
        intact = document["rows_sha256"] == _sha256(json.dumps(rows).encode())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rows if intact else None


@cache
def _conditions() -> dict[str, Any]:
    package = Path(__file__).resolve().parents[1]
    code = hashlib.sha256()
    for part in _CODE:
        top = package / part
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            code.update(f"{path.relative_to(package).as_posix()}\0".encode())
            code.update(hashlib.sha256(path.read_bytes()).digest())
    return {
        "code_sha256": code.hexdigest(),
        "data_sha256": _sha256((data_directory() / MANIFEST_NAME).read_bytes()),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
