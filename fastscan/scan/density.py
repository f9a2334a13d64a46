"""Intervals read off a function that is known at the points of an axis: densities and profiles.

Between the points the logarithm of a density (or chi2) is a spline of the fifth degree in the
variable in which the axis is even; its mass is integrated to match, and the level is a root. The
error of an end is what it changes by with a spline of the third degree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.scan.axes import Axis

__all__ = ["SampledDensity", "end_shifts", "quadrature_weights"]

FloatArray = NDArray[np.float64]
Pieces = list[tuple[float, float]]

# Parts of a step that are looked at for crossings, and the nodes of the quadrature in each.
_PARTS, _NODES = 16, 4
# Gregory's end corrections of the trapezoidal rule: of the fourth order.
_GREGORY = (3.0 / 8.0, 7.0 / 6.0, 23.0 / 24.0)


def quadrature_weights(axis: Axis, every: int = 1, cut: int | None = None) -> FloatArray:
    """Weights of an integral over an axis, flat in the parameter however its points are spaced.

    Parameters
    ----------
    axis : Axis
        Of two points or more.
    every : int
        2 leaves out each second point, to tell the error of the whole; their weights are zero.
    cut : {0, -1}, optional
        End at which half a step is left out.
    """
    index = np.unique([*range(0, axis.points, every), axis.points - 1])
    u = _variable(axis)[index]
    steps = np.diff(u)
    weights = np.zeros(index.size)
    weights[:-1] += 0.5 * steps
    weights[1:] += 0.5 * steps
    # Of the points that are even: all, or all but the last.
    even = index.size if np.allclose(steps[-1], steps[0], rtol=1e-6) else index.size - 1
    if even >= 2 * len(_GREGORY):
        for i, factor in enumerate(_GREGORY):
            for place, beside in ((i, 0), (even - 1 - i, even - 2)):
                weights[place] += (factor - (1.0 if i else 0.5)) * steps[beside]
    if cut is not None:
        # The function there as a straight line; nothing is left of the outermost weight.
        outer, inner = (0, 1) if cut == 0 else (-1, -2)
        weights[outer] -= 3.0 / 8.0 * steps[cut]
        weights[inner] -= 1.0 / 8.0 * steps[cut]
    full = np.zeros(axis.points)
    full[index] = weights * _slope(axis, u)
    return full


class SampledDensity:
    """A function between the points of an axis, from minus half of chi2 or a log density there.

    Parameters
    ----------
    axis : Axis
        Of two points or more.
    log : (points,)
        Finite.
    degree : int
        Of the spline, if there are enough points.
    """

    def __init__(self, axis: Axis, log: FloatArray, degree: int = 5) -> None:
        from scipy.interpolate import make_interp_spline

        self._axis = axis
        u = _variable(axis)
        odd = [k for k in (1, 3, 5) if k <= min(degree, u.size - 1)]
        self._spline = make_interp_spline(u, log, k=odd[-1])
        parts = np.arange(_PARTS) / _PARTS
        inner = (u[:-1, None] + np.diff(u)[:, None] * parts).ravel()
        self._u = np.append(inner, u[-1])
        self._log = np.asarray(self._spline(self._u))
        self.highest = float(self._log.max())
        self._below = np.append(0.0, np.cumsum(self._content(self._u[:-1], self._u[1:])))

    def at(self, value: float) -> tuple[float, float]:
        """The function at a value of the parameter, and its slope there."""
        u = np.log(value) if self._axis.spacing == "log" else value
        slope = float(self._spline.derivative()(u)) / float(_slope(self._axis, np.array(u)))
        return float(self._spline(u)), slope

    def above(self, level: float) -> Pieces:
        """Intervals of the parameter on which the function is at least a level."""
        return [(self._value(low), self._value(high)) for low, high in self._above(level)]

    def densest(self, probability: float, cut: tuple[float, float] = (0.0, 0.0)) -> Pieces:
        """The densest region that holds a probability, in the parameter.

        Parameters
        ----------
        probability : float
        cut : (float, float)
            Steps of the axis that are left out of the box at its ends.
        """
        from scipy.optimize import toms748

        step = (self._u[-1] - self._u[0]) / (self._axis.points - 1)
        first, last = self._u[0] + cut[0] * step, self._u[-1] - cut[1] * step
        total = self._held(last) - self._held(first)

        def inside(level: float) -> Pieces:
            pieces = [(max(low, first), min(high, last)) for low, high in self._above(level)]
            return [(low, high) for low, high in pieces if low < high]

        def missing(level: float) -> float:
            held = (self._held(high) - self._held(low) for low, high in inside(level))
            return sum(held) / total - probability

        lowest = float(self._log.min())
        pieces = [(first, last)]
        if missing(lowest) > 0.0:
            level = toms748(missing, lowest, self.highest, xtol=1e-13, rtol=1e-13)
            pieces = inside(float(level)) or pieces
        return [(self._value(low), self._value(high)) for low, high in pieces]

    def _above(self, level: float) -> Pieces:
        from scipy.optimize import brentq

        def height(u: float) -> float:
            return float(self._spline(u)) - level

        above = self._log >= level
        ends = [float(self._u[0])] if above[0] else []
        for i in np.flatnonzero(above[1:] != above[:-1]):
            low, high = float(self._u[i]), float(self._u[i + 1])
            # A sample at the level may lie on its other side by rounding, seen on its own.
            if height(low) * height(high) >= 0.0:
                ends.append(low if abs(height(low)) < abs(height(high)) else high)
            else:
                ends.append(float(brentq(height, low, high, xtol=1e-300, rtol=1e-13)))
        if above[-1]:
            ends.append(float(self._u[-1]))
        return list(zip(ends[::2], ends[1::2], strict=True))

    def _held(self, u: float) -> float:
        """Mass below a value of the variable."""
        part = int(np.searchsorted(self._u, u, side="right")) - 1
        part = min(max(part, 0), self._u.size - 2)
        rest = self._content(self._u[part : part + 1], np.array([u]))
        return float(self._below[part] + rest[0])

    def _content(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Gauss-Legendre sums of the density from low to high."""
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        half = 0.5 * (high - low)
        u = 0.5 * (low + high)[:, None] + half[:, None] * nodes
        density = np.exp(self._spline(u) - self.highest) * _slope(self._axis, u)
        return np.asarray((density @ weights) * half)

    def _value(self, u: float) -> float:
        if u in (self._u[0], self._u[-1]):
            return self._axis.start if u == self._u[0] else self._axis.stop
        return float(np.exp(u)) if self._axis.spacing == "log" else u


def end_shifts(pieces: Pieces, others: Sequence[Pieces]) -> Pieces:
    """How far each end lies from its like in others, added up; infinite where there is none."""
    ends = np.array(pieces).reshape(-1, 2)
    total = np.zeros_like(ends)
    for other in others:
        if len(other) == len(pieces):
            total += np.abs(ends - np.array(other).reshape(-1, 2))
        else:
            total += np.inf
    return [(float(low), float(high)) for low, high in total]


def _variable(axis: Axis) -> FloatArray:
    """The variable in which the points are even."""
    return np.log(axis.values) if axis.spacing == "log" else axis.values


def _slope(axis: Axis, u: FloatArray) -> FloatArray:
    """Derivative of the parameter by that variable."""
    return np.exp(u) if axis.spacing == "log" else np.ones_like(u)
