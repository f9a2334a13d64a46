"""Chi2 as a fast function of a list of points, for samplers and minimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["Chi2Function"]

FloatArray = NDArray[np.float64]

# Points treated together: a megabyte, which stays in a processor's cache.
_PIECE = 16_384


class Chi2Function:
    """Chi2 of some parameters as a function of points, the other parameters held.

    Couplings alone: the normal form, tens of nanoseconds a point. With a mediator mass among the
    parameters each point contracts its own coefficients, and with nuisances besides a normalisation
    each solves its own least squares: some microseconds.

    Chi2 is infinite outside the ranges of the parameters and where the counts overflow a double;
    it is never NaN, and a point that holds NaN is refused. iminuit reads the names, the ranges and
    the size of one standard deviation (``errordef``) off it.

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
    >>> chi2([[0.23857], [0.25], [-0.1]]).round(4)
    array([7.3937, 7.3406,    inf])
    """

    # What a rise of one standard deviation is, as iminuit calls it.
    errordef = 1.0

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
        # As iminuit wants it: names, and ranges or None.
        self._parameters = {
            p.name: (p.minimum, p.maximum)
            if np.isfinite(p.minimum) or np.isfinite(p.maximum)
            else None
            for p in self._form.counts.parameters
        }

    def __call__(self, points: ArrayLike, *others: float) -> FloatArray:
        """Chi2 of points, shape (points, parameters) -> (points,); or of one, (parameters,) -> ().

        The values of one point may also be arguments of their own.

        Raises
        ------
        InputError
            Another number of columns, or NaN.
        """
        given = np.asarray((points, *others) if others else points, dtype=float)
        rows = np.atleast_2d(given)
        if given.ndim > 2 or rows.shape[1] != len(self.names):
            raise InputError(
                f"points of shape {given.shape}",
                where="parameters of points",
                hint=f"give one row a point with {len(self.names)} columns: "
                f"{', '.join(self.names)}",
            )
        chi2 = np.empty(len(rows))
        with np.errstate(all="ignore"):
            for start in range(0, len(rows), _PIECE):
                piece = slice(start, start + _PIECE)
                chi2[piece] = self._checked(rows[piece], start)
        return chi2 if given.ndim == 2 else chi2.reshape(())

    def in_range(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points, shape (points, parameters), are inside the ranges of the parameters."""
        return self._form.counts.in_range(points)

    def log_likelihood(self, points: ArrayLike, *others: float) -> FloatArray:
        """Minus half of chi2: minus infinity outside the parameters' ranges, for samplers."""
        return -0.5 * self(points, *others)

    def gradient(self, point: ArrayLike) -> FloatArray:
        """Derivatives of chi2 by the parameters at one point, in closed form.

        Raises
        ------
        InputError
            A mass is among the parameters: counts are no polynomial in it; not one point, one out
            of range, or one where the counts overflow a double.
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
        for parameter, value in zip(counts.parameters, given, strict=True):
            parameter.check(value)
        order = [self.names.index(name) for name in counts.couplings]
        surface = self._form.surface(self._form.coefficients()[0])
        gradient = np.empty(len(self.names))
        with np.errstate(all="ignore"):
            gradient[order] = surface.value_and_gradient(given[order])[1]
        if not np.isfinite(gradient).all():
            raise InputError(
                "the gradient overflows a double",
                where=", ".join(self.names),
                hint="use smaller couplings",
            )
        return gradient

    def _checked(self, rows: FloatArray, before: int) -> FloatArray:
        """Chi2 of points in range, infinite for the others and where it overflows."""
        inside = self.in_range(rows)
        if inside.all():
            chi2 = self._form.values(rows)
        else:
            bad = np.flatnonzero(np.isnan(rows).any(axis=1))
            if bad.size:
                raise InputError(
                    "point holds something that is not a number",
                    where=f"point {before + int(bad[0]) + 1} of {', '.join(self.names)}",
                    hint="give finite numbers",
                )
            chi2 = np.full(len(rows), np.inf)
            chi2[inside] = self._form.values(rows[inside])
        # Of counts that overflow nothing but their being large is known.
        chi2[np.isnan(chi2)] = np.inf
        return chi2
