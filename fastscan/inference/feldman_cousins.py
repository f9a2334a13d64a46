"""Confidence intervals with the coverage they state: the unified construction.

At each value theta of a parameter the statistic that orders outcomes is

    q(theta) = chi2(theta) - min over the physical range of chi2

(Feldman and Cousins, arXiv:physics/9711021, eq. 4.4, where it is the ratio of likelihoods), and
theta is accepted where q of the data is at most the critical value, below which lies a probability
``cl`` of outcomes of repeated experiments at theta. Parameters and nuisances without interest are
profiled, and experiments repeated at the values that fit the data at theta (the profile
construction: Chuang and Lai, Statistica Sinica 10 (2000) 33; K. Cranmer, arXiv:physics/0511028;
NOvA, arXiv:2207.14353). Coverage is exact without nuisances, and where they do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods.curve import pieces_below
from fastscan.likelihoods.levels import delta_chi2

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = [
    "DEFAULT_TOYS",
    "Critical",
    "FeldmanCousinsLimit",
    "accepted_intervals",
    "check_toys",
    "critical_value",
    "feldman_cousins",
]

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

DEFAULT_TOYS = 20_000
# Where critical values are looked at first: at these parts of the rise of Wilks' theorem.
_LEVELS = (0.2, 0.45, 0.7, 0.95, 1.25, 1.7, 2.4)
# The share of the toys that is spent on a first look at a point.
COARSE = 5
_REFINEMENTS = 3


@dataclass(frozen=True)
class Critical:
    """A critical value of a statistic.

    Attributes
    ----------
    value, error : float
        Monte Carlo error of one standard deviation; zero from exact probabilities.
    toys : int
    """

    value: float
    error: float
    toys: int


def critical_value(
    statistic: ArrayLike, cl: float, probability: ArrayLike | None = None
) -> Critical:
    """Least value at or below which lies a probability of at least ``cl``.

    Parameters
    ----------
    statistic : (outcomes,)
        Of toys, or of all possible outcomes.
    cl : float
    probability : (outcomes,), optional
        Of each outcome; equal ones by default, as toys have.

    Returns
    -------
    Critical
        Of toys, the error is half the distance of the order statistics one binomial standard
        deviation, sqrt(N cl (1 - cl)), above and below.

    Raises
    ------
    InputError
        A level not between 0 and 1, or too few toys for it.
    """
    delta_chi2(cl)  # refuses a level that is none
    q = np.sort(np.asarray(statistic, dtype=float))
    if probability is not None:
        order = np.argsort(np.asarray(statistic, dtype=float), kind="stable")
        below = np.cumsum(np.asarray(probability, dtype=float)[order])
        # Sums of probabilities end at one but for rounding.
        at = int(np.searchsorted(below, cl - 1e-12))
        return Critical(float(q[min(at, q.size - 1)]), 0.0, 0)
    rank = math.ceil(cl * q.size - 1e-9)
    spread = math.sqrt(q.size * cl * (1.0 - cl))
    high = math.ceil(rank + spread)
    low = math.floor(rank - spread)
    if low < 1 or high > q.size:
        raise _too_few(q.size, cl, _least_toys(cl))
    error = 0.5 * float(q[high - 1] - q[low - 1])
    return Critical(float(q[rank - 1]), error, q.size)


def check_toys(toys: int, cl: float, seed: int) -> None:
    """Refuse numbers of toys of which a part could not give a critical value.

    Raises
    ------
    InputError
        Too few toys for the level, or a negative seed.
    """
    delta_chi2(cl)  # refuses a level that is none
    if seed < 0:
        raise InputError(f"seed {seed} is negative", where="--seed", hint="give one from 0 up")
    least = COARSE * _least_toys(cl)
    if toys < least:
        raise _too_few(toys, cl, least)


def _least_toys(cl: float) -> int:
    return math.ceil(4.0 / min(cl, 1.0 - cl)) + 10


def _too_few(toys: int, cl: float, least: int) -> InputError:
    return InputError(
        f"{toys} toys are too few for a confidence level of {100 * cl:g} %",
        where="--toys",
        hint=f"give at least {least}",
    )


def accepted_intervals(
    excess: Callable[[float], float], points: Sequence[float]
) -> list[tuple[float, float]]:
    """Intervals in which the statistic's excess over its critical value is not positive.

    Parameters
    ----------
    excess : callable
        Continuous; crosses zero at most once between neighbours of ``points``.
    points : sequence of float
        In rising order.
    """
    return pieces_below(excess, points, 0.0)


@dataclass(frozen=True)
class FeldmanCousinsLimit:
    """Intervals of one parameter by the unified construction.

    Attributes
    ----------
    poi, unit : str
    cl : float
    best_fit, chi2_min : float
    intervals : list of (low, high)
        Disjoint, in rising order; a bound is infinite where the data set none.
    interval_errors : list of (low, high)
        Monte Carlo error of each end; zero where an end is a bound of the parameter.
    points, statistic, critical_values, critical_errors, point_toys : (points,)
        Where critical values were found, q of the data there, and the toys each took.
    toys : int
        All of them.
    seed : int
    profiled : tuple of str
    parameters : dict
        Parameters that were held.
    """

    poi: str
    unit: str
    cl: float
    best_fit: float
    chi2_min: float
    intervals: list[tuple[float, float]]
    interval_errors: list[tuple[float, float]]
    points: FloatArray
    statistic: FloatArray
    critical_values: FloatArray
    critical_errors: FloatArray
    point_toys: NDArray[np.int64]
    toys: int
    seed: int
    profiled: tuple[str, ...]
    parameters: dict[str, float]


class _Belt:
    """Critical values at points of a parameter, each from toys of its own."""

    def __init__(self, fits: ToyFits, cl: float, seed: int) -> None:
        self.fits = fits
        self.cl = cl
        self.seed = seed
        self.found: dict[float, Critical] = {}
        self.observed: dict[float, float] = {}
        self._numbers: dict[float, int] = {}

    def number(self, value: float) -> int:
        """Points are numbered in the order in which they are asked for."""
        return self._numbers.setdefault(value, len(self._numbers))

    def rise(self, value: float) -> float:
        """Statistic of the data."""
        if value not in self.observed:
            self.observed[value] = float(self.fits.rises(self.fits.counts.observed, value)[0])
        return self.observed[value]

    def critical(self, value: float, number: int, toys: int) -> Critical:
        """Critical value at a point, from the toys of its number."""
        drawn = draw_toys(self.fits.mean(value), toys, self.seed, (number,))
        return critical_value(self.fits.rises(drawn, value), self.cl)

    def interpolated(self, value: float) -> float:
        """Critical value between points, linear; flat beyond the outermost."""
        points = sorted(self.found)
        return float(np.interp(value, points, [self.found[p].value for p in points]))

    def excess(self, value: float) -> float:
        """Statistic of the data above the critical value."""
        return self.rise(value) - self.interpolated(value)


def feldman_cousins(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    toys: int = DEFAULT_TOYS,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> FeldmanCousinsLimit:
    """All intervals of one parameter by the unified construction, critical values from toys.

    A fifth of the toys at each of some points along the parameter, all of them at each of a few
    points that close in on every end of an interval.

    Parameters
    ----------
    likelihood, poi, given, profiled, cl
        As for `Likelihood.limit`.
    toys : int
        At each point near an end.
    seed : int
        The result depends on it, and not on the number of workers.
    workers : int, optional
        Threads; one by default.
    progress : callable, optional
        Called with the number of points done and of all that are known of.

    Raises
    ------
    InputError
        See `Likelihood.limit` and `ToyFits`; too few toys for the level.
    """
    check_toys(toys, cl, seed)
    fits = ToyFits(likelihood, poi, given, profiled)
    profile = likelihood.profile(poi, given, profiled)
    wilks = delta_chi2(cl)
    points = _first_points(fits, profile.pieces, wilks)
    belt = _Belt(fits, cl, seed)
    done, expected = 0, len(points)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, max(done, expected))

    numbered = [(value, belt.number(value)) for value in points]
    with ThreadPoolExecutor(workers or 1) as pool:

        def coarse(pair: tuple[float, int]) -> Critical:
            critical = belt.critical(*pair, max(1, toys // COARSE))
            tick()
            return critical

        for (value, _), critical in zip(numbered, pool.map(coarse, numbered), strict=True):
            belt.found[value] = critical
    ends = _refine(belt, points, toys, tick)
    inside = sorted({*belt.found})
    pieces = accepted_intervals(belt.excess, inside)
    unbounded = profile.pieces(max(c.value for c in belt.found.values())).intervals
    intervals, errors = _finish(fits, pieces, ends, inside, unbounded)
    best = fits.best(fits.counts.observed)
    value, chi2 = float(best[0][0]), float(best[1][0])
    everywhere = [belt.found[p] for p in inside]
    return FeldmanCousinsLimit(
        poi=poi,
        unit=likelihood.model.parameter(poi).unit,
        cl=cl,
        best_fit=value,
        chi2_min=chi2,
        intervals=intervals,
        interval_errors=errors,
        points=np.array(inside),
        statistic=np.array([belt.rise(p) for p in inside]),
        critical_values=np.array([c.value for c in everywhere]),
        critical_errors=np.array([c.error for c in everywhere]),
        point_toys=np.array([c.toys for c in everywhere]),
        toys=sum(c.toys for c in everywhere),
        seed=seed,
        profiled=fits.profiled,
        parameters=dict(fits.counts.fixed),
    )


def _first_points(fits: ToyFits, pieces: Callable[[float], object], wilks: float) -> list[float]:
    """Ends of the pieces below several levels, and their basins: dense where q is near critical."""
    values: set[float] = set()
    for level in _LEVELS:
        found = pieces(level * wilks)
        values.update(basin.value for basin in found.basins)  # type: ignore[attr-defined]
        for ends in found.intervals:  # type: ignore[attr-defined]
            values.update(ends)
    finite = {abs(v) if fits.mirrored else v for v in values if math.isfinite(v)}
    if fits.mirrored:
        finite.add(0.0)
    far = max((abs(v) for v in finite if v != 0.0), default=1.0)
    for v in values:
        if not math.isfinite(v):
            # Stands for infinity, where chi2 has its asymptote.
            finite.add(1e4 * far if v > 0.0 or fits.mirrored else -1e4 * far)
    ordered = sorted(finite)
    kept = ordered[:1]
    for v in ordered[1:]:
        if v - kept[-1] > 1e-3 * max(abs(v), abs(kept[-1])):
            kept.append(v)
    return kept


def _refine(
    belt: _Belt, points: Sequence[float], toys: int, tick: Callable[[], None]
) -> list[tuple[float, float]]:
    """Spend toys where the data's statistic crosses its critical value; ends and their errors."""
    ends = []
    for low, high in pairwise(points):
        left, right = low, high
        if (belt.excess(left) <= 0.0) == (belt.excess(right) <= 0.0):
            continue
        end = left
        for _ in range(_REFINEMENTS):
            crossing = accepted_intervals(belt.excess, [left, right])
            end = crossing[0][0] if crossing[0][0] > left else crossing[0][1]
            if not left < end < right:
                break
            belt.found[end] = belt.critical(end, belt.number(end), toys)
            tick()
            if (belt.excess(end) <= 0.0) == (belt.excess(left) <= 0.0):
                left = end
            else:
                right = end
        step = 1e-3 * (high - low)
        slope = (belt.rise(min(end + step, high)) - belt.rise(max(end - step, low))) / (
            min(end + step, high) - max(end - step, low)
        )
        known = np.array(sorted(belt.found))
        nearest = float(known[np.abs(known - end).argmin()])
        error = belt.found[nearest].error / abs(slope) if slope != 0.0 else math.inf
        ends.append((end, error))
    return ends


def _nearest_error(ends: Sequence[tuple[float, float]], value: float) -> float:
    """Error of the end that was closed in on nearest to a crossing."""
    return min(ends, key=lambda pair: abs(pair[0] - value))[1] if ends else math.inf


def _finish(
    fits: ToyFits,
    pieces: Sequence[tuple[float, float]],
    ends: Sequence[tuple[float, float]],
    points: Sequence[float],
    unbounded: Sequence[tuple[float, float]],
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Intervals with their errors: bounds of the range and infinite ends put in, mirrored."""
    parameter = fits.counts.parameters[0]
    last = max((high for _, high in unbounded), default=0.0)
    first = min((low for low, _ in unbounded), default=0.0)
    intervals, errors = [], []
    for low, high in pieces:
        # An end that is no crossing is a bound of the range.
        sides = [
            0.0 if value in (points[0], points[-1]) else _nearest_error(ends, value)
            for value in (low, high)
        ]
        if high == points[-1] and math.isinf(last):
            high = math.inf
        if low == points[0] and math.isinf(first) and not fits.mirrored:
            low = -math.inf
        intervals.append((float(low), float(min(high, parameter.maximum))))
        errors.append((float(sides[0]), float(sides[1])))
    if not fits.mirrored:
        return intervals, errors
    left = [(-high, -low) for low, high in reversed(intervals)]
    left_errors = [(b, a) for a, b in reversed(errors)]
    if intervals and intervals[0][0] == 0.0:
        middle = (-intervals[0][1], intervals[0][1])
        middle_error = (errors[0][1], errors[0][1])
        return [*left[:-1], middle, *intervals[1:]], [
            *left_errors[:-1], middle_error, *errors[1:]
        ]  # fmt: skip
    return [*left, *intervals], [*left_errors, *errors]
