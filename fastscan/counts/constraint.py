"""External measurements of a model's parameters, as bins of their own.

A measurement v +- s of a parameter theta adds ((theta - v) / s)**2 to chi2. That is what a bin does
in which theta counts are expected and v were seen, with the error s, and that no pull moves; so
whatever works for counts works for constraints, toys included, in which v is measured again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.counts import Counts, Part
from fastscan.counts.signal import Signal
from fastscan.exceptions import InputError
from fastscan.models import Model
from fastscan.models.polynomial import Monomial

__all__ = ["Constraint", "constrained"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Constraint:
    """A parameter that was measured elsewhere.

    Attributes
    ----------
    name : str
    value, sigma : float
        In the unit of the parameter; the error is Gaussian.
    """

    name: str
    value: float
    sigma: float

    def check(self, model: Model, where: str = "") -> None:
        """Check it against the model.

        Raises
        ------
        InputError
            Unknown parameter, a value out of its range, or an error that is not above zero.
        """
        model.parameter(self.name, where).check(self.value, where)
        if not (np.isfinite(self.sigma) and self.sigma > 0.0):
            raise InputError(
                f"error {self.sigma:g} of {self.name} is not a positive number",
                where=where or "constraint",
                hint="write NAME=VALUE:SIGMA, as in sin2_theta_w=0.23857:0.00005",
            )


@dataclass(frozen=True)
class _Measured(Signal):
    """The value of a parameter as the count of one bin."""

    name: str

    @property
    def function_powers(self) -> frozenset[Monomial] | None:
        """None where the value is that of a shape parameter."""
        return None if self.name in self.shape_parameters else frozenset()

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """See `Signal.coefficients`."""
        if self.name not in self.shape_parameters:
            return super().coefficients(shape)
        values = np.atleast_1d(np.asarray((shape or {})[self.name], dtype=float))
        return values[:, None, None]


def constrained(counts: Counts, constraint: Constraint) -> Counts:
    """Counts with a bin more, in which a parameter is measured.

    Parameters
    ----------
    counts : Counts
    constraint : Constraint
        Of a parameter that is free, or folded in: then it adds a constant to chi2.
    """
    first = counts.parts[0].signals[0]
    exponents = np.zeros((1, len(first.couplings)), dtype=np.int64)
    value = 1.0
    if constraint.name in first.couplings:
        exponents[0, first.couplings.index(constraint.name)] = 1
    elif constraint.name in counts.fixed:
        value = counts.fixed[constraint.name]
    signal = _Measured(
        model=first.model,
        fixed=first.fixed,
        couplings=first.couplings,
        shape_parameters=first.shape_parameters,
        exponents=exponents,
        constant=np.array([[value]]),
        nodes=(),
        blocks=(),
        name=constraint.name,
    )
    mixing = np.zeros((1 + len(counts.pulls), 1, 1))
    mixing[0] = 1.0
    seen, sigma = np.array([constraint.value]), np.array([constraint.sigma])
    part = Part(f"constraint of {constraint.name}", (signal,), mixing, seen, sigma, counted=False)
    return replace(counts, parts=(*counts.parts, part), normalisation=None)
