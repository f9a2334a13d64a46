"""Fits of many data vectors to hypotheses with any linear pulls."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["LANES", "fit_points"]

FloatArray = np.ndarray

# Data vectors scored together: their products with a point are one loop of vector instructions.
LANES = 64


@jit
def fit_points(
    data: FloatArray, basis: FloatArray, linear: FloatArray, constant: FloatArray, score: FloatArray
) -> None:
    """Score |Q D|**2 + 2 f . D - |f|**2 of each data vector at each point, toys x points.

    Parameters
    ----------
    data : toys x n
    basis : points x pulls x n
        Orthonormal rows Q.
    linear : points x n
        f, the part of the offset that no nuisance covers.
    constant : points
        |f|**2.
    score : toys x points
    """
    toys, size = data.shape
    block, along = np.zeros((size, LANES)), np.empty(LANES)
    total = np.empty(LANES)
    for start in range(0, toys, LANES):
        width = min(LANES, toys - start)
        for lane in range(width):
            for k in range(size):
                block[k, lane] = data[start + lane, k]
        for point in range(basis.shape[0]):
            for lane in range(LANES):
                total[lane] = 0.0
            for k in range(size):
                f = 2.0 * linear[point, k]
                if f != 0.0:
                    for lane in range(LANES):
                        total[lane] += f * block[k, lane]
            for pull in range(basis.shape[1]):
                for lane in range(LANES):
                    along[lane] = 0.0
                for k in range(size):
                    q = basis[point, pull, k]
                    for lane in range(LANES):
                        along[lane] += q * block[k, lane]
                for lane in range(LANES):
                    total[lane] += along[lane] * along[lane]
            for lane in range(width):
                score[start + lane, point] = total[lane] - constant[point]
