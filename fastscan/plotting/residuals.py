"""Data, expectation and best fit, and how many standard deviations lie between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.plotting.caption import set_caption
from fastscan.plotting.spectrum import draw_spectrum
from fastscan.plotting.style import COLUMN_WIDTH_CM, FOREGROUND, PALETTE, new_figure, style, tint
from fastscan.text import for_figure

__all__ = ["ResidualPanel", "draw_residuals", "residual_figure"]

FloatArray = NDArray[np.float64]

_LOWEST_END = 3.0
_BANDS = ((2.0, "#EDEDED"), (1.0, "#D9D9D9"))


@dataclass(frozen=True)
class ResidualPanel:
    """One experiment's bins.

    Attributes
    ----------
    title, unit : str
    edges_ev : (bins + 1,)
    data, sigma, expected, fitted : (bins,)
        Counts seen, their errors, those of the Standard Model and of the best fit.
    background : (bins,), optional
        What of both is there without a signal, where events are counted.
    """

    title: str
    unit: str
    edges_ev: FloatArray
    data: FloatArray
    sigma: FloatArray
    expected: FloatArray
    fitted: FloatArray
    background: FloatArray | None = None


def residual_figure(panels: Sequence[ResidualPanel], *, label: str = "best fit") -> Figure:
    """Draw counts above and residuals below, experiments side by side, one column wide each.

    Parameters
    ----------
    panels : sequence of ResidualPanel
    label : str
        Of the fit, in the legend.

    Raises
    ------
    InputError
        No panel.
    """
    if not panels:
        raise InputError("no fit to draw", hint="give at least one experiment")
    with style():
        figure = new_figure(width_cm=COLUMN_WIDTH_CM * len(panels), height_cm=9.8)
        grid = figure.subplots(
            2, len(panels), sharex="col", squeeze=False, height_ratios=(2.2, 1.0)
        )
        for column, panel in enumerate(panels):
            upper, lower = grid[0, column], grid[1, column]
            draw_spectrum(
                upper,
                panel.edges_ev,
                panel.data,
                panel.sigma if panel.background is None else _poisson_errors(panel.data),
                panel.expected,
                {label: panel.fitted},
                data_label="data",
            )
            if panel.background is not None:
                upper.stairs(
                    panel.background,
                    panel.edges_ev,
                    fill=True,
                    facecolor=tint(PALETTE[1], 0.55),
                    edgecolor=PALETTE[1],
                    linewidth=0.8,
                    label="background",
                )
            handles, words = upper.get_legend_handles_labels()
            (steps,) = (p for p in upper.patches if p.get_edgecolor() == _rgba(PALETTE[0]))
            upper.legend([*handles, steps], [*words, label], loc="upper right", labelspacing=0.35)
            width_ev = float(panel.edges_ev[1] - panel.edges_ev[0])
            unit = for_figure(_short(panel.unit))
            even = np.allclose(np.diff(panel.edges_ev), width_ev, rtol=1e-6)
            bins = rf"{width_ev:g} eV$_\mathrm{{ee}}$" if even else "bin"
            upper.set_ylabel(f"counts / {bins} / {unit}")
            set_caption(upper, panel.title)
            draw_residuals(lower, panel)
            lower.set_xlabel(r"ionisation energy [eV$_\mathrm{ee}$]")
    return figure


def draw_residuals(axes: Axes, panel: ResidualPanel) -> None:
    """Draw (data - fit) / sigma over bands of one and two; call it within `style`."""
    residuals = (panel.data - panel.fitted) / panel.sigma
    end = max(_LOWEST_END, 1.15 * float(np.abs(residuals).max()))
    for half_width, color in _BANDS:
        axes.axhspan(-half_width, half_width, color=color, linewidth=0.0, zorder=0)
    axes.axhline(0.0, color=FOREGROUND, linewidth=0.5, zorder=1)
    middle = 0.5 * (panel.edges_ev[1:] + panel.edges_ev[:-1])
    axes.bar(
        middle,
        residuals,
        width=0.72 * np.diff(panel.edges_ev),
        color=tint(PALETTE[0], 0.55),
        edgecolor=PALETTE[0],
        linewidth=0.6,
        zorder=2,
    )
    axes.set(
        xlim=(panel.edges_ev[0], panel.edges_ev[-1]),
        ylim=(-end, end),
        ylabel=r"(data $-$ fit) / $\sigma$",
    )


def _poisson_errors(events: FloatArray) -> FloatArray:
    """Central intervals of 68.27 % around numbers of events, down and up (Garwood), (2, bins)."""
    from scipy.special import gammaincinv

    tail = 0.5 * (1.0 - 0.6827)
    low = np.where(events > 0.0, gammaincinv(np.maximum(events, 1e-12), tail), 0.0)
    return np.stack([events - low, gammaincinv(events + 1.0, 1.0 - tail) - events])


def _short(unit: str) -> str:
    """Unit of the counts without the word itself."""
    return unit.removeprefix("counts / ") if unit != "counts" else "exposure"


def _rgba(color: str) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba

    return to_rgba(color)
