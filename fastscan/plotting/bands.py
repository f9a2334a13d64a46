"""Expected limits with their spread in repeated experiments, and the observed one over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogFormatterSciNotation
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import set_caption
from fastscan.plotting.style import FOREGROUND, LINE_STYLES, PALETTE, grow, new_figure, style, tint

__all__ = ["LimitCurve", "bands_figure", "draw_bands"]

FloatArray = NDArray[np.float64]

# Of the bands of one and two sigma: green and yellow are what everybody draws, but not everybody
# can tell them apart; two strengths of one colour are.
_INNER, _OUTER = 0.42, 0.18
# Room on the axis of the limits beyond the outermost curve, in parts of its length.
_ROOM = 0.06
# Below this range a logarithmic axis has too few powers of ten to number those alone.
_FEW_DECADES = 60.0
# The first scenario, dashed as expectations are; the observed limit is solid.
_LINES = (LINE_STYLES[1], LINE_STYLES[2], LINE_STYLES[3], LINE_STYLES[0])


@dataclass(frozen=True)
class LimitCurve:
    """Limits of one scenario along an axis.

    Attributes
    ----------
    label : str
    values : (points,)
        Along the axis.
    expected : (points,)
        Median of the toys, or the limit of the expected data where there are none.
    bands : (points, 4) or None
        Limits at -2, -1, +1 and +2 sigma.
    observed : (points,) or None
        NaN where there is none.
    color, line : int
        Places in the palette and among the line styles, for curves that belong together.
    """

    label: str
    values: FloatArray
    expected: FloatArray
    bands: FloatArray | None = None
    observed: FloatArray | None = None
    color: int = 0
    line: int = 0

    @property
    def look(self) -> dict[str, Any]:
        """Colour and line style."""
        return {
            "color": PALETTE[self.color % len(PALETTE)],
            "linestyle": _LINES[self.line % len(_LINES)],
        }


def bands_figure(
    curves: Sequence[LimitCurve], x: PlotAxis, y: PlotAxis, *, cl: float, title: str = ""
) -> Figure:
    """Draw limits along an axis, one column wide; below, several beside the first one.

    Parameters
    ----------
    curves : sequence of LimitCurve
        Scenarios; bands and observed limit are drawn of the first one.
    x : PlotAxis
    y : PlotAxis
        Of the limits; its ends are chosen from what is drawn.
    cl : float
        Confidence level of the limits.
    title : str

    Raises
    ------
    InputError
        No curve, or no limit that is finite.
    """
    if not curves:
        raise InputError("no limit to draw", hint="give at least one")
    with style():
        figure = new_figure(height_cm=8.2 if len(curves) == 1 else 11.2)
        if len(curves) == 1:
            upper = figure.add_subplot()
        else:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.0, 1.0))
            _draw_ratios(lower, curves, x)
        handles = draw_bands(upper, curves, x, y, title=title)
        if len(curves) > 1:
            upper.set_xlabel("")
        below = figure.legend(
            list(handles.values()),
            list(handles),
            loc="outside lower center",
            title=f"upper limit at {100 * cl:g} % C.L." + (", expected" if len(curves) > 1 else ""),
            alignment="left",
            ncols=2,
        )
        figure.draw_without_rendering()
        # Room for it, so that the axes keep their shape.
        grow(figure, below.get_window_extent().height)
    return figure


def draw_bands(
    axes: Axes, curves: Sequence[LimitCurve], x: PlotAxis, y: PlotAxis, *, title: str = ""
) -> dict[str, Any]:
    """Draw limits along an axis, and give what a legend needs; call it within `style`.

    Parameters
    ----------
    axes : Axes
    curves, x, y, title
        See `bands_figure`.
    """
    first = curves[0]
    drawn = [curve.expected for curve in curves]
    handles: dict[str, Any] = {}
    at = x.scaled(first.values)
    if first.observed is not None:
        drawn.append(first.observed)
        # A single one among several is a point.
        single = np.isfinite(first.observed).sum() == 1
        look: dict[str, Any] = (
            {"marker": "o", "markersize": 4.0, "linestyle": "none", "clip_on": False}
            if single
            else {}
        )
        (handles["observed"],) = axes.plot(
            at, y.scaled(first.observed), color=FOREGROUND, zorder=3, **look
        )
    for curve in curves:
        name = "expected" if len(curves) == 1 else curve.label
        (handles[name],) = axes.plot(
            x.scaled(curve.values), y.scaled(curve.expected), zorder=2, **curve.look
        )
    if first.bands is not None:
        band = y.scaled(first.bands)
        drawn.append(first.bands)
        top = float(np.abs(band[np.isfinite(band)]).max(initial=0.0))
        for low, high, strength, name in ((1, 2, _INNER, "1"), (0, 3, _OUTER, "2")):
            face = tint(PALETTE[first.color], strength)
            # An end at infinity leaves the band open to the edge of the figure and beyond.
            finite = np.where(np.isfinite(band[:, high]), band[:, high], 1e3 * top)
            axes.fill_between(
                at, band[:, low], finite, color=face, linewidth=0.0, zorder=0.6 - 0.1 * high
            )
            whose = "expected" if len(curves) == 1 else "first"
            handles[rf"$\pm{name}\sigma$ of the {whose}"] = Patch(facecolor=face)
    x.apply(axes, "x")
    low_end, high_end = _ends([y.scaled(values) for values in drawn], logarithmic=y.logarithmic)
    PlotAxis(y.label, y.logarithmic, 0, low_end, high_end).apply(axes, "y")
    if y.logarithmic and high_end < _FEW_DECADES * low_end:
        axes.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(2.0, 0.5)))
        axes.tick_params(axis="y", which="minor", labelsize="small")
    set_caption(axes, title)
    return handles


def _draw_ratios(axes: Axes, curves: Sequence[LimitCurve], x: PlotAxis) -> None:
    """Every expected limit over that of the first scenario."""
    first = curves[0]
    ratios = []
    for curve in curves:
        beside = np.interp(first.values, curve.values, curve.expected) / first.expected
        ratios.append(beside)
        axes.plot(x.scaled(first.values), beside, **curve.look)
    x.apply(axes, "x")
    low, high = _ends(ratios, logarithmic=False)
    axes.set(ylim=(low, high), ylabel="ratio to the first")


def _ends(drawn: Sequence[FloatArray], *, logarithmic: bool) -> tuple[float, float]:
    values = np.concatenate([np.ravel(part) for part in drawn])
    values = values[np.isfinite(values) & ((values > 0.0) | (not logarithmic))]
    if not values.size:
        raise InputError("no limit is finite", hint="choose another range of the axis")
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        factor = max(high / low, 1.5) ** _ROOM
        return low / factor, high * factor
    room = _ROOM * (high - low or abs(high) or 1.0)
    return low - room, high + room
