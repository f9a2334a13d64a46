"""Chi2 of one parameter, the others held or profiled: its pieces and the basins they lie in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fastscan.likelihoods.curve import find_turning_points, pieces_below
from fastscan.likelihoods.form import Chi2Form
from fastscan.likelihoods.surface import root_of_power
from fastscan.models import Parameter

__all__ = ["Basin", "Profile", "ProfiledPieces"]

FloatArray = NDArray[np.float64]

# Mediator masses tried first, in MeV: below, every propagator is massless to 1e-6; far above,
# every interaction is a contact interaction, whose strength falls off with no further structure.
_MASS_RANGE_MEV = (1e-6, 1e12)
_MASSES = 721
# Of a profiled mass, at every point of the profile: eight in a decade bracket its minimum.
_PROFILED_MASSES = 145
# A profile is looked at between -x and x, x this many natural sizes of the coupling, on points
# that grow like sinh: evenly near zero, in equal ratios further out.
_REACH = 1e8
_SAMPLES = 81


@dataclass(frozen=True)
class Basin:
    """A local minimum of a profile.

    Attributes
    ----------
    value, chi2 : float
        Of the parameter of interest, and there.
    profiled : dict of float
        The profiled parameters there.
    """

    value: float
    chi2: float
    profiled: dict[str, float]


@dataclass(frozen=True)
class ProfiledPieces:
    """Intervals below a rise above the minimum, each with the deepest basin inside."""

    best: Basin
    intervals: list[tuple[float, float]]
    basins: list[Basin]


class Profile:
    """Chi2 as a function of one parameter, minimised over others.

    Parameters
    ----------
    form : Chi2Form
        Its free parameters: the one of interest, then those that are profiled.
    """

    def __init__(self, form: Chi2Form) -> None:
        self._form, self._counts = form, form.counts
        self.poi, *profiled = self._counts.parameters
        self._couplings = tuple(self._counts.parameter(name) for name in self._counts.couplings)
        self._profiled_mass = next((p for p in profiled if p.kind == "shape"), None)
        self._index = {p.name: i for i, p in enumerate(self._couplings)}
        # Couplings that enter as one sum of squares: one of them can do the work of all.
        self._free, self._outward = self._reduce(profiled)
        self._known: dict[float, tuple[float, FloatArray, float]] = {}
        self._lowest_points: list[float] | None = None

    def __call__(self, value: float) -> float:
        """Chi2 at a value of the parameter, minimised over the profiled ones."""
        return self._at(self._with_partner(value))[0]

    def basin(self, value: float) -> Basin:
        """Where the profiled parameters are at a value."""
        chi2, point, mass = self._at(value)
        profiled = {
            p.name: float(point[i])
            for i, p in enumerate(self._couplings)
            if p.name != self.poi.name
        }
        if self._profiled_mass is not None:
            profiled[self._profiled_mass.name] = mass
        return Basin(value, chi2, profiled)

    def _with_partner(self, value: float) -> float:
        """Where the value goes with a profiled partner: a degenerate one can only raise it."""
        if not self._outward:
            return value
        if self._lowest_points is None:
            with threadpool_limits(1, user_api="blas"):
                turning, _, to_value = self._turning()
            self._lowest_points = [abs(v) for v in map(to_value, turning) if math.isfinite(v)]
        further = [point for point in self._lowest_points if point > abs(value)]
        return min((abs(value), *further), key=lambda point: self._at(point)[0])

    def pieces(self, rise: float) -> ProfiledPieces:
        """All intervals in which chi2 is at most its minimum + ``rise``."""
        # L-BFGS-B hands tiny matrices to LAPACK, on which threads cost far more than the work.
        with threadpool_limits(1, user_api="blas"):
            return self._pieces(rise)

    def _pieces(self, rise: float) -> ProfiledPieces:
        turning, curve, to_value = self._turning()
        heights = [curve(u) for u in turning]
        lowest = int(np.argmin(heights))
        level = heights[lowest] + rise
        intervals, basins = [], []
        for low, high in pieces_below(curve, turning, level):
            inside = [i for i, u in enumerate(turning) if low <= u <= high]
            deepest = turning[min(inside, key=lambda i: heights[i])]
            intervals.append((to_value(low), to_value(high)))
            basins.append(self._basin_of(to_value(deepest), curve(deepest)))
        if self._symmetric():
            intervals, basins = _mirror(intervals, basins)
        if self._outward and intervals:
            # A partner that is profiled can always make up for a smaller value of this one.
            reach = max(high for _, high in intervals)
            intervals = [(-reach, reach)]
            basins = [min(basins, key=lambda basin: basin.chi2)]
        best = self._basin_of(to_value(turning[lowest]), heights[lowest])
        return ProfiledPieces(best, intervals, basins)

    def _basin_of(self, value: float, chi2: float) -> Basin:
        return self.basin(value) if math.isfinite(value) else Basin(value, chi2, {})

    def _reduce(self, profiled: Sequence[Parameter]) -> tuple[list[int], bool]:
        free = [self._index[p.name] for p in profiled if p.kind == "coupling"]
        names, alike = self._counts.couplings, self._counts.alike
        outward = False
        kept: list[int] = []
        for coordinate in free:
            if self.poi.kind == "coupling" and alike(self.poi.name, names[coordinate]):
                outward = True
            elif not any(alike(names[other], names[coordinate]) for other in kept):
                kept.append(coordinate)
        return kept, outward

    def _at(self, value: float) -> tuple[float, FloatArray, float]:
        if value not in self._known:
            self._known[value] = self._minimise(value)
        return self._known[value]

    def _minimise(self, value: float) -> tuple[float, FloatArray, float]:
        start = np.array([p.standard for p in self._couplings])
        if self.poi.kind == "coupling":
            start[self._index[self.poi.name]] = value
        if self._profiled_mass is None:
            shape = {name: np.array([value]) for name in self._counts.shape_parameters}
            surface = self._form.surface(self._form.coefficients(shape)[0])
            point, chi2 = surface.minimise(self._free, [start])
            return chi2, point, value
        ladder = _log_masses(_PROFILED_MASSES)
        surfaces = [self._form.surface(c) for c in self._ladder_coefficients(ladder)]
        found = [surface.minimise(self._free, [start]) for surface in surfaces]
        best = int(np.argmin([chi2 for _, chi2 in found]))
        if 0 < best < len(ladder) - 1:
            turning = find_turning_points(
                lambda u: self._at_mass(u, start)[1], [*ladder[best - 1 : best + 2]]
            )
            log_mass = min(turning, key=lambda u: self._at_mass(u, start)[1])
            point, chi2 = self._at_mass(log_mass, start)
            return chi2, point, math.exp(log_mass)
        point, chi2 = found[best]
        return chi2, point, math.exp(ladder[best])

    def _at_mass(self, log_mass: float, start: FloatArray) -> tuple[FloatArray, float]:
        assert self._profiled_mass is not None
        shape = {self._profiled_mass.name: np.array([math.exp(log_mass)])}
        return self._form.surface(self._form.coefficients(shape)[0]).minimise(self._free, [start])

    def _ladder_coefficients(self, ladder: FloatArray) -> FloatArray:
        assert self._profiled_mass is not None
        if not hasattr(self, "_ladder"):
            self._ladder = self._form.coefficients({self._profiled_mass.name: np.exp(ladder)})
        return self._ladder

    def _turning(
        self,
    ) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """Turning points of a variable, chi2 as its function, and what it stands for."""
        exact = self.poi.kind == "coupling" and not self._free and self._profiled_mass is None
        return self._line() if exact else self._samples()

    def _line(self) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """The exact case: one coupling, nothing to profile but its own partners."""
        start = np.array([p.standard for p in self._couplings])
        surface = self._form.surface(self._form.coefficients()[0])
        curve, power = surface.line(start, self._index[self.poi.name])
        return curve.turning_points(), curve, lambda u: root_of_power(u, power)

    def _samples(self) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """The general case: extrema bracketed by samples of a stretched variable."""
        if self.poi.kind == "shape":
            ladder = [float(u) for u in _log_masses(_MASSES)]

            def to_mass(log_mass: float) -> float:
                return float(np.exp(log_mass))

            turning = find_turning_points(lambda u: self._at(to_mass(u))[0], ladder)
            # Below and above the ladder the curve runs on to the massless and the decoupled limit.
            return (
                [-math.inf, *turning, math.inf],
                lambda u: self._at(to_mass(u))[0],
                to_mass,
            )
        own = self._index[self.poi.name]
        shape = {name: np.array([1.0]) for name in self._counts.shape_parameters}
        scale = self._form.surface(self._form.coefficients(shape)[0]).scale(own)
        end = math.asinh(_REACH)
        low, high = self.poi.minimum, self.poi.maximum
        if self._symmetric():
            low = 0.0
        first = max(-end, math.asinh(low / scale)) if math.isfinite(low) else -end
        last = min(end, math.asinh(high / scale)) if math.isfinite(high) else end

        def to_value(t: float) -> float:
            # The ends stand for the bounds themselves.
            if t >= last:
                return high
            return low if t <= first else scale * math.sinh(t)

        def curve(t: float) -> float:
            return self._at(scale * math.sinh(min(max(t, first), last)))[0]

        samples = {float(t) for t in np.linspace(first, last, _SAMPLES)}
        if self._profiled_mass is None:
            samples |= {math.asinh(v / scale) for v in self._minima(scale)}
        inside = sorted(t for t in samples if first <= t <= last)
        return find_turning_points(curve, inside), curve, to_value

    def _minima(self, scale: float) -> list[float]:
        """Values of the parameter at the minima in all dimensions."""
        own = self._index[self.poi.name]
        surface = self._form.surface(self._form.coefficients()[0])
        start = np.array([p.standard for p in self._couplings])
        point, _ = surface.minimise([own, *self._free], [start])
        value = float(point[own])
        return [value, -value] if self._symmetric() else [value]

    def _symmetric(self) -> bool:
        """Whether only the square of a signed coupling matters."""
        if self.poi.kind == "shape" or self.poi.minimum >= 0.0:
            return False
        return not (self._counts.exponents[:, self._index[self.poi.name]] % 2).any()


def _log_masses(points: int) -> FloatArray:
    return np.linspace(math.log(_MASS_RANGE_MEV[0]), math.log(_MASS_RANGE_MEV[1]), points)


def _mirror(
    intervals: list[tuple[float, float]], basins: list[Basin]
) -> tuple[list[tuple[float, float]], list[Basin]]:
    """Add the intervals of negative values; the two that meet at zero become one."""
    left = [(-high, -low) for low, high in reversed(intervals)]
    mirrored = [Basin(-b.value, b.chi2, b.profiled) for b in reversed(basins)]
    if intervals and intervals[0][0] == 0.0:
        middle = (-intervals[0][1], intervals[0][1])
        return [*left[:-1], middle, *intervals[1:]], [*mirrored[:-1], *basins]
    return [*left, *intervals], [*mirrored, *basins]
