"""Parameters of a posterior, each with its prior and the variables of its integrals."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError, unknown_name
from fastscan.inference.samples import ladder
from fastscan.models import Parameter

__all__ = ["PRIORS", "Box", "Dimension", "dimension_of"]

FloatArray = NDArray[np.float64]

Box = tuple[float | None, float | None]

PRIORS = ("flat-g", "flat-g2", "log-g")

# Of a mass, where an axis of a plane turns from even steps to equal ratios, in MeV: the least
# momentum transfer there is.
_SMALLEST_MASS_MEV = 1e-2


class Dimension:
    """A parameter, its prior, and the variable in which integrals over it are done.

    The variable is the parameter itself, or its logarithm for a prior flat in the logarithm.

    Parameters
    ----------
    parameter : Parameter
    prior : {"flat-g", "flat-g2", "log-g"}
    scale : float or None
        Natural size of a coupling; None for a mass.
    """

    def __init__(self, parameter: Parameter, prior: str, scale: float | None) -> None:
        self.parameter = parameter
        self.prior = prior
        self.scale = scale
        self._even = scale is None and parameter.spacing == "linear"

    def value(self, x: FloatArray) -> FloatArray:
        """Parameter at a value of the variable."""
        return np.exp(x) if self.prior == "log-g" else x

    def variable(self, value: float) -> float:
        """Variable at a value of the parameter."""
        return math.log(value) if self.prior == "log-g" else value

    def weight(self, x: FloatArray) -> FloatArray:
        """Prior density per unit of the variable, not normalised."""
        return 2.0 * np.abs(x) if self.prior == "flat-g2" else np.ones_like(x)

    def flat(self, value: FloatArray) -> FloatArray:
        """The function of the parameter in which the prior is flat."""
        if self.prior == "flat-g":
            return value
        return np.log(value) if self.prior == "log-g" else np.sign(value) * value**2

    def slope(self, value: FloatArray) -> FloatArray:
        """Derivative of `flat` by the parameter."""
        if self.prior == "flat-g":
            return np.ones_like(value)
        return 1.0 / value if self.prior == "log-g" else 2.0 * np.abs(value)

    def stretch(self, value: float) -> float:
        """Variable of a plane's quadrature: as the parameter near zero, its logarithm far out."""
        if self.prior == "log-g":
            return math.log(value)
        if self._even:
            return value
        return math.asinh(value / (self.scale or _SMALLEST_MASS_MEV))

    def unstretch(self, s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values of the parameter, and the prior's weight per unit of the variable."""
        if self.prior == "log-g":
            return np.exp(s), np.ones_like(s)
        if self._even:
            return s, self.weight(s)
        scale = self.scale or _SMALLEST_MASS_MEV
        value = scale * np.sinh(s)
        return value, self.weight(value) * (scale * np.cosh(s))

    def ladder(self, step: float, low: float = -math.inf, high: float = math.inf) -> FloatArray:
        """Values from one to another, see `fastscan.inference.samples`."""
        return ladder(self.parameter, self.scale, step, low, high)


def dimension_of(
    counts: Counts,
    parameter: Parameter,
    prior: str | Mapping[str, str],
    box: Box | Mapping[str, Box] | None,
) -> tuple[Dimension, Box]:
    """A parameter with its prior and box, checked.

    Parameters
    ----------
    counts : Counts
    parameter : Parameter
        One of those that are free in them.
    prior, box
        Of all parameters, or by name; as for `fastscan.inference.posterior.posterior`.

    Raises
    ------
    InputError
        Unknown parameter or prior; a box that is empty, not finite or out of range; a prior flat
        in the logarithm without a lower end above zero; counts that do not depend on the parameter.
    """
    name = parameter.name
    for option, given in (("--prior", prior), ("--box", box)):
        for other in given if isinstance(given, Mapping) else ():
            if other not in counts.names:
                raise unknown_name("parameter", other, counts.names, where=option)
    own_prior = prior.get(name, "flat-g") if isinstance(prior, Mapping) else prior
    if own_prior not in PRIORS:
        raise unknown_name("prior", own_prior, PRIORS, where="--prior")
    own_box = box.get(name) if isinstance(box, Mapping) else box
    low, high = own_box or (None, None)
    where = f"--box {name}"
    for end in (low, high):
        if end is not None:
            parameter.check(end, where)
    if low is not None and high is not None and not low < high:
        raise InputError(
            f"the box from {low:g} to {high:g} is empty", where=where, hint="give low:high"
        )
    if own_prior == "log-g" and (low is None or low <= 0.0):
        raise InputError(
            f"a prior flat in log {name} has no lower end"
            if low is None
            else f"a prior flat in log {name} can not start at {low:g}",
            where=where,
            hint=f"give one above zero: fastscan posterior … --box {name}=1e-7:1e-3",
        )
    return Dimension(parameter, own_prior, _natural_size(counts, name)), (low, high)


def _natural_size(counts: Counts, name: str) -> float | None:
    """Natural size of a coupling, None of a mass."""
    if name in counts.shape_parameters:
        return None
    size = counts.size(name)
    if size is None:
        raise InputError(
            f"the counts do not depend on {name}",
            where=name,
            hint="choose another parameter, or the channels that it acts in",
        )
    return size
