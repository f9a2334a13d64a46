"""The profiled chi2 at arbitrary points of many couplings, through the normal form."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["all_inside", "chi2_of_points"]

FloatArray = np.ndarray

# Points treated together: their features stay in the nearest cache.
TILE = 256


@jit
def _multiply(left: FloatArray, right: FloatArray) -> None:
    for i in range(TILE):
        left[i] *= right[i]


@jit
def _add(total: FloatArray, factor: float, values: FloatArray) -> None:
    for i in range(TILE):
        total[i] += factor * values[i]


@jit
def _add_products(
    left: FloatArray,
    right: FloatArray,
    top: float,
    bottom: float,
    numerator: FloatArray,
    denominator: FloatArray,
) -> None:
    for i in range(TILE):
        product = left[i] * right[i]
        numerator[i] += top * product
        denominator[i] += bottom * product


@jit
def all_inside(points: FloatArray, low: FloatArray, high: FloatArray) -> bool:
    """Whether all points, shape (points, columns), have every column between its ends."""
    inside = True
    for start in range(0, points.shape[0], TILE):
        n = min(TILE, points.shape[0] - start)
        for c in range(points.shape[1]):
            first, last = low[c], high[c]
            for i in range(n):
                value = points[start + i, c]
                inside &= (value >= first) & (value <= last)
    return inside


@jit
def chi2_of_points(
    points: FloatArray,
    column_of_coupling: FloatArray,
    chi2: FloatArray,
    exponents: FloatArray,
    feature_of_monomial: FloatArray,
    share_of_monomial: FloatArray,
    along: FloatArray,
    top: FloatArray,
    bottom: FloatArray,
    data_squared: float,
    inverse_variance_alpha: float,
) -> None:
    """Fill ``chi2[p]`` for points p, shape (points, columns).

    Monomials of proportional counts share a feature, x_f = sum of share * monomial, so that
    A = x . bottom . x, N = x . top . x - 2 s along . x + s C and chi2 = N / (A + s), with
    ``top`` = C y_perp . y_perp + s y . y and ``bottom`` = y . y of the features' counts, lower
    triangles with doubled off-diagonal elements; s = ``inverse_variance_alpha``,
    C = ``data_squared``. NaN where A overflows: N may still be finite there, and mean nothing.
    """
    features = along.size
    couplings = column_of_coupling.size
    x = np.empty((features, TILE))
    column = np.zeros((couplings, TILE))
    monomial = np.empty(TILE)
    numerator = np.empty(TILE)
    denominator = np.empty(TILE)
    s = inverse_variance_alpha
    for start in range(0, points.shape[0], TILE):
        n = min(TILE, points.shape[0] - start)
        for c in range(couplings):
            for i in range(n):
                column[c, i] = points[start + i, column_of_coupling[c]]
        x[:] = 0.0
        for m in range(exponents.shape[0]):
            monomial[:] = share_of_monomial[m]
            for c in range(couplings):
                for _ in range(exponents[m, c]):
                    _multiply(monomial, column[c])
            _add(x[feature_of_monomial[m]], 1.0, monomial)
        numerator[:] = s * data_squared
        denominator[:] = s
        for f in range(features):
            _add(numerator, -2.0 * s * along[f], x[f])
            for g in range(f + 1):
                _add_products(x[f], x[g], top[f, g], bottom[f, g], numerator, denominator)
        for i in range(n):
            finite = np.isfinite(denominator[i])
            chi2[start + i] = numerator[i] / denominator[i] if finite else np.nan
