"""The figure that fits a scan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.exceptions import InputError
from fastscan.inputs import Overlay
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import parameters_of
from fastscan.plotting.caption import CHANNEL_LABELS, result_caption
from fastscan.plotting.exclusion import ONE_SIGMA, draw_allowed, draw_exclusion
from fastscan.plotting.overlay import draw_overlays
from fastscan.plotting.profile import draw_profile
from fastscan.plotting.save import check_figure_path, save_figure
from fastscan.plotting.style import new_figure, style
from fastscan.results import Touch
from fastscan.scan import ScanResult, find_contour, region_edges
from fastscan.scan.provenance import nuisance_lines

__all__ = ["draw_scan", "plot_scan", "scan_description", "scan_edges", "scan_figure"]


def scan_figure(
    result: ScanResult,
    *,
    cl: float = 0.90,
    dof: int | None = None,
    overlays: Sequence[Overlay] = (),
    title: str | None = None,
) -> Figure:
    """Draw a scan as its axes ask.

    One axis: Delta chi2 along it. A mass and a coupling: the plane with the excluded region. Two
    couplings: the regions allowed at 1 sigma and at ``cl``.

    Parameters
    ----------
    result : ScanResult
    cl : float
        Confidence level.
    dof : int, optional
        Degrees of freedom; the number of axes by default.
    overlays : sequence of Overlay
        Curves of others to lie under a plane.
    title : str, optional
        In place of the caption.

    Raises
    ------
    InputError
        More than two axes, a bad level, no contour within the scanned range, or an overlay that
        does not fit the plane.
    """
    with style():
        figure = new_figure()
        draw_scan(figure.add_subplot(), result, cl=cl, dof=dof, overlays=overlays, title=title)
    return figure


def draw_scan(
    axes: Axes,
    result: ScanResult,
    *,
    cl: float = 0.90,
    dof: int | None = None,
    overlays: Sequence[Overlay] = (),
    title: str | None = None,
) -> None:
    """Draw a scan into axes; arguments as for `scan_figure`.

    Raises
    ------
    InputError
        See `scan_figure`.
    """
    count = len(result.names)
    if count > 2:
        raise InputError(
            f"a scan of {count} axes ({', '.join(result.names)}) can not be drawn",
            where=str(result.path),
            hint="scan one or two of them and hold the others with --set NAME=VALUE",
        )
    dof = count if dof is None else dof
    curves = {CHANNEL_LABELS[result.header["channels"]]: result}
    couplings = all(parameter.kind == "coupling" for parameter in parameters_of(result))
    levels = sorted({ONE_SIGMA, cl}) if count == 1 or couplings else [cl]
    if title is None:
        title = result_caption(
            result,
            method=f"Wilks, {dof} dof",
            level=f"{', '.join(f'{100 * level:.4g}' for level in levels)} % C.L.",
        )
    if count == 1:
        if overlays:
            raise InputError(
                "curves can not lie under a scan of one axis",
                where=str(overlays[0].path),
                hint="scan two parameters, or leave out --overlay",
            )
        draw_profile(axes, curves, cl=cl, dof=dof, title=title)
        return
    if couplings:
        draw_allowed(axes, result, levels=levels, dof=dof, title=title)
    else:
        draw_exclusion(axes, curves, cl=cl, dof=dof, title=title)
    draw_overlays(axes, overlays, result)


def scan_edges(
    result: ScanResult, cl: float = 0.90, dof: int | None = None
) -> tuple[list[Touch], list[str]]:
    """Edges that cut off the region of a scan of one or two axes, and words on what may mislead."""
    count = len(result.names)
    level = result.minimum.chi2 + delta_chi2(cl, count if dof is None else dof)
    if count == 1:
        return region_edges(result, result, level)
    found = find_contour(result, cl, 2 if dof is None else dof)
    return found.touches, found.warnings


def plot_scan(
    result: ScanResult,
    path: str | Path,
    *,
    cl: float = 0.90,
    dof: int | None = None,
    overlays: Sequence[Overlay] = (),
    overwrite: bool = False,
) -> Path:
    """Draw a scan, see `scan_figure`, and write the figure as PNG, PDF or SVG.

    Raises
    ------
    InputError
        See `scan_figure`; an unknown suffix, or a folder that can not be written.
    StoreError
        The file exists and may not be replaced, or the scan is damaged.
    """
    path = check_figure_path(path, overwrite=overwrite)
    figure = scan_figure(result, cl=cl, dof=dof, overlays=overlays)
    sources = [f"overlay: {overlay.label}, {overlay.source}" for overlay in overlays]
    description = " | ".join([scan_description(result), *sources])
    return save_figure(figure, path, description=description, overwrite=overwrite)


def scan_description(result: ScanResult) -> str:
    """Where the numbers of a figure come from, for its metadata."""
    header = result.header
    words = {
        "model": header["model"],
        **header["options"],
        "channels": header["channels"],
        "experiment": header["experiment"],
        **nuisance_lines(header),
        **header["parameters"],
        "tensors sha256": header["tensors_sha256"],
        "observation sha256": header["observation_sha256"],
    }
    return "; ".join(f"{name}: {value}" for name, value in words.items())
