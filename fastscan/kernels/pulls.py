"""The chi2 with several nuisances profiled: linear least squares at every point."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["pulled_chi2"]

FloatArray = np.ndarray

# What is left of counts that the pulls' centre takes away is rounding below this part of them.
ROUNDING = 1e-14


@jit
def _reflect(columns: FloatArray, right: FloatArray, order: FloatArray) -> None:
    """Householder QR with column pivoting, in place: column k ends up with R[:k + 1, k] on top.

    ``columns`` is (pulls, rows): the columns of a least-squares problem, one after the other;
    ``right`` becomes Q^T right, whose components from ``pulls`` on are the residual.
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
        # v.v / 2; the unit rows keep every column from vanishing.
        half = -diagonal * vector[k]
        for j in range(k + 1, pulls):
            along = 0.0
            for i in range(k, rows):
                along += vector[i] * columns[j, i]
            along /= half
            for i in range(k, rows):
                columns[j, i] -= along * vector[i]
        along = 0.0
        for i in range(k, rows):
            along += vector[i] * right[i]
        along /= half
        for i in range(k, rows):
            right[i] -= along * vector[i]
        vector[k] = diagonal


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
    count, bins = centre.size, data.size
    rows = bins + count
    columns = np.empty((count, rows))
    length = np.empty(count)
    right = np.empty(rows)
    order = np.empty(count, dtype=np.int64)
    solution = np.empty(count)
    for p in range(layers.shape[0]):
        point = layers[p]
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
        _reflect(columns, right, order)
        total = 0.0
        for i in range(count, rows):
            total += right[i] * right[i]
        chi2[p] = total
        for k in range(count - 1, -1, -1):
            rest = right[k]
            for j in range(k + 1, count):
                rest -= columns[j, k] * solution[j]
            solution[k] = rest / columns[k, k]
        for k in range(count):
            pulls[p, order[k]] = solution[k] * length[order[k]] - centre[order[k]]
