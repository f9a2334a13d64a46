"""The plane of a Feldman-Cousins construction, its border beside that of Wilks' theorem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.inputs import Overlay
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.caption import result_caption
from fastscan.plotting.exclusion import draw_exclusion
from fastscan.plotting.overlay import draw_overlays
from fastscan.plotting.save import check_figure_path, save_figure
from fastscan.plotting.scan import scan_description
from fastscan.plotting.style import new_figure, style
from fastscan.scan.construction import ConstructionResult

__all__ = ["construction_figure", "draw_construction", "plot_construction"]


def construction_figure(
    result: ConstructionResult,
    *,
    dof: int = 2,
    overlays: Sequence[Overlay] = (),
    title: str | None = None,
) -> Figure:
    """Draw what a construction excludes, and what Wilks' theorem would.

    Parameters
    ----------
    result : ConstructionResult
    dof : int
        Degrees of freedom of Wilks' theorem.
    overlays : sequence of Overlay
        Curves of others to lie under the plane.
    title : str, optional
        In place of the caption.

    Raises
    ------
    InputError
        No border within the plane.
    """
    with style():
        figure = new_figure()
        draw_construction(figure.add_subplot(), result, dof=dof, overlays=overlays, title=title)
    return figure


def draw_construction(
    axes: Axes,
    result: ConstructionResult,
    *,
    dof: int = 2,
    overlays: Sequence[Overlay] = (),
    title: str | None = None,
) -> None:
    """Draw a construction into axes; arguments as for `construction_figure`."""
    rise = delta_chi2(result.cl, dof)
    level, wilks = f"{100 * result.cl:g} % C.L.", f"Wilks, {dof} dof"
    if title is None:
        title = result_caption(result, method="Feldman-Cousins", level=level)
    draw_exclusion(
        axes,
        {"Feldman-Cousins": result.as_scan(rise), wilks: result.as_scan()},
        cl=result.cl,
        dof=dof,
        title=title,
        outlined=[wilks],
        words=f"excluded at {level}",
    )
    draw_overlays(axes, overlays, result.as_scan())


def plot_construction(
    result: ConstructionResult,
    path: str | Path,
    *,
    dof: int = 2,
    overlays: Sequence[Overlay] = (),
    overwrite: bool = False,
) -> Path:
    """Draw a construction, see `construction_figure`, and write the figure as PNG, PDF or SVG.

    Raises
    ------
    InputError
        See `construction_figure`; an unknown suffix, or a folder that can not be written.
    StoreError
        The file exists and may not be replaced, or the construction is damaged.
    """
    path = check_figure_path(path, overwrite=overwrite)
    figure = construction_figure(result, dof=dof, overlays=overlays)
    words = f"effective toys: {int(result.toys.min())} or more; seed: {result.header['seed']}"
    sources = [f"overlay: {overlay.label}, {overlay.source}" for overlay in overlays]
    about = f"{scan_description(result.as_scan())}; Feldman-Cousins; {words}"
    description = " | ".join([about, *sources])
    return save_figure(figure, path, description=description, overwrite=overwrite)
