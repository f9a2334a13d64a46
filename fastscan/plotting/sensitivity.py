"""Expected limits of scenarios along an axis or along exposures, with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.bands import LimitCurve, bands_figure, draw_bands
from fastscan.plotting.caption import result_caption
from fastscan.results import Expected, Sensitivity

__all__ = ["draw_sensitivity", "sensitivity_figure"]


def sensitivity_figure(result: Sensitivity, *, title: str | None = None) -> Figure:
    """Draw expected limits, and below, where there are several scenarios, their ratios.

    Raises
    ------
    InputError
        No limit is finite.
    """
    curves, x, y = _curves(result)
    words = _caption(result) if title is None else title
    return bands_figure(curves, x, y, cl=result.first.cl, title=words)


def draw_sensitivity(axes: Axes, result: Sensitivity, *, title: str | None = None) -> None:
    """Draw expected limits with a legend; call it within `style`."""
    curves, x, y = _curves(result)
    words = _caption(result) if title is None else title
    handles = draw_bands(axes, curves, x, y, title=words)
    level = f"upper limit at {100 * result.first.cl:g} % C.L."
    axes.legend(list(handles.values()), list(handles), title=level, alignment="left")


def _caption(result: Sensitivity) -> str:
    return result_caption(result, method="Wilks", level=f"{100 * result.first.cl:g} % C.L.")


def _curves(result: Sensitivity) -> tuple[list[LimitCurve], PlotAxis, PlotAxis]:
    """Curves, and the axes that they are drawn on."""
    model = result.provenance.known_model()
    parameter, along, scenarios = model.parameter(result.first.poi), result.axis, result.scenarios
    groups: dict[str, list[tuple[float, Expected]]] = {}
    for scenario, points in zip(scenarios, result.points, strict=True):
        if along is None:
            label = scenario.label.partition(", ")[2] or "present experiment"
            groups.setdefault(label, []).append((scenario.exposure, points[0]))
        else:
            groups[scenario.label] = [(one.given[along["name"]], one) for one in points]
    curves = [_curve(label, sorted(rows, key=lambda r: r[0])) for label, rows in groups.items()]
    if along is not None:
        # Exposures by colour, the rest by the style of the line.
        exposures = list(dict.fromkeys(s.exposure for s in scenarios))
        rest = list(dict.fromkeys((s.background, s.threshold_ev) for s in scenarios))
        curves = [
            replace(
                curve,
                color=exposures.index(s.exposure),
                line=rest.index((s.background, s.threshold_ev)),
            )
            for curve, s in zip(curves, scenarios, strict=True)
        ]
        x = PlotAxis.of_parameter(
            model.parameter(along["name"]),
            along["start"],
            along["stop"],
            logarithmic=along["spacing"] == "log",
        )
    else:
        curves = [replace(curve, color=i, line=i) for i, curve in enumerate(curves)]
        reach = curves[0].values
        x = PlotAxis("exposure / present exposure", True, 0, float(reach[0]), float(reach[-1]))
    heights = [h for curve in curves for h in curve.expected if 0.0 < h < float("inf")]
    logarithmic = parameter.minimum >= 0.0 and bool(heights)
    y = PlotAxis.of_parameter(
        parameter,
        min(heights, default=0.0),
        max(heights, default=1.0),
        logarithmic=logarithmic and max(heights) / min(heights) > 3.0,
    )
    return curves, x, y


def _curve(label: str, rows: Sequence[tuple[float, Expected]]) -> LimitCurve:
    values = np.array([value for value, _ in rows])
    bands = np.array([e.bands[:, 1] for _, e in rows])
    seen = np.array([np.nan if e.observed is None else e.observed[1] for _, e in rows])
    has_toys = rows[0][1].toys > 0
    return LimitCurve(
        label,
        values,
        bands[:, 2] if has_toys else np.array([e.asimov[1] for _, e in rows]),
        bands[:, [0, 1, 3, 4]] if has_toys else None,
        None if np.isnan(seen).all() else seen,
    )
