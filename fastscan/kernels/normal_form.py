"""Counts as a polynomial in one coupling -> the profiled chi2 as a ratio of two polynomials.

With y_j the coefficient of u**j of the counts divided by sigma, d the data divided by sigma,
A = |sum_j y_j u**j|**2, B = y . d, C = d . d and s = sigma_alpha**-2, the normalisation-profiled
chi2 is [A C - B**2 + s (A - 2 B + C)] / (A + s). The difference A C - B**2 is formed from the parts
of y orthogonal to d, C |y_perp|**2, so no digit is lost however large the signal.
"""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = [
    "contract_recoils",
    "row_polynomials",
    "square_monomials",
    "sum_before_squaring",
]

# Squares of monomials are summed for each outer point, which is fast; where they cancel to less
# than this part of their terms, and would lose as many digits, the counts are summed first.
CANCELLED = 1e-3
# Outer points treated together.
TILE = 64

FloatArray = np.ndarray


@jit
def contract_recoils(factors: FloatArray, base: FloatArray, out: FloatArray) -> None:
    """Add sum_t factors[r, t] base[t, b] to ``out[r, b]``, always in the order of t.

    The fixed order makes a row independent of the rows that are computed with it, which a matrix
    product of a linear-algebra library does not promise.
    """
    nodes, columns = base.shape
    rows = factors.shape[0]
    whole = nodes - nodes % 4
    # Four nodes at a time, and two rows: what is read of the base is used eight times, and sums go
    # through memory once for four products. Neither changes the order of a row's sums.
    for r in range(0, rows - rows % 2, 2):
        f, g = factors[r], factors[r + 1]
        row, other = out[r], out[r + 1]
        for t in range(0, whole, 4):
            f0, f1, f2, f3 = f[t], f[t + 1], f[t + 2], f[t + 3]
            g0, g1, g2, g3 = g[t], g[t + 1], g[t + 2], g[t + 3]
            for b in range(columns):
                b0, b1, b2, b3 = base[t, b], base[t + 1, b], base[t + 2, b], base[t + 3, b]
                row[b] += (f0 * b0 + f1 * b1) + (f2 * b2 + f3 * b3)
                other[b] += (g0 * b0 + g1 * b1) + (g2 * b2 + g3 * b3)
    if rows % 2 == 1:
        f, row = factors[rows - 1], out[rows - 1]
        for t in range(0, whole, 4):
            f0, f1, f2, f3 = f[t], f[t + 1], f[t + 2], f[t + 3]
            for b in range(columns):
                pair = f0 * base[t, b] + f1 * base[t + 1, b]
                row[b] += pair + (f2 * base[t + 2, b] + f3 * base[t + 3, b])
    for r in range(rows):
        for t in range(whole, nodes):
            for b in range(columns):
                out[r, b] += factors[r, t] * base[t, b]


@jit
def square_monomials(
    coefficients: FloatArray,
    data: FloatArray,
    inverse_variance_alpha: float,
    squares: FloatArray,
) -> None:
    """Fill what chi2 needs of the monomials' counts, whatever their couplings.

    Parameters
    ----------
    coefficients : shapes x monomials x bins
        Counts of each monomial, divided by sigma.
    data : bins
        Counts seen, divided by sigma.
    inverse_variance_alpha : float
        sigma_alpha**-2.
    squares : shapes x (monomials * (monomials + 1) + monomials)
        For each pair of monomials k <= m, in this order: C y_perp . y_perp + s y . y of all pairs,
        then y . y of all pairs, both doubled where k < m; then y . d of each monomial.
    """
    s = inverse_variance_alpha
    monomials = coefficients.shape[1]
    pairs = monomials * (monomials + 1) // 2
    total = 0.0
    for b in range(data.size):
        total += data[b] * data[b]
    along = np.empty(monomials)
    across = np.empty((monomials, data.size))
    for i in range(coefficients.shape[0]):
        y = coefficients[i]
        _split(y, data, total, along, across)
        pair = 0
        for m in range(monomials):
            for k in range(m + 1):
                full = 0.0
                part = 0.0
                for b in range(data.size):
                    full += y[m, b] * y[k, b]
                    part += across[m, b] * across[k, b]
                twice = 1.0 if k == m else 2.0
                squares[i, pair] = twice * (total * part + s * full)
                squares[i, pairs + pair] = twice * full
                pair += 1
            squares[i, 2 * pairs + m] = along[m]


@jit
def row_polynomials(
    squares: FloatArray,
    weights: FloatArray,
    powers: FloatArray,
    data: FloatArray,
    inverse_variance_alpha: float,
    numerator: FloatArray,
    denominator: FloatArray,
    cancelled: FloatArray,
) -> None:
    """Fill the polynomials N and D of chi2(u) = N(u) / D(u), one row for each outer point.

    Parameters
    ----------
    squares : shapes x ...
        From `square_monomials`.
    weights : monomials x outer
        Product of the outer couplings of each monomial.
    powers : monomials
        Power of the inner variable u in each monomial.
    data : bins
        Counts seen, divided by sigma.
    inverse_variance_alpha : float
        sigma_alpha**-2.
    numerator, denominator : (shapes * outer) x (2 max(powers) + 1)
        Results; the shape index runs slower than the outer index.
    cancelled : shapes * outer
        Set where monomials cancel, so that `sum_before_squaring` has to make the row again.
    """
    s = inverse_variance_alpha
    monomials = powers.size
    pairs = monomials * (monomials + 1) // 2
    terms = numerator.shape[1]
    outer = weights.shape[1]
    total = 0.0
    for b in range(data.size):
        total += data[b] * data[b]
    # Outer points side by side, so that their sums are vectors; each has its own, in this order.
    n = np.empty((terms, TILE))
    d = np.empty((terms, TILE))
    size_n = np.empty((terms, TILE))
    size_d = np.empty((terms, TILE))
    lost = np.empty(TILE)
    for i in range(squares.shape[0]):
        for start in range(0, outer, TILE):
            count = min(TILE, outer - start)
            for p in range(terms):
                for o in range(count):
                    n[p, o] = d[p, o] = size_n[p, o] = size_d[p, o] = 0.0
            pair = 0
            for m in range(monomials):
                for k in range(m + 1):
                    p = powers[m] + powers[k]
                    top, bottom = squares[i, pair], squares[i, pairs + pair]
                    for o in range(count):
                        product = weights[m, start + o] * weights[k, start + o]
                        n[p, o] += product * top
                        d[p, o] += product * bottom
                        size_n[p, o] += abs(product * top)
                        size_d[p, o] += abs(product * bottom)
                    pair += 1
            for o in range(count):
                lost[o] = 0.0
            for p in range(terms):
                for o in range(count):
                    lost[o] += abs(n[p, o]) < CANCELLED * size_n[p, o]
                    lost[o] += abs(d[p, o]) < CANCELLED * size_d[p, o]
            for o in range(count):
                n[0, o] += s * total
                d[0, o] += s
            for m in range(monomials):
                p = powers[m]
                factor = 2.0 * s * squares[i, 2 * pairs + m]
                for o in range(count):
                    n[p, o] -= factor * weights[m, start + o]
            first = i * outer + start
            for o in range(count):
                cancelled[first + o] = lost[o] > 0.0
                for p in range(terms):
                    numerator[first + o, p] = n[p, o]
                    denominator[first + o, p] = d[p, o]


@jit
def sum_before_squaring(
    coefficients: FloatArray,
    weights: FloatArray,
    powers: FloatArray,
    data: FloatArray,
    inverse_variance_alpha: float,
    numerator: FloatArray,
    denominator: FloatArray,
) -> None:
    """Fill rows as `row_polynomials` does, from counts that are added up first.

    Exact where monomials cancel, and slower: each row costs sums over the bins. Arguments have one
    entry for each row: ``coefficients`` rows x monomials x bins, ``weights`` monomials x rows.
    """
    s = inverse_variance_alpha
    degree = (numerator.shape[1] - 1) // 2
    total = 0.0
    for b in range(data.size):
        total += data[b] * data[b]
    y = np.empty((degree + 1, data.size))
    along = np.empty(degree + 1)
    across = np.empty((degree + 1, data.size))
    for row in range(numerator.shape[0]):
        y[:] = 0.0
        for m in range(powers.size):
            for b in range(data.size):
                y[powers[m], b] += weights[m, row] * coefficients[row, m, b]
        _split(y, data, total, along, across)
        n, d = numerator[row], denominator[row]
        n[:] = 0.0
        d[:] = 0.0
        for j in range(degree + 1):
            for k in range(degree + 1):
                full = 0.0
                part = 0.0
                for b in range(data.size):
                    full += y[j, b] * y[k, b]
                    part += across[j, b] * across[k, b]
                n[j + k] += total * part + s * full
                d[j + k] += full
        n[0] += s * total
        d[0] += s
        for j in range(degree + 1):
            n[j] -= 2.0 * s * along[j]


@jit
def _split(
    y: FloatArray, data: FloatArray, total: float, along: FloatArray, across: FloatArray
) -> None:
    """Part of each row of counts along the data (times their length), and the part across."""
    for m in range(y.shape[0]):
        along[m] = 0.0
        for b in range(data.size):
            along[m] += y[m, b] * data[b]
        ratio = along[m] / total if total > 0.0 else 0.0
        for b in range(data.size):
            across[m, b] = y[m, b] - ratio * data[b]
