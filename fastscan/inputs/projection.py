"""A scaled experiment: more data, less background, a lower threshold.

Conventions, all in this one place:

- The published errors are all background: the variance of a bin scales as background / exposure.
- Counts stay those of the present exposure (per kilogram and reference live time, or in total):
  more data make their errors smaller, not the numbers larger, and the response tensors stay the
  same.
- A lower threshold adds bins of the width of the first one, down to the threshold, and all
  detectors reach down to it. Of the lowest bin that was observed, the variance is that of so much
  exposure, mass times live time, as contributes to it; the new bins have the same one per unit of
  exposure, with all detectors contributing. Likewise bins that only some detectors reached before
  gain from the others.
- All else stays: quenching, resolution, reactor, and every systematic uncertainty, so that these
  are the floor that more data come down to.
- A projected experiment has no counts of its own: they are zero until `with_counts` puts some in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.experiment import Experiment
from fastscan.inputs.tables import DataFile

__all__ = ["project", "with_counts"]

FloatArray = NDArray[np.float64]

_NO_COUNTS = "A projection: errors scaled from those of the experiment, counts not observed."


def project(
    experiment: Experiment,
    exposure: float = 1.0,
    background: float = 1.0,
    threshold_ev: float | None = None,
) -> Experiment:
    """Scale an experiment; the conventions are those of this module.

    Parameters
    ----------
    experiment : Experiment
    exposure : float
        Mass times live time, in units of the present one.
    background : float
        Rate of background events, in units of the present one.
    threshold_ev : float, optional
        Ionisation energy down to which all detectors see, in eV_ee; the present first bin edge,
        and None, leave thresholds and bins as they are.

    Returns
    -------
    Experiment
        The experiment itself where nothing changes; else one without counts.

    Raises
    ------
    InputError
        A factor that is not positive; a threshold above the first bin, not a whole number of bins
        below it, or not reached by the efficiency table of a detector.
    """
    for name, factor in (("exposure", exposure), ("background", background)):
        if not (math.isfinite(factor) and factor > 0.0):
            raise InputError(
                f"{name} of {factor:g} times the present one",
                where=f"--{name}",
                hint="give a positive number",
            )
    observation = experiment.observation
    if observation.counted and not exposure == background == 1.0:
        raise InputError(
            "counts and backgrounds are not projected to another exposure",
            where=experiment.name,
            hint="give the counts and backgrounds of that exposure as an experiment",
        )
    edges = np.asarray(observation.edges_ev, dtype=float)
    sigma = np.asarray(observation.sigma, dtype=float)
    lowered = threshold_ev is not None and threshold_ev != edges[0]
    if observation.counted and lowered:
        raise InputError(
            "backgrounds of bins below the threshold are not known",
            where=experiment.name,
            hint="give the counts and backgrounds of these bins as an experiment",
        )
    if exposure == background == 1.0 and not lowered:
        return experiment
    changes: dict[str, object] = {}
    if threshold_ev is not None and lowered:
        new_edges = _more_edges(edges, threshold_ev)
        sigma = _shared_out(experiment, sigma, new_edges.size)
        edges = np.concatenate([new_edges, edges])
        for i, detector in enumerate(experiment.detectors):
            if detector.threshold_ev > threshold_ev:
                changes[f"detectors.{i}.threshold_ev"] = float(threshold_ev)
    sigma = sigma * math.sqrt(background / exposure)
    changes |= {
        "name": _name(experiment.name, exposure, background, threshold_ev if lowered else None),
        "description": _NO_COUNTS,
        "observation.start_ev": None,
        "observation.stop_ev": None,
        "observation.file": _table(experiment.name, edges, np.zeros(sigma.size), sigma),
    }
    return experiment.with_changes(changes)


def with_counts(experiment: Experiment, counts: ArrayLike) -> Experiment:
    """Copy of an experiment in which other counts were seen, with the same errors.

    Parameters
    ----------
    experiment : Experiment
    counts : (bins,)
        In the unit of the observation.

    Raises
    ------
    InputError
        Another number of counts than there are bins, or one that is not finite.
    """
    observation = experiment.observation
    values = np.asarray(counts, dtype=float)
    if values.shape != observation.counts.shape or not np.isfinite(values).all():
        raise InputError(
            f"counts of shape {values.shape} for {observation.counts.size} bins"
            if values.shape != observation.counts.shape
            else "a count is not finite",
            where=experiment.name,
            hint="give one number a bin",
        )
    table = _table(experiment.name, observation.edges_ev, values, observation.sigma)
    changes: dict[str, object] = {"observation.start_ev": None, "observation.stop_ev": None}
    if observation.counted:
        table = _counts_table(experiment.name, observation.edges_ev, values)
        changes["observation.asimov"] = bool((values != np.round(values)).any())
    return experiment.with_changes({**changes, "observation.file": table})


def _more_edges(edges: FloatArray, threshold_ev: float) -> FloatArray:
    """Lower edges of the bins between a threshold and the first edge."""
    width = float(edges[1] - edges[0])
    number = (float(edges[0]) - threshold_ev) / width
    count = round(number) if math.isfinite(number) else 0
    if not threshold_ev > 0.0 or count < 1 or abs(number - count) > 1e-9 * max(1.0, number):
        nearest = float(edges[0]) - width * max(count, 1)
        raise InputError(
            f"threshold of {threshold_ev:g} eV is not below {edges[0]:g} eV by a whole number of "
            f"bins of {width:g} eV",
            where="--threshold",
            hint=f"the nearest is {nearest:g}" if nearest > 0.0 else "the bins are too wide",
        )
    lower: FloatArray = float(edges[0]) - width * np.arange(count, 0.0, -1.0)
    lower[0] = threshold_ev
    return lower


def _shared_out(experiment: Experiment, sigma: FloatArray, new_bins: int) -> FloatArray:
    """Errors of all bins once every detector reaches them, the new ones first."""
    exposure = experiment.exposures
    upper = np.asarray(experiment.observation.edges_ev[1:], dtype=float)
    # As for the response: a detector counts where its threshold is below the end of the bin.
    sees = np.array([d.threshold_ev for d in experiment.detectors])[:, None] < upper
    before, after = exposure @ sees, float(exposure.sum())
    per_kg = experiment.observation.normalisation == "per-kg"
    # A mean over more exposure has a smaller error, a sum over more a larger one.
    ratio = before / after if per_kg else after / before
    all_reach: FloatArray = np.where(before == after, sigma, sigma * np.sqrt(ratio))
    return np.concatenate([np.full(new_bins, all_reach[0]), all_reach])


def _name(name: str, exposure: float, background: float, threshold_ev: float | None) -> str:
    words = [f"{name}-x{exposure:g}"]
    if background != 1.0:
        words.append(f"background{background:g}")
    if threshold_ev is not None:
        words.append(f"{threshold_ev:g}eV")
    return "-".join(words)


def _table(
    name: str, edges: Sequence[float] | FloatArray, counts: FloatArray, sigma: FloatArray
) -> DataFile:
    """Counts as the table that a file would hold, every digit kept."""
    rows = zip(edges[:-1], edges[1:], counts, sigma, strict=True)
    lines = [",".join(repr(float(value)) for value in row) for row in rows]
    return DataFile.made(f"{name}.csv", "\n".join(["low_ev,high_ev,excess,sigma", *lines, ""]))


def _counts_table(name: str, edges: Sequence[float] | FloatArray, counts: FloatArray) -> DataFile:
    rows = zip(edges[:-1], edges[1:], counts, strict=True)
    lines = [",".join(repr(float(value)) for value in row) for row in rows]
    return DataFile.made(f"{name}.csv", "\n".join(["low_ev,high_ev,counts", *lines, ""]))
