"""Boxes of priors: their ends where none were given, and a check of them against the data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inference.dimension import Box, Dimension
from fastscan.inference.edges import EXCLUDED
from fastscan.inference.marginal_likelihood import NEGLIGIBLE, MarginalLikelihood

__all__ = ["check_valley", "fill_boxes"]

FloatArray = NDArray[np.float64]

# Steps in which the likelihood is looked at, of asinh(g / natural size) and of the logarithm of a
# mass: on a line, and on a plane.
_LOOK, _LOOK_PLANE = 0.02, 0.1
# A box whose best point is this much worse than the best one outside is worth a word.
_DOUBTFUL = 9.0


def fill_boxes(
    function: MarginalLikelihood, dimensions: Sequence[Dimension], boxes: Sequence[Box]
) -> tuple[list[tuple[float, float]], str]:
    """Ends of boxes that were not given; and a word on boxes that the data disfavour.

    Parameters
    ----------
    function : MarginalLikelihood
    dimensions : sequence of Dimension
        One or two.
    boxes : sequence of (low, high)
        One a dimension; an end that is None lies at the parameter's bound, or where the likelihood
        has fallen to 1e-8 of its maximum.

    Returns
    -------
    boxes : list of (low, high)
    warning : str
        Empty if there is nothing to say.

    Raises
    ------
    InputError
        The likelihood is zero in all of a box, does not fall where an end is not given, or is so
        much higher outside that the data exclude the box.
    """
    step = _LOOK if len(dimensions) == 1 else _LOOK_PLANE
    ladders = []
    for dimension, own in zip(dimensions, boxes, strict=True):
        ends = [end for end in own if end is not None]
        ladders.append(np.unique([*dimension.ladder(step), *ends]))
    log = function.on_grid(ladders)
    inside = np.ones(log.shape, dtype=bool)
    for m, (low, high) in zip(np.meshgrid(*ladders, indexing="ij"), boxes, strict=True):
        inside &= (m >= (-np.inf if low is None else low)) & (
            m <= (np.inf if high is None else high)
        )
    if not np.isfinite(log[inside]).any():
        raise InputError(
            "the likelihood is zero in all of the box", where="--box", hint="give a wider one"
        )
    highest = float(log[inside].max())
    above = inside & (log >= highest - NEGLIGIBLE)
    full = []
    for i, (dimension, own) in enumerate(zip(dimensions, boxes, strict=True)):
        others = tuple(j for j in range(log.ndim) if j != i)
        found = np.flatnonzero(above.any(axis=others))
        full.append(_ends(dimension, own, ladders[i], int(found[0]), int(found[-1])))
    return full, _judge(2.0 * (float(log.max()) - highest), dimensions)


def _ends(
    dimension: Dimension, box: Box, ladder: FloatArray, first: int, last: int
) -> tuple[float, float]:
    parameter = dimension.parameter
    low, high = box
    if low is None:
        low = float(ladder[max(first - 1, 0)])
        if first == 0 and low > parameter.minimum:
            # All the way down to a mass of zero.
            low = parameter.minimum
    if high is None:
        high = float(ladder[min(last + 1, ladder.size - 1)])
        if last == ladder.size - 1 and high < parameter.maximum:
            high = math.inf
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(
            f"the likelihood does not fall towards large {parameter.name}: a flat prior needs an "
            "end",
            where=f"--box {parameter.name}",
            hint=f"give the box: fastscan posterior … --box {parameter.name}=LOW:HIGH",
        )
    return low, high


def _judge(worse: float, dimensions: Sequence[Dimension]) -> str:
    names = " and ".join(d.parameter.name for d in dimensions)
    if worse > EXCLUDED:
        raise InputError(
            f"the data exclude the box: outside it -2 log likelihood is lower by {worse:.4g}",
            where=f"--box {names}",
            hint="give a wider one",
        )
    if worse > _DOUBTFUL:
        return f"the data disfavour the box: outside it -2 log likelihood is lower by {worse:.3g}"
    return ""


def check_valley(
    function: MarginalLikelihood,
    dimensions: tuple[Dimension, Dimension],
    boxes: Sequence[Box],
    full: Sequence[tuple[float, float]],
) -> None:
    """Refuse to choose an end that a narrow valley runs through.

    Parameters
    ----------
    function : MarginalLikelihood
    dimensions : pair of Dimension
    boxes : sequence of (low, high)
        As they were given.
    full : sequence of (low, high)
        All ends of them, from `fill_boxes`.

    Raises
    ------
    InputError
        The likelihood at an end that was not given is not small all along it.
    """
    best = -np.inf
    along_ends = []
    for i, dimension in enumerate(dimensions):
        for own, chosen in zip(boxes[i], full[i], strict=True):
            if own is None and chosen not in (
                dimension.parameter.minimum,
                dimension.parameter.maximum,
            ):
                along_ends.append((i, chosen))
        middle = 0.0 if full[i][0] <= 0.0 <= full[i][1] else full[i][0]
        best = max(best, _highest_along(function, dimensions[1 - i], full[1 - i], i, middle))
    for i, end in along_ends:
        found = _highest_along(function, dimensions[1 - i], full[1 - i], i, end)
        if found > best - NEGLIGIBLE:
            first, second = (dimension.parameter.name for dimension in dimensions)
            raise InputError(
                f"the likelihood does not fall along a valley of {first} and {second}: a flat "
                "prior needs ends",
                where="--box",
                hint=f"give both boxes, as in --box {first}=LOW:HIGH --box {second}=LOW:HIGH",
            )


def _highest_along(
    function: MarginalLikelihood,
    dimension: Dimension,
    span: tuple[float, float],
    held: int,
    value: float,
) -> float:
    """Highest log likelihood on a line on which one of two parameters is held, by zooming in."""
    low, high = span
    highest = -np.inf
    for _ in range(4):
        even = np.linspace(low, high, 2001)
        stretched = np.linspace(dimension.stretch(low), dimension.stretch(high), 2001)
        free = np.unique([*even, *np.clip(dimension.unstretch(stretched)[0], low, high)])
        points = np.empty((free.size, 2))
        points[:, held], points[:, 1 - held] = value, free
        log = function(points)
        best = int(np.argmax(log))
        highest = max(highest, float(log[best]))
        low, high = float(free[max(best - 2, 0)]), float(free[min(best + 2, free.size - 1)])
    return highest
