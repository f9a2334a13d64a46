"""The profiled chi2 on a grid, and its reductions along rows, always in the order of a row."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = [
    "all_finite",
    "ratio_inside",
    "ratio_minima",
    "ratio_rows",
    "row_minima",
    "row_posteriors",
    "row_spans",
]

# Points of a row that a reduction passes over, or computes, together.
STRETCH = 32
# Their number is rounded up to whole vectors: what is left over would be computed one by one.
WHOLE = 8
# Of a double, with room: times the square of the terms of a polynomial, far above what its
# evaluation, and that of its bounds, can lose.
ROUNDING = 1e-15

FloatArray = np.ndarray


@jit
def _ratio_row(n: FloatArray, d: FloatArray, u: FloatArray, row: FloatArray) -> None:
    """Fill ``row[i]`` with the ratio of two polynomials, coefficients in rising powers, at u_i.

    Counts that are quadratic in u, as in every model built from one exchanged amplitude, make them
    of degree four at most: these cases are written out, so that the loop over u is vectorised.
    """
    if n.size == 3:
        n0, n1, n2 = n[0], n[1], n[2]
        d0, d1, d2 = d[0], d[1], d[2]
        for i in range(u.size):
            x = u[i]
            row[i] = ((n2 * x + n1) * x + n0) / ((d2 * x + d1) * x + d0)
    elif n.size == 5:
        n0, n1, n2, n3, n4 = n[0], n[1], n[2], n[3], n[4]
        d0, d1, d2, d3, d4 = d[0], d[1], d[2], d[3], d[4]
        for i in range(u.size):
            x = u[i]
            top = (((n4 * x + n3) * x + n2) * x + n1) * x + n0
            bottom = (((d4 * x + d3) * x + d2) * x + d1) * x + d0
            row[i] = top / bottom
    else:
        for i in range(u.size):
            x = u[i]
            top = n[n.size - 1]
            bottom = d[n.size - 1]
            for k in range(n.size - 2, -1, -1):
                top = top * x + n[k]
                bottom = bottom * x + d[k]
            row[i] = top / bottom


@jit
def ratio_rows(
    numerator: FloatArray, denominator: FloatArray, u: FloatArray, out: FloatArray
) -> None:
    """Fill ``out[r, i] = N_r(u_i) / D_r(u_i)``; coefficients in rising powers, shape (rows, k)."""
    for r in range(numerator.shape[0]):
        _ratio_row(numerator[r], denominator[r], u, out[r])


@jit
def all_finite(numerator: FloatArray, denominator: FloatArray, reach: float) -> bool:
    """Whether no partial sum of any row overflows for abs(u) up to ``reach``."""
    for r in range(numerator.shape[0]):
        bound = 0.0
        for k in range(numerator.shape[1] - 1, -1, -1):
            bound = bound * reach + abs(numerator[r, k]) + abs(denominator[r, k])
        # False for what is not a number, too.
        if not bound < np.inf:
            return False
    return True


@jit
def _least(values: FloatArray) -> float:
    """Smallest value; eight at a time, for one alone would wait for each comparison in turn."""
    a = b = c = d = e = f = g = h = np.inf
    whole = values.size - values.size % 8
    for i in range(0, whole, 8):
        a = min(a, values[i])
        b = min(b, values[i + 1])
        c = min(c, values[i + 2])
        d = min(d, values[i + 3])
        e = min(e, values[i + 4])
        f = min(f, values[i + 5])
        g = min(g, values[i + 6])
        h = min(h, values[i + 7])
    least = min(min(min(a, b), min(c, d)), min(min(e, f), min(g, h)))
    for i in range(whole, values.size):
        least = min(least, values[i])
    return least


@jit
def _count_inside(values: FloatArray, level: float) -> int:
    count = 0
    for i in range(values.size):
        count += values[i] <= level
    return count


@jit
def _reach(u: FloatArray, low: FloatArray, high: FloatArray) -> None:
    """Lowest and highest u in each stretch, whatever their order is; the first one fills up."""
    for number in range(low.size):
        start = number * STRETCH if number * STRETCH < u.size else 0
        least = most = u[start]
        for i in range(start, min(start + STRETCH, u.size)):
            least = min(least, u[i])
            most = max(most, u[i])
        low[number] = least
        high[number] = most


@jit
def _bound_difference(
    n: FloatArray,
    d: FloatArray,
    level: float,
    low: FloatArray,
    high: FloatArray,
    floor: FloatArray,
    ceiling: FloatArray,
) -> None:
    """Bounds of N - level D, as `_ratio_row` computes both, on each stretch from low to high.

    Q = N - level D as a polynomial in t = u - low >= 0, its Taylor shift, lies between the sums of
    its negative and of its positive terms at the upper end. The margin exceeds what rounding does
    to N, D and these sums: where the floor is positive, every N(u_i) / D(u_i) is above the level
    (given D > 0), where the ceiling is negative below. (x - |x|) / 2 is min(x, 0), exactly, in a
    loop that is vectorised.
    """
    terms = n.size
    margin = ROUNDING * (terms + 2) ** 2
    if terms == 3:
        n0, n1, n2 = n[0], n[1], n[2]
        d0, d1, d2 = level * d[0], level * d[1], level * d[2]
        q0, q1, q2 = n0 - d0, n1 - d1, n2 - d2
        s0, s1, s2 = abs(n0) + abs(d0), abs(n1) + abs(d1), abs(n2) + abs(d2)
        for j in range(low.size):
            x = low[j]
            t = high[j] - x
            r = abs(x) + t
            c1 = q1 + q2 * x
            c0 = q0 + c1 * x
            c1 = c1 + q2 * x
            error = margin * ((s2 * r + s1) * r + s0)
            floor[j] = c0 + 0.5 * (((q2 - abs(q2)) * t + (c1 - abs(c1))) * t) - error
            ceiling[j] = c0 + 0.5 * (((q2 + abs(q2)) * t + (c1 + abs(c1))) * t) + error
    elif terms == 5:
        n0, n1, n2, n3, n4 = n[0], n[1], n[2], n[3], n[4]
        d0, d1, d2 = level * d[0], level * d[1], level * d[2]
        d3, d4 = level * d[3], level * d[4]
        q0, q1, q2, q3, q4 = n0 - d0, n1 - d1, n2 - d2, n3 - d3, n4 - d4
        s0, s1, s2 = abs(n0) + abs(d0), abs(n1) + abs(d1), abs(n2) + abs(d2)
        s3, s4 = abs(n3) + abs(d3), abs(n4) + abs(d4)
        for j in range(low.size):
            x = low[j]
            t = high[j] - x
            r = abs(x) + t
            c3 = q3 + q4 * x
            c2 = q2 + c3 * x
            c1 = q1 + c2 * x
            c0 = q0 + c1 * x
            c3 = c3 + q4 * x
            c2 = c2 + c3 * x
            c1 = c1 + c2 * x
            c3 = c3 + q4 * x
            c2 = c2 + c3 * x
            c3 = c3 + q4 * x
            error = margin * ((((s4 * r + s3) * r + s2) * r + s1) * r + s0)
            down = ((q4 - abs(q4)) * t + (c3 - abs(c3))) * t + (c2 - abs(c2))
            up = ((q4 + abs(q4)) * t + (c3 + abs(c3))) * t + (c2 + abs(c2))
            floor[j] = c0 + 0.5 * ((down * t + (c1 - abs(c1))) * t) - error
            ceiling[j] = c0 + 0.5 * ((up * t + (c1 + abs(c1))) * t) + error
    else:
        shifted = np.empty(terms)
        for j in range(low.size):
            x = low[j]
            t = high[j] - x
            r = abs(x) + t
            size = 0.0
            for k in range(terms - 1, -1, -1):
                part = level * d[k]
                shifted[k] = n[k] - part
                size = size * r + (abs(n[k]) + abs(part))
            for i in range(terms - 1):
                for k in range(terms - 2, i - 1, -1):
                    shifted[k] += x * shifted[k + 1]
            down = up = 0.0
            for k in range(terms - 1, 0, -1):
                down = (down + (shifted[k] - abs(shifted[k]))) * t
                up = (up + (shifted[k] + abs(shifted[k]))) * t
            floor[j] = shifted[0] + 0.5 * down - margin * size
            ceiling[j] = shifted[0] + 0.5 * up + margin * size


@jit
def _nonnegative(d: FloatArray) -> bool:
    found = True
    for k in range(d.size):
        found = found and d[k] >= 0.0
    return found


@jit
def _doubt_sign(
    d: FloatArray,
    low: FloatArray,
    high: FloatArray,
    nothing: FloatArray,
    work: FloatArray,
    floor: FloatArray,
    ceiling: FloatArray,
) -> None:
    """Take certainty back where D might be computed as negative: the ratio has its sign."""
    _bound_difference(d, nothing, 0.0, low, high, work[0], work[1])
    for j in range(low.size):
        # Not above zero, or not a number.
        if not work[0, j] > 0.0:
            floor[j] = -np.inf
            ceiling[j] = np.inf


@jit
def ratio_minima(
    numerator: FloatArray, denominator: FloatArray, u: FloatArray, lowest: FloatArray
) -> None:
    """Fill ``lowest[r]`` with the smallest of N_r(u_i) / D_r(u_i), without writing the row.

    Stretches that can not hold it are passed over; the others are computed as `ratio_rows` does.
    """
    stretches = (u.size + STRETCH - 1) // STRETCH
    size = (stretches + WHOLE - 1) // WHOLE * WHOLE
    low, high = np.empty(size), np.empty(size)
    _reach(u, low, high)
    lowest_u = low.min()
    # The minimum is looked for first where that of the row before was.
    guess = 0
    floor, ceiling = np.empty(size), np.empty(size)
    work = np.empty((2, size))
    values = np.empty(STRETCH)
    nothing = np.zeros(numerator.shape[1])
    for r in range(numerator.shape[0]):
        n, d = numerator[r], denominator[r]
        near = u[guess * STRETCH : (guess + 1) * STRETCH]
        _ratio_row(n, d, near, values[: near.size])
        least = _least(values[: near.size])
        _bound_difference(n, d, least, low, high, floor, ceiling)
        if not (lowest_u >= 0.0 and _nonnegative(d)):
            _doubt_sign(d, low, high, nothing, work, floor, ceiling)
        done = guess
        for j in range(stretches):
            if floor[j] > 0.0 or j == done:
                continue
            part = u[j * STRETCH : (j + 1) * STRETCH]
            _ratio_row(n, d, part, values[: part.size])
            found = _least(values[: part.size])
            if found < least:
                least, guess = found, j
        lowest[r] = least


@jit
def ratio_inside(
    numerator: FloatArray,
    denominator: FloatArray,
    u: FloatArray,
    level: float,
    count: FloatArray,
    first: FloatArray,
    last: FloatArray,
) -> None:
    """Fill the number of points of row r at or below ``level``, and the first and last of them.

    Without any, ``first`` is the number of points and ``last`` is -1. Stretches that are wholly in
    or out are not computed point by point.
    """
    stretches = (u.size + STRETCH - 1) // STRETCH
    size = (stretches + WHOLE - 1) // WHOLE * WHOLE
    low, high = np.empty(size), np.empty(size)
    _reach(u, low, high)
    lowest_u = low.min()
    floor, ceiling = np.empty(size), np.empty(size)
    work = np.empty((2, size))
    values = np.empty(STRETCH)
    nothing = np.zeros(numerator.shape[1])
    for r in range(numerator.shape[0]):
        n, d = numerator[r], denominator[r]
        _bound_difference(n, d, level, low, high, floor, ceiling)
        if not (lowest_u >= 0.0 and _nonnegative(d)):
            _doubt_sign(d, low, high, nothing, work, floor, ceiling)
        inside = 0
        begin, end = u.size, -1
        for j in range(stretches):
            if floor[j] > 0.0:
                continue
            start, stop = j * STRETCH, min((j + 1) * STRETCH, u.size)
            left, right = start, stop - 1
            if ceiling[j] < 0.0:
                inside += stop - start
            else:
                part = values[: stop - start]
                _ratio_row(n, d, u[start:stop], part)
                found = _count_inside(part, level)
                if found == 0:
                    continue
                inside += found
                while values[left - start] > level:
                    left += 1
                while values[right - start] > level:
                    right -= 1
            begin, end = min(begin, left), right
        count[r], first[r], last[r] = inside, begin, end


@jit
def row_minima(chi2: FloatArray, lowest: FloatArray) -> None:
    """Lower ``lowest[r]`` to the smallest value of row r of ``chi2``."""
    for r in range(chi2.shape[0]):
        lowest[r] = min(lowest[r], _least(chi2[r]))


@jit
def row_spans(
    chi2: FloatArray, level: float, count: FloatArray, first: FloatArray, last: FloatArray
) -> None:
    """Fill how many values of row r of ``chi2`` are at most ``level``, the first and the last.

    Where there is none the first is the length of the row, the last -1.
    """
    points = chi2.shape[1]
    for r in range(chi2.shape[0]):
        inside = 0
        for i in range(points):
            inside += chi2[r, i] <= level
        begin, end = points, -1
        if inside > 0:
            begin, end = 0, points - 1
            while not chi2[r, begin] <= level:
                begin += 1
            while not chi2[r, end] <= level:
                end -= 1
        count[r], first[r], last[r] = inside, begin, end


@jit
def row_posteriors(
    chi2: FloatArray, weights: FloatArray, reference: FloatArray, total: FloatArray
) -> None:
    """Add sum_i weights[w, i] exp(-(chi2[r, i] - reference[r]) / 2) to ``total[w, r]``."""
    for r in range(chi2.shape[0]):
        for i in range(chi2.shape[1]):
            density = math.exp(-0.5 * (chi2[r, i] - reference[r]))
            for w in range(weights.shape[0]):
                total[w, r] += weights[w, i] * density
