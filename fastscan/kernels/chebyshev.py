"""Functions of a mass between the nodes at which they were computed, octave by octave."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["evaluate_series", "place_in_octave"]

FloatArray = np.ndarray


@jit
def place_in_octave(masses: FloatArray, octave: FloatArray, place: FloatArray) -> None:
    """Fill e and x of M = 2**(e - 1 + (x + 1) / 2), x in [-1, 1): even in the logarithm."""
    for i in range(masses.size):
        fraction, exponent = math.frexp(masses[i])
        octave[i] = exponent
        place[i] = 2.0 * math.log2(2.0 * fraction) - 1.0 if fraction > 0.0 else -1.0


@jit
def evaluate_series(
    tables: FloatArray, table: FloatArray, place: FloatArray, out: FloatArray
) -> None:
    """Fill ``out[r, f] = sum_k tables[table[r], k, f] T_k(place[r])`` by Clenshaw's recurrence.

    Rows with a negative ``table`` are left alone. The functions f are the vector: a row is computed
    alike whatever its neighbours are.
    """
    terms, functions = tables.shape[1], tables.shape[2]
    even = np.empty(functions)
    odd = np.empty(functions)
    for r in range(place.size):
        if table[r] < 0:
            continue
        series = tables[table[r]]
        x = place[r]
        twice = 2.0 * x
        even[:] = 0.0
        odd[:] = 0.0
        # Two steps at a time, so that the last two partial sums need not change places.
        top = terms - 1
        if top % 2 == 1:
            for f in range(functions):
                odd[f] = series[top, f]
            top -= 1
        for k in range(top, 1, -2):
            for f in range(functions):
                upper = series[k, f] + (twice * odd[f] - even[f])
                even[f] = upper
                odd[f] = series[k - 1, f] + (twice * upper - odd[f])
        for f in range(functions):
            out[r, f] = series[0, f] + (x * odd[f] - even[f])
