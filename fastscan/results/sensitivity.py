"""Limits that experiments are expected to set, and their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import Column, Result

__all__ = ["BAND_SIGMAS", "Expected", "Scenario", "Sensitivity"]

FloatArray = NDArray[np.float64]
Ends = tuple[float, float]

# Where the bands lie, in standard deviations of a normal distribution; the middle is the median.
BAND_SIGMAS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_ENDS = ("low", "high")


@dataclass(frozen=True)
class Scenario:
    """A scaled experiment, see `fastscan.inputs.projection.project`.

    Attributes
    ----------
    exposure, background : float
        In units of the present ones.
    threshold_ev : float or None
    """

    exposure: float = 1.0
    background: float = 1.0
    threshold_ev: float | None = None

    @property
    def label(self) -> str:
        """Exposure, background and threshold, the latter two where they were changed."""
        words = [f"{self.exposure:g} × data"]
        if self.background != 1.0:
            words.append(f"{self.background:g} × background")
        if self.threshold_ev is not None:
            words.append(f"{self.threshold_ev:g} eV")
        return ", ".join(words)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Expected(Result):
    """Limits on one parameter that an experiment is expected to set if nothing is new.

    Attributes
    ----------
    poi, unit : str
    given : dict
        Parameters that were set.
    cl : float
    asimov : (low, high)
        Outermost ends of the intervals allowed by the expected data themselves.
    bands : (5, 2)
        Of the ends of repeated experiments the quantiles at `BAND_SIGMAS`, of (low, high) each;
        NaN without toys.
    observed : (low, high) or None
        By the data that were seen; None in a scaled experiment.
    toys, seed : int
    """

    poi: str
    unit: str
    given: dict[str, float]
    cl: float
    asimov: Ends
    bands: FloatArray
    observed: Ends | None
    toys: int
    seed: int
    profiled: tuple[str, ...]
    parameters: dict[str, float]
    provenance: Provenance
    warnings: Sequence[str] = field(default=(), init=False)

    @property
    def headline(self) -> str:
        """Ends that the expected data allow, and those that were seen."""
        low, high = self.asimov
        level = f"{100 * self.cl:g} % C.L."
        words = f"{self.poi} expected in {with_unit(f'[{low:.5g}, {high:.5g}]', self.unit)}"
        if self.observed is not None:
            low, high = self.observed
            words += f", observed in {with_unit(f'[{low:.5g}, {high:.5g}]', self.unit)}"
        return f"{words} at {level}, {self.toys} toys"

    def point(self) -> dict[str, Any]:
        """Limits by what they are of."""
        sigmas = [f"{sigma:+g}" for sigma in BAND_SIGMAS]
        return {
            "given": self.given,
            "asimov": self.asimov,
            "bands": dict(zip(sigmas, self.bands, strict=True)) if self.toys else None,
            "observed": self.observed,
        }

    def _entries(self) -> dict[str, Any]:
        names = ("parameters", "profiled", "poi", "unit", "cl", "toys", "seed")
        return {**{name: getattr(self, name) for name in names}, **self.point()}

    def _columns(self) -> dict[str, Column]:
        return _limit_columns((), [self], (), self.unit)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sensitivity(Result):
    """Expected limits of several scenarios, along another parameter or alone.

    Attributes
    ----------
    axis : dict or None
        Name, start, stop, points and spacing of the other parameter.
    scenarios : tuple of Scenario
    points : tuple of tuple of Expected
        Of each scenario, at each value of the axis.
    given : dict
        Parameters that were set.
    """

    axis: dict[str, Any] | None
    scenarios: tuple[Scenario, ...]
    points: tuple[tuple[Expected, ...], ...]
    given: dict[str, float]
    parameters: dict[str, float]
    provenance: Provenance
    warnings: Sequence[str] = ()

    @property
    def first(self) -> Expected:
        """The first limit: parameter, level and toys are the same of all."""
        return self.points[0][0]

    @property
    def profiled(self) -> tuple[str, ...]:
        """Parameters that chi2 was minimised over."""
        return self.first.profiled

    @property
    def headline(self) -> str:
        """How many limits on what."""
        first, (points, *_) = self.first, self.points
        along = f" at {len(points)} values of {self.axis['name']}" if self.axis else ""
        return (
            f"expected limits on {first.poi} of {len(self.scenarios)} scenarios{along}, "
            f"{100 * first.cl:g} % C.L., {first.toys} toys"
        )

    def _entries(self) -> dict[str, Any]:
        first = self.first
        return {
            "set": self.given,
            "parameters": self.parameters,
            "profiled": self.profiled,
            "poi": first.poi,
            "unit": first.unit,
            "cl": first.cl,
            "toys": first.toys,
            "seed": first.seed,
            "axis": self.axis,
            "scenarios": [
                {**asdict(scenario), "points": [one.point() for one in points]}
                for scenario, points in zip(self.scenarios, self.points, strict=True)
            ],
        }

    def _columns(self) -> dict[str, Column]:
        labels = np.array([scenario.label for scenario in self.scenarios])
        dims: tuple[str, ...] = ("scenario",)
        columns: dict[str, Column] = {}
        if self.axis is not None:
            name = self.axis["name"]
            dims = ("scenario", name)
            values = np.array([one.given[name] for one in self.points[0]])
            columns[name] = Column((name,), values, self.provenance.unit(name))
        every = [one for points in self.points for one in points]
        shape = (len(self.points), len(self.points[0]))[: len(dims)]
        limits = _limit_columns(dims, every, shape, self.first.unit)
        first = next(iter(limits))
        return {
            first: limits.pop(first),
            "scenario": Column(("scenario",), labels),
            **columns,
            **limits,
        }


def _limit_columns(
    dims: tuple[str, ...], every: Sequence[Expected], shape: Sequence[int], unit: str
) -> dict[str, Column]:
    """Expected ends, their bands and the observed ends of some limits."""
    asimov = np.array([one.asimov for one in every]).reshape(*shape, 2)
    bands = np.array([one.bands for one in every]).reshape(*shape, len(BAND_SIGMAS), 2)
    seen = np.array([one.observed or (np.nan, np.nan) for one in every]).reshape(*shape, 2)
    return {
        "asimov": Column((*dims, "end"), asimov, unit, "limit of the expected data"),
        "end": Column(("end",), np.array(_ENDS)),
        "bands": Column((*dims, "sigma", "end"), bands, unit, "quantiles of repeated experiments"),
        "sigma": Column(("sigma",), np.array(BAND_SIGMAS)),
        "observed": Column((*dims, "end"), seen, unit, "limit of the data that were seen"),
    }
