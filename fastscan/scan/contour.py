"""Contours of a two-dimensional scan, and the CSV they are written to."""

from __future__ import annotations

from pathlib import Path

import contourpy
import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import delta_chi2
from fastscan.scan.files import table_text, write_text
from fastscan.scan.provenance import header_lines
from fastscan.scan.result import ScanResult

__all__ = ["contour_lines", "write_contour"]

FloatArray = NDArray[np.float64]


def contour_lines(result: ScanResult, level: float) -> list[FloatArray]:
    """Lines on which chi2 has a value, each of shape (points, 2), in the units of the axes.

    Interpolated linearly between grid points, along a logarithmic axis in its logarithm.

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
    if len(result.names) != 2 or min(result.shape) < 2:
        raise InputError(
            f"contour of a scan of shape {' x '.join(map(str, result.shape))}",
            where=str(result.path),
            hint="scan two parameters, with at least two points each",
        )
    logarithmic = [axis["spacing"] == "log" for axis in result.header["axes"]]
    columns = [
        np.log(result.coordinates[name]) if log else result.coordinates[name]
        for name, log in zip(result.names, logarithmic, strict=True)
    ]
    generator = contourpy.contour_generator(
        columns[0], columns[1], result.values.T, line_type=contourpy.LineType.Separate
    )
    lines = []
    for line in generator.lines(level):
        points = np.array(line)
        for i, log in enumerate(logarithmic):
            if log:
                points[:, i] = np.exp(points[:, i])
        lines.append(points)
    return lines


def write_contour(
    result: ScanResult,
    path: str | Path,
    *,
    cl: float = 0.90,
    dof: int = 2,
    overwrite: bool = False,
) -> int:
    """Write the contour at a confidence level as CSV and return the number of lines.

    The comment lines at the top say what the numbers are: model, parameters, experiment, level,
    best fit, checksums. Columns: number of the line, then the two parameters with their units.

    Raises
    ------
    InputError
        Not two axes, a bad level, or no contour within the scanned range.
    StoreError
        The file exists.
    """
    path = Path(path)
    rise = delta_chi2(cl, dof)
    best = result.best_fit
    lines = contour_lines(result, best.chi2 + rise)
    if not lines:
        raise InputError(
            f"chi2 does not cross its minimum + {rise:.4g} inside the scanned range",
            where=str(result.path),
            hint="scan a wider range or choose another --cl",
        )
    rows = ((n, *map(float, point)) for n, line in enumerate(lines) for point in line)
    text = table_text(_describe(result, cl, dof, rise), ["line", *result.names], rows)
    write_text(path, text, overwrite=overwrite)
    return len(lines)


def _describe(result: ScanResult, cl: float, dof: int, rise: float) -> dict[str, str]:
    header, best = result.header, result.best_fit
    point = ", ".join(f"{name} = {value:.6g}" for name, value in best.point.items())
    units = ", ".join(f"{name} [{result.units[name]}]" for name in result.names)
    charges = header["options"].get("charges")
    name = header["model"] + (f" ({charges})" if charges else "")
    return {
        # These two for use as an overlay of another figure.
        "label": ", ".join((name, header["channels"], header["experiment"])),
        "source": f"fastscan {header['fastscan_version']}",
        "content": f"allowed region at {100 * cl:g} % C.L., {dof} degrees of freedom",
        "best fit": f"{point}, chi2 = {best.chi2:.6g}, alpha = {best.alpha_hat:.6g}",
        "level": f"chi2 = {best.chi2 + rise:.6g} (minimum + {rise:.6g})",
        "columns": f"line (number of the connected piece), {units}",
        **header_lines(header),
    }
