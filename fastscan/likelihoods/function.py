"""Chi2 as a fast function of a list of points, for samplers and minimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["Chi2Function"]

FloatArray = NDArray[np.float64]


class Chi2Function:
    """Chi2 of some parameters as a function of points, the other parameters held.

    Couplings alone: the normal form, tens of nanoseconds a point. With a mediator mass among the
    parameters each point contracts its own coefficients, and with nuisances besides a normalisation
    each solves its own least squares: some microseconds.

    Parameters
    ----------
    likelihood : Likelihood
    names : sequence of str
        Parameters, the columns of a point in this order.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.

    Raises
    ------
    InputError
        An unknown or doubled parameter, one that is also set, or a value out of range.

    Examples
    --------
    >>> import fastscan
    >>> chi2 = fastscan.Chi2Function(fastscan.likelihood("sm"), ["sin2_theta_w"])
    >>> chi2([[0.23857], [0.25]]).round(4)
    array([7.3937, 7.3406])
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
                raise InputError(
                    f"{name} is named twice", where="parameters of points", hint="leave one out"
                )
        if not names:
            raise InputError("no parameter", where="parameters of points", hint="name at least one")
        self.names = tuple(names)
        self._form = likelihood.form(names, given)
        self.fixed = dict(self._form.counts.fixed)
        self._parameters = self._form.counts.parameters

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Chi2 of points, shape (points, parameters) -> (points,); or of one, (parameters,) -> ().

        Raises
        ------
        InputError
            Another number of columns.
        """
        given = np.asarray(points, dtype=float)
        rows = np.atleast_2d(given)
        if given.ndim > 2 or rows.shape[1] != len(self.names):
            raise InputError(
                f"points of shape {given.shape}",
                where="parameters of points",
                hint=f"give one row a point with {len(self.names)} columns: "
                f"{', '.join(self.names)}",
            )
        chi2 = self._form.values(rows)
        return chi2 if given.ndim == 2 else chi2.reshape(())

    def log_likelihood(self, points: ArrayLike) -> FloatArray:
        """Minus half of chi2, and minus infinity outside the parameters' ranges, for samplers."""
        given = np.asarray(points, dtype=float)
        rows = np.atleast_2d(given)
        low = np.array([p.minimum for p in self._parameters])
        high = np.array([p.maximum for p in self._parameters])
        inside = ((rows >= low) & (rows <= high)).all(axis=1)
        out = np.where(inside, -0.5 * np.atleast_1d(self(rows)), -np.inf)
        return out if given.ndim == 2 else out.reshape(())

    def gradient(self, point: ArrayLike) -> FloatArray:
        """Derivatives of chi2 by the parameters at one point, in closed form.

        Raises
        ------
        InputError
            A mass is among the parameters: counts are no polynomial in it; or not one point.
        """
        counts = self._form.counts
        if counts.shape_parameters:
            raise InputError(
                f"no closed gradient by {counts.shape_parameters[0]}",
                where="parameters of points",
                hint="hold it, or use a numerical gradient",
            )
        given = np.asarray(point, dtype=float)
        if given.shape != (len(self.names),):
            raise InputError(
                f"gradient at points of shape {given.shape}",
                where="parameters of points",
                hint=f"give one point of {len(self.names)} values: {', '.join(self.names)}",
            )
        order = [self.names.index(name) for name in counts.couplings]
        surface = self._form.surface(self._form.coefficients()[0])
        gradient = np.empty(len(self.names))
        gradient[order] = surface.value_and_gradient(given[order])[1]
        return gradient
