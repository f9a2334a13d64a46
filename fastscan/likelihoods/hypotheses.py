"""The space in which a fit is a projection, and a pseudo-experiment a normal random vector.

Counts seen, divided by their errors, and the auxiliary measurement of each nuisance, divided by
its own, make one vector D of n = bins + pulls components with unit errors. For given parameters of
the model the prediction is linear in the nuisances, D = f + gamma Q with orthonormal rows Q:

    chi2(theta) = min over gamma |D - f(theta) - gamma Q(theta)|**2 = |D - f|**2 - |Q (D - f)|**2.

Repeating the experiment draws D from a unit normal distribution around f + gamma Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.counts import Counts

__all__ = ["Hypotheses", "hypotheses", "scores_at_points"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Hypotheses:
    """Predictions of some points of the parameters.

    Attributes
    ----------
    offset : (points, n)
        f: zero where a normalisation pull covers all of the prediction.
    basis : (points, pulls, n)
        Q: orthonormal rows.
    """

    offset: FloatArray
    basis: FloatArray

    def chi2(self, data: FloatArray) -> FloatArray:
        """Chi2 of data vectors (vectors, n) at each point, shape (vectors, points)."""
        rest = data[:, None, :] - self.offset
        rest = rest - np.einsum("vpk,pkn->vpn", self._along(data), self.basis)
        chi2: FloatArray = np.einsum("vpn,vpn->vp", rest, rest)
        return chi2

    def mean(self, data: FloatArray) -> FloatArray:
        """Prediction of each point with the nuisances fitted to data (n,), shape (points, n)."""
        along = self._along(data[None])[0]
        mean: FloatArray = self.offset + np.einsum("pk,pkn->pn", along, self.basis)
        return mean

    def log_marginal(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithm of the likelihood with the pulls integrated out, but for a constant, and chi2.

        Of data (n,), shape (points,) each.
        """
        chi2 = self.chi2(data[None])[0]
        # The rows of the basis are R**-T (T, 1): its last columns have det(I + T T^T)**-1/2.
        last = self.basis[:, :, self.offset.shape[1] - self.basis.shape[1] :]
        return -0.5 * chi2 + np.log(np.abs(np.linalg.det(last))), chi2

    def log_marginals(self, data: FloatArray) -> FloatArray:
        """The same of data vectors (vectors, n), (vectors, points), but for |D|**2 of each."""
        pulls = self.basis.shape[1]
        volume = np.linalg.slogdet(self.basis[:, :, -pulls:])[1]
        log: FloatArray = 0.5 * scores_at_points(data, self) + volume
        return log

    def score_terms(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Arguments of `fit_points`: Q, the part of f that no nuisance covers, its square."""
        covered = np.einsum("pkn,pn->pk", self.basis, self.offset)
        linear = self.offset - np.einsum("pk,pkn->pn", covered, self.basis)
        return np.ascontiguousarray(self.basis), linear, np.einsum("pn,pn->p", linear, linear)

    def _along(self, data: FloatArray) -> FloatArray:
        along: FloatArray = np.einsum("vpn,pkn->vpk", data[:, None, :] - self.offset, self.basis)
        return along


def hypotheses(counts: Counts, points: ArrayLike) -> Hypotheses:
    """Predictions of counts at points, shape (points, parameters) in the order of their names."""
    layers = counts.layers(points)
    centre = counts.centre
    pulls = centre.size
    nominal, changes = layers[:, 0], layers[:, 1:]
    moved = np.einsum("k,pkb->pb", centre, changes)
    # Rounding is all that is left of counts that a normalisation pull covers.
    own = np.abs(nominal - moved) > 1e-14 * np.abs(nominal)
    offset = np.pad(np.where(own, nominal - moved, 0.0), ((0, 0), (0, pulls)))
    columns = np.concatenate(
        [changes, np.broadcast_to(np.eye(pulls), (len(layers), pulls, pulls))], axis=2
    )
    if pulls == 1:
        basis = columns / np.linalg.norm(columns, axis=2, keepdims=True)
    else:
        basis = np.linalg.qr(columns.transpose(0, 2, 1))[0].transpose(0, 2, 1)
    return Hypotheses(offset, np.ascontiguousarray(basis))


def scores_at_points(data: FloatArray, predicted: Hypotheses) -> FloatArray:
    """|D|**2 - chi2 of data vectors (vectors, n) at each point, shape (vectors, points)."""
    score = np.empty((len(data), len(predicted.basis)))
    # Compiled code: limits without toys start faster.
    from fastscan.kernels.projections import fit_points

    fit_points(data, *predicted.score_terms(), score)
    return score
