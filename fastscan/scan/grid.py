"""Chi2 on a grid of axes: what a block of a scan computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import reduce
from math import gcd, prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.kernels import grid as grid_kernels
from fastscan.kernels import normal_form
from fastscan.models.rates import integer_power
from fastscan.scan.axes import Axis
from fastscan.scan.normal_forms import NormalForms
from fastscan.statistics import Likelihood, normalisation_pull
from fastscan.storage.plan import DEFAULT_BLOCK_POINTS

__all__ = ["Grid"]

FloatArray = NDArray[np.float64]


class Grid:
    """The profiled chi2 of a likelihood on the product of some axes.

    Axes are kept with shape parameters (masses) first and couplings after them, each in the order
    given.
    Along the innermost coupling chi2 is a ratio of two polynomials; every outer point is a row.
    Values do not depend on how the grid is cut: each row, and each point of it, is computed alike.

    Parameters
    ----------
    likelihood : Likelihood
    axes : sequence of Axis
        One for each scanned parameter.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.

    Raises
    ------
    InputError
        No axis, an unknown or doubled parameter, one that is both scanned and set, or a value out
        of a parameter's range.
    """

    default_block_points: ClassVar = DEFAULT_BLOCK_POINTS

    def __init__(
        self,
        likelihood: Likelihood,
        axes: Sequence[Axis],
        given: Mapping[str, float] | None = None,
    ) -> None:
        self._set_axes(likelihood, axes, given)
        self._sigma = likelihood.sigma
        self._data = likelihood.data
        self._sigma_alpha = likelihood.sigma_alpha
        self._rates = likelihood.rates(self.fixed)
        exponents = self._rates.exponents
        inner = [] if self._shapes == len(self.axes) else [self.axes[-1].name]
        self._outer = [a.name for a in self.axes[self._shapes :] if a.name not in inner]
        self._outer_exponents = exponents[
            :, [self._rates.couplings.index(name) for name in self._outer]
        ]
        if inner:
            column = exponents[:, self._rates.couplings.index(inner[0])]
            power = reduce(gcd, (int(e) for e in column), 0) or 1
            self.power = power
            self._powers = column // power
            with np.errstate(over="ignore"):
                self._u = np.asarray(integer_power(self._values[inner[0]], power))
        else:
            self.power = 1
            self._powers = np.zeros(exponents.shape[0], dtype=np.int64)
            self._u = np.zeros(1)
        self._degree = int(self._powers.max(initial=0))
        self._forms = self._normal_forms()

    def _set_axes(
        self, likelihood: Likelihood, axes: Sequence[Axis], given: Mapping[str, float] | None
    ) -> None:
        given = dict(given or {})
        model = likelihood.model
        names = [axis.name for axis in axes]
        if not names:
            raise InputError(
                "no axis to scan",
                where="--axis",
                hint=f"name one of: {', '.join(p.name for p in model.parameters)}",
            )
        for axis in axes:
            where = f"--axis {axis.name}"
            parameter = model.parameter(axis.name, where)
            parameter.check(axis.start, where)
            parameter.check(axis.stop, where)
            if names.count(axis.name) > 1:
                raise InputError("axis given twice", where=where, hint="leave one out")
            if axis.name in given:
                raise InputError(
                    f"{axis.name} is both scanned and set", where=where, hint="leave one out"
                )
        kinds = {p.name: p.kind for p in model.parameters}
        self.axes = tuple(sorted(axes, key=lambda axis: kinds[axis.name] == "coupling"))
        self.shape = tuple(axis.points for axis in self.axes)
        self.fixed = likelihood.parameters(given, names)
        self._values = {axis.name: axis.values for axis in self.axes}
        self._shapes = sum(kinds[axis.name] == "shape" for axis in self.axes)

    def evaluate(self, slices: tuple[slice, ...], out: FloatArray | None = None) -> FloatArray:
        """Chi2 on a block of the grid.

        Parameters
        ----------
        slices : tuple of slice
            Points of each axis.
        out : array, optional
            Where to write; contiguous, of the block's shape.

        Raises
        ------
        InputError
            Couplings so large that a double overflows.
        """
        shape = tuple(len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True))
        if out is None:
            out = np.empty(shape)
        u = self._u[slices[-1]] if self.coupling_innermost else self._u
        numerator, denominator = self._checked_rows(slices)
        rows = out.reshape(numerator.shape[0], u.size)
        grid_kernels.ratio_rows(numerator, denominator, u, rows)
        return out

    def minima(self, slices: tuple[slice, ...]) -> FloatArray:
        """Lowest chi2 along the innermost coupling, shape of the block without its last axis."""
        numerator, denominator = self._checked_rows(slices)
        lowest = np.empty(numerator.shape[0])
        grid_kernels.ratio_minima(numerator, denominator, self._u[slices[-1]], lowest)
        points = [len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True)]
        return lowest.reshape(points[:-1])

    def inside(self, slices: tuple[slice, ...], level: float) -> int:
        """Number of points of a block with chi2 at most ``level``, without writing them."""
        return int(self._inside(slices, level)[0].sum())

    def spans(
        self, slices: tuple[slice, ...], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last point with chi2 at most ``level`` along the innermost coupling.

        Both count from the start of the block; where there is none the first is its length, the
        last -1. Shape of the block without its last axis.
        """
        _, first, last = self._inside(slices, level)
        points = [len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True)]
        return first.reshape(points[:-1]), last.reshape(points[:-1])

    def _inside(self, slices: tuple[slice, ...], level: float) -> NDArray[np.int64]:
        numerator, denominator = self._checked_rows(slices)
        found = np.empty((3, numerator.shape[0]), dtype=np.int64)
        u = self._u[slices[-1]] if self.coupling_innermost else self._u
        grid_kernels.ratio_inside(numerator, denominator, u, level, *found)
        return found

    def point(self, index: tuple[int, ...]) -> dict[str, float]:
        """Scanned parameters at one grid point."""
        return {a.name: float(a.values[i]) for a, i in zip(self.axes, index, strict=True)}

    def alpha_hat(self, index: tuple[int, ...]) -> float:
        """Normalisation shift at which chi2 of one grid point is reached."""
        point = self.point(index)
        counts = self._rates.counts(point)
        pull = normalisation_pull(counts, self._data, self._sigma, self._sigma_alpha)
        return float(pull)

    def at_points(self, values: FloatArray) -> Grid:
        """The same grid with other points on its first axis, in any order."""
        other = copy(self)
        other.shape = (values.size, *self.shape[1:])
        other._values = {**self._values, self.axes[0].name: values}
        if self._shapes:
            other._forms = other._normal_forms()
        return other

    @property
    def coupling_innermost(self) -> bool:
        """Whether the last axis is a coupling, along which rows are polynomials."""
        return self._shapes < len(self.axes)

    def _normal_forms(self) -> NormalForms:
        masses = self._values[self.axes[0].name] if self._shapes == 1 else None
        pull = self._sigma_alpha**-2
        return NormalForms(self._rates, self._data, self._sigma, pull, masses)

    def _checked_rows(self, slices: tuple[slice, ...]) -> tuple[FloatArray, FloatArray]:
        """Rows, both polynomials and all their partial sums bounded over the whole row."""
        u = self._u[slices[-1]] if self.coupling_innermost else self._u
        with np.errstate(over="ignore", invalid="ignore"):
            numerator, denominator = self.rows(slices)
            self._check_overflow(numerator, denominator, u)
        return numerator, denominator

    def _check_overflow(
        self, numerator: FloatArray, denominator: FloatArray, u: FloatArray
    ) -> None:
        reach = max(1.0, float(np.abs(u).max(initial=0.0)))
        if not grid_kernels.all_finite(numerator, denominator, reach):
            raise InputError(
                "chi2 is not finite: the counts overflow a double",
                where="--axis",
                hint="use smaller couplings",
            )

    def rows(self, slices: tuple[slice, ...]) -> tuple[FloatArray, FloatArray]:
        """Chi2 of each outer point of a block as a ratio of polynomials, shape (rows, k) each.

        Rising powers of the inner coupling raised to `power`; outer points in C order.
        """
        masses = self._product([a.name for a in self.axes[: self._shapes]], slices)
        squares = self._forms.squares(masses, slices[0])
        weights = self._outer_weights(slices[self._shapes :])
        outer = weights.shape[1]
        numerator = np.empty((squares.shape[0] * outer, 2 * self._degree + 1))
        denominator = np.empty_like(numerator)
        cancelled = np.empty(numerator.shape[0], dtype=np.bool_)
        arguments = self._powers, self._data / self._sigma, self._sigma_alpha**-2
        normal_form.row_polynomials(squares, weights, *arguments, numerator, denominator, cancelled)
        if cancelled.any():
            rows = np.flatnonzero(cancelled)
            shapes, which = np.unique(rows // outer, return_inverse=True)
            coefficients = self._forms.coefficients({k: v[shapes] for k, v in masses.items()})
            top, bottom = numerator[rows], denominator[rows]
            normal_form.sum_before_squaring(
                coefficients[which],
                np.ascontiguousarray(weights[:, rows % outer]),
                *arguments,
                top,
                bottom,
            )
            numerator[rows], denominator[rows] = top, bottom
        return numerator, denominator

    def _outer_weights(self, slices: tuple[slice, ...]) -> FloatArray:
        """Product of the outer couplings of each monomial, shape (monomials, outer points)."""
        columns = self._product(self._outer, slices)
        points = prod(np.size(v) for v in list(columns.values())[:1])
        weights = np.ones((self._powers.size, points))
        for c, name in enumerate(self._outer):
            for m, exponent in enumerate(self._outer_exponents[:, c]):
                if exponent:
                    weights[m] *= integer_power(columns[name], int(exponent))
        return weights

    def _product(self, names: list[str], slices: tuple[slice, ...]) -> dict[str, FloatArray]:
        """Every combination of the axes' points in a block, one flat column for each axis."""
        columns = [self._values[name][s] for name, s in zip(names, slices, strict=False)]
        meshes = np.meshgrid(*columns, indexing="ij") if columns else []
        return {name: mesh.ravel() for name, mesh in zip(names, meshes, strict=True)}
