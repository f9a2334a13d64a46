"""Numbers of each bin of an experiment, from tables whose rows are its bins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fastscan.exceptions import InputError
from fastscan.inputs.tables import DataFile, FloatArray, Table, read_only

__all__ = ["bin_of", "bin_values"]

EDGE_TOLERANCE = 1e-9


def bin_values(file: DataFile, column: str, edges_ev: FloatArray) -> FloatArray:
    """One column of a table of ``low_ev``, ``high_ev`` and more, by observed bin, shape (bins,).

    Rows beyond the bins are left out.

    Raises
    ------
    InputError
        An observed bin without a row, or a row that is none of the bins.
    """
    table = file.table(("low_ev", "high_ev", column))
    outside = (table["high_ev"] <= edges_ev[0]) | (table["low_ev"] >= edges_ev[-1])
    values = np.full(edges_ev.size - 1, np.nan)
    for i in np.flatnonzero(~outside):
        own = bin_of(edges_ev, table, int(i), "low_ev", "high_ev", "an observed bin")
        table.require(
            np.array([n != i or np.isnan(values[own]) for n in range(outside.size)]),
            "the bin is there twice",
            "leave one out",
        )
        values[own] = table[column][i]
    for b, (low, high) in enumerate(pairwise(edges_ev)):
        if np.isnan(values[b]):
            raise InputError(
                f"no row for the observed bin {low:g} to {high:g} eV",
                where=table.label,
                hint="add it; a bin that does not change has 0",
            )
    return read_only(values)


def bin_of(edges: FloatArray, table: Table, row: int, low: str, high: str, what: str) -> int:
    """Index of the bin that a row stands for."""
    ends = table[low][row], table[high][row]
    first = int(np.abs(edges[:-1] - ends[0]).argmin())
    if not np.allclose(edges[first : first + 2], ends, rtol=EDGE_TOLERANCE, atol=EDGE_TOLERANCE):
        raise InputError(
            f"{ends[0]:g} to {ends[1]:g} is not {what} of the experiment",
            where=f"{table.label}, line {table.lines[row]}",
            hint=f"the nearest is {edges[first]:g} to {edges[first + 1]:g}",
        )
    return first
