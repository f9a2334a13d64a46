"""Delta chi2 of one parameter along exact curves, with published intervals under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import set_caption
from fastscan.plotting.levels import draw_levels
from fastscan.plotting.style import curve_styles, tint

LegendPlace = Literal["best", "upper left", "upper right", "upper center"]

__all__ = ["DeltaChi2Curve", "PublishedInterval", "draw_delta_chi2"]

FloatArray = NDArray[np.float64]

_TOP = 7.0
_BOX_TINT, _EDGE_TINT = 0.13, 0.60
_EDGE_WIDTH = 0.9
_NEUTRAL = "#595959"


@dataclass(frozen=True)
class PublishedInterval:
    """An interval as another analysis prints it.

    Attributes
    ----------
    label : str
    low, high : float
    rise : float
        Delta chi2 at its ends.
    best_fit : float, optional
    """

    label: str
    low: float
    high: float
    rise: float
    best_fit: float | None = None


@dataclass(frozen=True)
class DeltaChi2Curve:
    """Delta chi2 at points of a parameter.

    Attributes
    ----------
    label : str
    values, rise : (points,)
        Evenly spaced along the axis, whatever its scale.
    ends : tuple of float
        Ends of the allowed intervals that are marked, at the rise ``ends_rise``.
    ends_rise : float
    published : PublishedInterval, optional
        What it is compared with.
    """

    label: str
    values: FloatArray
    rise: FloatArray
    ends: tuple[float, ...] = ()
    ends_rise: float = 0.0
    published: PublishedInterval | None = None


def draw_delta_chi2(
    axes: Axes,
    x: PlotAxis,
    curves: Sequence[DeltaChi2Curve],
    *,
    cl: float = 0.90,
    title: str = "",
    legend_at: LegendPlace = "best",
) -> None:
    """Draw Delta chi2 with its levels, each published interval as a box as high as its level.

    Where an analysis agrees with the published one its curve goes through the upper corners of the
    box; the curve's own interval ends at the dots. Call it within `style`.

    Parameters
    ----------
    axes : Axes
    x : PlotAxis
        Of the parameter.
    curves : sequence of DeltaChi2Curve
    cl : float
        Confidence level of the upper line; the lower one is at 1 sigma.
    title, legend_at : str
        Words above the axes, and where the legend stands, in matplotlib's words.

    Raises
    ------
    InputError
        No curve, or a bad level.
    """
    if not curves:
        raise InputError("no curve to draw", hint="give at least one")
    x.apply(axes, "x")
    axes.set(ylim=(0.0, _TOP), ylabel=r"$\Delta\chi^2$")
    set_caption(axes, title)
    levels = {r"$1\sigma$": delta_chi2(0.6827), f"{100 * cl:g} % C.L.": delta_chi2(cl)}
    draw_levels(axes, levels, [curve.rise for curve in curves], _TOP)
    looks = curve_styles(len(curves))
    boxes = [
        (curve.published, look["color"])
        for curve, look in zip(curves, looks, strict=True)
        if curve.published is not None
    ]
    for curve, look in zip(curves, looks, strict=True):
        axes.plot(x.scaled(curve.values), curve.rise, label=curve.label, **look)
        for end in curve.ends:
            axes.plot(
                x.scaled(np.array([end])),
                [curve.ends_rise],
                marker="o",
                markersize=4.0,
                color=look["color"],
                zorder=3,
            )
    # The wider a box the deeper it lies.
    for published, color in sorted(boxes, key=lambda box: box[0].low - box[0].high):
        _draw_published(axes, x, published, color)
    handles: list[Any]
    handles, words = axes.get_legend_handles_labels()
    if boxes:
        # One for all boxes, which have the colours of their curves.
        color = boxes[0][1] if len(boxes) == 1 else _NEUTRAL
        face, edge = tint(color, _BOX_TINT), tint(color, _EDGE_TINT)
        handles.append(Patch(facecolor=face, edgecolor=edge, linewidth=_EDGE_WIDTH))
        words.append(boxes[0][0].label)
    axes.legend(handles, words, loc=legend_at)


def _draw_published(axes: Axes, x: PlotAxis, published: PublishedInterval, color: str) -> None:
    low, high = np.clip([published.low, published.high], x.start, x.stop)
    left, right = (float(end) for end in x.scaled(np.array([low, high])))
    edge = tint(color, _EDGE_TINT)
    axes.add_patch(
        Rectangle(
            (left, 0.0),
            right - left,
            published.rise,
            facecolor=tint(color, _BOX_TINT),
            edgecolor=edge,
            linewidth=_EDGE_WIDTH,
            zorder=0.8,
        )
    )
    if published.best_fit is not None:
        at = x.scaled(np.array([published.best_fit, published.best_fit]))
        axes.plot(
            at, [0.0, published.rise], color=edge, linewidth=_EDGE_WIDTH, linestyle=(0, (1, 1))
        )
