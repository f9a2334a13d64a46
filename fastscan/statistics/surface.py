"""Chi2 as a function of several couplings: values, gradients, exact lines, and its minima."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.models import Parameter
from fastscan.statistics.curve import Chi2Curve

__all__ = ["Surface"]

FloatArray = NDArray[np.float64]

# Cycles of exact line searches settle into a basin; the minimiser then takes it to the bottom.
_CYCLES = 4
_SETTLED = 1e-10
# Points closer than this, in natural sizes of the couplings, lie in one basin.
_SAME = 1e-3


@dataclass(frozen=True)
class Surface:
    """Chi2 of some couplings, every other parameter held.

    Attributes
    ----------
    couplings : tuple of Parameter
        Coordinates, in this order.
    exponents : (monomials, couplings)
    coefficients : (monomials, bins)
        Counts of each monomial, divided by sigma.
    data : (bins,)
        Counts seen, divided by sigma.
    inverse_variance_alpha : float
        sigma_alpha**-2.
    """

    couplings: tuple[Parameter, ...]
    exponents: NDArray[np.int64]
    coefficients: FloatArray
    data: FloatArray
    inverse_variance_alpha: float

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            squares = self.coefficients * self.coefficients
        if not np.isfinite(squares).all():
            raise InputError(
                "predicted counts overflow a double", where="--set", hint="use smaller couplings"
            )

    def value(self, point: FloatArray) -> float:
        """Chi2 at a point, shape (couplings,)."""
        return self._value_and_slope(self._monomials(point) @ self.coefficients)[0]

    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""
        chi2, slope = self._value_and_slope(self._monomials(point) @ self.coefficients)
        return chi2, self._by_coupling(point, self.coefficients @ slope)

    def line(self, point: FloatArray, coordinate: int) -> tuple[Chi2Curve, int]:
        """Chi2 along one coupling, and the power in u = coupling**power.

        Where the coupling enters by even powers alone, or by its fourth power, so does the curve.
        """
        exponents = self.exponents[:, coordinate]
        power = reduce(math.gcd, (int(e) for e in exponents), 0) or 1
        powers = exponents // power
        degree = int(powers.max(initial=0))
        weights = self._monomials(point, without=coordinate)
        y = np.zeros((degree + 1, self.data.size))
        np.add.at(y, powers, weights[:, None] * self.coefficients)
        lower, upper = bounds_of_power(self.couplings[coordinate], power)
        return Chi2Curve(y, self.data, self.inverse_variance_alpha, lower, upper), power

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
        sizes = []
        for m, exponents in enumerate(self.exponents):
            power = int(exponents[coordinate])
            norm = float(np.linalg.norm(self.coefficients[m]))
            if power > 0 and exponents.sum() == power and norm > 0.0:
                sizes.append(norm ** (-1.0 / power))
        return min(sizes) if sizes else 1.0

    def alike(self, left: int, right: int) -> bool:
        """Whether two couplings enter only as one common sum of squares."""
        squares = []
        for coordinate in (left, right):
            rows = np.flatnonzero(self.exponents[:, coordinate])
            if len(rows) != 1:
                return False
            exponents = self.exponents[rows[0]]
            if exponents[coordinate] != 2 or exponents.sum() != 2:
                return False
            parameter = self.couplings[coordinate]
            if not parameter.minimum < 0.0 < parameter.maximum:
                return False
            squares.append(self.coefficients[rows[0]])
        return bool(np.allclose(squares[0], squares[1], rtol=1e-12, atol=0.0))

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

    def _value_and_slope(self, y: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 of scaled counts and its derivatives by them; infinite where they overflow."""
        s, d = self.inverse_variance_alpha, self.data
        c = float(d @ d)
        across = y - (float(y @ d) / c * d if c > 0.0 else 0.0)
        difference = y - d
        total = float(y @ y) + s
        if not math.isfinite(total):
            return math.inf, np.full_like(y, np.nan)
        chi2 = (c * float(across @ across) + s * float(difference @ difference)) / total
        return chi2, 2.0 * (c * across + s * difference - chi2 * y) / total

    def _by_coupling(self, point: FloatArray, by_monomial: FloatArray) -> FloatArray:
        """Derivatives by the couplings from those by the monomials."""
        powers = point**self.exponents
        own = self.exponents * point ** np.maximum(self.exponents - 1, 0)
        gradient = np.empty_like(point)
        for c in range(point.size):
            factors = powers.copy()
            factors[:, c] = own[:, c]
            gradient[c] = factors.prod(axis=1) @ by_monomial
        return gradient

    def _monomials(self, point: FloatArray, without: int | None = None) -> FloatArray:
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
