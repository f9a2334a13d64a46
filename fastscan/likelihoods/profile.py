"""Chi2 of one parameter, the others held or profiled: its pieces and the basins they lie in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.coordinates import ShapeScale
from fastscan.likelihoods.couplings import root_of_power
from fastscan.likelihoods.curve import find_turning_points, pieces_below
from fastscan.likelihoods.form import Chi2Form
from fastscan.likelihoods.track import Track, is_flat
from fastscan.models import Parameter
from fastscan.results import Basin

__all__ = ["Profile", "ProfiledPieces"]

FloatArray = NDArray[np.float64]

# Mediator masses tried first where nothing is profiled.
_MASSES = 721


@dataclass(frozen=True)
class ProfiledPieces:
    """Intervals below a rise above the minimum, each with the deepest basin inside.

    ``degenerate``: the profile is flat, so that the data say nothing of the parameter.
    """

    best: Basin
    intervals: list[tuple[float, float]]
    basins: list[Basin]
    degenerate: bool


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
        masses = [p for p in profiled if p.kind == "shape"]
        if len(masses) + (self.poi.kind == "shape") > 1:
            raise InputError(
                f"{masses[0].name} and another mass are both free",
                where="--profile",
                hint="set one of them",
            )
        self._mass = masses[0] if masses else None
        self._index = {p.name: i for i, p in enumerate(self._couplings)}
        # Couplings that enter as one sum of squares: one of them can do the work of all.
        self._free, self._outward = self._reduce(profiled)
        # One coupling with nothing to profile but its own partners: chi2 in closed form.
        self._exact = self.poi.kind == "coupling" and not self._free and self._mass is None
        self._known: dict[float, tuple[float, FloatArray, float]] = {}

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
        if self._mass is not None:
            profiled[self._mass.name] = mass
        return Basin(value, chi2, profiled)

    def _with_partner(self, value: float) -> float:
        """Where the value goes with a profiled partner: a degenerate one can only raise it."""
        if not self._outward:
            return value
        further = [point for point in self._lowest_points if point > abs(value)]
        return min((abs(value), *further), key=lambda point: self._at(point)[0])

    @cached_property
    def _lowest_points(self) -> list[float]:
        turning, _, to_value = self._turning()
        return [abs(v) for v in map(to_value, turning) if math.isfinite(v)]

    def pieces(self, rise: float) -> ProfiledPieces:
        """All intervals in which chi2 is at most its minimum + ``rise``."""
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
        return ProfiledPieces(best, intervals, basins, is_flat(heights))

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
        """Chi2 at a value, the couplings and the profiled mass there."""
        if value not in self._known:
            self._known[value] = self._minimise(value)
        return self._known[value]

    def _minimise(self, value: float) -> tuple[float, FloatArray, float]:
        if not self._free and self._mass is None:
            point = np.array([p.standard for p in self._couplings])
            if self._exact:
                point[self._index[self.poi.name]] = value
            shape = {name: np.array([value]) for name in self._counts.shape_parameters}
            surface = self._form.surface(self._form.coefficients(shape)[0])
            return surface.value(point), point, value
        # Of a coupling that enters squared the track has the positive side alone.
        t = self._track.to_track(abs(value) if self._symmetric() else value)
        chi2, point, mass = self._track.at(t)
        if self.poi.kind == "coupling":
            point[self._index[self.poi.name]] = value
        return chi2, point, mass

    @cached_property
    def _track(self) -> Track:
        return Track(
            self._form, self.poi, tuple(self._free), self._mass, positive=self._symmetric()
        )

    def _turning(
        self,
    ) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """Turning points of a variable, chi2 as its function, and what it stands for."""
        if self._exact:
            return self._line()
        if not self._free and self._mass is None:
            return self._masses()
        track = self._track

        @cache
        def curve(t: float) -> float:
            return track.at(min(max(t, track.first), track.last))[0]

        samples, values = track.samples
        if is_flat(values):
            lowest = samples[int(np.argmin(values))]
            turning = sorted({samples[0], lowest, samples[-1]})
        else:
            turning = find_turning_points(curve, samples, values)
        if self.poi.kind == "shape":
            turning = ShapeScale(self.poi).beyond(turning)
        return turning, curve, track.to_value

    def _line(self) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """The exact case: one coupling, nothing to profile but its own partners."""
        start = np.array([p.standard for p in self._couplings])
        surface = self._form.surface(self._form.coefficients()[0])
        curve, power = surface.line(start, self._index[self.poi.name])
        return curve.turning_points(), curve, lambda u: root_of_power(u, power)

    def _masses(self) -> tuple[list[float], Callable[[float], float], Callable[[float], float]]:
        """A mass, nothing profiled: extrema bracketed by samples of its logarithm."""
        scale = ShapeScale(self.poi)

        def curve(t: float) -> float:
            return self._at(float(scale.values(np.asarray(t))))[0]

        turning = find_turning_points(curve, scale.steps(_MASSES).tolist())
        return scale.beyond(turning), curve, scale.value

    def _symmetric(self) -> bool:
        """Whether only the square of a signed coupling matters."""
        if self.poi.kind == "shape" or self.poi.minimum >= 0.0:
            return False
        return not (self._counts.exponents[:, self._index[self.poi.name]] % 2).any()


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
