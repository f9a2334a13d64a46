"""Edges of boxes: what cuts a region off, leaves the minimum out, or is excluded by the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from fastscan.exceptions import InputError
from fastscan.likelihoods.minimum import Minimum, point_words
from fastscan.models import Parameter
from fastscan.results import Touch

__all__ = [
    "EXCLUDED",
    "Bounds",
    "bounds_of",
    "check_box",
    "open_ends",
    "outside_words",
]

# A box whose lowest chi2 is this much above the minimum is no choice, but a mistake.
EXCLUDED = 25.0
# A smaller excess over a minimum outside is not worth a word.
_EXCESS = 0.01


# Range of each parameter.
Bounds = Mapping[str, tuple[float, float]]


def bounds_of(parameters: Iterable[Parameter]) -> dict[str, tuple[float, float]]:
    """Ranges by name."""
    return {p.name: (p.minimum, p.maximum) for p in parameters}


def open_ends(box: Bounds, bounds: Bounds) -> Iterator[Touch]:
    """Ends of a box that are no bound of their parameter: there something can be cut off."""
    for name, (low, high) in box.items():
        minimum, maximum = bounds.get(name, (-np.inf, np.inf))
        if low > minimum:
            yield Touch(name, "low", low)
        if high < maximum:
            yield Touch(name, "high", high)


def check_box(
    lowest: float,
    minimum: Minimum,
    what: str = "grid",
    where: str = "--axis",
    most: float = EXCLUDED,
) -> None:
    """Check that the data do not exclude a grid or box.

    Raises
    ------
    InputError
        Its lowest chi2 is more than ``most``, 25 by default, above the minimum.
    """
    if lowest - minimum.chi2 > most:
        raise InputError(
            f"the data exclude the {what}: its lowest chi2, {lowest:.5g}, is "
            f"{lowest - minimum.chi2:.4g} above the minimum at {point_words(minimum.point)}",
            where=where,
            hint="choose a range that holds the minimum",
        )


def outside_words(minimum: Minimum, box: Bounds, lowest: float, what: str = "grid") -> str:
    """What is told of a minimum of chi2 outside a grid or box; empty if it is inside."""
    outside = any(
        not box[name][0] <= value <= box[name][1]
        for name, value in minimum.point.items()
        if name in box
    )
    if not outside or lowest - minimum.chi2 < _EXCESS:
        return ""
    return (
        f"the minimum, chi2 = {minimum.chi2:.5g} at {point_words(minimum.point)}, is outside the "
        f"{what}, whose lowest chi2 is {lowest - minimum.chi2:.3g} above it"
    )
