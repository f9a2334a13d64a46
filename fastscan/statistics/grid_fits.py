"""Fits of one parameter to many data vectors on a grid of its values, with any nuisances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.statistics.fit_space import FitSpace
from fastscan.statistics.ladder import ladder, natural_size

if TYPE_CHECKING:
    from fastscan.statistics.likelihood import Likelihood
    from fastscan.statistics.toys import ToyFits

__all__ = ["GridFits", "fits_of_toys"]

FloatArray = NDArray[np.float64]

# Of asinh(coupling / natural size): ends interpolated between points are right to 1e-5.
_STEP = 0.01
# Signals whose squares are larger than this leave too few digits of chi2, and are left out.
_LARGEST = 1e10
_BLOCK = 512


class GridFits:
    """Chi2 of one parameter, the others held, for many data vectors: a matrix product.

    `ToyFits` is exact and faster where one normalisation is the only nuisance; this works with any
    number of them, to about 1e-5 of an end of an interval, one in which a narrow island has just
    come up or not excepted. Where counts are not linear in a
    nuisance, their tangent at the values that the likelihood's own data give stands for them.

    Parameters
    ----------
    likelihood : Likelihood
    poi : str
        Parameter of interest.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.

    Attributes
    ----------
    space : FitSpace
    values : (points,)
        The grid, in rising order.
    """

    def __init__(
        self, likelihood: Likelihood, poi: str, given: Mapping[str, float] | None = None
    ) -> None:
        likelihood.model.parameter(poi, "--poi")
        self.space = FitSpace(likelihood, (poi,), given)
        parameter = self.space.parameters[0]
        values = ladder(parameter, natural_size(self.space.rates, poi), _STEP)
        with np.errstate(all="ignore"):
            points = self.space.at(values[:, None])
            squares = (points.offset * points.offset).sum(axis=1)
            usable = np.isfinite(points.basis).all(axis=(1, 2)) & (squares < _LARGEST)
        self.values = values[usable]
        self._range = (parameter.minimum, parameter.maximum)
        self._offset, basis = points.offset[usable], points.basis[usable]
        self._squares = squares[usable]
        self._shift = np.einsum("pkn,pn->pk", basis, self._offset)
        self._rows = basis.reshape(-1, basis.shape[2])

    def best(self, data: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Parameter at the best fit to each data vector (toys, n), and chi2 there, (toys,)."""
        vectors = np.atleast_2d(np.asarray(data, dtype=float))
        found = [self._minimum(self._chi2(block)) for block in _blocks(vectors)]
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def limits(self, data: ArrayLike, rise: float) -> FloatArray:
        """Outermost ends of the region chi2 <= minimum + rise of each data vector, (toys, 2).

        A bound of the parameter's range where that is inside; infinite where chi2 does not rise so
        far.
        """
        vectors = np.atleast_2d(np.asarray(data, dtype=float))
        ends = []
        for block in _blocks(vectors):
            chi2 = self._chi2(block)
            height = chi2 - (self._minimum(chi2)[1] + rise)[:, None]
            # The lowest point is inside even if its neighbours on the grid are not.
            inside = (height <= 0.0) | (chi2 == chi2.min(axis=1, keepdims=True))
            first = inside.argmax(axis=1)
            last = inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
            low = self._crossing(height, first, first - 1, self._range[0])
            high = self._crossing(height, last, last + 1, self._range[1])
            ends.append(np.stack([low, high], axis=1))
        return np.concatenate(ends)

    def _chi2(self, data: FloatArray) -> FloatArray:
        """Of each data vector at each point of the grid, (toys, points)."""
        points = self.values.size
        along = (data @ self._rows.T).reshape(len(data), points, -1) - self._shift
        square = np.einsum("tn,tn->t", data, data)
        rest = square[:, None] - 2.0 * (data @ self._offset.T) + self._squares
        chi2: FloatArray = rest - np.einsum("tpk,tpk->tp", along, along)
        return chi2

    def _minimum(self, chi2: FloatArray) -> tuple[FloatArray, FloatArray]:
        """By the parabola through the lowest point and its neighbours."""
        toys = np.arange(len(chi2))
        lowest = chi2.argmin(axis=1)
        at = np.clip(lowest, 1, chi2.shape[1] - 2)
        before, here, after = (chi2[toys, at + i] for i in (-1, 0, 1))
        curved = before - 2.0 * here + after
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(curved > 0.0, 0.5 * (before - after) / curved, 0.0)
        # At an end of the grid the lowest point may be the end itself.
        step = np.where((lowest == at) & (np.abs(step) <= 1.0), step, (lowest - at).astype(float))
        depth = here + step * (0.5 * (after - before) + 0.5 * step * curved)
        value = np.interp(at + step, np.arange(self.values.size), self.values)
        return value, np.where(
            lowest == at, np.minimum(depth, chi2[toys, lowest]), chi2.min(axis=1)
        )

    def _crossing(
        self,
        height: FloatArray,
        inside: NDArray[np.intp],
        outside: NDArray[np.intp],
        bound: float,
    ) -> FloatArray:
        """Where chi2 crosses the level between a point inside and its neighbour outside.

        By the parabola through these two and the next one inside.
        """
        toys = np.arange(len(height))
        beyond = (outside < 0) | (outside >= self.values.size)
        other = np.clip(outside, 0, self.values.size - 1)
        further = np.clip(2 * inside - outside, 0, self.values.size - 1)
        here, out = np.minimum(height[toys, inside], 0.0), height[toys, other]
        back = height[toys, further]
        slope, curve = 0.5 * (out - back), 0.5 * (out + back) - here
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = np.where(out > here, -here / (out - here), 0.0)
            root = -2.0 * here / (slope + np.sqrt(slope**2 - 4.0 * curve * here))
        share = np.where((root >= 0.0) & (root <= 1.0), root, straight)
        start, stop = self.values[inside], self.values[other]
        return np.where(beyond, bound, start + share * (stop - start))


def fits_of_toys(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    profiled: Sequence[str] | None = None,
) -> ToyFits | GridFits:
    """Fits of one parameter to toys: exact where that is possible, else on a grid.

    Arguments as for `ToyFits`.

    Raises
    ------
    InputError
        See `ToyFits`; among them several nuisances and a profiled parameter together.
    """
    names = likelihood.profiled_names(poi, dict(given or {}), profiled)
    if not likelihood.one_normalisation and not names:
        return GridFits(likelihood, poi, given)
    # Compiled code.
    from fastscan.statistics.toys import ToyFits

    return ToyFits(likelihood, poi, given, profiled)


def _blocks(data: FloatArray) -> list[FloatArray]:
    return [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
