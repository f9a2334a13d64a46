"""The strategy for Gaussian counts with one normalisation: chi2 in closed form (C25 eq. 20).

Along a coupling chi2 is a ratio of two polynomials, so that minima and limits are roots, and a
point of a grid is a few multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.couplings import Surface, bounds_of_power, powers_along
from fastscan.likelihoods.form import Chi2Form, Fitted
from fastscan.likelihoods.levels import normalisation_pull, profiled_chi2
from fastscan.likelihoods.ratio import RatioCurve

if TYPE_CHECKING:
    from fastscan.likelihoods.closed_fits import ClosedFits
    from fastscan.likelihoods.closed_grid import ClosedGrid, RatioLines

__all__ = ["ClosedForm", "ClosedSurface"]

FloatArray = NDArray[np.float64]


# Points that are computed together where each has coefficients of its own: some megabytes.
_POINTS = 16_384


class ClosedForm(Chi2Form):
    """Chi2 of counts whose only pull is a normalisation of everything."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(counts)
        assert counts.normalisation is not None
        self.sigma_alpha = counts.normalisation
        self.inverse_variance = counts.normalisation**-2
        self._couplings = tuple(counts.parameter(name) for name in counts.couplings)
        self._known_rows: dict[str, Any] = {}

    def fit(self, layers: FloatArray) -> Fitted:
        """Fit the normalisation to one prediction; see `Chi2Form.fit`."""
        arguments = (layers[0], self.counts.seen, 1.0, self.sigma_alpha)
        alpha = float(normalisation_pull(*arguments))
        return Fitted(float(profiled_chi2(*arguments)), np.array([alpha / self.sigma_alpha]), alpha)

    def values(self, points: FloatArray) -> FloatArray:
        """Chi2 at points: tens of nanoseconds each where no mass is among the parameters."""
        chi2 = np.empty(len(points))
        if self.counts.shape_parameters:
            for start in range(0, len(points), _POINTS):
                piece = points[start : start + _POINTS]
                coefficients = self.counts.nominal(self.counts.shapes(piece))
                for i, point in enumerate(piece[:, self._order]):
                    chi2[start + i] = self.surface(coefficients[i]).value(point)
            return chi2
        unbounded = np.full(points.shape[1], np.inf)
        self._evaluate(points, -unbounded, unbounded, chi2)
        return chi2

    def values_in_range(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, infinite out of range; see `Chi2Form.values_in_range`."""
        if self.counts.shape_parameters:
            return super().values_in_range(points)
        chi2 = np.empty(len(points))
        if not self._evaluate(points, *self._ends, chi2):
            self.counts.check_numbers(points)
        return chi2

    def _evaluate(
        self, points: FloatArray, low: FloatArray, high: FloatArray, chi2: FloatArray
    ) -> bool:
        from fastscan.kernels.evaluation import chi2_of_points

        return bool(chi2_of_points(points, self._order, low, high, chi2, *self._features))

    @cached_property
    def _ends(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest value of each coupling."""
        low, high = self.counts.ranges
        return low[self._order], high[self._order]

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """Nominal counts of each monomial over sigma, shape (rows, monomials, bins)."""
        return self.counts.nominal(shape)

    def surface(self, coefficients: FloatArray) -> ClosedSurface:
        """Chi2 of the couplings at one row of `coefficients`."""
        counts = self.counts
        return ClosedSurface(
            self._couplings, counts.exponents, coefficients, counts.seen, self.inverse_variance
        )

    def lines(
        self, coupling: str, columns: Mapping[str, FloatArray], workers: int | None = 1
    ) -> RatioLines:
        """Chi2 along one coupling through many points."""
        from fastscan.likelihoods.closed_grid import RatioLines

        return RatioLines(self.counts, coupling, columns, workers, self._known_rows)

    def grid(self, columns: Mapping[str, FloatArray]) -> ClosedGrid:
        """Chi2 on the product of columns."""
        from fastscan.likelihoods.closed_grid import ClosedGrid

        return ClosedGrid(self.counts, columns)

    def fits(
        self, interest: int, ranges: Mapping[str, tuple[float, float]] | None = None
    ) -> ClosedFits:
        """Fits of data vectors: of one coupling exact, of two parameters over a lattice."""
        from fastscan.likelihoods.closed_fits import ClosedFits

        return ClosedFits(self.counts, interest, ranges or {})

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        names = self.counts.names
        return np.array([names.index(name) for name in self.counts.couplings], dtype=np.int64)

    @cached_property
    def _features(self) -> tuple[Any, ...]:
        """Arguments of the kernel: monomials gathered into features, and their products."""
        y, data, s = self.counts.nominal()[0], self.counts.seen, self.inverse_variance
        rows: list[FloatArray] = []
        feature = np.empty(len(y), dtype=np.int64)
        share = np.ones(len(y))
        for m, row in enumerate(y):
            for f, other in enumerate(rows):
                ratio = float(row @ other) / float(other @ other)
                if np.abs(row - ratio * other).max() <= 1e-13 * np.abs(row).max():
                    feature[m], share[m] = f, ratio
                    break
            else:
                feature[m] = len(rows)
                rows.append(row)
        counts = np.array(rows)
        total = float(data @ data)
        along = counts @ data
        across = counts - np.outer(along, data) / total if total > 0.0 else counts
        bottom = counts @ counts.T
        top = total * (across @ across.T) + s * bottom
        twice = np.tril(np.full_like(bottom, 2.0), -1) + np.eye(len(rows))
        exponents = self.counts.exponents
        return exponents, feature, share, along, twice * top, twice * bottom, total, s


@dataclass(frozen=True)
class ClosedSurface(Surface):
    """`Surface` with one normalisation.

    Attributes
    ----------
    inverse_variance_alpha : float
        sigma_alpha**-2.
    """

    inverse_variance_alpha: float

    def value(self, point: FloatArray) -> float:
        """Chi2 at a point, shape (couplings,)."""
        return self._value_and_slope(self.monomials(point) @ self.coefficients)[0]

    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""
        chi2, slope = self._value_and_slope(self.monomials(point) @ self.coefficients)
        return chi2, self.by_coupling(point, self.coefficients @ slope)

    def line(self, point: FloatArray, coordinate: int) -> tuple[RatioCurve, int]:
        """Chi2 along one coupling, and the power in u = coupling**power."""
        powers, power = powers_along(self.exponents, coordinate)
        weights = self.monomials(point, without=coordinate)
        y = np.zeros((int(powers.max(initial=0)) + 1, self.data.size))
        np.add.at(y, powers, weights[:, None] * self.coefficients)
        lower, upper = bounds_of_power(self.couplings[coordinate], power)
        return RatioCurve(y, self.data, self.inverse_variance_alpha, lower, upper), power

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
