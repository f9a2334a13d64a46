"""Eigenvectors of small symmetric matrices."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["diagonalise"]

FloatArray = np.ndarray


@jit
def diagonalise(matrix: FloatArray, vectors: FloatArray) -> None:
    """Jacobi rotations of a small symmetric matrix, in place.

    Parameters
    ----------
    matrix : n x n
        Becomes diagonal. Values below 1e-15 off the diagonal count as zero.
    vectors : n x n
        Column j becomes the eigenvector of ``matrix[j, j]``.
    """
    n = matrix.shape[0]
    vectors[:] = 0.0
    for i in range(n):
        vectors[i, i] = 1.0
    for _ in range(30):
        off = 0.0
        for i in range(n):
            for j in range(i):
                off = max(off, abs(matrix[i, j]))
        if off < 1e-15:
            return
        for p in range(n):
            for q in range(p + 1, n):
                if abs(matrix[p, q]) < 1e-18:
                    continue
                ratio = 0.5 * (matrix[q, q] - matrix[p, p]) / matrix[p, q]
                t = math.copysign(1.0, ratio) / (abs(ratio) + math.sqrt(ratio * ratio + 1.0))
                c = 1.0 / math.sqrt(t * t + 1.0)
                s = t * c
                for k in range(n):
                    one, two = matrix[k, p], matrix[k, q]
                    matrix[k, p], matrix[k, q] = c * one - s * two, s * one + c * two
                for k in range(n):
                    one, two = matrix[p, k], matrix[q, k]
                    matrix[p, k], matrix[q, k] = c * one - s * two, s * one + c * two
                for k in range(n):
                    one, two = vectors[k, p], vectors[k, q]
                    vectors[k, p], vectors[k, q] = c * one - s * two, s * one + c * two
