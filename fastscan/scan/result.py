"""Results of scans: chi2 on a grid with its axes named, in the order they were asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import FastscanError, InputError, StoreError
from fastscan.inference.edges import Bounds, bounds_of, outside_words
from fastscan.likelihoods import Likelihood
from fastscan.likelihoods.minimum import Minimum, find_minimum, point_words
from fastscan.models import recorded_model
from fastscan.results import Column, Provenance, Table
from fastscan.scan.axes import Axis
from fastscan.scan.provenance import Scanned
from fastscan.scan.store import scan_layout
from fastscan.storage.contents import Contents
from fastscan.storage.layout import BLOCK_DONE
from fastscan.storage.paths import local_path

if TYPE_CHECKING:
    from xarray import DataArray

    from fastscan.scan.grid import Grid

__all__ = ["BestFit", "MemoryScan", "ScanResult", "StoredScan", "labelled", "ordered"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BestFit:
    """The grid point of lowest chi2."""

    point: dict[str, float]
    chi2: float
    alpha_hat: float


def labelled(
    values: NDArray[Any],
    coordinates: Mapping[str, FloatArray],
    units: Mapping[str, str],
    *,
    name: str,
    long_name: str,
) -> DataArray:
    """An array with its axes named, their points and units beside it; nothing is copied."""
    from xarray import DataArray

    axes = {key: (key, column, {"units": units[key]}) for key, column in coordinates.items()}
    attributes = {"units": "1", "long_name": long_name}
    return DataArray(values, axes, tuple(coordinates), name, attributes)


def ordered(header: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """A header with its axes in the order asked for, and where each is in the stored arrays.

    A grid is kept with masses first; its header has the names as they were asked for, if they
    were asked for in another order, as ``order``.
    """
    stored = [axis["name"] for axis in header["axes"]]
    places = tuple(stored.index(name) for name in header.get("order", stored))
    return {**header, "axes": [header["axes"][i] for i in places]}, places


class ScanResult(Scanned):
    """Chi2 on the product of some axes.

    Attributes
    ----------
    path : Path
        The store it was read from; of a scan in memory a name for messages.
    header : dict
        Model, parameters, experiment, axes and checksums; see `fastscan.scan.scan_header`.
    axes : tuple of Axis
        In the order asked for, that of the dimensions of `chi2`.
    names : tuple of str
    coordinates : dict of (points,) arrays
    units : dict of str
    """

    def __init__(
        self, header: Mapping[str, Any], units: Mapping[str, str], path: Path | str = "scan"
    ) -> None:
        self.header, self._places = ordered(header)
        self.path = Path(path)
        self.axes = tuple(Axis(**axis) for axis in self.header["axes"])
        self.names = tuple(axis.name for axis in self.axes)
        self.coordinates: dict[str, FloatArray] = {axis.name: axis.values for axis in self.axes}
        self.units = {name: units[name] for name in self.names}
        # Finer grids of it that contours were drawn on, by their levels.
        self.surfaces: dict[tuple[float, ...], Any] = {}

    @classmethod
    def open(cls, path: str | Path) -> StoredScan:
        """Open a complete scan on disk; its arrays are read, and checked, when asked for.

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
        return StoredScan(contents)

    @cached_property
    def bounds(self) -> Bounds:
        """Range of each parameter; empty for a model that this version does not have."""
        try:
            model = recorded_model(self.header)
            return bounds_of(model.parameter(name) for name in self.names)
        except (FastscanError, TypeError):
            return {}

    @cached_property
    def _made_again(self) -> tuple[Likelihood | None, str]:
        """The likelihood it was made with, or why that can not be had."""
        from fastscan.scan.origin import check_chi2, chi2_function, likelihood_of

        try:
            found = likelihood_of(self.header)
            corner = tuple(axis.start for axis in self.axes)
            points = np.array([corner, tuple(self.best_fit.point.values())])
            values = np.array([self.values[(0,) * len(corner)], self.best_fit.chi2])
            chi2 = chi2_function(found, self.names, self.header)
            check_chi2(chi2, points, values, ", ".join(self.names))
        except InputError as error:
            return None, error.what
        return found, ""

    @property
    def likelihood(self) -> Likelihood | None:
        """The likelihood it was made with; None where that can not be made again, see `origin`."""
        return self._made_again[0]

    @property
    def origin(self) -> str:
        """Why the likelihood can not be had; empty where it can."""
        return self._made_again[1]

    @cached_property
    def minimum(self) -> Minimum:
        """The lowest chi2 that the scanned parameters can reach, on the grid or off it.

        Where the likelihood can not be had, that of the grid.
        """
        best = self.best_fit
        if self.likelihood is not None:
            form = self.likelihood.form([*self.names, *self.profiled], self.header["parameters"])
            found = find_minimum(form)
            if found.chi2 <= best.chi2:
                return found
        return Minimum(dict(best.point), best.chi2)

    @property
    def profiled(self) -> tuple[str, ...]:
        """Parameters that chi2 was minimised over at each point."""
        return tuple(self.header.get("profiled", ()))

    @property
    def shape(self) -> tuple[int, ...]:
        """Points of each axis."""
        return tuple(axis.points for axis in self.axes)

    @property
    def values(self) -> FloatArray:
        """Absolute chi2, a plain array in the order of the axes."""
        return self._read().transpose(self._places)

    @cached_property
    def chi2(self) -> DataArray:
        """Absolute chi2, its dimensions named, in the order of the axes.

        Raises
        ------
        StoreError
            A chunk of a store is missing or damaged.
        """
        long_name = "absolute chi2, nuisances profiled"
        return labelled(self.values, self.coordinates, self.units, name="chi2", long_name=long_name)

    @property
    def headline(self) -> str:
        """Points, and the lowest chi2 of the grid."""
        shape = " x ".join(f"{n} {name}" for name, n in zip(self.names, self.shape, strict=True))
        best = self.best_fit
        at = f"best fit of the grid {point_words(best.point)}"
        return f"{shape} points, {at}; chi2 = {best.chi2:.4f}"

    @property
    def warnings(self) -> list[str]:
        """What may mislead: a minimum off the grid, absurd fits."""
        box = {axis.name: (axis.start, axis.stop) for axis in self.axes}
        outside = outside_words(self.minimum, box, self.best_fit.chi2)
        words = [outside] if outside else []
        if self.likelihood is not None:
            words += self.likelihood.doubts(self.minimum.chi2, len(self.names))
        return words

    @property
    def _told(self) -> tuple[str, ...]:
        return ()

    def _entries(self) -> dict[str, Any]:
        best, lowest = self.best_fit, self.minimum
        return {
            "store": str(self.path),
            "shape": dict(zip(self.names, self.shape, strict=True)),
            "axes": [axis.to_dict() for axis in self.axes],
            "minimum": {"point": lowest.point, "chi2": lowest.chi2},
            "best_fit": best.point,
            "chi2_min": best.chi2,
            "alpha_hat": best.alpha_hat,
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        words = "absolute chi2, nuisances profiled"
        columns = {
            name: Column((name,), values, self.units[name])
            for name, values in self.coordinates.items()
        }
        # The table has all dimensions, and chi2 stands last.
        return {"chi2": Column(self.names, self.values, words=words), **columns}

    def _page(self) -> Table:
        names = ("name", "unit", "start", "stop", "points", "spacing", "best fit")
        best = self.best_fit.point
        rows = [
            (a.name, self.units[a.name], a.start, a.stop, a.points, a.spacing, best[a.name])
            for a in self.axes
        ]
        return Table({}, names, rows)

    def _state(self) -> dict[str, Any]:
        return {"header": self.header, "coordinates": self.coordinates, "chi2": self.values}

    @property
    @abstractmethod
    def best_fit(self) -> BestFit:
        """The grid point of lowest chi2.

        Raises
        ------
        StoreError
            A summary in a store is missing or damaged.
        """

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """`values`, for NumPy."""
        return np.array(self.values, dtype=dtype, copy=copy)

    @abstractmethod
    def _read(self) -> FloatArray:
        """Absolute chi2 as it is stored."""


class StoredScan(ScanResult):
    """A complete scan on disk; made by `ScanResult.open`."""

    def __init__(self, contents: Contents) -> None:
        names = [axis["name"] for axis in contents.header["axes"]]
        units = {name: contents.unit(name) for name in names}
        super().__init__(contents.header, units, contents.path)
        self._contents = contents
        self.coordinates = {name: contents.read(name) for name in self.names}

    @cached_property
    def _stored(self) -> FloatArray:
        return self._contents.read("chi2")

    def _read(self) -> FloatArray:
        return self._stored

    @cached_property
    def best_fit(self) -> BestFit:
        """The grid point of lowest chi2, from the blocks' summaries."""
        contents = self._contents
        lowest = contents.read("block_chi2_min")
        block = tuple(int(i) for i in np.unravel_index(int(lowest.argmin()), lowest.shape))
        inside = int(contents.read("block_best_index")[block])
        slices = contents.plan.slices(block)
        lengths = tuple(s.stop - s.start for s in slices)
        position = np.unravel_index(inside, lengths)
        index = [int(s.start + p) for s, p in zip(slices, position, strict=True)]
        point = {
            name: float(self.coordinates[name][index[place]])
            for name, place in zip(self.names, self._places, strict=True)
        }
        alpha = float(contents.read("block_alpha_hat")[block])
        return BestFit(point, float(lowest[block]), alpha)


class MemoryScan(ScanResult):
    """A scan held in memory; made by `fastscan.scan.scan_in_memory`."""

    def __init__(
        self, likelihood: Likelihood, header: Mapping[str, Any], values: FloatArray, grid: Grid
    ) -> None:
        units = {name: likelihood.model.parameter(name).unit for name in grid.asked}
        super().__init__(header, units)
        self._values, self._grid, self._likelihood = values, grid, likelihood

    @property
    def provenance(self) -> Provenance:  # type: ignore[override]
        """That of its likelihood."""
        return self._likelihood.provenance

    @property
    def _made_again(self) -> tuple[Likelihood | None, str]:
        return self._likelihood, ""

    @cached_property
    def bounds(self) -> Bounds:
        """Range of each parameter."""
        return bounds_of(self._grid.form.counts.parameters)

    def _read(self) -> FloatArray:
        return self._values

    @cached_property
    def best_fit(self) -> BestFit:
        """The grid point of lowest chi2."""
        flat = int(self._values.argmin())
        index = tuple(int(i) for i in np.unravel_index(flat, self._values.shape))
        point = self._grid.point(index)
        alpha = self._grid.alpha_hat(index)
        return BestFit(
            {name: point[name] for name in self.names}, float(self._values[index]), alpha
        )
