"""Data, expectation and best fit, and how many standard deviations lie between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.spectrum import draw_spectrum, short_unit
from fastscan.plotting.style import COLUMN_WIDTH_CM, FOREGROUND, PALETTE, new_figure, style, tint
from fastscan.results import Bins, Fit, Provenance
from fastscan.text import for_figure

__all__ = ["draw_fit", "draw_residuals", "residual_figure"]

FloatArray = NDArray[np.float64]

_LOWEST_END = 3.0
_ENERGY = r"ionisation energy [eV$_\mathrm{ee}$]"
_BANDS = ((2.0, "#EDEDED"), (1.0, "#D9D9D9"))


def residual_figure(fit: Fit, *, title: str | None = None) -> Figure:
    """Draw counts above and residuals below, experiments side by side, one column wide each.

    Parameters
    ----------
    fit : Fit
    title : str, optional
        In place of the captions.
    """
    panels = len(fit.bins)
    with style():
        figure = new_figure(width_cm=COLUMN_WIDTH_CM * panels, height_cm=9.8)
        grid = figure.subplots(2, panels, sharex="col", squeeze=False, height_ratios=(2.2, 1.0))
        for column, bins in enumerate(fit.bins):
            upper, lower = grid[0, column], grid[1, column]
            _draw_counts(upper, fit, bins)
            alone = replace(fit.provenance, experiment_title=bins.title)
            set_caption(upper, _caption(fit, alone) if title is None else title)
            draw_residuals(lower, bins.edges_ev, fit.residuals[bins.place])
            lower.set_xlabel(_ENERGY)
    return figure


def draw_fit(axes: Axes, fit: Fit, *, title: str | None = None) -> None:
    """Draw counts and the fit, or, of several experiments, the residuals of all their bins."""
    if len(fit.bins) == 1:
        _draw_counts(axes, fit, fit.bins[0])
        axes.set_xlabel(_ENERGY)
    else:
        draw_residuals(axes, _places(fit.data.size), fit.residuals)
        for bins in fit.bins[1:]:
            axes.axvline(bins.place.start - 0.5, color=FOREGROUND, linewidth=0.7)
        axes.set_xlabel(f"bin of {', '.join(for_figure(bins.title) for bins in fit.bins)}")
    set_caption(axes, _caption(fit, fit.provenance) if title is None else title)


def _caption(fit: Fit, about: Provenance) -> str:
    model = about.known_model()
    free = ", ".join(f"${model.parameter(name).symbol}$" for name in fit.free)
    return result_caption(replace(fit, provenance=about), method=f"free: {free}" if free else "")


def _places(count: int) -> FloatArray:
    """Edges of bins that stand one after the other."""
    return np.arange(count + 1, dtype=np.float64) - 0.5


def _draw_counts(axes: Axes, fit: Fit, bins: Bins) -> None:
    label = rf"best fit, $\chi^2$ = {fit.chi2_min:.2f} / {fit.ndf}"
    draw_spectrum(
        axes,
        bins.edges_ev,
        fit.data[bins.place],
        fit.sigma[bins.place],
        fit.expected[bins.place],
        {label: fit.counts[bins.place]},
        data_label="data",
    )
    handles, words = axes.get_legend_handles_labels()
    (steps,) = (p for p in axes.patches if p.get_edgecolor() == to_rgba(PALETTE[0]))
    axes.legend([*handles, steps], [*words, label], loc="upper right", labelspacing=0.35)
    width_ev = float(bins.edges_ev[1] - bins.edges_ev[0])
    unit = for_figure(short_unit(bins.unit))
    axes.set_ylabel(rf"counts / {width_ev:g} eV$_\mathrm{{ee}}$ / {unit}")


def draw_residuals(axes: Axes, edges: FloatArray, residuals: FloatArray) -> None:
    """Draw (data - fit) / sigma over bands of one and two; call it within `style`."""
    end = max(_LOWEST_END, 1.15 * float(np.abs(residuals).max()))
    for half_width, color in _BANDS:
        axes.axhspan(-half_width, half_width, color=color, linewidth=0.0, zorder=0)
    axes.axhline(0.0, color=FOREGROUND, linewidth=0.5, zorder=1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    axes.bar(
        middle,
        residuals,
        width=0.72 * np.diff(edges),
        color=tint(PALETTE[0], 0.55),
        edgecolor=PALETTE[0],
        linewidth=0.6,
        zorder=2,
    )
    axes.set(
        xlim=(edges[0], edges[-1]),
        ylim=(-end, end),
        ylabel=r"(data $-$ fit) / $\sigma$",
    )
