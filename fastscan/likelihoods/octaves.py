"""Functions of a mass at many points: computed, or interpolated where an axis has many of them.

Every octave of masses that holds more points of the axis than interpolation needs nodes is
interpolated, the others are computed; this depends on the axis alone, and so does every row.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.kernels import chebyshev, normal_form
from fastscan.models.base import Growth
from fastscan.models.polynomial import Monomial

__all__ = ["FEW", "Octaves", "interpolation_degree"]

FloatArray = NDArray[np.float64]

# Proven error of an interpolated function, relative to the sum of the sizes of its terms. Rounding
# of squares adds up to 256 (an octave to the fourth power of a propagator) times that of a double.
_ERROR = 1e-14
# Shorter axes are not interpolated: most functions need more nodes.
FEW = 16
_HALF_OCTAVE = 0.5 * math.log(2.0)
# An octave whose values between nodes are off by more: the model's bound is wrong.
_SUSPECT = 1e-10


class Octaves:
    """Functions of the only shape parameter, a mass.

    Parameters
    ----------
    compute : callable
        Masses, shape (points,), -> values, shape (points, functions); every row alike whatever
        comes with it.
    width : int
        Number of functions.
    counts : Counts
        What the functions are made of.
    factors : int
        How many counts are multiplied in a term of a function.
    masses : (points,), optional
        The axis.
    groups : int
        Functions come in so many groups: like ones of each are sums of the same terms, and so
        have errors of the same size.
    every : bool
        Interpolate all octaves of the axis, for values are asked for at many masses besides.
    """

    def __init__(
        self,
        compute: Callable[[FloatArray], FloatArray],
        width: int,
        counts: Counts,
        factors: int,
        masses: FloatArray | None,
        groups: int = 1,
        *,
        every: bool = False,
    ) -> None:
        self._compute, self._groups = compute, groups
        self._tables: FloatArray | None = None
        degree = None
        if masses is not None and masses.size >= FEW:
            degree = interpolation_degree(counts, factors)
        if masses is None or degree is None:
            return
        octave, self._place = _placed(masses)
        octaves, number, points = np.unique(octave, return_inverse=True, return_counts=True)
        long = (points > degree + 1) | every
        self._octaves = octaves[long]
        # Masses of zero lie in no octave.
        chosen = np.where(long, np.cumsum(long) - 1, -1)
        self._table = np.where(masses > 0.0, chosen[number], -1)
        self._made = [False] * self._octaves.size
        self._locks = [threading.Lock() for _ in self._made]
        self._refused = np.zeros(self._octaves.size, dtype=bool)
        self._tables = np.zeros((self._octaves.size, degree + 1, width))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_locks"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        if self._tables is not None:
            self._locks = [threading.Lock() for _ in self._made]

    def on_axis(self, masses: FloatArray, own: slice) -> FloatArray:
        """Values at the points ``own`` of the axis, which are ``masses``."""
        if self._tables is None:
            return self._compute(masses)
        return self._values(masses, self._table[own], self._place[own])

    def at(self, masses: FloatArray) -> FloatArray:
        """Values at any masses: interpolated where the axis is."""
        if self._tables is None:
            return self._compute(masses)
        octave, place = _placed(masses)
        if not self._octaves.size:
            return self._compute(masses)
        number = np.minimum(np.searchsorted(self._octaves, octave), self._octaves.size - 1)
        known = (self._octaves[number] == octave) & (masses > 0.0)
        return self._values(masses, np.where(known, number, -1), place)

    def _values(
        self, masses: FloatArray, table: NDArray[np.int64], place: FloatArray
    ) -> FloatArray:
        assert self._tables is not None
        for number in {*table.tolist()} - {-1}:
            self._make(number)
        if self._refused.any():
            table = np.where((table >= 0) & ~self._refused[table], table, -1)
        out = np.empty((table.size, self._tables.shape[2]))
        chebyshev.evaluate_series(self._tables, table, np.ascontiguousarray(place), out)
        rest = np.flatnonzero(table < 0)
        if rest.size:
            out[rest] = self._compute(masses[rest])
        return out

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
            values = self._compute(masses)
            cosines = np.cos(np.arange(nodes)[:, None] * angles) * (2.0 / nodes)
            cosines[0] *= 0.5
            varies = np.ptp(values, axis=0) > 0.0
            series = np.zeros((nodes, values.shape[1]))
            # In a fixed order: every process makes the same table.
            normal_form.contract_recoils(cosines, np.where(varies, values[:nodes], 0.0), series)
            series[0] = np.where(varies, series[0], values[0])
            found = np.empty((2, values.shape[1]))
            chebyshev.evaluate_series(series[None], np.zeros(2, np.int64), places[nodes:], found)
            size = np.abs(values).reshape(len(values), self._groups, -1).max(axis=(0, 1))
            off = np.abs(found - values[nodes:]) > _SUSPECT * np.tile(size, self._groups)
            self._refused[number] = off.any() or not np.isfinite(values).all()
            self._tables[number] = series
            self._made[number] = True


def interpolation_degree(counts: Counts, factors: int = 2, error: float = _ERROR) -> int | None:
    """Degree that interpolates products of counts over an octave of masses, None if unknown.

    A function that is at most G times larger on the Bernstein ellipse of parameter rho than
    anywhere on the interval is interpolated in n + 1 Chebyshev points to 4 G rho**-n / (rho - 1)
    of its size (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2), and so
    is any sum of such functions to that part of the sum of their sizes. The least n over rho.
    """
    signals = [signal for part in counts.parts for signal in part.signals]
    every = [signal.function_powers for signal in signals]
    powers = frozenset(product for own in every if own is not None for product in own)
    if len(counts.shape_parameters) != 1 or not powers or None in every:
        return None
    return _degree(tuple(signals[0].model.growths.items()), powers, factors, error)


@lru_cache
def _degree(
    growths: tuple[tuple[str, Growth], ...],
    powers: frozenset[Monomial],
    factors: int,
    error: float,
) -> int | None:
    """See `interpolation_degree`."""
    known = dict(growths)
    if any(name not in known for product in powers for name, _ in product):
        return None
    best = math.inf
    for ellipse in np.linspace(1.5, 9.5, 41):
        growth = factors * max(
            sum(power * math.log(known[name](_HALF_OCTAVE, ellipse)) for name, power in product)
            for product in powers
        )
        best = min(best, (growth + math.log(4.0 / (ellipse - 1.0) / error)) / math.log(ellipse))
    return math.ceil(best) if math.isfinite(best) else None


def _placed(masses: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Octave of each mass, and its place there."""
    octave, place = np.empty(masses.size, dtype=np.int64), np.empty(masses.size)
    chebyshev.place_in_octave(np.ascontiguousarray(masses), octave, place)
    return octave, place
