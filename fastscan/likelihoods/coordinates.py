"""Free parameters as variables of a fit: powers of couplings, masses, their ranges and partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.couplings import bounds_of_power
from fastscan.models import Parameter

__all__ = ["MASS_RANGE_MEV", "Coordinate", "without_partners"]

FloatArray = NDArray[np.float64]

# Every propagator is massless below and a contact interaction above, to 1e-6.
MASS_RANGE_MEV = (1e-6, 1e8)


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
            low, high = self.parameter.minimum, self.parameter.maximum
            return max(low, MASS_RANGE_MEV[0]), min(high, MASS_RANGE_MEV[1])
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
