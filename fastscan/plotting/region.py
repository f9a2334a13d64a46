"""Regions of the plane of a two-dimensional scan in which chi2 lies between two levels."""

from __future__ import annotations

import math
from typing import Any, Literal

import contourpy
import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import PlotAxis
from fastscan.scan import ScanResult

__all__ = ["BoolArray", "Corner", "best_fit_is_located", "free_corner", "region"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Corner = Literal["lower right", "upper right", "lower left", "upper left"]


def region(
    result: ScanResult, plot_axes: tuple[PlotAxis, PlotAxis], lowest: float, highest: float
) -> Path:
    """Outline of where chi2 is between two values, holes included, in numbers along the axes.

    Interpolated as `fastscan.scan.contour_lines` does, so that its lines are the borders.
    """
    logarithmic = [axis["spacing"] == "log" for axis in result.header["axes"]]
    columns = [
        np.log(result.coordinates[name]) if log else result.coordinates[name]
        for name, log in zip(result.names, logarithmic, strict=True)
    ]
    generator = contourpy.contour_generator(
        columns[0], columns[1], result.values.T, fill_type=contourpy.FillType.OuterCode
    )
    # One outline and one list of codes for each connected piece.
    pieces: Any = generator.filled(lowest, highest)
    points, codes = pieces
    if not points:
        return Path(np.empty((0, 2)))
    vertices = np.concatenate(points)
    for i, (log, plot_axis) in enumerate(zip(logarithmic, plot_axes, strict=True)):
        column = np.exp(vertices[:, i]) if log else vertices[:, i]
        vertices[:, i] = plot_axis.scaled(column)
    return Path(vertices, np.concatenate(codes))


def best_fit_is_located(result: ScanResult, dof: int) -> bool:
    """Whether the data single out a best fit, so that marking it means something.

    Its 1 sigma region must lie inside the scanned range, and the points that fit practically as
    well must fill only a small part of it: not so along a valley, on a ring or in two islands.
    """
    above = result.values - result.minimum.chi2
    inside = above <= delta_chi2(0.6827, dof)
    alike = above <= 0.1
    if not alike.any():
        # A best fit between the points of a coarse grid.
        return False
    for dimension, length in enumerate(inside.shape):
        others = tuple(i for i in range(inside.ndim) if i != dimension)
        low, high = _extent(inside.any(axis=others))
        first, last = _extent(alike.any(axis=others))
        if low == 0 or high == length - 1 or 2 * (last - first) > high - low:
            return False
    return True


def free_corner(masks: list[BoolArray], size: tuple[float, float]) -> Corner | None:
    """Corner of the axes, in matplotlib's words, where a legend hides no border of a region.

    Parameters
    ----------
    masks : list of (nx, ny) arrays
        Points of the plane that are coloured, for each curve.
    size : (width, height)
        Of the legend with the space around it, in parts of the axes.

    Returns
    -------
    Corner or None
        Of several the one with the fewest coloured points; None if there is none.
    """
    corners: dict[Corner, tuple[int, int]] = {
        "lower right": (1, 0),
        "upper right": (1, 1),
        "lower left": (0, 0),
        "upper left": (0, 1),
    }
    found: dict[Corner, float] = {}
    for corner, far_ends in corners.items():
        parts = []
        for mask in masks:
            part = mask
            for dimension, far in enumerate(far_ends):
                length = mask.shape[dimension]
                points = min(length, max(1, math.ceil(size[dimension] * length)))
                part = np.take(part, range(-points, 0) if far else range(points), axis=dimension)
            parts.append(part)
        if all(part.all() or not part.any() for part in parts):
            found[corner] = sum(float(part.mean()) for part in parts)
    if not found:
        return None
    emptiest: Corner = min(found, key=lambda corner: found[corner])
    return emptiest


def _extent(marked: np.bool_ | BoolArray) -> tuple[int, int]:
    where = np.flatnonzero(marked)
    return int(where[0]), int(where[-1])
