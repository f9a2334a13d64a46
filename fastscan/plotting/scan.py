"""The figure that fits a scan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from fastscan.exceptions import InputError
from fastscan.inference.edges import Touch
from fastscan.inputs import Overlay
from fastscan.likelihoods import delta_chi2
from fastscan.plotting.axis import parameters_of
from fastscan.plotting.caption import CHANNEL_LABELS, header_caption
from fastscan.plotting.exclusion import ONE_SIGMA, allowed_figure, exclusion_figure
from fastscan.plotting.overlay import draw_overlays
from fastscan.plotting.profile import profile_figure
from fastscan.plotting.save import check_figure_path, save_figure
from fastscan.plotting.style import style
from fastscan.scan import ScanResult, find_contour, region_edges
from fastscan.scan.provenance import nuisance_lines

__all__ = ["plot_scan", "scan_description", "scan_edges", "scan_figure"]


def scan_figure(
    result: ScanResult,
    *,
    cl: float = 0.90,
    dof: int | None = None,
    overlays: Sequence[Overlay] = (),
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

    Raises
    ------
    InputError
        More than two axes, a bad level, no contour within the scanned range, or an overlay that
        does not fit the plane.
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
    title = header_caption(
        result.header,
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
        return profile_figure(curves, cl=cl, dof=dof, title=title)
    if couplings:
        figure = allowed_figure(result, levels=levels, dof=dof, title=title)
    else:
        figure = exclusion_figure(curves, cl=cl, dof=dof, title=title)
    with style():
        draw_overlays(figure.axes[0], overlays, result)
    return figure


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
