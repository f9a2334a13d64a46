"""Measurements of a running parameter against scale, over its predicted running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.plotting.caption import set_caption
from fastscan.plotting.naming import Name, place_names
from fastscan.plotting.style import FOREGROUND, PALETTE, new_figure, style, tint

__all__ = ["Measurement", "draw_running", "drawn_scales", "running_figure"]

FloatArray = NDArray[np.float64]

# Points closer than this factor are drawn apart, by this factor.
_CLOSE = 1.35
# What the figure shows of a measurement depends on its scheme.
_OPEN_SCHEME = "effective"
_SCHEME_WORDS = {"MS-bar": r"$\overline{\mathrm{MS}}$", _OPEN_SCHEME: "effective"}
_ONLY_OF_BARS = ("elinewidth", "capsize")
# A measurement as wide as this many times the running hides it: it has a panel of its own.
_WIDE = 1.5
_HEADROOM = 0.14
# The axis ends beyond the curve by this factor, so that points at its end are whole.
_BEYOND = 4.0


@dataclass(frozen=True)
class Measurement:
    """A measured value at a scale.

    Attributes
    ----------
    label : str
    value : float
    error : (minus, plus)
    scale_mev : float
    scheme : {"MS-bar", "effective"}
        A filled or an open marker; named if it is not that of the curve.
    role : {"own", "published", "other"}
        Ours, the published one that it is compared with, or another experiment's.
    """

    label: str
    value: float
    error: tuple[float, float]
    scale_mev: float
    scheme: str = "MS-bar"
    role: str = "other"


def running_figure(
    curve: tuple[FloatArray, FloatArray],
    measurements: Sequence[Measurement],
    *,
    symbol: str,
    curve_label: str,
    title: str = "",
) -> Figure:
    """Draw wide measurements above and precise ones below, one column wide.

    Parameters
    ----------
    curve : (scales, values)
        Prediction, scales in MeV.
    measurements : sequence of Measurement
    symbol : str
        Of the parameter, in TeX.
    curve_label, title : str

    Raises
    ------
    InputError
        No measurement.
    """
    if not measurements:
        raise InputError("no measurement to draw", hint="give at least one")
    span = float(np.ptp(curve[1]))
    wide = [m for m in measurements if sum(m.error) > 2.0 * _WIDE * span]
    precise = [m for m in measurements if m not in wide]
    parts = [part for part in (wide, precise) if part]
    with style():
        figure = new_figure(height_cm=3.1 + 4.6 * len(parts))
        panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
        for panel, part in zip(panels, parts, strict=True):
            line = draw_running(panel, curve, part)
            panel.set_ylabel(f"${symbol}$")
        set_caption(panels[0], title)
        panels[-1].set_xlabel("scale [MeV]")
        figure.legend([line], [curve_label], loc="outside lower center")
        figure.draw_without_rendering()
        for panel, part in zip(panels, parts, strict=True):
            names = [_name(m, at) for m, at in zip(part, drawn_scales(part), strict=True)]
            place_names(panel, names, curve)
    return figure


def draw_running(
    axes: Axes,
    curve: tuple[FloatArray, FloatArray],
    measurements: Sequence[Measurement],
) -> Line2D:
    """Draw a prediction and measurements, not yet their names; call it within `style`.

    Points at nearly the same scale are drawn side by side, see `drawn_scales`.

    Parameters
    ----------
    axes : Axes
    curve, measurements
        See `running_figure`.

    Returns
    -------
    Line2D
        The prediction.
    """
    scales, values = curve
    (line,) = axes.plot(scales, values, color=FOREGROUND, linewidth=1.1, zorder=1.5)
    low = min(float(values.min()), *(m.value - m.error[0] for m in measurements))
    high = max(float(values.max()), *(m.value + m.error[1] for m in measurements))
    room = _HEADROOM * (high - low)
    axes.set(xscale="log", xlim=(scales[0], _BEYOND * scales[-1]), ylim=(low - room, high + room))
    for measurement, scale in zip(measurements, drawn_scales(measurements), strict=True):
        _point(axes, measurement, scale)
    if any(m.scheme == _OPEN_SCHEME for m in measurements):
        handles = []
        for scheme, is_open in (("MS-bar", False), (_OPEN_SCHEME, True)):
            look = {"color": PALETTE[0], **_bars("o", is_open)}
            look = {key: value for key, value in look.items() if key not in _ONLY_OF_BARS}
            handles.append(Line2D([], [], label=_SCHEME_WORDS[scheme], **look))
        axes.legend(handles=handles, loc="lower left", labelspacing=0.3)
    return line


def drawn_scales(measurements: Sequence[Measurement]) -> list[float]:
    """Where points are drawn, in MeV: those that would lie on each other are spread around.

    One of ours stays at its scale.
    """
    at = [m.scale_mev for m in measurements]
    for group in _groups(measurements):
        middle = (len(group) - 1) / 2
        anchor = float(np.exp(np.mean([np.log(at[i]) for i in group])))
        for position, i in enumerate(group):
            if measurements[i].role == "own":
                middle, anchor = position, at[i]
        if len(group) > 1:
            for position, i in enumerate(group):
                at[i] = anchor * _CLOSE ** (position - middle)
    return at


def _groups(measurements: Sequence[Measurement]) -> list[list[int]]:
    """Measurements at nearly the same scale, in rising order."""
    order = sorted(range(len(measurements)), key=lambda i: measurements[i].scale_mev)
    groups: list[list[int]] = []
    for i in order:
        if groups and measurements[i].scale_mev < _CLOSE * measurements[groups[-1][-1]].scale_mev:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _name(measurement: Measurement, scale: float) -> Name:
    return Name(
        measurement.label,
        FOREGROUND if measurement.role == "other" else PALETTE[1],
        scale,
        measurement.value - measurement.error[0],
        measurement.value,
        measurement.value + measurement.error[1],
    )


def _point(axes: Axes, measurement: Measurement, scale: float) -> None:
    color: Any = PALETTE[0] if measurement.role == "other" else PALETTE[1]
    published = measurement.role == "published"
    axes.errorbar(
        [scale],
        [measurement.value],
        yerr=[[measurement.error[0]], [measurement.error[1]]],
        color=tint(color, 0.6) if published else color,
        zorder=3 if measurement.role == "own" else 2,
        **_bars("D" if published else "o", published or measurement.scheme == _OPEN_SCHEME),
    )


def _bars(marker: str, is_open: bool) -> dict[str, Any]:
    look: dict[str, Any] = {
        "marker": marker,
        "markersize": 4.5,
        "markeredgewidth": 1.1,
        "linestyle": "none",
        "elinewidth": 1.1,
        "capsize": 2.0,
    }
    return {**look, "markerfacecolor": "white"} if is_open else look
