"""The strategy for Gaussian counts with any linear pulls: a small least squares at each point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Basis, Counts, at_centre, basis_of, plain_constraint
from fastscan.likelihoods.couplings import Surface, bounds_of_power, powers_along
from fastscan.likelihoods.curve import Curve
from fastscan.likelihoods.form import Chi2Form, Fitted

if TYPE_CHECKING:
    from fastscan.likelihoods.linear_fits import LinearFits
    from fastscan.likelihoods.linear_grid import LinearGrid
    from fastscan.likelihoods.linear_lines import LinearLines, Turning

__all__ = ["LinearCurve", "LinearForm", "LinearSurface", "fitted_pulls"]

FloatArray = NDArray[np.float64]

# Points whose pulls are fitted together.
_POINTS = 512


def fitted_pulls(
    layers: FloatArray, data: FloatArray, centre: FloatArray
) -> tuple[FloatArray, float]:
    """Pulls that minimise chi2 at one point, shape (pulls,), and chi2.

    Parameters
    ----------
    layers : (1 + pulls, bins)
        Prediction over sigma, and its change by one standard deviation of each pull.
    data : (bins,)
        Counts seen over sigma.
    centre : (pulls,)
        See `fastscan.counts.Counts`.
    """
    chi2, x = _fit(at_centre(layers, centre)[None], data, plain_constraint(centre))
    return x[0] - centre, float(chi2[0])


def _fit(
    layers: FloatArray, data: FloatArray, constraint: FloatArray
) -> tuple[FloatArray, FloatArray]:
    # Compiled code, loaded by those who have several nuisances.
    from fastscan.kernels.pulls import pulled_chi2

    chi2, pulls = np.empty(len(layers)), np.empty((len(layers), len(constraint)))
    pulled_chi2(np.ascontiguousarray(layers), constraint, data, chi2, pulls)
    return chi2, pulls


class LinearForm(Chi2Form):
    """Chi2 of counts with any pulls that are linear in them: some microseconds a point."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(counts)
        self._couplings = tuple(counts.parameter(name) for name in counts.couplings)

    @cached_property
    def _basis(self) -> Basis:
        """Pulls in which huge signals keep their digits."""
        return basis_of(self.counts)

    def fit(self, layers: FloatArray) -> Fitted:
        """Fit the pulls to one prediction; see `Chi2Form.fit`."""
        pulls, chi2 = fitted_pulls(layers, self.counts.seen, self.counts.centre)
        return self._fitted(chi2, pulls, layers)

    def fit_at(self, point: FloatArray, nominal: FloatArray | None = None) -> Fitted:
        """Fit the pulls at a point; see `Chi2Form.fit_at`."""
        chi2, x = _fit(self._basis.counts.layers([point]), self.counts.seen, self._basis.constraint)
        pulls = self._basis.pulls(x[0])
        return self._fitted(float(chi2[0]), pulls, self._layers(point, nominal))

    def _fitted(self, chi2: float, pulls: FloatArray, layers: FloatArray) -> Fitted:
        total = float(layers[0] @ self.counts.unit)
        change = float((pulls @ layers[1:]) @ self.counts.unit)
        return Fitted(chi2, pulls, change / total if total > 0.0 else 0.0)

    def values(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, shape (points, parameters) -> (points,)."""
        chi2 = np.empty(len(points))
        for start in range(0, len(points), _POINTS):
            part = slice(start, start + _POINTS)
            layers = self._basis.counts.layers(points[part])
            chi2[part] = _fit(layers, self.counts.seen, self._basis.constraint)[0]
        return chi2

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """Layers of each monomial over sigma, shape (rows, 1 + pulls, monomials, bins)."""
        return self.counts.coefficients(shape)

    def surface(self, coefficients: FloatArray) -> LinearSurface:
        """Chi2 of the couplings at one row of `coefficients`."""
        counts = self.counts
        return LinearSurface(
            self._couplings,
            counts.exponents,
            coefficients[0],
            counts.seen,
            coefficients[1:],
            counts.centre,
        )

    def lines(
        self, coupling: str, columns: Mapping[str, FloatArray], workers: int | None = 1
    ) -> LinearLines:
        """Chi2 along one coupling through many points."""
        from fastscan.likelihoods.linear_lines import LinearLines

        return LinearLines(self.counts, coupling, columns, workers)

    def grid(self, columns: Mapping[str, FloatArray]) -> LinearGrid:
        """Chi2 on the product of columns."""
        from fastscan.likelihoods.linear_grid import LinearGrid

        return LinearGrid(self._basis, columns)

    def fits(
        self, interest: int, ranges: Mapping[str, tuple[float, float]] | None = None
    ) -> LinearFits:
        """Fits of data vectors: basins from a lattice, then Newton's method."""
        from fastscan.likelihoods.linear_fits import LinearFits

        return LinearFits(self.counts, interest, ranges or {})


@dataclass(frozen=True)
class LinearCurve(Curve):
    """Chi2 of one variable u between two bounds, several nuisances profiled.

    Attributes
    ----------
    layers : (powers, 1 + pulls, bins)
        Counts, and their change by each pull, of each power of u, over sigma.
    data : (bins,)
        Counts seen over sigma.
    centre : (pulls,)
    lower, upper : float
        Bounds of u; may be infinite.
    """

    layers: FloatArray
    data: FloatArray
    centre: FloatArray
    lower: float
    upper: float

    def __call__(self, u: float) -> float:
        """Chi2 at u, its limit at an infinite u."""
        from fastscan.kernels.pulls import chi2_along

        chi2, rounding = np.empty((2, 1, 1))
        reach = float(self._turning.reach[0])
        at = np.array([min(max(u, -reach), reach)])
        layers, constraint = at_centre(self.layers, self.centre), plain_constraint(self.centre)
        chi2_along(layers[None], at, constraint, self.data, chi2, rounding)
        return float(chi2[0, 0])

    def turning_points(self) -> list[float]:
        """Bounds and extrema in rising order: chi2 is monotonic between neighbours."""
        found = self._turning
        inner = found.marks[0, 1 : found.counts[0] - 1].tolist()
        return [self.lower, *inner, self.upper]

    def minimum(self) -> tuple[float, float]:
        """The lowest point, (u, chi2); u is infinite where chi2 falls for ever."""
        (u,), (chi2,) = self._turning.minima()
        return float(u), float(chi2)

    @cached_property
    def _turning(self) -> Turning:
        from fastscan.likelihoods.linear_lines import Turning

        return Turning(self.layers[None], self.data, self.centre, (self.lower, self.upper))


@dataclass(frozen=True)
class LinearSurface(Surface):
    """`Surface` with any linear pulls.

    Attributes
    ----------
    changes : (pulls, monomials, bins)
        Change of the counts of each monomial by each pull, over sigma.
    centre : (pulls,)
    """

    changes: FloatArray
    centre: FloatArray

    def value(self, point: FloatArray) -> float:
        """Chi2 at a point, shape (couplings,)."""
        return fitted_pulls(self._layers(point), self.data, self.centre)[1]

    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""
        layers = self._layers(point)
        pulls, chi2 = fitted_pulls(layers, self.data, self.centre)
        # At the fitted pulls chi2 does not change with them: only the counts' own change counts.
        moved = self.coefficients + np.einsum("k,kmb->mb", pulls, self.changes)
        residuals = layers[0] + pulls @ layers[1:] - self.data
        return chi2, self.by_coupling(point, moved @ (2.0 * residuals))

    def line(self, point: FloatArray, coordinate: int) -> tuple[LinearCurve, int]:
        """Chi2 along one coupling, and the power in u = coupling**power."""
        from fastscan.likelihoods.layers import line_polynomials

        powers, power = powers_along(self.exponents, coordinate)
        weights = self.monomials(point, without=coordinate)
        every = np.concatenate([self.coefficients[None], self.changes])
        layers = line_polynomials(every[None], weights[None], powers)[0]
        lower, upper = bounds_of_power(self.couplings[coordinate], power)
        return LinearCurve(layers, self.data, self.centre, lower, upper), power

    def _layers(self, point: FloatArray) -> FloatArray:
        monomials = self.monomials(point)
        changes = np.einsum("m,kmb->kb", monomials, self.changes)
        return np.concatenate([(monomials @ self.coefficients)[None], changes])
