"""Chi2 along one coupling with one normalisation: a ratio of two polynomials, exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.likelihoods.curve import Curve

__all__ = ["RatioCurve", "stationary_points"]

FloatArray = NDArray[np.float64]

_POLY = np.polynomial.polynomial
# Squared counts below this part of their terms have lost digits worth recovering.
_CANCELLED = 1e-3


@dataclass(frozen=True)
class RatioCurve(Curve):
    """Chi2 of one variable u between two bounds, the counts being a polynomial in u.

    Attributes
    ----------
    coefficients : (powers, bins)
        Counts of each power of u, divided by sigma.
    data : (bins,)
        Counts seen, divided by sigma.
    inverse_variance_alpha : float
        sigma_alpha**-2.
    lower, upper : float
        Bounds of u; may be infinite.
    """

    coefficients: FloatArray
    data: FloatArray
    inverse_variance_alpha: float
    lower: float
    upper: float

    def __call__(self, u: float) -> float:
        """Chi2 at u, its limit at an infinite u."""
        y, d, s = self.coefficients, self.data, self.inverse_variance_alpha
        top = _top_power(y)
        if top == 0:
            counts, seen, pull = y[0], d, s
        elif abs(u) <= 1.0:
            counts, seen, pull = _horner(y[::-1], u), d, s
        else:
            # Everything divided by u**top, so that no power overflows.
            inverse = 1.0 / u
            shrink = abs(inverse) ** top
            counts, seen, pull = _horner(y[: top + 1], inverse), d * shrink, s * shrink**2
            if u < 0.0 and top % 2:
                counts = -counts
        c = float(d @ d)
        across = counts - (float(counts @ d) / c * d if c > 0.0 else 0.0)
        difference = counts - seen
        numerator = c * float(across @ across) + s * float(difference @ difference)
        return numerator / (float(counts @ counts) + pull)

    def turning_points(self) -> list[float]:
        """Bounds and stationary points in rising order: chi2 is monotonic between neighbours."""
        stationary = stationary_points(self.coefficients, self.data, self.inverse_variance_alpha)
        return [self.lower, *(u for u in stationary if self.lower < u < self.upper), self.upper]


def stationary_points(
    coefficients: FloatArray, data: FloatArray, inverse_variance_alpha: float
) -> list[float]:
    """Real roots of the derivative of chi2, in rising order; a superset is harmless.

    Arguments as for `RatioCurve`. The polynomials are expanded around the point where the counts
    cancel most, if they do, for there their digits are lost otherwise. Roots near the real axis
    are taken for real: a point too many costs one evaluation, one too few could lose an island.
    """
    top = _top_power(coefficients)
    if top == 0:
        return []
    # In units in which the outer coefficients of A + s have equal size: couplings of 1e-16 would
    # drown in rounding otherwise.
    outer = float(np.sqrt(coefficients[0] @ coefficients[0] + inverse_variance_alpha))
    scale = float((outer / np.linalg.norm(coefficients[top])) ** (1.0 / top))
    y = coefficients[: top + 1] * scale ** np.arange(top + 1)[:, None]
    deepest = _deepest_cancellation(_polynomials(y, data, inverse_variance_alpha)[1])
    numerator, denominator = _polynomials(_shift(y, deepest), data, inverse_variance_alpha)
    rising = _POLY.polymul(_POLY.polyder(numerator), denominator)
    falling = _POLY.polymul(numerator, _POLY.polyder(denominator))
    # The highest power cancels, exactly but for rounding, which would pass for a root far away.
    roots = _roots((rising - falling)[:-1])
    near = np.abs(roots.imag) <= 1e-3 * np.abs(roots)
    return sorted({scale * (deepest + float(u)) for u in roots.real[near]})


def _polynomials(
    y: FloatArray, data: FloatArray, inverse_variance_alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Chi2 as a ratio of two polynomials in rising powers."""
    # In NumPy, unlike `kernels.normal_form.row_polynomials`, which fills rows by the million: for
    # the one row of a limit, loading compiled code would take longer than everything else.
    s = inverse_variance_alpha
    total = float(data @ data)
    across = y - np.outer(y @ data / total, data) if total > 0.0 else y
    difference = y.copy()
    difference[0] -= data
    powers = np.add.outer(np.arange(y.shape[0]), np.arange(y.shape[0])).ravel()
    numerator = np.bincount(
        powers, (total * (across @ across.T) + s * (difference @ difference.T)).ravel()
    )
    denominator = np.bincount(powers, (y @ y.T).ravel())
    denominator[0] += s
    return np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)


def _deepest_cancellation(denominator: FloatArray) -> float:
    """Point at which the squared counts are small beside their terms; 0 if there is none."""
    best, depth = 0.0, _CANCELLED
    for u in _roots(np.asarray(_POLY.polyder(denominator))).real:
        size = float(_POLY.polyval(abs(u), np.abs(denominator)))
        value = abs(float(_POLY.polyval(u, denominator)))
        if value < depth * size:
            best, depth = float(u), value / size
    return best


def _roots(polynomial: FloatArray) -> NDArray[np.complex128]:
    """Roots twice: with all powers, and without leading ones that are rounding or nearly so.

    Such a power puts a root far away, and costs those of order one their digits.
    """
    largest = np.abs(polynomial).max(initial=0.0)
    if largest == 0.0:
        return np.empty(0, dtype=complex)
    trimmed = (_POLY.polytrim(polynomial / largest, least) for least in (1e-300, 1e-12))
    return np.concatenate([np.asarray(_POLY.polyroots(p), dtype=complex) for p in trimmed])


def _shift(y: FloatArray, by: float) -> FloatArray:
    """Coefficients of y(by + v) in v."""
    shifted = np.zeros_like(y)
    for row in y[::-1]:
        shifted[1:] = by * shifted[1:] + shifted[:-1]
        shifted[0] = by * shifted[0] + row
    return shifted


def _top_power(y: FloatArray) -> int:
    powers = np.flatnonzero(np.abs(y).max(axis=1))
    return int(powers[-1]) if powers.size else 0


def _horner(coefficients: FloatArray, u: float) -> FloatArray:
    """Polynomial with vector coefficients, highest power first."""
    total = np.zeros(coefficients.shape[1])
    for row in coefficients:
        total = total * u + row
    return total
