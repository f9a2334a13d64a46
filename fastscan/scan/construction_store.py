"""The zarr store of a Feldman-Cousins construction: like a scan's, with a kind of its own.

A block is a row of the plane. Its arrays are written first and its status last, so that a
construction killed at any moment resumes from the rows whose status says they are done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

from fastscan.exceptions import InputError, RunError, StoreError
from fastscan.models import Parameter
from fastscan.scan import store
from fastscan.scan.axes import Axis
from fastscan.scan.files import FULL_DISK
from fastscan.scan.plan import Plan

__all__ = [
    "ARRAYS",
    "KIND",
    "Contents",
    "create_store",
    "is_construction",
    "open_for_writing",
    "write_row",
]

KIND = "fastscan construction"
FORMAT_VERSION = 1

# Of each grid point: type, value where nothing was written, and what it is.
ARRAYS: dict[str, tuple[str, Any, str]] = {
    "statistic": ("float64", np.nan, "chi2 of the data above its minimum in the plane"),
    "critical_value": ("float64", np.nan, "value at or below which a part cl of toys lies"),
    "critical_error": ("float64", np.nan, "Monte Carlo error of the critical value"),
    "toys": ("int64", -1, "toys that were fitted"),
}


@dataclass(frozen=True)
class Contents:
    """A construction's store, opened for reading.

    Attributes
    ----------
    path : Path
    header : dict
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
        attributes, root = _attributes(path)
        if attributes.get("kind") != KIND:
            raise StoreError(
                "not a Feldman-Cousins construction",
                where=str(path),
                mend="name a folder that fastscan scan --method feldman-cousins made",
            )
        if attributes.get("format_version") != FORMAT_VERSION:
            raise StoreError(
                f"construction of format version {attributes.get('format_version')}, "
                f"not {FORMAT_VERSION}",
                where=str(path),
                mend="make it again with this version of fastscan",
            )
        if attributes.get("metadata_sha256") != _digest(root):
            raise store.damaged(path, "its metadata were changed")
        try:
            group = zarr.open_group(path, mode="r")
            shape = tuple(axis["points"] for axis in attributes["header"]["axes"])
        except Exception as error:  # zarr raises whatever broken metadata makes it stumble over
            raise store.damaged(path, "its metadata can not be read") from error
        return cls(path, attributes["header"], plan_of(shape), group)

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
            raise store.damaged(self.path, f"a chunk of {name} can not be read") from error
        missing = ~np.isfinite(values) if values.dtype.kind == "f" else values < 0
        if missing.any():
            raise store.damaged(self.path, f"a chunk of {name} is missing")
        return values

    def block_status(self) -> NDArray[np.uint8]:
        """Which rows are done, shape of the grid of blocks."""
        return self.read("block_status")

    def unit(self, name: str) -> str:
        """Unit of an axis."""
        return str(self._group[name].attrs["units"])


def plan_of(shape: tuple[int, ...]) -> Plan:
    """Blocks of one row each."""
    return Plan.of(shape, shape[-1])


def is_construction(path: str | Path) -> bool:
    """Whether a folder says that it is a construction."""
    try:
        return bool(_attributes(Path(path))[0].get("kind") == KIND)
    except StoreError:
        return False


def create_store(
    path: Path, header: Mapping[str, Any], axes: Sequence[Axis], parameters: Sequence[Parameter]
) -> None:
    """Create an empty construction under a temporary name and rename it into place.

    Raises
    ------
    StoreError
        Something is there already.
    InputError
        The folder can not be written.
    RunError
        The disk is full.
    """
    if store.exists(path):
        raise StoreError(
            "output exists and is not overwritten",
            where=str(path),
            mend="continue it with --resume, or name another with --out",
        )
    parent = path.absolute().parent
    partial = parent / f".{path.name}-{uuid.uuid4().hex}.partial"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _write_empty(partial, header, axes, parameters)
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


def open_for_writing(path: str) -> dict[str, zarr.Array[Any]]:
    """The arrays that rows are written to, by name.

    Raises
    ------
    RunError
        They can not be opened.
    """
    try:
        group = zarr.open_group(path, mode="r+")
        return {name: group[name] for name in (*ARRAYS, "block_status")}  # type: ignore[misc]
    except OSError as error:
        raise _stopped(path, error) from error


def write_row(
    path: str,
    written: Mapping[str, zarr.Array[Any]],
    plan: Plan,
    index: tuple[int, ...],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write a row and then its status.

    Raises
    ------
    RunError
        The disk is full or the store can not be written; rows done before are kept.
    """
    try:
        for name in ARRAYS:
            written[name][plan.slices(index)] = arrays[name][None]
        written["block_status"][index] = store.BLOCK_DONE
    except OSError as error:
        raise _stopped(path, error) from error


def _stopped(path: str, error: OSError) -> RunError:
    why = "the disk is full" if error.errno in FULL_DISK else (error.strerror or str(error))
    return RunError(
        f"construction stopped: {why}",
        where=path,
        mend="finished rows are kept: make room and run the same command with --resume",
    )


def _attributes(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes of the root group, and all of its metadata."""
    if not (path / "zarr.json").is_file():
        raise StoreError("no construction there", where=str(path), mend="run: fastscan scan")
    try:
        root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        return dict(root.get("attributes", {})), root
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise store.damaged(path, "its metadata can not be read") from error


def _write_empty(
    path: Path, header: Mapping[str, Any], axes: Sequence[Axis], parameters: Sequence[Parameter]
) -> None:
    group = zarr.open_group(path, mode="w-", zarr_format=3)
    names = [axis.name for axis in axes]
    plan = plan_of(tuple(axis.points for axis in axes))
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
    arrays = {
        **{name: (plan.shape, plan.block_shape, names, *about) for name, about in ARRAYS.items()},
        "block_status": (
            plan.grid,
            (1,) * len(plan.grid),
            [f"{name}_block" for name in names],
            "uint8",
            0,
            "1 where the row is done",
        ),
    }
    for name, (shape, chunks, dimensions, dtype, fill, long_name) in arrays.items():
        group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            fill_value=fill,
            compressors=[Crc32cCodec()],
            dimension_names=dimensions,
            attributes={"units": "1", "long_name": long_name},
            config={"write_empty_chunks": True},
        )
    group.attrs.update({"kind": KIND, "format_version": FORMAT_VERSION, "header": dict(header)})
    with warnings.catch_warnings():
        # As for a scan: lets xarray open the store without a warning.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(path)
    root = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    root["attributes"]["metadata_sha256"] = _digest(root)
    (path / "zarr.json").write_text(json.dumps(root, indent=2), encoding="utf-8")


def _digest(root: dict[str, Any]) -> str:
    """Sha256 of a group's metadata, its own digest left out."""
    attributes = {k: v for k, v in root["attributes"].items() if k != "metadata_sha256"}
    text = json.dumps({**root, "attributes": attributes}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
