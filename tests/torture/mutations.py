"""Damage to the files of stores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np

from torture.attack import Attack, Outcome, pick
from torture.store_files import StoreFiles, make_stores

_LIMIT_S = 30.0
_NAMES = (
    "zarr.json", ".zarray", ".zattrs", ".zgroup", ".DS_Store", "0", "9", "-1", "c", "00", "0.0",
    "x.partial", ".nfs0001", "a b", "c/0", "zarr.json~", "\udcff", "é",
)  # fmt: skip
Damage = Callable[[StoreFiles, str, np.random.Generator], None]


def flip(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Flip one to three bits."""
    content = bytearray(store.files[name])
    for _ in range(int(random.integers(1, 4))):
        content[int(random.integers(len(content)))] ^= 1 << int(random.integers(8))
    (store.path / name).write_bytes(content)


def cut(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Cut the file somewhere."""
    content = store.files[name]
    (store.path / name).write_bytes(content[: int(random.integers(len(content)))])


def lengthen(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Add bytes at the end."""
    more = random.bytes(int(random.integers(1, 65)))
    more = pick(random, (more, bytes(len(more)), store.files[name]))
    (store.path / name).write_bytes(store.files[name] + more)


def overwrite(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Overwrite a piece by noise, zeros, or another piece of the file."""
    content = bytearray(store.files[name])
    start, other = (int(i) for i in random.integers(len(content), size=2))
    length = min(int(random.integers(1, 65)), len(content) - max(start, other))
    new = (random.bytes(length), bytes(length), bytes(content[other : other + length]))
    content[start : start + length] = pick(random, new)
    (store.path / name).write_bytes(content)


def swap(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Swap two files of the store."""
    other = _partner(store.files, name, random)
    (store.path / name).write_bytes(store.files[other])
    (store.path / other).write_bytes(store.files[name])


def misplace(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Put another file of this store, or one of another run, in its place."""
    donor = store.files if random.random() < 0.5 else pick(random, store.donors)
    same = name in donor and donor is not store.files and random.random() < 0.5
    source = name if same else _partner(donor, name, random)
    (store.path / name).write_bytes(donor[source])


def delete(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Delete the file, or a folder it is in."""
    above = [parent for parent in PurePosixPath(name).parents if parent.name]
    if above and random.random() < 0.25:
        shutil.rmtree(store.path / pick(random, above))
    else:
        (store.path / name).unlink()


def add(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Put a file or a folder beside it that does not belong there."""
    path = (store.path / name).parent / pick(random, _NAMES)
    if path.exists():
        path = path.with_name(f"{path.name}{int(random.integers(100))}")
    content = pick(random, (b"", random.bytes(40), store.files[name]))
    if random.random() < 0.2:
        path.mkdir(parents=True)
        path /= "0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def replace(store: StoreFiles, name: str, random: np.random.Generator) -> None:
    """Put something else than a file in its place."""
    path = store.path / name
    path.unlink()
    kind = pick(random, ("folder", "nothing", "itself", "null", "filled folder"))
    if kind.endswith("folder"):
        path.mkdir()
        if kind.startswith("filled"):
            (path / "0").write_bytes(store.files[name])
    else:
        os.symlink({"nothing": "nowhere", "itself": path.name, "null": os.devnull}[kind], path)


DAMAGES: dict[str, Damage] = {
    "bits flipped": flip,
    "cut": cut,
    "lengthened": lengthen,
    "overwritten": overwrite,
    "swapped": swap,
    "misplaced": misplace,
    "deleted": delete,
    "added": add,
    "replaced": replace,
}


def _partner(files: dict[str, bytes], name: str, random: np.random.Generator) -> str:
    """Another file: often one of the same array, or at the same place of another array."""
    array, _, place = name.partition("/")
    alike = [
        [other for other in files if other.startswith(f"{array}/") and other != name],
        [other for other in files if other.endswith(f"/{place}") and other != name],
        [other for other in files if other != name],
    ]
    wanted = alike[int(random.choice(3, p=(0.5, 0.25, 0.25)))] or alike[2]
    return pick(random, wanted)


class Mutations(Attack):
    """Every file of a tensor store, a scan and a construction is damaged in every way.

    The public reader refuses the store in one line, or gives the values of the whole store to the
    last bit.
    """

    name = "mutations"
    cases = 100_000
    limit_s = _LIMIT_S

    def __enter__(self) -> Mutations:
        self.stores = make_stores(self.folder)
        self.combinations = [
            (store, name, damage)
            for store in self.stores
            for name in store.files
            for damage in DAMAGES
        ]
        return self

    def case(self, number: int) -> Outcome:
        store, name, damage = self.combinations[number % len(self.combinations)]
        DAMAGES[damage](store, name, self.random(number))
        try:
            return judge(store, (store.kind, name, damage))
        finally:
            store.restore()


def judge(store: StoreFiles, group: tuple[str, str, str]) -> Outcome:
    """What its reader makes of a store that may be damaged."""
    from fastscan.exceptions import InputError

    try:
        values = store.read()
    except InputError as error:
        text = str(error)
        failure = "" if text.isprintable() else f"not one line: {text!r}"
        return Outcome(group, "detected", failure)
    except Exception as error:
        return Outcome(group, "exception", f"{type(error).__name__}: {error}")
    failure = "" if values == store.values else "other values, without a word"
    return Outcome(group, "harmless", failure)
