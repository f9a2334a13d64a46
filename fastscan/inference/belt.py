"""The confidence belt of one parameter: critical values at its points, and where data leave it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from fastscan.inference.critical_values import Critical, critical_value
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods.curve import pieces_below

__all__ = ["Belt", "accepted_intervals"]

FloatArray = NDArray[np.float64]

# A point is uncertain where the statistic is so many errors from its critical value.
_UNCERTAIN = 3.0
# Times that a crossing is closed in on.
_REFINEMENTS = 3
# Times that the search for an end is repeated for its error, and places it looks at for a crossing.
_BOOTSTRAPS = 200
_PLACES = 101


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


class Belt:
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

    def refine(self, points: Sequence[float], toys: int, tick: Callable[[], None]) -> None:
        """Spend toys where the data's statistic crosses its critical value.

        First at points that few toys put on either side of it: the search would end beside one
        that is on the wrong side.
        """
        for point in points:
            found = self.found[point]
            if found.toys < toys and abs(self.excess(point)) < _UNCERTAIN * found.error:
                self.found[point] = self.critical(point, self.number(point), toys)
                tick()
        for low, high in pairwise(points):
            left, right = low, high
            if (self.excess(left) <= 0.0) == (self.excess(right) <= 0.0):
                continue
            for _ in range(_REFINEMENTS):
                crossing = accepted_intervals(self.excess, [left, right])
                end = crossing[0][0] if crossing[0][0] > left else crossing[0][1]
                if not left < end < right:
                    break
                self.found[end] = self.critical(end, self.number(end), toys)
                tick()
                if (self.excess(end) <= 0.0) == (self.excess(left) <= 0.0):
                    left = end
                else:
                    right = end

    def end_error(self, points: Sequence[float], end: float) -> float:
        """Monte Carlo error of an end that was found among the first points.

        A bootstrap of the search itself: where it would have ended, had the toys come out
        otherwise; also between two other points, if those at its sides had. The critical values
        behind it are those of a straight line through the ones that were found.
        """
        i = int(np.clip(np.searchsorted(points, end), 1, len(points) - 1))
        # The neighbours between which the end lies, and those beside them.
        first = np.array(points[max(i - 2, 0) : i + 2])
        near = np.array([p for p in sorted(self.found) if first[0] <= p <= first[-1]])
        found = [self.found[p] for p in near]
        errors = np.array([c.error for c in found])
        full = errors[np.array([c.toys for c in found]) == max(c.toys for c in found)]
        line = Polynomial.fit(near, [c.value for c in found], 1, w=1.0 / errors)
        # The statistic is smooth: a polynomial through some of its values.
        some = 0.5 - 0.5 * np.cos(np.pi * (np.arange(13) + 0.5) / 13)
        some = first[0] + some * (first[-1] - first[0])
        statistic = Polynomial.fit(some, [self.rise(float(at)) for at in some], 10)
        search = _Search(first, line, statistic, bool(statistic.deriv()(end) > 0.0))
        spread = np.append(errors[np.isin(near, first)], np.full(_REFINEMENTS, _rms(full)))
        draws = np.random.default_rng(self.seed).standard_normal((_BOOTSTRAPS, spread.size))
        ends = [search(own, end) for own in spread * draws]
        if all(found is None for found in ends):
            return math.inf
        true = search(0.0 * spread, end)
        return _rms(np.array([found - (true or end) for found in ends if found is not None]))


@dataclass(frozen=True)
class _Search:
    """The search for an end among some points, critical values known but for their errors.

    Attributes
    ----------
    first : (points,)
    line, statistic : Polynomial
        Critical value, and statistic of the data.
    rising : bool
        Whether the statistic rises above the critical value there, or falls below it.
    """

    first: FloatArray
    line: Polynomial
    statistic: Polynomial
    rising: bool

    def __call__(self, errors: FloatArray, near: float) -> float | None:
        """Where the search ends with these errors, those of the first points before the others.

        None where no two points have the crossing nearest to a value between them.
        """
        values = self.line(self.first) + errors[: self.first.size]
        critical = dict(zip(self.first, values, strict=True))
        sides = [
            (left, right)
            for left, right in pairwise(self.first)
            if not self._beyond(left, critical[left]) and self._beyond(right, critical[right])
        ]
        if not sides:
            return None
        left, right = min(sides, key=lambda pair: abs(pair[0] + pair[1] - 2.0 * near))
        for error in errors[self.first.size :]:
            place = self._crossing(critical, left, right)
            if not left < place < right:
                break
            critical[place] = self.line(place) + error
            if self._beyond(place, critical[place]):
                right = place
            else:
                left = place
        return self._crossing(critical, left, right)

    def _beyond(self, place: float, critical: float) -> bool:
        return bool((self.statistic(place) > critical) == self.rising)

    def _crossing(self, critical: Mapping[float, float], left: float, right: float) -> float:
        """Where the statistic crosses the critical values on both sides, joined by a line."""
        places = np.linspace(left, right, _PLACES)
        joined = np.linspace(critical[left], critical[right], _PLACES)
        beyond = (self.statistic(places) > joined) == self.rising
        return float(places[beyond.argmax()]) if beyond.any() else right


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
