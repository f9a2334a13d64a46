"""The profiled chi2 at arbitrary points of many couplings, through the normal form."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["chi2_of_points"]

FloatArray = np.ndarray

# Points treated together: their features stay in the nearest cache.
TILE = 256


@jit
def _multiply(left: FloatArray, right: FloatArray) -> None:
    for i in range(left.size):
        left[i] *= right[i]


@jit
def _add(total: FloatArray, factor: float, values: FloatArray) -> None:
    for i in range(total.size):
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
    for i in range(left.size):
        product = left[i] * right[i]
        numerator[i] += top * product
        denominator[i] += bottom * product


@jit
def chi2_of_points(
    points: FloatArray,
    column_of_coupling: FloatArray,
    low: FloatArray,
    high: FloatArray,
    chi2: FloatArray,
    exponents: FloatArray,
    feature_of_monomial: FloatArray,
    share_of_monomial: FloatArray,
    along: FloatArray,
    top: FloatArray,
    bottom: FloatArray,
    data_squared: float,
    inverse_variance_alpha: float,
) -> bool:
    """Fill ``chi2[p]`` for points p, shape (points, columns); whether all are in range.

    Infinite for points with a coupling that is not between its ends of ``low`` and ``high``, and
    where A overflows: N may still be finite there, and mean nothing. Never NaN.

    Monomials of proportional counts share a feature, x_f = sum of share * monomial, so that
    A = x . bottom . x, N = x . top . x - 2 s along . x + s C and chi2 = N / (A + s), with
    ``top`` = C y_perp . y_perp + s y . y and ``bottom`` = y . y of the features' counts, lower
    triangles with doubled off-diagonal elements; s = ``inverse_variance_alpha``,
    C = ``data_squared``.
    """
    features = along.size
    couplings = column_of_coupling.size
    tile = min(TILE, points.shape[0])
    x = np.empty((features, tile))
    column = np.zeros((couplings, tile))
    monomial = np.empty(tile)
    numerator = np.empty(tile)
    denominator = np.empty(tile)
    inside = np.empty(tile, dtype=np.bool_)
    all_inside = True
    s = inverse_variance_alpha
    for start in range(0, points.shape[0], tile):
        n = min(tile, points.shape[0] - start)
        inside[:] = True
        for c in range(couplings):
            first, last = low[c], high[c]
            own = column_of_coupling[c]
            values = column[c]
            for i in range(n):
                values[i] = points[start + i, own]
            for i in range(tile):
                inside[i] &= (values[i] >= first) & (values[i] <= last)
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
            ratio = numerator[i] / denominator[i]
            finite = (denominator[i] < np.inf) & (ratio == ratio)
            chi2[start + i] = ratio if inside[i] & finite else np.inf
        for i in range(n):
            all_inside &= inside[i]
    return all_inside
