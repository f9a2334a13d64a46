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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.inference.belt import Belt, accepted_intervals
from fastscan.inference.critical_values import COARSE, Critical, check_toys
from fastscan.inference.toys import ToyFits
from fastscan.likelihoods.levels import delta_chi2
from fastscan.results import FeldmanCousinsLimit

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["DEFAULT_TOYS", "feldman_cousins"]

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

DEFAULT_TOYS = 20_000
# Where critical values are looked at first: at these parts of the rise of Wilks' theorem.
_LEVELS = (0.2, 0.45, 0.7, 0.95, 1.25, 1.7, 2.4)


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
    belt = Belt(fits, cl, seed)
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
    belt.refine(points, toys, tick)
    inside = sorted({*belt.found})
    pieces = accepted_intervals(belt.excess, inside)
    unbounded = profile.pieces(max(c.value for c in belt.found.values())).intervals
    intervals, errors = _finish(belt, pieces, points, unbounded)
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
        provenance=likelihood.provenance,
        doubts=likelihood.doubts(chi2, 1 + len(fits.profiled)),
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


def _finish(
    belt: Belt,
    pieces: Sequence[tuple[float, float]],
    points: Sequence[float],
    unbounded: Sequence[tuple[float, float]],
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Intervals with their errors: bounds of the range and infinite ends put in, mirrored."""
    fits = belt.fits
    parameter = fits.counts.parameters[0]
    last = max((high for _, high in unbounded), default=0.0)
    first = min((low for low, _ in unbounded), default=0.0)
    intervals, errors = [], []
    for low, high in pieces:
        # An end that is no crossing is a bound of the range.
        sides = [
            0.0 if value in (points[0], points[-1]) else belt.end_error(points, value)
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
