"""A finished scan, read from its store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import StoreError
from fastscan.scan.store import scan_layout
from fastscan.storage.contents import Contents
from fastscan.storage.layout import BLOCK_DONE
from fastscan.storage.paths import local_path

__all__ = ["BestFit", "ScanResult"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BestFit:
    """The grid point of lowest chi2."""

    point: dict[str, float]
    chi2: float
    alpha_hat: float


class ScanResult:
    """A complete scan on disk; `chi2` is read when asked for.

    Attributes
    ----------
    path : Path
    header : dict
        Model, parameters, experiment, axes and checksums; see `fastscan.scan.scan_header`.
    names : tuple of str
        Axes in the order of the array's dimensions.
    coordinates : dict of (points,) arrays
    units : dict of str
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.path = contents.path
        self.header: dict[str, Any] = contents.header
        self.names: tuple[str, ...] = tuple(axis["name"] for axis in self.header["axes"])
        self.coordinates: dict[str, FloatArray] = {n: contents.read(n) for n in self.names}
        self.units = {name: contents.unit(name) for name in self.names}

    @classmethod
    def open(cls, path: str | Path) -> ScanResult:
        """Open a complete scan.

        Raises
        ------
        StoreError
            Missing, foreign, damaged, or not complete.
        """
        contents = Contents.open(local_path(path), scan_layout())
        done = int((contents.block_status() == BLOCK_DONE).sum())
        if done < contents.plan.blocks:
            raise StoreError(
                f"scan is not complete: {done} of {contents.plan.blocks} blocks",
                where=str(path),
                hint="finish it with the command it was made with and --resume",
            )
        return cls(contents)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points of each axis."""
        return self._contents.plan.shape

    @cached_property
    def chi2(self) -> FloatArray:
        """Absolute chi2, the whole array.

        Raises
        ------
        StoreError
            A chunk is missing or damaged.
        """
        return self._contents.read("chi2")

    @cached_property
    def best_fit(self) -> BestFit:
        """The grid point of lowest chi2, from the blocks' summaries.

        Raises
        ------
        StoreError
            A summary is missing or damaged.
        """
        contents = self._contents
        lowest = contents.read("block_chi2_min")
        block = tuple(int(i) for i in np.unravel_index(int(lowest.argmin()), lowest.shape))
        inside = int(contents.read("block_best_index")[block])
        slices = contents.plan.slices(block)
        lengths = tuple(s.stop - s.start for s in slices)
        position = np.unravel_index(inside, lengths)
        point = {
            name: float(self.coordinates[name][s.start + p])
            for name, s, p in zip(self.names, slices, position, strict=True)
        }
        alpha = float(contents.read("block_alpha_hat")[block])
        return BestFit(point, float(lowest[block]), alpha)
