"""Rows of lines shared out to threads, always cut alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["TILE", "by_tiles"]

T = TypeVar("T")

# Rows of a tile: enough that a thread is worth its while.
TILE = 2048


def by_tiles(
    rows: int, work: Callable[[slice], T], workers: int | None, size: int = TILE
) -> list[T]:
    """Results of tiles of rows, in their order.

    Parameters
    ----------
    rows : int
    work : callable
        Called with the slice of a tile; must release the interpreter's lock to gain anything.
    workers : int or None
        Threads; None for all processors.
    size : int
        Rows of a tile.
    """
    tiles = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    threads = min(workers or os.cpu_count() or 1, len(tiles))
    if threads <= 1:
        return [work(tile) for tile in tiles]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, tiles))
