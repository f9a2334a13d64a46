"""Fits of one coupling to many data vectors: the highest point of a curve on a sphere.

With one normalisation nuisance a hypothesis is a direction q = v(x) / |v(x)|, the counts over their
errors and the pull v(x) = sum_j v_j x**j a polynomial in one coupling, and chi2 of a data vector D

    chi2(x) = |D|**2 - (q . D)**2 = |D|**2 - N(x)**2 / M(x),  N = sum_j (v_j . D) x**j,  M = v . v.

So the best fit is the highest of the stationary points, roots of 2 N' M - N M' of degree 3 p - 2,
and of the ends of the coupling's range. Beyond |x| = 1 everything is a polynomial in 1 / x, and
infinity is a point like any other.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.bernstein import real_roots
from fastscan.kernels.compilation import jit

__all__ = ["along", "fit_lines", "highest_ratio", "line_ends"]

FloatArray = np.ndarray

# Squared counts below this part of their terms are rounding.
_CANCELLED = 1e-9


@jit
def _ratio(n: FloatArray, m: FloatArray, x: float) -> float:
    """N(x)**2 / M(x), its limit where x is infinite."""
    p = n.size - 1
    if abs(x) <= 1.0:
        top, bottom, size = n[p], m[2 * p], abs(m[2 * p])
        for k in range(p - 1, -1, -1):
            top = top * x + n[k]
        for k in range(2 * p - 1, -1, -1):
            bottom = bottom * x + m[k]
            size = size * abs(x) + abs(m[k])
    else:
        w = 1.0 / x
        top, bottom, size = n[0], m[0], abs(m[0])
        for k in range(1, p + 1):
            top = top * w + n[k]
        for k in range(1, 2 * p + 1):
            bottom = bottom * w + m[k]
            size = size * abs(w) + abs(m[k])
    # Where couplings cancel to the last digits nothing is known of the direction.
    return top * top / bottom if bottom > _CANCELLED * size else 0.0


@jit
def _sides(
    polynomial: FloatArray,
    low: float,
    high: float,
    flipped: FloatArray,
    work: FloatArray,
    roots: FloatArray,
) -> int:
    """Real roots x between two numbers that may be infinite; those beyond one by 1 / x."""
    count = 0
    inner_low, inner_high = max(low, -1.0), min(high, 1.0)
    if inner_low < inner_high:
        count = real_roots(polynomial, inner_low, inner_high, work, roots)
    degree = polynomial.size - 1
    if high > 1.0 or low < -1.0:
        for k in range(degree + 1):
            flipped[k] = polynomial[degree - k]
    if high > 1.0:
        found = real_roots(flipped, 1.0 / high, 1.0 / max(low, 1.0), work, roots[count:])
        for i in range(count, count + found):
            roots[i] = 1.0 / roots[i] if roots[i] != 0.0 else math.inf
        count += found
    if low < -1.0:
        found = real_roots(flipped, 1.0 / min(high, -1.0), 1.0 / low, work, roots[count:])
        for i in range(count, count + found):
            roots[i] = 1.0 / roots[i] if roots[i] != 0.0 else -math.inf
        count += found
    return count


@jit
def highest_ratio(
    n: FloatArray, m: FloatArray, low: float, high: float, work: FloatArray
) -> tuple[float, float]:
    """Where N(x)**2 / M(x) is highest between two bounds, which may be infinite, and how high.

    Parameters
    ----------
    n : p + 1
    m : 2 p + 1
        Positive everywhere.
    low, high : float
    work : at least 48 x (3 p + 4)
    """
    p = n.size - 1
    best, height = low, _ratio(n, m, low)
    if p == 0:
        return best, height
    value = _ratio(n, m, high)
    if value > height:
        best, height = high, value
    degree = 3 * p - 2
    stationary = work[45][: degree + 1]
    for k in range(degree + 1):
        stationary[k] = 0.0
    # 2 N' M - N M'; the coefficient of x**(3 p - 1) is zero.
    for j in range(p + 1):
        for k in range(2 * p + 1):
            if 1 <= j + k <= degree + 1:
                stationary[j + k - 1] += (2.0 * j - k) * n[j] * m[k]
    roots = work[47][: 3 * degree]
    count = _sides(stationary, low, high, work[46][: degree + 1], work, roots)
    for i in range(count):
        value = _ratio(n, m, roots[i])
        if value > height:
            best, height = roots[i], value
    return best, height


@jit
def fit_lines(
    data: FloatArray,
    vectors: FloatArray,
    squares: FloatArray,
    low: float,
    high: float,
    x: FloatArray,
    score: FloatArray,
) -> None:
    """Best fit of one coupling to each data vector, exactly.

    Parameters
    ----------
    data : toys x n
    vectors : (p + 1) x n
        v_j of each power of x.
    squares : 2 p + 1
        Coefficients of M.
    low, high : float
    x, score : toys
        Results: where, and N**2 / M there.
    """
    p = vectors.shape[0] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n = np.empty(p + 1)
    for t in range(data.shape[0]):
        along(data[t], vectors, n)
        x[t], score[t] = highest_ratio(n, squares, low, high, work)


@jit
def along(data: FloatArray, vectors: FloatArray, n: FloatArray) -> None:
    """Products of a data vector with rows, each summed in the same order."""
    for j in range(vectors.shape[0]):
        n[j] = 0.0
    for k in range(data.size):
        d = data[k]
        for j in range(vectors.shape[0]):
            n[j] += vectors[j, k] * d


@jit
def line_ends(
    data: FloatArray,
    vectors: FloatArray,
    squares: FloatArray,
    low: float,
    high: float,
    level: FloatArray,
    ends: FloatArray,
) -> None:
    """Outermost ends of the region N**2 / M >= level of each data vector.

    Arguments as for `fit_lines`; ``ends`` is toys x 2. The level is at most the highest score.
    """
    p = vectors.shape[0] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n = np.empty(p + 1)
    excess = np.empty(2 * p + 1)
    for t in range(data.shape[0]):
        along(data[t], vectors, n)
        for k in range(2 * p + 1):
            excess[k] = -level[t] * squares[k]
        for j in range(p + 1):
            for k in range(p + 1):
                excess[j + k] += n[j] * n[k]
        roots = work[47][: 6 * p]
        count = _sides(excess, low, high, work[46][: 2 * p + 1], work, roots)
        first, last = math.inf, -math.inf
        for i in range(count):
            first, last = min(first, roots[i]), max(last, roots[i])
        ends[t, 0] = low if _ratio(n, squares, low) >= level[t] or count == 0 else first
        ends[t, 1] = high if _ratio(n, squares, high) >= level[t] or count == 0 else last
