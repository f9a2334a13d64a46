"""Chi2 as a fast function of a list of points, for samplers and minimisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.likelihood import Likelihood

if TYPE_CHECKING:
    from fastscan.likelihoods.couplings import Surface

__all__ = ["Chi2Function"]

FloatArray = NDArray[np.float64]


class Chi2Function:
    """Chi2 of some parameters as a function of points, the other parameters held.

    Couplings alone: the normal form, tens of nanoseconds a point. With a mediator mass among the
    parameters each point contracts its own coefficients, and with nuisances besides a normalisation
    each solves its own least squares: some microseconds.

    Chi2 is infinite outside the ranges of the parameters and where the counts overflow a double;
    it is never NaN, and a point that holds NaN is refused. iminuit reads the names, the ranges, the
    rise of one standard deviation (``errordef``) and the gradient (``grad``) off it; emcee and
    dynesty take `log_likelihood`. It can be pickled, and threads may share it.

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
    array([7.3937, 7.3407,    inf])
    """

    # What a rise of one standard deviation is, as iminuit calls it.
    errordef = 1.0

    def __init__(
        self,
        likelihood: Likelihood,
        names: Sequence[str],
        given: Mapping[str, float] | None = None,
    ) -> None:
        given, names = dict(given or {}), tuple(names)
        for name in names:
            likelihood.model.parameter(name)
            if name in given or names.count(name) > 1:
                raise InputError(
                    f"{name} is named twice", where="parameters of points", hint="leave one out"
                )
        if not names:
            raise InputError("no parameter", where="parameters of points", hint="name at least one")
        self.names = names
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
        given = np.ascontiguousarray((points, *others) if others else points, dtype=float)
        if given.ndim > 2 or given.shape[-1] != len(self.names):
            raise InputError(
                f"points of shape {np.shape(points)}",
                where="parameters of points",
                hint=f"give one row a point with {len(self.names)} columns: "
                f"{', '.join(self.names)}",
            )
        if given.ndim == 2:
            return self._form.values_in_range(given)
        only: FloatArray = self._form.values_in_range(given[None])[0]
        return only

    def in_range(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points, shape (points, parameters), are inside the ranges of the parameters."""
        return self._form.counts.in_range(points)

    def log_likelihood(self, points: ArrayLike, *others: float) -> FloatArray:
        """Minus half of chi2: minus infinity outside the parameters' ranges, for samplers."""
        return -0.5 * self(points, *others)

    @cached_property
    def scales(self) -> FloatArray:
        """Natural size of each parameter, shape (parameters,), for the first steps of minimisers.

        Of a coupling that at which it alone changes counts by about their errors, 1 of a mass and
        of what no count depends on.
        """
        counts = self._form.counts
        sizes = [counts.size(n) if n in counts.couplings else 1.0 for n in self.names]
        return np.array([size or 1.0 for size in sizes])

    def gradient(self, point: ArrayLike, *others: float) -> FloatArray:
        """Derivatives of chi2 by the parameters at one point, in closed form.

        Parameters
        ----------
        point : (parameters,)
            Or its values as arguments of their own.

        Raises
        ------
        InputError
            A mass is among the parameters: counts are no polynomial in it; not one point, one out
            of range, or one where the counts overflow a double.

        Examples
        --------
        >>> import fastscan
        >>> chi2 = fastscan.Chi2Function(fastscan.likelihood("sm"), ["sin2_theta_w"])
        >>> chi2.gradient([0.25]).round(3)
        array([-0.581])
        """
        order, surface = self._surface
        # A number alone becomes a point of one value, as in `__call__`.
        given = np.ascontiguousarray((point, *others) if others else point, dtype=float)
        if given.shape != (len(self.names),):
            raise InputError(
                f"gradient at points of shape {given.shape}",
                where="parameters of points",
                hint=f"give one point of {len(self.names)} values: {', '.join(self.names)}",
            )
        for parameter, value in zip(self._form.counts.parameters, given, strict=True):
            parameter.check(value)
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

    @property
    def grad(self) -> Callable[..., FloatArray]:
        """`gradient`, under the name by which iminuit takes it.

        There is none with a mass among the parameters: then minimisers take their own.
        """
        if self._form.counts.shape_parameters:
            raise AttributeError("no closed gradient")
        return self.gradient

    @cached_property
    def _surface(self) -> tuple[list[int], Surface]:
        """Columns of the couplings in their own order, and chi2 as their function."""
        counts = self._form.counts
        if counts.shape_parameters:
            raise InputError(
                f"no closed gradient by {counts.shape_parameters[0]}",
                where="parameters of points",
                hint="hold it, or use a numerical gradient",
            )
        order = [self.names.index(name) for name in counts.couplings]
        return order, self._form.surface(self._form.coefficients()[0])
