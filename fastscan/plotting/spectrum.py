"""Counts in bins: data, a standard expectation, and what signals make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.style import FOREGROUND, LINE_STYLES, PALETTE, new_figure, style
from fastscan.results import Prediction
from fastscan.text import for_figure

__all__ = ["draw_excess", "draw_prediction", "draw_spectrum", "short_unit", "spectrum_figure"]

FloatArray = NDArray[np.float64]

# Of the expectation without a signal.
_EXPECTED_FILL = "#D9D9D9"
_EXPECTED_EDGE = "#8C8C8C"
_ENERGY = r"ionisation energy [eV$_\mathrm{ee}$]"
# One more than elsewhere: steps of many signals cross each other.
_LINE_STYLES = (*LINE_STYLES, (0, (6, 1, 1, 1, 1, 1)))
# The lower panel spans this many decades below the largest excess.
_DECADES = 4.0


def spectrum_figure(
    edges_ev: FloatArray,
    data: FloatArray,
    sigma: FloatArray,
    expected: FloatArray,
    signals: Mapping[str, FloatArray],
    *,
    unit: str,
    expected_label: str = "Standard Model",
    title: str = "",
) -> Figure:
    """Draw counts above, and below what the signals add to the expectation, one column wide.

    Parameters
    ----------
    edges_ev : (bins + 1,)
    data, sigma, expected : (bins,)
        Counts seen, their errors, and those expected without a signal.
    signals : mapping of str to (bins,)
        Counts with a signal, by their words in the legend.
    unit : str
        Of the counts of a bin.
    expected_label, title : str
    """
    with style():
        figure = new_figure(height_cm=12.4)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.0))
        draw_spectrum(upper, edges_ev, data, sigma, expected, signals, label=expected_label)
        draw_excess(lower, edges_ev, {k: v - expected for k, v in signals.items()})
        width_ev = float(edges_ev[1] - edges_ev[0])
        upper.set_ylabel(rf"counts / {width_ev:g} eV$_\mathrm{{ee}}$ / {for_figure(unit)}")
        set_caption(upper, title)
        lower.set(xlabel=_ENERGY, ylabel="excess over the SM")
    return figure


def draw_spectrum(
    axes: Axes,
    edges_ev: FloatArray,
    data: FloatArray,
    sigma: FloatArray,
    expected: FloatArray,
    signals: Mapping[str, FloatArray],
    *,
    label: str = "Standard Model",
    data_label: str = "CONUS+ data",
) -> None:
    """Draw data points over the expectation and some signals; call it within `style`.

    The signals' words are in the legend of `draw_excess`, which has the room.
    """
    axes.stairs(
        expected,
        edges_ev,
        fill=True,
        facecolor=_EXPECTED_FILL,
        edgecolor=_EXPECTED_EDGE,
        linewidth=0.8,
        label=label,
    )
    for counts, look in zip(signals.values(), _looks(len(signals)), strict=True):
        axes.stairs(counts, edges_ev, baseline=None, **look)
    middle = 0.5 * (edges_ev[1:] + edges_ev[:-1])
    axes.errorbar(
        middle,
        data,
        yerr=sigma,
        color=FOREGROUND,
        linestyle="none",
        marker="o",
        markersize=3.0,
        elinewidth=0.8,
        label=data_label,
        zorder=3,
    )
    axes.axhline(0.0, color=FOREGROUND, linewidth=0.5, zorder=1)
    axes.set_xlim(edges_ev[0], edges_ev[-1])
    axes.legend(loc="upper right", labelspacing=0.35)


def draw_prediction(axes: Axes, result: Prediction, *, title: str | None = None) -> None:
    """Draw the prediction of both channels with the data; several experiments bin after bin."""
    alone = len(result.bins) == 1
    count = result.total.size
    edges: FloatArray = np.linspace(-0.5, count - 0.5, count + 1, dtype=np.float64)
    if alone:
        edges = result.bins[0].edges_ev
    channels = {r"CE$\nu$NS": result.cevns, r"E$\nu$ES": result.eves}
    shown = {name: counts for name, counts in channels.items() if counts.any()}
    draw_spectrum(
        axes,
        edges,
        result.observed,
        result.sigma,
        result.total,
        shown,
        label="predicted",
        data_label="data",
    )
    handles, words = axes.get_legend_handles_labels()
    steps = [Line2D([], [], **look) for look in _looks(len(shown))]
    axes.legend([*handles, *steps], [*words, *shown], loc="upper right", labelspacing=0.35)
    axes.set_xlabel(_ENERGY if alone else "bin")
    if alone:
        width = f"{float(edges[1] - edges[0]):g}" + r" eV$_\mathrm{ee}$"
        axes.set_ylabel(f"counts / {width} / {for_figure(short_unit(result.unit))}")
    level = rf"$\chi^2$ = {result.chi2:.2f}, nuisances fitted"
    words_above = result_caption(result, level=level)
    set_caption(axes, words_above if title is None else title)


def draw_excess(axes: Axes, edges_ev: FloatArray, excesses: Mapping[str, FloatArray]) -> None:
    """Draw what signals add, on a logarithmic axis, in the looks of `draw_spectrum`."""
    for (words, counts), look in zip(excesses.items(), _looks(len(excesses)), strict=True):
        shown = np.where(counts > 0.0, counts, np.nan)
        axes.stairs(shown, edges_ev, baseline=None, label=words, **look)
    top = max(float(counts.max()) for counts in excesses.values())
    axes.set_yscale("log")
    axes.set_ylim(top * 10.0**-_DECADES, 2.0 * top)
    axes.legend(loc="lower left", labelspacing=0.3)


def _looks(count: int) -> list[dict[str, Any]]:
    return [
        {
            "color": PALETTE[i % len(PALETTE)],
            "linestyle": _LINE_STYLES[i % len(_LINE_STYLES)],
            "linewidth": 1.2,
        }
        for i in range(count)
    ]


def short_unit(unit: str) -> str:
    """Unit of the counts without the word itself."""
    return unit.removeprefix("counts / ") if unit != "counts" else "exposure"
