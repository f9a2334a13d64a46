"""Free parameters as variables of a fit: powers of couplings, masses, their ranges and partners."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.couplings import bounds_of_power
from fastscan.models import Parameter

__all__ = ["MASS_RANGE_MEV", "Coordinate", "ShapeScale", "without_partners"]

FloatArray = NDArray[np.float64]

# Every propagator is massless below and a contact interaction above, to 1e-6.
MASS_RANGE_MEV = (1e-6, 1e8)
# Masses that limits look at: far above every interaction is a contact interaction, whose strength
# falls off with no further structure.
_WHOLE_RANGE_MEV = (1e-6, 1e12)
# Rows of a table of a shape parameter: of a mass in each decade, and in all at least; of one that
# is evenly spaced.
_ROWS_PER_DECADE, _LEAST_ROWS, _EVEN_ROWS = 48, 16, 385


class ShapeScale:
    """A shape parameter as the variable t, in which it is tried at even steps.

    That is its logarithm, or itself where the model says that it is spaced linearly.

    Parameters
    ----------
    parameter : Parameter
    reach : (low, high)
        Between which a parameter without bounds is tried, in its unit.

    Attributes
    ----------
    low, high : float
        Lowest and highest value that is tried.
    first, last : float
        The variable there.
    open : (below, above)
        Whether values run on beyond them, to the massless and to the decoupled limit.
    """

    def __init__(self, parameter: Parameter, reach: tuple[float, float] = _WHOLE_RANGE_MEV) -> None:
        low, high = parameter.minimum, parameter.maximum
        self.logarithmic = parameter.spacing == "log"
        self._bounds = low, high
        self.open = (False, False)
        if self.logarithmic:
            self.open = (low < reach[0], high > reach[1])
            low, high = max(low, reach[0]), min(high, reach[1])
        self.low, self.high = low, high
        self.first, self.last = self.variable(low), self.variable(high)

    def variable(self, value: float) -> float:
        """T of a value."""
        if not self.logarithmic:
            return value
        return math.log(value) if value > 0.0 else -math.inf

    def value(self, t: float) -> float:
        """The parameter at t; its bounds at the ends."""
        if t <= self.first and not self.open[0]:
            return self._bounds[0]
        if t >= self.last and not self.open[1]:
            return self._bounds[1]
        return math.exp(t) if self.logarithmic else t

    def variables(self, values: FloatArray) -> FloatArray:
        """T of many values."""
        return np.log(values) if self.logarithmic else values

    def values(self, t: FloatArray) -> FloatArray:
        """The parameter at many t, within its bounds."""
        return np.clip(np.exp(t) if self.logarithmic else t, *self._bounds)

    def steps(self, points: int) -> FloatArray:
        """So many t from the first to the last."""
        return np.linspace(self.first, self.last, points)

    def beyond(self, turning: list[float]) -> list[float]:
        """Turning points and, where values run on, the limits beyond them."""
        below, above = self.open
        return [*([-math.inf] * below), *turning, *([math.inf] * above)]

    def rows(self, first: float, last: float) -> int:
        """Rows of a table between two t, between which coefficients are interpolated."""
        if not self.logarithmic:
            return _EVEN_ROWS
        return max(_LEAST_ROWS, round((last - first) / math.log(10.0) * _ROWS_PER_DECADE))


@dataclass(frozen=True)
class Coordinate:
    """A parameter as a fit of toys uses it: u = coupling**power, or a mass.

    Attributes
    ----------
    parameter : Parameter
    power : int
        The largest with counts that are polynomials in u.
    """

    parameter: Parameter
    power: int = 1

    @classmethod
    def of(cls, counts: Counts, name: str) -> Coordinate:
        """The coordinate of a free parameter of counts."""
        parameter = counts.parameter(name)
        return cls(parameter, 1 if parameter.kind == "shape" else counts.power(name))

    @property
    def bounds(self) -> tuple[float, float]:
        """Of u, or of the mass."""
        if self.is_mass:
            return self.scale.low, self.scale.high
        return bounds_of_power(self.parameter, self.power)

    def within(self, span: tuple[float, float] | None) -> tuple[float, float]:
        """Bounds of u where the parameter itself is kept in a range, too."""
        low, high = self.bounds
        if span is None:
            return low, high
        start, stop = span
        if not self.is_mass and self.power % 2 == 0:
            inside = start <= 0.0 <= stop
            squares = sorted((abs(start) ** self.power, abs(stop) ** self.power))
            start, stop = (0.0 if inside else squares[0]), squares[1]
        elif not self.is_mass:
            start, stop = start**self.power, stop**self.power
        return max(low, start), min(high, stop)

    @property
    def scale(self) -> ShapeScale:
        """Of a mass, how it is tried."""
        return ShapeScale(self.parameter, MASS_RANGE_MEV)

    def reached(self, mass: FloatArray) -> FloatArray:
        """Masses of a table; its ends may stand for the massless and the decoupled limit."""
        (below, above), (low, high) = self.scale.open, MASS_RANGE_MEV
        if below:
            mass = np.where(mass <= low * (1.0 + 1e-9), 0.0, mass)
        if above:
            mass = np.where(mass >= high * (1.0 - 1e-9), np.inf, mass)
        return np.clip(mass, self.parameter.minimum, self.parameter.maximum)

    @property
    def is_mass(self) -> bool:
        """Whether the counts' coefficients depend on it."""
        return self.parameter.kind == "shape"

    @property
    def mirrored(self) -> bool:
        """Whether only the square of a coupling matters, and it may have either sign."""
        return not self.is_mass and self.parameter.minimum < 0.0 and self.power % 2 == 0

    def value(self, u: FloatArray) -> FloatArray:
        """The parameter, positive where its sign does not matter."""
        if self.is_mass:
            return u
        value: FloatArray = np.copysign(np.abs(u) ** (1.0 / self.power), u)
        return value

    def variable(self, value: float) -> float:
        """The variable u of a value of the parameter."""
        if self.is_mass:
            return value
        size = abs(value) ** self.power
        return -size if self.power % 2 and value < 0.0 else size


def without_partners(
    counts: Counts, poi: str, profiled: Sequence[str]
) -> tuple[bool, tuple[str, ...]]:
    """Couplings that enter as one sum of squares: one of them can do the work of all.

    Returns
    -------
    outward : bool
        Whether a partner of the parameter of interest is profiled: it can only raise the sum.
    free : tuple of str
        What is left to profile.
    """
    shapes = counts.shape_parameters
    kept: list[str] = []
    outward = False
    for name in profiled:
        if name not in shapes and poi not in shapes and counts.alike(poi, name):
            outward = True
        elif name in shapes or not any(
            counts.alike(other, name) for other in kept if other not in shapes
        ):
            kept.append(name)
    return outward, tuple(kept)
