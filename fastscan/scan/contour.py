"""Contours of a two-dimensional scan, and the CSV they are written to.

A scan knows its likelihood, so that its contours are those of a grid that is fine enough, evaluated
anew: chi2 at their vertices is at the level, whatever the grid of the scan. Where the likelihood
can not be had, they are interpolated between the points of the scan, and their accuracy is
estimated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import contourpy
import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inference.edges import check_box, open_ends, outside_words
from fastscan.likelihoods import Likelihood, delta_chi2
from fastscan.likelihoods.minimum import point_words
from fastscan.results import Column, Touch, edge_words, touch_words
from fastscan.scan.edges import box_of, touching
from fastscan.scan.grid import Grid
from fastscan.scan.origin import chi2_function
from fastscan.scan.provenance import Scanned, header_lines
from fastscan.scan.result import ScanResult
from fastscan.scan.run import scan_in_memory

__all__ = [
    "Contour",
    "Surface",
    "contour_lines",
    "find_contour",
    "no_contour",
    "refined",
    "region_edges",
    "write_contour",
]

FloatArray = NDArray[np.float64]

# A finer grid has at least so many steps along each axis, and at most so many points, or so many
# blocks of points where a point costs more; it is made finer until chi2 at the vertices is this
# close to the level. That of a profiled plane, of which a point costs much more, begins coarser.
_STEPS, _PROFILED_STEPS = 240, 60
_MOST_POINTS, _MOST_BLOCKS = 4_000_000, 16
_CLOSE = 0.01


@dataclass(frozen=True)
class Surface:
    """What contours of a scan are drawn on.

    Attributes
    ----------
    scan : ScanResult
        A finer grid of the same likelihood, or the scan itself.
    error : float
        How far chi2 at the vertices of contours is from their level, at most.
    exact : bool
        Whether that was evaluated; it is an estimate otherwise.
    """

    scan: ScanResult
    error: float
    exact: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contour(Scanned):
    """The border of a confidence region in a scanned plane.

    Attributes
    ----------
    names : (str, str)
        Parameters of the plane.
    lines : list of (points, 2) arrays
        In the units of the axes.
    level : float
        Absolute chi2: that of the minimum and the rise.
    cl : float
    method : str
        In words, such as ``2 degrees of freedom``.
    accuracy : str
        How far chi2 at the vertices may be from the level.
    touches : list of Touch
        Ends of axes that the region reaches.
    warnings : list of str
        What may mislead.
    about : dict
        Lines on top of the table.
    """

    names: tuple[str, ...]
    lines: list[FloatArray]
    level: float
    cl: float
    method: str
    accuracy: str
    touches: list[Touch]
    warnings: list[str]
    about: dict[str, object]
    header: dict[str, Any]

    @property
    def headline(self) -> str:
        """Lines and level."""
        region = f"region of {' and '.join(self.names)} at {100 * self.cl:g} % C.L."
        return f"{region}, {self.method}: {len(self.lines)} lines; {self.accuracy}"

    def _entries(self) -> dict[str, Any]:
        return {
            "poi": self.names,
            "cl": self.cl,
            "lines": len(self.lines),
            "level": self.level,
            "accuracy": self.accuracy,
            "touches": self.touches,
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        numbers = [n for n, line in enumerate(self.lines) for _ in line]
        points = np.concatenate(self.lines)
        return {
            "line": Column(("vertex",), np.array(numbers), words="number of the connected piece"),
            **{
                name: Column(("vertex",), points[:, i], self.provenance.unit(name))
                for i, name in enumerate(self.names)
            },
            "level": Column((), self.level),
        }

    def _about(self) -> dict[str, object]:
        return self.about


def contour_lines(result: ScanResult, level: float) -> list[FloatArray]:
    """Lines on which chi2 has a value, each of shape (points, 2), in the units of the axes.

    Interpolated linearly between the points of this grid, along a logarithmic axis in its
    logarithm.

    Parameters
    ----------
    result : ScanResult
        Of two axes with at least two points each.
    level : float
        Absolute chi2.

    Raises
    ------
    InputError
        The scan does not have two axes.
    """
    _check_plane(result)
    columns = _columns(result)
    generator = contourpy.contour_generator(
        columns[0], columns[1], result.values.T, line_type=contourpy.LineType.Separate
    )
    lines = []
    for line in generator.lines(level):
        points = np.array(line)
        for i, axis in enumerate(result.axes):
            if axis.spacing == "log":
                points[:, i] = np.exp(points[:, i])
            points[:, i] = np.clip(points[:, i], axis.start, axis.stop)
        lines.append(points)
    return lines


def refined(result: ScanResult, levels: Sequence[float]) -> Surface:
    """A grid fine enough for contours of a scan, from its likelihood if that can be had.

    Parameters
    ----------
    result : ScanResult
        Of two axes with at least two points each.
    levels : sequence of float
        Absolute chi2.

    Raises
    ------
    InputError
        The scan does not have two axes.
    """
    _check_plane(result)
    key = tuple(levels)
    if key not in result.surfaces:
        result.surfaces[key] = _refined(result, levels)
    found: Surface = result.surfaces[key]
    return found


def _refined(result: ScanResult, levels: Sequence[float]) -> Surface:
    likelihood = result.likelihood
    if likelihood is None:
        return Surface(result, _estimated_error(result, levels), exact=False)
    chi2 = chi2_function(likelihood, result.names, result.header)
    steps = _PROFILED_STEPS if result.profiled else _STEPS
    finer = max(1, math.ceil(steps / (min(result.shape) - 1)))
    scan, error = result, math.inf
    while error > _CLOSE:
        scan = result if finer == 1 else _finer(likelihood, result, finer)
        lines = [line for level in levels for line in contour_lines(scan, level)]
        heights = [level for level in levels for line in contour_lines(scan, level) for _ in line]
        if not lines:
            return Surface(scan, 0.0, exact=True)
        error = float(np.abs(chi2(np.concatenate(lines)) - heights).max())
        finer *= 2
        if finer**2 * math.prod(result.shape) > _most_points(likelihood, result):
            break
    return Surface(scan, error, exact=True)


def find_contour(result: ScanResult, cl: float = 0.90, dof: int = 2) -> Contour:
    """The border of the region at a confidence level, counted from the lowest chi2 there is.

    Raises
    ------
    InputError
        Not two axes, a bad level, a grid that the data exclude, or no contour within the scanned
        range.
    """
    rise = delta_chi2(cl, dof)
    _check_plane(result)
    level = result.minimum.chi2 + rise
    surface = refined(result, [level])
    lines = contour_lines(surface.scan, level)
    if not lines:
        raise no_contour(result, surface.scan, rise)
    accuracy = _accuracy(result, surface)
    touches, words = region_edges(result, surface.scan, level)
    found = Contour(
        names=result.names,
        lines=lines,
        level=level,
        cl=cl,
        method=f"{dof} degrees of freedom",
        accuracy=accuracy,
        touches=touches,
        warnings=words + ([] if surface.exact else [accuracy]),
        about={},
        header=result.header,
    )
    return replace(found, about=_describe(result, found, cl, dof))


def region_edges(
    result: ScanResult, surface: ScanResult, level: float
) -> tuple[list[Touch], list[str]]:
    """Ends of axes that the region below a level reaches, and words on what may mislead.

    Parameters
    ----------
    result : ScanResult
        Of any number of axes.
    surface : ScanResult
        The same, or a finer grid of it.
    level : float
        Absolute chi2.
    """
    touches = touching(surface.values <= level, surface.axes, surface.bounds)
    words = [word for word in (edge_words(touches), _minimum_words(result)) if word]
    if result.likelihood is not None:
        free = len(result.names) + len(result.profiled)
        words += result.likelihood.doubts(result.minimum.chi2, free)
    return touches, words


def no_contour(result: ScanResult, surface: ScanResult, rise: float) -> InputError:
    """The error where chi2 does not cross the minimum + ``rise``: all is inside, or nothing."""
    lowest = float(surface.values.min())
    check_box(lowest, result.minimum, where=str(result.path), most=rise)
    return InputError(
        f"chi2 does not cross its minimum + {rise:.4g} inside the scanned range",
        where=str(result.path),
        hint="scan a wider range or choose another --cl",
    )


def _minimum_words(result: ScanResult) -> str:
    """What is told of a minimum off the grid, or at its edge where no other is known."""
    if result.origin:
        point = result.best_fit.point
        ends = open_ends(box_of(result.axes), result.bounds)
        at_edge = [touch.parameter for touch in ends if point[touch.parameter] == touch.value]
        words = "the lowest chi2 of the grid is at its edge, a lower one may be outside"
        return f"{words}: {', '.join(at_edge)}" if at_edge else ""
    return outside_words(result.minimum, box_of(result.axes), result.best_fit.chi2)


def _accuracy(result: ScanResult, surface: Surface) -> str:
    """How accurate contours on a surface are."""
    if surface.exact:
        return f"chi2 at every vertex is within {surface.error:.2g} of the level"
    return (
        f"interpolated between the points of the grid, chi2 at the vertices within about "
        f"{surface.error:.2g} of the level (estimated): {result.origin}"
    )


def write_contour(
    result: ScanResult,
    path: str | Path,
    *,
    cl: float = 0.90,
    dof: int = 2,
    overwrite: bool = False,
) -> Contour:
    """Write the contour at a confidence level as CSV, and return it.

    The comment lines at the top say what the numbers are: model, parameters, experiment, level,
    best fit, accuracy, edges that the region reaches, checksums. Columns: number of the line, then
    the two parameters with their units.

    Raises
    ------
    InputError
        See `find_contour`.
    StoreError
        The file exists.
    """
    contour = find_contour(result, cl, dof)
    contour.write(path, force=overwrite)
    return contour


def _describe(result: ScanResult, contour: Contour, cl: float, dof: int) -> dict[str, object]:
    header, best, lowest = result.header, result.best_fit, result.minimum
    point = ", ".join(f"{name} = {value:.6g}" for name, value in best.point.items())
    units = ", ".join(f"{name} [{result.units[name]}]" for name in result.names)
    charges = header["options"].get("charges")
    name = header["model"] + (f" ({charges})" if charges else "")
    return {
        # These two for use as an overlay of another figure.
        "label": ", ".join((name, header["channels"], header["experiment"])),
        "source": f"fastscan {header['fastscan_version']}",
        "content": f"allowed region at {100 * cl:g} % C.L., {dof} degrees of freedom",
        "best fit": f"{point_words(lowest.point)}, chi2 = {lowest.chi2:.6g}"
        + (" (of the grid)" if result.origin else ""),
        "best fit of the grid": f"{point}, chi2 = {best.chi2:.6g}, alpha = {best.alpha_hat:.6g}",
        "level": f"chi2 = {contour.level:.6g} (minimum + {contour.level - lowest.chi2:.6g})",
        "accuracy": contour.accuracy,
        "touches": touch_words(contour.touches) or "no edge of the grid",
        "columns": f"line (number of the connected piece), {units}",
        **header_lines(header),
    }


def _check_plane(result: ScanResult) -> None:
    if len(result.names) != 2 or min(result.shape) < 2:
        raise InputError(
            f"contour of a scan of shape {' x '.join(map(str, result.shape))}",
            where=str(result.path),
            hint="scan two parameters, with at least two points each",
        )


def _columns(result: ScanResult) -> list[FloatArray]:
    return [
        np.log(result.coordinates[axis.name])
        if axis.spacing == "log"
        else result.coordinates[axis.name]
        for axis in result.axes
    ]


def _finer(likelihood: Likelihood, result: ScanResult, times: int) -> ScanResult:
    """The same plane with so many times as many steps; all points of the scan are among them."""
    axes = [replace(axis, points=times * (axis.points - 1) + 1) for axis in result.axes]
    given = result.header["parameters"]
    return scan_in_memory(likelihood, axes, given, profiled=result.profiled)


def _most_points(likelihood: Likelihood, result: ScanResult) -> int:
    grid = Grid(likelihood, result.axes, result.header["parameters"], result.profiled)
    block = grid.default_block_points
    return min(_MOST_POINTS, _MOST_BLOCKS * block)


def _estimated_error(result: ScanResult, levels: Sequence[float]) -> float:
    """Difference of chi2 between a smooth interpolation and the linear one, at the vertices."""
    from scipy.interpolate import RectBivariateSpline

    first, second = _columns(result)
    degrees = [min(3, size - 1) for size in result.shape]
    spline = RectBivariateSpline(first, second, result.values, kx=degrees[0], ky=degrees[1], s=0)
    error = 0.0
    for level in levels:
        for line in contour_lines(result, level):
            u, v = (
                np.log(line[:, i]) if axis.spacing == "log" else line[:, i]
                for i, axis in enumerate(result.axes)
            )
            error = max(error, float(np.abs(spline.ev(u, v) - level).max()))
    return error
