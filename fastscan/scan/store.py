"""The zarr store of a scan: created whole under its name, filled block by block, never twice.

A block of chi2 is one chunk, written to a temporary file and renamed; its status is written last.
So a scan killed at any moment resumes from the blocks whose status says they are done. Every array
carries a checksum of each chunk.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from fastscan.exceptions import InputError, RunError, StoreError
from fastscan.models import Parameter
from fastscan.scan.axes import Axis
from fastscan.scan.files import FULL_DISK
from fastscan.scan.plan import Plan

__all__ = [
    "BLOCK_DONE",
    "DTYPES",
    "Contents",
    "compressors",
    "create_store",
    "open_for_writing",
    "write_block",
]

FloatArray = NDArray[np.float64]

KIND = "fastscan scan"
FORMAT_VERSION = 1

BLOCK_DONE = 1
# Types chi2 can be stored in, and what is said of them in its attributes.
DTYPES = {
    "float64": "computed and stored in double precision",
    "float32": "computed in double precision, rounded once: relative error at most 6e-8",
}
_BLOCK_ARRAYS: dict[str, tuple[str, Any, str]] = {
    "block_chi2_min": ("float64", np.nan, "lowest chi2 of the block"),
    "block_best_index": ("int64", -1, "flat index of that point in the block, C order"),
    "block_alpha_hat": ("float64", np.nan, "change of the total counts by nuisances there"),
    "block_status": ("uint8", 0, "1 where the block is done"),
}


def compressors(dtype: str = "float64") -> list[Any]:
    """Codecs of the chi2 chunks: fast compression, and a checksum that is verified on reading."""
    size = np.dtype(dtype).itemsize
    return [BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=size), Crc32cCodec()]


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
            mend="name another with --out",
        ) from error
    return True


def create_store(
    path: Path,
    header: dict[str, Any],
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    plan: Plan,
) -> None:
    """Create an empty scan under a temporary name and rename it into place.

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
            mend="continue it with --resume, or name another with --out",
        )
    parent = path.absolute().parent
    partial = parent / f".{path.name}-{uuid.uuid4().hex}.partial"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _check_room(path, plan, np.dtype(header["dtype"]).itemsize)
        _remove_unborn(path)
        _write_empty(partial, header, axes, parameters, plan)
        partial.rename(path)
    except OSError as error:
        if error.errno in FULL_DISK:
            raise RunError(
                "output can not be written: the disk is full",
                where=str(path),
                mend="make room, or name another with --out",
            ) from error
        raise InputError(
            f"output can not be written: {error.strerror or error}",
            where=str(path),
            mend="name another with --out",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True)
class Contents:
    """A scan's store, opened for reading; its pieces are read, and checked, when asked for.

    Attributes
    ----------
    path : Path
    header : dict
        See `fastscan.scan.scan_header`.
    plan : Plan
    """

    path: Path
    header: dict[str, Any]
    plan: Plan
    _group: zarr.Group

    @classmethod
    def open(cls, path: Path) -> Contents:
        """Open a store.

        Raises
        ------
        StoreError
            Missing, foreign, of another format version, or damaged.
        """
        if not path.is_dir():
            raise StoreError("no scan there", where=str(path), mend="run: fastscan scan")
        if not (path / "zarr.json").is_file():
            raise _foreign(path)
        try:
            root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
            attributes = dict(root.get("attributes", {}))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise damaged(path, "its metadata can not be read") from error
        if root.get("node_type") != "group" or attributes.get("kind") != KIND:
            raise _foreign(path)
        if attributes.get("format_version") != FORMAT_VERSION:
            raise StoreError(
                f"scan of format version {attributes.get('format_version')}, not {FORMAT_VERSION}",
                where=str(path),
                mend="make it again with this version of fastscan",
            )
        if attributes.get("metadata_sha256") != _digest(root):
            raise damaged(path, "its metadata were changed")
        try:
            group = zarr.open_group(path, mode="r")
            plan = Plan(
                tuple(axis["points"] for axis in attributes["header"]["axes"]),
                tuple(attributes["block_shape"]),
            )
        except Exception as error:  # zarr raises whatever broken metadata makes it stumble over
            raise damaged(path, "its metadata can not be read") from error
        return cls(path, attributes["header"], plan, group)

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
            raise damaged(self.path, why, self._bad_block(name)) from error
        # What is not there reads as the fill value: NaN, or -1 for an index.
        if _missing(values):
            why = f"a chunk of {name} is missing"
            raise damaged(self.path, why, self._bad_block(name))
        return values

    def _bad_block(self, name: str) -> tuple[int, ...] | None:
        """The first block of which the piece of an array is damaged; axes have no blocks."""
        if name != "chi2" and name not in _BLOCK_ARRAYS:
            return None
        array: Any = self._group[name]
        for index in self.plan.indices():
            try:
                piece = array[self.plan.slices(index) if name == "chi2" else index]
            except Exception:  # as in `read`
                return index
            if _missing(np.asarray(piece)):
                return index
        return None

    def block_status(self) -> NDArray[np.uint8]:
        """Which blocks are done, shape of the grid of blocks."""
        return self.read("block_status")

    def unit(self, name: str) -> str:
        """Unit of an axis."""
        return str(self._group[name].attrs["units"])


@contextmanager
def writer(path: Path) -> Iterator[None]:
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
                "another process is writing this scan",
                where=str(path),
                mend="wait for it, or name another with --out",
            ) from error
        # A file system without locks: blocks are written whole, so the values stay right.
    try:
        yield
    finally:
        os.close(descriptor)


def open_for_writing(path: str) -> dict[str, zarr.Array[Any]]:
    """Open the arrays that blocks are written to.

    Raises
    ------
    RunError
        They can not be opened.
    """
    try:
        group = zarr.open_group(path, mode="r+")
        return {name: group[name] for name in ("chi2", *_BLOCK_ARRAYS)}  # type: ignore[misc]
    except OSError as error:
        raise _stopped(path, error) from error


def write_block(
    arrays: Mapping[str, zarr.Array[Any]],
    plan: Plan,
    index: tuple[int, ...],
    chi2: NDArray[Any],
    lowest: float,
    best: int,
    alpha: float,
) -> None:
    """Write a block and then its summary, the status last.

    Raises
    ------
    RunError
        The disk is full or the store can not be written; blocks done before are kept.
    """
    summary = {
        "block_chi2_min": lowest,
        "block_best_index": best,
        "block_alpha_hat": alpha,
        "block_status": BLOCK_DONE,
    }
    try:
        arrays["chi2"][plan.slices(index)] = chi2
        for name, value in summary.items():
            arrays[name][index] = value
    except OSError as error:
        raise _stopped(str(arrays["chi2"].store_path), error) from error


def _stopped(path: str, error: OSError) -> RunError:
    why = "the disk is full" if error.errno in FULL_DISK else (error.strerror or str(error))
    return RunError(
        f"scan stopped: {why}",
        where=path,
        mend="finished blocks are kept: make room and run the same command with --resume",
    )


def damaged(path: Path, why: str, block: tuple[int, ...] | None = None) -> StoreError:
    """The error for a store that can not be read, or of which a block can not."""
    mend = "delete this folder and scan again"
    if block is not None:
        # Resuming looks at the status alone, and so takes no notice of the rest of a block.
        status = "/".join(("block_status", "c", *map(str, block)))
        mend = f"delete {status} in this folder and run its command with --resume, or scan again"
    return StoreError(f"damaged scan: {why}", where=str(path), mend=mend)


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


def _foreign(path: Path) -> StoreError:
    return StoreError(
        "not a scan of fastscan", where=str(path), mend="name a folder that fastscan scan made"
    )


def _write_empty(
    path: Path,
    header: dict[str, Any],
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
    group.create_array(
        "chi2",
        shape=plan.shape,
        chunks=plan.block_shape,
        dtype=header["dtype"],
        fill_value=np.nan,
        compressors=compressors(header["dtype"]),
        dimension_names=names,
        attributes={
            "units": "1",
            "long_name": "absolute chi2, normalisation profiled",
            "precision": DTYPES[header["dtype"]],
            "coordinates": " ".join(names),
        },
    )
    for name, (dtype, fill, long_name) in _BLOCK_ARRAYS.items():
        group.create_array(
            name,
            shape=plan.grid,
            chunks=(1,) * len(plan.grid),
            dtype=dtype,
            fill_value=fill,
            compressors=[Crc32cCodec()],
            dimension_names=[f"{axis}_block" for axis in names],
            attributes={"units": "1", "long_name": long_name},
            config={"write_empty_chunks": True},
        )
    group.attrs.update(
        {
            "kind": KIND,
            "format_version": FORMAT_VERSION,
            "header": header,
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


def _remove_unborn(path: Path) -> None:
    """Delete what killed makers of this very store left beside it."""
    pattern = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{32}}\.partial")
    for folder in path.absolute().parent.iterdir():
        if pattern.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _check_room(path: Path, plan: Plan, itemsize: int) -> None:
    # Chi2 compresses to about half; a grid that would not fit even so is a slip of the pen.
    size = plan.points * itemsize
    needed, free = size // 4, shutil.disk_usage(path.absolute().parent).free
    if needed > free:
        raise InputError(
            f"a grid of {plan.points:.3g} points does not fit the disk "
            f"({size / 1e9:.3g} GB uncompressed, {free / 1e9:.3g} GB free)",
            where=str(path),
            mend="use fewer points, or another disk with --out",
        )
