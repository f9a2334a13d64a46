"""Factors on the antineutrino flux, energy bin by energy bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.tables import read_table

__all__ = ["load_flux_weights"]

# Beyond this factor either way the counts that are left say nothing, and their squares underflow.
_LARGEST = 1e9


def load_flux_weights(path: str | Path, edges_mev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read factors on the flux from a table of ``low_mev, high_mev, weight``.

    Parameters
    ----------
    path : path
        Each row covers one or several whole energy bins; bins that no row covers keep a factor of
        one.
    edges_mev : (bins + 1,)
        Antineutrino-energy bins of the tensors.

    Returns
    -------
    (bins,)

    Raises
    ------
    InputError
        Sources of several flavours, a missing column, a number that is not finite, a weight that is
        negative or absurd, rows that overlap or that do not begin and end at bin edges.
    """
    if (np.diff(edges_mev) <= 0.0).any():
        raise InputError(
            "the sources emit several flavours, each with energies of its own",
            where=str(path),
            hint="factors on the flux are for one flavour: change the sources instead",
        )
    table = read_table(path, ("low_mev", "high_mev", "weight"))
    weights = np.ones(edges_mev.size - 1)
    seen = np.zeros(weights.size, dtype=bool)
    rows = zip(table["low_mev"], table["high_mev"], table["weight"], strict=True)
    for number, (low, high, weight) in enumerate(rows, start=1):
        where = f"{path}, row {number}"
        if weight < 0.0:
            raise InputError(f"weight {weight:g} is negative", where=where, hint="use 0 or more")
        if weight and not 1.0 / _LARGEST <= weight <= _LARGEST:
            raise InputError(
                f"weight {weight:g} is no factor on a flux",
                where=where,
                hint=f"use 0, or a number from {1.0 / _LARGEST:g} to {_LARGEST:g}",
            )
        first, last = (int(np.abs(edges_mev - energy).argmin()) for energy in (low, high))
        aligned = np.allclose(edges_mev[[first, last]], [low, high], rtol=0.0, atol=1e-9)
        if not aligned or first >= last:
            raise InputError(
                f"{low:g} to {high:g} MeV is not made of whole energy bins",
                where=where,
                hint=f"use edges in steps of {edges_mev[1] - edges_mev[0]:g} MeV "
                f"up to {edges_mev[-1]:g}, or set energy_bin_width_mev of the reactor",
            )
        if seen[first:last].any():
            raise InputError(
                f"{low:g} to {high:g} MeV overlaps a row above", where=where, hint="leave one out"
            )
        seen[first:last] = True
        weights[first:last] = weight
    return weights
