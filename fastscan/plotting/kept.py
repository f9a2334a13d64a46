"""Reductions of scans and exact boundaries: curves and planes of what was kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.levels import draw_levels
from fastscan.plotting.style import LINE_STYLES, PALETTE, tint
from fastscan.results import Result
from fastscan.scan import Axis, Band, Boundary, Contour, Marginal

__all__ = ["draw_band", "draw_boundary", "draw_contour", "draw_marginal"]

FloatArray = NDArray[np.float64]

_TOP = 7.0
_METHODS = {
    "profile": "Wilks, from a grid",
    "bayes": "Bayes, from a grid, nuisances profiled",
}
# Beyond the outermost point of what is drawn, in parts of its extent.
_ROOM = 0.08


def draw_marginal(axes: Axes, result: Marginal, *, title: str | None = None) -> None:
    """Draw delta chi2 or density along one parameter, or in the plane of two."""
    plot_axes = [_plot_axis(result, axis) for axis in result.axes]
    columns = [p.scaled(axis.values) for p, axis in zip(plot_axes, result.axes, strict=True)]
    plot_axes[0].apply(axes, "x")
    rise = result.values - result.chi2_min
    level = f"{100 * result.cl:g} %" + (" C.L." if result.method == "profile" else "")
    if len(columns) == 2:
        plot_axes[1].apply(axes, "y")
        shown = rise if result.method == "profile" else result.values
        filled = axes.contourf(*columns, shown.T, levels=12, cmap="Blues_r"
                               if result.method == "profile" else "Blues")  # fmt: skip
        figure = axes.get_figure(root=True)
        assert figure is not None
        words = r"$\Delta\chi^2$" if result.method == "profile" else "probability density"
        figure.colorbar(filled, ax=axes, label=words)
        if result.method == "profile":
            height = delta_chi2(result.cl, 2)
            axes.contour(*columns, rise.T, levels=[height], colors=PALETTE[1])
        level = f"line at {level}, 2 dof" if result.method == "profile" else ""
    elif result.method == "profile":
        axes.set(ylim=(0.0, _TOP), ylabel=r"$\Delta\chi^2$")
        draw_levels(axes, {level: delta_chi2(result.cl)}, [rise], _TOP)
        axes.plot(columns[0], rise, color=PALETTE[0])
    else:
        axes.plot(columns[0], result.values * 10.0 ** plot_axes[0].exponent, color=PALETTE[0])
        axes.set_ylabel("probability density")
        for low, high in result.intervals():
            ends = plot_axes[0].scaled(np.array([low, high]))
            axes.axvspan(*ends, color=tint(PALETTE[0], 0.2), linewidth=0.0, zorder=0)
    words = result_caption(result, method=_METHODS[result.method], level=level)
    set_caption(axes, words if title is None else title)


def draw_band(axes: Axes, result: Band, *, title: str | None = None) -> None:
    """Draw how far the coupling reaches along the kept parameter.

    Raises
    ------
    InputError
        Two parameters were kept.
    """
    if len(result.axes) != 1:
        raise InputError(
            "a band over two parameters can not be drawn",
            where="keep",
            hint="keep one, or see to_dataset",
        )
    (axis,) = result.axes
    x = _plot_axis(result, axis)
    x.apply(axes, "x")
    y = _limits(result, result.coupling, np.concatenate([result.low, result.high]))
    y.apply(axes, "y")
    at = x.scaled(axis.values)
    axes.fill_between(at, y.scaled(result.low), y.scaled(result.high), color=tint(PALETTE[0], 0.3))
    for end in (result.low, result.high):
        axes.plot(at, y.scaled(end), color=PALETTE[0])
    _finish(axes, result, result.header, "Wilks, from a grid", title)


def draw_boundary(axes: Axes, result: Boundary, *, title: str | None = None) -> None:
    """Draw what is excluded of the coupling along the axis, as of a plane."""
    named = {axis["name"]: Axis(**axis) for axis in result.header["axes"]}
    x = _plot_axis(result, named[result.axis_name])
    x.apply(axes, "x")
    ends = result.allowed
    y = _limits(result, result.poi, ends)
    y.apply(axes, "y")
    at, color = x.scaled(result.values), PALETTE[0]
    bottom, top = y.scaled(np.array([y.start, y.stop]))
    axes.fill_between(at, bottom, top, color=tint(color, 0.25), linewidth=0.0)
    for piece in range(ends.shape[1]):
        low, high = (np.clip(y.scaled(ends[:, piece, i]), bottom, top) for i in (0, 1))
        axes.fill_between(at, low, high, color=axes.get_facecolor(), linewidth=0.0)
        for end, own in ((low, ends[:, piece, 0]), (high, ends[:, piece, 1])):
            seen = np.isfinite(own) & (own > y.start)
            axes.plot(at, np.where(seen, end, np.nan), color=color)
    _finish(axes, result, result.header, "exact, Wilks", title, "excluded")


def draw_contour(axes: Axes, result: Contour, *, title: str | None = None) -> None:
    """Draw the border of the region."""
    by_name = {axis["name"]: Axis(**axis) for axis in result.header["axes"]}
    x, y = (_plot_axis(result, by_name[name]) for name in result.names)
    x.apply(axes, "x")
    y.apply(axes, "y")
    for line in result.lines:
        axes.plot(
            x.scaled(line[:, 0]), y.scaled(line[:, 1]), color=PALETTE[0], linestyle=LINE_STYLES[0]
        )
    words = result_caption(result, method=result.method, level=f"{100 * result.cl:g} % C.L.")
    set_caption(axes, words if title is None else title)


def _plot_axis(result: Result, axis: Axis) -> PlotAxis:
    parameter = result.provenance.known_model().parameter(axis.name)
    logarithmic = axis.spacing == "log"
    return PlotAxis.of_parameter(parameter, axis.start, axis.stop, logarithmic=logarithmic)


def _limits(result: Result, name: str, ends: FloatArray) -> PlotAxis:
    """An axis that holds all ends that are finite; logarithmic where they span decades."""
    parameter = result.provenance.known_model().parameter(name)
    values = ends[np.isfinite(ends)]
    above = values[values > 0.0]
    if parameter.minimum >= 0.0 and above.size and above.max() > 10.0 * above.min():
        low, high = float(above.min()), float(above.max())
        return PlotAxis.of_parameter(parameter, low / 2.0, 2.0 * high, logarithmic=True)
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    room = _ROOM * (high - low or 1.0)
    low = low if low == parameter.minimum else low - room
    return PlotAxis.of_parameter(parameter, low, high + room)


def _finish(
    axes: Axes,
    result: Result,
    header: dict[str, Any],
    method: str,
    title: str | None,
    drawn: str = "allowed",
) -> None:
    level = f"{drawn} at {100 * header['cl']:g} % C.L., {header['dof']} dof"
    words = result_caption(result, method=method, level=level)
    set_caption(axes, words if title is None else title)
