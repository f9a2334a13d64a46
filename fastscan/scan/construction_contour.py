"""The border of a region by the unified construction, and the CSV it is written to.

Critical values are known at the points of the grid alone: between them the border is interpolated.
"""

from __future__ import annotations

from pathlib import Path

from fastscan.exceptions import InputError
from fastscan.inference.edges import Touch, edge_words, outside_words, touch_words
from fastscan.inference.goodness import doubtful_fits
from fastscan.likelihoods.minimum import Minimum
from fastscan.scan.construction import ConstructionResult
from fastscan.scan.contour import Contour, contour_lines, refined
from fastscan.scan.edges import box_of, touching
from fastscan.scan.origin import find_likelihood
from fastscan.scan.provenance import header_lines
from fastscan.storage.outputs import write_text
from fastscan.storage.tables import table_text

__all__ = ["construction_contour", "construction_edges", "write_construction_contour"]


def construction_edges(result: ConstructionResult) -> tuple[list[Touch], list[str]]:
    """Edges that cut off the region, and words on them, on the minimum and on absurd fits."""
    ratio, best = result.as_scan(1.0), result.best_fit
    touches = touching(ratio.values <= 1.0, ratio.axes, ratio.bounds)
    lowest = best.chi2 + float(result.statistic.min())
    outside = outside_words(Minimum(best.point, best.chi2), box_of(ratio.axes), lowest)
    words = [word for word in (edge_words(touches), outside) if word]
    likelihood, _ = find_likelihood(result.header)
    if likelihood is not None:
        words += doubtful_fits(likelihood, best.chi2, len(result.names))
    return touches, words


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
    touches, words = construction_edges(result)
    error = refined(ratio, [1.0]).error
    accuracy = (
        "interpolated between the points of the grid, where alone critical values are known: the "
        f"statistic over its critical value is within about {error:.2g} of 1 (estimated)"
    )
    return Contour(lines, 1.0, accuracy, touches, [*words, accuracy])


def write_construction_contour(
    result: ConstructionResult, path: str | Path, *, overwrite: bool = False
) -> Contour:
    """Write the border of the confidence region as CSV, and return it.

    As `fastscan.scan.write_contour` does for a scan: comment lines, then the number of the line
    and the two parameters.

    Raises
    ------
    InputError
        No border within the plane.
    StoreError
        The file exists.
    """
    contour = construction_contour(result)
    header, best = result.header, result.best_fit
    relative = float((result.critical_error / result.critical_value).max())
    point = ", ".join(f"{name} = {value:.6g}" for name, value in best.point.items())
    units = ", ".join(f"{name} [{result.units[name]}]" for name in result.names)
    about = {
        "label": f"{header['model']}, {header['channels']}, {header['experiment']}, "
        "Feldman-Cousins",
        "source": f"fastscan {header['fastscan_version']}",
        "content": f"confidence region at {100 * result.cl:g} % C.L. by the unified construction",
        "best fit": f"{point}, chi2 = {best.chi2:.6g}",
        "level": "q of the data = critical value at the point",
        "accuracy": contour.accuracy,
        "touches": touch_words(contour.touches) or "no edge of the grid",
        "critical values": f"{int(result.toys.min())} toys or more, seed {header['seed']}, "
        f"Monte Carlo error at most {100 * relative:.2g} %",
        "columns": f"line (number of the connected piece), {units}",
        **header_lines(header),
    }
    lines = enumerate(contour.lines)
    rows_of = ((n, *map(float, point)) for n, line in lines for point in line)
    text = table_text(about, ["line", *result.names], rows_of)
    write_text(Path(path), text, overwrite=overwrite)
    return contour
