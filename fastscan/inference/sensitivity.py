"""What an experiment, or a scaled one, is expected to see: limits, their spread, significances.

The expected data of a hypothesis, its counts with all nuisances at zero, are an experiment like
any other (Asimov data: Cowan, Cranmer, Gross and Vitells, arXiv:1007.1727, section 3.2), so that
everything works on them. Bands come from pseudo-experiments around them, counts and auxiliary
measurements fluctuating alike. All points of an axis and all scenarios with the same bins use the
same unit normal numbers: curves are smooth, and differences between them are not noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.projection import project
from fastscan.likelihoods.levels import delta_chi2
from fastscan.likelihoods.likelihood import Likelihood
from fastscan.models import Model
from fastscan.results import BAND_SIGMAS, Expected, Scenario
from fastscan.tensors import load_response

__all__ = [
    "Significance",
    "asimov",
    "expected_limit",
    "expected_limits",
    "new_physics_significance",
    "scaled",
    "signal_significance",
]

FloatArray = NDArray[np.float64]
Progress = Callable[[str, float], None]
Ends = tuple[float, float]

_TOY_BLOCK = 65_536


@dataclass(frozen=True)
class Significance:
    """Of an excess over the hypothesis that there is none.

    Attributes
    ----------
    q0 : float
        Rise of chi2 from the best fit to the hypothesis of no signal.
    sigmas : float
        Its root, with the sign of the signal: standard deviations, for one parameter (Wilks).
    strength : float
        Best signal in units of the expected one.
    """

    q0: float
    sigmas: float
    strength: float


def scaled(
    likelihood: Likelihood,
    scenario: Scenario,
    tables: str | Path | None = None,
    progress: Progress | None = None,
) -> Likelihood:
    """The likelihood of a scaled experiment, without counts; itself where nothing changes.

    Parameters
    ----------
    likelihood : Likelihood
        Of one experiment, or of several, each of which is scaled.
    scenario : Scenario
    tables : path, optional
        Directory of the tensor stores: another threshold needs others.
    progress : callable, optional
        Called while tensors are built, with what is built and the fraction done.

    Raises
    ------
    InputError
        See `fastscan.inputs.projection.project`.
    """

    def change(part: Likelihood) -> Likelihood:
        (experiment,) = part.experiments
        projected = project(
            experiment, scenario.exposure, scenario.background, scenario.threshold_ev
        )
        if projected is experiment:
            return part
        if projected.tensor_inputs() == experiment.tensor_inputs():
            return part.changed(experiment=projected)
        return part.changed(
            experiment=projected,
            response=load_response(projected, tables, progress=progress),
            nuisances=part.nuisances.reloaded(projected, tables, progress=progress),
        )

    return likelihood.each(change)


def asimov(likelihood: Likelihood, point: Mapping[str, float] | None = None) -> Likelihood:
    """The same likelihood with the expectation of a point, nuisances at zero, as its data.

    Parameters
    ----------
    likelihood : Likelihood
    point : mapping, optional
        Parameters; those left out, by default all, at their defaults: the Standard Model.
    """
    point = _standard_model(likelihood.model, "", {}) if point is None else point
    words = ", ".join(f"{name} = {value:.10g}" for name, value in point.items())
    source = f"expected counts of {words or 'the Standard Model'}"
    predicted = likelihood.predict(**point)
    return likelihood.observing(predicted.total + predicted.background, source)


def expected_limit(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    toys: int = 1000,
    seed: int = 0,
    observed: bool = True,
) -> Expected:
    """Limit on a parameter that is expected if the Standard Model is true.

    Parameters
    ----------
    likelihood : Likelihood
        Its counts serve for the observed limit alone.
    poi, given, profiled, cl
        As for `Likelihood.limit`. The expected data are the Standard Model's: of what is set, only
        sin2_theta_w changes them.
    toys : int
        Pseudo-experiments for the bands; none: no bands.
    seed : int
    observed : bool
        Whether the likelihood's own counts were seen, so that they set a limit.

    Raises
    ------
    InputError
        See `Likelihood.limit`; negative numbers of toys or seeds.
    """
    given = dict(given or {})
    if toys < 0 or seed < 0:
        raise InputError(
            f"{toys} toys with seed {seed}", where="--toys, --seed", hint="give numbers from 0 up"
        )
    expected = asimov(likelihood, _standard_model(likelihood.model, poi, given))
    limit = expected.limit(poi, given, profiled=profiled, cl=cl)
    bands = np.full((len(BAND_SIGMAS), 2), np.nan)
    if toys:
        # Compiled code: the expected limit alone is there faster.
        from fastscan.inference.toys import ToyFits

        fits = ToyFits(expected, poi, given, profiled)
        # Each block has random numbers of its own, so that any number of toys fits in memory.
        ends = [
            fits.limits(
                fits.draw(fits.counts.observed, min(_TOY_BLOCK, toys - start), seed, (block,)),
                delta_chi2(cl),
            )
            for block, start in enumerate(range(0, toys, _TOY_BLOCK))
        ]
        bands = _quantiles(np.concatenate(ends))
    seen = likelihood.limit(poi, given, profiled=profiled, cl=cl) if observed else None
    return Expected(
        poi=poi,
        unit=limit.unit,
        given=given,
        cl=cl,
        asimov=_outermost(limit.intervals),
        bands=bands,
        observed=None if seen is None else _outermost(seen.intervals),
        toys=toys,
        seed=seed,
        profiled=limit.profiled,
        parameters=dict(limit.parameters),
        provenance=likelihood.provenance,
    )


def expected_limits(
    likelihood: Likelihood,
    poi: str,
    axis: str | None,
    values: Sequence[float] | FloatArray,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    toys: int = 1000,
    seed: int = 0,
    observed: bool = True,
    progress: Callable[[float, float], None] | None = None,
) -> list[Expected]:
    """`expected_limit` at each of some values of another parameter, as a mass.

    Parameters
    ----------
    axis : str or None
        Parameter that is set to each of the values; None: one limit, of what is set.
    progress : callable, optional
        Called with the number of values done and of all.
    """
    given = dict(given or {})
    if axis is not None and (axis == poi or axis in given):
        raise InputError(
            f"{axis} is the axis, and is set or is the parameter of interest as well",
            where="--axis",
            hint="leave one out",
        )
    found = []
    steps = [{}] if axis is None else [{axis: float(value)} for value in values]
    for i, step in enumerate(steps):
        if progress is not None:
            progress(i, len(steps))
        found.append(
            expected_limit(
                likelihood,
                poi,
                {**given, **step},
                profiled=profiled,
                cl=cl,
                toys=toys,
                seed=seed,
                observed=observed,
            )
        )
    return found


def signal_significance(
    likelihood: Likelihood, given: Mapping[str, float] | None = None
) -> Significance:
    """How far the data are from no signal at all in the chosen channels, its strength fitted.

    q0 = chi2(0) - min over mu >= 0 of chi2(mu), mu a factor on the flux, nuisances fitted in both
    (arXiv:1007.1727, eq. 12). A normalisation of everything can not be told from mu: q0 is that of
    counting statistics and of the other nuisances.

    Parameters
    ----------
    likelihood : Likelihood
        Of counts that were seen, or of expected ones, see `asimov`.
    given : mapping, optional
        Parameters of the signal; the rest at their defaults. None: the Standard Model.
    """
    from scipy.optimize import minimize_scalar

    if given is None:
        given = _standard_model(likelihood.model, "", {})
    point = likelihood.parameters(given)
    form = likelihood.form((), point)
    data = form.counts.seen
    nothing = np.empty((1, 0))
    with_signal = form.counts.layers(nothing)[0]
    without = likelihood.each(_without_flux).counts((), point).layers(nothing)[0]

    def chi2(strength: float) -> float:
        return form.fit(without + strength * (with_signal - without)).chi2

    signal = with_signal[0] - without[0]
    size = float(signal @ signal)
    if not size > 0.0:
        raise InputError(
            "no counts are expected", where=likelihood.channels, hint="choose other channels"
        )
    reach = 10.0 * (1.0 + abs(float(signal @ data)) / size)
    found = minimize_scalar(chi2, bounds=(0.0, reach), method="bounded", options={"xatol": 1e-10})
    best, lowest, none = float(found.x), float(found.fun), chi2(0.0)
    if none <= lowest:
        best, lowest = 0.0, none
    return Significance(none - lowest, math.sqrt(max(none - lowest, 0.0)), best)


def new_physics_significance(likelihood: Likelihood, point: Mapping[str, float]) -> Significance:
    """How far from the Standard Model data are expected to be if a point is true.

    q0 = chi2(SM) - chi2(point) on the expected data of the point, for which the second is zero; for
    one coupling, a mass being known, its root is the median significance.

    Parameters
    ----------
    likelihood : Likelihood
        Its counts play no part.
    point : mapping
        Parameters; the Standard Model is the one with its sin2_theta_w, if any.
    """
    full = likelihood.parameters(point)
    expected = asimov(likelihood, full)
    q0 = expected.predict(**_standard_model(likelihood.model, "", point)).chi2
    return Significance(q0, math.sqrt(q0), 1.0)


def _standard_model(model: Model, poi: str, given: Mapping[str, float]) -> dict[str, float]:
    """What is set of the Standard Model itself; new physics is left out."""
    point = {p.name: p.standard for p in model.parameters if p.default is None}
    if poi != "sin2_theta_w" and "sin2_theta_w" in given:
        point["sin2_theta_w"] = given["sin2_theta_w"]
    return point


def _without_flux(part: Likelihood) -> Likelihood:
    """The same with no antineutrinos: what is left is what nuisances add without a signal."""
    return part.changed(flux_weights=np.zeros(part.response.bin_flux_per_cm2_s.size))


def _outermost(intervals: Sequence[Ends]) -> Ends:
    return intervals[0][0], intervals[-1][1]


def _quantiles(ends: FloatArray) -> FloatArray:
    """Of each end at `BAND_SIGMAS`: values that occur, for an end may be infinite."""
    ordered = np.sort(ends, axis=0)
    count = len(ordered)
    places = [math.ceil(NormalDist().cdf(sigma) * count) - 1 for sigma in BAND_SIGMAS]
    quantiles: FloatArray = ordered[np.clip(places, 0, count - 1)]
    return quantiles
