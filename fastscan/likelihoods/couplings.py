"""Chi2 as a function of several couplings: values, gradients, and exact lines."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.curve import Curve
from fastscan.models import Parameter

__all__ = ["Surface", "bounds_of_power", "powers_along", "root_of_power", "unfolded", "widened"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Surface(ABC):
    """Chi2 of some couplings, every other parameter held; a strategy states how pulls are fitted.

    Attributes
    ----------
    couplings : tuple of Parameter
        Coordinates, in this order.
    exponents : (monomials, couplings)
    coefficients : (monomials, bins)
        Nominal counts of each monomial, divided by sigma.
    data : (bins,)
        Counts seen, divided by sigma.
    """

    couplings: tuple[Parameter, ...]
    exponents: NDArray[np.int64]
    coefficients: FloatArray
    data: FloatArray

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            squares = self.coefficients * self.coefficients
        if not np.isfinite(squares).all():
            raise InputError(
                "predicted counts overflow a double", where="--set", hint="use smaller couplings"
            )

    @abstractmethod
    def value(self, point: FloatArray) -> float:
        """Chi2 at a point, shape (couplings,)."""

    @abstractmethod
    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""

    @abstractmethod
    def line(self, point: FloatArray, coordinate: int) -> tuple[Curve, int]:
        """Chi2 along one coupling, and the power in u = coupling**power.

        Where the coupling enters by even powers alone, or by its fourth power, so does the curve.
        """

    def by_coupling(self, point: FloatArray, by_monomial: FloatArray) -> FloatArray:
        """Derivatives by the couplings from those by the monomials."""
        powers = point**self.exponents
        own = self.exponents * point ** np.maximum(self.exponents - 1, 0)
        gradient = np.empty_like(point)
        for c in range(point.size):
            factors = powers.copy()
            factors[:, c] = own[:, c]
            gradient[c] = factors.prod(axis=1) @ by_monomial
        return gradient

    def monomials(self, point: FloatArray, without: int | None = None) -> FloatArray:
        """Value of each monomial at a point, one coupling set to 1 if asked."""
        powers = point**self.exponents
        if without is not None:
            powers[:, without] = 1.0
        monomials: FloatArray = powers.prod(axis=1)
        return monomials


def bounds_of_power(parameter: Parameter, power: int) -> tuple[float, float]:
    """Bounds of u = coupling**power."""
    low, high = parameter.minimum, parameter.maximum
    if power % 2 == 0:
        low, high = max(low, 0.0), max(abs(low), abs(high))
    return low**power if np.isfinite(low) else low, high**power if np.isfinite(high) else high


def root_of_power(u: float, power: int) -> float:
    """The coupling, positive where its sign does not matter, of u = coupling**power."""
    return math.copysign(abs(u) ** (1.0 / power), u) if math.isfinite(u) else u


def powers_along(exponents: NDArray[np.int64], coordinate: int) -> tuple[NDArray[np.int64], int]:
    """Power of u = coupling**p in each monomial, and the largest such p."""
    column = exponents[:, coordinate]
    power = reduce(math.gcd, (int(e) for e in column), 0) or 1
    return column // power, power


def unfolded(
    pieces: FloatArray, parameter: Parameter, power: int, *, outward: bool = False
) -> FloatArray:
    """Intervals of a coupling from those of u = coupling**power, mirrored if its sign is free.

    Parameters
    ----------
    pieces : (rows, pieces, 2)
        In rising order, NaN beyond the last of a row.
    parameter : Parameter
    power : int
    outward : bool
        A degenerate partner that is profiled can only raise the coupling: from zero to the last
        end everything is allowed.
    """
    if outward:
        reach = np.max(pieces[:, :, 1], axis=1, initial=-np.inf, where=~np.isnan(pieces[..., 1]))
        some = reach >= 0.0
        pieces = np.full((len(pieces), 1, 2), np.nan)
        pieces[some, 0] = np.stack([np.zeros(some.sum()), reach[some]], axis=1)
    coupling: FloatArray = np.sign(pieces) * np.abs(pieces) ** (1.0 / power)
    if power % 2 or parameter.minimum >= 0.0:
        return coupling
    mirrored = -coupling[:, ::-1, ::-1]
    # The piece that begins at zero and its mirror image are one.
    joined = coupling[:, 0, 0] == 0.0
    coupling[joined, 0, 0] = -coupling[joined, 0, 1]
    mirrored[joined, -1] = np.nan
    both = np.concatenate([mirrored, coupling], axis=1)
    order = np.argsort(both[:, :, 0], axis=1)
    return np.take_along_axis(both, order[:, :, None], axis=1)


def widened(pieces: FloatArray, number: int) -> FloatArray:
    """Rows of intervals, shape (rows, pieces, 2), with NaN for those that others have more."""
    missing = number - pieces.shape[1]
    return np.pad(pieces, ((0, 0), (0, missing), (0, 0)), constant_values=np.nan)
