"""A block store, read: every piece is checked when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from fastscan.exceptions import StoreError
from fastscan.storage.checksums import (
    array_sha256,
    chunk_file,
    chunk_seal,
    differing_metadata,
    metadata_intact,
    read_metadata,
)
from fastscan.storage.layout import BLOCK_DONE, SEALS, STATUS, Layout
from fastscan.storage.plan import Plan

__all__ = ["Contents", "Survey", "kind_of"]


@dataclass(frozen=True)
class Survey:
    """What became of the chunks of a store.

    Attributes
    ----------
    blocks, done : int
        All blocks, and those that are done with every chunk whole and in its place.
    missing, damaged, foreign : list of str
        Files: not there though the block says that it is done; not as they were written; whole, but
        of another place or another run.
    sealed : bool
        Whether foreign ones can be told: not in format version 1.
    strays : list of str
        Files that are no part of the store.
    """

    blocks: int
    done: int
    missing: list[str]
    damaged: list[str]
    foreign: list[str]
    strays: list[str]
    sealed: bool

    @property
    def sound(self) -> bool:
        """Whether nothing was lost or changed; blocks may be left to do."""
        return not (self.missing or self.damaged or self.foreign)

    def to_dict(self) -> dict[str, int | None]:
        """Numbers of each; None where it can not be told."""
        return {
            "blocks": self.blocks,
            "done": self.done,
            "missing": len(self.missing),
            "damaged": len(self.damaged),
            "foreign": len(self.foreign) if self.sealed else None,
            "strays": len(self.strays),
        }


def kind_of(path: Path) -> str:
    """The kind of store that a folder says it is; empty if it says nothing."""
    try:
        return str(read_metadata(path).get("attributes", {}).get("kind", ""))
    except (OSError, ValueError):
        return ""


@dataclass(frozen=True)
class Contents:
    """A store, opened for reading.

    Attributes
    ----------
    path : Path
    layout : Layout
    header : dict
        As it was given when the store was made.
    plan : Plan
    identity : str
        Sha256 of its metadata.
    """

    path: Path
    layout: Layout
    header: dict[str, Any]
    plan: Plan
    identity: str
    _root: dict[str, Any]
    _group: zarr.Group

    @classmethod
    def open(cls, path: Path, layout: Layout) -> Contents:
        """Open a store.

        Raises
        ------
        StoreError
            Missing, foreign, of a later format version, or damaged.
        """
        if not path.is_dir():
            raise StoreError(
                f"no {layout.noun} there", where=str(path), hint=f"run: {layout.made_by}"
            )
        if not (path / "zarr.json").is_file():
            raise _foreign(path, layout)
        try:
            root = read_metadata(path)
        except (OSError, ValueError) as error:
            raise _damaged(path, layout, "its metadata can not be read") from error
        attributes = root.get("attributes", {})
        if root.get("node_type") != "group" or attributes.get("kind") != layout.kind:
            raise _foreign(path, layout)
        version = attributes.get("format_version")
        if version not in range(1, layout.format_version + 1):
            raise StoreError(
                f"{layout.noun} of format version {version}, which this fastscan does not know: "
                f"it reads 1 to {layout.format_version}",
                where=str(path),
                hint="read it with the fastscan that made it, or make it again",
            )
        if not metadata_intact(root):
            raise _damaged(path, layout, "its metadata were changed")
        try:
            group = zarr.open_group(path, mode="r", zarr_format=3)
            shape = group[next(iter(layout.points))].shape  # type: ignore[union-attr]
            plan = Plan(shape, tuple(attributes["block_shape"]))
        except Exception as error:  # zarr raises whatever broken metadata makes it stumble over
            raise _damaged(path, layout, "its metadata can not be read") from error
        identity = attributes["metadata_sha256"]
        return cls(path, layout, attributes["header"], plan, identity, root, group)

    @property
    def names(self) -> tuple[str, ...]:
        """The axes, in order."""
        first = next(iter(self.layout.points))
        return tuple(self._arrays[first]["dimension_names"])

    @property
    def sealed(self) -> bool:
        """Whether chunks are bound to their place: from format version 2 on."""
        return SEALS in self._arrays

    def read(self, name: str) -> NDArray[Any]:
        """One array whole, its checksums verified.

        Raises
        ------
        StoreError
            A chunk is missing, damaged or of another place.
        """
        values = self._decode(name)
        if name in self.names:
            # Version 1 has no checksum of them but that of their chunk.
            own = self._root["attributes"].get("coordinates_sha256")
            if own is not None and own[name] != array_sha256(name, values):
                raise self._fault(f"the values of {name} are not its own")
        elif self.sealed and name in self.layout.names:
            seals = self._decode(SEALS)
            for index in self.plan.indices():
                fault = self._place_fault(name, index, seals[index])
                if fault:
                    raise self._fault(f"a chunk of {name} {_WORDS[fault]}")
        # What is not there reads as the fill value: NaN, or -1 for an index.
        if _missing(values):
            raise self._fault(f"a chunk of {name} is missing")
        return values

    def block_status(self) -> NDArray[np.uint8]:
        """Which blocks are done, shape of the grid of blocks."""
        return self._decode(STATUS)

    def unit(self, name: str) -> str:
        """Unit of an axis."""
        return str(self._group[name].attrs["units"])

    def finished(self) -> NDArray[np.bool_]:
        """Which blocks say that they are done, and have every chunk whole and in its place."""
        found = np.zeros(self.plan.grid, dtype=bool)
        for index in self.plan.indices():
            found[index] = self._block_faults(index) == {}
        return found

    def survey(self, progress: Callable[[int, int], None] | None = None) -> Survey:
        """Look at every chunk and every document; ``progress`` hears of blocks."""
        found: dict[str, list[str]] = {"missing": [], "damaged": [], "foreign": []}
        for name in differing_metadata(self.path, self._root):
            document = f"{name}/zarr.json"
            there = (self.path / document).is_file()
            found["damaged" if there else "missing"].append(document)
        for name in self.names:
            try:
                self.read(name)
            except StoreError:
                there = chunk_file(self.path, name, (0,)).is_file()
                found["damaged" if there else "missing"].append(f"{name}/c/0")
        done = 0
        for number, index in enumerate(self.plan.indices()):
            faults = self._block_faults(index)
            done += faults == {}
            for name, fault in (faults or {}).items():
                file = chunk_file(self.path, name, self._chunk(name, index))
                found[fault].append(file.relative_to(self.path).as_posix())
            if progress is not None:
                progress(number + 1, self.plan.blocks)
        return Survey(self.plan.blocks, done, **found, strays=self.strays(), sealed=self.sealed)

    def strays(self) -> list[str]:
        """Files that are no part of the store; leftovers of killed writes are."""
        chunks = {
            name: tuple(
                -(-n // c)
                for n, c in zip(
                    about["shape"], about["chunk_grid"]["configuration"]["chunk_shape"], strict=True
                )
            )
            for name, about in self._arrays.items()
        }
        return [file for file in sorted(self._files()) if not _is_own(file, chunks)]

    def _files(self) -> Iterator[str]:
        for path in self.path.rglob("*"):
            if path.is_symlink() or not path.is_dir():
                yield path.relative_to(self.path).as_posix()

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        """Documents of the arrays, by name."""
        found: dict[str, Any] = self._root["consolidated_metadata"]["metadata"]
        return found

    def _decode(self, name: str) -> NDArray[Any]:
        """An array whole, its crc32c verified."""
        try:
            return np.asarray(self._group[name][...])  # type: ignore[index]
        except Exception as error:  # as in `open`
            raise self._fault(f"a chunk of {name} can not be read") from error

    def _block_faults(self, index: tuple[int, ...]) -> dict[str, str] | None:
        """What is wrong with the chunks of a block, by array; None if it is not done."""
        fault = self._decode_fault(STATUS, index)
        if fault:
            return None if fault == "missing" else {STATUS: fault}
        status: Any = self._group[STATUS]
        if status[index] != BLOCK_DONE:
            return None
        found = {name: self._decode_fault(name, index) for name in self.layout.names}
        if self.sealed:
            found[SEALS] = self._decode_fault(SEALS, index)
            if not found[SEALS]:
                array: Any = self._group[SEALS]
                seals = array[index]
                for name in self.layout.names:
                    found[name] = found[name] or self._place_fault(name, index, seals)
        return {name: fault for name, fault in found.items() if fault}

    def _place_fault(self, name: str, index: tuple[int, ...], seals: NDArray[np.uint64]) -> str:
        """What is wrong with the place of a chunk, without reading it; empty if nothing is."""
        try:
            seal = chunk_seal(self.path, self.identity, name, index)
        except OSError:
            there = chunk_file(self.path, name, index).is_file()
            return "damaged" if there else "missing"
        return "" if seal == int(seals[self.layout.names.index(name)]) else "foreign"

    def _decode_fault(self, name: str, index: tuple[int, ...]) -> str:
        if not chunk_file(self.path, name, self._chunk(name, index)).is_file():
            return "missing"
        array: Any = self._group[name]
        at = self.plan.slices(index) if name in self.layout.points else index
        try:
            values = np.asarray(array[at])
        except Exception:  # as in `open`
            return "damaged"
        return "damaged" if _missing(values) else ""

    def _chunk(self, name: str, index: tuple[int, ...]) -> tuple[int, ...]:
        """Index of a block's chunk: seals have one axis more."""
        return (*index, 0) if name == SEALS else index

    def _fault(self, why: str) -> StoreError:
        """The error for a chunk; `prepare_resumption` and the run after it make it again."""
        return StoreError(
            f"damaged {self.layout.noun}: {why}",
            where=str(self.path),
            hint="run its command with --resume, which makes damaged blocks again",
        )


_WORDS = {
    "missing": "is missing",
    "damaged": "can not be read",
    "foreign": "is of another place or another run",
}


def _missing(values: NDArray[Any]) -> bool:
    return bool((~np.isfinite(values) if values.dtype.kind == "f" else values < 0).any())


def _is_own(file: str, chunks: dict[str, tuple[int, ...]]) -> bool:
    """Whether a store with these arrays and numbers of chunks has such a file."""
    if file == "zarr.json" or file.endswith(".partial"):
        return True
    name, _, rest = file.partition("/")
    if name not in chunks:
        return False
    if rest == "zarr.json":
        return True
    first, *index = rest.split("/")
    return (
        first == "c"
        and len(index) == len(chunks[name])
        and all(i == str(int(i)) for i in index if i.isdecimal())
        and all(i.isdecimal() and int(i) < n for i, n in zip(index, chunks[name], strict=True))
    )


def _damaged(path: Path, layout: Layout, why: str) -> StoreError:
    """The error for a store of which nothing can be known."""
    return StoreError(
        f"damaged {layout.noun}: {why}",
        where=str(path),
        hint=f"delete this folder and run {layout.made_by} again",
    )


def _foreign(path: Path, layout: Layout) -> StoreError:
    return StoreError(
        f"not a {layout.noun} of fastscan",
        where=str(path),
        hint=f"name a folder that {layout.made_by} made",
    )
