"""Chi2 along one parameter, others profiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import Column, Result

__all__ = ["ProfileCurve"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProfileCurve(Result):
    """Chi2 at values of one parameter, minimised over others.

    Attributes
    ----------
    poi, unit : str
    values, chi2 : (points,)
        Of the parameter, and absolute.
    profiled_values : dict of (points,)
        The profiled parameters there.
    best_fit, chi2_min : float
        The minimum, between the points or beyond them; infinite if chi2 falls for ever.
    profiled : tuple of str
    parameters : dict
        Parameters that were held.
    warnings : sequence of str
        What may mislead.
    """

    poi: str
    unit: str
    values: FloatArray
    chi2: FloatArray
    profiled_values: dict[str, FloatArray]
    best_fit: float
    chi2_min: float
    profiled: tuple[str, ...]
    parameters: Mapping[str, float]
    provenance: Provenance
    warnings: Sequence[str] = ()

    @property
    def headline(self) -> str:
        """Points, and the best fit."""
        best = with_unit(f"{self.best_fit:.5g}", self.unit)
        points = f"chi2 at {self.values.size} values of {self.poi}"
        return f"{points}, best fit {best}, chi2 = {self.chi2_min:.4f}"

    def _entries(self) -> dict[str, Any]:
        names = ("parameters", "poi", "unit", "best_fit", "chi2_min", "profiled", "values", "chi2",
                 "profiled_values")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def _columns(self) -> dict[str, Column]:
        at = (self.poi,)
        return {
            "chi2": Column(at, self.chi2, words="absolute chi2, nuisances profiled"),
            self.poi: Column(at, self.values, self.unit),
            **{
                name: Column(at, values, self.provenance.unit(name), "profiled")
                for name, values in self.profiled_values.items()
            },
            "best_fit": Column((), self.best_fit, self.unit),
            "chi2_min": Column((), self.chi2_min),
        }
