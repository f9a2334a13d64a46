"""A chi2 along one line: its minima and the pieces below a level, found without a grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from fastscan.likelihoods.root import find_root

__all__ = ["Curve", "find_turning_points", "pieces_below"]


class Curve(ABC):
    """Chi2 of one variable u between two bounds, which may be infinite."""

    @abstractmethod
    def __call__(self, u: float) -> float:
        """Chi2 at u, its limit at an infinite u."""

    @abstractmethod
    def turning_points(self) -> list[float]:
        """Bounds and extrema in rising order: chi2 is monotonic between neighbours."""

    def minimum(self) -> tuple[float, float]:
        """The lowest point, (u, chi2); u is infinite where chi2 falls for ever."""
        points = self.turning_points()
        values = [self(u) for u in points]
        best = int(np.argmin(values))
        return points[best], values[best]


def find_turning_points(
    curve: Callable[[float], float],
    samples: Sequence[float],
    values: Sequence[float] | None = None,
) -> list[float]:
    """Ends and extrema of a smooth curve, bracketed by samples and found by Brent's method.

    Parameters
    ----------
    curve : callable
    samples : sequence of float
        In rising order, dense enough that no two extrema hide between two neighbours.
    values : sequence of float, optional
        The curve at the samples, where they are known.
    """
    from scipy.optimize import minimize_scalar

    if values is None:
        values = [curve(u) for u in samples]
    turning = [samples[0]]
    for i in range(1, len(samples) - 1):
        left, right = values[i] - values[i - 1], values[i + 1] - values[i]
        if left * right > 0.0 or left == right:
            continue
        sign = 1.0 if left < right else -1.0
        found = minimize_scalar(
            lambda u, s=sign: s * curve(u),
            bounds=(samples[i - 1], samples[i + 1]),
            method="bounded",
            options={"xatol": 1e-9 * max(abs(samples[i - 1]), abs(samples[i + 1]))},
        )
        best = float(found.x)
        # The sample itself may be the sharper extremum, where the curve has a kink there.
        turning.append(best if sign * curve(best) <= sign * values[i] else samples[i])
    turning.append(samples[-1])
    return sorted(set(turning))


def pieces_below(
    curve: Callable[[float], float], turning_points: Sequence[float], level: float
) -> list[tuple[float, float]]:
    """Intervals in which a curve, monotonic between turning points, is at most ``level``.

    Each crossing is bracketed by two neighbours and found to the last digits.
    """
    values = [curve(u) for u in turning_points]
    pieces: list[tuple[float, float]] = []
    start: float | None = turning_points[0] if values[0] <= level else None
    for i in range(1, len(turning_points)):
        low, high = turning_points[i - 1], turning_points[i]
        if (values[i - 1] <= level) == (values[i] <= level):
            continue
        crossing = _crossing(curve, low, high, level)
        if start is None:
            start = crossing
        else:
            pieces.append((start, crossing))
            start = None
    if start is not None:
        pieces.append((start, turning_points[-1]))
    return pieces


def _crossing(curve: Callable[[float], float], low: float, high: float, level: float) -> float:
    below_at_low = curve(low) <= level
    if np.isinf(low):
        low = _walk_from(high, -1.0, curve, level, below_at_low)
    if np.isinf(high):
        high = _walk_from(low, 1.0, curve, level, not below_at_low)
    at_low, at_high = curve(low) - level, curve(high) - level
    if at_low == 0.0 or at_high == 0.0:
        return low if at_low == 0.0 else high
    return find_root(lambda u: curve(u) - level, low, high, 1e-13)


def _walk_from(
    start: float, sign: float, curve: Callable[[float], float], level: float, below: bool
) -> float:
    """First point found on the way to infinity that lies on the far side of the level."""
    step = max(abs(start), 1e-300) if start != 0.0 else 1e-300
    while np.isfinite(step):
        point = start + sign * step
        if (curve(point) <= level) == below:
            return point
        step *= 2.0 if start != 0.0 else 10.0
    return sign * 1e300
