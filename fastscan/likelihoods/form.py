"""The one form of chi2: what a strategy states, and everything else is asked of.

A strategy is a way to profile the pulls of counts. It is one module, and `chi2_form` is the only
place that chooses between them:

closed
    Gaussian counts, one normalisation: along a coupling chi2 is a ratio of two polynomials.
linear
    Gaussian counts, any pulls that are linear in them: a small least squares at each point.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts

if TYPE_CHECKING:
    from fastscan.likelihoods.basins import Descents
    from fastscan.likelihoods.couplings import Surface

__all__ = [
    "STRATEGIES",
    "Chi2Form",
    "Fitted",
    "GridForm",
    "Lines",
    "Strategy",
    "VectorFits",
    "chi2_form",
]

FloatArray = NDArray[np.float64]

# Points that are computed at a time to be reduced: enough to be worth a call.
_REDUCED = 524_288


@dataclass(frozen=True)
class Fitted:
    """A prediction with its pulls fitted.

    Attributes
    ----------
    chi2 : float
    pulls : (pulls,)
        In standard deviations.
    relative_change : float
        Of the total counts, by the pulls.
    """

    chi2: float
    pulls: FloatArray
    relative_change: float


class Chi2Form(ABC):
    """Chi2 of counts, all their pulls profiled.

    Points are rows of the free parameters, in the order of ``counts.names``.

    Parameters
    ----------
    counts : Counts
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    @abstractmethod
    def fit(self, layers: FloatArray) -> Fitted:
        """Fit the pulls to one prediction.

        Parameters
        ----------
        layers : (1 + pulls, bins)
            Counts over sigma and their change by one standard deviation of each pull.
        """

    def fit_at(self, point: FloatArray, nominal: FloatArray | None = None) -> Fitted:
        """Fit the pulls at a point.

        Parameters
        ----------
        point : (parameters,)
        nominal : (some bins,), optional
            Counts of the first bins over sigma, where they are already known: those that are
            printed, alike to the last digit.
        """
        return self.fit(self._layers(point, nominal))

    def _layers(self, point: FloatArray, nominal: FloatArray | None) -> FloatArray:
        layers: FloatArray = self.counts.layers([point])[0]
        if nominal is not None:
            layers[0, : nominal.size] = nominal
        return layers

    @abstractmethod
    def values(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, shape (points, parameters) -> (points,)."""

    def values_in_range(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, infinite out of a parameter's range and where the counts overflow.

        Raises
        ------
        InputError
            A point holds NaN.
        """
        inside = self.counts.in_range(points)
        chi2 = np.full(len(points), np.inf)
        if not inside.all():
            self.counts.check_numbers(points)
        with np.errstate(all="ignore"):
            chi2[inside] = self.values(points[inside])
        # Of counts that overflow nothing but their being large is known.
        chi2[np.isnan(chi2)] = np.inf
        return chi2

    @abstractmethod
    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """What `surface` takes of each row of the shape parameters, first axis rows."""

    @abstractmethod
    def surface(self, coefficients: FloatArray) -> Surface:
        """Chi2 of the couplings with the shape parameters held: one row of `coefficients`."""

    def descents(self, shape: Mapping[str, FloatArray] | None = None) -> Descents:
        """Descents to the minima over several couplings, at rows of the shape parameters.

        Gaussian counts whose pulls are linear; strategies for others have their own.
        """
        from fastscan.likelihoods.basins import Descents

        return Descents(self.counts, shape)

    @abstractmethod
    def lines(
        self, coupling: str, columns: Mapping[str, FloatArray], workers: int | None = 1
    ) -> Lines:
        """Chi2 along one coupling through many points.

        Parameters
        ----------
        coupling : str
        columns : mapping of str to (rows,)
            All other free parameters; row i is a point of them.
        workers : int or None
            Threads; None for all processors.
        """

    @abstractmethod
    def grid(self, columns: Mapping[str, FloatArray]) -> GridForm:
        """Chi2 on the product of columns, one for each parameter, shape parameters first."""

    @abstractmethod
    def fits(
        self, interest: int, ranges: Mapping[str, tuple[float, float]] | None = None
    ) -> VectorFits:
        """Fits of other data than those that were seen.

        Parameters
        ----------
        interest : int
            The first one or two parameters are of interest, the rest are profiled.
        ranges : mapping, optional
            Narrower ranges, (low, high), of some parameters.
        """


class Lines(ABC):
    """Chi2 along one coupling, a row for each point of the other parameters."""

    @abstractmethod
    def minima(self) -> tuple[FloatArray, FloatArray]:
        """The coupling at the lowest chi2 of each row, and chi2 there, shape (rows,) each.

        Infinite where chi2 falls for ever; positive where the sign does not matter.
        """

    @abstractmethod
    def below(self, level: float, *, outward: bool = False) -> FloatArray:
        """Intervals of the coupling with chi2 at most a level, shape (rows, pieces, 2).

        NaN beyond the last one of a row. ``outward``: partners that are profiled can make up for
        any smaller value, so that a row has one interval around zero.
        """


class GridForm(ABC):
    """Chi2 on a product of columns of parameters, block by block.

    Values do not depend on how the grid is cut. Counts that overflow a double are an `InputError`.

    Attributes
    ----------
    shape : tuple of int
        Points of each column.
    default_block_points : int
        Points of a block that are worth a task.
    error : float
        Of chi2, as a part of 1 + chi2, where it is interpolated; zero where it is computed.
    """

    shape: tuple[int, ...]
    default_block_points: int
    error: float = 0.0

    @abstractmethod
    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2."""

    def minima(self, slices: Sequence[slice]) -> FloatArray:
        """Lowest chi2 along the last column, shape of the block without it."""
        from fastscan.kernels.grid import row_minima

        shape = self._points(slices)[:-1]
        lowest = np.full(prod(shape), np.inf)
        for rows, chi2 in self._stretches(slices):
            row_minima(chi2, lowest[rows])
        return lowest.reshape(shape)

    def spans(
        self, slices: Sequence[slice], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Number of points with chi2 at most a level along the last column, first and last.

        Both count from the start of the block; where there is none the first is its length, the
        last -1. Shape of the block without its last column.
        """
        from fastscan.kernels.grid import row_spans

        shape = self._points(slices)[:-1]
        found = np.empty((3, prod(shape)), dtype=np.int64)
        for rows, chi2 in self._stretches(slices):
            row_spans(chi2, level, *found[:, rows])
        number, first, last = found.reshape(3, *shape)
        return number, first, last

    def _stretches(self, slices: Sequence[slice]) -> Iterator[tuple[slice, FloatArray]]:
        """Whole rows of a block along the last column, some at a time, in C order."""
        shape = self._points(slices)
        starts = [s.indices(n)[0] for s, n in zip(slices, self.shape, strict=True)]
        # Filled from the last column up, as blocks of a scan are.
        lengths, room = [shape[-1]], max(1, _REDUCED // max(1, shape[-1]))
        for points in reversed(shape[:-1]):
            lengths.insert(0, max(1, min(points, room)))
            room //= lengths[0]
        buffer = np.empty(prod(lengths))
        done = 0
        cuts = [range(0, n, step) for n, step in zip(shape, lengths, strict=True)]
        for first in product(*cuts):
            part = [
                slice(start + i, start + min(i + step, n))
                for start, i, step, n in zip(starts, first, lengths, shape, strict=True)
            ]
            chi2 = buffer[: prod(self._points(part))].reshape(-1, shape[-1])
            self.evaluate(part, chi2)
            yield slice(done, done + len(chi2)), chi2
            done += len(chi2)

    def _points(self, slices: Sequence[slice]) -> tuple[int, ...]:
        return tuple(len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True))


class VectorFits(ABC):
    """Fits of many data vectors at once.

    A data vector D, (n,), holds counts over sigma and then the auxiliary measurement of each pull,
    as `Counts.observed` does; its score at a point is |D|**2 - chi2. A fit does not depend on what
    comes with it, and threads may share this object.

    Attributes
    ----------
    mirrored : bool
        Whether only the square of the first parameter matters, and it may have either sign.
    """

    mirrored: bool

    @abstractmethod
    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters of interest at the best fit, (vectors, interest), and the score there.

        Infinite where chi2 falls for ever; positive where the sign does not matter.
        """

    @abstractmethod
    def scores(self, data: FloatArray, point: Sequence[float]) -> FloatArray:
        """Score at values of the parameters of interest, the others fitted, (vectors,)."""

    def scores_of(self, data: FloatArray, points: FloatArray) -> FloatArray:
        """Scores at several points (points, interest), shape (vectors, points)."""
        return np.stack([self.scores(data, point.tolist()) for point in points], axis=1)

    def means(self, points: FloatArray, data: FloatArray) -> FloatArray:
        """Expectations at several points (points, interest), shape (points, n)."""
        return np.stack([self.mean(point.tolist(), data) for point in points])

    @abstractmethod
    def ends(self, data: FloatArray, rise: float) -> FloatArray:
        """Outermost values of the first parameter at which chi2 <= minimum + rise, (vectors, 2).

        Of a mirrored one, of its absolute value. Not of a coupling with a mass profiled: the
        heavier, the larger it may be.
        """

    @abstractmethod
    def mean(self, point: Sequence[float], data: FloatArray) -> FloatArray:
        """Expectation at values of the parameters of interest, all else fitted to data, (n,)."""

    @abstractmethod
    def nuisances(self, point: Sequence[float]) -> FloatArray:
        """Orthonormal directions in which pulls move the expectation, (pulls, n).

        What is profiled stays where it fits the data that were seen.
        """


class Strategy(NamedTuple):
    """A way to profile the pulls of counts.

    Attributes
    ----------
    holds : callable
        Whether it can be used for counts.
    load : callable
        Gives its class; its modules are loaded then.
    """

    holds: Callable[[Counts], bool]
    load: Callable[[], type[Chi2Form]]


def _closed() -> type[Chi2Form]:
    from fastscan.likelihoods.closed import ClosedForm

    return ClosedForm


def _linear() -> type[Chi2Form]:
    from fastscan.likelihoods.linear import LinearForm

    return LinearForm


# The first that holds is used; nothing else in the program knows which there are.
STRATEGIES = {
    "closed": Strategy(lambda counts: counts.normalisation is not None, _closed),
    "linear": Strategy(lambda counts: True, _linear),
}


def chi2_form(counts: Counts) -> Chi2Form:
    """Choose the strategy for counts."""
    strategy = next(strategy for strategy in STRATEGIES.values() if strategy.holds(counts))
    return strategy.load()(counts)
