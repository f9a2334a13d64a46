"""Predictions of some points, and chi2 of any data vectors there, where bins hold counts."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts, at_centre, plain_constraint
from fastscan.kernels.counted import counted_vectors
from fastscan.likelihoods.counted import counted_problem, slopes_and_weights
from fastscan.likelihoods.hypotheses import Hypotheses, hypotheses

__all__ = ["CountedHypotheses"]

FloatArray = NDArray[np.float64]


class CountedHypotheses(Hypotheses):
    """Predictions of points; see `Chi2Form.hypotheses`.

    Parameters
    ----------
    counts : Counts
    points : (points, parameters)
    """

    def __init__(self, counts: Counts, points: FloatArray) -> None:
        self._counts = counts
        self._layers = at_centre(counts.layers(points), counts.centre)
        self._points = points
        self._problem = counted_problem(counts, plain_constraint(counts.centre))

    @cached_property
    def _directions(self) -> Hypotheses:
        return hypotheses(self._counts, self._points)

    @property
    def offset(self) -> FloatArray:
        """Counts at the pulls' centre, as of Gaussian ones, (points, n)."""
        return self._directions.offset

    @property
    def basis(self) -> FloatArray:
        """Orthonormal directions in which pulls move the expectation, (points, pulls, n)."""
        return self._directions.basis

    def chi2(self, data: FloatArray) -> FloatArray:
        """Chi2 of data vectors (vectors, n) at each point, shape (vectors, points)."""
        every = [self._fit(data, layers[None])[0] for layers in self._layers]
        return np.stack(every, axis=1)

    def mean(self, data: FloatArray) -> FloatArray:
        """Prediction of each point with the nuisances fitted to data (n,), shape (points, n)."""
        return np.concatenate(
            self._fit(data[None].repeat(len(self._layers), 0), self._layers)[1:], 1
        )

    def log_marginal(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Hypotheses.log_marginal`; by Laplace's approximation at the fitted pulls."""
        vectors = data[None].repeat(len(self._layers), 0)
        chi2, expected, _ = self._fit(vectors, self._layers)
        weights = slopes_and_weights(self._counts, vectors[:, : expected.shape[1]], expected)[1]
        changes = self._layers[:, 1:]
        hessian = np.einsum("pkb,pb,pjb->pkj", changes, weights, changes)
        hessian += np.diag(self._counts.penalised.astype(float))
        return -0.5 * chi2 - 0.5 * np.linalg.slogdet(hessian)[1], chi2

    def _fit(
        self, vectors: FloatArray, layers: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Chi2, expected counts over sigma and pulls of vectors, at a point each or at one."""
        chi2 = np.empty(len(vectors))
        pulls, expected = (
            np.empty((len(vectors), layers.shape[1] - 1)),
            np.empty((len(vectors), layers.shape[2])),
        )
        counted_vectors(
            np.ascontiguousarray(layers),
            *self._problem,
            np.ascontiguousarray(vectors),
            chi2,
            pulls,
            expected,
        )
        return chi2, expected, pulls
