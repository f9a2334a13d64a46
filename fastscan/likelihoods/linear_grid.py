"""Chi2 on grids with any linear pulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Basis
from fastscan.counts.signal import integer_power
from fastscan.exceptions import InputError
from fastscan.likelihoods.boxes import Boxes
from fastscan.likelihoods.couplings import powers_along
from fastscan.likelihoods.form import GridForm
from fastscan.likelihoods.layers import Layers, line_polynomials

__all__ = ["LinearGrid"]

FloatArray = NDArray[np.float64]

# Lines whose layers, some kilobytes each, stay in the processor's cache.
_LINES = 128
# Points of a block that are worth a task: interpolated ones, and others.
_INTERPOLATED, _COMPUTED = 4_194_304, 65_536


class LinearGrid(GridForm):
    """Chi2 on the product of columns; see `GridForm`.

    A point is computed in about a microsecond; where a grid has many more points than chi2 has
    features, it is interpolated, see `Boxes`.

    Parameters
    ----------
    basis : Basis
        Of the counts' pulls.
    columns : mapping of str to (points,)
        Shape parameters first, then couplings.
    problem : tuple
        Constraint of the pulls and data, as `fastscan.kernels.pulls` has them.
    """

    def __init__(
        self,
        basis: Basis,
        columns: Mapping[str, FloatArray],
        problem: tuple[FloatArray, FloatArray],
    ) -> None:
        counts = basis.counts
        self._counts, self._names = counts, tuple(columns)
        self._problem = problem
        self.shape = tuple(column.size for column in columns.values())
        self._shapes = [name for name in columns if name in counts.shape_parameters]
        self._couplings = [name for name in columns if name in counts.couplings]
        self._powers, self._power = np.zeros(len(counts.exponents), dtype=np.int64), 1
        if self._couplings:
            inner = counts.couplings.index(self._couplings[-1])
            self._powers, self._power = powers_along(counts.exponents, inner)
        self._boxes = Boxes(list(columns.values()), self._exact)
        self.error = self._boxes.error
        shapes = {name: columns[name] for name in self._shapes}
        self._layers = Layers(counts, shapes, every=self.error > 0.0)
        self.default_block_points = _INTERPOLATED if self.error > 0.0 else _COMPUTED

    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2; see `GridForm.evaluate`."""
        self._boxes.fill(slices, out)

    def _exact(self, columns: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Chi2 on a product of columns, and its rounding, both flat."""
        from fastscan.kernels.pulls import chi2_along

        own = dict(zip(self._names, columns, strict=True))
        shapes = self._product(own, self._shapes)
        others = self._product(own, self._couplings[:-1])
        u = np.zeros(1)
        if self._couplings:
            with np.errstate(over="ignore"):
                u = np.asarray(integer_power(own[self._couplings[-1]], self._power))
        weights = self._weights(others)
        rows, outer = prod(own[name].size for name in self._shapes), len(weights)
        chi2, rounding = np.empty((2, rows * outer, u.size))
        # A few shapes at a time, each with its lines.
        step = max(1, _LINES // outer)
        for first in range(0, rows, step):
            shape = {name: column[first : first + step] for name, column in shapes.items()}
            coefficients = self._layers.coefficients(shape)
            lines = np.arange(len(coefficients) * outer)
            for start in range(0, lines.size, _LINES):
                which = lines[start : start + _LINES]
                with np.errstate(over="ignore", invalid="ignore"):
                    polynomials = line_polynomials(
                        coefficients[which // outer], weights[which % outer], self._powers
                    )
                    self._check(polynomials, u)
                into = slice(first * outer + start, first * outer + start + which.size)
                chi2_along(
                    polynomials,
                    u,
                    *self._problem,
                    chi2[into],
                    rounding[into],
                )
        return chi2.ravel(), rounding.ravel()

    def _check(self, polynomials: FloatArray, u: FloatArray) -> None:
        """Refuse counts whose squares overflow."""
        reach = np.abs(u).max(initial=0.0) ** np.arange(polynomials.shape[1])
        largest = np.einsum("lpkb,p->lkb", np.abs(polynomials), reach)
        if not np.isfinite((largest * largest).sum()):
            raise InputError(
                "chi2 is not finite: the counts overflow a double",
                where=", ".join(self._names),
                hint="use smaller couplings",
            )

    def _weights(self, others: Mapping[str, FloatArray]) -> FloatArray:
        """Product of the outer couplings of each monomial, shape (outer points, monomials)."""
        counts = self._counts
        points = max((column.size for column in others.values()), default=1)
        weights = np.ones((points, self._powers.size))
        for name, column in others.items():
            for m, exponent in enumerate(counts.exponents[:, counts.couplings.index(name)]):
                weights[:, m] *= integer_power(column, int(exponent))
        return weights

    @staticmethod
    def _product(own: Mapping[str, FloatArray], names: Sequence[str]) -> dict[str, FloatArray]:
        """Every combination of the points of some columns, one flat column for each."""
        meshes = np.meshgrid(*(own[name] for name in names), indexing="ij") if names else []
        return {name: mesh.ravel() for name, mesh in zip(names, meshes, strict=True)}
