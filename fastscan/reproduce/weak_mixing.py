"""The weak mixing angle against scale (C25 fig. 3, A25 fig. 1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq

from fastscan.constants import ELECTRON_MASS_MEV
from fastscan.inputs import WeakMixingAngle, published_results, weak_mixing_angles
from fastscan.likelihoods import Likelihood
from fastscan.models import get_model
from fastscan.models.base import Recoils
from fastscan.plotting import Measurement, running_figure

__all__ = [
    "OwnValue",
    "Running",
    "ScaleRange",
    "WeakMixingComparison",
    "compare_weak_mixing",
    "momentum_transfer",
    "own_value",
    "published_value",
    "running_curve",
]

FloatArray = NDArray[np.float64]

# Review of Particle Physics 2024 (S. Navas et al., Phys. Rev. D 110, 030001): 1/alpha in MS-bar at
# M_Z, and the masses at which particles stop to contribute; of charm and bottom m(m) in MS-bar.
_INVERSE_ALPHA_AT_Z = 127.930
_W_MASS_MEV = 80_369.2
_BOTTOM_MASS_MEV = 4_183.0
_CHARM_MASS_MEV = 1_273.0
_TAU_MASS_MEV = 1_776.93
_MUON_MASS_MEV = 105.6584
# (charge, weak isospin, colours) of a Dirac fermion.
_LEPTON, _UP, _DOWN = (-1.0, -0.5, 1.0), (2.0 / 3.0, 0.5, 3.0), (-1.0 / 3.0, -0.5, 3.0)
# One-loop coefficients (of 1/alpha, of sin2/alpha) of the W with its ghosts and Goldstone bosons.
_W_COEFFICIENTS = (-7.0, -43.0 / 6.0)

_HIGHEST_LABEL, _LOWEST_LABEL = "SM M_Z", "SM q=0"
_SCALE_RANGE_MEV = (0.1, 91_187.6)
_CURVE_POINTS = 400
_CURVE_LABEL = (
    r"Standard Model, $\overline{\mathrm{MS}}$, one loop from $M_Z$"
    "\nto the value of Erler and Schott (2019) at $q = 0$"
)
_COLUMNS = (
    "kind",
    "label",
    "scale_mev",
    "sin2_theta_w",
    "err_minus",
    "err_plus",
    "scheme",
    "status",
    "source",
)


@dataclass(frozen=True)
class Running:
    """The MS-bar weak mixing angle of the Standard Model against scale.

    Attributes
    ----------
    scale_mev, sin2_theta_w : (points,)
    light_quark_threshold_mev : float
        Where u, d and s stop to contribute: the one number that is not an input.
    """

    scale_mev: FloatArray
    sin2_theta_w: FloatArray
    light_quark_threshold_mev: float


@dataclass(frozen=True)
class ScaleRange:
    """Momentum transfer of an experiment's events: mean, and the central 68 %."""

    low_mev: float
    mean_mev: float
    high_mev: float


@dataclass(frozen=True)
class OwnValue:
    """A value of this work or of the paper that it reproduces, with its source in words.

    Attributes
    ----------
    measurement : Measurement
    source : str
    """

    measurement: Measurement
    source: str


def running_curve(scale_mev: FloatArray) -> Running:
    """Run the weak mixing angle at one loop between the two Standard Model values we have.

    With b = sum 4/3 N_c Q**2 and c = sum 2/3 N_c Q T over the particles lighter than the scale,
    d(1/alpha) / d ln mu = -b / 2 pi and d(sin2/alpha) / d ln mu = -c / 2 pi (J. Erler and
    M. J. Ramsey-Musolf, Phys. Rev. D 72, 073003, at leading order). It starts at the value at M_Z;
    charged fermions and the W end at their masses. Perturbation theory does not tell where the
    light quarks end: they do so together, at the scale that leads to the value at zero momentum
    transfer, and which stands also for all higher orders.

    Parameters
    ----------
    scale_mev : (points,)
        Between zero and M_Z.
    """
    anchors = {angle.label: angle for angle in weak_mixing_angles()}
    highest, lowest = anchors[_HIGHEST_LABEL], anchors[_LOWEST_LABEL]

    def miss(log_threshold: float) -> float:
        end = _run(np.array([ELECTRON_MASS_MEV]), highest, math.exp(log_threshold))
        return float(end[0]) - lowest.sin2_theta_w

    # Below the electron nothing runs; a hadronic scale is somewhere between 1 MeV and charm.
    threshold_mev = math.exp(brentq(miss, 0.0, math.log(_CHARM_MASS_MEV)))
    return Running(scale_mev, _run(scale_mev, highest, threshold_mev), threshold_mev)


def _run(scale_mev: FloatArray, start: WeakMixingAngle, light_quarks_mev: float) -> FloatArray:
    fermions = (
        [(mass, _LEPTON) for mass in (ELECTRON_MASS_MEV, _MUON_MASS_MEV, _TAU_MASS_MEV)]
        + [(mass, _UP) for mass in (light_quarks_mev, _CHARM_MASS_MEV)]
        + [(mass, _DOWN) for mass in (light_quarks_mev, light_quarks_mev, _BOTTOM_MASS_MEV)]
    )
    particles = [(_W_MASS_MEV, *_W_COEFFICIENTS)] + [
        (mass, 4.0 / 3.0 * n * q * q, 2.0 / 3.0 * n * q * t) for mass, (q, t, n) in fermions
    ]
    inverse = np.full_like(scale_mev, _INVERSE_ALPHA_AT_Z)
    second = np.full_like(scale_mev, start.sin2_theta_w * _INVERSE_ALPHA_AT_Z)
    for mass, b, c in particles:
        # A particle contributes from the start down to its mass, or to the scale if that is higher.
        log_ratio = np.log(np.maximum(scale_mev, mass) / start.scale_mev) / (2.0 * math.pi)
        inverse = inverse - b * log_ratio
        second = second - c * log_ratio
    sin2_theta_w: FloatArray = second / inverse
    return sin2_theta_w


def momentum_transfer(likelihood: Likelihood) -> ScaleRange:
    """Momentum transfer of the Standard Model's CEvNS events in all bins, sqrt(2 M T)."""
    channel = likelihood.response.channels["cevns"]
    recoils = Recoils.of("cevns", channel)
    point = {p.name: p.standard for p in get_model("sm").parameters}
    kernel = channel.kernel(likelihood.flux_weights).sum(axis=2)
    counts = np.zeros(recoils.recoil_energy_mev.size)
    for monomial, section in get_model("sm").cross_section(recoils).terms.items():
        factor = math.prod(point[name] ** power for name, power in monomial)
        counts += factor * (section * kernel).sum(axis=0)
    momentum_mev = np.sqrt(recoils.momentum_squared_mev2)
    order = np.argsort(momentum_mev, kind="stable")
    cumulative = np.cumsum(counts[order]) / counts.sum()
    low, high = np.interp([0.16, 0.84], cumulative, momentum_mev[order])
    mean = float(counts @ momentum_mev / counts.sum())
    return ScaleRange(float(low), mean, float(high))


@dataclass(frozen=True)
class WeakMixingComparison:
    """A figure of the weak mixing angle against scale, and the numbers it shows.

    Attributes
    ----------
    figure : Figure
    about : dict
        What the running is, in words.
    columns, rows
        Of a table: the running, then all measurements.
    """

    figure: Figure
    about: dict[str, str]
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def compare_weak_mixing(own: Sequence[OwnValue], *, title: str) -> WeakMixingComparison:
    """Lay own and published values among those of other experiments, over the running."""
    curve = running_curve(np.geomspace(*_SCALE_RANGE_MEV, _CURVE_POINTS))
    angles = [a for a in weak_mixing_angles() if a.label not in (_LOWEST_LABEL, _HIGHEST_LABEL)]
    others = [
        Measurement(
            label=a.label,
            value=a.sin2_theta_w,
            error=(a.err_minus, a.err_plus),
            scale_mev=a.scale_mev,
            scheme=a.scheme,
        )
        for a in angles
    ]
    sources = [(a.status, a.source) for a in angles] + [("", value.source) for value in own]
    measurements = [*others, *(value.measurement for value in own)]
    figure = running_figure(
        (curve.scale_mev, curve.sin2_theta_w),
        measurements,
        symbol=r"\sin^2\theta_W",
        curve_label=_CURVE_LABEL,
        title=title,
    )
    about = {
        "running": "MS-bar, one loop, from the value at M_Z to that at zero momentum transfer "
        "(both from arXiv:2501.12441; the second is of Erler and Schott 2019)",
        "thresholds": f"W, b, c, tau, mu, e at their masses (PDG 2024), u, d, s together at "
        f"{curve.light_quark_threshold_mev:.4g} MeV, which leads from one value to the other",
    }
    rows: list[tuple[object, ...]] = [
        ("running", "Standard Model", float(scale), float(value), "", "", "MS-bar", "", "see above")
        for scale, value in zip(curve.scale_mev, curve.sin2_theta_w, strict=True)
    ]
    for m, (status, source) in zip(measurements, sources, strict=True):
        row = (m.role, m.label, m.scale_mev, m.value, *m.error, m.scheme, status, source)
        rows.append(row)
    return WeakMixingComparison(figure, about, _COLUMNS, rows)


def own_value(likelihood: Likelihood, label: str, *, cl: float = 0.6827) -> OwnValue:
    """Weak mixing angle of an experiment, at the momentum transfer of its events."""
    limit = likelihood.limit("sin2_theta_w", cl=cl)
    scale = momentum_transfer(likelihood)
    low, high = limit.intervals[-1]
    measurement = Measurement(
        label=label,
        value=limit.best_fit,
        error=(limit.best_fit - low, high - limit.best_fit),
        scale_mev=scale.mean_mev,
        role="own",
    )
    return OwnValue(
        measurement,
        f"fastscan, {likelihood.experiment.name}; momentum transfer of 68 % of the events from "
        f"{scale.low_mev:.3g} to {scale.high_mev:.3g} MeV",
    )


def published_value(paper: str, own: OwnValue) -> OwnValue:
    """The weak mixing angle that a paper prints, at the scale of our own value."""
    (result,) = (r for r in published_results() if (r.paper, r.quantity) == (paper, "sin2_theta_w"))
    assert result.best_fit is not None
    assert result.low is not None
    assert result.high is not None
    measurement = Measurement(
        label=f"CONUS+ ({paper})",
        value=result.best_fit,
        error=(result.best_fit - result.low, result.high - result.best_fit),
        scale_mev=own.measurement.scale_mev,
        role="published",
    )
    return OwnValue(measurement, paper)
