"""Light mediators in CONUS+ (C25 section IV and figure 7): limits, scans, contours, one figure."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fastscan.inputs import Overlay, load_experiment
from fastscan.likelihoods import Likelihood
from fastscan.models import get_model
from fastscan.plotting import (
    CHANNEL_LABELS,
    PAGE_WIDTH_CM,
    draw_exclusion,
    draw_overlays,
    new_figure,
    save_figure,
    scan_description,
    style,
)
from fastscan.reproduce.output import Progress, Ticker, check_outputs, overlays_by_model, scan_plane
from fastscan.scan import Axis, ScanResult, write_contour
from fastscan.storage.outputs import make_folder, write_text
from fastscan.storage.paths import local_path
from fastscan.tensors import load_response

__all__ = [
    "CHANNELS",
    "MEDIATORS",
    "Mediator",
    "MediatorLimit",
    "QuickstartResult",
    "mediator_figure",
    "run_quickstart",
]


@dataclass(frozen=True)
class Mediator:
    """One of the two mediators: its model, and its words in tables and figures.

    Attributes
    ----------
    name : str
        Of its files and in its tables.
    model, options
        For `fastscan.models.get_model`.
    title : str
        Of its panel, in mathtext.
    coupling, mass : str
        Symbols, in TeX.
    """

    name: str
    model: str
    options: Mapping[str, str]
    title: str
    coupling: str
    mass: str


MEDIATORS = (
    Mediator(
        "vector-b-l", "vector", {"charges": "b-l"}, "Vector, $B-L$", r"g_{B\!-\!L}", r"M_{Z\prime}"
    ),
    Mediator("scalar", "scalar", {}, "Scalar", r"g_\phi", r"M_\phi"),
)
CHANNELS = ("cevns", "both")
EXPERIMENT = "conus-plus"
CONFIDENCE_LEVEL = 0.90

# The table: 10 keV to 1 GeV.
MASSES_MEV = (1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
# The plane: from where all propagators are massless to where all interactions are of contact, and
# couplings on both sides of every border in between.
MASS_RANGE_MEV = (1e-3, 1e4)
COUPLING_RANGE = (1e-7, 1e-1)
GRID_POINTS = 600

# Of a panel among stacked ones, with its labels.
_PANEL_HEIGHT_CM = 7.2


@dataclass(frozen=True)
class MediatorLimit:
    """Upper limit on a coupling at a mediator mass (one degree of freedom).

    Attributes
    ----------
    mediator : str
        ``vector-b-l`` or ``scalar``.
    channels : str
        ``cevns`` or ``both``.
    mass_mev : float
    upper_limit : float
        Infinite where the data set none.
    intervals : list of (low, high)
        All allowed values; the upper limit is the end of the last interval.
    best_fit, chi2_min : float
    """

    mediator: str
    channels: str
    mass_mev: float
    upper_limit: float
    intervals: list[tuple[float, float]]
    best_fit: float
    chi2_min: float


@dataclass(frozen=True)
class QuickstartResult:
    """What `run_quickstart` found and wrote.

    Attributes
    ----------
    limits : tuple of MediatorLimit
    scans : dict of ScanResult
        By mediator and channels.
    paths : tuple of Path
        Everything written, in order.
    """

    limits: tuple[MediatorLimit, ...]
    scans: dict[tuple[str, str], ScanResult]
    paths: tuple[Path, ...]


def run_quickstart(
    out: str | Path,
    *,
    tables: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    masses_mev: Sequence[float] = MASSES_MEV,
    grid_points: int = GRID_POINTS,
) -> QuickstartResult:
    """Limit a vector and a scalar mediator with CONUS+ data, by CEvNS alone and with EvES.

    Writes into ``out``: 90 % C.L. upper limits on the couplings (``limits.csv``, ``limits.json``),
    chi2 on a plane of mass and coupling for each mediator and choice of channels (``*.zarr``), its
    90 % C.L. contour (``*.csv``), and a figure of both planes (``mediators.pdf`` and ``.png``).

    Parameters
    ----------
    out : path
        Folder, made if it is not there.
    tables : path, optional
        Folder of the tensor stores, which are built on first use.
    overwrite : bool
        Replace what is there; scans of the same contents are kept, or finished if they were
        interrupted.
    progress : callable, optional
        Called with what is under way and the fraction done.
    masses_mev : sequence of float
        Mediator masses of the table.
    grid_points : int
        Points of each axis of the planes.

    Raises
    ------
    StoreError
        An output exists and may not be replaced.
    InputError
        The folder can not be written.
    RunError
        The disk is full; what is finished is kept.
    """
    folder = local_path(out)
    files = _Files(folder)
    check_outputs(files.all, overwrite=overwrite)
    make_folder(folder)
    tick = Ticker(progress, parts=3 + len(files.scans))

    tick.start("tensors")
    experiment = load_experiment(EXPERIMENT)
    response = load_response(experiment, tables, progress=lambda _, done: tick.advance(done))
    likelihoods = {
        (mediator.name, channels): Likelihood(
            get_model(mediator.model, **mediator.options), experiment, response, channels=channels
        )
        for mediator in MEDIATORS
        for channels in CHANNELS
    }

    tick.start("limits")
    limits = []
    for (name, channels), likelihood in likelihoods.items():
        for mass_mev in masses_mev:
            limits.append(_limit(name, channels, mass_mev, likelihood))
            tick.advance(len(limits) / (len(likelihoods) * len(masses_mev)))
    about = _about(next(iter(likelihoods.values())))
    write_text(files.limits_csv, _limits_csv(about, limits), overwrite=overwrite)
    write_text(files.limits_json, _limits_json(about, limits), overwrite=overwrite)

    axes = [
        Axis("mass_mev", *MASS_RANGE_MEV, grid_points, "log"),
        Axis("g", *COUPLING_RANGE, grid_points, "log"),
    ]
    scans = {}
    for key, likelihood in likelihoods.items():
        tick.start(f"scan {'-'.join(key)}")
        scans[key] = scan_plane(likelihood, axes, files.scans[key], tick)
        write_contour(scans[key], files.contours[key], cl=CONFIDENCE_LEVEL, overwrite=overwrite)

    tick.start("figure")
    figure = mediator_figure(scans)
    description = " | ".join(scan_description(scan) for scan in scans.values())
    for path in files.figures:
        save_figure(figure, path, description=description, overwrite=overwrite)
    tick.start("done")
    return QuickstartResult(tuple(limits), scans, files.all)


def mediator_figure(
    scans: Mapping[tuple[str, str], ScanResult],
    *,
    stacked: bool = False,
    overlays: Sequence[Overlay] = (),
) -> Figure:
    """Draw the plane of each mediator, with and without EvES.

    Parameters
    ----------
    scans : mapping of (mediator, channels) to ScanResult
        Of every mediator of `MEDIATORS` and every word of `CHANNELS`.
    stacked : bool
        One above the other, one column wide; side by side, as wide as the page, otherwise.
    overlays : sequence of Overlay
        Curves of others; each names the model to whose plane it belongs.

    Raises
    ------
    InputError
        An overlay does not fit its plane, or names none.
    """
    planes = overlays_by_model(overlays, [mediator.model for mediator in MEDIATORS])
    count = len(MEDIATORS)
    with style():
        if stacked:
            figure = new_figure(height_cm=count * _PANEL_HEIGHT_CM)
            panels = figure.subplots(count, 1)
        else:
            figure = new_figure(PAGE_WIDTH_CM, 8.2)
            panels = figure.subplots(1, count)
        for panel, mediator in zip(panels, MEDIATORS, strict=True):
            curves = {CHANNEL_LABELS[c]: scans[mediator.name, c] for c in CHANNELS}
            draw_exclusion(
                panel, curves, cl=CONFIDENCE_LEVEL, title=mediator.title, legend_at="lower right"
            )
            panel.set_title(load_experiment(EXPERIMENT).title, loc="right")
            panel.set(xlabel=f"${mediator.mass}$ [MeV]", ylabel=f"${mediator.coupling}$")
            if stacked and mediator is not MEDIATORS[0]:
                # The first one's serves all; here it would hide the border.
                panel.get_legend().remove()
            draw_overlays(panel, planes[mediator.model], scans[mediator.name, CHANNELS[0]])
    return figure


class _Files:
    """Names of everything that is written."""

    def __init__(self, folder: Path) -> None:
        keys = [(mediator.name, channels) for mediator in MEDIATORS for channels in CHANNELS]
        self.limits_csv = folder / "limits.csv"
        self.limits_json = folder / "limits.json"
        self.scans = {key: folder / f"{'-'.join(key)}.zarr" for key in keys}
        self.contours = {key: folder / f"{'-'.join(key)}.csv" for key in keys}
        self.figures = (folder / "mediators.pdf", folder / "mediators.png")
        self.all = (
            self.limits_csv,
            self.limits_json,
            *self.scans.values(),
            *self.contours.values(),
            *self.figures,
        )


def _limit(mediator: str, channels: str, mass_mev: float, likelihood: Likelihood) -> MediatorLimit:
    limit = likelihood.limit("g", {"mass_mev": mass_mev}, cl=CONFIDENCE_LEVEL)
    return MediatorLimit(
        mediator=mediator,
        channels=channels,
        mass_mev=mass_mev,
        upper_limit=limit.intervals[-1][1],
        intervals=limit.intervals,
        best_fit=limit.best_fit,
        chi2_min=limit.chi2_min,
    )


def _about(likelihood: Likelihood) -> dict[str, Any]:
    """What all limits have in common."""
    from fastscan import __version__

    return {
        "content": "upper limits on mediator couplings, one degree of freedom",
        "experiment": likelihood.experiment.name,
        "experiment_source": likelihood.experiment.source,
        "cl": CONFIDENCE_LEVEL,
        "sigma_alpha": likelihood.sigma_alpha,
        "tensors_sha256": likelihood.response.name,
        "fastscan_version": __version__,
    }


def _limits_csv(about: Mapping[str, Any], limits: Sequence[MediatorLimit]) -> str:
    text = io.StringIO()
    for key, value in about.items():
        text.write(f"# {key}: {value}\n")
    columns = ("mediator", "channels", "mass_mev", "upper_limit", "best_fit", "chi2_min")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for limit in limits:
        cells = (getattr(limit, column) for column in columns)
        writer.writerow(f"{cell:.9g}" if isinstance(cell, float) else cell for cell in cells)
    return text.getvalue()


def _limits_json(about: Mapping[str, Any], limits: Sequence[MediatorLimit]) -> str:
    """As in the CSV with all intervals; a bound that the data do not set is null."""
    rows = [
        {
            "mediator": limit.mediator,
            "channels": limit.channels,
            "mass_mev": limit.mass_mev,
            "upper_limit": _finite(limit.upper_limit),
            "intervals": [[_finite(low), _finite(high)] for low, high in limit.intervals],
            "best_fit": _finite(limit.best_fit),
            "chi2_min": limit.chi2_min,
        }
        for limit in limits
    ]
    return json.dumps({**about, "limits": rows}, indent=2, allow_nan=False) + "\n"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
