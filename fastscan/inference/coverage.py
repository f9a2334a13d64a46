"""How often intervals hold the truth: toys made at a point, and each method asked about the point.

No interval is inverted: a method's interval of a toy holds the true value theta where

    wilks              q(theta) <= the rise of chi2 at the level
    feldman-cousins    q(theta) <= the critical value, for the nuisances that fit the toy at theta
    cls                CLs(theta) > 1 - cl, by the formulas of large samples
    bayes              the points of higher likelihood than theta's hold a probability <= cl

with q(theta) the chi2 of the toy at theta above its minimum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError, unknown_name
from fastscan.inference.critical_values import critical_value
from fastscan.inference.posterior import credible_intervals
from fastscan.inference.toys import BLOCK, ToyFits, draw_toys
from fastscan.likelihoods.hypotheses import hypotheses, scores_at_points
from fastscan.likelihoods.levels import delta_chi2
from fastscan.models import Model
from fastscan.results import Coverage, Share

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["DEFAULT_TOYS", "METHODS", "coverage", "standard_points"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

METHODS = ("wilks", "wilks-2dof", "feldman-cousins", "cls", "bayes-flat-g", "bayes-flat-g2")
DEFAULT_TOYS = 10_000
# Mediator mass at which a coupling is looked at, in MeV.
_MASS_MEV = 10.0
# Pulls, in standard deviations from the true ones, at which critical values are found.
_SHIFTS = (-3.0, -1.5, 0.0, 1.5, 3.0)
_NODES = 1201
_WIDER = 1.0


def coverage(
    likelihood: Likelihood,
    poi: str,
    value: float,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    methods: Sequence[str] = METHODS,
    toys: int = DEFAULT_TOYS,
    seed: int = 0,
) -> Coverage:
    """Coverage at one value of a parameter, all else as it fits the data that were seen there.

    Parameters
    ----------
    likelihood, poi, given, profiled, cl
        As for `Likelihood.limit`.
    value : float
        The truth of the toys.
    methods : sequence of str
        Some of `METHODS`. CLs needs a parameter that counts from zero; posteriors hold all other
        parameters, and are left out where one is profiled.
    toys : int
        Half as many again are made for each critical value of Feldman and Cousins.
    seed : int

    Raises
    ------
    InputError
        An unknown method, a value out of range, or see `ToyFits`.
    """
    for method in methods:
        if method not in METHODS:
            raise unknown_name("method", method, METHODS)
    if toys < 1:
        raise InputError(f"{toys} toys", where="--toys", hint="give at least 1")
    parameter = likelihood.model.parameter(poi)
    parameter.check(value)
    fits = ToyFits(likelihood, poi, given, profiled)
    data = draw_toys(fits.mean(value), toys, seed, (0,))
    rises = fits.rises(data, value)
    shares: dict[str, Share] = {}
    for method in methods:
        held: BoolArray | None = None
        if method == "wilks":
            held = rises <= delta_chi2(cl)
        elif method == "wilks-2dof":
            held = rises <= delta_chi2(cl, 2)
        elif method == "feldman-cousins":
            held = rises <= _critical_values(fits, data, value, cl, max(1, toys // 2), seed)
        elif method == "cls":
            if parameter.kind == "coupling" and parameter.minimum == parameter.default == 0.0:
                held = _inside_cls(fits, data, rises, value, cl)
        elif not fits.profiled and parameter.kind == "coupling":
            prior = method.removeprefix("bayes-")
            held = _inside_posterior(likelihood, fits, data, value, given, prior, cl)
        if held is not None:
            share = float(held.mean())
            shares[method] = Share(share, math.sqrt(max(share * (1.0 - share), 0.0) / toys))
    return Coverage(
        poi=poi,
        unit=parameter.unit,
        value=value,
        cl=cl,
        shares=shares,
        toys=toys,
        seed=seed,
        profiled=fits.profiled,
        parameters=dict(fits.counts.fixed),
        provenance=likelihood.provenance,
    )


def standard_points(model: Model) -> Iterator[tuple[str, dict[str, float]]]:
    """Parameters whose limits a model is looked at for, with what is set.

    Its first coupling, the diagonal and one off-diagonal element of the charges, at a mediator
    mass of 10 MeV, or the value nearest to that which a shape parameter may have.
    """
    couplings = [p.name for p in model.parameters if p.kind == "coupling"]
    shapes = [p for p in model.parameters if p.kind == "shape"]
    given = {p.name: min(max(_MASS_MEV, p.minimum), p.maximum) for p in shapes}
    yield couplings[0], given
    if model.profiled_by_default:
        yield model.profiled_by_default[1], given


def _critical_values(
    fits: ToyFits, data: FloatArray, value: float, cl: float, toys: int, seed: int
) -> FloatArray:
    """Critical value for each toy: the construction fits the nuisances to it.

    The expectation at a value moves along the directions of the pulls, and fits of each scatter by
    one. A critical value is taken as a sum of functions of each; those after the first are
    differences of the same toys at shifted and at unshifted pulls.
    """
    mean, directions = fits.mean(value), fits.nuisances(value)

    def critical(i: int, shift: FloatArray) -> float:
        drawn = draw_toys(mean + shift, toys, seed, (1, i))
        return critical_value(fits.rises(drawn, value), cl).value

    total = np.zeros(len(data))
    unshifted: list[float] = []
    for k, direction in enumerate(directions):
        along = (data - mean) @ direction
        found = [critical(i, s * direction) for i, s in enumerate(_SHIFTS)]
        if k > 0:
            unshifted = unshifted or [critical(i, 0.0 * mean) for i in range(len(_SHIFTS))]
            found = [own - other for own, other in zip(found, unshifted, strict=True)]
        total += np.interp(along, _SHIFTS, found)
    return total


def _inside_cls(
    fits: ToyFits, data: FloatArray, rises: FloatArray, value: float, cl: float
) -> BoolArray:
    """Whether CLs of each toy is above 1 - cl (arXiv:1007.1727, eqs. 65 and 66)."""
    from scipy.special import ndtr

    if value == 0.0:
        # Both hypotheses are one.
        return np.ones(len(data), dtype=bool)
    statistic = np.where(fits.best(data)[0] <= value, rises, 0.0)
    # Data without noise: the expectation of no signal, with the nuisances that fit each toy.
    nothing, directions = fits.mean(0.0), fits.nuisances(0.0)
    expected = nothing + ((data - nothing) @ directions.T) @ directions
    asimov = fits.rises(expected, value)
    root, spread = np.sqrt(statistic), np.sqrt(asimov)
    beyond = statistic > asimov
    with np.errstate(divide="ignore", invalid="ignore"):
        signal = np.where(beyond, (statistic + asimov) / (2.0 * spread), root)
        background = np.where(beyond, (statistic - asimov) / (2.0 * spread), root - spread)
    inside: BoolArray = ndtr(-signal) > (1.0 - cl) * ndtr(-background)
    return inside


def _inside_posterior(
    likelihood: Likelihood,
    fits: ToyFits,
    data: FloatArray,
    value: float,
    given: Mapping[str, float] | None,
    prior: str,
    cl: float,
) -> BoolArray:
    """Whether the densest region of each toy's posterior holds the value.

    The likelihood with the pulls integrated out is exp(-chi2 / 2) times the determinant of their
    components of the basis Q; density is per unit of the function in which the prior is flat.
    """
    box = credible_intervals(likelihood, fits.poi[0], given, prior=prior, cl=cl).box
    # Toys fluctuate: wider than what the data that were seen would ask for.
    margin = _WIDER * (box[1] - box[0])
    parameter = fits.counts.parameters[0]
    scale = 0.5 * abs(value) if value != 0.0 else 1e-2 * (box[1] - box[0])
    low = math.asinh(max(box[0] - margin, parameter.minimum) / scale)
    high = math.asinh(min(box[1] + margin, parameter.maximum) / scale)
    steps = np.linspace(low, high, _NODES)
    points = np.append(scale * np.sinh(steps), value)
    weight = np.cosh(steps) * (2.0 * np.abs(points[:-1]) if prior == "flat-g2" else 1.0)
    weight[[0, -1]] *= 0.5
    predicted = hypotheses(fits.counts, points[:, None])
    pulls = predicted.basis.shape[1]
    volume = np.linalg.slogdet(predicted.basis[:, :, -pulls:])[1]
    inside = np.empty(len(data), dtype=bool)
    for start in range(0, len(data), BLOCK):
        part = np.ascontiguousarray(data[start : start + BLOCK])
        log = 0.5 * scores_at_points(part, predicted) + volume
        density = np.exp(log[:, :-1] - log[:, :-1].max(axis=1, keepdims=True)) * weight
        higher = log[:, :-1] > log[:, -1:]
        mass = np.where(higher, density, 0.0).sum(axis=1) / density.sum(axis=1)
        inside[start : start + BLOCK] = mass <= cl
    return inside
