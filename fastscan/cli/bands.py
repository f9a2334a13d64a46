"""The figure of ``fastscan sensitivity``: expected limits of scenarios, with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fastscan.cli.words import about_likelihood, scenario_label
from fastscan.inference.sensitivity import Expected, Scenario
from fastscan.likelihoods import Likelihood
from fastscan.plotting import PlotAxis, caption, save_figure
from fastscan.plotting.bands import LimitCurve, bands_figure
from fastscan.scan import Axis

__all__ = ["save_bands"]


def save_bands(
    likelihood: Likelihood,
    scenarios: Sequence[Scenario],
    found: Sequence[Sequence[Expected]],
    along: Axis | None,
    held: dict[str, float],
    out: str,
    force: bool,
) -> None:
    """Draw expected limits along an axis, or along exposures, into a file.

    Parameters
    ----------
    likelihood : Likelihood
        Of the present experiment.
    scenarios : sequence of Scenario
    found : sequence of sequences of Expected
        Of each scenario, at each value of the axis.
    along : Axis or None
        None: exposures.
    held : dict of float
        Parameters that were held.
    out : str
    force : bool
        Replace the file.
    """
    parameter = likelihood.model.parameter(found[0][0].poi)
    groups: dict[str, list[tuple[float, Expected]]] = {}
    for scenario, points in zip(scenarios, found, strict=True):
        if along is None:
            label = scenario_label(scenario).partition(", ")[2] or "present experiment"
            groups.setdefault(label, []).append((scenario.exposure, points[0]))
        else:
            groups[scenario_label(scenario)] = list(zip(along.values.tolist(), points, strict=True))
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
    else:
        curves = [replace(curve, color=i, line=i) for i, curve in enumerate(curves)]
    if along is None:
        reach = curves[0].values
        x = PlotAxis("exposure / present exposure", True, 0, float(reach[0]), float(reach[-1]))
    else:
        x = PlotAxis.of_parameter(
            likelihood.model.parameter(along.name),
            along.start,
            along.stop,
            logarithmic=along.spacing == "log",
        )
    heights = [h for curve in curves for h in curve.expected if 0.0 < h < float("inf")]
    logarithmic = parameter.minimum >= 0.0 and bool(heights)
    y = PlotAxis.of_parameter(
        parameter,
        min(heights, default=0.0),
        max(heights, default=1.0),
        logarithmic=logarithmic and max(heights) / min(heights) > 3.0,
    )
    title = caption(
        likelihood.model,
        likelihood.experiment,
        held,
        likelihood.channels,
        method="Wilks",
        level=f"{100 * found[0][0].cl:g} % C.L.",
    )
    figure = bands_figure(curves, x, y, cl=found[0][0].cl, title=title)
    about = f"expected limits on {parameter.name}; {about_likelihood(likelihood, held)}"
    save_figure(figure, out, description=about, overwrite=force)


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
