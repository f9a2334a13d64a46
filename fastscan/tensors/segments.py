"""Intervals of observed energy, and the ionisation energies that count in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import SECONDS_PER_DAY
from fastscan.inputs import Experiment

__all__ = ["Segments", "cut_segments", "ionisation_breaks", "ionisation_window", "variance_per_ev"]

FloatArray = NDArray[np.float64]

# Beyond this many standard deviations a Gaussian leaves less than 1e-20 in a bin.
TAIL_SIGMAS = 9.5
# A resolution is narrow where a bin has more standard deviations than this; an edge of the bin is
# then a step that ends so many of them away from it.
NARROW_SIGMAS = 100.0
STEP_SIGMAS = 8.0


@dataclass(frozen=True)
class Segments:
    """Observed-energy intervals on which a detector's exposure times efficiency is linear.

    Attributes
    ----------
    bin_index : (segments,)
    edges_ev, weights : (segments, 2)
        Live seconds times grams times efficiency at both ends; grams for a fluence.
    noise_ev : (segments,)
    """

    bin_index: NDArray[np.int64]
    edges_ev: FloatArray
    weights: FloatArray
    noise_ev: FloatArray


def cut_segments(experiment: Experiment) -> Segments:
    """Cut every bin at the thresholds and efficiency nodes of the detectors that see it.

    Weights are live seconds times grams, grams alone where the sources give fluences, shared out
    among the detectors of a bin where the counts are given per kilogram.
    """
    observation = experiment.observation
    edges = observation.edges_ev
    exposure = experiment.exposures
    seconds = SECONDS_PER_DAY if experiment.quantity == "flux" else 1.0
    rows: list[tuple[int, float, float, float, float, float]] = []
    for b, (low, high) in enumerate(pairwise(edges)):
        sees = np.array([d.threshold_ev < high for d in experiment.detectors])
        if observation.normalisation == "per-kg":
            assert observation.reference_live_time_d
            share = observation.reference_live_time_d * exposure / exposure[sees].sum()
        else:
            share = exposure
        for d, detector in enumerate(experiment.detectors):
            if not sees[d]:
                continue
            grid = np.asarray(detector.efficiency_energy_ev, dtype=float)
            start = max(low, detector.threshold_ev)
            points = np.array([start, high])
            inner = grid[(grid > start) & (grid < high)]
            if inner.size:
                points = np.unique(np.concatenate((points, inner)))
            value = np.ones_like(points)
            if grid.size:
                value = np.interp(points, grid, detector.efficiency_value)
            scale = share[d] * 1e3 * seconds
            noise = detector.electronic_noise_ev
            if noise is None:
                noise = experiment.ionisation.electronic_noise_ev
            rows.extend(
                (b, points[i], points[i + 1], scale * value[i], scale * value[i + 1], noise)
                for i in range(points.size - 1)
            )
    table = np.array(rows, dtype=float)
    return Segments(
        table[:, 0].astype(np.int64),
        np.ascontiguousarray(table[:, 1:3]),
        np.ascontiguousarray(table[:, 3:5]),
        np.ascontiguousarray(table[:, 5]),
    )


def variance_per_ev(experiment: Experiment) -> float:
    """Growth of the variance of an ionisation energy with it, in eV**2 per eV."""
    return experiment.ionisation.fano_factor * experiment.ionisation.pair_energy_ev


def ionisation_window(experiment: Experiment, segments: Segments) -> tuple[float, float]:
    """Calibrated ionisation energies outside which no bin sees anything, in eV."""
    low, high = float(segments.edges_ev.min()), float(segments.edges_ev.max())
    minimum = experiment.ionisation.minimum_ev * experiment.ionisation.energy_scale
    if experiment.ionisation.resolution == "none":
        return max(low, minimum), high
    noise, slope = float(segments.noise_ev.max()), variance_per_ev(experiment)
    low -= TAIL_SIGMAS * np.sqrt(noise**2 + slope * low)
    # The resolution grows with energy: solve high_true - k sigma(high_true) = high exactly.
    k2 = TAIL_SIGMAS**2
    high += 0.5 * k2 * slope
    high += TAIL_SIGMAS * np.sqrt(noise**2 + slope * high - 0.25 * k2 * slope**2)
    return max(low, minimum), high


def ionisation_breaks(experiment: Experiment, segments: Segments) -> FloatArray:
    """Calibrated ionisation energies at which the response has a kink, in eV."""
    edges = segments.edges_ev
    if experiment.ionisation.resolution == "none":
        return np.unique(edges)
    # A step much narrower than a bin can hide between the end of a panel and its first node, where
    # no two orders disagree about it: it gets panels of its own.
    sigma = np.sqrt(segments.noise_ev[:, None] ** 2 + variance_per_ev(experiment) * edges)
    narrow = edges[:, 1] - edges[:, 0] > NARROW_SIGMAS * sigma.max(axis=1)
    edges, reach = edges[narrow], STEP_SIGMAS * sigma[narrow]
    return np.unique(np.concatenate([edges - reach, edges, edges + reach]))
