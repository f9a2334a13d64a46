"""Exact boundaries: what is excluded of a coupling along another axis, without a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fastscan.exceptions import InputError
from fastscan.inference.edges import bounds_of, check_box, outside_words
from fastscan.likelihoods import Likelihood, delta_chi2
from fastscan.likelihoods.couplings import widened
from fastscan.likelihoods.form import Lines, chi2_form
from fastscan.likelihoods.minimum import Minimum, find_minimum, point_words
from fastscan.results import Column, Table, Touch, edge_words, touch_words
from fastscan.scan.axes import Axis
from fastscan.scan.edges import box_of, touching
from fastscan.scan.grid import Grid, check_axes
from fastscan.scan.provenance import Scanned, header_lines, scan_header

__all__ = ["Boundary", "find_boundary"]

FloatArray = NDArray[np.float64]

# The lowest chi2 of the plane is looked for on this many points of the axis, then refined.
_POINTS_FOR_MINIMUM = 257
_DEEPEST_LEVEL = 24


@dataclass(frozen=True, eq=False, repr=False)
class Boundary(Scanned):
    """Allowed and excluded values of one coupling along an axis.

    Attributes
    ----------
    axis_name, poi : str
    values : (points,)
        Points of the axis, in rising order.
    allowed : (points, pieces, 2)
        Intervals of the coupling with chi2 at most ``level``, NaN beyond the last one of a point.
    chi2_min, level : float
        Lowest chi2 of the plane, on the axis or off it, and the level of the boundary.
    best_fit : dict
        Where the lowest chi2 is.
    header : dict
        See `fastscan.scan.scan_header`.
    """

    axis_name: str
    poi: str
    values: FloatArray
    allowed: FloatArray
    chi2_min: float
    level: float
    best_fit: dict[str, float]
    header: dict[str, Any]
    domain: tuple[float, float]
    touches: list[Touch]
    warnings: list[str]

    def excluded(self, point: int) -> list[tuple[float, float]]:
        """Excluded intervals of the coupling at one point of the axis."""
        start, end = self.domain
        pieces = []
        for low, high in self.allowed[point]:
            if np.isnan(low):
                break
            if low > start:
                pieces.append((start, float(low)))
            start = float(high)
        if start < end:
            pieces.append((start, end))
        return pieces

    @property
    def headline(self) -> str:
        """What is bounded along what, and the best fit."""
        best = f"best fit {point_words(self.best_fit)}, chi2 = {self.chi2_min:.4f}"
        return (
            f"{self.poi} along {self.axis_name} at {len(self.values)} points, {self._level}; {best}"
        )

    @property
    def _level(self) -> str:
        return f"{100 * self.header['cl']:g} % C.L., {self.header['dof']} degrees of freedom"

    def _entries(self) -> dict[str, Any]:
        return {
            "axis": self.axis_name,
            "poi": self.poi,
            "points": len(self.values),
            "chi2_min": self.chi2_min,
            "best_fit": self.best_fit,
            "level": self.level,
            "touches": self.touches,
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        at, unit = self.axis_name, self.provenance.unit(self.poi)
        words = "intervals with chi2 at most the level"
        return {
            "allowed": Column((at, "piece", "end"), self.allowed, unit, words),
            at: Column((at,), self.values, self.provenance.unit(at)),
            "end": Column(("end",), np.array(["low", "high"])),
            "chi2_min": Column((), self.chi2_min),
            "level": Column((), self.level, words="chi2 at the boundary"),
        }

    def table(self) -> Table:
        """Excluded intervals: the axis, the number of the interval, its two ends."""
        columns = [self.axis_name, "piece", f"{self.poi}_low", f"{self.poi}_high"]
        rows = (
            (float(value), number, low, high)
            for i, value in enumerate(self.values)
            for number, (low, high) in enumerate(self.excluded(i))
        )
        return Table(self._about(), columns, rows)

    def _about(self) -> dict[str, object]:
        best = ", ".join(f"{name} = {value:.6g}" for name, value in self.best_fit.items())
        return {
            "content": f"excluded at {self._level}",
            "best fit": f"{best}, chi2 = {self.chi2_min:.9g}",
            "level": f"chi2 = {self.level:.9g}",
            "touches": touch_words(self.touches) or "no edge of the axis",
            "profiled": ", ".join(self.profiled) or "none",
            **header_lines(self.header),
        }


def find_boundary(
    likelihood: Likelihood,
    axis: Axis,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    cl: float = 0.90,
    dof: int = 2,
    tolerance: float | None = None,
    workers: int | None = None,
    profiled: Sequence[str] = (),
) -> Boundary:
    """Find the boundary of a coupling at each point of an axis.

    Parameters
    ----------
    likelihood : Likelihood
    axis : Axis
        A mass or another coupling.
    poi : str
        The coupling.
    given : mapping, optional
        Values of other parameters.
    cl, dof : float, int
        The level is the lowest chi2 of the plane, on the axis or off it, plus the rise for these.
    tolerance : float, optional
        Add points until the boundary, joined linearly between them (in logarithms on a logarithmic
        axis), is right to this relative accuracy; the axis gives the points to start from.
    workers : int, optional
        Threads; all processors by default.
    profiled : sequence of str, optional
        Couplings that chi2 is minimised over, exactly: those that add to the counts only through
        one sum of squares with ``poi``, as transition elements of other flavours do. They can make
        up for any smaller value of it, so what is allowed at a point is one interval around zero.

    Raises
    ------
    InputError
        A bad parameter, level or tolerance, a coupling that is a mass, or one to profile that
        enters in another way.
    """
    rise = delta_chi2(cl, dof)
    parameter = likelihood.model.parameter(poi, "--poi")
    if parameter.kind != "coupling":
        raise InputError(
            f"{poi} is not a coupling", where="--poi", hint="exchange it with the axis"
        )
    if tolerance is not None and not 0.0 < tolerance < 1.0:
        raise InputError(
            f"tolerance {tolerance:g} is not between 0 and 1",
            where="--tolerance",
            hint="write one in a thousand as 1e-3",
        )
    plane = _Plane(likelihood, axis, poi, dict(given or {}), workers, profiled)
    chi2_min, best_fit = plane.minimum()
    on_axis, minimum = chi2_min, find_minimum(plane.form, Minimum(best_fit, chi2_min))
    # One that is better by rounding alone is none.
    if minimum.chi2 < chi2_min - 1e-9 * max(1.0, chi2_min):
        chi2_min, best_fit = minimum.chi2, minimum.point
    lowest = Minimum(best_fit, chi2_min)
    check_box(on_axis, lowest, "axis", most=rise)
    level = chi2_min + rise
    values = axis.values
    allowed = plane.allowed(values, level)
    if tolerance is not None:
        values, allowed = _refine(plane, axis, values, allowed, level, tolerance)
    coupling = Axis(poi, parameter.standard, parameter.standard, 1)
    about = scan_header(likelihood, Grid(likelihood, [axis, coupling], given))
    # Its ends are roots of the exact chi2.
    about.pop("chi2_error", None)
    held = {name: value for name, value in about["parameters"].items() if name not in profiled}
    header = {**about, "parameters": held, "cl": cl, "dof": dof, "profiled": list(profiled)}
    domain = (max(parameter.minimum, -np.inf), parameter.maximum)
    inside = np.asarray(np.isfinite(allowed).any(axis=(1, 2)))
    touches = touching(inside, [axis], bounds_of([likelihood.model.parameter(axis.name)]))
    words = [edge_words(touches, "axis"), outside_words(lowest, box_of([axis]), on_axis, "axis")]
    words += likelihood.doubts(chi2_min, 2 + len(profiled))
    return Boundary(
        axis.name,
        poi,
        values,
        allowed,
        chi2_min,
        level,
        best_fit,
        header,
        domain,
        touches,
        [word for word in words if word],
    )


class _Plane:
    """Chi2 along the coupling at any points of the axis."""

    def __init__(
        self,
        likelihood: Likelihood,
        axis: Axis,
        poi: str,
        given: dict[str, float],
        workers: int | None,
        profiled: Sequence[str],
    ) -> None:
        check_axes(likelihood.model, [axis], given)
        self._axis, self._poi, self._workers = axis, poi, workers
        names = likelihood.profiled_names(poi, given, tuple(profiled))
        if axis.name in names:
            raise InputError(
                f"{axis.name} is both profiled and the axis",
                where="--profile",
                hint="leave one out",
            )
        counts = likelihood.counts((axis.name, poi, *names), given)
        for name in names:
            if counts.parameter(name).kind != "coupling" or not counts.alike(poi, name):
                raise InputError(
                    f"{name} can not be profiled exactly: it does not enter as a square beside "
                    f"{poi}'s",
                    where="--profile",
                    hint="profile other flavours of the transition element that is bounded, "
                    "or use: fastscan marginal",
                )
        # Degenerate partners can only raise the coupling: at zero they are out of the way.
        self._outward = bool(names)
        if names:
            counts = likelihood.counts((axis.name, poi), {**given, **dict.fromkeys(names, 0.0)})
        self.form = chi2_form(counts)

    def minimum(self) -> tuple[float, dict[str, float]]:
        """The lowest chi2 of the plane, and where."""
        points = np.linspace(0.0, 1.0, _POINTS_FOR_MINIMUM if self._axis.points > 1 else 1)

        def at(t: float) -> tuple[float, float]:
            value, chi2 = self._lines(np.array([self._axis.at(t)])).minima()
            return float(chi2[0]), float(value[0])

        _, chi2 = self._lines(np.array([self._axis.at(t) for t in points])).minima()
        best = int(chi2.argmin())
        t = float(points[best])
        if 0 < best < points.size - 1:
            found = minimize_scalar(
                lambda t: at(t)[0],
                bounds=(points[best - 1], points[best + 1]),
                method="bounded",
                options={"xatol": 1e-10},
            )
            if found.fun < chi2[best]:
                t = float(found.x)
        lowest, value = at(t)
        return lowest, {self._axis.name: float(self._axis.at(t)), self._poi: value}

    def allowed(self, values: FloatArray, level: float) -> FloatArray:
        """Intervals of the coupling with chi2 at most ``level``, shape (points, pieces, 2)."""
        return self._lines(values).below(level, outward=self._outward)

    def _lines(self, values: FloatArray) -> Lines:
        return self.form.lines(self._poi, {self._axis.name: values}, self._workers)


def _refine(
    plane: _Plane,
    axis: Axis,
    values: FloatArray,
    allowed: FloatArray,
    level: float,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Halve intervals of the axis until the boundary between points is nearly straight."""
    logarithmic = axis.spacing == "log"
    checked = np.zeros(max(values.size - 1, 0), dtype=bool)
    for _ in range(_DEEPEST_LEVEL):
        open_ones = np.flatnonzero(~checked)
        if open_ones.size == 0:
            break
        left, right = values[open_ones], values[open_ones + 1]
        middle = np.sqrt(left * right) if logarithmic else 0.5 * (left + right)
        found = plane.allowed(middle, level)
        pieces = max(found.shape[1], allowed.shape[1])
        found, allowed = widened(found, pieces), widened(allowed, pieces)
        a, b = allowed[open_ones], allowed[open_ones + 1]
        both = logarithmic & (a > 0.0) & (b > 0.0)
        with np.errstate(invalid="ignore"):
            joined = np.where(both, np.sqrt(np.abs(a * b)), 0.5 * (a + b))
            error = np.abs(joined - found) > tolerance * np.abs(found)
        differ = np.isnan(joined) != np.isnan(found)
        straight = ~(error | differ).any(axis=(1, 2))
        # Where a piece appears or ends the boundary is vertical: no halving makes it straight.
        straight |= np.abs(right - left) <= 1e-9 * np.abs(right)
        order = np.argsort(np.concatenate([values, middle]), kind="stable")
        values = np.concatenate([values, middle])[order]
        allowed = np.concatenate([allowed, found])[order]
        # Each checked interval stays whole; each halved one becomes two, of its parent's verdict.
        after = np.zeros(values.size - 1, dtype=bool)
        verdict = checked.copy()
        verdict[open_ones] = straight
        halves = np.ones(verdict.size, dtype=int)
        halves[open_ones] = 2
        after[:] = np.repeat(verdict, halves)
        checked = after
    return values, allowed
