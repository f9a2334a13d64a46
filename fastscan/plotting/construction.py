"""The plane of a Feldman-Cousins construction, its border beside that of Wilks' theorem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from fastscan.inputs import Overlay
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.caption import header_caption
from fastscan.plotting.exclusion import exclusion_figure
from fastscan.plotting.overlay import draw_overlays
from fastscan.plotting.save import check_figure_path, save_figure
from fastscan.plotting.scan import scan_description
from fastscan.plotting.style import style
from fastscan.scan.construction import ConstructionResult

__all__ = ["construction_figure", "plot_construction"]


def construction_figure(
    result: ConstructionResult, *, dof: int = 2, overlays: Sequence[Overlay] = ()
) -> Figure:
    """Draw what a construction excludes, and what Wilks' theorem would.

    Parameters
    ----------
    result : ConstructionResult
    dof : int
        Degrees of freedom of Wilks' theorem.
    overlays : sequence of Overlay
        Curves of others to lie under the plane.

    Raises
    ------
    InputError
        No border within the plane.
    """
    rise = delta_chi2(result.cl, dof)
    header = result.header
    wilks = f"Wilks, {dof} dof"
    curves = {"Feldman-Cousins": result.as_scan(rise), wilks: result.as_scan()}
    title = header_caption(header, method="Feldman-Cousins", level=f"{100 * result.cl:g} % C.L.")
    figure = exclusion_figure(
        curves,
        cl=result.cl,
        dof=dof,
        title=title,
        outlined=[wilks],
        words=f"excluded at {100 * result.cl:g} % C.L.",
    )
    with style():
        draw_overlays(figure.axes[0], overlays, result.as_scan())
    return figure


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
