"""The strategy for Gaussian counts with any linear pulls: a small least squares at each point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.curve import Curve, find_turning_points
from fastscan.likelihoods.form import Chi2Form, Fitted
from fastscan.likelihoods.ratio import stationary_points
from fastscan.likelihoods.surface import Surface, bounds_of_power, powers_along

if TYPE_CHECKING:
    from fastscan.likelihoods.linear_grid import LinearGrid, LinearLines

__all__ = ["LinearCurve", "LinearForm", "LinearSurface", "chi2_of_layers", "fitted_pulls"]

FloatArray = NDArray[np.float64]

# A curve is looked at between -x and x, x this many natural sizes of its variable, on points that
# grow like sinh: evenly near zero, in equal ratios further out.
_REACH = 1e8
_SAMPLES = 97
_FINE = np.geomspace(1e-4, 3.0, 81).tolist()
# sigma_alpha**-2 for 1, 10 and 100 %.
_GUESSES = (1e4, 1e2, 1.0)
# Signals in standard deviations that stand for infinite ones: with several nuisances, and with a
# normalisation alone, which takes signals of any size away.
_SIGNAL, _SINGLE_SIGNAL = 1e8, 1e14
# Points whose pulls are fitted together.
_POINTS = 4096


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
    chi2, pulls = _fit(layers[None], data, centre)
    return pulls[0], float(chi2[0])


def chi2_of_layers(layers: FloatArray, data: FloatArray, centre: FloatArray) -> FloatArray:
    """Chi2 with the pulls fitted, at many points; see `fitted_pulls`.

    Parameters
    ----------
    layers : (points, 1 + pulls, bins)
    data, centre
    """
    return _fit(layers, data, centre)[0]


def _fit(layers: FloatArray, data: FloatArray, centre: FloatArray) -> tuple[FloatArray, FloatArray]:
    # Compiled code, loaded by those who have several nuisances.
    from fastscan.kernels.pulls import pulled_chi2

    chi2, pulls = np.empty(len(layers)), np.empty((len(layers), centre.size))
    pulled_chi2(np.ascontiguousarray(layers), centre, data, chi2, pulls)
    return chi2, pulls


class LinearForm(Chi2Form):
    """Chi2 of counts with any pulls that are linear in them: some microseconds a point."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(counts)
        self._couplings = tuple(counts.parameter(name) for name in counts.couplings)

    def fit(self, layers: FloatArray) -> Fitted:
        """Fit the pulls to one prediction; see `Chi2Form.fit`."""
        pulls, chi2 = fitted_pulls(layers, self.counts.seen, self.counts.centre)
        total = float(layers[0] @ self.counts.unit)
        change = float((pulls @ layers[1:]) @ self.counts.unit)
        return Fitted(chi2, pulls, change / total if total > 0.0 else 0.0)

    def values(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, shape (points, parameters) -> (points,)."""
        chi2 = np.empty(len(points))
        for start in range(0, len(points), _POINTS):
            part = slice(start, start + _POINTS)
            layers = self.counts.layers(points[part])
            chi2[part] = chi2_of_layers(layers, self.counts.seen, self.counts.centre)
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
        from fastscan.likelihoods.linear_grid import LinearLines

        return LinearLines(self.counts, coupling, columns, workers)

    def grid(self, columns: Mapping[str, FloatArray]) -> LinearGrid:
        """Chi2 on the product of columns."""
        from fastscan.likelihoods.linear_grid import LinearGrid

        return LinearGrid(self.counts, columns)


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
        return float(self._values(np.array([u]))[0])

    def _values(self, u: FloatArray) -> FloatArray:
        """Chi2 at points u, shape (points,)."""
        reach = self._farthest
        return chi2_of_layers(self._layers_at(np.clip(u, -reach, reach)), self.data, self.centre)

    @cached_property
    def _farthest(self) -> float:
        """A u beyond which chi2 no longer changes: signals of so many standard deviations.

        Further out nuisances whose changes are parallel there, as two normalisations of a channel
        that outgrows the other, could no longer be told apart for rounding.
        """
        powers = [p for p in range(1, len(self.layers)) if np.abs(self.layers[p, 0]).max() > 0.0]
        if not powers:
            return 1.0
        size = _SIGNAL if self.centre.size > 1 else _SINGLE_SIGNAL
        return float((size / np.abs(self.layers[powers[-1], 0]).max()) ** (1.0 / powers[-1]))

    def turning_points(self) -> list[float]:
        """Bounds and extrema in rising order, bracketed by samples of a stretched variable."""
        scale = self._scale()
        end = math.asinh(_REACH)
        first = max(-end, math.asinh(self.lower / scale)) if math.isfinite(self.lower) else -end
        last = min(end, math.asinh(self.upper / scale)) if math.isfinite(self.upper) else end
        points = {0.0, first, last, *np.linspace(first, last, _SAMPLES).tolist()}
        # More closely around zero, where a shallow basin beside a bound may be narrow, …
        points |= {sign * t for t in _FINE for sign in (-1.0, 1.0)}
        # … and where the minimum would be with the normalisation as the only nuisance.
        for inverse_variance in _GUESSES:
            for u in stationary_points(self.layers[:, 0], self.data, inverse_variance):
                points |= {math.asinh(u * near / scale) for near in (0.97, 1.0, 1.03)}
        samples = sorted(t for t in points if first <= t <= last)

        def curve(t: float) -> float:
            return self(scale * math.sinh(t))

        values = self._values(scale * np.sinh(samples))
        turning = find_turning_points(curve, samples, values.tolist())
        inner = [scale * math.sinh(t) for t in turning[1:-1]]
        return [self.lower, *(u for u in inner if self.lower < u < self.upper), self.upper]

    def _layers_at(self, u: FloatArray) -> FloatArray:
        """Layers at points u, shape (points, 1 + pulls, bins)."""
        total = np.zeros((u.size, *self.layers.shape[1:]))
        for layer in self.layers[::-1]:
            total *= u[:, None, None]
            total += layer
        return total

    def _scale(self) -> float:
        """Size of u at which it changes the counts by about their errors."""
        sizes = [
            float(np.linalg.norm(layer[0])) ** (-1.0 / power)
            for power, layer in enumerate(self.layers)
            if power > 0 and np.abs(layer[0]).max() > 0.0
        ]
        return min(sizes) if sizes else 1.0


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
        powers, power = powers_along(self.exponents, coordinate)
        weights = self.monomials(point, without=coordinate)
        every = np.concatenate([self.coefficients[None], self.changes])
        layers = np.zeros((int(powers.max(initial=0)) + 1, len(every), self.data.size))
        np.add.at(layers, powers, (weights[None, :, None] * every).transpose(1, 0, 2))
        lower, upper = bounds_of_power(self.couplings[coordinate], power)
        return LinearCurve(layers, self.data, self.centre, lower, upper), power

    def _layers(self, point: FloatArray) -> FloatArray:
        monomials = self.monomials(point)
        changes = np.einsum("m,kmb->kb", monomials, self.changes)
        return np.concatenate([(monomials @ self.coefficients)[None], changes])
