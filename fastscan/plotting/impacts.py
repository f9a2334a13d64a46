"""Pulls and impacts of nuisances, ranked."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastscan.models import Parameter
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.style import (
    COLUMN_WIDTH_CM,
    FOREGROUND,
    PAGE_WIDTH_CM,
    PALETTE,
    new_figure,
    style,
    tint,
)
from fastscan.results import Impacts
from fastscan.text import for_figure

__all__ = ["draw_impacts", "impacts_figure"]

_ROW_CM = 0.62
# Of a nuisance's name: longer ones would leave no room for the axes.
_LETTERS = 32
_DOWN, _UP = PALETTE[0], PALETTE[1]


def impacts_figure(impacts: Impacts, *, title: str | None = None) -> Figure:
    """Draw pulls, shifts of the best fit, and the limits without each nuisance, a page wide.

    Parameters
    ----------
    impacts : Impacts
    title : str, optional
        In place of the caption.
    """
    parameter = impacts.provenance.known_model().parameter(impacts.poi)
    with style():
        figure = new_figure(PAGE_WIDTH_CM, 3.1 + _ROW_CM * len(impacts.rows))
        left, middle, right = figure.subplots(
            1, 3, sharey=True, gridspec_kw={"width_ratios": (1.0, 1.15, 1.15)}
        )
        _draw_pulls(left, impacts)
        _draw_shifts(middle, impacts, parameter)
        _draw_limits(right, impacts, parameter)
        _name_rows(left, impacts)
        # Above the first of three panels; beside it stands a legend.
        set_caption(left, _caption(impacts) if title is None else title)
        for axes in (left, middle, right):
            _tick(axes)
    return figure


def draw_impacts(axes: Axes, impacts: Impacts, *, title: str | None = None) -> None:
    """Draw the shifts of the best fit alone, ranked."""
    _draw_shifts(axes, impacts, impacts.provenance.known_model().parameter(impacts.poi))
    _name_rows(axes, impacts)
    _tick(axes)
    axes.legend(loc="lower right")
    set_caption(axes, _caption(impacts) if title is None else title)


def _caption(impacts: Impacts) -> str:
    level = f"{100 * impacts.cl:g} % C.L., Wilks"
    return result_caption(impacts, level=level, width_cm=COLUMN_WIDTH_CM)


def _name_rows(axes: Axes, impacts: Impacts) -> None:
    rows = len(impacts.rows)
    axes.set_yticks(range(rows), [_short(row.name) for row in impacts.rows])
    axes.set_ylim(rows - 0.4, -0.6)


def _tick(axes: Axes) -> None:
    axes.minorticks_on()
    axes.yaxis.minorticks_off()
    axes.tick_params(axis="y", which="both", left=False, right=False)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _short(name: str) -> str:
    return for_figure(name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…")


def _draw_pulls(axes: Axes, impacts: Impacts) -> None:
    """Each pull with its error after the fit, on the band that it had before."""
    axes.axvspan(-1.0, 1.0, color=tint(FOREGROUND, 0.08), linewidth=0.0)
    axes.axvline(0.0, color=FOREGROUND, linewidth=0.7)
    for i, row in enumerate(impacts.rows):
        axes.errorbar(
            row.pull, i, xerr=row.error, fmt="o", markersize=3.5, capsize=2.5, color=FOREGROUND
        )
    reach = max(abs(row.pull) + row.error for row in impacts.rows)
    axes.set(xlim=(-1.25 * max(reach, 1.2), 1.25 * max(reach, 1.2)))
    axes.set_xlabel(r"pull $\hat\beta\,/\,\sigma$")


def _draw_shifts(axes: Axes, impacts: Impacts, parameter: Parameter) -> None:
    """Shift of the best fit with the nuisance one error below and above its pull."""
    shifts = np.array([(row.shift_down, row.shift_up) for row in impacts.rows])
    reach = float(np.abs(shifts).max()) or 1.0
    x = PlotAxis.of_parameter(
        parameter, -1.25 * reach, 1.25 * reach, symbol=rf"\Delta\,{parameter.symbol}"
    )
    x.apply(axes, "x")
    axes.axvline(0.0, color=FOREGROUND, linewidth=0.7)
    looks = ((0, _DOWN, r"$-1\sigma$"), (1, _UP, r"$+1\sigma$"))
    for side, color, label in looks:
        axes.barh(
            range(len(shifts)),
            x.scaled(shifts[:, side]),
            height=0.55,
            facecolor=tint(color, 0.45),
            edgecolor=color,
            linewidth=0.9,
            label=label,
        )
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0.1, frameon=False
    )


def _draw_limits(axes: Axes, impacts: Impacts, parameter: Parameter) -> None:
    """Intervals without each nuisance, on those with all of them."""
    pieces = [*impacts.intervals, *(piece for row in impacts.rows for piece in row.intervals)]
    finite = [end for piece in pieces for end in piece if np.isfinite(end)] or [impacts.best_fit]
    low, high = min(finite), max(finite)
    margin = 0.08 * ((high - low) or abs(high) or 1.0)
    x = PlotAxis.of_parameter(parameter, low - margin, high + margin)
    x.apply(axes, "x")
    for piece in impacts.intervals:
        ends = x.scaled(np.clip(piece, x.start, x.stop))
        axes.axvspan(*ends, color=tint(PALETTE[2], 0.18), linewidth=0.0)
    for i, row in enumerate(impacts.rows):
        for piece in row.intervals:
            ends = x.scaled(np.clip(piece, x.start, x.stop))
            axes.plot(ends, [i, i], color=PALETTE[2], marker="|", markersize=7.0)
    axes.axvline(float(x.scaled(np.array([impacts.best_fit]))[0]), color=FOREGROUND, linewidth=0.7)
    axes.set_xlabel(f"{x.label} at {100 * impacts.cl:g} % C.L.")
    axes.set_title("lines: without it, band: with it", loc="left")
