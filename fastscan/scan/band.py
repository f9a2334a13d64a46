"""How far a coupling reaches inside a confidence region, at each point of others: a band."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inference.edges import outside_words
from fastscan.likelihoods import Likelihood, delta_chi2
from fastscan.results import Column, Touch, edge_words, touch_words
from fastscan.scan.axes import Axis
from fastscan.scan.edges import box_of, touches_of_grid
from fastscan.scan.executors import Index, executor
from fastscan.scan.grid import Grid
from fastscan.scan.marginal import marginalise
from fastscan.scan.provenance import Scanned, header_lines, scan_header
from fastscan.scan.reduction import TASK_POINTS, TILE_POINTS
from fastscan.storage.plan import Plan

__all__ = ["Band", "contour_band"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Band(Scanned):
    """Lowest and highest value of a coupling inside a confidence region of a scan.

    Attributes
    ----------
    axes : tuple of Axis
        Kept parameters.
    coupling : str
        The one whose reach is told.
    low, high : (points of each kept axis)
        Points of its axis, NaN where no point of the scan is inside.
    chi2_min, level : float
        The lowest chi2 there is, on the scan's points or off them, and that of the region's edge.
    touches : list of Touch
        Ends of axes that the region reaches.
    warnings : list of str
        What may mislead.
    header : dict
        Of the scan, see `fastscan.scan.scan_header`.
    """

    axes: tuple[Axis, ...]
    coupling: str
    low: FloatArray
    high: FloatArray
    chi2_min: float
    level: float
    touches: list[Touch]
    warnings: list[str]
    header: dict[str, Any]

    @property
    def headline(self) -> str:
        """What reaches where."""
        names = " and ".join(axis.name for axis in self.axes)
        return f"reach of {self.coupling} along {names} inside {self._level}"

    @property
    def _level(self) -> str:
        return f"{100 * self.header['cl']:g} % C.L., {self.header['dof']} degrees of freedom"

    def _entries(self) -> dict[str, Any]:
        return {
            "kept": [axis.name for axis in self.axes],
            "band": self.coupling,
            "cl": self.header["cl"],
            "chi2_min": self.chi2_min,
            "level": self.level,
            "touches": self.touches,
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        names = tuple(axis.name for axis in self.axes)
        unit = self.provenance.unit(self.coupling)
        return {
            f"{self.coupling}_low": Column(names, self.low, unit, "lowest value inside"),
            f"{self.coupling}_high": Column(names, self.high, unit, "highest value inside"),
            **{axis.name: self._axis_column(axis) for axis in self.axes},
            "chi2_min": Column((), self.chi2_min),
            "level": Column((), self.level, words="chi2 at the edge of the region"),
        }

    def _about(self) -> dict[str, object]:
        return {
            "content": f"reach of {self.coupling} on the scan's points inside {self._level}, the "
            "other axes free",
            "level": f"chi2 = {self.level:.9g}",
            "chi2 minimum": f"{self.chi2_min:.9g}",
            "touches": touch_words(self.touches) or "no edge of the grid",
            **header_lines(self.header),
        }


def contour_band(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    keep: Sequence[str],
    coupling: str,
    given: Mapping[str, float] | None = None,
    *,
    cl: float = 0.90,
    dof: int | None = None,
    workers: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Band:
    """Scan chi2 over all axes, and keep how far one coupling reaches below a level.

    Any other axis may take any value: the band is the shadow of the region. Nothing of the scan is
    held but a tile.

    Parameters
    ----------
    likelihood, axes, given
        As for `fastscan.scan.Grid`.
    keep : sequence of str
        One or two of the axes.
    coupling : str
        Another one.
    cl : float
        Confidence level.
    dof : int, optional
        Degrees of freedom of the level; by default as many as the kept parameters and the coupling.
    workers : int, optional
        Threads; all processors by default. The values do not depend on it.
    progress : callable, optional
        Called with the number of parts done and of all parts.

    Raises
    ------
    InputError
        As for `fastscan.scan.marginalise`; a coupling that is kept, no axis or no coupling.
    """
    rise = delta_chi2(cl, len(keep) + 1 if dof is None else dof)
    names = [axis.name for axis in axes]
    if coupling not in names or coupling in keep:
        raise InputError(
            f"{coupling} is kept or is no axis",
            where="--band",
            hint=f"name one of: {', '.join(n for n in names if n not in keep)}",
        )
    if likelihood.model.parameter(coupling, "--band").kind != "coupling":
        raise InputError(f"{coupling} is not a coupling", where="--band", hint="keep it instead")
    # Innermost, where points are found without computing those between.
    axes = sorted(axes, key=lambda axis: axis.name == coupling)

    def first_half(done: float, of: float) -> None:
        if progress is not None:
            progress(done, 2 * of)

    profile = marginalise(likelihood, axes, keep, given, workers=workers, progress=first_half)
    level = profile.chi2_min + rise
    grid = Grid(likelihood, axes, given)
    ordered = [axis.name for axis in grid.axes]
    kept = [ordered.index(name) for name in keep]
    reduced = [i for i in range(len(ordered)) if i not in kept]
    tiles = Plan.of(tuple(grid.shape[i] for i in reduced), TILE_POINTS)
    tasks = Plan.of(tuple(grid.shape[i] for i in kept), TASK_POINTS)
    points = grid.shape[-1]
    first = np.full(profile.values.shape, points)
    last = np.full(profile.values.shape, -1)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(tasks.blocks + done, 2 * tasks.blocks)

    def find(_: None, index: Index) -> None:
        own = tasks.slices(index)
        if not (profile.values[own] <= level).any():
            return
        shape = tuple(s.stop - s.start for s in own)
        order = [*kept, *reduced[:-1]]
        for tile in tiles.indices():
            where = tiles.slices(tile)
            slices: list[slice] = [slice(None)] * len(ordered)
            for i, s in (*zip(kept, own, strict=True), *zip(reduced, where, strict=True)):
                slices[i] = s
            ends = grid.spans(tuple(slices), level)
            begin, end = (part.transpose(order).reshape(prod(shape), -1) for part in ends)
            start = where[-1].start
            some = (end >= 0).any(axis=1).reshape(shape)
            lowest = np.where(end >= 0, start + begin, points).min(axis=1).reshape(shape)
            highest = start + end.max(axis=1).reshape(shape)
            first[own] = np.minimum(first[own], lowest)
            last[own] = np.where(some, np.maximum(last[own], highest), last[own])

    with executor("threads", workers) as run:
        run(find, None, tasks.indices(), tick)
    touches = touches_of_grid(grid, level)
    lowest = profile.grid_chi2_min
    words = [edge_words(touches), outside_words(profile.minimum, box_of(grid.axes), lowest)]
    words += likelihood.doubts(profile.chi2_min, len(grid.axes))
    values = np.append(grid.axes[-1].values, np.nan)
    header = {
        **scan_header(likelihood, grid),
        "kept": list(keep),
        "band": coupling,
        "cl": cl,
        "dof": len(keep) + 1 if dof is None else dof,
    }
    return Band(
        tuple(grid.axes[i] for i in kept),
        coupling,
        values[first],
        # -1 is the value behind the last.
        values[last],
        profile.chi2_min,
        level,
        touches,
        [word for word in words if word],
        header,
    )
