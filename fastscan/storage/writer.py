"""Fill a block store: no block is ever written twice at a time, its status comes last.

A block is one chunk of every array that has a value for each grid point; chunks are written to a
temporary file and renamed. So a run killed at any moment resumes from the blocks whose status says
that they are done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from fastscan.exceptions import RunError
from fastscan.storage.checksums import chunk_seal, read_metadata, restore_metadata
from fastscan.storage.layout import BLOCK_DONE, SEALS, STATUS, Coordinate, Layout
from fastscan.storage.outputs import FULL_DISK
from fastscan.storage.plan import Plan

__all__ = ["BlockWriter", "prepare_resumption"]


@dataclass(frozen=True)
class BlockWriter:
    """A store, opened for blocks to be written; each process opens its own."""

    path: Path
    layout: Layout
    plan: Plan
    identity: str
    arrays: Mapping[str, zarr.Array[Any]]

    @classmethod
    def open(cls, path: Path, layout: Layout, plan: Plan) -> BlockWriter:
        """Open the arrays that blocks are written to.

        Raises
        ------
        RunError
            They can not be opened.
        """
        try:
            group = zarr.open_group(path, mode="r+", zarr_format=3)
            # A store of format version 1 has no seals, and is finished without them.
            names = [n for n in (*layout.names, SEALS, STATUS) if n in group]
            arrays: dict[str, Any] = {name: group[name] for name in names}
            return cls(path, layout, plan, str(group.attrs["metadata_sha256"]), arrays)
        except OSError as error:
            raise _stopped(path, layout, error) from error

    def write(self, index: tuple[int, ...], values: Mapping[str, Any]) -> None:
        """Write a block: the values of its points, those of the block, seals, and its status.

        Raises
        ------
        RunError
            The disk is full or the store can not be written; blocks done before are kept.
        """
        try:
            for name in self.layout.points:
                self.arrays[name][self.plan.slices(index)] = values[name]
            for name in self.layout.blocks:
                self.arrays[name][index] = values[name]
            if SEALS in self.arrays:
                seals = [chunk_seal(self.path, self.identity, n, index) for n in self.layout.names]
                self.arrays[SEALS][index] = np.array(seals, dtype=np.uint64)
            self.arrays[STATUS][index] = BLOCK_DONE
        except OSError as error:
            raise _stopped(self.path, self.layout, error) from error


def prepare_resumption(path: Path, coordinates: Sequence[Coordinate]) -> None:
    """Delete what killed writes left inside a store; write documents and axes that were lost again.

    The metadata of the store itself are intact, and the caller holds its lock.
    """
    for leftover in path.rglob("*.partial"):
        leftover.unlink(missing_ok=True)
    restore_metadata(path, read_metadata(path))
    group: Any = zarr.open_group(path, mode="r+", zarr_format=3)
    for axis in coordinates:
        try:
            same = np.array_equal(group[axis.name][...], axis.values)
        except Exception:  # zarr raises whatever a damaged chunk makes it stumble over
            same = False
        if not same:
            group[axis.name][...] = axis.values


def _stopped(path: Path, layout: Layout, error: OSError) -> RunError:
    why = "the disk is full" if error.errno in FULL_DISK else (error.strerror or str(error))
    return RunError(
        f"{layout.noun} stopped: {why}",
        where=str(path),
        hint="finished blocks are kept: make room and run the same command with --resume",
    )
