"""Values of a parameter at which to look for structure: even near zero, in equal ratios far out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fastscan.likelihoods.coordinates import ShapeScale
from fastscan.models import Parameter

__all__ = ["ladder"]

FloatArray = NDArray[np.float64]

# Couplings are looked at up to so many natural sizes.
_REACH = 1e8
# Parts of the range of a parameter that is spaced linearly, for a step of 1.
_PARTS = 10


def ladder(
    parameter: Parameter,
    size: float | None,
    step: float,
    low: float = -math.inf,
    high: float = math.inf,
) -> FloatArray:
    """Values from one to another, those that are finite included, within the parameter's range.

    Parameters
    ----------
    parameter : Parameter
    size : float or None
        Its natural size, None of a mass.
    step : float
        Of asinh(coupling / size), or of the logarithm of a mass; of a tenth of the range of a
        parameter that is spaced linearly.
    low, high : float
    """
    low, high = max(low, parameter.minimum), min(high, parameter.maximum)
    if size is None and parameter.spacing == "linear":
        return np.linspace(low, high, math.ceil(_PARTS / step) + 1)
    last = math.asinh(_REACH)
    first = -last
    if size is None:
        scale = ShapeScale(parameter)
        first, last = scale.first, scale.last
    # Zero is among the steps, for there a signed coupling may have its best fit.
    steps: FloatArray = step * np.arange(math.ceil(first / step), math.floor(last / step) + 1.0)
    values = np.exp(steps) if size is None else size * np.sinh(steps)
    ends = [end for end in (low, high) if math.isfinite(end)]
    return np.unique([*values[(values > low) & (values < high)], *ends])
