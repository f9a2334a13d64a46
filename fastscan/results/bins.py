"""Observed bins of one experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.results.result import Column

__all__ = ["Bins", "bin_columns"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bins:
    """Where the bins of one experiment are, and among those of all.

    Attributes
    ----------
    experiment, title, unit : str
        Name and words of the experiment, and the unit of its counts.
    edges_ev : (bins + 1,)
    place : slice
        Among the bins of all experiments, one after the other.
    """

    experiment: str
    title: str
    unit: str
    edges_ev: FloatArray
    place: slice

    def to_dict(self) -> dict[str, Any]:
        """Edges and unit of the counts."""
        return {"edges_ev": self.edges_ev, "unit": self.unit}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bins):
            return NotImplemented
        own, others = ((b.experiment, b.unit, b.edges_ev.tolist()) for b in (self, other))
        return own == others

    def __hash__(self) -> int:
        return hash((self.experiment, self.unit))


def bin_columns(bins: Sequence[Bins], counts: dict[str, FloatArray]) -> dict[str, Column]:
    """Bins and their counts, experiments one after the other, as columns."""
    every = [np.asarray(one.edges_ev) for one in bins]
    columns = {
        "low_ev": Column(("bin",), np.concatenate([e[:-1] for e in every]), "eV", "lower edge"),
        "high_ev": Column(("bin",), np.concatenate([e[1:] for e in every]), "eV", "upper edge"),
    }
    if len(bins) > 1:
        names = [one.experiment for one in bins for _ in one.edges_ev[1:]]
        columns = {"experiment": Column(("bin",), np.array(names)), **columns}
    unit = "; ".join(dict.fromkeys(one.unit for one in bins))
    return columns | {name: Column(("bin",), values, unit) for name, values in counts.items()}
