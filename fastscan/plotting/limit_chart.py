"""Upper limits of several experiments beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.exceptions import InputError
from fastscan.plotting.caption import set_caption
from fastscan.plotting.style import FOREGROUND, PALETTE, new_figure, style, tint

__all__ = ["UpperLimit", "draw_limit_chart", "limit_chart_figure"]

_ROW_CM = 0.62
_OTHER = "#737373"


@dataclass(frozen=True)
class UpperLimit:
    """An upper limit.

    Attributes
    ----------
    label : str
    value : float
    role : {"own", "published", "other"}
        Ours, the published one that it is compared with, or another experiment's.
    """

    label: str
    value: float
    role: str = "other"


def limit_chart_figure(limits: Sequence[UpperLimit], *, xlabel: str, title: str = "") -> Figure:
    """Draw upper limits, strongest at the bottom, one column wide.

    Raises
    ------
    InputError
        No limit, or one that is not positive.
    """
    with style():
        figure = new_figure(height_cm=1.9 + _ROW_CM * len(limits))
        draw_limit_chart(figure.add_subplot(), limits, xlabel=xlabel, title=title)
    return figure


def draw_limit_chart(
    axes: Axes, limits: Sequence[UpperLimit], *, xlabel: str, title: str = ""
) -> None:
    """Draw each limit as the start of what it excludes; call it within `style`.

    Raises
    ------
    InputError
        See `limit_chart_figure`.
    """
    if not limits:
        raise InputError("no limit to draw", hint="give at least one")
    for limit in limits:
        if not limit.value > 0.0:
            raise InputError(
                f"upper limit {limit.value:g} has no place on a logarithmic axis",
                where=limit.label,
                hint="leave it out",
            )
    ordered = sorted(limits, key=lambda limit: limit.value)
    values = [limit.value for limit in ordered]
    low, high = min(values) / 3.0, max(values) * 30.0
    for row, limit in enumerate(ordered):
        color = {"own": PALETTE[1], "published": PALETTE[1]}.get(limit.role, _OTHER)
        face = tint(color, 0.12 if limit.role == "published" else 0.30)
        axes.barh(row, high - limit.value, left=limit.value, height=0.62, color=face, zorder=1)
        axes.plot(
            [limit.value, limit.value],
            [row - 0.31, row + 0.31],
            color=tint(color, 0.55) if limit.role == "published" else color,
            linewidth=1.6,
            linestyle=(0, (2, 1)) if limit.role == "published" else "solid",
        )
        axes.annotate(
            _number(limit.value),
            (limit.value, row),
            xytext=(4.0, 0.0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_yticks(range(len(ordered)), [limit.label for limit in ordered])
    axes.tick_params(axis="y", which="both", left=False, right=False)
    for text, limit in zip(axes.get_yticklabels(), ordered, strict=True):
        text.set_color(FOREGROUND if limit.role == "other" else PALETTE[1])
    axes.minorticks_on()
    axes.yaxis.minorticks_off()
    axes.set(xscale="log", xlim=(low, high), ylim=(-0.7, len(ordered) - 0.3), xlabel=xlabel)
    set_caption(axes, title)


def _number(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    return rf"${float(mantissa):g}\times10^{{{int(exponent)}}}$"
