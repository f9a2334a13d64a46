"""Counts in place of those that were seen, to a table and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.tables import DataFile

__all__ = ["pseudo_data_rows", "read_pseudo_data"]

FloatArray = NDArray[np.float64]

COLUMNS = ("low_ev", "high_ev", "counts")


def pseudo_data_rows(
    edges_ev: Sequence[Sequence[float] | FloatArray], counts: Sequence[float] | FloatArray
) -> list[tuple[float, float, float]]:
    """Rows of a table that `read_pseudo_data` reads, in the order of `COLUMNS`."""
    bins = [pair for edges in edges_ev for pair in pairwise(edges)]
    return [
        (float(low), float(high), float(count))
        for (low, high), count in zip(bins, counts, strict=True)
    ]


def read_pseudo_data(
    path: str | Path, edges_ev: Sequence[Sequence[float] | FloatArray]
) -> FloatArray:
    """Counts of every bin from a table.

    Parameters
    ----------
    path : str or path
        Columns ``low_ev``, ``high_ev``, ``counts``, in the unit of the observation.
    edges_ev : sequence of (bins + 1,)
        Edges of each experiment's bins; those of several stand one after the other.

    Raises
    ------
    InputError
        A bad table, or bins that are not those of the experiments.
    """
    table = DataFile.read(Path(path)).table(COLUMNS)
    low, high = (
        np.concatenate([np.asarray(edges, dtype=float)[part] for edges in edges_ev])
        for part in (slice(None, -1), slice(1, None))
    )
    if len(table.lines) != low.size:
        raise InputError(
            f"{len(table.lines)} rows for {low.size} bins",
            where=table.label,
            hint="give one row a bin; fastscan predict -o writes such a table",
        )
    same = np.isclose(table["low_ev"], low, rtol=1e-9) & np.isclose(
        table["high_ev"], high, rtol=1e-9
    )
    table.require(same, "not the bin of the experiment", "fastscan predict -o writes such a table")
    return table["counts"]
