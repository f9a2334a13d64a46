"""How a grid is cut into blocks: a block is a task, and a chunk of the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

__all__ = ["DEFAULT_BLOCK_POINTS", "Plan"]

# 32 MB of float64: tens of milliseconds of work, beside which the few that a block's summary and
# the scheduler take are small (benchmarks/scaling.py measures both; benchmarks/RESULTS.md).
DEFAULT_BLOCK_POINTS = 4_194_304


@dataclass(frozen=True)
class Plan:
    """Blocks of a grid, numbered in C order.

    Attributes
    ----------
    shape : tuple of int
        Points of each axis.
    block_shape : tuple of int
        Points of a whole block along each axis.
    """

    shape: tuple[int, ...]
    block_shape: tuple[int, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], block_points: int = DEFAULT_BLOCK_POINTS) -> Plan:
        """Fill blocks from the last axis up, so that whole rows stay together."""
        room = block_points
        block: list[int] = []
        for points in reversed(shape):
            block.append(max(1, min(points, room)))
            room //= block[-1]
        return cls(shape, tuple(reversed(block)))

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return tuple(-(-n // b) for n, b in zip(self.shape, self.block_shape, strict=True))

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return prod(self.grid)

    @property
    def points(self) -> int:
        """Number of grid points."""
        return prod(self.shape)

    def indices(self) -> Iterator[tuple[int, ...]]:
        """Block indices in C order, one at a time."""
        for number in range(self.blocks):
            index: list[int] = []
            for count in reversed(self.grid):
                number, position = divmod(number, count)
                index.append(position)
            yield tuple(reversed(index))

    def slices(self, index: tuple[int, ...]) -> tuple[slice, ...]:
        """Grid points of a block."""
        return tuple(
            slice(i * b, min((i + 1) * b, n))
            for i, b, n in zip(index, self.block_shape, self.shape, strict=True)
        )
