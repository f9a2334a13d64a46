"""What a model predicts at a point, beside the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.inputs.pseudo_data import COLUMNS, pseudo_data_rows
from fastscan.results.bins import Bins, bin_columns
from fastscan.results.provenance import Provenance
from fastscan.results.result import Column, Result, Table

__all__ = ["Prediction"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Prediction(Result):
    """Counts of each bin at one point.

    Attributes
    ----------
    parameters : dict
        All parameters of the model that the neutrinos feel.
    edges_ev, unit
        Observed bins and the unit of the counts.
    cevns, eves, total : (bins,)
        Of the signal; zero in a channel that is switched off.
    background : (bins,)
        Events that are there without it; zero where an excess over them is what was seen.
    by_flavour : dict of (bins,)
        Of both channels, by flavour of the incoming neutrinos.
    observed, sigma : (bins,)
        Counts seen, and their errors.
    chi2, alpha_hat : float
        Profiled chi2 and the relative change of the total counts it is reached at: the shift of the
        normalisation, where that is the only nuisance.
    pulls : dict of float
        Nuisances at that chi2, in their standard deviations.
    bins : tuple of Bins
        Of each experiment.
    parts : tuple of Prediction
        Of each experiment of a joint fit, with the pulls of all; empty otherwise.
    """

    parameters: dict[str, float]
    edges_ev: FloatArray
    unit: str
    cevns: FloatArray
    eves: FloatArray
    total: FloatArray
    background: FloatArray
    by_flavour: dict[str, FloatArray]
    observed: FloatArray
    sigma: FloatArray
    chi2: float
    alpha_hat: float
    pulls: dict[str, float]
    bins: tuple[Bins, ...]
    provenance: Provenance
    parts: tuple[Prediction, ...] = ()
    profiled: tuple[str, ...] = field(default=(), init=False)
    warnings: Sequence[str] = field(default=(), init=False)

    @property
    def headline(self) -> str:
        """Sums over all bins, and chi2."""
        sums = f"CEvNS {self.cevns.sum():.6g}, EvES {self.eves.sum():.4g}"
        return f"{sums}, observed {self.observed.sum():.2f} {self.unit}; chi2 = {self.chi2:.4f}"

    def spectrum(self) -> dict[str, FloatArray]:
        """Counts of every bin by name."""
        # From an excess the background is subtracted.
        below = ("background",) if any(one.counted for one in self.bins) else ()
        names = ("cevns", "eves", "total", *below, "observed", "sigma")
        return {name: getattr(self, name) for name in names}

    def _entries(self) -> dict[str, Any]:
        spectra = {
            part.bins[0].experiment: {
                **part.bins[0].to_dict(),
                **part.spectrum(),
                "by_flavour": part.by_flavour,
            }
            for part in self.parts or (self,)
        }
        return {
            "parameters": self.parameters,
            **({"experiments": spectra} if self.parts else next(iter(spectra.values()))),
            "chi2": self.chi2,
            "alpha_hat": self.alpha_hat,
            "pulls": self.pulls,
        }

    def _columns(self) -> dict[str, Column]:
        return {
            **bin_columns(self.bins, {**self.spectrum(), **self.by_flavour}),
            "chi2": Column((), self.chi2),
            "alpha_hat": Column((), self.alpha_hat),
            "nuisance": Column(("nuisance",), np.array(list(self.pulls), dtype=str)),
            "pull": Column(("nuisance",), list(self.pulls.values())),
        }

    def pseudo_data(self) -> Table:
        """The counts as a table that is read in place of data."""
        about = {"content": f"expected counts, {self.unit}", "analysis": self.words}
        edges = [one.edges_ev for one in self.bins]
        return Table(dict(about), COLUMNS, pseudo_data_rows(edges, self.total + self.background))

    def _file(self, suffix: str) -> bytes:
        if suffix != ".csv":
            return super()._file(suffix)
        from fastscan.storage.tables import table_text

        return table_text(*self.pseudo_data()).encode()
