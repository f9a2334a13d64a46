"""Stores to be damaged: made once, held in memory, put back after each case."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from torture.commands import succeed

_PLANE = "--axis mass_mev=0.1:10:6:log --axis g=1e-6:1e-4:10:log --block-points 20"
_SMALL_PLANE = "--axis mass_mev=0.5:5:3:log --axis g=1e-6:1e-4:4:log"
_TOYS = "--method feldman-cousins --toys 2048 --precision 0.5"
SCAN = f"scan vector {_PLANE}"
CONSTRUCTION = f"scan vector {_SMALL_PLANE} {_TOYS}"


class StoreFiles:
    """A store, its files as they should be, and those of stores that resemble it.

    Attributes
    ----------
    kind : str
    path : Path
    files : dict of bytes
        By their names relative to the store.
    donors : list of dict of bytes
        The same of other runs, of which a chunk may have got into this store.
    values : object
        What the reader makes of it.
    """

    def __init__(
        self, kind: str, path: Path, donors: list[Path], read: Callable[[], object]
    ) -> None:
        self.kind, self.path, self.read = kind, path, read
        self.files = _contents(path)
        self.donors = [_contents(donor) for donor in donors]
        self._folders = {
            str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_dir()
        }
        self._identities = {name: _identity(path / name) for name in self.files}
        self.values = read()

    def contents(self) -> dict[str, bytes]:
        """All files there are now."""
        return _contents(self.path)

    def restore(self) -> None:
        """Put everything back that a case has changed."""
        root = str(self.path)
        for folder, folders, files in os.walk(root, topdown=False):
            for name in (*files, *folders):
                path = f"{folder}/{name}"
                inside = path[len(root) + 1 :]
                if os.path.islink(path) or (name in files and inside not in self.files):
                    os.unlink(path)
                elif name in folders and inside not in self._folders:
                    shutil.rmtree(path)
        for name, content in self.files.items():
            path = f"{root}/{name}"
            if _identity(path) != self._identities.get(name):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                Path(path).write_bytes(content)
                self._identities[name] = _identity(path)


def _identity(path: str | Path) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def make_stores(folder: Path) -> list[StoreFiles]:
    """One store of each kind."""
    import fastscan

    tables = folder / "tables"
    os.environ["FASTSCAN_TABLES"] = str(tables)
    tensors, other = (_built(name) for name in ("conus-plus", "conus-plus-a25"))
    experiment = fastscan.load_experiment("conus-plus")
    made = {}
    for name, words in {
        "scan": SCAN,
        "other scan": f"{SCAN} --set sin2_theta_w=0.2",
        "construction": CONSTRUCTION,
        "other construction": f"{CONSTRUCTION} --seed 1",
    }.items():
        made[name] = folder / f"{name.replace(' ', '-')}.zarr"
        if not made[name].exists():
            succeed(*words.split(), "--quiet", "--out", str(made[name]))
    scan, construction = made["scan"], made["construction"]
    return [
        StoreFiles("tensors", tensors, [other], lambda: flat(fastscan.load_response(experiment))),
        StoreFiles("scan", scan, [made["other scan"], construction], lambda: _read_scan(scan)),
        StoreFiles(
            "construction",
            construction,
            [made["other construction"], scan],
            lambda: _read_construction(construction),
        ),
    ]


def _built(experiment: str) -> Path:
    """The tensor store of an experiment."""
    (row,) = json.loads(succeed("build", experiment, "--json").stdout)
    return Path(row["store"])


def _read_scan(path: Path) -> object:
    from fastscan import ScanResult

    result = ScanResult.open(path)
    best = result.best_fit
    return flat([result.header, result.names, result.coordinates, result.units, result.chi2, best])


def _read_construction(path: Path) -> object:
    from fastscan.scan.construction import ConstructionResult

    result = ConstructionResult.open(path)
    arrays = [result.statistic, result.critical_value, result.critical_error, result.toys]
    about = [result.header, result.names, result.coordinates, result.units, result.best_fit]
    return flat([arrays, about])


def flat(value: Any) -> object:
    """Something that is equal for values that are equal to the last bit, and else is not."""
    if isinstance(value, np.ndarray):
        return (value.shape, value.dtype.str, value.tobytes())
    if dataclasses.is_dataclass(value):
        return [flat(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        return {name: flat(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [flat(item) for item in value]
    return repr(value)


def _contents(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }
