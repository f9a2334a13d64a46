"""Critical values of a statistic: below them lies a given probability of its outcomes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.levels import delta_chi2

__all__ = ["COARSE", "Critical", "check_toys", "critical_value"]

FloatArray = NDArray[np.float64]

# The share of the toys that is spent on a first look at a point.
COARSE = 5


@dataclass(frozen=True)
class Critical:
    """A critical value of a statistic.

    Attributes
    ----------
    value, error : float
        Monte Carlo error of one standard deviation; zero from exact probabilities.
    toys : int
    """

    value: float
    error: float
    toys: int


def critical_value(
    statistic: ArrayLike, cl: float, probability: ArrayLike | None = None
) -> Critical:
    """Least value at or below which lies a probability of at least ``cl``.

    Parameters
    ----------
    statistic : (outcomes,)
        Of toys, or of all possible outcomes.
    cl : float
    probability : (outcomes,), optional
        Of each outcome; equal ones by default, as toys have.

    Returns
    -------
    Critical
        Of toys, the error is half the distance of the order statistics one binomial standard
        deviation, sqrt(N cl (1 - cl)), above and below.

    Raises
    ------
    InputError
        A level not between 0 and 1, or too few toys for it.
    """
    delta_chi2(cl)  # refuses a level that is none
    q = np.sort(np.asarray(statistic, dtype=float))
    if probability is not None:
        order = np.argsort(np.asarray(statistic, dtype=float), kind="stable")
        below = np.cumsum(np.asarray(probability, dtype=float)[order])
        # Sums of probabilities end at one but for rounding.
        at = int(np.searchsorted(below, cl - 1e-12))
        return Critical(float(q[min(at, q.size - 1)]), 0.0, 0)
    rank = math.ceil(cl * q.size - 1e-9)
    spread = math.sqrt(q.size * cl * (1.0 - cl))
    high = math.ceil(rank + spread)
    low = math.floor(rank - spread)
    if low < 1 or high > q.size:
        raise _too_few(q.size, cl, _least_toys(cl))
    error = 0.5 * float(q[high - 1] - q[low - 1])
    return Critical(float(q[rank - 1]), error, q.size)


def check_toys(toys: int, cl: float, seed: int) -> None:
    """Refuse numbers of toys of which a part could not give a critical value.

    Raises
    ------
    InputError
        Too few toys for the level, or a negative seed.
    """
    delta_chi2(cl)  # refuses a level that is none
    if seed < 0:
        raise InputError(f"seed {seed} is negative", where="--seed", hint="give one from 0 up")
    least = COARSE * _least_toys(cl)
    if toys < least:
        raise _too_few(toys, cl, least)


def _least_toys(cl: float) -> int:
    return math.ceil(4.0 / min(cl, 1.0 - cl)) + 10


def _too_few(toys: int, cl: float, least: int) -> InputError:
    return InputError(
        f"{toys} toys are too few for a confidence level of {100 * cl:g} %",
        where="--toys",
        hint=f"give at least {least}",
    )
