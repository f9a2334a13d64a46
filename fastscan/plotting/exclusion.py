"""Planes of two parameters: what scans exclude, and what one allows at several levels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import PlotAxis, parameters_of
from fastscan.plotting.caption import set_caption
from fastscan.plotting.region import BoolArray, Corner, best_fit_is_located, free_corner, region
from fastscan.plotting.style import (
    FOREGROUND,
    LINE_STYLES,
    PALETTE,
    OwnFigure,
    curve_styles,
    grow,
    new_figure,
    style,
    tint,
)
from fastscan.scan import ScanResult, contour_lines, no_contour, refined, region_edges

__all__ = ["allowed_figure", "draw_allowed", "draw_exclusion", "edge_note", "exclusion_figure"]

ONE_SIGMA = 0.6827

_STRONGEST_TINT, _WEAKEST_TINT = 0.50, 0.18
# Markers of the best fit, and of the point at which nothing is new; whole at the edge, too.
_BEST_FIT: dict[str, Any] = {"marker": "x", "markersize": 5.0, "markeredgewidth": 1.2}
_DEFAULT: dict[str, Any] = {"marker": "+", "markersize": 7.0, "markeredgewidth": 1.0}


def exclusion_figure(
    curves: Mapping[str, ScanResult],
    *,
    cl: float = 0.90,
    dof: int = 2,
    title: str = "",
    outlined: Collection[str] = (),
    words: str | None = None,
) -> Figure:
    """Draw what some scans exclude, one column wide.

    Parameters
    ----------
    curves : mapping of str to ScanResult
        Scans of the same two parameters, by their words in the legend.
    cl : float
        Confidence level.
    dof : int
        Degrees of freedom.
    title : str
        Words above the axes.
    outlined : collection of str
        Curves of which the border alone is drawn.
    words : str, optional
        Above the legend, instead of level and degrees of freedom.

    Raises
    ------
    InputError
        See `draw_exclusion`.
    """
    with style():
        figure = new_figure()
        draw_exclusion(
            figure.add_subplot(),
            curves,
            cl=cl,
            dof=dof,
            title=title,
            outlined=outlined,
            words=words,
        )
    return figure


def allowed_figure(
    result: ScanResult,
    *,
    levels: Sequence[float] = (ONE_SIGMA, 0.90),
    dof: int = 2,
    title: str = "",
) -> Figure:
    """Draw the regions that a scan of two couplings allows, one column wide.

    Raises
    ------
    InputError
        See `draw_allowed`.
    """
    with style():
        figure = new_figure()
        draw_allowed(figure.add_subplot(), result, levels=levels, dof=dof, title=title)
    return figure


def draw_exclusion(
    axes: Axes,
    curves: Mapping[str, ScanResult],
    *,
    cl: float = 0.90,
    dof: int = 2,
    title: str = "",
    legend_at: Corner | None = None,
    outlined: Collection[str] = (),
    words: str | None = None,
) -> None:
    """Draw excluded regions with their borders and a legend; call it within `style`.

    A best fit is marked where the data single one out, see `best_fit_is_located`.

    Parameters
    ----------
    axes : Axes
        What to draw into.
    curves, cl, dof, title, outlined, words
        See `exclusion_figure`.
    legend_at : str, optional
        Corner of the legend; by default a free one, or below the axes if none is free.

    Raises
    ------
    InputError
        No curve, not two axes, parameters that differ, a bad level, or nothing excluded.
    """
    rise = delta_chi2(cl, dof)
    x, y = _plane(axes, list(curves.values()))
    looks = dict(zip(curves, curve_styles(len(curves)), strict=True))
    levels = {name: result.minimum.chi2 + rise for name, result in curves.items()}
    surfaces = {name: refined(result, [levels[name]]).scan for name, result in curves.items()}
    excluded = {name: surface.values > levels[name] for name, surface in surfaces.items()}
    # The larger a region the deeper it lies, so that none hides another one inside it.
    filled = [name for name in curves if name not in outlined]
    for name in sorted(filled, key=lambda name: -excluded[name].mean()):
        outside = region(surfaces[name], (x, y), levels[name], np.inf)
        axes.add_patch(PathPatch(outside, facecolor=tint(looks[name]["color"]), edgecolor="none"))
    handles: dict[str, Patch | Line2D] = {}
    for name, result in curves.items():
        color, line_style = looks[name]["color"], looks[name]["linestyle"]
        lines = contour_lines(surfaces[name], levels[name])
        if not lines:
            raise no_contour(result, surfaces[name], rise)
        _draw_lines(axes, x, y, lines, **looks[name])
        if name in outlined:
            handles[name] = Line2D([], [], **looks[name])
        else:
            handles[name] = Patch(facecolor=tint(color), edgecolor=color, linestyle=line_style)
        if best_fit_is_located(result, dof):
            label = f"best fit, {name}" if len(filled) > 1 else "best fit"
            handles[label] = _mark(axes, x, y, _on_axes(result), color, _BEST_FIT)
    set_caption(axes, title)
    if words is None:
        words = f"excluded at {100 * cl:g} % C.L. ({dof} dof)"
    notes = (edge_note(result, surfaces[name], levels[name]) for name, result in curves.items())
    # In the excluded corner of light masses and large couplings: a longer legend would hide lines.
    note = "\n".join(dict.fromkeys(line for note in notes for line in note.split("\n") if line))
    axes.text(0.03, 0.97, note, transform=axes.transAxes, va="top", fontsize="small")
    _legend(axes, handles, words, list(excluded.values()), legend_at)


def draw_allowed(
    axes: Axes,
    result: ScanResult,
    *,
    levels: Sequence[float] = (ONE_SIGMA, 0.90),
    dof: int = 2,
    title: str = "",
    legend_at: Corner | None = None,
) -> None:
    """Draw the regions allowed at some levels, with the point of no new physics.

    Parameters
    ----------
    axes : Axes
        What to draw into; call it within `style`.
    result : ScanResult
        Of two couplings.
    levels : sequence of float
        Confidence levels.
    dof, title, legend_at
        See `draw_exclusion`.

    Raises
    ------
    InputError
        Not two axes, a bad level, or no contour within the scanned range at the highest one.
    """
    rises = [delta_chi2(level, dof) for level in sorted(levels)]
    best = result.minimum
    x, y = _plane(axes, [result])
    color = PALETTE[0]
    surface = refined(result, [best.chi2 + rise for rise in rises]).scan
    crossed = [contour_lines(surface, best.chi2 + rise) for rise in rises]
    if not any(crossed):
        raise no_contour(result, surface, rises[-1])
    shades = np.linspace(_STRONGEST_TINT, _WEAKEST_TINT, len(rises))
    handles: dict[str, Patch | Line2D] = {}
    below = -np.inf
    for level, rise, lines, shade, line_style in zip(
        sorted(levels), rises, crossed, shades, cycle(LINE_STYLES), strict=False
    ):
        face = tint(color, shade)
        ring = region(surface, (x, y), below, best.chi2 + rise)
        axes.add_patch(PathPatch(ring, facecolor=face, edgecolor="none"))
        _draw_lines(axes, x, y, lines, color=color, linestyle=line_style)
        handles[f"{100 * level:.3g} % C.L."] = Patch(
            facecolor=face, edgecolor=color, linestyle=line_style
        )
        below = best.chi2 + rise
    nothing_new = {p.name: p.standard for p in parameters_of(result)}
    if all(a.start <= v <= a.stop for a, v in zip((x, y), nothing_new.values(), strict=True)):
        handles["Standard Model"] = _mark(axes, x, y, nothing_new, FOREGROUND, _DEFAULT)
    if best_fit_is_located(result, dof):
        handles["best fit"] = _mark(axes, x, y, _on_axes(result), color, _BEST_FIT)
    set_caption(axes, title)
    words = f"allowed ({dof} dof)" + edge_note(result, surface, below)
    _legend(axes, handles, words, [surface.values <= below], legend_at)


def edge_note(result: ScanResult, surface: ScanResult, level: float) -> str:
    """Line of a legend on the edges that cut a region off, or on a minimum outside; or nothing."""
    touches, words = region_edges(result, surface, level)
    cut = {touch.parameter for touch in touches}
    names = [f"${p.symbol}$" for p in parameters_of(result) if p.name in cut]
    note = f"\ncut off by the edge: {', '.join(names)}" if names else ""
    # In words on stderr; what they are about can not be seen in the figure.
    return note + ("\nsee the warnings of the scan" if len(words) > bool(names) else "")


def _plane(axes: Axes, results: Sequence[ScanResult]) -> tuple[PlotAxis, PlotAxis]:
    """Set both axes up for scans of the same two parameters."""
    if not results:
        raise InputError("no scan to draw", hint="give at least one")
    for result in results:
        if len(result.names) != 2 or min(result.shape) < 2:
            raise InputError(
                f"plane of a scan of shape {' x '.join(map(str, result.shape))}",
                where=str(result.path),
                hint="scan two parameters, with at least two points each",
            )
    x, y = PlotAxis.of(results, 0), PlotAxis.of(results, 1)
    x.apply(axes, "x")
    y.apply(axes, "y")
    return x, y


def _draw_lines(
    axes: Axes, x: PlotAxis, y: PlotAxis, lines: Sequence[NDArray[np.float64]], **look: Any
) -> None:
    for line in lines:
        axes.plot(x.scaled(line[:, 0]), y.scaled(line[:, 1]), **look)


def _on_axes(result: ScanResult) -> dict[str, float]:
    """Where the minimum is along the axes, whatever else is profiled."""
    return {name: result.minimum.point[name] for name in result.names}


def _mark(
    axes: Axes,
    x: PlotAxis,
    y: PlotAxis,
    point: Mapping[str, float],
    color: str,
    marker: Mapping[str, Any],
) -> Line2D:
    values = [axis.scaled(np.array([v])) for axis, v in zip((x, y), point.values(), strict=True)]
    (line,) = axes.plot(*values, color=color, linestyle="none", clip_on=False, zorder=4, **marker)
    return line


def _legend(
    axes: Axes,
    handles: Mapping[str, Patch | Line2D],
    title: str,
    masks: list[BoolArray],
    corner: Corner | None,
) -> None:
    """Add a legend in the given corner, else in a free one, else below the axes."""
    artists, words = list(handles.values()), list(handles)
    legend = axes.legend(artists, words, loc=corner or "lower right", title=title, alignment="left")
    if corner is not None:
        return
    figure = axes.get_figure(root=True)
    if not isinstance(figure, OwnFigure):
        legend.set_loc("best")
        return
    # The layout has to be made for the size to be known.
    figure.draw_without_rendering()
    frame = axes.get_window_extent()
    left, _, _, top = legend.get_window_extent().extents
    size = ((frame.x1 - left) / frame.width, (top - frame.y0) / frame.height)
    corner = free_corner(masks, size)
    if corner is not None:
        legend.set_loc(corner)
        return
    legend.remove()
    outside = figure.legend(
        artists, words, loc="outside lower center", title=title, alignment="left", ncols=2
    )
    figure.draw_without_rendering()
    # Room for it, so that the axes keep their shape.
    grow(figure, outside.get_window_extent().height)
