"""A model at its best fit, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.results.bins import Bins, bin_columns
from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import Column, Result

__all__ = ["Fit", "ToyProbability"]

FloatArray = NDArray[np.float64]

# Names of the counts of every bin in JSON and in tables.
_COUNTS = {
    "data": "data",
    "sigma": "sigma",
    "standard_model": "expected",
    "nominal": "nominal",
    "fitted": "counts",
    "residuals": "residuals",
}


@dataclass(frozen=True)
class ToyProbability:
    """How often repeated experiments fit worse, the best fit being true.

    Attributes
    ----------
    p_value, error : float
        Share of the toys with a chi2 of at least the observed one, and its standard deviation.
    toys, seed : int
    """

    p_value: float
    error: float
    toys: int
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Fit(Result):
    """A model at its best fit.

    Attributes
    ----------
    free : dict
        Fitted parameters and their values.
    parameters : dict
        All parameters there.
    chi2_min : float
        With the penalties of the nuisances.
    ndf : int
        Bins less free parameters; each nuisance adds a datum, its auxiliary measurement, and a
        parameter.
    p_value : float
        Probability of a chi2 at least as large for ``ndf`` degrees of freedom. Approximate where a
        parameter is at a bound or the data do not feel it: a free parameter that can not lower chi2
        is counted all the same, and the p-value comes out too small.
    alpha_hat : float
        Relative change of the total counts by the nuisances: the shift of the normalisation, where
        that is the only one.
    pulls : dict
        Of each nuisance, in standard deviations.
    counts, nominal, expected : (bins,)
        At the best fit with its nuisances, with the nuisances at zero, and of the Standard Model.
    data, sigma, residuals : (bins,)
        Counts seen, their errors, and (data - counts) / sigma.
    bins : tuple of Bins
        Of each experiment.
    toys : ToyProbability or None
    """

    free: dict[str, float]
    parameters: dict[str, float]
    chi2_min: float
    ndf: int
    p_value: float
    alpha_hat: float
    pulls: dict[str, float]
    counts: FloatArray
    nominal: FloatArray
    expected: FloatArray
    data: FloatArray
    sigma: FloatArray
    residuals: FloatArray
    bins: tuple[Bins, ...]
    provenance: Provenance
    toys: ToyProbability | None = None
    profiled: tuple[str, ...] = field(default=(), init=False)
    warnings: Sequence[str] = ()

    @property
    def held(self) -> Mapping[str, float]:
        """Parameters that were not fitted."""
        return {name: value for name, value in self.parameters.items() if name not in self.free}

    @property
    def headline(self) -> str:
        """Best fit, chi2 and p-value."""
        best = [
            f"{name} = {with_unit(f'{value:.5g}', self.provenance.unit(name))}"
            for name, value in self.free.items()
        ]
        chi2 = f"chi2 = {self.chi2_min:.4f} for {self.ndf} degrees of freedom"
        return "; ".join([*best, f"{chi2}, p = {self.p_value:.4g}"])

    @property
    def details(self) -> list[str]:
        """Parameters, chi2, p-values and pulls, each a line."""
        lines = self.headline.split("; ")
        if self.toys is not None:
            found = f"p = {self.toys.p_value:.4g} +- {self.toys.error:.2g}"
            lines.append(f"{found} from {self.toys.toys} toys, seed {self.toys.seed}")
        pulls = ", ".join(f"{name} {pull:+.3f}" for name, pull in self.pulls.items())
        return [*lines, f"pulls in standard deviations: {pulls}"]

    def _entries(self) -> dict[str, Any]:
        names = ("free", "parameters", "chi2_min", "ndf", "p_value", "alpha_hat", "pulls", "toys")
        return {
            **{name: getattr(self, name) for name in names},
            "experiments": {
                one.experiment: {
                    **one.to_dict(),
                    **{name: counts[one.place] for name, counts in self._counts().items()},
                }
                for one in self.bins
            },
        }

    def _columns(self) -> dict[str, Column]:
        return {
            **bin_columns(self.bins, self._counts()),
            **{
                name: Column((), value, self.provenance.unit(name))
                for name, value in self.free.items()
            },
            "chi2_min": Column((), self.chi2_min),
            "p_value": Column((), self.p_value),
            "nuisance": Column(("nuisance",), np.array(list(self.pulls), dtype=str)),
            "pull": Column(("nuisance",), list(self.pulls.values())),
        }

    def _counts(self) -> dict[str, FloatArray]:
        return {name: getattr(self, own) for name, own in _COUNTS.items()}
