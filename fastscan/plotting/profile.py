"""Delta chi2 along one parameter."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.exceptions import InputError
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import result_caption, set_caption
from fastscan.plotting.exclusion import edge_note
from fastscan.plotting.levels import draw_levels
from fastscan.plotting.style import PALETTE, curve_styles, new_figure, style
from fastscan.results import ProfileCurve
from fastscan.scan import ScanResult

__all__ = ["draw_curve", "draw_profile", "profile_figure"]

# The figure ends at this multiple of the rise at the confidence level.
_HEADROOM = 2.6


def profile_figure(
    curves: Mapping[str, ScanResult], *, cl: float = 0.90, dof: int = 1, title: str = ""
) -> Figure:
    """Draw Delta chi2 of some scans along their parameter, one column wide.

    Parameters
    ----------
    curves : mapping of str to ScanResult
        Scans of the same parameter, by their words in the legend.
    cl : float
        Confidence level of the upper line; the lower one is at 1 sigma.
    dof : int
        Degrees of freedom of both lines.
    title : str
        Words above the axes.

    Raises
    ------
    InputError
        See `draw_profile`.
    """
    with style():
        figure = new_figure()
        draw_profile(figure.add_subplot(), curves, cl=cl, dof=dof, title=title)
    return figure


def draw_profile(
    axes: Axes,
    curves: Mapping[str, ScanResult],
    *,
    cl: float = 0.90,
    dof: int = 1,
    title: str = "",
) -> None:
    """Draw Delta chi2 with its levels and a legend; call it within `style`.

    Parameters
    ----------
    axes : Axes
        What to draw into.
    curves, cl, dof, title
        See `profile_figure`.

    Raises
    ------
    InputError
        No curve, not one axis of two points or more, parameters that differ, or a bad level.
    """
    results = list(curves.values())
    if not results:
        raise InputError("no scan to draw", hint="give at least one")
    for result in results:
        if len(result.names) != 1 or min(result.shape) < 2:
            raise InputError(
                f"profile of a scan of shape {' x '.join(map(str, result.shape))}",
                where=str(result.path),
                hint="scan one parameter, with at least two points",
            )
    x = PlotAxis.of(results, 0)
    x.apply(axes, "x")
    levels = {r"$1\sigma$": delta_chi2(0.6827, dof), f"{100 * cl:g} % C.L.": delta_chi2(cl, dof)}
    top = round(_HEADROOM * max(levels.values()))
    axes.set(ylim=(0.0, top), ylabel=r"$\Delta\chi^2$")
    set_caption(axes, title)
    rises = {name: result.values - result.minimum.chi2 for name, result in curves.items()}
    draw_levels(axes, levels, list(rises.values()), top)
    for (name, result), look in zip(curves.items(), curve_styles(len(curves)), strict=True):
        axes.plot(x.scaled(result.coordinates[result.names[0]]), rises[name], label=name, **look)
    note = "".join(
        edge_note(result, result, result.minimum.chi2 + delta_chi2(cl, dof)) for result in results
    )
    axes.legend(loc="best", title=note.strip() or None, alignment="left")


def draw_curve(
    axes: Axes, curve: ProfileCurve, *, cl: float = 0.90, title: str | None = None
) -> None:
    """Draw Delta chi2 of exact values with its levels; call it within `style`."""
    parameter = curve.provenance.known_model().parameter(curve.poi)
    x = PlotAxis.of_parameter(parameter, float(curve.values.min()), float(curve.values.max()))
    x.apply(axes, "x")
    levels = {r"$1\sigma$": delta_chi2(0.6827), f"{100 * cl:g} % C.L.": delta_chi2(cl)}
    top = round(_HEADROOM * max(levels.values()))
    axes.set(ylim=(0.0, top), ylabel=r"$\Delta\chi^2$")
    rise = curve.chi2 - curve.chi2_min
    draw_levels(axes, levels, [rise], top)
    axes.plot(x.scaled(curve.values), rise, color=PALETTE[0])
    words = result_caption(curve, method="Wilks, 1 dof", level=f"68.27, {100 * cl:g} % C.L.")
    set_caption(axes, words if title is None else title)
