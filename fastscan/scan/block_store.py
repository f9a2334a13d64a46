"""Zarr stores filled block by block: created whole under their name, no block ever written twice.

A block is one chunk of every array that has a value for each grid point; chunks are written to a
temporary file and renamed, and the status of a block is written last. So a run killed at any moment
resumes from the blocks whose status says they are done. Every array carries a checksum of each
chunk.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

from fastscan.exceptions import InputError, RunError, StoreError
from fastscan.models import Parameter
from fastscan.scan.axes import Axis
from fastscan.scan.files import FULL_DISK
from fastscan.scan.plan import Plan

__all__ = [
    "BLOCK_DONE",
    "Contents",
    "Layout",
    "Values",
    "create_store",
    "differing_entry",
    "exists",
    "open_for_writing",
    "remove_leftovers",
    "write_block",
    "writer",
]

BLOCK_DONE = 1
_STATUS = "block_status"


@dataclass(frozen=True)
class Values:
    """An array of a store.

    Attributes
    ----------
    dtype : str
    fill : float or int
        What reads where nothing was written; never a value.
    long_name : str
    compressors : tuple
        Codecs, the checksum last.
    attributes : dict
        More of them.
    """

    dtype: str
    fill: float
    long_name: str
    compressors: tuple[Any, ...] = (Crc32cCodec(),)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A kind of store.

    Attributes
    ----------
    kind : str
        As its attributes say.
    noun : str
        What its user calls it.
    made_by : str
        The command that makes it.
    format_version : int
    points, blocks : dict of Values
        Arrays with a value for each grid point, and for each block; `write_block` writes them in
        this order, and the status of the block last.
    """

    kind: str
    noun: str
    made_by: str
    format_version: int
    points: Mapping[str, Values]
    blocks: Mapping[str, Values]

    @property
    def status(self) -> Values:
        """The array that says which blocks are done."""
        return Values("uint8", 0, "1 where the block is done")


def exists(path: Path) -> bool:
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
            hint="name another with --out",
        ) from error
    return True


def create_store(
    path: Path,
    layout: Layout,
    header: Mapping[str, Any],
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    plan: Plan,
) -> None:
    """Create an empty store under a temporary name and rename it into place.

    Raises
    ------
    StoreError
        Something is there already.
    InputError
        The folder can not be written, or the grid can not fit the disk.
    """
    if exists(path):
        raise StoreError(
            "output exists and is not overwritten",
            where=str(path),
            hint="continue it with --resume, or name another with --out",
        )
    parent = path.absolute().parent
    partial = parent / f".{path.name}-{uuid.uuid4().hex}.partial"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _check_room(path, plan, layout)
        _remove_unborn(path)
        _write_empty(partial, layout, header, axes, parameters, plan)
        partial.rename(path)
    except OSError as error:
        if error.errno in FULL_DISK:
            raise RunError(
                "output can not be written: the disk is full",
                where=str(path),
                hint="make room, or name another with --out",
            ) from error
        raise InputError(
            f"output can not be written: {error.strerror or error}",
            where=str(path),
            hint="name another with --out",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True)
class Contents:
    """A store, opened for reading; its pieces are read, and checked, when asked for.

    Attributes
    ----------
    path : Path
    layout : Layout
    header : dict
        See `fastscan.scan.scan_header`.
    plan : Plan
    """

    path: Path
    layout: Layout
    header: dict[str, Any]
    plan: Plan
    _group: zarr.Group

    @classmethod
    def open(cls, path: Path, layout: Layout) -> Contents:
        """Open a store.

        Raises
        ------
        StoreError
            Missing, foreign, of another format version, or damaged.
        """
        if not path.is_dir():
            raise StoreError(
                f"no {layout.noun} there", where=str(path), hint=f"run: {layout.made_by}"
            )
        if not (path / "zarr.json").is_file():
            raise _foreign(path, layout)
        try:
            root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
            attributes = dict(root.get("attributes", {}))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise _damaged(path, layout, "its metadata can not be read") from error
        if root.get("node_type") != "group" or attributes.get("kind") != layout.kind:
            raise _foreign(path, layout)
        if attributes.get("format_version") != layout.format_version:
            raise StoreError(
                f"{layout.noun} of format version {attributes.get('format_version')}, "
                f"not {layout.format_version}",
                where=str(path),
                hint="make it again with this version of fastscan",
            )
        if attributes.get("metadata_sha256") != _digest(root):
            raise _damaged(path, layout, "its metadata were changed")
        try:
            group = zarr.open_group(path, mode="r")
            plan = Plan(
                tuple(axis["points"] for axis in attributes["header"]["axes"]),
                tuple(attributes["block_shape"]),
            )
        except Exception as error:  # zarr raises whatever broken metadata makes it stumble over
            raise _damaged(path, layout, "its metadata can not be read") from error
        return cls(path, layout, attributes["header"], plan, group)

    def read(self, name: str) -> NDArray[Any]:
        """One array whole, its checksums verified.

        Raises
        ------
        StoreError
            A chunk is missing or damaged.
        """
        try:
            values = np.asarray(self._group[name][...])  # type: ignore[index]
        except Exception as error:
            why = f"a chunk of {name} can not be read"
            raise _damaged(
                self.path, self.layout, why, repairable=self._repairable(name)
            ) from error
        # What is not there reads as the fill value: NaN, or -1 for an index.
        if _missing(values):
            why = f"a chunk of {name} is missing"
            raise _damaged(self.path, self.layout, why, repairable=self._repairable(name))
        return values

    def _repairable(self, name: str) -> bool:
        """Whether an array is made of blocks, as the axes are not."""
        return name == _STATUS or name in self.layout.points or name in self.layout.blocks

    def finished(self) -> NDArray[np.bool_]:
        """Which blocks say that they are done and have nothing missing or damaged."""
        found = np.zeros(self.plan.grid, dtype=bool)
        for index in self.plan.indices():
            found[index] = self._is_sound(index)
        return found

    def _is_sound(self, index: tuple[int, ...]) -> bool:
        try:
            status: Any = self._group[_STATUS]
            if status[index] != BLOCK_DONE:
                return False
            for name in (*self.layout.points, *self.layout.blocks):
                array: Any = self._group[name]
                at = self.plan.slices(index) if name in self.layout.points else index
                if _missing(np.asarray(array[at])):
                    return False
        except Exception:  # as in `read`
            return False
        return True

    def block_status(self) -> NDArray[np.uint8]:
        """Which blocks are done, shape of the grid of blocks."""
        return self.read(_STATUS)

    def unit(self, name: str) -> str:
        """Unit of an axis."""
        return str(self._group[name].attrs["units"])


@contextmanager
def writer(path: Path, layout: Layout) -> Iterator[None]:
    """Be the only one who fills a store; the system lets go of the lock when the process ends.

    Raises
    ------
    StoreError
        Another process is at it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(descriptor)
            raise StoreError(
                f"another process is writing this {layout.noun}",
                where=str(path),
                hint="wait for it, or name another with --out",
            ) from error
        # A file system without locks: blocks are written whole, so the values stay right.
    try:
        yield
    finally:
        os.close(descriptor)


def open_for_writing(path: str, layout: Layout) -> dict[str, zarr.Array[Any]]:
    """Open the arrays that blocks are written to.

    Raises
    ------
    RunError
        They can not be opened.
    """
    try:
        group = zarr.open_group(path, mode="r+")
        names = (*layout.points, *layout.blocks, _STATUS)
        return {name: group[name] for name in names}  # type: ignore[misc]
    except OSError as error:
        raise _stopped(path, layout, error) from error


def write_block(
    arrays: Mapping[str, zarr.Array[Any]],
    layout: Layout,
    plan: Plan,
    index: tuple[int, ...],
    values: Mapping[str, Any],
) -> None:
    """Write a block: the values of its points, those of the block, and its status last.

    Raises
    ------
    RunError
        The disk is full or the store can not be written; blocks done before are kept.
    """
    try:
        for name in layout.points:
            arrays[name][plan.slices(index)] = values[name]
        for name in layout.blocks:
            arrays[name][index] = values[name]
        arrays[_STATUS][index] = BLOCK_DONE
    except OSError as error:
        raise _stopped(str(arrays[_STATUS].store_path), layout, error) from error


def _stopped(path: str, layout: Layout, error: OSError) -> RunError:
    why = "the disk is full" if error.errno in FULL_DISK else (error.strerror or str(error))
    return RunError(
        f"{layout.noun} stopped: {why}",
        where=path,
        hint="finished blocks are kept: make room and run the same command with --resume",
    )


def _damaged(path: Path, layout: Layout, why: str, *, repairable: bool = False) -> StoreError:
    """The error for a store that can not be read, or of which blocks can not."""
    hint = f"delete this folder and run {layout.made_by} again"
    if repairable:
        hint = "run its command with --resume, which makes damaged blocks again"
    return StoreError(f"damaged {layout.noun}: {why}", where=str(path), hint=hint)


def _missing(values: NDArray[Any]) -> bool:
    return bool((~np.isfinite(values) if values.dtype.kind == "f" else values < 0).any())


def remove_leftovers(path: Path) -> None:
    """Delete the temporary files that killed writes left inside a store."""
    for leftover in path.rglob("*.partial"):
        leftover.unlink(missing_ok=True)


def differing_entry(left: dict[str, Any], right: dict[str, Any]) -> str | None:
    """Name of the first entry in which two headers differ, or None."""
    for key in sorted({*left, *right}):
        if json.dumps(left.get(key), sort_keys=True) != json.dumps(right.get(key), sort_keys=True):
            return key
    return None


def _digest(root: dict[str, Any]) -> str:
    """Sha256 of a group's metadata, its own digest left out."""
    attributes = {k: v for k, v in root["attributes"].items() if k != "metadata_sha256"}
    text = json.dumps({**root, "attributes": attributes}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _foreign(path: Path, layout: Layout) -> StoreError:
    return StoreError(
        f"not a {layout.noun} of fastscan",
        where=str(path),
        hint=f"name a folder that {layout.made_by} made",
    )


def _write_empty(
    path: Path,
    layout: Layout,
    header: Mapping[str, Any],
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    plan: Plan,
) -> None:
    group = zarr.open_group(path, mode="w-", zarr_format=3)
    names = [axis.name for axis in axes]
    for axis, parameter in zip(axes, parameters, strict=True):
        group.create_array(
            axis.name,
            data=axis.values,
            chunks=(axis.points,),
            fill_value=np.nan,
            compressors=[Crc32cCodec()],
            dimension_names=(axis.name,),
            attributes={"units": parameter.unit, "long_name": parameter.description},
        )
    coordinates = {"coordinates": " ".join(names)}
    for name, about in layout.points.items():
        _create_array(group, name, about, plan.shape, plan.block_shape, names, coordinates)
    blocks = [f"{axis}_block" for axis in names]
    for name, about in {**layout.blocks, _STATUS: layout.status}.items():
        _create_array(group, name, about, plan.grid, (1,) * len(plan.grid), blocks, {})
    group.attrs.update(
        {
            "kind": layout.kind,
            "format_version": layout.format_version,
            "header": dict(header),
            "block_shape": list(plan.block_shape),
        }
    )
    with warnings.catch_warnings():
        # Consolidated metadata lets xarray open the store without a warning; zarr says that
        # version 3 of the format does not standardise it yet.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(path)
    # Seals all metadata, of the arrays too; chunks have checksums of their own.
    root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    root["attributes"]["metadata_sha256"] = _digest(root)
    (path / "zarr.json").write_text(json.dumps(root, indent=2), encoding="utf-8")


def _create_array(
    group: zarr.Group,
    name: str,
    about: Values,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dimensions: Sequence[str],
    attributes: Mapping[str, Any],
) -> None:
    group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=about.dtype,
        fill_value=about.fill,
        compressors=list(about.compressors),
        dimension_names=dimensions,
        attributes={"units": "1", "long_name": about.long_name, **about.attributes, **attributes},
        config={"write_empty_chunks": True},
    )


def _remove_unborn(path: Path) -> None:
    """Delete what killed makers of this very store left beside it."""
    pattern = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{32}}\.partial")
    for folder in path.absolute().parent.iterdir():
        if pattern.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _check_room(path: Path, plan: Plan, layout: Layout) -> None:
    # Chi2 compresses to about half; a grid that would not fit even so is a slip of the pen.
    size = plan.points * sum(np.dtype(v.dtype).itemsize for v in layout.points.values())
    needed, free = size // 4, shutil.disk_usage(path.absolute().parent).free
    if needed > free:
        raise InputError(
            f"a grid of {plan.points:.3g} points does not fit the disk "
            f"({size / 1e9:.3g} GB uncompressed, {free / 1e9:.3g} GB free)",
            where=str(path),
            hint="use fewer points, or another disk with --out",
        )
