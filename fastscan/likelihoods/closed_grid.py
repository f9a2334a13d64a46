"""Rows of chi2 along a coupling as ratios of polynomials: grids, and lines without a grid.

At each point of the other parameters chi2 is N / D, two polynomials in the coupling, so a point of
a grid is a few multiplications, the lowest chi2 a root of N' D - N D', and what is allowed at a
level L lies between the roots of N - L D.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.counts.signal import integer_power
from fastscan.exceptions import InputError
from fastscan.kernels import grid as grid_kernels
from fastscan.kernels import normal_form
from fastscan.kernels import roots as root_kernels
from fastscan.likelihoods.couplings import bounds_of_power, powers_along, unfolded, widened
from fastscan.likelihoods.form import GridForm, Lines
from fastscan.likelihoods.octaves import FEW
from fastscan.likelihoods.squares import Squares
from fastscan.likelihoods.tiles import TILE, by_tiles
from fastscan.storage.plan import DEFAULT_BLOCK_POINTS

__all__ = ["ClosedGrid", "RatioLines"]

FloatArray = NDArray[np.float64]


class _Rows:
    """Polynomials N and D of each point of some parameters, in one coupling or in none.

    Parameters
    ----------
    counts : Counts
        With one normalisation.
    inner : str or None
        The coupling.
    masses : (points,), optional
        The column of the only shape parameter, for interpolation.
    """

    def __init__(self, counts: Counts, inner: str | None, masses: FloatArray | None) -> None:
        assert counts.normalisation is not None
        self._seen, self._pull = counts.seen, counts.normalisation**-2
        self._squares = Squares(counts, self._pull, masses)
        exponents = counts.exponents
        self._outer = [name for name in counts.couplings if name != inner]
        columns = [counts.couplings.index(name) for name in self._outer]
        self._outer_exponents = exponents[:, columns]
        self.power = 1
        self._powers = np.zeros(len(exponents), dtype=np.int64)
        if inner is not None:
            self._powers, self.power = powers_along(exponents, counts.couplings.index(inner))
        self.terms = 2 * int(self._powers.max(initial=0)) + 1

    def polynomials(
        self, masses: Mapping[str, FloatArray], own: slice, couplings: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """N and D, shape (masses x couplings, terms) each, rising powers of coupling**power.

        Parameters
        ----------
        masses : mapping
            Columns of the shape parameters.
        own : slice
            Where these points are in the column that was given for interpolation.
        couplings : mapping
            Columns of the other couplings; every mass is combined with each of their points.
        """
        squares = self._squares.squares(masses, own)
        weights = self._outer_weights(couplings)
        outer = weights.shape[1]
        numerator = np.empty((squares.shape[0] * outer, self.terms))
        denominator = np.empty_like(numerator)
        cancelled = np.empty(numerator.shape[0], dtype=np.bool_)
        arguments = self._powers, self._seen, self._pull
        normal_form.row_polynomials(squares, weights, *arguments, numerator, denominator, cancelled)
        if cancelled.any():
            rows = np.flatnonzero(cancelled)
            shapes, which = np.unique(rows // outer, return_inverse=True)
            coefficients = self._squares.coefficients({k: v[shapes] for k, v in masses.items()})
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

    def _outer_weights(self, couplings: Mapping[str, FloatArray]) -> FloatArray:
        """Product of the outer couplings of each monomial, shape (monomials, outer points)."""
        points = max((np.size(v) for v in couplings.values()), default=1)
        weights = np.ones((self._powers.size, points))
        for c, name in enumerate(self._outer):
            for m, exponent in enumerate(self._outer_exponents[:, c]):
                if exponent:
                    weights[m] *= integer_power(couplings[name], int(exponent))
        return weights


class ClosedGrid(GridForm):
    """Chi2 on the product of columns; see `GridForm`.

    Parameters
    ----------
    counts : Counts
    columns : mapping of str to (points,)
        Shape parameters first, then couplings; along the last of these rows are polynomials.
    """

    default_block_points = DEFAULT_BLOCK_POINTS

    def __init__(self, counts: Counts, columns: Mapping[str, FloatArray]) -> None:
        self._columns = dict(columns)
        self.shape = tuple(column.size for column in columns.values())
        self._shapes = [name for name in columns if name in counts.shape_parameters]
        couplings = [name for name in columns if name in counts.couplings]
        self._inner = couplings[-1] if couplings else None
        self._outer = couplings[:-1]
        only = self._columns[self._shapes[0]] if len(self._shapes) == 1 else None
        self._rows = _Rows(counts, self._inner, only)
        self.power = self._rows.power
        self._u = np.zeros(1)
        if self._inner is not None:
            with np.errstate(over="ignore"):
                self._u = np.asarray(integer_power(self._columns[self._inner], self.power))

    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2; see `GridForm.evaluate`."""
        u, numerator, denominator = self._checked_rows(slices)
        rows = out.reshape(numerator.shape[0], u.size)
        grid_kernels.ratio_rows(numerator, denominator, u, rows)

    def minima(self, slices: Sequence[slice]) -> FloatArray:
        """Lowest chi2 along the last column; see `GridForm.minima`."""
        u, numerator, denominator = self._checked_rows(slices)
        if self._inner is None:
            shape = self._points(slices)
            chi2: FloatArray = (numerator[:, 0] / denominator[:, 0]).reshape(shape)
            return np.asarray(chi2.min(axis=-1))
        lowest = np.empty(numerator.shape[0])
        grid_kernels.ratio_minima(numerator, denominator, u, lowest)
        return lowest.reshape(self._points(slices)[:-1])

    def spans(
        self, slices: Sequence[slice], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Points with chi2 at most a level along the last column; see `GridForm.spans`."""
        if self._inner is None:
            return super().spans(slices, level)
        u, numerator, denominator = self._checked_rows(slices)
        found = np.empty((3, numerator.shape[0]), dtype=np.int64)
        grid_kernels.ratio_inside(numerator, denominator, u, level, *found)
        shape = self._points(slices)[:-1]
        return found[0].reshape(shape), found[1].reshape(shape), found[2].reshape(shape)

    def rows(self, slices: Sequence[slice]) -> tuple[FloatArray, FloatArray]:
        """N and D of each outer point of a block, in C order; see `_Rows.polynomials`."""
        own = dict(zip(self._columns, slices, strict=True))
        masses = self._product(self._shapes, own)
        first = own[self._shapes[0]] if self._shapes else slice(0, 1)
        return self._rows.polynomials(masses, first, self._product(self._outer, own))

    def _checked_rows(self, slices: Sequence[slice]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The inner column and rows, both polynomials and all their partial sums bounded."""
        u = self._u if self._inner is None else self._u[slices[-1]]
        with np.errstate(over="ignore", invalid="ignore"):
            numerator, denominator = self.rows(slices)
            reach = max(1.0, float(np.abs(u).max(initial=0.0)))
            if not grid_kernels.all_finite(numerator, denominator, reach):
                raise InputError(
                    "chi2 is not finite: the counts overflow a double",
                    where=", ".join(self._columns),
                    hint="use smaller couplings",
                )
        return u, numerator, denominator

    def _product(self, names: Sequence[str], own: Mapping[str, slice]) -> dict[str, FloatArray]:
        """Every combination of the columns' points in a block, one flat column for each."""
        columns = [self._columns[name][own[name]] for name in names]
        meshes = np.meshgrid(*columns, indexing="ij") if columns else []
        return {name: mesh.ravel() for name, mesh in zip(names, meshes, strict=True)}


class RatioLines(Lines):
    """Chi2 along one coupling through many points, exact; see `Lines`.

    Parameters
    ----------
    counts : Counts
    coupling : str
    columns : mapping of str to (rows,)
        All other free parameters: row i is a point of them.
    workers : int or None
        Threads; None for all processors.
    known : dict
        What short columns share, by coupling; filled when first used.
    """

    def __init__(
        self,
        counts: Counts,
        coupling: str,
        columns: Mapping[str, FloatArray],
        workers: int | None,
        known: dict[str, _Rows],
    ) -> None:
        rows = max((np.size(column) for column in columns.values()), default=1)
        masses = {name: columns[name] for name in counts.shape_parameters}
        others = {name: v for name, v in columns.items() if name not in masses}
        if rows < FEW or len(masses) != 1:
            if coupling not in known:
                known[coupling] = _Rows(counts, coupling, None)
            every = known[coupling]
        else:
            every = _Rows(counts, coupling, *masses.values())

        def polynomials(own: slice) -> tuple[FloatArray, FloatArray]:
            mass = {name: v[own] for name, v in masses.items()}
            other = {name: v[own] for name, v in others.items()}
            return every.polynomials(mass, own, other)

        # With a mass and other couplings every row has a point of its own of both.
        size = 1 if masses and others else TILE
        found = by_tiles(rows, polynomials, workers, size)
        self._numerator = np.concatenate([numerator for numerator, _ in found])
        self._denominator = np.concatenate([denominator for _, denominator in found])
        self._parameter, self._power = counts.parameter(coupling), every.power
        self._bounds = bounds_of_power(self._parameter, every.power)
        self._workers = workers

    def minima(self) -> tuple[FloatArray, FloatArray]:
        """Exact minimum along the coupling at each point; see `Lines.minima`."""
        numerator, denominator = self._numerator, self._denominator
        lower, upper = self._bounds
        rows = len(numerator)
        slope = _multiply(_derivative(numerator), denominator)
        slope -= _multiply(numerator, _derivative(denominator))
        # The highest power cancels, exactly but for rounding.
        scaled, low, high, scale = _scaled(slope[:, :-1], denominator, lower, upper)
        roots = np.empty((rows, max(scaled.shape[1] - 1, 1)))
        root_kernels.sign_changes(scaled, low, high, roots)
        roots *= scale[:, None]
        ends = [np.full((rows, 1), end) for end in (lower, upper) if np.isfinite(end)]
        candidates = np.concatenate([roots, *ends], axis=1)
        outside = ~((candidates >= lower) & (candidates <= upper))
        candidates = np.where(outside, ends[0] if ends else 0.0, candidates)
        chi2 = _evaluate(numerator, candidates) / _evaluate(denominator, candidates)
        best = np.arange(rows), chi2.argmin(axis=1)
        u = candidates[best]
        return np.sign(u) * np.abs(u) ** (1.0 / self._power), chi2[best]

    def below(self, level: float, *, outward: bool = False) -> FloatArray:
        """Intervals of the coupling with chi2 at most a level; see `Lines.below`."""

        def crossings(own: slice) -> FloatArray:
            numerator, denominator = self._numerator[own], self._denominator[own]
            return _crossings(numerator - level * denominator, denominator, *self._bounds)

        found = by_tiles(len(self._numerator), crossings, self._workers)
        most = max(pieces.shape[1] for pieces in found)
        pieces = np.concatenate([widened(pieces, most) for pieces in found])
        return unfolded(pieces, self._parameter, self._power, outward=outward)


def _crossings(
    polynomial: FloatArray, denominator: FloatArray, lower: float, upper: float
) -> FloatArray:
    """Intervals of u on which each row's polynomial is not positive, NaN beyond the last."""
    scaled, low, high, scale = _scaled(polynomial, denominator, lower, upper)
    pieces = np.empty((scaled.shape[0], (scaled.shape[1] - 1) // 2 + 1, 2))
    used = root_kernels.pieces_below(scaled, low, high, pieces)
    # The bounds themselves, not what scaling there and back makes of them.
    pieces = np.where(pieces == low[:, None, None], lower, pieces * scale[:, None, None])
    pieces = np.where(pieces == (high * scale)[:, None, None], upper, pieces)
    return pieces[:, : max(used, 1)]


def _scaled(
    polynomial: FloatArray, denominator: FloatArray, lower: float, upper: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Each row in a variable of its own in which D is balanced, its bounds there, and the scale."""
    top = denominator.shape[1] - 1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.abs(denominator[:, 0] / denominator[:, top]) ** (1.0 / max(top, 1))
    scale = np.where(np.isfinite(scale) & (scale > 0.0), scale, 1.0)
    scaled = polynomial * scale[:, None] ** np.arange(polynomial.shape[1])
    scaled /= np.maximum(np.abs(scaled).max(axis=1, keepdims=True), 1e-300)
    return scaled, lower / scale, upper / scale, scale


def _evaluate(polynomial: FloatArray, u: FloatArray) -> FloatArray:
    """Each row's polynomial at its own points, shape (rows, points)."""
    total = np.zeros_like(u)
    for k in range(polynomial.shape[1] - 1, -1, -1):
        total = total * u + polynomial[:, k : k + 1]
    return total


def _derivative(polynomial: FloatArray) -> FloatArray:
    return polynomial[:, 1:] * np.arange(1, polynomial.shape[1])


def _multiply(left: FloatArray, right: FloatArray) -> FloatArray:
    product = np.zeros((left.shape[0], left.shape[1] + right.shape[1] - 1))
    for i in range(left.shape[1]):
        product[:, i : i + right.shape[1]] += left[:, i : i + 1] * right
    return product
