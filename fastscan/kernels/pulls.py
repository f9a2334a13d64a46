"""The chi2 with several nuisances profiled: linear least squares at every point.

Of bins that hold counts it is another one, see `fastscan.kernels.counted`, whose ``data`` have two
dimensions.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.counted import counted_fit, counted_scratch

__all__ = [
    "chi2_along",
    "fit_point",
    "polynomial_layers",
    "pulled_chi2",
    "reflect",
    "rotate",
    "rounding_of",
    "scratch",
]

FloatArray = np.ndarray

# Part of the largest term that the residuals of a least squares are off by, in all.
_ROUNDING_OF_SUMS = 2e-15


@jit
def reflect(columns: FloatArray, heads: FloatArray, order: FloatArray) -> None:
    """Householder QR with column pivoting, in place: column k ends up with R[:k + 1, k] on top.

    ``columns`` is (pulls, rows): the columns of a least-squares problem, one after the other. Below
    its R column k keeps the vector of its reflection, whose first component is ``heads[k]``.
    """
    pulls, rows = columns.shape
    for k in range(pulls):
        best, longest = k, -1.0
        for j in range(k, pulls):
            square = 0.0
            for i in range(k, rows):
                square += columns[j, i] * columns[j, i]
            if square > longest:
                best, longest = j, square
        if best != k:
            for i in range(rows):
                columns[k, i], columns[best, i] = columns[best, i], columns[k, i]
            order[k], order[best] = order[best], order[k]
        vector = columns[k]
        # The sign that adds, so that no digit cancels.
        diagonal = -math.copysign(math.sqrt(longest), vector[k])
        vector[k] -= diagonal
        for j in range(k + 1, pulls):
            _turn(vector, k, diagonal, columns[j])
        heads[k] = vector[k]
        vector[k] = diagonal


@jit
def rotate(columns: FloatArray, heads: FloatArray, right: FloatArray) -> None:
    """Q^T right in place, shape (rows,): from ``pulls`` on it is what no column can make."""
    for k in range(columns.shape[0]):
        diagonal = columns[k, k]
        columns[k, k] = heads[k]
        _turn(columns[k], k, diagonal, right)
        columns[k, k] = diagonal


@jit
def _turn(vector: FloatArray, k: int, diagonal: float, right: FloatArray) -> None:
    """Reflect ``right`` by the vector whose components begin at k."""
    along = 0.0
    for i in range(k, right.size):
        along += vector[i] * right[i]
    # v.v / 2; the unit rows keep every column from vanishing.
    along /= -diagonal * vector[k]
    for i in range(k, right.size):
        right[i] -= along * vector[i]


@jit
def fit_point(
    point: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    right: FloatArray,
    pulls: FloatArray,
) -> float:
    """Chi2 of one point, its ``pulls`` x filled; ``columns`` and ``right`` are from `scratch`."""
    if data.ndim == 2:
        return counted_fit(point, constraint, data, columns, right, pulls)
    return _least_squares(point, constraint, data, columns, right, pulls)


@jit
def _least_squares(
    point: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    right: FloatArray,
    pulls: FloatArray,
) -> float:
    """Shapes: (1 + pulls) x bins, pulls x (1 + pulls), bins, pulls x (bins + pulls), …."""
    count, bins = constraint.shape[0], data.size
    order = np.empty(count, dtype=np.int64)
    length, heads = np.empty(count), np.empty(count)
    for b in range(bins):
        right[b] = data[b] - point[0, b]
    for k in range(count):
        largest = 1.0
        for b in range(bins):
            largest = max(largest, abs(point[1 + k, b]))
        # Columns of like length: squares of huge counts would overflow.
        shrink = 1.0 / largest
        for b in range(bins):
            columns[k, b] = point[1 + k, b] * shrink
        for j in range(count):
            columns[k, bins + j] = constraint[j, 1 + k] * shrink
        right[bins + k] = constraint[k, 0]
        length[k] = shrink
        order[k] = k
    reflect(columns, heads, order)
    rotate(columns, heads, right)
    total = 0.0
    for i in range(count, bins + count):
        total += right[i] * right[i]
    # From the last row of R up; the solution replaces Q^T right.
    for k in range(count - 1, -1, -1):
        rest = right[k]
        for j in range(k + 1, count):
            rest -= columns[j, k] * right[j]
        right[k] = rest / columns[k, k]
    for k in range(count):
        pulls[order[k]] = right[k] * length[order[k]]
    return total


@jit
def pulled_chi2(
    layers: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    pulls: FloatArray,
) -> None:
    """Fill chi2 and the pulls x that minimise it, at each point.

    chi2 = min over x of |r + sum_k x_k s_k - d|**2 + |M x - c|**2, by orthogonal reflections of
    the bins + pulls rows of unit error: the normal equations would lose half of the digits. A
    prediction that normalisations take away altogether is not on the right-hand side, so that
    signals of any size cost the data no digits.

    Columns s may be alike, but not parallel to rounding at signals beyond 1e10 standard deviations:
    see `fastscan.counts.basis`.

    Parameters
    ----------
    layers : points x (1 + pulls) x bins
        Counts r at the pulls' centre and their change s_k by each x, over sigma.
    constraint : pulls x (1 + pulls)
        c, and M.
    data : bins
        Counts seen d, over sigma.
    chi2 : points
    pulls : points x pulls
        x.
    """
    columns, right = scratch(constraint, data)
    for p in range(layers.shape[0]):
        chi2[p] = fit_point(layers[p], constraint, data, columns, right, pulls[p])


@jit
def scratch(constraint: FloatArray, data: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Memory for `fit_point`: columns and the right-hand side."""
    if data.ndim == 2:
        return counted_scratch(constraint, data)
    pulls = constraint.shape[0]
    return np.empty((pulls, data.size + pulls)), np.empty(data.size + pulls)


@jit
def polynomial_layers(polynomial: FloatArray, u: float, point: FloatArray) -> None:
    """Fill counts and their changes at u: ``point[l, b] = sum_p polynomial[p, l, b] u**p``."""
    top = polynomial.shape[0] - 1
    for k in range(point.shape[0]):
        for b in range(point.shape[1]):
            total = polynomial[top, k, b]
            for p in range(top - 1, -1, -1):
                total = total * u + polynomial[p, k, b]
            point[k, b] = total


@jit
def chi2_along(
    polynomials: FloatArray,
    u: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    rounding: FloatArray,
) -> None:
    """Fill chi2 along lines on which counts are polynomials in u, and what rounding does to it.

    Parameters
    ----------
    polynomials : lines x powers x (1 + pulls) x bins
        Counts at the pulls' centre and their changes of each power, over sigma.
    u : points
    constraint, data
        As for `pulled_chi2`.
    chi2, rounding : lines x points
        Rounding: of counts whose large terms cancel, an estimate from above.
    """
    columns, right = scratch(constraint, data)
    point, pulls = np.empty(polynomials.shape[2:]), np.empty(constraint.shape[1] - 1)
    for r in range(polynomials.shape[0]):
        for q in range(u.size):
            polynomial_layers(polynomials[r], u[q], point)
            chi2[r, q] = fit_point(point, constraint, data, columns, right, pulls)
            rounding[r, q] = rounding_of(point, data, pulls, chi2[r, q])


@jit
def rounding_of(point: FloatArray, data: FloatArray, pulls: FloatArray, chi2: float) -> float:
    """What rounding of counts of which large terms cancel does to chi2, an estimate from above."""
    size, seen = 0.0, data[0] if data.ndim == 2 else data
    for b in range(seen.size):
        size = max(size, abs(seen[b]))
    for k in range(pulls.size):
        largest = 0.0
        for b in range(seen.size):
            largest = max(largest, abs(point[1 + k, b]))
        size += largest * abs(pulls[k])
    error = _ROUNDING_OF_SUMS * size
    return error * (math.sqrt(chi2) + error)
