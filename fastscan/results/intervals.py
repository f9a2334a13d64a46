"""Intervals of one parameter, by whatever method, and what they are of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import Column, Result
from fastscan.results.touch import Touch, cut_words

__all__ = [
    "Basin",
    "CLsLimit",
    "Credible",
    "FeldmanCousinsLimit",
    "Intervals",
    "Limit",
    "interval_words",
]

FloatArray = NDArray[np.float64]
Pieces = list[tuple[float, float]]


def interval_words(intervals: Sequence[Sequence[float]], digits: int = 5) -> str:
    """Intervals as ``[low, high] or [low, high]``."""
    return " or ".join(f"[{low:.{digits}g}, {high:.{digits}g}]" for low, high in intervals)


@dataclass(frozen=True)
class Basin:
    """A local minimum of a profile.

    Attributes
    ----------
    value, chi2 : float
        Of the parameter of interest, and there.
    profiled : dict of float
        The profiled parameters there.
    """

    value: float
    chi2: float
    profiled: dict[str, float]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Intervals(Result):
    """Intervals of one parameter at a level.

    Attributes
    ----------
    poi, unit : str
        The parameter of interest.
    cl : float
    best_fit : float
        Infinite if chi2 falls for ever.
    chi2_min : float
        Absolute.
    intervals : list of (low, high)
        Disjoint, in rising order; a bound is infinite where the data set none.
    profiled : tuple of str
    parameters : dict
        Parameters that were held.
    doubts : sequence of str
        On fits that are too bad or too good to be true.
    """

    method: ClassVar[str]
    level_words: ClassVar[str] = "C.L."

    poi: str
    unit: str
    cl: float
    best_fit: float
    chi2_min: float
    intervals: Pieces
    profiled: tuple[str, ...]
    parameters: Mapping[str, float]
    provenance: Provenance
    doubts: Sequence[str] = field(default=())

    @property
    def headline(self) -> str:
        """The intervals at their level."""
        return f"{self.poi} {self.tail}"

    @property
    def tail(self) -> str:
        """The headline without the name of the parameter."""
        pieces = with_unit(interval_words(self.intervals), self.unit)
        return f"in {pieces} at {100 * self.cl:g} % {self.level_words} ({self.method_words})"

    @property
    def method_words(self) -> str:
        """Method, and what it takes to know it."""
        return self.method

    @property
    def details(self) -> list[str]:
        """Lines that tell the rest of it."""
        return [f"best fit {self._shown(self.best_fit)}, chi2 = {self.chi2_min:.4f}"]

    def _shown(self, value: float) -> str:
        return with_unit(f"{value:.5g}", self.unit)

    @property
    def unbounded(self) -> list[str]:
        """Ends, "low" and "high", that the data do not bound."""
        ends = {"low": self.intervals[0][0], "high": self.intervals[-1][1]}
        return [name for name, end in ends.items() if math.isinf(end)]

    @property
    def everything_allowed(self) -> bool:
        """Whether no value of the parameter is excluded."""
        model = self.provenance.model
        low, high = -math.inf, math.inf
        if model is not None:
            parameter = model.parameter(self.poi)
            low, high = parameter.minimum, parameter.maximum
        (start, stop), *others = self.intervals
        return not others and start <= low and stop >= high

    @property
    def warnings(self) -> list[str]:
        """What may mislead."""
        words = []
        if self.everything_allowed:
            words.append(f"no value of {self.poi} is excluded at {100 * self.cl:g} %")
        elif self.intervals[-1][1] == self._largest:
            words.append(
                f"{self.poi} = {self._largest:g} is where its range ends: the data set no upper end"
            )
        return [*words, *self.doubts]

    @property
    def _largest(self) -> float:
        """End of the parameter's range; infinite where it has none."""
        model = self.provenance.model
        largest = math.inf if model is None else model.parameter(self.poi).maximum
        return largest if math.isfinite(largest) else math.nan

    def _entries(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "parameters": self.parameters,
            "poi": self.poi,
            "unit": self.unit,
            "cl": self.cl,
            "best_fit": self.best_fit,
            "chi2_min": self.chi2_min,
            "intervals": self.intervals,
            "unbounded": self.unbounded,
            "everything_allowed": self.everything_allowed,
            "profiled": self.profiled,
        }

    def _columns(self) -> dict[str, Column]:
        ends = np.array(self.intervals, dtype=float).reshape(-1, 2)
        return {
            f"{self.poi}_low": Column(("interval",), ends[:, 0], self.unit, "lower end"),
            f"{self.poi}_high": Column(("interval",), ends[:, 1], self.unit, "upper end"),
            "cl": Column((), self.cl),
            "best_fit": Column((), self.best_fit, self.unit),
            "chi2_min": Column((), self.chi2_min),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Limit(Intervals):
    """Allowed intervals of one parameter at a confidence level (one degree of freedom).

    Attributes
    ----------
    delta_chi2 : float
        Rise of chi2 at the ends.
    basins : list of Basin
        The deepest minimum in each interval, with the profiled parameters there.
    best_basin : Basin
        The one of lowest chi2.
    degenerate : bool
        Chi2 is the same at every value, because the profiled parameters make up for it, or no
        count depends on it: the data say nothing of the parameter, and its best fit is no more
        than one of all values.
    one_sided : bool
        An upper limit: up to it everything is allowed.
    """

    method = "wilks"

    delta_chi2: float
    basins: list[Basin]
    best_basin: Basin
    degenerate: bool = False
    one_sided: bool = False

    @property
    def method_words(self) -> str:
        """The rise of chi2."""
        return f"{'one-sided, ' if self.one_sided else ''}delta chi2 = {self.delta_chi2:.4g}"

    @property
    def details(self) -> list[str]:
        """The basin in each interval."""
        lines = []
        for basin in self.basins:
            at = "".join(f", {name} = {v:.4g}" for name, v in basin.profiled.items())
            mark = "best fit" if basin.chi2 <= self.chi2_min + 1e-9 else "basin"
            lines.append(f"{mark} {self._shown(basin.value)}{at}, chi2 = {basin.chi2:.4f}")
        return lines

    @property
    def warnings(self) -> list[str]:
        """What may mislead."""
        if not self.degenerate:
            return super().warnings
        makes_up = f"{' and '.join(self.profiled)} can make up for it"
        why = makes_up if self.profiled else "no count depends on it here"
        return [
            *self.doubts,
            f"degenerate: chi2 is the same at every {self.poi}, as {why}; the data set no limit, "
            "and the best fit is one of many",
        ]

    def _entries(self) -> dict[str, Any]:
        return {
            **super()._entries(),
            "delta_chi2": self.delta_chi2,
            "one_sided": self.one_sided,
            "degenerate": self.degenerate,
            "best_fit_profiled": self.best_basin.profiled,
            "basins": self.basins,
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class _ToyIntervals(Intervals):
    """Intervals whose ends are found by toys.

    Attributes
    ----------
    interval_errors : list of (low, high)
        Monte Carlo error of each end; zero where an end is a bound of the parameter.
    toys : int
        All of them; zero from formulas.
    seed : int
    """

    interval_errors: Pieces
    toys: int
    seed: int

    @property
    def details(self) -> list[str]:
        """Monte Carlo errors, and the best fit."""
        errors = interval_words(self.interval_errors, 2)
        toys = f"Monte Carlo errors {errors}; {self.toys} toys, seed {self.seed}"
        return [*([toys] if self.toys else []), *super().details]

    def _entries(self) -> dict[str, Any]:
        own = {"toys": self.toys, "seed": self.seed}
        return {**super()._entries(), "interval_errors": self.interval_errors, **own}

    def _columns(self) -> dict[str, Column]:
        errors = np.array(self.interval_errors, dtype=float).reshape(-1, 2)
        words = "Monte Carlo error"
        return {
            **super()._columns(),
            f"{self.poi}_low_error": Column(("interval",), errors[:, 0], self.unit, words),
            f"{self.poi}_high_error": Column(("interval",), errors[:, 1], self.unit, words),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FeldmanCousinsLimit(_ToyIntervals):
    """Intervals of one parameter by the unified construction.

    Attributes
    ----------
    points, statistic, critical_values, critical_errors, point_toys : (points,)
        Where critical values were found, q of the data there, and the toys each took.
    """

    method = "feldman-cousins"

    points: FloatArray
    statistic: FloatArray
    critical_values: FloatArray
    critical_errors: FloatArray
    point_toys: NDArray[np.int64]

    def _entries(self) -> dict[str, Any]:
        names = ("points", "statistic", "critical_values", "critical_errors", "point_toys")
        return {**super()._entries(), **{name: getattr(self, name) for name in names}}

    def _columns(self) -> dict[str, Column]:
        at = (self.poi,)
        return {
            **super()._columns(),
            self.poi: Column(at, self.points, self.unit),
            "statistic": Column(at, self.statistic, words="chi2 of the data above its minimum"),
            "critical_value": Column(at, self.critical_values),
            "critical_error": Column(at, self.critical_errors, words="Monte Carlo error"),
            "toys": Column(at, self.point_toys),
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CLsLimit(_ToyIntervals):
    """Upper limit of one parameter by CLs.

    Attributes
    ----------
    upper_limit : float
        Outermost value that is not excluded; infinite where none is excluded for ever.
    upper_error : float
        Monte Carlo error; zero from formulas.
    asymptotic_upper_limit : float
        From the formulas.
    """

    method = "cls"

    upper_limit: float
    upper_error: float
    asymptotic_upper_limit: float

    @property
    def details(self) -> list[str]:
        """Errors, what the formulas say, and the best fit."""
        *errors, best = super().details
        formulas = self._shown(self.asymptotic_upper_limit)
        return [*errors, f"formulas of large samples: {formulas}", best]

    def _entries(self) -> dict[str, Any]:
        names = ("upper_limit", "upper_error", "asymptotic_upper_limit")
        return {**super()._entries(), **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Credible(Intervals):
    """What the posterior of one parameter says at a level.

    ``intervals`` are the densest region that holds a probability of ``cl``. Density is per unit of
    that function of the parameter in which the prior is flat, so that the region is where the
    likelihood is highest, and the same in g, g**2 and log g. ``best_fit`` is the mode: the highest
    marginalised likelihood in the box, and ``chi2_min`` the profiled chi2 there.

    Attributes
    ----------
    prior : {"flat-g", "flat-g2", "log-g"}
    box : (low, high)
        Of the prior.
    upper_limit, median : float
        Values below which lie probabilities of ``cl`` and of one half.
    quadrature_error : float
        Estimate of the relative error of the probabilities.
    touches : list of Touch
        Ends of the box, where they are no bound of the parameter, that the region reaches.
    warning : str
        On a box that the data disfavour; empty if they do not.
    """

    method = "bayes"
    level_words = "credibility"

    prior: str
    box: tuple[float, float]
    upper_limit: float
    median: float
    quadrature_error: float
    touches: list[Touch]
    warning: str

    @property
    def mode(self) -> float:
        """Highest marginalised likelihood in the box."""
        return self.best_fit

    @property
    def details(self) -> list[str]:
        """Upper limit, median, mode and prior."""
        level, shown = f"{100 * self.cl:g} % {self.level_words}", self._shown
        return [
            f"{self.poi} < {shown(self.upper_limit)} at {level}; median {shown(self.median)}",
            f"mode {shown(self.mode)}, chi2 = {self.chi2_min:.4f}",
            f"prior {self.prior} from {self.box[0]:.4g} to {self.box[1]:.4g}",
        ]

    @property
    def method_words(self) -> str:
        """The prior."""
        return f"bayes, prior {self.prior}"

    @property
    def warnings(self) -> list[str]:
        """What may mislead."""
        own = (self.warning, cut_words(self.touches))
        return [*filter(None, own), *super().warnings]

    def _entries(self) -> dict[str, Any]:
        names = ("prior", "box", "upper_limit", "median", "mode", "quadrature_error", "touches",
                 "warning")  # fmt: skip
        return {**super()._entries(), **{name: getattr(self, name) for name in names}}

    def _columns(self) -> dict[str, Column]:
        own = {name: Column((), getattr(self, name), self.unit) for name in ("upper_limit",
               "median")}  # fmt: skip
        return {**super()._columns(), **own}
