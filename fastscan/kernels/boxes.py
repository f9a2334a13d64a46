"""Chebyshev series of several variables, summed over a product of points."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["chebyshev_polynomials", "contract_middle", "series_rows"]

FloatArray = np.ndarray


@jit
def chebyshev_polynomials(x: FloatArray, out: FloatArray) -> None:
    """Fill ``out[k, i] = T_k(x[i])``."""
    terms = out.shape[0]
    for i in range(x.size):
        out[0, i] = 1.0
    if terms > 1:
        for i in range(x.size):
            out[1, i] = x[i]
    for k in range(2, terms):
        for i in range(x.size):
            out[k, i] = 2.0 * x[i] * out[k - 1, i] - out[k - 2, i]


@jit
def contract_middle(factors: FloatArray, array: FloatArray, out: FloatArray) -> None:
    """Fill ``out[a, i, b] = sum_k factors[k, i] array[a, k, b]``, always in the order of k."""
    terms, points = factors.shape
    for a in range(array.shape[0]):
        for i in range(points):
            row = out[a, i]
            row[:] = 0.0
            for k in range(terms):
                factor, part = factors[k, i], array[a, k]
                for b in range(row.size):
                    row[b] += factor * part[b]


@jit
def series_rows(
    series: FloatArray,
    polynomials: FloatArray,
    rows: FloatArray,
    first: int,
    out: FloatArray,
) -> None:
    """Fill ``out[rows[r], first + j] = sum_k series[r, k] polynomials[k, j]``, in the order of k.

    A point is the same sum whatever others it is computed with.
    """
    terms, points = polynomials.shape
    whole = terms - terms % 4
    for r in range(rows.size):
        c = series[r]
        row = out[rows[r], first : first + points]
        row[:] = 0.0
        # Four terms at a time: sums go through memory once for four products.
        for k in range(0, whole, 4):
            c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
            p0, p1, p2, p3 = (
                polynomials[k],
                polynomials[k + 1],
                polynomials[k + 2],
                polynomials[k + 3],
            )
            for j in range(points):
                row[j] += (c0 * p0[j] + c1 * p1[j]) + (c2 * p2[j] + c3 * p3[j])
        for k in range(whole, terms):
            last, part = c[k], polynomials[k]
            for j in range(points):
                row[j] += last * part[j]
