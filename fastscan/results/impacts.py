"""What each nuisance does to one parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastscan.results.intervals import Intervals, interval_words
from fastscan.results.result import Column

__all__ = ["Impact", "Impacts"]


@dataclass(frozen=True)
class Impact:
    """One nuisance, in units of its standard deviation before the fit.

    Attributes
    ----------
    name : str
    pull, error : float
        At the best fit, and its standard deviation after the fit: 0 and 1 if the data say nothing.
    shift_down, shift_up : float
        Change of the best fit of the parameter of interest with the nuisance held one standard
        deviation after the fit below and above its pull, all others fitted again.
    intervals : list of (low, high)
        Allowed with the nuisance held at zero: the limit without this uncertainty.
    """

    name: str
    pull: float
    error: float
    shift_down: float
    shift_up: float
    intervals: list[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Impacts(Intervals):
    """Impacts on one parameter, the largest first; ``intervals`` are those with all nuisances.

    Attributes
    ----------
    rows : list of Impact
        By the larger of both shifts; nuisances that shift nothing, as at the border of the
        physical range, by what the outermost ends of the limit gain without them.
    """

    method = "wilks"

    rows: list[Impact]

    @property
    def headline(self) -> str:
        """The largest impact."""
        first = f"{self.rows[0].name} first" if self.rows else "none"
        return f"{len(self.rows)} nuisances, {first}; {super().headline}"

    def _entries(self) -> dict[str, Any]:
        return {**super()._entries(), "rows": self.rows}

    def _columns(self) -> dict[str, Column]:
        def column(values: list[float], unit: str = "1", words: str = "") -> Column:
            return Column(("nuisance",), np.array(values, dtype=float), unit, words)

        rows, unit = self.rows, self.unit
        names = np.array([row.name for row in rows], dtype=str)
        return {
            "nuisance": Column(("nuisance",), names),
            "pull": column([row.pull for row in rows], words="in standard deviations"),
            "error": column([row.error for row in rows], words="of the pull, after the fit"),
            "shift_down": column([row.shift_down for row in rows], unit),
            "shift_up": column([row.shift_up for row in rows], unit),
            "low": column([row.intervals[0][0] for row in rows], unit, "limit without it"),
            "high": column([row.intervals[-1][1] for row in rows], unit, "limit without it"),
            "best_fit": Column((), self.best_fit, unit),
            "chi2_min": Column((), self.chi2_min),
        }

    def _about(self) -> dict[str, object]:
        return {
            "impacts on": f"{self.poi} in {self.unit}",
            "of": self.words,
            "best fit": f"{self.best_fit:.12g}",
            f"intervals at {100 * self.cl:g} % C.L.": interval_words(self.intervals),
            "pull, error": "standard deviations before the fit",
            "shift_down, shift_up": "of the best fit, nuisance one error below and above its pull",
            "low, high": "outermost ends of the intervals without the nuisance",
        }
