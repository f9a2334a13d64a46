"""Predictions of a likelihood at a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import background_counts, build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import Experiment
from fastscan.likelihoods.form import chi2_form
from fastscan.results import Prediction

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["predict"]

FloatArray = NDArray[np.float64]


def predict(likelihood: Likelihood, point: dict[str, float]) -> Prediction:
    """Counts of each channel at a point, and its chi2.

    Parameters
    ----------
    likelihood : Likelihood
    point : dict of float
        All parameters of the model.

    Raises
    ------
    InputError
        Counts that overflow a double.
    """
    by_channel = {
        channel: np.concatenate([_channel(part, channel, point) for part in likelihood.parts])
        for channel in ("cevns", "eves")
    }
    total = by_channel["cevns"] + by_channel["eves"]
    background = np.concatenate([background_counts(one) for one in likelihood.experiments])
    with np.errstate(over="ignore"):
        _check_finite(total * total, "predicted counts")
    form = chi2_form(likelihood.counts((), point))
    # What is compared with the data is what is printed: the sum of the channels.
    fitted = form.fit_at(np.empty(0), (total + background) / likelihood.sigma)
    pulls = fitted.pulls
    if likelihood.alone:
        # From the independent pulls of the fit to the nuisances that were named.
        pulls = pulls @ likelihood.nuisances.columns(likelihood.channel_names)[1]
    several = len(likelihood.parts) > 1
    bins = likelihood.bins
    return Prediction(
        parameters=point,
        edges_ev=np.concatenate([one.edges_ev for one in bins]),
        unit="; ".join(dict.fromkeys(one.unit for one in bins)),
        cevns=by_channel["cevns"],
        eves=by_channel["eves"],
        total=total,
        background=background,
        by_flavour=_by_flavour(likelihood, point, total),
        observed=likelihood.data,
        sigma=likelihood.sigma,
        chi2=fitted.chi2,
        alpha_hat=fitted.relative_change,
        pulls=dict(zip(likelihood.nuisance_names, map(float, pulls), strict=True)),
        bins=bins,
        provenance=likelihood.provenance,
        parts=tuple(predict(part, {**point}) for part in likelihood.parts) if several else (),
    )


def _by_flavour(
    likelihood: Likelihood, point: Mapping[str, float], total: FloatArray
) -> dict[str, FloatArray]:
    if len(likelihood.flavours) == 1:
        return {likelihood.flavours[0]: total}
    found = {}
    for flavour in likelihood.flavours:
        channels = [
            np.concatenate([_channel(part, channel, point, flavour) for part in likelihood.parts])
            for channel in ("cevns", "eves")
        ]
        found[flavour] = channels[0] + channels[1]
    return found


def _channel(
    part: Likelihood, channel: str, point: Mapping[str, float], flavour: str | None = None
) -> FloatArray:
    """Counts of one channel at a point, zero where it is switched off, shape (bins,)."""
    if channel not in part.channel_names or flavour not in (None, *part.flavours):
        return np.zeros(part.data.size)
    assert isinstance(part.experiment, Experiment)
    signal = build_signal(
        part.model,
        part.experiment,
        part.response,
        channels=(channel,),
        flavours=None if flavour is None else (flavour,),
        fixed={p.name: p.standard for p in part.model.parameters} | dict(point),
        flux_weights=part.flux_weights,
    )
    return signal.counts({})


def _check_finite(values: FloatArray, what: str) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"{what} overflow a double", where="--set", hint="use smaller couplings")
