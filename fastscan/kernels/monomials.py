"""Counts as sums of monomials of couplings, and the derivatives of one."""

from __future__ import annotations

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["add_monomials", "by_coupling"]

FloatArray = np.ndarray


@jit
def add_monomials(
    x: FloatArray,
    layers: FloatArray,
    exponents: FloatArray,
    powers: FloatArray,
    predicted: FloatArray,
) -> None:
    """Powers of the couplings and the layers of the counts, in place.

    Parameters
    ----------
    x : couplings
    layers : layers x monomials x bins
    exponents : monomials x couplings
    powers : couplings x (1 + highest exponent)
    predicted : layers x bins
    """
    for c in range(x.size):
        powers[c, 0] = 1.0
        for e in range(1, powers.shape[1]):
            powers[c, e] = powers[c, e - 1] * x[c]
    predicted[:] = 0.0
    for m in range(exponents.shape[0]):
        monomial = 1.0
        for c in range(x.size):
            monomial *= powers[c, exponents[m, c]]
        for layer in range(predicted.shape[0]):
            for b in range(predicted.shape[1]):
                predicted[layer, b] += monomial * layers[layer, m, b]


@jit
def by_coupling(
    exponents: FloatArray, powers: FloatArray, m: int, first: int, second: int
) -> float:
    """Derivative of a monomial by one coupling, or by two where ``second`` is not negative.

    Parameters
    ----------
    exponents : monomials x couplings
    powers : couplings x (1 + highest exponent)
        From `add_monomials`.
    m : row of the monomial
    first, second : columns of couplings
    """
    product = 1.0
    for c in range(exponents.shape[1]):
        e = exponents[m, c]
        if c == first:
            product *= e
            e -= 1
        if c == second:
            product *= e
            e -= 1
        if product == 0.0:
            return 0.0
        product *= powers[c, e]
    return product
