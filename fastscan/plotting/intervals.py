"""Intervals of one parameter, and shares of methods, as rows of a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.style import FOREGROUND, PALETTE, tint
from fastscan.results import BAND_SIGMAS, Coverage, Expected, Intervals

__all__ = ["draw_coverage", "draw_expected", "draw_intervals"]

# Room beyond the outermost end, in parts of what is drawn.
_ROOM = 0.25
_METHODS = {
    "wilks": "Wilks",
    "feldman-cousins": "Feldman-Cousins",
    "cls": "CLs",
    "bayes": "Bayes, nuisances marginalised",
}


def draw_intervals(axes: Axes, result: Intervals, *, title: str | None = None) -> None:
    """Draw intervals as bars, those without an end to the edge, and the best fit."""
    x = _axis(result, [*np.ravel(result.intervals), result.best_fit])
    x.apply(axes, "x")
    color = PALETTE[0]
    for low, high in result.intervals:
        ends = x.scaled(np.clip([low, high], x.start, x.stop))
        axes.barh(0.0, ends[1] - ends[0], left=ends[0], height=0.5, facecolor=tint(color, 0.3))
        axes.vlines(
            [end for end, own in zip(ends, (low, high), strict=True) if np.isfinite(own)],
            -0.25, 0.25, color=color,
        )  # fmt: skip
    level = f"{100 * result.cl:g} % {result.level_words}"
    handles: list[Patch | Line2D] = [Patch(facecolor=tint(color, 0.3), label=f"allowed, {level}")]
    if np.isfinite(result.best_fit):
        best = x.scaled(np.array([result.best_fit]))
        name = "mode" if result.method == "bayes" else "best fit"
        handles += axes.plot(best, [0.0], "x", color=color, label=name, clip_on=False)
    _rows(axes, [])
    axes.set_ylim(-0.6, 1.4)
    axes.legend(handles=handles, loc="upper right")
    words = result_caption(result, method=_METHODS[result.method], level=level)
    set_caption(axes, words if title is None else title)


def draw_expected(axes: Axes, result: Expected, *, title: str | None = None) -> None:
    """Draw the upper ends: bands of repeated experiments, the expected and the observed one."""
    observed = np.nan if result.observed is None else result.observed[1]
    upper = result.bands[:, 1]
    x = _axis(result, [*upper, result.asimov[1], observed])
    x.apply(axes, "x")
    color, at = PALETTE[0], dict(zip(BAND_SIGMAS, np.clip(upper, x.start, x.stop), strict=True))
    for sigma, strength in ((2.0, 0.18), (1.0, 0.42)) if result.toys else ():
        ends = x.scaled(np.array([at[-sigma], at[sigma]]))
        axes.barh(
            0.0, ends[1] - ends[0], left=ends[0], height=0.5, facecolor=tint(color, strength),
            label=rf"$\pm{sigma:g}\sigma$",
        )  # fmt: skip
    for value, look, line, name in (
        (result.asimov[1], color, "dashed", "expected"),
        (observed, FOREGROUND, "solid", "observed"),
    ):
        if np.isfinite(value):
            end = float(x.scaled(np.array([value]))[0])
            axes.plot([end, end], [-0.25, 0.25], color=look, linestyle=line, label=name)
    _rows(axes, [])
    axes.set_ylim(-0.6, 1.4)
    axes.legend(loc="upper right", ncols=2)
    level = f"{100 * result.cl:g} % C.L."
    words = result_caption(result, method="expected limits, Wilks", level=level)
    set_caption(axes, words if title is None else title)


def draw_coverage(axes: Axes, result: Coverage, *, title: str | None = None) -> None:
    """Draw the share of each method with its error, beside the one that is stated."""
    shares = list(result.shares.values())
    axes.errorbar(
        [100.0 * share.value for share in shares],
        range(len(shares)),
        xerr=[100.0 * share.error for share in shares],
        fmt="o",
        markersize=4.0,
        capsize=2.5,
        color=PALETTE[0],
    )
    axes.axvline(100.0 * result.cl, color=FOREGROUND, linestyle="dashed", linewidth=0.9)
    axes.set(xlabel="coverage [%]", ylim=(len(shares) - 0.4, -0.6))
    _rows(axes, list(result.shares))
    parameter = result.provenance.known_model().parameter(result.poi)
    method = f"toys at ${parameter.symbol}$ = {result.value:.4g}"
    words = result_caption(result, method=method, level=f"{100 * result.cl:g} % stated")
    set_caption(axes, words if title is None else title)


def _axis(result: Intervals | Expected, values: Sequence[float]) -> PlotAxis:
    parameter = result.provenance.known_model().parameter(result.poi)
    finite = [float(value) for value in values if np.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = _ROOM * (high - low or abs(high) or 1.0)
    low, high = max(low - room, parameter.minimum), min(high + room, parameter.maximum)
    return PlotAxis.of_parameter(parameter, low, high)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", which="both", left=False, right=False)
