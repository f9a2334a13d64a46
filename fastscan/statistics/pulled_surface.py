"""Chi2 of some couplings with several nuisances profiled: by linear least squares at each point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, reduce

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
# Signals in standard deviations that stand for infinite ones: with several nuisances, and with a
# normalisation alone, which takes signals of any size away.
_SIGNAL, _SINGLE_SIGNAL = 1e8, 1e14


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
        See `fastscan.statistics.PulledRates`.
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
        return fitted_pulls(self._layers(point), self.data, self.centre)[1]

    def value_and_gradient(self, point: FloatArray) -> tuple[float, FloatArray]:
        """Chi2 and its derivatives by the couplings, in closed form."""
        layers = self._layers(point)
        pulls, chi2 = fitted_pulls(layers, self.data, self.centre)
        # At the fitted pulls chi2 does not change with them: only the counts' own change counts.
        moved = self.coefficients + np.einsum("k,kmb->mb", pulls, self.changes)
        residuals = layers[0] + pulls @ layers[1:] - self.data
        return chi2, self._by_coupling(point, moved @ (2.0 * residuals))

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

    def _layers(self, point: FloatArray) -> FloatArray:
        monomials = self._monomials(point)
        changes = np.einsum("m,kmb->kb", monomials, self.changes)
        return np.concatenate([(monomials @ self.coefficients)[None], changes])
