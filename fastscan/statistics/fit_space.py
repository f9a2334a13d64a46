"""The space in which a fit is a projection, and a pseudo-experiment a normal random vector.

Counts seen, divided by their errors, and the auxiliary measurement of each nuisance, divided by
its own, make one vector D of n = bins + pulls components with unit errors. For given parameters of
the model the prediction is linear in the nuisances, D = f + gamma Q with orthonormal rows Q:

    chi2(theta) = min over gamma |D - f(theta) - gamma Q(theta)|**2 = |D - f|**2 - |Q (D - f)|**2.

Repeating the experiment draws D from a unit normal distribution around f + gamma Q.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.statistics.pulls import PulledRates

if TYPE_CHECKING:
    from fastscan.statistics.likelihood import Likelihood

__all__ = ["FitSpace", "Hypotheses"]

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

    def _along(self, data: FloatArray) -> FloatArray:
        along: FloatArray = np.einsum("vpn,pkn->vpk", data[:, None, :] - self.offset, self.basis)
        return along


class FitSpace:
    """Fits of some parameters of a likelihood, the other ones held, as projections.

    Parameters
    ----------
    likelihood : Likelihood
    names : sequence of str
        Parameters, the columns of a point in this order.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.

    Attributes
    ----------
    observed : (n,)
        The data vector D that was seen; an auxiliary measurement is seen at its centre.

    Raises
    ------
    InputError
        An unknown or doubled parameter, one that is also set, or a value out of range.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        names: Sequence[str],
        given: Mapping[str, float] | None = None,
    ) -> None:
        given = dict(given or {})
        for name in names:
            likelihood.model.parameter(name)
            if name in given or list(names).count(name) > 1:
                raise InputError(f"{name} is named twice", where="parameters", hint="leave one out")
        self.names = tuple(names)
        self.parameters = tuple(likelihood.model.parameter(name) for name in names)
        self.fixed = likelihood.parameters(given, names)
        self.rates: PulledRates = likelihood.pulled_rates(self.fixed)
        self.observed = np.concatenate([likelihood.data / likelihood.sigma, self.rates.centre])
        self._coefficients: FloatArray | None = None

    def layers(self, points: ArrayLike) -> FloatArray:
        """Counts and their change by each pull, over sigma, shape (points, 1 + pulls, bins)."""
        rows = np.atleast_2d(np.asarray(points, dtype=float))
        columns = {name: rows[:, i] for i, name in enumerate(self.names)}
        monomials = self.rates.monomials({name: columns[name] for name in self.rates.couplings})
        # Without a coupling there is one row, whatever the number of masses.
        monomials = np.broadcast_to(monomials, (len(rows), monomials.shape[1]))
        if not self.rates.shape_parameters:
            if self._coefficients is None:
                self._coefficients = self.rates.coefficients()[0]
            return _combine(monomials, self._coefficients)
        shapes = np.stack([columns[name] for name in self.rates.shape_parameters], axis=1)
        unique, which = np.unique(shapes, axis=0, return_inverse=True)
        coefficients = self.rates.coefficients(
            dict(zip(self.rates.shape_parameters, unique.T, strict=True))
        )
        layers = np.empty((len(rows), coefficients.shape[1], coefficients.shape[3]))
        for i in range(len(unique)):
            own = which.ravel() == i
            layers[own] = _combine(monomials[own], coefficients[i])
        return layers

    def at(self, points: ArrayLike) -> Hypotheses:
        """Predictions at points, shape (points, parameters) in the order of the names."""
        layers = self.layers(points)
        centre = self.rates.centre
        pulls = centre.size
        counts, changes = layers[:, 0], layers[:, 1:]
        offset = np.zeros((len(layers), counts.shape[1] + pulls))
        moved = np.einsum("k,pkb->pb", centre, changes)
        # Rounding is all that is left of counts that a normalisation pull covers.
        own = np.abs(counts - moved) > 1e-14 * np.abs(counts)
        offset[:, : counts.shape[1]] = np.where(own, counts - moved, 0.0)
        columns = np.concatenate(
            [changes, np.broadcast_to(np.eye(pulls), (len(layers), pulls, pulls))], axis=2
        )
        if pulls == 1:
            basis = columns / np.linalg.norm(columns, axis=2, keepdims=True)
        else:
            basis = np.linalg.qr(columns.transpose(0, 2, 1))[0].transpose(0, 2, 1)
        return Hypotheses(offset, np.ascontiguousarray(basis))


def _combine(monomials: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Layers of points, added up one by one: the same for a point whatever comes with it."""
    layers = np.zeros((len(monomials), coefficients.shape[0], coefficients.shape[2]))
    for m in range(monomials.shape[1]):
        layers += monomials[:, m, None, None] * coefficients[None, :, m]
    return layers
