"""Counts of each monomial and their change by each pull, at points of the shape parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.likelihoods.octaves import Octaves

__all__ = ["Layers", "line_polynomials"]

FloatArray = NDArray[np.float64]


class Layers:
    """`Counts.coefficients` at masses, interpolated octave by octave where an axis has many.

    Parameters
    ----------
    counts : Counts
    columns : mapping of str to (points,)
        The axis of each shape parameter.
    every : bool
        See `Octaves`.
    """

    def __init__(
        self, counts: Counts, columns: Mapping[str, FloatArray], *, every: bool = False
    ) -> None:
        self._counts = counts
        self._shape = (1 + len(counts.pulls), len(counts.exponents), counts.seen.size)
        masses = columns[counts.shape_parameters[0]] if len(counts.shape_parameters) == 1 else None
        width = int(np.prod(self._shape))
        self._octaves = Octaves(
            self._at_masses, width, counts, 1, masses, self._shape[0], every=every
        )

    def coefficients(self, shape: Mapping[str, FloatArray]) -> FloatArray:
        """C at rows of the shape parameters, shape (rows, 1 + pulls, monomials, bins).

        One row where there is no shape parameter.
        """
        if len(shape) != 1:
            return self._counts.coefficients(shape or None)
        (masses,) = shape.values()
        return self._octaves.at(masses).reshape(-1, *self._shape)

    def _at_masses(self, masses: FloatArray) -> FloatArray:
        shape = {self._counts.shape_parameters[0]: masses}
        return self._counts.coefficients(shape).reshape(masses.size, -1)


def line_polynomials(
    coefficients: FloatArray, weights: FloatArray, powers: NDArray[np.int64]
) -> FloatArray:
    """Layers of each power of u, shape (lines, powers, 1 + pulls, bins).

    Added up one monomial after the other: the same for a line whatever comes with it.

    Parameters
    ----------
    coefficients : (lines or 1, 1 + pulls, monomials, bins)
    weights : (lines, monomials)
        Product of the other couplings.
    powers : (monomials,)
    """
    _, layers, _, bins = coefficients.shape
    out = np.zeros((len(weights), int(powers.max(initial=0)) + 1, layers, bins))
    for m, power in enumerate(powers):
        out[:, power] += weights[:, m, None, None] * coefficients[:, :, m]
    return out
