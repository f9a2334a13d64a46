"""Curves of others under one's own: drawn, named below the axes, checked against the plane."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.mathtext import MathTextParser
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs import Overlay
from fastscan.models import Parameter
from fastscan.plotting.axis import PlotAxis, parameters_of
from fastscan.plotting.style import LINE_STYLES, PALETTE, grow, tint
from fastscan.scan import ScanResult
from fastscan.text import for_terminal

__all__ = ["draw_overlays"]

FloatArray = NDArray[np.float64]

# Not the first two colours, which are those of the scans; and thinner than these.
_COLORS = PALETTE[2:]
_STYLES = LINE_STYLES[1:]
_WIDTH = 1.0
_REGION_TINT = 0.15
_BELOW_ALL = 0.5
_MATHTEXT: MathTextParser[Any] = MathTextParser("path")
# Letters of two names that fit beside each other.
_ROW = 30
# Where the legends start: below numbers and label of the axis; and the space between two.
_BELOW_AXES_POINTS = 33.0
_BETWEEN_POINTS = 4.0


def draw_overlays(axes: Axes, overlays: Sequence[Overlay], result: ScanResult) -> None:
    """Draw curves and regions below everything else; legends stand below the axes.

    The figure grows by their height.

    Parameters
    ----------
    axes : Axes
        Of a plane of a scan, its scales and limits set; call it within `style`.
    overlays : sequence of Overlay
    result : ScanResult
        The scan, of two axes, which says what the overlays' columns and units must be.

    Raises
    ------
    InputError
        An overlay is for another model, lacks a column or has a wrong one, has a value outside the
        parameter's physical range or one that is not positive on a logarithmic axis, or lies
        outside the plane.
    """
    if not overlays:
        return
    parameters = parameters_of(result)
    plane = (PlotAxis.of([result], 0), PlotAxis.of([result], 1))
    model = result.header["model"]
    handles: list[Line2D | Patch] = []
    looks = zip(cycle(_COLORS), cycle(_STYLES), strict=False)
    for overlay, (color, line_style) in zip(overlays, looks, strict=False):
        pieces = _pieces(overlay, plane, parameters, model)
        if overlay.style == "region":
            face = tint(color, _REGION_TINT)
            outline = Path.make_compound_path(*(Path(piece, closed=False) for piece in pieces))
            axes.add_patch(PathPatch(outline, facecolor=face, edgecolor="none", zorder=_BELOW_ALL))
            handles.append(
                Patch(facecolor=face, edgecolor=color, linestyle=line_style, linewidth=_WIDTH)
            )
        else:
            handles.append(Line2D([], [], color=color, linestyle=line_style, linewidth=_WIDTH))
        for piece in pieces:
            line = np.vstack([piece, piece[:1]]) if overlay.style == "region" else piece
            # Limits are those of the scans, whatever the overlays span.
            axes.plot(
                *line.T,
                color=color,
                linestyle=line_style,
                linewidth=_WIDTH,
                zorder=1.5,
                scalex=False,
                scaley=False,
            )
    _legends_below(axes, overlays, handles)


def _pieces(
    overlay: Overlay,
    plane: tuple[PlotAxis, PlotAxis],
    parameters: Sequence[Parameter],
    model: str,
) -> list[FloatArray]:
    """Points in numbers along the axes, checked."""
    if overlay.model and overlay.model != model:
        raise InputError(
            f"curve for model {overlay.model!r} over a plane of {model!r}",
            where=str(overlay.path),
            hint="leave it out, or correct '# model:'",
        )
    try:
        _MATHTEXT.parse(overlay.label)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"label {overlay.label!r} is not valid mathtext",
            where=str(overlay.path),
            hint=r"correct what stands between dollar signs, or write \$",
        ) from error
    pieces = overlay.pieces({p.name: p.unit for p in parameters})
    every = np.concatenate(pieces)
    for column, parameter, axis in zip(every.T, parameters, plane, strict=True):
        low, high = float(column.min()), float(column.max())
        for value in (low, high):
            if not parameter.minimum <= value <= parameter.maximum:
                raise InputError(
                    f"{parameter.name} = {value:g} is out of range",
                    where=str(overlay.path),
                    hint=f"is the column in {parameter.unit}?"
                    if parameter.unit != "1"
                    else "correct the value",
                )
        if axis.logarithmic and low <= 0.0:
            raise InputError(
                f"{parameter.name} = {low:g} has no place on a logarithmic axis",
                where=str(overlay.path),
                hint="leave the point out, or scan the axis without :log",
            )
        if high < axis.start or low > axis.stop:
            raise InputError(
                f"{parameter.name} from {low:g} to {high:g} lies outside the plane, "
                f"{axis.start:g} to {axis.stop:g}",
                where=str(overlay.path),
                hint="check the unit, or scan a wider range",
            )
    return [
        np.column_stack([axis.scaled(column) for axis, column in zip(plane, piece.T, strict=True)])
        for piece in pieces
    ]


def _legends_below(
    axes: Axes, overlays: Sequence[Overlay], handles: Sequence[Line2D | Patch]
) -> None:
    """Name everything below the axes, where it hides nothing: the scans', then the overlays."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    groups: list[tuple[str, list[Any], list[str]]] = []
    inside = axes.get_legend()
    if inside is not None:
        words = [text.get_text() for text in inside.get_texts()]
        groups.append((inside.get_title().get_text(), list(inside.legend_handles), words))
        inside.remove()
    labels = [for_terminal(overlay.label) for overlay in overlays]
    groups.append(("other work", list(handles), labels))
    below = _BELOW_AXES_POINTS
    for title, artists, words in groups:
        legend = Legend(
            axes,
            artists,
            words,
            loc="upper left",
            bbox_to_anchor=(0.0, 0.0),
            bbox_transform=offset_copy(axes.transAxes, fig=figure, y=-below, units="points"),
            ncols=2 if len(words) > 1 and sum(sorted(map(len, words))[-2:]) <= _ROW else 1,
            title=title,
            alignment="left",
            borderaxespad=0.0,
            borderpad=0.0,
            columnspacing=1.2,
        )
        axes.add_artist(legend)
        # Not clipped to the axes, so that the layout leaves room for it.
        legend.set_clip_on(False)
        figure.draw_without_rendering()
        height = legend.get_window_extent().height / figure.dpi + _BETWEEN_POINTS / 72.0
        grow(figure, height * figure.dpi)
        below += height * 72.0
