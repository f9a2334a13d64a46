"""The chi2 of counts with the normalisation profiled in closed form (C25 eq. 20)."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError

__all__ = ["delta_chi2", "normalisation_pull", "profiled_chi2"]

FloatArray = NDArray[np.float64]


def profiled_chi2(
    counts: ArrayLike, data: ArrayLike, sigma: ArrayLike, sigma_alpha: float
) -> FloatArray:
    """Minimum over alpha of sum_b [((1 + alpha) R_b - D_b) / sigma_b]**2 + (alpha/sigma_alpha)**2.

    Parameters
    ----------
    counts : (..., bins)
        Predicted counts R.
    data, sigma : (bins,)
        Counts seen and their standard deviations.
    sigma_alpha : float
        Relative uncertainty of the normalisation.

    Returns
    -------
    (...)
        [A C - B**2 + s (A - 2 B + C)] / (A + s), s = sigma_alpha**-2, with A C - B**2 formed from
        the part of R orthogonal to D: exact to rounding however large the signal.
    """
    y, d = _scaled(counts, data, sigma)
    s = sigma_alpha**-2
    a = (y * y).sum(axis=-1)
    c = float((d * d).sum())
    along = (y * d).sum(axis=-1) / c if c > 0.0 else np.zeros_like(a)
    across = y - along[..., None] * d
    difference = y - d
    # Divided through by A + s from the start, so that huge signals do not overflow.
    shrink = 1.0 / (a + s)
    chi2: FloatArray = c * ((across * across).sum(axis=-1) * shrink) + s * (
        (difference * difference).sum(axis=-1) * shrink
    )
    return chi2


def normalisation_pull(
    counts: ArrayLike, data: ArrayLike, sigma: ArrayLike, sigma_alpha: float
) -> FloatArray:
    """Best normalisation shift, alpha_hat = (B - A) / (A + s), shape (...)."""
    y, d = _scaled(counts, data, sigma)
    a, b = (y * y).sum(axis=-1), (y * d).sum(axis=-1)
    pull: FloatArray = (b - a) / (a + sigma_alpha**-2)
    return pull


def delta_chi2(
    confidence_level: float, degrees_of_freedom: int = 1, *, one_sided: bool = False
) -> float:
    """Rise of chi2 above its minimum at a confidence level (Wilks).

    ``one_sided``: of an upper limit, whose errors are all on one side (arXiv:1007.1727, eq. 65).

    >>> round(delta_chi2(0.90), 3), round(delta_chi2(0.90, 2), 3)
    (2.706, 4.605)
    >>> round(delta_chi2(0.90, one_sided=True), 3)
    1.642

    Raises
    ------
    InputError
        Level not between 0 and 1, or fewer than one degree of freedom.
    """
    if not 0.0 < confidence_level < 1.0:
        raise InputError(
            f"confidence level {confidence_level:g} is not between 0 and 1",
            where="--cl",
            hint="write 90 % as 0.90",
        )
    if degrees_of_freedom < 1:
        raise InputError(
            f"{degrees_of_freedom} degrees of freedom", where="--dof", hint="give 1 or more"
        )
    if one_sided:
        if degrees_of_freedom != 1 or confidence_level < 0.5:
            raise InputError(
                "one-sided limits are of one parameter, at 50 % or more",
                where="--one-sided",
                hint="leave it out",
            )
        return NormalDist().inv_cdf(confidence_level) ** 2
    # One and two degrees of freedom have closed forms; SciPy takes long to import.
    if degrees_of_freedom == 1:
        return NormalDist().inv_cdf(0.5 * (1.0 - confidence_level)) ** 2
    if degrees_of_freedom == 2:
        return -2.0 * math.log1p(-confidence_level)
    from scipy.special import chdtri

    return float(chdtri(degrees_of_freedom, 1.0 - confidence_level))


def _scaled(counts: ArrayLike, data: ArrayLike, sigma: ArrayLike) -> tuple[FloatArray, FloatArray]:
    scale = np.asarray(sigma, dtype=float)
    return np.asarray(counts, dtype=float) / scale, np.asarray(data, dtype=float) / scale
