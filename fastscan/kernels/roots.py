"""Where small polynomials change sign, row by row.

Between two neighbouring roots of its derivative a polynomial is monotonic and has one simple root
or none, so that roots follow from those of the highest derivative down, each bracketed. Nothing
general is needed for that, and it is an order of magnitude cheaper than eigenvalues of companion
matrices, which also find the complex and the double roots that change no sign.
"""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["pieces_below", "sign_changes"]

FloatArray = np.ndarray

# A leading coefficient this small beside the largest is what rounding left of a power.
VANISHED = 1e-14


@jit
def _value(c: FloatArray, degree: int, x: float) -> float:
    total = 0.0
    for k in range(degree, -1, -1):
        total = total * x + c[k]
    return total


@jit
def _bracketed(c: FloatArray, degree: int, a: float, b: float, rising: bool) -> float:
    """The root between a and b, where the polynomial is monotonic: Newton steps, or halving."""
    x = 0.5 * (a + b)
    before = b - a
    for _ in range(2000):
        f = slope = 0.0
        for k in range(degree, -1, -1):
            slope = slope * x + f
            f = f * x + c[k]
        if f == 0.0:
            return x
        if (f < 0.0) == rising:
            a = x
        else:
            b = x
        y = x - f / slope
        # A step out of the bracket, or one that does not close in, or not a number.
        if not (a < y < b and abs(y - x) < 0.5 * before):
            y = 0.5 * (a + b)
        before = abs(y - x)
        if y in (x, a, b) or before <= 2e-16 * abs(y):
            return y
        x = y
    return x


@jit
def _changes(
    row: FloatArray,
    lower: float,
    upper: float,
    derivatives: FloatArray,
    marks: FloatArray,
    roots: FloatArray,
) -> int:
    """Number of sign changes of one row in (lower, upper), themselves in ``roots``, rising."""
    degree = row.size - 1
    largest = 0.0
    for k in range(row.size):
        largest = max(largest, abs(row[k]))
    while degree > 0 and not abs(row[degree]) > VANISHED * largest:
        degree -= 1
    if degree == 0 or not largest < np.inf:
        return 0
    # Fujiwara's bound: no root is further out.
    reach = 0.0
    for k in range(degree):
        reach = max(reach, abs(row[k] / row[degree]) ** (1.0 / (degree - k)))
    reach *= 2.0
    start, end = max(lower, -reach), min(upper, reach)
    if not start < end:
        return 0
    for k in range(degree + 1):
        derivatives[0, k] = row[k]
    for j in range(1, degree):
        for k in range(degree - j + 1):
            derivatives[j, k] = derivatives[j - 1, k + 1] * (k + 1)
    count = 0
    for j in range(degree - 1, -1, -1):
        c = derivatives[j]
        marks[0] = start
        for k in range(count):
            marks[k + 1] = roots[k]
        marks[count + 1] = end
        intervals = count + 1
        count = 0
        left = _value(c, degree - j, marks[0])
        for k in range(intervals):
            right = _value(c, degree - j, marks[k + 1])
            if (left < 0.0) != (right < 0.0):
                roots[count] = _bracketed(c, degree - j, marks[k], marks[k + 1], left < 0.0)
                count += 1
            left = right
    return count


@jit
def sign_changes(
    polynomials: FloatArray, lower: FloatArray, upper: FloatArray, roots: FloatArray
) -> None:
    """Fill ``roots[r]`` with where row r, of rising powers, changes sign; NaN beyond the last.

    ``lower`` and ``upper``: bounds of each row, possibly infinite. Shape of ``roots``: rows x
    degree.
    """
    terms = polynomials.shape[1]
    derivatives = np.empty((terms, terms))
    marks = np.empty(terms + 1)
    found = np.empty(terms)
    for r in range(polynomials.shape[0]):
        count = _changes(polynomials[r], lower[r], upper[r], derivatives, marks, found)
        for k in range(roots.shape[1]):
            roots[r, k] = found[k] if k < count else np.nan


@jit
def pieces_below(
    polynomials: FloatArray, lower: FloatArray, upper: FloatArray, pieces: FloatArray
) -> int:
    """Fill the intervals on which each row is not positive and return the largest number of them.

    Shape of ``pieces``: rows x (degree // 2 + 1) x 2, NaN beyond the last of a row. Bounds as for
    `sign_changes`; an end of a piece that is a bound is that very number.
    """
    terms = polynomials.shape[1]
    derivatives = np.empty((terms, terms))
    marks = np.empty(terms + 1)
    found = np.empty(terms + 1)
    most = 0
    for r in range(polynomials.shape[0]):
        row = polynomials[r]
        count = _changes(row, lower[r], upper[r], derivatives, marks, found)
        pieces[r] = np.nan
        number = 0
        left = lower[r]
        below = False
        for k in range(count + 1):
            right = found[k] if k < count else upper[r]
            now = _value(row, terms - 1, _between(left, right)) <= 0.0
            if now and not below:
                pieces[r, number, 0] = left
            if now:
                pieces[r, number, 1] = right
            elif below:
                number += 1
            below = now
            left = right
        most = max(most, number + below)
    return most


@jit
def _between(left: float, right: float) -> float:
    """A point inside an interval, of which one end or both may be infinite."""
    if left == -np.inf and right == np.inf:
        return 0.0
    if left == -np.inf:
        return right - max(abs(right), 1.0)
    if right == np.inf:
        return left + max(abs(left), 1.0)
    return 0.5 * (left + right)
