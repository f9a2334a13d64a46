"""Chebyshev series of several variables, summed over a product of points."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["chebyshev_polynomials", "contract_middle", "series_rows"]

FloatArray = np.ndarray

# Points of a row that are summed together.
STRETCH = 256


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

    A point is the same sum whatever others it is computed with. The number of terms is a multiple
    of four.
    """
    terms, points = polynomials.shape
    # Polynomials of a stretch of points stay in the nearest cache for all rows.
    for start in range(0, points, STRETCH):
        stop = min(start + STRETCH, points)
        for r in range(0, rows.size - rows.size % 2, 2):
            row = out[rows[r], first + start : first + stop]
            other = out[rows[r + 1], first + start : first + stop]
            c, d = series[r], series[r + 1]
            row[:] = 0.0
            other[:] = 0.0
            # Four terms at a time, and two rows: what is read is used eight times.
            for k in range(0, terms, 4):
                c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
                d0, d1, d2, d3 = d[k], d[k + 1], d[k + 2], d[k + 3]
                p0, p1 = polynomials[k, start:stop], polynomials[k + 1, start:stop]
                p2, p3 = polynomials[k + 2, start:stop], polynomials[k + 3, start:stop]
                for j in range(stop - start):
                    row[j] += (c0 * p0[j] + c1 * p1[j]) + (c2 * p2[j] + c3 * p3[j])
                    other[j] += (d0 * p0[j] + d1 * p1[j]) + (d2 * p2[j] + d3 * p3[j])
        if rows.size % 2 == 1:
            row = out[rows[rows.size - 1], first + start : first + stop]
            c = series[rows.size - 1]
            row[:] = 0.0
            for k in range(0, terms, 4):
                c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
                p0, p1 = polynomials[k, start:stop], polynomials[k + 1, start:stop]
                p2, p3 = polynomials[k + 2, start:stop], polynomials[k + 3, start:stop]
                for j in range(stop - start):
                    row[j] += (c0 * p0[j] + c1 * p1[j]) + (c2 * p2[j] + c3 * p3[j])
