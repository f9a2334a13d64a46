"""Ends of the axes of a grid that a region reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.inference.edges import Bounds, bounds_of, open_ends
from fastscan.results import Touch
from fastscan.scan.axes import Axis
from fastscan.scan.grid import Grid
from fastscan.storage.plan import Plan

__all__ = ["box_of", "touches_of_grid", "touching"]


def box_of(axes: Sequence[Axis]) -> dict[str, tuple[float, float]]:
    """First and last point of each axis."""
    return {axis.name: (axis.start, axis.stop) for axis in axes}


def touching(inside: NDArray[np.bool_], axes: Sequence[Axis], bounds: Bounds) -> list[Touch]:
    """Ends that a region of the points of some axes reaches."""
    names = [axis.name for axis in axes]
    return [
        touch
        for touch in open_ends(box_of(axes), bounds)
        if np.take(inside, 0 if touch.end == "low" else -1, names.index(touch.parameter)).any()
    ]


def touches_of_grid(grid: Grid, level: float) -> list[Touch]:
    """Ends of a grid that is not held at which chi2 is somewhere at most a level."""
    names = [axis.name for axis in grid.axes]
    found = []
    for touch in open_ends(box_of(grid.axes), bounds_of(grid.form.counts.parameters)):
        i = names.index(touch.parameter)
        place = 0 if touch.end == "low" else grid.shape[i] - 1
        plan = Plan.of(tuple(1 if j == i else points for j, points in enumerate(grid.shape)))
        for index in plan.indices():
            slices = list(plan.slices(index))
            slices[i] = slice(place, place + 1)
            if grid.inside(tuple(slices), level):
                found.append(touch)
                break
    return found
