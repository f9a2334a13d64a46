"""Who draws which result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.exceptions import InputError
from fastscan.plotting.construction import construction_figure, draw_construction
from fastscan.plotting.impacts import draw_impacts, impacts_figure
from fastscan.plotting.intervals import draw_coverage, draw_expected, draw_intervals
from fastscan.plotting.kept import draw_band, draw_boundary, draw_contour, draw_marginal
from fastscan.plotting.posterior import draw_density, draw_plane
from fastscan.plotting.profile import draw_curve
from fastscan.plotting.residuals import draw_fit, residual_figure
from fastscan.plotting.save import save_figure
from fastscan.plotting.scan import draw_scan, scan_figure
from fastscan.plotting.sensitivity import draw_sensitivity, sensitivity_figure
from fastscan.plotting.spectrum import draw_prediction
from fastscan.plotting.style import new_figure, shown, style
from fastscan.results import Result

__all__ = ["paint", "result_figure", "save_result"]


@dataclass(frozen=True)
class _Painter:
    """How a result is drawn: into given axes, and as a figure of its own."""

    draw: Callable[..., None]
    figure: Callable[..., Figure] | None = None


# By the name of the class, or of one that it is derived from.
_PAINTERS = {
    "Prediction": _Painter(draw_prediction),
    "Impacts": _Painter(draw_impacts, impacts_figure),
    "Intervals": _Painter(draw_intervals),
    "Fit": _Painter(draw_fit, residual_figure),
    "Coverage": _Painter(draw_coverage),
    "Expected": _Painter(draw_expected),
    "Sensitivity": _Painter(draw_sensitivity, sensitivity_figure),
    "Posterior": _Painter(draw_density),
    "PlanePosterior": _Painter(draw_plane),
    "ProfileCurve": _Painter(draw_curve),
    "ScanResult": _Painter(draw_scan, scan_figure),
    "ConstructionResult": _Painter(draw_construction, construction_figure),
    "Marginal": _Painter(draw_marginal),
    "Band": _Painter(draw_band),
    "Boundary": _Painter(draw_boundary),
    "Contour": _Painter(draw_contour),
}


def paint(result: Result, axes: Axes | None = None, **options: Any) -> Axes:
    """Draw a result into axes, or into a figure of its own, and return the axes.

    Parameters
    ----------
    result : Result
    axes : Axes, optional
        Of somebody else, whose style is kept; of several panels of ours those returned are the
        first.
    **options
        Of the painter: ``title`` in place of the caption, ``cl`` and ``dof`` of scans.

    Raises
    ------
    InputError
        It can not be drawn, as a scan of three axes.
    """
    if axes is not None:
        _painter(result).draw(axes, result, **options)
        return axes
    with shown():
        return result_figure(result, **options).axes[0]


def result_figure(result: Result, **options: Any) -> Figure:
    """Draw a result into a figure of its own, in the style of all."""
    painter = _painter(result)
    if painter.figure is not None:
        return painter.figure(result, **options)
    with style():
        figure = new_figure()
        painter.draw(figure.add_subplot(), result, **options)
    return figure


def save_result(
    result: Result, path: str | Path, *, overwrite: bool = False, **options: Any
) -> Path:
    """Draw a result and write the figure; arguments as for `save_figure` and `paint`."""
    about = f"{result.headline}; {result.words}"
    return save_figure(
        result_figure(result, **options), path, description=about, overwrite=overwrite
    )


def _painter(result: Result) -> _Painter:
    for kind in type(result).__mro__:
        if kind.__name__ in _PAINTERS:
            return _PAINTERS[kind.__name__]
    raise InputError(f"a {type(result).__name__} has no figure", hint="see its to_dataset")
