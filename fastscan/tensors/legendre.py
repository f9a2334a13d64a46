"""Gauss-Legendre panels: functions by their values at the points, and by their series."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev, legendre
from numpy.typing import NDArray

__all__ = [
    "LEGENDRE",
    "NODES",
    "ORDER",
    "TO_CHEBYSHEV",
    "TO_LEGENDRE",
    "WEIGHTS",
    "cumulative",
    "tail",
]

FloatArray = NDArray[np.float64]

# Points of a panel.
ORDER = 16
NODES, WEIGHTS = legendre.leggauss(ORDER)
_DEGREES = np.arange(ORDER)
# P_l at point i, shape (l, i).
LEGENDRE: FloatArray = np.ascontiguousarray(legendre.legvander(NODES, ORDER - 1).T)
# Values at the points -> series of the polynomial through them, shape (l, i).
TO_LEGENDRE: FloatArray = (_DEGREES + 0.5)[:, None] * LEGENDRE * WEIGHTS
TO_CHEBYSHEV: FloatArray = np.ascontiguousarray(
    np.linalg.inv(chebyshev.chebvander(NODES, ORDER - 1))
)


def tail(values: FloatArray) -> FloatArray:
    """Sizes of the last two coefficients, added, of values at points (..., points)."""
    last: FloatArray = np.abs(values @ TO_LEGENDRE[-2:].T).sum(axis=-1)
    return last


def cumulative(place: FloatArray) -> FloatArray:
    """Factors g with int_-1^u f = sum_i g[i] w_i f_i, shape (places, points).

    With f_i the values at the points, w_i their weights, u the place; 0 at -1 and 1 at +1.
    """
    upper = legendre.legvander(place, ORDER)
    integrals = np.empty((place.size, ORDER))
    integrals[:, 0] = place + 1.0
    integrals[:, 1:] = (upper[:, 2:] - upper[:, :-2]) / (2.0 * _DEGREES[1:] + 1.0)
    factors: FloatArray = integrals @ ((_DEGREES + 0.5)[:, None] * LEGENDRE)
    return factors
