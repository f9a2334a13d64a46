"""Figures 1 to 7 and tables 1 to 3 of C25 (arXiv:2501.12441), from the reading ``conus-plus``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscan.inputs import Overlay, PublishedResult, published_results
from fastscan.likelihoods import Likelihood
from fastscan.plotting import (
    CHANNEL_LABELS,
    DeltaChi2Curve,
    PlotAxis,
    PublishedInterval,
    draw_delta_chi2,
    new_figure,
    scan_description,
    spectrum_figure,
    style,
)
from fastscan.reproduce.literature_tables import COLUMNS, TABLES, markdown, table_rows
from fastscan.reproduce.mediators import (
    CHANNELS,
    CONFIDENCE_LEVEL,
    COUPLING_RANGE,
    GRID_POINTS,
    MASS_RANGE_MEV,
    MEDIATORS,
    mediator_figure,
)
from fastscan.reproduce.output import (
    Output,
    Progress,
    Ticker,
    figure_names,
    origin,
    overlays_by_model,
    scan_plane,
)
from fastscan.reproduce.readings import Analyses
from fastscan.reproduce.weak_mixing import compare_weak_mixing, own_value, published_value
from fastscan.scan import Axis, write_contour

__all__ = ["READING", "SIGNALS", "Signal", "run_c25"]

FloatArray = NDArray[np.float64]

READING = "conus-plus"
ONE_SIGMA = 0.6827

_PAPER = "C25"
_CURVE_POINTS = 401


@dataclass(frozen=True)
class Signal:
    """New physics in figure 1.

    Attributes
    ----------
    name : str
        Of its column in the table.
    model : str
    parameters : dict of float
    words : str
        In the legend, in mathtext.
    """

    name: str
    model: str
    parameters: Mapping[str, float]
    words: str


# C25 does not say which values its figure 1 shows; each of these lies at about our 90 % C.L. limit,
# one parameter at a time, so that all change chi2 alike (by 2.7).
SIGNALS = (
    Signal(
        "magnetic_moment",
        "magnetic-moment",
        {"mu_nu": 1.2e-10},
        r"$\mu_\nu = 1.2\times10^{-10}\,\mu_\mathrm{B}$",
    ),
    Signal(
        "millicharge",
        "millicharge",
        {"q_ee": 2.0e-12},
        r"$q_{\nu_{ee}} = 2\times10^{-12}\,e$",
    ),
    Signal(
        "charge_radius",
        "charge-radius",
        {"r2_ee": 9.4e-32},
        r"$\langle r^2_{\nu_{ee}}\rangle = 9.4\times10^{-32}$ cm$^2$",
    ),
    Signal(
        "vector_b_l",
        "vector",
        {"mass_mev": 0.1, "g": 2.5e-6},
        r"$B-L$: 0.1 MeV, $g = 2.5\times10^{-6}$",
    ),
    Signal(
        "scalar",
        "scalar",
        {"mass_mev": 1.0, "g": 3.65e-6},
        r"scalar: 1 MeV, $g = 3.65\times10^{-6}$",
    ),
)


@dataclass(frozen=True)
class _Panel:
    """A panel of Delta chi2 of one parameter.

    Attributes
    ----------
    quantity : str
    channels : tuple of str
        A curve for each.
    start, stop : float
    logarithmic : bool
    exponent : int, optional
        Power of ten at the axis, where the paper's own is another than the usual one.
    symbol : str, optional
        In place of the parameter's own.
    cl : float
        Of the interval that is compared with the published one.
    """

    quantity: str
    channels: tuple[str, ...]
    start: float
    stop: float
    logarithmic: bool = False
    exponent: int | None = None
    symbol: str = ""
    cl: float = CONFIDENCE_LEVEL


# The transition elements enter alike, so one curve shows both.
_Q_BOTH = r"q_{\nu_{e\mu}},\ q_{\nu_{e\tau}}"
_R2_BOTH = r"\langle r^2_{\nu_{e\mu}}\rangle,\ \langle r^2_{\nu_{e\tau}}\rangle"
_PROFILES: Mapping[str, tuple[_Panel, ...]] = {
    "fig2": (_Panel("sin2_theta_w", ("both",), 0.05, 0.45, cl=ONE_SIGMA),),
    "fig4": (_Panel("mu_nu", CHANNELS, 1e-11, 1e-9, logarithmic=True),),
    "fig5": (
        _Panel("q_ee", ("both",), -4e-12, 4e-12),
        _Panel("q_emu", ("both",), -4e-12, 4e-12, symbol=_Q_BOTH),
    ),
    "fig5-cevns": (
        _Panel("q_ee", ("cevns",), -2.2e-8, 5.2e-8),
        _Panel("q_emu", ("cevns",), -4e-8, 4e-8, symbol=_Q_BOTH),
    ),
    "fig6": (
        _Panel("r2_ee", CHANNELS, -95e-32, 40e-32, exponent=-32),
        _Panel("r2_emu", CHANNELS, -70e-32, 70e-32, exponent=-32, symbol=_R2_BOTH),
    ),
}
_PANEL_HEIGHT_CM = 6.0
_FIGURE_OF_ONE_CM = 7.2


def run_c25(
    out: str | Path,
    *,
    tables: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    overlays: Sequence[Overlay] = (),
    grid_points: int = GRID_POINTS,
) -> list[Path]:
    """Make the figures and tables of C25 again, with its published values marked.

    Writes into ``out``: figures as PDF and PNG, the points of their curves as CSV of the same name
    (of figure 7 a contour for each plane and choice of channels, and its scan, ``*.zarr``), and the
    tables as CSV and Markdown. Figure 5 is made for CEvNS alone, too.

    Parameters
    ----------
    out : path
        Folder, made if it is not there.
    tables : path, optional
        Folder of the tensor stores, which are built on first use.
    overwrite : bool
        Replace what is there; scans of the same contents are kept.
    progress : callable, optional
        Called with what is under way and the fraction done.
    overlays : sequence of Overlay
        Curves of others for figure 7; each names ``vector`` or ``scalar`` as its model.
    grid_points : int
        Points of each axis of figure 7.

    Returns
    -------
    list of Path
        Everything written, in order.

    Raises
    ------
    StoreError
        An output exists and may not be replaced.
    InputError
        The folder can not be written, or an overlay does not fit.
    """
    overlays_by_model(overlays, [mediator.model for mediator in MEDIATORS])
    output = Output(out, _names(), overwrite=overwrite)
    ticker = Ticker(progress, parts=4 + len(_PROFILES) + len(MEDIATORS) * len(CHANNELS))
    ticker.start("tensors")
    analyses = Analyses(tables)
    ticker.start("figure 1")
    _write_spectra(output, analyses)
    for name in _PROFILES:
        ticker.start(f"figure {name.removeprefix('fig')}")
        _write_profiles(output, analyses, name, ticker.advance)
    ticker.start("figure 3")
    _write_weak_mixing(output, analyses)
    _write_planes(output, analyses, overlays, grid_points, ticker)
    ticker.start("tables")
    _write_tables(output, analyses)
    ticker.advance(1.0)
    return output.paths


def _names() -> list[str]:
    drawn = ["fig1", "fig3", *_PROFILES]
    return [
        *figure_names(*drawn, "fig7"),
        *(f"{name}.csv" for name in drawn),
        *(f"{name}{suffix}" for name in _plane_names().values() for suffix in (".zarr", ".csv")),
        *(f"{table.name}{suffix}" for table in TABLES for suffix in (".csv", ".md")),
    ]


def _plane_names() -> dict[tuple[str, str], str]:
    return {(m.name, c): f"fig7-{m.name}-{c}" for m in MEDIATORS for c in CHANNELS}


def _published(quantity: str, channels: str) -> PublishedResult | None:
    for result in published_results():
        if (result.paper, result.quantity, result.channels) == (_PAPER, quantity, channels):
            return result
    return None


def _write_spectra(output: Output, analyses: Analyses) -> None:
    experiment = analyses.experiment(READING)
    standard_model = analyses.likelihood("sm", experiment)
    expected = standard_model.predict()
    counts, rises = {}, []
    for signal in SIGNALS:
        predicted = analyses.likelihood(signal.model, experiment).predict(**signal.parameters)
        counts[signal.name] = predicted.total
        at = ", ".join(f"{name} = {value:g}" for name, value in signal.parameters.items())
        rises.append(f"{signal.name} ({at}): {predicted.chi2 - expected.chi2:+.3g}")
    data, sigma = standard_model.data, standard_model.sigma
    figure = spectrum_figure(
        expected.edges_ev,
        data,
        sigma,
        expected.total,
        {signal.words: counts[signal.name] for signal in SIGNALS},
        unit=expected.unit.removeprefix("counts / "),
        title=experiment.title,
    )
    about = {
        **origin("counts of each bin (C25 fig. 1)", standard_model),
        "unit": expected.unit,
        "columns with a signal": "SM and signal, CEvNS and EvES",
        "chi2 less that of the SM": "; ".join(rises),
    }
    output.figure("fig1", figure, about)
    columns = ["low_ev", "high_ev", "data", "sigma", "sm_cevns", "sm_eves", *counts]
    rows = zip(
        expected.edges_ev[:-1],
        expected.edges_ev[1:],
        data,
        sigma,
        expected.cevns,
        expected.eves,
        *counts.values(),
        strict=True,
    )
    output.table("fig1.csv", about, columns, rows)


def _write_profiles(
    output: Output, analyses: Analyses, name: str, advance: Callable[[float], None]
) -> None:
    """Delta chi2 of some parameters, other elements profiled."""
    panels = _PROFILES[name]
    experiment = analyses.experiment(READING)
    rows: list[tuple[object, ...]] = []
    with style():
        height_cm = _PANEL_HEIGHT_CM * len(panels) if len(panels) > 1 else _FIGURE_OF_ONE_CM
        figure = new_figure(height_cm=height_cm)
        grid = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for i, (panel, axes) in enumerate(zip(panels, grid, strict=True)):
            curves = [_curve(analyses, panel, channels) for channels in panel.channels]
            draw_delta_chi2(axes, _axis(analyses, panel), curves)
            axes.set_title(experiment.title if i == 0 else "", loc="left")
            for channels, curve in zip(panel.channels, curves, strict=True):
                rows.extend(
                    (panel.quantity, channels, float(value), float(rise))
                    for value, rise in zip(curve.values, curve.rise, strict=True)
                )
            advance((i + 1) / len(panels))
    likelihood = analyses.of(READING, panels[0].quantity, panels[0].channels[0])
    about = origin(f"Delta chi2, other elements profiled (C25 {_figure_words(name)})", likelihood)
    about["unit"] = likelihood.model.parameter(panels[0].quantity).unit
    output.figure(name, figure, about)
    output.table(f"{name}.csv", about, ("parameter", "channels", "value", "delta_chi2"), rows)


def _figure_words(name: str) -> str:
    number, _, channels = name.removeprefix("fig").partition("-")
    return f"fig. {number}" + (f", {channels} alone" if channels else "")


def _axis(analyses: Analyses, panel: _Panel) -> PlotAxis:
    parameter = analyses.of(READING, panel.quantity, "both").model.parameter(panel.quantity)
    return PlotAxis.of_parameter(
        parameter,
        panel.start,
        panel.stop,
        logarithmic=panel.logarithmic,
        exponent=panel.exponent,
        symbol=panel.symbol,
    )


def _curve(analyses: Analyses, panel: _Panel, channels: str) -> DeltaChi2Curve:
    likelihood = analyses.of(READING, panel.quantity, channels)
    limit = analyses.limit(READING, panel.quantity, channels, panel.cl)
    space = np.geomspace if panel.logarithmic else np.linspace
    values = space(panel.start, panel.stop, _CURVE_POINTS)
    profile = likelihood.profile(panel.quantity)
    rise = np.array([profile(float(value)) for value in values]) - limit.chi2_min
    ends = [end for interval in limit.intervals for end in interval]
    return DeltaChi2Curve(
        CHANNEL_LABELS[channels],
        values,
        rise,
        tuple(end for end in ends if panel.start <= end <= panel.stop),
        limit.delta_chi2,
        _published_interval(panel, channels, limit.delta_chi2),
    )


def _published_interval(panel: _Panel, channels: str, rise: float) -> PublishedInterval | None:
    found = _published(panel.quantity, channels)
    if found is None or found.low is None or found.high is None:
        return None
    words = f"{_PAPER} (published)"
    return PublishedInterval(words, found.low, found.high, rise, found.best_fit)


def _write_weak_mixing(output: Output, analyses: Analyses) -> None:
    likelihood = analyses.of(READING, "sin2_theta_w", "both")
    own = own_value(likelihood, "CONUS+ (this work)")
    published = published_value(_PAPER, own)
    experiment = likelihood.experiment
    comparison = compare_weak_mixing([own, published], title=experiment.title)
    about = {
        **origin("weak mixing angle against scale (C25 fig. 3)", likelihood),
        **comparison.about,
    }
    output.figure("fig3", comparison.figure, about)
    output.table("fig3.csv", about, comparison.columns, comparison.rows)


def _write_planes(
    output: Output,
    analyses: Analyses,
    overlays: Sequence[Overlay],
    grid_points: int,
    ticker: Ticker,
) -> None:
    axes = [
        Axis("mass_mev", *MASS_RANGE_MEV, grid_points, "log"),
        Axis("g", *COUPLING_RANGE, grid_points, "log"),
    ]
    mediators = {mediator.name: mediator for mediator in MEDIATORS}
    scans = {}
    for key, name in _plane_names().items():
        ticker.start(name.removeprefix("fig7-"))
        mediator, channels = mediators[key[0]], key[1]
        likelihood: Likelihood = analyses.likelihood(
            mediator.model,
            analyses.experiment(READING),
            channels=channels,
            options=mediator.options,
        )
        scans[key] = scan_plane(likelihood, axes, output.path(f"{name}.zarr"), ticker)
        write_contour(
            scans[key],
            output.path(f"{name}.csv"),
            cl=CONFIDENCE_LEVEL,
            overwrite=output.overwrite,
        )
    figure = mediator_figure(scans, stacked=True, overlays=overlays)
    about = {"content": "excluded couplings (C25 fig. 7)"}
    for (mediator_name, channels), scan in scans.items():
        about[f"{mediator_name}, {channels}"] = scan_description(scan)
    about.update({f"overlay {o.label}": o.source for o in overlays})
    output.figure("fig7", figure, about)


def _write_tables(output: Output, analyses: Analyses) -> None:
    for number, table in enumerate(TABLES, start=1):
        limits = {
            quantity: analyses.limit(READING, quantity, "both", CONFIDENCE_LEVEL)
            for quantity in table.quantities
        }
        likelihood = analyses.of(READING, next(iter(table.quantities)), "both")
        rows = table_rows(table, limits, READING)
        about = origin(f"90 % C.L. limits (C25 table {number})", likelihood)
        cells = ([getattr(row, column) for column in COLUMNS] for row in rows)
        blank = (["" if cell is None else cell for cell in row] for row in cells)
        output.table(f"{table.name}.csv", about, COLUMNS, blank)
        output.text(f"{table.name}.md", markdown(table, rows))
