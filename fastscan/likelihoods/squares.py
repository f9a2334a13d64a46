"""Squares of the counts at masses, interpolated where an axis has many of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.kernels import normal_form
from fastscan.likelihoods.octaves import Octaves

__all__ = ["Squares"]

FloatArray = NDArray[np.float64]


class Squares:
    """What chi2 with one normalisation needs of the counts at points of the shape parameters.

    Parameters
    ----------
    counts : Counts
    inverse_variance_alpha : float
        sigma_alpha**-2.
    masses : (points,), optional
        The column of the only shape parameter.
    """

    def __init__(
        self, counts: Counts, inverse_variance_alpha: float, masses: FloatArray | None
    ) -> None:
        self._counts, self._pull = counts, inverse_variance_alpha
        monomials = len(counts.exponents)
        self._width = monomials * (monomials + 1) + monomials
        self._octaves = Octaves(self._at_masses, self._width, counts, 2, masses)

    def squares(self, shape: Mapping[str, FloatArray], own: slice) -> FloatArray:
        """Squares for `normal_form.row_polynomials`, at the points ``own`` of the mass axis.

        ``shape`` holds the same points, or those of several shape parameters.
        """
        if len(shape) != 1:
            return self._computed(shape)
        (masses,) = shape.values()
        return self._octaves.on_axis(masses, own)

    def coefficients(self, shape: Mapping[str, FloatArray]) -> FloatArray:
        """Counts of each monomial divided by sigma, computed, shape (rows, monomials, bins)."""
        return self._counts.nominal(shape or None)

    def _at_masses(self, masses: FloatArray) -> FloatArray:
        return self._computed({self._counts.shape_parameters[0]: masses})

    def _computed(self, shape: Mapping[str, FloatArray]) -> FloatArray:
        coefficients = self.coefficients(shape)
        squares = np.empty((coefficients.shape[0], self._width))
        normal_form.square_monomials(coefficients, self._counts.seen, self._pull, squares)
        return squares
