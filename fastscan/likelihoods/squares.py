"""Squares of the counts at masses: computed, or interpolated where an axis has many of them.

Every octave of masses that holds more points of the axis than interpolation needs nodes is
interpolated, the others are computed; this depends on the axis alone, and so does every row.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.kernels import chebyshev, normal_form

__all__ = ["Squares", "interpolation_degree"]

FloatArray = NDArray[np.float64]

# Proven error of an interpolated square, relative to the sum of the sizes of its terms. Rounding
# adds up to 256 (an octave to the fourth power of a propagator) times that of a double.
_ERROR = 1e-14
# Shorter axes are not interpolated: most functions need more nodes.
_FEW = 16
_HALF_OCTAVE = 0.5 * math.log(2.0)
# An octave whose values between nodes are off by more: the model's bound is wrong.
_SUSPECT = 1e-10


class Squares:
    """What chi2 with one normalisation needs of the counts at points of the shape parameters.

    Parameters
    ----------
    counts : Counts
    inverse_variance_alpha : float
        sigma_alpha**-2.
    masses : (points,), optional
        The column of the only shape parameter.
    """

    def __init__(
        self, counts: Counts, inverse_variance_alpha: float, masses: FloatArray | None
    ) -> None:
        self._counts, self._pull = counts, inverse_variance_alpha
        self._tables: FloatArray | None = None
        if masses is None:
            return
        degree = interpolation_degree(counts) if masses.size >= _FEW else None
        if degree is None:
            return
        octave = np.empty(masses.size, dtype=np.int64)
        self._place = np.empty(masses.size)
        chebyshev.place_in_octave(masses, octave, self._place)
        octaves, number, points = np.unique(octave, return_inverse=True, return_counts=True)
        long = points > degree + 1
        self._octaves = octaves[long]
        # Masses of zero lie in no octave.
        chosen = np.where(long, np.cumsum(long) - 1, -1)
        self._table = np.where(masses > 0.0, chosen[number], -1)
        self._tables = np.zeros((self._octaves.size, degree + 1, self._width))
        self._made = [False] * self._octaves.size
        self._locks = [threading.Lock() for _ in self._made]

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_locks"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        if self._tables is not None:
            self._locks = [threading.Lock() for _ in self._made]

    @property
    def _width(self) -> int:
        monomials = len(self._counts.exponents)
        return monomials * (monomials + 1) + monomials

    def squares(self, shape: Mapping[str, FloatArray], own: slice) -> FloatArray:
        """Squares for `normal_form.row_polynomials`, at the points ``own`` of the mass axis.

        ``shape`` holds the same points, or those of several shape parameters.
        """
        if self._tables is None:
            return self._computed(shape)
        for number in {*self._table[own].tolist()} - {-1}:
            self._make(number)
        table = self._table[own]
        out = np.empty((table.size, self._width))
        chebyshev.evaluate_series(self._tables, table, self._place[own], out)
        rest = np.flatnonzero(table < 0)
        if rest.size:
            out[rest] = self._computed({name: v[rest] for name, v in shape.items()})
        return out

    def coefficients(self, shape: Mapping[str, FloatArray]) -> FloatArray:
        """Counts of each monomial divided by sigma, computed, shape (rows, monomials, bins)."""
        return self._counts.nominal(shape or None)

    def _computed(self, shape: Mapping[str, FloatArray]) -> FloatArray:
        coefficients = self.coefficients(shape)
        squares = np.empty((coefficients.shape[0], self._width))
        normal_form.square_monomials(coefficients, self._counts.seen, self._pull, squares)
        return squares

    @np.errstate(over="ignore", invalid="ignore")
    def _make(self, number: int) -> None:
        """Interpolate one octave, once."""
        with self._locks[number]:
            if self._made[number]:
                return
            assert self._tables is not None
            nodes = self._tables.shape[1]
            angles = (np.arange(nodes) + 0.5) * (math.pi / nodes)
            # Two more, to check what the model states of its functions: where errors are largest.
            places = np.append(np.cos(angles), [0.5 * (1.0 + math.cos(angles[0])), np.cos(1.5)])
            masses = np.ldexp(np.exp2(0.5 * (places + 1.0)), int(self._octaves[number]) - 1)
            values = self._computed({self._counts.shape_parameters[0]: masses})
            cosines = np.cos(np.arange(nodes)[:, None] * angles) * (2.0 / nodes)
            cosines[0] *= 0.5
            varies = np.ptp(values, axis=0) > 0.0
            series = np.zeros((nodes, values.shape[1]))
            # In a fixed order: every process makes the same table.
            normal_form.contract_recoils(cosines, np.where(varies, values[:nodes], 0.0), series)
            series[0] = np.where(varies, series[0], values[0])
            found = np.empty((2, values.shape[1]))
            chebyshev.evaluate_series(series[None], np.zeros(2, np.int64), places[nodes:], found)
            off = np.abs(found - values[nodes:]) > _SUSPECT * np.abs(values).max(axis=0)
            if off.any() or not np.isfinite(values).all():
                self._table[self._table == number] = -1
            self._tables[number] = series
            self._made[number] = True


def interpolation_degree(counts: Counts, error: float = _ERROR) -> int | None:
    """Degree that interpolates products of two counts over an octave of masses, None if unknown.

    A function that is at most G times larger on the Bernstein ellipse of parameter rho than
    anywhere on the interval is interpolated in n + 1 Chebyshev points to 4 G rho**-n / (rho - 1)
    of its size (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2), and so
    is any sum of such functions to that part of the sum of their sizes. The least n over rho.
    """
    signals = [signal for part in counts.parts for signal in part.signals]
    growths = signals[0].model.growths
    every = [signal.function_powers for signal in signals]
    powers = {product for own in every if own is not None for product in own}
    if len(counts.shape_parameters) != 1 or not powers or None in every:
        return None
    if any(name not in growths for product in powers for name, _ in product):
        return None
    best = math.inf
    for ellipse in np.linspace(1.5, 9.5, 41):
        # Squares hold products of two terms.
        growth = 2.0 * max(
            sum(power * math.log(growths[name](_HALF_OCTAVE, ellipse)) for name, power in product)
            for product in powers
        )
        best = min(best, (growth + math.log(4.0 / (ellipse - 1.0) / error)) / math.log(ellipse))
    return math.ceil(best) if math.isfinite(best) else None
