"""What a kind of block store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec

__all__ = ["BLOCK_DONE", "SEALS", "STATUS", "Coordinate", "Layout", "Values"]

BLOCK_DONE = 1
STATUS = "block_status"
SEALS = "block_seal"


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
        Codecs, the crc32c last.
    attributes : dict
        More of them.
    """

    dtype: str
    fill: float
    long_name: str
    compressors: tuple[Any, ...] = (Crc32cCodec(),)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Coordinate:
    """An axis of a store's grid: its name, the values, their unit, and a description."""

    name: str
    values: NDArray[np.float64]
    unit: str
    description: str


@dataclass(frozen=True)
class Layout:
    """A kind of store.

    Attributes
    ----------
    kind : str
        As its attributes say.
    noun, blocks_noun : str
        What its user calls it, and its blocks.
    made_by : str
        The command that makes it.
    format_version : int
        Of stores that are made; those of every version from 1 on are read.
    points, blocks : dict of Values
        Arrays with a value for each grid point, and for each block; they are written in this order,
        then the seals of a block, and its status last.
    """

    kind: str
    noun: str
    made_by: str
    format_version: int
    points: Mapping[str, Values]
    blocks: Mapping[str, Values]
    blocks_noun: str = "blocks"

    @property
    def names(self) -> tuple[str, ...]:
        """Arrays whose chunks are sealed, in the order of the seals."""
        return (*self.points, *self.blocks)

    @property
    def status(self) -> Values:
        """The array that says which blocks are done."""
        return Values("uint8", 0, "1 where the block is done")

    @property
    def seals(self) -> Values:
        """The array that binds the chunks of a block to their place."""
        return Values(
            "uint64", 0, "seals of the chunks of the block", attributes={"arrays": list(self.names)}
        )
