"""Posteriors of one parameter as a density, of two as regions of a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import contourpy
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from fastscan.inference.posterior import PlanePosterior, Posterior
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.style import FOREGROUND, LINE_STYLES, PALETTE, OwnFigure, grow, tint

__all__ = ["draw_density", "draw_plane"]

FloatArray = NDArray[np.float64]

ONE_SIGMA = 0.6827
_POINTS = 600
# A density is drawn up to where this probability is left on either side.
_LEFT_OUT = 2e-3
# Regions of a plane are drawn with this much room around the outermost one.
_ROOM = 0.12
# Above a density is room for the legend.
_HEADROOM = 1.5
_SHADES = (0.50, 0.18)


def draw_density(axes: Axes, posterior: Posterior, *, title: str | None = None) -> None:
    """Draw the density of one parameter with its credible region; call it within `style`.

    On a logarithmic axis, as a prior flat in the logarithm has it, density is per unit of the
    natural logarithm.
    """
    cl = posterior.cl
    low, high = posterior.box
    logarithmic = posterior.prior == "log-g"
    if not logarithmic:
        low = max(low, posterior.quantile(_LEFT_OUT)) if low != posterior.parameter.minimum else low
    intervals = posterior.intervals(cl)
    high = min(high, max(posterior.quantile(1.0 - _LEFT_OUT), 1.3 * intervals[-1][1]))
    axis = PlotAxis.of_parameter(posterior.parameter, low, high, logarithmic=logarithmic)
    space = np.geomspace if logarithmic else np.linspace
    ends = [end for pair in intervals for end in pair if low <= end <= high]
    values = np.unique([*space(low, high, _POINTS)[1:-1], low, high, *ends])
    density = posterior.density(values) * (values if logarithmic else 10.0**axis.exponent)
    color = PALETTE[0]
    axis.apply(axes, "x")
    words = "probability per unit of the logarithm" if logarithmic else "probability density"
    axes.set(ylim=(0.0, _HEADROOM * float(density.max())), ylabel=words)
    set_caption(axes, _caption(posterior) if title is None else title)
    x = axis.scaled(values)
    for i, (start, stop) in enumerate(intervals):
        inside = (values >= start) & (values <= stop)
        axes.fill_between(
            x[inside],
            density[inside],
            color=tint(color, 0.30),
            linewidth=0.0,
            label=f"{100 * cl:g} % credible" if i == 0 else None,
        )
    axes.plot(x, density, color=color, label=f"posterior, prior {posterior.prior}")
    limit = float(axis.scaled(np.array([posterior.upper_limit(cl)]))[0])
    axes.plot(
        [limit, limit],
        [0.0, float(density.max())],
        color=PALETTE[1],
        linestyle=LINE_STYLES[1],
        label=f"{100 * cl:g} % upper limit",
    )
    axes.legend(loc="upper right")


def draw_plane(axes: Axes, posterior: PlanePosterior, *, title: str | None = None) -> None:
    """Draw the densest regions of two parameters, and the mode; call it within `style`."""
    model = posterior.provenance.known_model()
    parameters = [model.parameter(name) for name in posterior.names]
    cl = posterior.cl
    levels = sorted({ONE_SIGMA, cl})
    heights = [posterior.level(level) for level in levels]
    first, second, log = posterior.grid(levels[-1])
    inside = log >= heights[-1]
    plot_axes = []
    for i, parameter in enumerate(parameters):
        logarithmic = posterior.priors[i] == "log-g"
        found = (first, second)[i][inside.any(axis=1 - i)]
        low, high = _ends(found, posterior.boxes[i], logarithmic=logarithmic)
        plot_axes.append(PlotAxis.of_parameter(parameter, low, high, logarithmic=logarithmic))
    x, y = plot_axes
    x.apply(axes, "x")
    y.apply(axes, "y")
    generator = contourpy.contour_generator(
        x.scaled(first),
        y.scaled(second),
        log.T,
        fill_type=contourpy.FillType.OuterCode,
    )
    color = PALETTE[0]
    handles: list[Any] = []
    words = []
    above = np.inf
    for level, height, shade, line in zip(levels, heights, _SHADES, LINE_STYLES, strict=False):
        # One outline and one list of codes for each connected piece.
        pieces: Any = generator.filled(height, above)
        if pieces[0]:
            ring = Path(np.concatenate(pieces[0]), np.concatenate(pieces[1]))
            axes.add_patch(PathPatch(ring, facecolor=tint(color, shade), edgecolor="none"))
        for border in posterior.contours(level):
            axes.plot(x.scaled(border[:, 0]), y.scaled(border[:, 1]), color=color, linestyle=line)
        handles.append(Patch(facecolor=tint(color, shade), edgecolor=color, linestyle=line))
        words.append(f"{100 * level:.4g} % credible")
        above = height
    marks: list[tuple[Sequence[float], str, str, str]] = [(posterior.mode, "x", "mode", color)]
    # Without a natural value of one of them there is no point that is the Standard Model.
    default = [p.default for p in parameters if p.default is not None]
    if len(default) == len(parameters):
        marks.append((default, "+", "Standard Model", FOREGROUND))
    for point, marker, name, look in marks:
        if all(a.start <= v <= a.stop for a, v in zip(plot_axes, point, strict=True)):
            at = [a.scaled(np.array([v])) for a, v in zip(plot_axes, point, strict=True)]
            axes.plot(*at, color=look, marker=marker, linestyle="none", clip_on=False, zorder=4)
            handles.append(Line2D([], [], color=look, marker=marker, linestyle="none"))
            words.append(name)
    set_caption(axes, _caption(posterior) if title is None else title)
    figure = axes.get_figure(root=True)
    if not isinstance(figure, OwnFigure):
        axes.legend(handles, words, loc="best")
        return
    below = figure.legend(handles, words, loc="outside lower center", ncols=2)
    figure.draw_without_rendering()
    # Room for it, so that the axes keep their shape.
    grow(figure, below.get_window_extent().height)


def _caption(posterior: Posterior | PlanePosterior) -> str:
    method = "Bayes, nuisances marginalised"
    return result_caption(posterior, method=method, level=f"{100 * posterior.cl:g} %")


def _ends(
    inside: FloatArray, box: tuple[float, float], *, logarithmic: bool
) -> tuple[float, float]:
    """Of the axis: the outermost region with room around it, within the box."""
    low, high = float(inside[0]), float(inside[-1])
    first, last = box
    if logarithmic:
        factor = (high / low) ** _ROOM
        return max(first, low / factor), min(last, high * factor)
    room = _ROOM * (high - low)
    return max(first, low - room), min(last, high + room)
