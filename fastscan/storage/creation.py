"""Empty block stores: complete before they get their name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec

from fastscan.exceptions import InputError, StoreError
from fastscan.storage.checksums import array_sha256, seal_metadata
from fastscan.storage.folders import born
from fastscan.storage.layout import SEALS, STATUS, Coordinate, Layout, Values
from fastscan.storage.outputs import write_failure
from fastscan.storage.paths import taken
from fastscan.storage.plan import Plan

__all__ = ["create_store"]

_HINT = "name another with --out"


def create_store(
    path: Path,
    layout: Layout,
    header: Mapping[str, Any],
    coordinates: Sequence[Coordinate],
    plan: Plan,
) -> None:
    """Create an empty store; who calls holds its lock.

    Raises
    ------
    StoreError
        Something is there already.
    InputError
        The folder can not be written, or the grid can not fit the disk.
    RunError
        The disk is full.
    """
    if taken(path):
        raise _exists(path)
    _check_room(path, plan, layout)
    try:
        with born(path) as partial:
            _write_empty(partial, layout, header, coordinates, plan)
    except OSError as error:
        # Of a process that the lock does not keep away, on a file system without any.
        raise _exists(path) if taken(path) else write_failure(path, error, hint=_HINT) from error


def _exists(path: Path) -> StoreError:
    return StoreError(
        "output exists and is not overwritten",
        where=str(path),
        hint=f"continue it with --resume, or {_HINT}",
    )


def _write_empty(
    path: Path,
    layout: Layout,
    header: Mapping[str, Any],
    coordinates: Sequence[Coordinate],
    plan: Plan,
) -> None:
    group = zarr.open_group(path, mode="w-", zarr_format=3)
    names = [axis.name for axis in coordinates]
    for axis in coordinates:
        group.create_array(
            axis.name,
            data=axis.values,
            chunks=axis.values.shape,
            fill_value=np.nan,
            compressors=[Crc32cCodec()],
            dimension_names=(axis.name,),
            attributes={"units": axis.unit, "long_name": axis.description},
        )
    about = {"coordinates": " ".join(names)}
    for name, values in layout.points.items():
        _create_array(group, name, values, plan.shape, plan.block_shape, names, about)
    blocks = [f"{axis}_block" for axis in names]
    ones = (1,) * len(plan.grid)
    for name, values in {**layout.blocks, STATUS: layout.status}.items():
        _create_array(group, name, values, plan.grid, ones, blocks, {})
    count = len(layout.names)
    shape, chunk = (*plan.grid, count), (*ones, count)
    _create_array(group, SEALS, layout.seals, shape, chunk, [*blocks, "sealed_array"], {})
    group.attrs.update(
        {
            "kind": layout.kind,
            "format_version": layout.format_version,
            "header": dict(header),
            "block_shape": list(plan.block_shape),
            "coordinates_sha256": {
                axis.name: array_sha256(axis.name, axis.values) for axis in coordinates
            },
        }
    )
    seal_metadata(path)


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


def _check_room(path: Path, plan: Plan, layout: Layout) -> None:
    # Chi2 compresses to about half; a grid that would not fit even so is probably a typing error.
    size = plan.points * sum(np.dtype(v.dtype).itemsize for v in layout.points.values())
    needed, free = size // 4, shutil.disk_usage(path.absolute().parent).free
    if needed > free:
        raise InputError(
            f"a grid of {plan.points:.3g} points does not fit the disk "
            f"({size / 1e9:.3g} GB uncompressed, {free / 1e9:.3g} GB free)",
            where=str(path),
            hint="use fewer points, or another disk with --out",
        )
