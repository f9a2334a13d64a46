"""Profiles and posteriors of one or two parameters from a dense scan that is never stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inference.edges import check_box, outside_words
from fastscan.likelihoods import Likelihood, delta_chi2
from fastscan.likelihoods.minimum import Minimum, find_minimum, point_words
from fastscan.results import Column, Touch, edge_words, interval_words, touch_words, with_unit
from fastscan.scan.axes import Axis
from fastscan.scan.density import SampledDensity, end_shifts
from fastscan.scan.edges import box_of, touches_of_grid
from fastscan.scan.executors import Index, executor
from fastscan.scan.grid import Grid
from fastscan.scan.provenance import Scanned, header_lines, scan_header
from fastscan.scan.reduction import Reduction, box_weights
from fastscan.storage.plan import Plan

__all__ = ["Marginal", "count_inside", "marginalise"]

FloatArray = NDArray[np.float64]
Pieces = list[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Marginal(Scanned):
    """Chi2 or posterior density of the kept parameters.

    Attributes
    ----------
    method : {"profile", "bayes"}
        Minimum of chi2 over the reduced parameters, or integral of exp(-chi2/2) over them with
        priors flat in the box of the axes. Nuisances are profiled in both.
    axes : tuple of Axis
        Kept parameters.
    values : (points of each axis)
        Absolute chi2, or density normalised to one over the box.
    log : (points of each axis)
        Minus half of chi2, or the logarithm of the density.
    coarser, cut : tuple of arrays like log
        Of a posterior: from every other point of the reduced axes; and with half a step at one end
        of one of them left out. They tell errors.
    grid_chi2_min : float
        Lowest chi2 of the whole scan.
    minimum : Minimum
        The lowest chi2 that the parameters can reach, on the grid or off it, from which levels
        are counted.
    cl : float
        Level that intervals, tables, figures and words are of.
    header : dict
        Of the scan, see `fastscan.scan.scan_header`.
    """

    method: str
    axes: tuple[Axis, ...]
    values: FloatArray
    log: FloatArray
    coarser: tuple[FloatArray, ...]
    cut: tuple[FloatArray, ...]
    grid_chi2_min: float
    minimum: Minimum
    header: dict[str, Any]
    grid: Grid = field(compare=False)
    likelihood: Likelihood = field(compare=False)
    cl: float = 0.90

    @property
    def chi2_min(self) -> float:
        """Chi2 of the minimum."""
        return self.minimum.chi2

    def touches(self, cl: float | None = None) -> list[Touch]:
        """Ends of axes at which chi2 is within the rise of ``cl`` above its minimum somewhere."""
        cl = self.cl if cl is None else cl
        level = self.chi2_min + delta_chi2(cl, len(self.axes))
        return touches_of_grid(self.grid, level)

    @property
    def headline(self) -> str:
        """Its intervals, or what it is of."""
        names = " and ".join(axis.name for axis in self.axes)
        if len(self.axes) > 1:
            return f"{self.method} of {names} from a grid, chi2_min = {self.chi2_min:.4f}"
        unit = self.provenance.unit(names)
        pieces = with_unit(interval_words(self.intervals()), unit)
        return f"{names} in {pieces} at {100 * self.cl:g} % ({self.method}, from a grid)"

    @property
    def warnings(self) -> list[str]:
        """What may mislead: a box that cuts off the region or the minimum, absurd fits."""
        outside = outside_words(self.minimum, box_of(self.grid.axes), self.grid_chi2_min, "box")
        words = [word for word in (edge_words(self.touches(), "box"), outside) if word]
        free = len(self.grid.axes) + len(self.grid.profiled)
        return words + self.likelihood.doubts(self.chi2_min, free)

    def intervals(self, cl: float | None = None) -> Pieces:
        """Intervals of a single kept parameter, from a smooth curve through the points.

        Profile: chi2 at most its minimum plus the one-parameter rise. Posterior: the densest region
        that holds a probability of ``cl``.

        Raises
        ------
        InputError
            More than one parameter was kept, or a bad level.
        """
        return self._found(cl)[0]

    def interval_errors(self, cl: float | None = None) -> Pieces:
        """Errors of the ends of `intervals`, by the points being so few.

        Of the interpolation; of the minimum or integral over the points of the other axes; of a
        posterior also what changes where the box, the prior's, is moved by half a step.
        """
        return self._found(cl)[1]

    def _found(self, cl: float | None) -> tuple[Pieces, Pieces]:
        cl = self.cl if cl is None else cl
        rise = delta_chi2(cl)
        if len(self.axes) != 1:
            raise InputError(
                f"intervals of {len(self.axes)} parameters", hint="keep a single parameter"
            )
        (axis,) = self.axes
        smooth, plain = SampledDensity(axis, self.log), SampledDensity(axis, self.log, 3)
        if self.method == "profile":
            level = -0.5 * (self.chi2_min + rise)
            pieces = smooth.above(level)
            if not pieces:
                check_box(self.grid_chi2_min, self.minimum, "box", most=rise)
            shifts = end_shifts(pieces, [plain.above(level)])
            return pieces, [
                (low + self._profile_error(smooth, start), high + self._profile_error(smooth, stop))
                for (low, high), (start, stop) in zip(shifts, pieces, strict=True)
            ]
        pieces = smooth.densest(cl)
        others = [plain.densest(cl), smooth.densest(cl, (0.5, 0.0)), smooth.densest(cl, (0.0, 0.5))]
        others += [SampledDensity(axis, log).densest(cl) for log in self.cut]
        # An integral of half the points is off by at least four times as much.
        coarse = [SampledDensity(axis, log).densest(cl) for log in self.coarser]
        errors = np.array(end_shifts(pieces, others)) + 0.25 * np.array(end_shifts(pieces, coarse))
        return pieces, [(float(low), float(high)) for low, high in errors]

    def _entries(self) -> dict[str, Any]:
        alone = len(self.axes) == 1
        return {
            "method": self.method,
            "kept": [axis.name for axis in self.axes],
            "cl": self.cl,
            "chi2_min": self.chi2_min,
            "grid_chi2_min": self.grid_chi2_min,
            "best_fit": self.minimum.point,
            "nuisances": "profiled",
            "intervals": self.intervals() if alone else None,
            "interval_errors": self.interval_errors() if alone else None,
            "touches": self.touches(),
            **super()._entries(),
        }

    def _columns(self) -> dict[str, Column]:
        names = tuple(axis.name for axis in self.axes)
        column = "chi2" if self.method == "profile" else "density"
        return {
            column: Column(names, self.values, words=self._what),
            **{axis.name: self._axis_column(axis) for axis in self.axes},
            "cl": Column((), self.cl),
            "chi2_min": Column((), self.chi2_min),
        }

    @property
    def _what(self) -> str:
        if self.method == "profile":
            return "absolute chi2, minimised over the other axes"
        return "posterior density, flat priors in the box of the axes, nuisances profiled"

    def _about(self) -> dict[str, object]:
        intervals = {}
        if len(self.axes) == 1:
            pairs = zip(self.intervals(), self.interval_errors(), strict=True)
            words = (
                f"{low:.9g} (error {low_error:.2g}) to {high:.9g} (error {high_error:.2g})"
                for (low, high), (low_error, high_error) in pairs
            )
            intervals[f"intervals at {100 * self.cl:g} %"] = "; ".join(words)
        return {
            "content": self._what,
            "chi2 minimum": f"{self.chi2_min:.9g}, at {point_words(self.minimum.point)}",
            "lowest chi2 of the scan": f"{self.grid_chi2_min:.9g}",
            **intervals,
            "touches": touch_words(self.touches()) or "no edge of the box",
            **header_lines(self.header),
        }

    def _profile_error(self, smooth: SampledDensity, end: float) -> float:
        """Error of an end by chi2 being minimised over points of the other axes, not between."""
        (axis,) = self.axes
        if end in (axis.start, axis.stop):
            return 0.0
        others = [other.name for other in self.grid.axes if other is not axis]
        others += self.grid.profiled
        held = {**self.grid.fixed, axis.name: end}
        lower = find_minimum(self.likelihood.form(others, held)).chi2
        height, slope = smooth.at(end)
        return max(-2.0 * height - lower, 0.0) / abs(2.0 * slope)


def marginalise(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    keep: Sequence[str],
    given: Mapping[str, float] | None = None,
    *,
    method: str = "profile",
    profiled: Sequence[str] = (),
    cl: float = 0.90,
    workers: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Marginal:
    """Scan chi2 over all axes and reduce it to some of them, block by block.

    Parameters
    ----------
    likelihood, axes, given
        As for `fastscan.scan.Grid`.
    keep : sequence of str
        One or two of the axes.
    method : {"profile", "bayes"}
    profiled : sequence of str
        Couplings that chi2 is minimised over at each point, by descents.
    cl : float
        Level of the intervals that its tables, figures and words are of.
    workers : int, optional
        Threads; all processors by default. The values do not depend on it.
    progress : callable, optional
        Called with the number of parts done and of all parts.

    Raises
    ------
    InputError
        ``keep`` names no axis, all of them or one twice; an axis of a single point (an empty box);
        a box that the data exclude.
    """
    delta_chi2(cl)
    grid = Grid(likelihood, axes, given, profiled)
    names = [axis.name for axis in grid.axes]
    _check(grid, keep, method)
    kept = [names.index(name) for name in keep]
    whole = Reduction(grid, kept)
    parts = whole.blocks * (1 if method == "profile" else 2)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, parts)

    grid.evaluate(tuple(slice(0, 1) for _ in names))
    minimum = find_minimum(grid.form)
    with executor("threads", workers) as run:
        profile = whole.minima(run, tick)
        lowest = float(profile.min())
        check_box(lowest, minimum, "box")
        values, log = profile, -0.5 * profile
        coarser: list[FloatArray] = []
        cut: list[FloatArray] = []
        if method == "bayes":
            integral, coarse, cut = whole.integrals(run, tick, profile)
            log, *coarser = (
                np.log(found) - 0.5 * (profile - lowest) for found in (integral, coarse)
            )
            cut = [np.log(found) - 0.5 * (profile - lowest) for found in cut]
            values = np.exp(log - log.max())
            values /= (values * box_weights(whole.axes)).sum()
    return Marginal(
        method=method,
        axes=whole.axes,
        values=values,
        log=log,
        coarser=tuple(coarser),
        cut=tuple(cut),
        grid_chi2_min=lowest,
        minimum=minimum if minimum.chi2 <= lowest else Minimum(minimum.point, lowest),
        header={**scan_header(likelihood, grid), "method": method, "kept": list(keep)},
        grid=grid,
        likelihood=likelihood,
        cl=cl,
    )


def count_inside(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    level: float,
    given: Mapping[str, float] | None = None,
    *,
    workers: int | None = None,
) -> int:
    """Count the points of a grid with chi2 at most ``level``, without holding or writing it.

    Parameters
    ----------
    likelihood, axes, given
        As for `fastscan.scan.Grid`.
    level : float
        Absolute chi2.
    workers : int, optional
        Threads; all processors by default.
    """
    grid = Grid(likelihood, axes, given)
    plan = Plan.of(grid.shape)
    counts = np.zeros(plan.grid, dtype=np.int64)

    def count(into: NDArray[np.int64], index: Index) -> None:
        into[index] = grid.inside(plan.slices(index), level)

    with executor("threads", workers) as run:
        run(count, counts, plan.indices(), lambda: None)
    return int(counts.sum())


def _check(grid: Grid, keep: Sequence[str], method: str) -> None:
    names = [axis.name for axis in grid.axes]
    if method not in ("profile", "bayes"):
        raise InputError(
            f"unknown method {method!r}", where="--method", hint="write profile or bayes"
        )
    for name in keep:
        if name not in names or list(keep).count(name) > 1:
            raise InputError(
                f"{name} is kept but is no axis, or is kept twice",
                where="--keep",
                hint=f"name some of: {', '.join(names)}",
            )
    if not 1 <= len(keep) <= 2 or len(keep) == len(names):
        raise InputError(
            f"{len(keep)} of {len(names)} axes are kept",
            where="--keep",
            hint="keep one or two, and leave at least one to reduce",
        )
    for axis in grid.axes:
        if axis.points < 2:
            raise InputError(
                "the box is empty: its axis has a single point",
                where=f"--axis {axis.name}",
                hint="give at least two points",
            )
