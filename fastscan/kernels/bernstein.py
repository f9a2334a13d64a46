"""All real roots of a polynomial in an interval, by Bernstein coefficients."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["real_roots"]

FloatArray = np.ndarray

# Halvings of an interval before two roots in it are taken for one.
_HALVINGS = 40


@jit
def real_roots(
    polynomial: FloatArray, low: float, high: float, work: FloatArray, roots: FloatArray
) -> int:
    """Real roots between two numbers; returns how many were written to ``roots``.

    By Bernstein coefficients: as many changes of sign as roots, or more by an even number. An
    interval with several is halved; one with a single root is searched by Newton's method, kept
    inside by bisection. Two roots closer than 1e-12 of the interval count as one.

    Parameters
    ----------
    polynomial : degree + 1
        Rising powers.
    low, high : float
    work : at least 45 x (degree + 3)
    roots : at least degree
    """
    degree = polynomial.size - 1
    width = high - low
    power = work[0]
    for k in range(degree + 1):
        power[k] = polynomial[k]
    if low != 0.0:
        for i in range(degree):
            for k in range(degree - 1, i - 1, -1):
                power[k] += low * power[k + 1]
    factor = 1.0
    for k in range(degree + 1):
        power[k] *= factor
        factor *= width
    top = work[1]
    top[0], top[1] = 0.0, 1.0
    binomial = 1.0
    for k in range(degree + 1):
        top[2 + k] = power[k] / binomial
        binomial = binomial * (degree - k) / (k + 1)
    for i in range(1, degree + 1):
        for k in range(degree, i - 1, -1):
            top[2 + k] += top[1 + k]
    count, stack = 0, 1
    while stack > 0:
        row = work[stack]
        changes = 0
        last = 0.0
        for k in range(2, degree + 3):
            if row[k] != 0.0:
                if last * row[k] < 0.0:
                    changes += 1
                last = 1.0 if row[k] > 0.0 else -1.0
        left, right = row[0], row[1]
        stack -= 1
        if changes == 0:
            # A root on an end of an interval has no change of sign.
            for end in range(2):
                if row[2 + end * degree] == 0.0 and count < roots.size:
                    roots[count] = low + width * row[end]
                    count += 1
            continue
        if count == roots.size:
            break
        if changes == 1 and row[2] != 0.0:
            root = _newton(power, degree, left, right, row[2] < 0.0)
        elif right - left < 0.5**_HALVINGS:
            root = 0.5 * (left + right)
        else:
            _halve(work, stack + 1, degree)
            stack += 2
            continue
        roots[count] = low + width * root
        count += 1
    return count


@jit
def _halve(work: FloatArray, at: int, degree: int) -> None:
    """De Casteljau's halves of an interval: the right one stays in its place, the left on top."""
    right, left = work[at], work[at + 1]
    middle = 0.5 * (right[0] + right[1])
    left[0], left[1] = right[0], middle
    right[0] = middle
    for i in range(degree + 1):
        left[2 + i] = right[2]
        for k in range(2, degree + 2 - i):
            right[k] = 0.5 * (right[k] + right[k + 1])


@jit
def _newton(power: FloatArray, degree: int, left: float, right: float, rising: bool) -> float:
    """The one root of a polynomial between two points, found to the last digits."""
    x = 0.5 * (left + right)
    for _ in range(80):
        value, slope = power[degree], 0.0
        for k in range(degree - 1, -1, -1):
            slope = slope * x + value
            value = value * x + power[k]
        if value == 0.0:
            return x
        if (value < 0.0) == rising:
            left = x
        else:
            right = x
        step = value / slope if slope != 0.0 else math.inf
        new = x - step
        if not left < new < right:
            new = 0.5 * (left + right)
        if abs(new - x) <= 2e-16 * abs(new):
            return new
        x = new
    return x
