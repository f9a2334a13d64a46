"""A bracketed root to the last digits, by algorithm 748 of Alefeld, Potra and Shi.

ACM Transactions on Mathematical Software 21 (1995) 327, their algorithm 4.1: an inverse cubic step,
or two Newton steps on a parabola, then a double secant step, and a bisection where these did not
halve the bracket. `scipy.optimize.toms748` takes the same steps, to the same bits; its import takes
longer than a limit.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

__all__ = ["find_root"]

_EPSILON = sys.float_info.epsilon
# Values of the function closer than this are not inverted.
_APART = 32.0 * _EPSILON
# Smallest step in absolute terms: a root at zero is found, too.
_LEAST = 1e-300


def find_root(curve: Callable[[float], float], low: float, high: float, rtol: float) -> float:
    """The place between two ends at which a continuous function changes its sign.

    Parameters
    ----------
    curve : callable
        Its values at the ends are of opposite signs.
    low, high : float
    rtol : float
        Relative accuracy.

    Examples
    --------
    >>> find_root(lambda x: x * x - 2.0, 0.0, 2.0, 1e-13)
    1.414213562373095
    """
    ends, values = [low, high], [curve(low), curve(high)]
    for end, value in zip(ends, values, strict=True):
        if value == 0.0:
            return end
    c = _inside(_secant(ends, values), ends)
    value = curve(c)
    if value == 0.0:
        return c
    d, at_d = _narrow(ends, values, c, value)
    e, at_e = math.nan, math.nan
    while not abs(ends[0] - ends[1]) <= _LEAST + rtol * abs(ends[1]):
        width = ends[1] - ends[0]
        c = math.nan
        if _distinct(*values, at_d, at_e):
            c = _inverse_cubic([*values, at_d, at_e], [*ends, d, e])
        if not ends[0] < c < ends[1]:
            c = _newton_parabola(ends, values, d, at_d)
        value = curve(c)
        if value == 0.0:
            return c
        e, at_e = d, at_d
        d, at_d = _narrow(ends, values, c, value)
        c = _double_secant(ends, values, rtol)
        value = curve(c)
        if value == 0.0:
            return c
        e, at_e = d, at_d
        d, at_d = _narrow(ends, values, c, value)
        if ends[1] - ends[0] > 0.5 * width:
            e, at_e = d, at_d
            c = (ends[0] + ends[1]) / 2.0
            value = curve(c)
            if value == 0.0:
                return c
            d, at_d = _narrow(ends, values, c, value)
    return (ends[0] + ends[1]) / 2.0


def _inside(c: float, ends: list[float]) -> float:
    return c if ends[0] < c < ends[1] else (ends[0] + ends[1]) / 2.0


def _narrow(ends: list[float], values: list[float], c: float, value: float) -> tuple[float, float]:
    """Put a point in place of the end whose value has its sign; the end that is left out."""
    which = 0 if math.copysign(1.0, values[0]) == math.copysign(1.0, value) else 1
    left = ends[which], values[which]
    ends[which], values[which] = c, value
    return left


def _secant(ends: list[float], values: list[float]) -> float:
    (a, b), (fa, fb) = ends, values
    if abs(fb) > abs(fa):
        return (-fa / fb * b + a) / (1.0 - fa / fb)
    return (-fb / fa * a + b) / (1.0 - fb / fa)


def _distinct(*values: float) -> bool:
    if not all(math.isfinite(value) and value != 0.0 for value in values):
        return False
    pairs = ((left, right) for i, left in enumerate(values) for right in values[i + 1 :])
    return all(abs(left - right) > _APART for left, right in pairs)


def _inverse_cubic(values: list[float], points: list[float]) -> float:
    """Where the polynomial of the points through the values is at zero, by Neville's scheme."""
    q, d = list(points), list(points)
    total = []
    for k in range(1, 4):
        alpha = [d[i] - q[i - 1] for i in range(k, 4)]
        step = [values[i] - values[i + k] for i in range(4 - k)]
        new_q = [values[i + k] / step[i] * alpha[i] for i in range(4 - k)]
        new_d = [values[i] / step[i] * alpha[i] for i in range(4 - k)]
        q[k:], d[k:] = new_q, new_d
        total.append(q[3])
    return total[0] + total[1] + total[2] + points[3]


def _newton_parabola(ends: list[float], values: list[float], d: float, at_d: float) -> float:
    """Two Newton steps on the parabola through both ends and a third point."""
    (a, b), (fa, fb) = ends, values
    first, second = (fb - fa) / (b - a), (at_d - fb) / (d - b)
    curvature = (second - first) / (d - a)
    if curvature == 0.0:
        return a - fa / first
    r = a if (curvature > 0.0) == (fa > 0.0) else b
    for _ in range(2):
        height = (curvature * (r - b) + first) * (r - a) + fa
        slope = first + curvature * (2.0 * r - a - b)
        moved = r - height / slope if slope != 0.0 else math.nan
        if not a < moved < b:
            return r if a < r < b else (a + b) / 2.0
        r = moved
    return r


def _double_secant(ends: list[float], values: list[float], rtol: float) -> float:
    """Twice the secant step from the end with the smaller value; the middle if it is too long."""
    near = 0 if abs(values[0]) < abs(values[1]) else 1
    u, value = ends[near], values[near]
    slope = (values[1] - values[0]) / (ends[1] - ends[0])
    c = u - 2.0 * value / slope
    if abs(c - u) > 0.5 * (ends[1] - ends[0]):
        return (ends[0] + ends[1]) / 2.0
    if abs(c - u) <= _EPSILON * abs(u):
        if math.frexp(values[near])[1] < math.frexp(values[1 - near])[1] - 50:
            c = (31.0 * ends[near] + ends[1 - near]) / 32.0
        else:
            sign = 1.0 if near == 0 else -1.0
            c = u + (sign * abs(c) * rtol + sign * _LEAST)
        c = _inside(c, ends)
    return c
