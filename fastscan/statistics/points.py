"""Chi2 as a fast function of a list of points, for samplers and minimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.models import Rates
from fastscan.statistics.fit_space import FitSpace
from fastscan.statistics.likelihood import Likelihood
from fastscan.statistics.pulled_surface import PulledSurface, chi2_of_layers
from fastscan.statistics.surface import Surface

__all__ = ["Chi2Function"]

FloatArray = NDArray[np.float64]

# Points whose nuisances are fitted together.
_POINTS = 4096


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
        self.fixed = likelihood.parameters(given, names)
        self._likelihood = likelihood
        self._parameters = tuple(likelihood.model.parameter(name) for name in names)
        self._space = None if likelihood.one_normalisation else FitSpace(likelihood, names, given)
        self._rates = likelihood.rates(self.fixed) if self._space is None else self._space.rates
        self._shape = self._rates.shape_parameters
        self._order = [self.names.index(name) for name in self._rates.couplings]
        self._normal_form = None
        if isinstance(self._rates, Rates) and not self._shape:
            self._normal_form = _normal_form(likelihood, self._rates)

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Chi2 of points, shape (points, parameters) -> (points,); or of one, (parameters,) -> ().

        It is infinite where counts overflow; values out of a parameter's range are taken as they
        are.

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
        chi2 = np.empty(rows.shape[0])
        with np.errstate(over="ignore", invalid="ignore"):
            self._fill(rows, chi2)
        # What is no number although its point is: counts that overflow.
        chi2[np.isnan(chi2) & ~np.isnan(rows).any(axis=1)] = np.inf
        return chi2 if given.ndim == 2 else chi2.reshape(())

    def check(self, points: ArrayLike, first: int = 1) -> None:
        """Check that points, shape (points, parameters), are in the parameters' ranges.

        Parameters
        ----------
        points : array
        first : int
            Number of the first of them, for the message.

        Raises
        ------
        InputError
            One is not, or not finite.
        """
        rows = np.asarray(points, dtype=float)
        bad = np.flatnonzero(~(self._inside(rows) & np.isfinite(rows).all(axis=1)))
        if bad.size:
            for parameter, value in zip(self._parameters, rows[bad[0]], strict=True):
                parameter.check(value, where=f"point {first + int(bad[0])}")

    def log_likelihood(self, points: ArrayLike) -> FloatArray:
        """Minus half of chi2, and minus infinity outside the parameters' ranges, for samplers."""
        given = np.asarray(points, dtype=float)
        rows = np.atleast_2d(given)
        out = np.where(self._inside(rows), -0.5 * np.atleast_1d(self(rows)), -np.inf)
        return out if given.ndim == 2 else out.reshape(())

    def gradient(self, point: ArrayLike) -> FloatArray:
        """Derivatives of chi2 by the parameters at one point, in closed form.

        Raises
        ------
        InputError
            A mass is among the parameters: counts are no polynomial in it; or not one point.
        """
        if self._shape:
            raise InputError(
                f"no closed gradient by {self._shape[0]}",
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
        couplings = given[self._order]
        by_coupling = self._surface(self._rates.coefficients()[0]).value_and_gradient(couplings)[1]
        gradient = np.empty(len(self.names))
        gradient[self._order] = by_coupling
        return gradient

    def _inside(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Which points are in the parameters' ranges."""
        low = np.array([p.minimum for p in self._parameters])
        high = np.array([p.maximum for p in self._parameters])
        return np.asarray(((rows >= low) & (rows <= high)).all(axis=1))

    def _fill(self, rows: FloatArray, chi2: FloatArray) -> None:
        if self._normal_form is not None:
            from fastscan.kernels.points import chi2_of_points

            columns = np.array(self._order, dtype=np.int64)
            chi2_of_points(np.ascontiguousarray(rows), columns, chi2, *self._normal_form)
        elif self._space is not None:
            self._with_pulls(self._space, rows, chi2)
        else:
            self._with_shapes(rows, rows[:, self._order], chi2)

    def _with_pulls(self, space: FitSpace, rows: FloatArray, chi2: FloatArray) -> None:
        bins = space.rates.bins
        for start in range(0, len(rows), _POINTS):
            part = slice(start, start + _POINTS)
            layers = space.layers(rows[part])
            chi2[part] = chi2_of_layers(layers, space.observed[:bins], space.rates.centre)

    def _surface(self, coefficients: FloatArray) -> Surface:
        likelihood = self._likelihood
        couplings = tuple(likelihood.model.parameter(name) for name in self._rates.couplings)
        if self._space is not None:
            return PulledSurface(
                couplings,
                self._rates.exponents,
                coefficients[0],
                likelihood.data / likelihood.sigma,
                0.0,
                coefficients[1:],
                self._space.rates.centre,
            )
        return Surface(
            couplings,
            self._rates.exponents,
            coefficients / likelihood.sigma,
            likelihood.data / likelihood.sigma,
            likelihood.sigma_alpha**-2,
        )

    def _with_shapes(self, rows: FloatArray, couplings: FloatArray, chi2: FloatArray) -> None:
        columns = {name: rows[:, self.names.index(name)] for name in self._shape}
        coefficients = self._rates.coefficients(columns)
        for i, point in enumerate(couplings):
            chi2[i] = self._surface(coefficients[i]).value(point)


def _normal_form(likelihood: Likelihood, rates: Rates) -> tuple[Any, ...]:
    """Arguments of the kernel: monomials gathered into features, and their products."""
    y = rates.coefficients()[0] / likelihood.sigma
    data = likelihood.data / likelihood.sigma
    s = likelihood.sigma_alpha**-2
    rows: list[FloatArray] = []
    feature = np.empty(len(y), dtype=np.int64)
    share = np.ones(len(y))
    for m, row in enumerate(y):
        for f, other in enumerate(rows):
            ratio = float(row @ other) / float(other @ other)
            if np.abs(row - ratio * other).max() <= 1e-13 * np.abs(row).max():
                feature[m], share[m] = f, ratio
                break
        else:
            feature[m] = len(rows)
            rows.append(row)
    counts = np.array(rows)
    total = float(data @ data)
    along = counts @ data
    across = counts - np.outer(along, data) / total if total > 0.0 else counts
    bottom = counts @ counts.T
    top = total * (across @ across.T) + s * bottom
    twice = np.tril(np.full_like(bottom, 2.0), -1) + np.eye(len(rows))
    return rates.exponents, feature, share, along, twice * top, twice * bottom, total, s
