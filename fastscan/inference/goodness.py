"""Goodness of fit: the best fit of a model, its chi2, and how far every bin and nuisance is off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.hypotheses import hypotheses

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood
    from fastscan.models import Model

__all__ = ["Fit", "ToyProbability", "best_fit", "default_free", "doubtful_fits"]

FloatArray = NDArray[np.float64]

# More couplings than this are not free unless named: many together have no one best fit.
_FEW = 3
_TOY_BLOCK = 4096
# Fits less probable than this, on either side, are worth a word.
_DOUBTFUL = 1e-4


@dataclass(frozen=True)
class ToyProbability:
    """How often repeated experiments fit worse, the best fit being true.

    Attributes
    ----------
    p_value, error : float
        Share of the toys with a chi2 of at least the observed one, and its standard deviation.
    toys, seed : int
    """

    p_value: float
    error: float
    toys: int
    seed: int


@dataclass(frozen=True)
class Fit:
    """A model at its best fit.

    Attributes
    ----------
    free : dict
        Fitted parameters and their values.
    parameters : dict
        All parameters there.
    chi2_min : float
        With the penalties of the nuisances.
    ndf : int
        Bins less free parameters; each nuisance adds a datum, its auxiliary measurement, and a
        parameter.
    p_value : float
        Probability of a chi2 at least as large for ``ndf`` degrees of freedom. Approximate where a
        parameter is at a bound or the data do not feel it: a free parameter that can not lower chi2
        is counted all the same, and the p-value comes out too small.
    alpha_hat : float
        Relative change of the total counts by the nuisances: the shift of the normalisation, where
        that is the only one.
    pulls : dict
        Of each nuisance, in standard deviations.
    counts, nominal, expected : (bins,)
        At the best fit with its nuisances, with the nuisances at zero, and of the Standard Model.
    data, sigma, residuals : (bins,)
        Counts seen, their errors, and (data - counts) / sigma.
    toys : ToyProbability or None
    """

    free: dict[str, float]
    parameters: dict[str, float]
    chi2_min: float
    ndf: int
    p_value: float
    alpha_hat: float
    pulls: dict[str, float]
    counts: FloatArray
    nominal: FloatArray
    expected: FloatArray
    data: FloatArray
    sigma: FloatArray
    residuals: FloatArray
    toys: ToyProbability | None = None


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
    counts = likelihood.counts(ordered, given)
    point = [[values[name] for name in ordered]]
    mean = hypotheses(counts, point).mean(counts.observed)[0]
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
        nominal=prediction.total,
        expected=likelihood.predict(**_standard(likelihood)).total,
        data=likelihood.data,
        sigma=likelihood.sigma,
        residuals=(counts.seen - mean[: counts.seen.size])[:bins],
        toys=_toys(likelihood, ordered, given, mean, prediction.chi2, toys, seed) if toys else None,
    )


def doubtful_fits(
    likelihood: Likelihood, chi2_min: float | None = None, free: int = 0
) -> list[str]:
    """Words on fits that are too bad or too good to be true: then limits mean little.

    The best fit, and the Standard Model: each where its chi2 is beyond a probability of 1e-4 on
    either side.

    Parameters
    ----------
    likelihood : Likelihood
    chi2_min : float, optional
        At the best fit; left out where only the Standard Model is compared with the data.
    free : int
        Parameters that were fitted for it.
    """
    bins = likelihood.data.size + len(likelihood.constraints)
    form = likelihood.form((), _standard(likelihood))
    standard = form.fit_at(np.empty(0)).chi2
    fits = {} if chi2_min is None else {"best fit": (chi2_min, bins - free)}
    fits["Standard Model"] = (standard, bins)
    words = []
    for name, (chi2, ndf) in fits.items():
        if ndf < 1:
            continue
        worse = chi2_probability(chi2, ndf)
        if worse < _DOUBTFUL:
            why = f"p = {worse:.2g}: too bad to be true, check flux, exposure and errors"
        elif 1.0 - worse < _DOUBTFUL:
            why = f"1 - p = {1.0 - worse:.2g}: too good to be true, check the errors"
        else:
            continue
        words.append(f"the {name} has chi2 = {chi2:.5g} for {ndf} degrees of freedom, {why}")
    return words


def chi2_probability(chi2: float, ndf: int) -> float:
    """Probability of at least this chi2.

    The upper incomplete gamma function of whole and half numbers is a finite sum (Abramowitz and
    Stegun, 26.4.4 and 26.4.5); SciPy's takes longer to import than a limit takes.

    Examples
    --------
    >>> round(chi2_probability(7.39, 19), 6), round(chi2_probability(2.705543454095414, 1), 12)
    (0.991826, 0.1)
    """
    half = 0.5 * chi2
    if half == 0.0 or math.isinf(half):
        return 1.0 if half == 0.0 else 0.0
    if ndf % 2:
        first, power = math.erfc(math.sqrt(half)), 0.5
    else:
        first, power = math.exp(-half), 1.0
    # Of their logarithms: neither the powers nor the factorials overflow.
    terms = [
        math.exp((power + k) * math.log(half) - half - math.lgamma(power + k + 1.0))
        for k in range((ndf - 1) // 2)
    ]
    return math.fsum([first, *terms])


def _standard(likelihood: Likelihood) -> dict[str, float]:
    """All parameters as they are in the Standard Model."""
    return {p.name: p.standard for p in likelihood.model.parameters}


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
    fixed = None if names else hypotheses(likelihood.counts((), given), np.empty((1, 0)))
    worse = 0
    # Each block has random numbers of its own, so that any number of toys fits in memory.
    for block, start in enumerate(range(0, toys, _TOY_BLOCK)):
        data = draw_toys(mean, min(_TOY_BLOCK, toys - start), seed, (block,))
        if fits is not None:
            worse += int((fits.best(data)[1] >= observed).sum())
        elif fixed is not None:
            worse += int((fixed.chi2(data)[:, 0] >= observed).sum())
    p_value = worse / toys
    return ToyProbability(p_value, math.sqrt(p_value * (1.0 - p_value) / toys), toys, seed)
