"""How often intervals hold the truth, by method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import Column, Result

__all__ = ["Coverage", "Share"]


@dataclass(frozen=True)
class Share:
    """Part of the toys whose interval holds the truth, and its binomial error."""

    value: float
    error: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coverage(Result):
    """Coverage of several methods at one point.

    Attributes
    ----------
    poi, unit : str
    value : float
        The true value of the parameter.
    cl : float
        What the methods state.
    shares : dict of Share
        By method; those that do not apply are left out.
    toys, seed : int
    profiled : tuple of str
    parameters : dict
        Parameters that were held.
    """

    poi: str
    unit: str
    value: float
    cl: float
    shares: dict[str, Share]
    toys: int
    seed: int
    profiled: tuple[str, ...]
    parameters: dict[str, float]
    provenance: Provenance
    warnings: Sequence[str] = field(default=(), init=False)

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.provenance.model_name

    @property
    def headline(self) -> str:
        """Share of each method."""
        found = (f"{name} {100 * share.value:.1f} %" for name, share in self.shares.items())
        at = f"{self.poi} = {with_unit(f'{self.value:.4g}', self.unit)}"
        return f"{at}, {100 * self.cl:g} % stated: {', '.join(found)}; {self.toys} toys"

    def _entries(self) -> dict[str, Any]:
        names = ("poi", "unit", "value", "cl", "shares", "toys", "seed", "profiled", "parameters")
        return {name: getattr(self, name) for name in names}

    def _columns(self) -> dict[str, Column]:
        at = ("method",)
        return {
            "method": Column(at, np.array(list(self.shares), dtype=str)),
            "coverage": Column(at, np.array([share.value for share in self.shares.values()])),
            "error": Column(at, np.array([share.error for share in self.shares.values()])),
            "stated": Column((), self.cl),
            "value": Column((), self.value, self.unit),
        }
