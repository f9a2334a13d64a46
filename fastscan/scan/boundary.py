"""Exact boundaries: what is excluded of a coupling at each point of another axis, without a grid.

At each point of the axis chi2 is a ratio N / D of two polynomials in the coupling, so the boundary
at a level L is where N - L D changes sign: roots of one small polynomial.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fastscan.exceptions import InputError
from fastscan.kernels import roots as root_kernels
from fastscan.scan.axes import Axis
from fastscan.scan.executors import Index, executor
from fastscan.scan.grid import Grid
from fastscan.scan.provenance import header_lines, scan_header
from fastscan.statistics import Likelihood, delta_chi2
from fastscan.statistics.surface import Surface, bounds_of_power
from fastscan.storage.files import write_text
from fastscan.storage.tables import table_text

__all__ = ["Boundary", "find_boundary", "write_boundary"]

FloatArray = NDArray[np.float64]

_ROWS = 2048
# The lowest chi2 of the plane is looked for on this many points of the axis, then refined.
_POINTS_FOR_MINIMUM = 257
_DEEPEST_LEVEL = 24


@dataclass(frozen=True)
class Boundary:
    """Allowed and excluded values of one coupling along an axis.

    Attributes
    ----------
    axis_name, poi : str
    values : (points,)
        Points of the axis, in rising order.
    allowed : (points, pieces, 2)
        Intervals of the coupling with chi2 at most ``level``, NaN beyond the last one of a point.
    chi2_min, level : float
        Lowest chi2 of the plane, and the level of the boundary.
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
        The level is the lowest chi2 of the plane plus the rise for these.
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
    _check_profiled(likelihood, axis.name, poi, given or {}, profiled)
    plane = _Plane(likelihood, axis, poi, dict(given or {}), workers, bool(profiled))
    chi2_min, best_fit = plane.minimum()
    level = chi2_min + rise
    values = axis.values
    allowed = plane.allowed(values, level)
    if tolerance is not None:
        values, allowed = _refine(plane, axis, values, allowed, level, tolerance)
    about = scan_header(likelihood, plane.grid(axis.values))
    held = {name: value for name, value in about["parameters"].items() if name not in profiled}
    header = {**about, "parameters": held, "cl": cl, "dof": dof, "profiled": list(profiled)}
    domain = (max(parameter.minimum, -np.inf), parameter.maximum)
    return Boundary(axis.name, poi, values, allowed, chi2_min, level, best_fit, header, domain)


def write_boundary(boundary: Boundary, path: str | Path, *, overwrite: bool = False) -> None:
    """Write excluded intervals as CSV: the axis, the number of the interval, its two ends.

    Raises
    ------
    StoreError
        The file exists.
    InputError
        The folder can not be written.
    """
    header = boundary.header
    best = ", ".join(f"{name} = {value:.6g}" for name, value in boundary.best_fit.items())
    about = {
        "content": f"excluded at {100 * header['cl']:g} % C.L., {header['dof']} degrees of freedom",
        "best fit": f"{best}, chi2 = {boundary.chi2_min:.9g}",
        "level": f"chi2 = {boundary.level:.9g}",
        "profiled": ", ".join(header["profiled"]) or "none",
        **header_lines(header),
    }
    columns = [boundary.axis_name, "piece", f"{boundary.poi}_low", f"{boundary.poi}_high"]
    rows = (
        (float(value), number, low, high)
        for i, value in enumerate(boundary.values)
        for number, (low, high) in enumerate(boundary.excluded(i))
    )
    write_text(path, table_text(about, columns, rows), overwrite=overwrite)


def _check_profiled(
    likelihood: Likelihood,
    axis: str,
    poi: str,
    given: Mapping[str, float],
    profiled: Sequence[str],
) -> None:
    names = likelihood.profiled_names(poi, given, tuple(profiled))
    if axis in names:
        raise InputError(
            f"{axis} is both profiled and the axis", where="--profile", hint="leave one out"
        )
    if not names:
        return
    rates = likelihood.rates(likelihood.parameters(given, (axis, poi, *names)))
    shape = {name: np.array([1.0]) for name in rates.shape_parameters}
    couplings = tuple(likelihood.model.parameter(name) for name in rates.couplings)
    surface = Surface(
        couplings,
        rates.exponents,
        rates.coefficients(shape)[0] / likelihood.sigma,
        likelihood.data / likelihood.sigma,
        likelihood.sigma_alpha**-2,
    )
    for name in names:
        own, other = (rates.couplings.index(n) if n in rates.couplings else -1 for n in (poi, name))
        if other < 0 or not surface.alike(own, other):
            raise InputError(
                f"{name} can not be profiled exactly: it does not enter as a square beside {poi}'s",
                where="--profile",
                hint="profile other flavours of the transition element that is bounded, "
                "or use: fastscan marginal",
            )


class _Plane:
    """Rows of polynomials in the coupling at any points of the axis."""

    def __init__(
        self,
        likelihood: Likelihood,
        axis: Axis,
        poi: str,
        given: dict[str, float],
        workers: int | None,
        outward: bool,
    ) -> None:
        self._axis, self._poi, self._workers = axis, poi, workers
        # Whether profiled partners can make up for a smaller coupling.
        self._outward = outward
        self._parameter = likelihood.model.parameter(poi)
        coupling = Axis(poi, self._parameter.standard, self._parameter.standard, 1)
        self._grid = Grid(likelihood, [axis, coupling], given)
        self._power = self._grid.power

    def grid(self, values: FloatArray) -> Grid:
        """The axis at some points, with the coupling innermost."""
        return self._grid.at_points(values)

    def rows(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Polynomials at points of the axis, on all workers."""
        grid = self.grid(values)
        if values.size <= _ROWS:
            return grid.rows((slice(None), slice(0, 1)))
        terms = grid.rows((slice(0, 1), slice(0, 1)))[0].shape[1]
        numerator = np.empty((values.size, terms))
        denominator = np.empty_like(numerator)

        def part(_: None, index: Index) -> None:
            own = slice(index[0] * _ROWS, (index[0] + 1) * _ROWS)
            numerator[own], denominator[own] = grid.rows((own, slice(0, 1)))

        with executor("threads", self._workers) as run:
            run(part, None, ((i,) for i in range(-(-values.size // _ROWS))), lambda: None)
        return numerator, denominator

    def minimum(self) -> tuple[float, dict[str, float]]:
        """The lowest chi2 of the plane, and where."""
        points = np.linspace(0.0, 1.0, _POINTS_FOR_MINIMUM if self._axis.points > 1 else 1)

        def at(t: float) -> tuple[float, float]:
            u, chi2 = self._row_minima(np.array([self._axis.at(t)]))
            return float(chi2[0]), float(u[0])

        _, chi2 = self._row_minima(np.array([self._axis.at(t) for t in points]))
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
        lowest, u = at(t)
        root = float(np.sign(u) * abs(u) ** (1.0 / self._power))
        return lowest, {self._axis.name: float(self._axis.at(t)), self._poi: root}

    def allowed(self, values: FloatArray, level: float) -> FloatArray:
        """Intervals of the coupling with chi2 at most ``level``, shape (points, pieces, 2)."""
        numerator, denominator = self.rows(values)
        lower, upper = bounds_of_power(self._parameter, self._power)
        found: list[FloatArray] = [np.empty((0, 1, 2))] * (-(-values.size // _ROWS))

        def part(_: None, index: Index) -> None:
            own = slice(index[0] * _ROWS, (index[0] + 1) * _ROWS)
            polynomial = numerator[own] - level * denominator[own]
            found[index[0]] = _crossings(polynomial, denominator[own], lower, upper)

        with executor("threads", self._workers) as run:
            run(part, None, ((i,) for i in range(len(found))), lambda: None)
        most = max((pieces.shape[1] for pieces in found), default=0)
        pieces = np.concatenate([_widen(pieces, most) for pieces in found])
        if self._outward:
            reach = np.max(
                pieces[:, :, 1], axis=1, initial=-np.inf, where=~np.isnan(pieces[..., 1])
            )
            some = reach >= 0.0
            pieces = np.full((values.size, 1, 2), np.nan)
            pieces[some, 0] = np.stack([np.zeros(some.sum()), reach[some]], axis=1)
        return self._unfold(pieces)

    def _row_minima(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Exact minimum along the coupling at each point: u and chi2."""
        numerator, denominator = self.rows(values)
        lower, upper = bounds_of_power(self._parameter, self._power)
        slope = _multiply(_derivative(numerator), denominator)
        slope -= _multiply(numerator, _derivative(denominator))
        # The highest power cancels, exactly but for rounding.
        scaled, low, high, scale = _scaled(slope[:, :-1], denominator, lower, upper)
        roots = np.empty((values.size, max(scaled.shape[1] - 1, 1)))
        root_kernels.sign_changes(scaled, low, high, roots)
        roots *= scale[:, None]
        ends = [np.full((values.size, 1), end) for end in (lower, upper) if np.isfinite(end)]
        candidates = np.concatenate([roots, *ends], axis=1)
        outside = ~((candidates >= lower) & (candidates <= upper))
        candidates = np.where(outside, ends[0] if ends else 0.0, candidates)
        chi2 = _evaluate(numerator, candidates) / _evaluate(denominator, candidates)
        best = chi2.argmin(axis=1)
        rows = np.arange(values.size)
        return candidates[rows, best], chi2[rows, best]

    def _unfold(self, edges: FloatArray) -> FloatArray:
        """From u = coupling**power to the coupling, mirrored where its sign does not matter."""
        coupling = np.sign(edges) * np.abs(edges) ** (1.0 / self._power)
        if self._power % 2 or self._parameter.minimum >= 0.0:
            return coupling
        mirrored = -coupling[:, ::-1, ::-1]
        # The piece that begins at zero and its mirror image are one.
        joined = coupling[:, 0, 0] == 0.0
        coupling[joined, 0, 0] = -coupling[joined, 0, 1]
        mirrored[joined, -1] = np.nan
        both = np.concatenate([mirrored, coupling], axis=1)
        order = np.argsort(both[:, :, 0], axis=1)
        return np.take_along_axis(both, order[:, :, None], axis=1)


def _crossings(
    polynomial: FloatArray, denominator: FloatArray, lower: float, upper: float
) -> FloatArray:
    """Intervals of u on which each row's polynomial is not positive, NaN beyond the last."""
    scaled, low, high, scale = _scaled(polynomial, denominator, lower, upper)
    pieces = np.empty((scaled.shape[0], (scaled.shape[1] - 1) // 2 + 1, 2))
    used = root_kernels.pieces_below(scaled, low, high, pieces)
    # The bounds themselves, not what scaling there and back makes of them.
    pieces = np.where(pieces == low[:, None, None], lower, pieces * scale[:, None, None])
    pieces = np.where(pieces == (high * scale)[:, None, None], upper, pieces)
    return pieces[:, : max(used, 1)]


def _scaled(
    polynomial: FloatArray, denominator: FloatArray, lower: float, upper: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Each row in a variable of its own in which D is balanced, its bounds there, and the scale."""
    top = denominator.shape[1] - 1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.abs(denominator[:, 0] / denominator[:, top]) ** (1.0 / max(top, 1))
    scale = np.where(np.isfinite(scale) & (scale > 0.0), scale, 1.0)
    scaled = polynomial * scale[:, None] ** np.arange(polynomial.shape[1])
    scaled /= np.maximum(np.abs(scaled).max(axis=1, keepdims=True), 1e-300)
    return scaled, lower / scale, upper / scale, scale


def _evaluate(polynomial: FloatArray, u: FloatArray) -> FloatArray:
    """Each row's polynomial at its own points, shape (rows, points)."""
    total = np.zeros_like(u)
    for k in range(polynomial.shape[1] - 1, -1, -1):
        total = total * u + polynomial[:, k : k + 1]
    return total


def _derivative(polynomial: FloatArray) -> FloatArray:
    return polynomial[:, 1:] * np.arange(1, polynomial.shape[1])


def _multiply(left: FloatArray, right: FloatArray) -> FloatArray:
    product = np.zeros((left.shape[0], left.shape[1] + right.shape[1] - 1))
    for i in range(left.shape[1]):
        product[:, i : i + right.shape[1]] += left[:, i : i + 1] * right
    return product


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
        found, allowed = _widen(found, pieces), _widen(allowed, pieces)
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


def _widen(allowed: FloatArray, pieces: int) -> FloatArray:
    missing = pieces - allowed.shape[1]
    return np.pad(allowed, ((0, 0), (0, missing), (0, 0)), constant_values=np.nan)
