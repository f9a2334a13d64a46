"""The border of a region by the unified construction.

Critical values are known at the points of the grid alone: between them the border is interpolated.
"""

from __future__ import annotations

from fastscan.exceptions import InputError
from fastscan.results import touch_words
from fastscan.scan.construction import ConstructionResult
from fastscan.scan.contour import Contour, contour_lines, refined
from fastscan.scan.provenance import header_lines

__all__ = ["construction_contour"]


def construction_contour(result: ConstructionResult) -> Contour:
    """The border of the region: the statistic over its critical value, between points linear.

    Raises
    ------
    InputError
        No border within the plane.
    """
    ratio = result.as_scan(1.0)
    lines = contour_lines(ratio, 1.0)
    if not lines:
        raise InputError(
            "the statistic does not cross its critical value inside the plane",
            where=str(result.path),
            hint="scan a wider range",
        )
    touches, words = result.touches, result.warnings
    error = refined(ratio, [1.0]).error
    accuracy = (
        "interpolated between the points of the grid, where alone critical values are known: the "
        f"statistic over its critical value is within about {error:.2g} of 1 (estimated)"
    )
    header, best = result.header, result.best_fit
    relative = float((result.critical_error / result.critical_value).max())
    point = ", ".join(f"{name} = {value:.6g}" for name, value in best.point.items())
    units = ", ".join(f"{name} [{result.units[name]}]" for name in result.names)
    about: dict[str, object] = {
        "label": f"{header['model']}, {header['channels']}, {header['experiment']}, "
        "Feldman-Cousins",
        "source": f"fastscan {header['fastscan_version']}",
        "content": f"confidence region at {100 * result.cl:g} % C.L. by the unified construction",
        "best fit": f"{point}, chi2 = {best.chi2:.6g}",
        "level": "q of the data = critical value at the point",
        "accuracy": accuracy,
        "touches": touch_words(touches) or "no edge of the grid",
        "critical values": f"{int(result.toys.min())} toys or more, seed {header['seed']}, "
        f"Monte Carlo error at most {100 * relative:.2g} %",
        "columns": f"line (number of the connected piece), {units}",
        **header_lines(header),
    }
    return Contour(
        names=result.names,
        lines=lines,
        level=1.0,
        cl=result.cl,
        method="the unified construction",
        accuracy=accuracy,
        touches=touches,
        warnings=[*words, accuracy],
        about=about,
        header=header,
    )
