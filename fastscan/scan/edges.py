"""Where a region is cut off by the edge of a grid or of a box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.minimum import Minimum, point_words
from fastscan.models import Parameter
from fastscan.scan.axes import Axis
from fastscan.scan.grid import Grid
from fastscan.scan.plan import Plan

__all__ = [
    "Bounds",
    "Touch",
    "bounds_of",
    "check_box",
    "edge_words",
    "open_ends",
    "outside_words",
    "touch_words",
    "touches_of_grid",
    "touches_of_intervals",
    "touching",
]

# A box whose lowest chi2 is this much above the minimum is no choice, but a mistake.
_EXCLUDED = 25.0
# A smaller excess over a minimum outside is not worth a word.
_EXCESS = 0.01


# Range of each parameter.
Bounds = Mapping[str, tuple[float, float]]


def bounds_of(parameters: Iterable[Parameter]) -> dict[str, tuple[float, float]]:
    """Ranges by name."""
    return {p.name: (p.minimum, p.maximum) for p in parameters}


@dataclass(frozen=True)
class Touch:
    """An end of an axis that a region reaches.

    Attributes
    ----------
    parameter : str
    end : {"low", "high"}
    value : float
    """

    parameter: str
    end: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def open_ends(axes: Sequence[Axis], bounds: Bounds) -> Iterator[tuple[int, int, Touch]]:
    """Ends of axes that are no bound of their parameter: which axis, first or last point, words.

    Where an axis ends with its parameter's range, nothing is cut off.
    """
    for i, axis in enumerate(axes):
        minimum, maximum = bounds.get(axis.name, (-np.inf, np.inf))
        if axis.start > minimum:
            yield i, 0, Touch(axis.name, "low", axis.start)
        if axis.stop < maximum and axis.points > 1:
            yield i, -1, Touch(axis.name, "high", axis.stop)


def touching(inside: NDArray[np.bool_], axes: Sequence[Axis], bounds: Bounds) -> list[Touch]:
    """Ends that a region of the points of some axes reaches."""
    return [
        touch for i, end, touch in open_ends(axes, bounds) if np.take(inside, end, axis=i).any()
    ]


def touches_of_intervals(
    intervals: Iterable[tuple[float, float]], axis: Axis, bounds: Bounds
) -> list[Touch]:
    """Ends of an axis that intervals of its parameter reach."""
    ends = {end for pair in intervals for end in pair}
    return [touch for _, _, touch in open_ends([axis], bounds) if touch.value in ends]


def touches_of_grid(grid: Grid, level: float) -> list[Touch]:
    """Ends of a grid that is not held at which chi2 is somewhere at most a level."""
    found = []
    for i, end, touch in open_ends(grid.axes, bounds_of(grid.form.counts.parameters)):
        face = tuple(1 if j == i else points for j, points in enumerate(grid.shape))
        place = 0 if end == 0 else grid.shape[i] - 1
        plan = Plan.of(face)
        for index in plan.indices():
            slices = list(plan.slices(index))
            slices[i] = slice(place, place + 1)
            if grid.inside(tuple(slices), level):
                found.append(touch)
                break
    return found


def edge_words(touches: Sequence[Touch], what: str = "grid") -> str:
    """What is told of a region that reaches edges; empty if it reaches none."""
    if not touches:
        return ""
    return f"the region is cut off by the edge of the {what}: {touch_words(touches)}"


def touch_words(touches: Sequence[Touch]) -> str:
    """Edges as ``name = value and value, …``."""
    ends: dict[str, list[str]] = {}
    for touch in touches:
        ends.setdefault(touch.parameter, []).append(f"{touch.value:g}")
    return ", ".join(f"{name} = {' and '.join(values)}" for name, values in ends.items())


def check_box(
    lowest: float,
    minimum: Minimum,
    what: str = "grid",
    where: str = "--axis",
    most: float = _EXCLUDED,
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


def outside_words(minimum: Minimum, axes: Sequence[Axis], lowest: float, what: str = "grid") -> str:
    """What is told of a minimum of chi2 outside a grid or box; empty if it is inside."""
    ends = {axis.name: (axis.start, axis.stop) for axis in axes}
    outside = any(not ends[name][0] <= v <= ends[name][1] for name, v in minimum.point.items())
    if not outside or lowest - minimum.chi2 < _EXCESS:
        return ""
    return (
        f"the minimum, chi2 = {minimum.chi2:.5g} at {point_words(minimum.point)}, is outside the "
        f"{what}, whose lowest chi2 is {lowest - minimum.chi2:.3g} above it"
    )
