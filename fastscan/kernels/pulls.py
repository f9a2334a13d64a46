"""The chi2 with several nuisances profiled: linear least squares at every point."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = [
    "ROUNDING",
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

# What is left of counts that the pulls' centre takes away is rounding below this part of them.
ROUNDING = 1e-14
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
    centre: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    right: FloatArray,
    pulls: FloatArray,
) -> float:
    """Chi2 of one point, its ``pulls`` filled; ``columns`` and ``right`` are scratch.

    Shapes: (1 + pulls) x bins, pulls, bins, pulls x (bins + pulls), bins + pulls, pulls.
    """
    count, bins = centre.size, data.size
    order = np.empty(count, dtype=np.int64)
    length, heads = np.empty(count), np.empty(count)
    for b in range(bins):
        moved = point[0, b]
        for k in range(count):
            moved -= centre[k] * point[1 + k, b]
        if abs(moved) <= ROUNDING * abs(point[0, b]):
            moved = 0.0
        right[b] = data[b] - moved
    for k in range(count):
        largest = 1.0
        for b in range(bins):
            largest = max(largest, abs(point[1 + k, b]))
        # Columns of like length: squares of huge counts would overflow.
        shrink = 1.0 / largest
        for b in range(bins):
            columns[k, b] = point[1 + k, b] * shrink
        columns[k, bins:] = 0.0
        columns[k, bins + k] = shrink
        right[bins + k] = centre[k]
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
        pulls[order[k]] = right[k] * length[order[k]] - centre[order[k]]
    return total


@jit
def pulled_chi2(
    layers: FloatArray,
    centre: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    pulls: FloatArray,
) -> None:
    """Fill chi2 and the pulls beta that minimise it, at each point.

    chi2 = min over beta of |y + sum_k beta_k t_k - d|**2 + |beta|**2, by orthogonal reflections of
    the bins + pulls rows of unit error: the normal equations would lose half of the digits. In
    pulls gamma = beta + c from their centre a prediction that normalisations take away altogether
    is not on the right-hand side, so that signals of any size cost the data no digits:

        | sum_k gamma_k t_k - (d - y + sum_k c_k t_k) |**2 + |gamma - c|**2.

    Pulls may be alike, but not parallel to rounding at signals beyond 1e10 standard deviations:
    normalisations of everything have to be one pull.

    Parameters
    ----------
    layers : points x (1 + pulls) x bins
        Counts y and their change t_k by one standard deviation of each pull, over sigma.
    centre : pulls
        c, see `fastscan.counts.Counts`.
    data : bins
        Counts seen d, over sigma.
    chi2 : points
    pulls : points x pulls
        beta.
    """
    columns, right = scratch(centre, data)
    for p in range(layers.shape[0]):
        chi2[p] = fit_point(layers[p], centre, data, columns, right, pulls[p])


@jit
def scratch(centre: FloatArray, data: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Memory for `fit_point`: columns and the right-hand side."""
    return np.empty((centre.size, data.size + centre.size)), np.empty(data.size + centre.size)


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
    centre: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    rounding: FloatArray,
) -> None:
    """Fill chi2 along lines on which counts are polynomials in u, and what rounding does to it.

    Parameters
    ----------
    polynomials : lines x powers x (1 + pulls) x bins
        Counts and their changes of each power, over sigma.
    u : points
    centre, data
        As for `pulled_chi2`.
    chi2, rounding : lines x points
        Rounding: of counts whose large terms cancel, an estimate from above.
    """
    columns, right = scratch(centre, data)
    point, pulls = np.empty(polynomials.shape[2:]), np.empty(centre.size)
    for r in range(polynomials.shape[0]):
        for q in range(u.size):
            polynomial_layers(polynomials[r], u[q], point)
            chi2[r, q] = fit_point(point, centre, data, columns, right, pulls)
            rounding[r, q] = rounding_of(point, centre, data, pulls, chi2[r, q])


@jit
def rounding_of(
    point: FloatArray, centre: FloatArray, data: FloatArray, pulls: FloatArray, chi2: float
) -> float:
    """What rounding of counts of which large terms cancel does to chi2, an estimate from above."""
    size = 0.0
    for b in range(data.size):
        size = max(size, abs(data[b]))
    for k in range(centre.size):
        largest = 0.0
        for b in range(data.size):
            largest = max(largest, abs(point[1 + k, b]))
        size += largest * abs(pulls[k] + centre[k])
    error = _ROUNDING_OF_SUMS * size
    return error * (math.sqrt(chi2) + error)
