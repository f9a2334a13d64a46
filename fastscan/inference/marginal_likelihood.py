"""The likelihood of some parameters, pulls integrated out.

With standard normal pulls beta and counts linear in them, the integral over beta is closed:

    integral of exp(-chi2(theta, beta) / 2) dbeta / (2 pi)**(K/2)
        = exp(-chi2(theta) / 2) / sqrt(det(I + T T^T)),

chi2(theta) the profiled one and T (K, bins) the change of the counts over their errors by one
standard deviation of each pull; a normalisation alone gives 1 / sqrt(1 + sigma_alpha**2 A). Where
counts are not linear in a nuisance, their tangent at its fitted value stands for them (Laplace's
approximation). The root is not constant: it grows with the signal, so that a posterior with
nuisances profiled, as `fastscan.scan.marginalise` has it, puts more weight on large signals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.likelihoods.hypotheses import hypotheses

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["NEGLIGIBLE", "MarginalLikelihood"]

FloatArray = NDArray[np.float64]

# Where the marginalised likelihood has fallen to exp(-NEGLIGIBLE) = 1e-8 of its maximum, an end of
# a box that was not given lies, and integrals end.
NEGLIGIBLE = 8.0 * math.log(10.0)


class MarginalLikelihood:
    """Logarithm of the likelihood with the pulls integrated out, at points of some parameters.

    Parameters
    ----------
    likelihood : Likelihood
    names : sequence of str
        The parameters, columns of points in this order.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.

    Attributes
    ----------
    counts : Counts
    bins : int
    provenance : Provenance
    """

    def __init__(
        self, likelihood: Likelihood, names: Sequence[str], given: Mapping[str, float] | None
    ) -> None:
        self.counts = likelihood.counts(names, given)
        self.provenance = likelihood.provenance
        self._likelihood = likelihood
        self.bins = self.counts.seen.size

    def __call__(self, points: FloatArray) -> FloatArray:
        """At points (points, parameters), shape (points,); minus infinity where counts overflow."""
        out = np.empty(len(points))
        for start in range(0, len(points), 8192):
            part = slice(start, start + 8192)
            out[part] = self._both(points[part])[0]
        return out

    def on_grid(self, columns: Sequence[FloatArray]) -> FloatArray:
        """On the grid of some values of each parameter."""
        mesh = np.meshgrid(*columns, indexing="ij")
        return self(np.stack([m.ravel() for m in mesh], axis=1)).reshape(mesh[0].shape)

    def chi2(self, point: FloatArray) -> float:
        """The profiled chi2 at a point."""
        return float(self._both(point[None])[1][0])

    def doubts(self, chi2_min: float) -> list[str]:
        """Words on a best fit, or a Standard Model, that is too bad or too good to be true."""
        return self._likelihood.doubts(chi2_min, len(self.counts.names))

    def _both(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        with np.errstate(all="ignore"):
            predicted = hypotheses(self.counts, points)
            chi2 = predicted.chi2(self.counts.observed[None])[0]
            # The rows of the basis are R**-T (T, 1): its last columns have det(I + T T^T)**-1/2.
            last = predicted.basis[:, :, self.bins :]
            log = -0.5 * chi2 + np.log(np.abs(np.linalg.det(last)))
        return np.where(np.isfinite(log), log, -np.inf), chi2
