"""Chi2 of some couplings with several nuisances profiled: by linear least squares at each point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from fastscan.statistics.curve import find_turning_points, stationary_points
from fastscan.statistics.surface import Surface, bounds_of_power

__all__ = ["PulledCurve", "PulledSurface", "chi2_of_layers", "fitted_pulls"]

FloatArray = NDArray[np.float64]

# A curve is looked at between -x and x, x this many natural sizes of its variable, on points that
# grow like sinh: evenly near zero, in equal ratios further out.
_REACH = 1e8
_SAMPLES = 97
_FINE = np.geomspace(1e-4, 3.0, 81).tolist()
# sigma_alpha**-2 for 1, 10 and 100 %.
_GUESSES = (1e4, 1e2, 1.0)


def fitted_pulls(
    counts: FloatArray,
    changes: FloatArray,
    data: FloatArray,
    centre: FloatArray,
    weight: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Pulls that minimise chi2 at one point, and what is then left of the data.

    Parameters
    ----------
    counts : (bins,)
        Prediction over sigma.
    changes : (pulls, bins)
        Its change by one standard deviation of each pull.
    data : (bins,)
        Counts seen over sigma.
    centre : (pulls,)
        See `fastscan.statistics.PulledRates`.
    weight : float
        Factor that counts and changes were multiplied with, to keep huge signals from overflowing.

    Returns
    -------
    pulls : (pulls,)
    residuals : (bins + pulls,)
        Of the bins, prediction less data, and of the pulls; chi2 is the sum of their squares.
    """
    # In pulls counted from their centre the signal itself is no longer on the right-hand side, so
    # that none of its size costs the data their digits.
    offset = counts - centre @ changes
    offset = np.where(np.abs(offset) > 1e-14 * np.abs(counts), offset, 0.0)
    rows = np.concatenate([changes.T, weight * np.eye(centre.size)])
    with np.errstate(divide="ignore", invalid="ignore"):
        unscaled = np.where(offset != 0.0, offset / weight, 0.0)
    right = np.concatenate([data - unscaled, centre])
    # Columns of length one, for pulls of very different reach; by singular values, for at infinite
    # signals two of them may be parallel.
    length = np.linalg.norm(rows, axis=0)
    length = np.where(length > 0.0, length, 1.0)
    solution = np.linalg.lstsq(rows / length, right, rcond=1e-14)[0]
    residuals: FloatArray = rows @ (solution / length) - right
    pulls: FloatArray = weight * solution / length - centre
    return pulls, residuals


def chi2_of_layers(layers: FloatArray, data: FloatArray, centre: FloatArray) -> FloatArray:
    """Chi2 with the pulls fitted at each point, by compiled code.

    Parameters
    ----------
    layers : (points, 1 + pulls, bins)
        Prediction over sigma, and its change by each pull.
    data, centre
        As for `fitted_pulls`.
    """
    # Loaded by those who have several nuisances.
    from fastscan.kernels.pulls import pulled_chi2

    chi2 = np.empty(len(layers))
    pulled_chi2(layers, centre, data, chi2, np.empty((len(layers), centre.size)))
    return chi2


@dataclass(frozen=True)
class PulledCurve:
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
        used = np.flatnonzero(np.abs(self.layers).max(axis=(1, 2)))
        top = int(used[-1]) if used.size else 0
        if top == 0:
            values, weight = self.layers[0], 1.0
        elif abs(u) <= 1.0:
            return float(chi2_of_layers(self._layers_at(np.array([u])), self.data, self.centre)[0])
        else:
            # Everything divided by u**top, so that no power overflows.
            inverse = 1.0 / u
            values, weight = _horner(self.layers[: top + 1], inverse), abs(inverse) ** top
            if u < 0.0 and top % 2:
                values = -values
        with np.errstate(over="ignore", invalid="ignore"):
            _, residuals = fitted_pulls(values[0], values[1:], self.data, self.centre, weight)
            chi2 = float(residuals @ residuals)
        return chi2 if math.isfinite(chi2) else math.inf

    def minimum(self) -> tuple[float, float]:
        """The lowest point, (u, chi2); u is infinite where chi2 falls for ever."""
        points = self.turning_points()
        values = [self(u) for u in points]
        best = int(np.argmin(values))
        return points[best], values[best]

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

        known = scale * np.sinh(samples)
        near = np.abs(known) <= 1.0
        values = np.empty(known.size)
        values[near] = chi2_of_layers(self._layers_at(known[near]), self.data, self.centre)
        values[~near] = [self(float(u)) for u in known[~near]]
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
class PulledSurface(Surface):
    """`Surface` with several nuisances; ``inverse_variance_alpha`` is not used.

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
        monomials = self._monomials(point)
        counts = monomials @ self.coefficients
        layers = np.concatenate([counts[None], np.einsum("m,kmb->kb", monomials, self.changes)])
        return float(chi2_of_layers(layers[None], self.data, self.centre)[0])

    def pulls(self, point: FloatArray) -> FloatArray:
        """Fitted pulls at a point, shape (pulls,)."""
        return self._fit(self._monomials(point))[0]

    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""
        pulls, residuals = self._fit(self._monomials(point))
        # At the fitted pulls chi2 does not change with them: only the counts' own change counts.
        moved = self.coefficients + np.einsum("k,kmb->mb", pulls, self.changes)
        by_monomial = moved @ (2.0 * residuals[: self.data.size])
        return float(residuals @ residuals), self._by_coupling(point, by_monomial)

    def line(self, point: FloatArray, coordinate: int) -> tuple[PulledCurve, int]:  # type: ignore[override]
        """Chi2 along one coupling, and the power in u = coupling**power."""
        exponents = self.exponents[:, coordinate]
        power = reduce(math.gcd, (int(e) for e in exponents), 0) or 1
        powers = exponents // power
        weights = self._monomials(point, without=coordinate)
        every = np.concatenate([self.coefficients[None], self.changes])
        layers = np.zeros((int(powers.max(initial=0)) + 1, len(every), self.data.size))
        np.add.at(layers, powers, (weights[None, :, None] * every).transpose(1, 0, 2))
        lower, upper = bounds_of_power(self.couplings[coordinate], power)
        return PulledCurve(layers, self.data, self.centre, lower, upper), power

    def alike(self, left: int, right: int) -> bool:
        """Whether two couplings enter only as one common sum of squares, in every layer."""
        if not super().alike(left, right):
            return False
        one, other = (np.flatnonzero(self.exponents[:, c])[0] for c in (left, right))
        return bool(np.allclose(self.changes[:, one], self.changes[:, other], rtol=1e-9, atol=0.0))

    def _fit(self, monomials: FloatArray) -> tuple[FloatArray, FloatArray]:
        changes = np.einsum("m,kmb->kb", monomials, self.changes)
        return fitted_pulls(monomials @ self.coefficients, changes, self.data, self.centre)


def _horner(layers: FloatArray, u: float) -> FloatArray:
    """Polynomial with array coefficients, highest power first."""
    return reduce(lambda total, layer: total * u + layer, layers, np.zeros(layers.shape[1:]))
