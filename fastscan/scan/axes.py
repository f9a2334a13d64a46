"""Axes of a scan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError

__all__ = ["Axis"]

FloatArray = NDArray[np.float64]

# An axis is held in memory whole; this many points are 800 MB.
MAX_POINTS = 100_000_000


@dataclass(frozen=True)
class Axis:
    """Points of one parameter, evenly spaced or evenly spaced in its logarithm.

    Attributes
    ----------
    name : str
        A parameter of the model, in its unit.
    start, stop : float
        First and last point.
    points : int
        Number of points, both ends included.
    spacing : {"linear", "log"}
    """

    name: str
    start: float
    stop: float
    points: int
    spacing: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        where = f"--axis {self.name}"
        if not (math.isfinite(self.start) and math.isfinite(self.stop)):
            raise InputError(
                f"axis from {self.start} to {self.stop} is not finite",
                where=where,
                hint="give two numbers",
            )
        if self.points < 1:
            raise InputError(
                f"axis of {self.points} points", where=where, hint="give at least one point"
            )
        if self.points > MAX_POINTS:
            raise InputError(
                f"axis of {self.points} points is too long",
                where=where,
                hint=f"give at most {MAX_POINTS}",
            )
        if self.points > 1 and not self.start < self.stop:
            raise InputError(
                f"axis does not rise from {self.start:g} to {self.stop:g}",
                where=where,
                hint="put the smaller end first",
            )
        if self.spacing == "log" and self.start <= 0.0:
            raise InputError(
                f"logarithmic axis starts at {self.start:g}",
                where=where,
                hint="start above zero or leave out :log",
            )

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read ``NAME=START:STOP:N`` or ``NAME=START:STOP:N:log``.

        Raises
        ------
        InputError
            Anything else.
        """
        name, equals, rest = text.partition("=")
        parts = rest.split(":")
        where = f"--axis {text}"
        hint = "write NAME=START:STOP:N or NAME=START:STOP:N:log, as in mass_mev=0.01:1000:200:log"
        if not (equals and name.strip() and len(parts) in (3, 4)):
            raise InputError("axis is not of its form", where=where, hint=hint)
        if len(parts) == 4 and parts[3] not in ("log", "linear"):
            raise InputError(f"unknown spacing {parts[3]!r}", where=where, hint=hint)
        try:
            start, stop, points = float(parts[0]), float(parts[1]), int(parts[2])
        except ValueError:
            raise InputError(
                "axis holds something that is no number", where=where, hint=hint
            ) from None
        if points == 1 and start != stop:
            raise InputError(
                f"axis of one point from {start:g} to {stop:g}",
                where=where,
                hint=f"give at least two points, or --set {name.strip()}={start:g}",
            )
        return cls(name.strip(), start, stop, points, "log" if parts[3:] == ["log"] else "linear")

    @classmethod
    def through(cls, name: str, values: ArrayLike) -> Axis:
        """The axis that has given points: an array, or a column of pandas or xarray.

        Raises
        ------
        InputError
            They are spaced evenly neither in the parameter nor in its logarithm, to 1e-9 of a step.

        Examples
        --------
        >>> import numpy as np
        >>> Axis.through("g", np.geomspace(1e-6, 1e-3, 4))
        Axis(name='g', start=1e-06, stop=0.001, points=4, spacing='log')
        """
        points = np.asarray(values, dtype=float)
        where = f"--axis {name}"
        if points.ndim != 1 or points.size == 0:
            raise InputError(
                f"points of shape {points.shape}", where=where, hint="give a list of numbers"
            )
        ends = float(points[0]), float(points[-1])
        tries: list[Axis] = [cls(name, *ends, points.size)]
        if points.size > 1 and ends[0] > 0.0:
            tries.append(cls(name, *ends, points.size, "log"))
        for axis in tries:
            steps = np.gradient(axis.values) if points.size > 1 else np.ones(1)
            if (np.abs(points - axis.values) <= 1e-9 * np.abs(steps)).all():
                return axis
        raise InputError(
            "points are spaced evenly neither in the parameter nor in its logarithm",
            where=where,
            hint="give its ends and the number of points",
        )

    @property
    def values(self) -> FloatArray:
        """The points, shape (points,); both ends are exact."""
        if self.points == 1:
            return np.array([self.start])
        if self.spacing == "linear":
            return np.linspace(self.start, self.stop, self.points)
        values = np.exp(np.linspace(math.log(self.start), math.log(self.stop), self.points))
        values[0], values[-1] = self.start, self.stop
        return values

    def at(self, fraction: float) -> float:
        """Value at a fraction of the way along the axis."""
        if self.spacing == "log":
            return float(self.start * (self.stop / self.start) ** fraction)
        return self.start + fraction * (self.stop - self.start)

    def to_dict(self) -> dict[str, object]:
        """For headers."""
        return {
            "name": self.name,
            "start": self.start,
            "stop": self.stop,
            "points": self.points,
            "spacing": self.spacing,
        }
