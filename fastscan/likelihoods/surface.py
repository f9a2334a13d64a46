"""Chi2 as a function of several couplings: values, gradients, exact lines, and its minima."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.counts import natural_size
from fastscan.exceptions import InputError
from fastscan.likelihoods.curve import Curve
from fastscan.models import Parameter

__all__ = ["Surface", "bounds_of_power", "powers_along", "root_of_power", "unfolded", "widened"]

FloatArray = NDArray[np.float64]

# Cycles of exact line searches settle into a basin; the minimiser then takes it to the bottom.
_CYCLES = 4
_SETTLED = 1e-10
# Points closer than this, in natural sizes of the couplings, lie in one basin.
_SAME = 1e-3


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

    def minimise_line(self, point: FloatArray, coordinate: int) -> tuple[FloatArray, float]:
        """Lowest point along one coupling: exact, and the lowest of all basins on the line."""
        curve, power = self.line(point, coordinate)
        u, chi2 = curve.minimum()
        best = point.copy()
        best[coordinate] = root_of_power(u, power)
        return best, chi2

    def minimise(
        self, free: Sequence[int], starts: Sequence[FloatArray]
    ) -> tuple[FloatArray, float]:
        """Lowest chi2 over some couplings, the others held at the first start.

        One coupling: exact. More: from every start, and from the basins on the lines through the
        first, cycles of exact line searches, then SciPy's L-BFGS-B with the closed-form gradient
        from each distinct point they lead to.
        """
        first = starts[0]
        if not free:
            return first, self.value(first)
        if len(free) == 1:
            return self.minimise_line(first, free[0])
        candidates = [*starts]
        for coordinate in free:
            candidates.extend(self._basins(first, coordinate))
        scales = np.array([self.scale(c) for c in free])
        distinct: list[FloatArray] = []
        for start in candidates:
            point = self._settle(free, start)
            inside = point[list(free)] / scales
            near = (np.abs(inside - other[list(free)] / scales) for other in distinct)
            if not any((gap <= _SAME * (1.0 + np.abs(inside))).all() for gap in near):
                distinct.append(point)
        found = [self._descend(free, scales, start) for start in distinct]
        return min(found, key=lambda pair: pair[1])

    def scale(self, coordinate: int) -> float:
        """Size of a coupling at which it alone changes the counts by about their errors."""
        return natural_size(self.exponents, self.coefficients, coordinate) or 1.0

    def _basins(self, point: FloatArray, coordinate: int) -> list[FloatArray]:
        """Local minima on the line through a point, and their mirror images."""
        curve, power = self.line(point, coordinate)
        turning = curve.turning_points()
        heights = [curve(u) for u in turning]
        basins = []
        for i, u in enumerate(turning):
            lower = i == 0 or heights[i] <= heights[i - 1]
            if np.isfinite(u) and lower and (i + 1 == len(turning) or heights[i] <= heights[i + 1]):
                size = root_of_power(u, power)
                signs = (1.0, -1.0) if power % 2 == 0 and size != 0.0 else (1.0,)
                for sign in signs:
                    basin = point.copy()
                    basin[coordinate] = sign * size
                    if self.couplings[coordinate].minimum <= basin[coordinate]:
                        basins.append(basin)
        return basins

    def _settle(self, free: Sequence[int], start: FloatArray) -> FloatArray:
        """A few cycles of exact line searches: enough to choose a basin."""
        point, chi2 = start, self.value(start)
        for _ in range(_CYCLES):
            before = chi2
            for coordinate in free:
                best, value = self.minimise_line(point, coordinate)
                if value < chi2 and np.isfinite(best).all():
                    point, chi2 = best, value
            if before - chi2 <= _SETTLED * max(1.0, chi2):
                break
        return point

    def _descend(
        self, free: Sequence[int], scales: FloatArray, start: FloatArray
    ) -> tuple[FloatArray, float]:
        """To the bottom of a basin; a line search that then finds a lower one starts anew."""
        point, chi2 = self._polish(free, scales, start)
        while True:
            settled = self._settle(free, point)
            value = self.value(settled)
            if chi2 - value <= _SETTLED * max(1.0, chi2):
                return (settled, value) if value < chi2 else (point, chi2)
            point, chi2 = self._polish(free, scales, settled)

    def _polish(
        self, free: Sequence[int], scales: FloatArray, start: FloatArray
    ) -> tuple[FloatArray, float]:
        from scipy.optimize import minimize

        index = list(free)

        def objective(x: FloatArray) -> tuple[float, FloatArray]:
            point = start.copy()
            point[index] = x * scales
            chi2, gradient = self.value_and_gradient(point)
            return chi2, gradient[index] * scales

        bounds = [
            (self.couplings[c].minimum / s, self.couplings[c].maximum / s)
            for c, s in zip(free, scales, strict=True)
        ]
        found = minimize(
            objective,
            start[index] / scales,
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 200},
        )
        point, chi2 = start.copy(), float(found.fun)
        point[index] = found.x * scales
        before = self.value(start)
        return (point, chi2) if chi2 < before else (start, before)

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
