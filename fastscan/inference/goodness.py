"""Goodness of fit: the best fit of a model, its chi2, and how far every bin and nuisance is off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.doubts import FEW_EVENTS, chi2_probability
from fastscan.results import Fit, ToyProbability

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood
    from fastscan.models import Model

__all__ = ["best_fit", "default_free"]

FloatArray = NDArray[np.float64]

# More couplings than this are not free unless named: many together have no one best fit.
_FEW = 3
_TOY_BLOCK = 4096


def default_free(
    model: Model, given: Mapping[str, float] | None = None, flavours: Sequence[str] = ("nubar_e",)
) -> tuple[str, ...]:
    """Parameters that a fit frees unless told otherwise: couplings of new physics not set.

    Those that no neutrino of the given flavours feels are left out.

    Raises
    ------
    InputError
        There are more than three.
    """
    given = given or {}
    couplings = model.profiled_by_default or tuple(
        p.name for p in model.parameters if p.kind == "coupling" and p.name != "sin2_theta_w"
    )
    free = tuple(
        name for name in couplings if name not in given and model.parameter(name).felt_by(flavours)
    )
    if len(free) > _FEW:
        raise InputError(
            f"{len(free)} couplings of {model.name} could be free",
            where="--free",
            hint=f"name those to fit, as in --free {free[0]}",
        )
    return free


def best_fit(
    likelihood: Likelihood,
    free: Sequence[str] | None = None,
    given: Mapping[str, float] | None = None,
    *,
    toys: int = 0,
    seed: int = 0,
) -> Fit:
    """Fit some parameters, the others held, all nuisances fitted.

    Parameters
    ----------
    likelihood : Likelihood
    free : sequence of str, optional
        None: see `default_free`; empty: nothing but the nuisances is fitted.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    toys, seed : int
        Pseudo-experiments for a p-value without the chi2 distribution; none by default.

    Raises
    ------
    InputError
        Unknown parameter, one that is free and set, no bin left over, or a chi2 that falls for
        ever along a parameter.
    """
    given = dict(given or {})
    names = (
        default_free(likelihood.model, given, likelihood.flavours) if free is None else tuple(free)
    )
    for name in names:
        likelihood.model.parameter(name, "--free")
        if name in given or names.count(name) > 1:
            raise InputError(
                f"{name} is named twice", where="--free", hint="free it or set it, once"
            )
    measured = likelihood.data.size + len(likelihood.constraints)
    ndf = measured - len(names)
    if ndf < 1:
        raise InputError(
            f"{len(names)} free parameters and {measured} measurements leave nothing to test",
            where="--free",
            hint="free fewer",
        )
    # A coupling first: the minimum over masses is searched below it.
    ordered = sorted(names, key=lambda n: likelihood.model.parameter(n).kind == "shape")
    values: dict[str, float] = {}
    if ordered:
        found = likelihood.limit(ordered[0], given, profiled=ordered[1:], cl=0.6827)
        if not math.isfinite(found.best_fit):
            raise InputError(
                f"chi2 falls for ever along {ordered[0]}",
                where="--free",
                hint=f"hold it, as in --set {ordered[0]}=VALUE",
            )
        best = {ordered[0]: found.best_fit, **found.best_basin.profiled}
        values = {name: best[name] for name in names}
    prediction = likelihood.predict(**given, **values)
    form = likelihood.form(ordered, given)
    counts = form.counts
    point = np.array([[values[name] for name in ordered]])
    mean = form.hypotheses(point).mean(counts.observed)[0]
    expected_events = mean[: counts.seen.size] * counts.sigma
    bins = likelihood.data.size
    return Fit(
        free=values,
        parameters=prediction.parameters,
        chi2_min=prediction.chi2,
        ndf=ndf,
        p_value=chi2_probability(prediction.chi2, ndf),
        alpha_hat=prediction.alpha_hat,
        pulls=prediction.pulls,
        counts=mean[:bins] * likelihood.sigma,
        nominal=prediction.total + prediction.background,
        expected=likelihood.predict(**likelihood.standard_point).total + prediction.background,
        background=prediction.background,
        data=likelihood.data,
        sigma=likelihood.sigma,
        residuals=(counts.seen - mean[: counts.seen.size])[:bins],
        bins=likelihood.bins,
        provenance=likelihood.provenance,
        warnings=likelihood.doubts(prediction.chi2, len(names)),
        few_events=bool((counts.poisson & (expected_events < FEW_EVENTS)).any()),
        toys=_toys(likelihood, ordered, given, mean, prediction.chi2, toys, seed) if toys else None,
    )


def _toys(
    likelihood: Likelihood,
    names: Sequence[str],
    given: Mapping[str, float],
    mean: FloatArray,
    observed: float,
    toys: int,
    seed: int,
) -> ToyProbability:
    # Compiled code: a fit without toys starts faster.
    from fastscan.inference.toys import ToyFits, draw_toys

    fits = ToyFits(likelihood, names[0], given, names[1:]) if names else None
    form = likelihood.form(names, given)
    fixed = None if names else form.hypotheses(np.empty((1, 0)))
    worse = 0
    # Each block has random numbers of its own, so that any number of toys fits in memory.
    for block, start in enumerate(range(0, toys, _TOY_BLOCK)):
        number = min(_TOY_BLOCK, toys - start)
        data = draw_toys(mean, number, seed, (block,), counts=form.counts)
        if fits is not None:
            worse += int((fits.best(data)[1] >= observed).sum())
        elif fixed is not None:
            worse += int((fixed.chi2(data)[:, 0] >= observed).sum())
    p_value = worse / toys
    return ToyProbability(p_value, math.sqrt(p_value * (1.0 - p_value) / toys), toys, seed)
