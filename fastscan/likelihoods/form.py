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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts

if TYPE_CHECKING:
    from fastscan.likelihoods.basins import Descents
    from fastscan.likelihoods.surface import Surface

__all__ = ["Chi2Form", "Fitted", "GridForm", "Lines", "chi2_form"]

FloatArray = NDArray[np.float64]


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

    @abstractmethod
    def values(self, points: FloatArray) -> FloatArray:
        """Chi2 at points, shape (points, parameters) -> (points,)."""

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
    """

    shape: tuple[int, ...]
    default_block_points: int

    @abstractmethod
    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2."""

    def minima(self, slices: Sequence[slice]) -> FloatArray:
        """Lowest chi2 along the last column, shape of the block without it."""
        out = np.empty(self._points(slices))
        self.evaluate(slices, out)
        lowest: FloatArray = out.min(axis=-1)
        return lowest

    def spans(
        self, slices: Sequence[slice], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Number of points with chi2 at most a level along the last column, first and last.

        Both count from the start of the block; where there is none the first is its length, the
        last -1. Shape of the block without its last column.
        """
        out = np.empty(self._points(slices))
        self.evaluate(slices, out)
        inside = out <= level
        points = inside.shape[-1]
        some = inside.any(axis=-1)
        first = np.where(some, inside.argmax(axis=-1), points)
        last = np.where(some, points - 1 - inside[..., ::-1].argmax(axis=-1), -1)
        return inside.sum(axis=-1), first, last

    def _points(self, slices: Sequence[slice]) -> tuple[int, ...]:
        return tuple(len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True))


def chi2_form(counts: Counts) -> Chi2Form:
    """Choose the strategy for counts."""
    if counts.normalisation is not None:
        from fastscan.likelihoods.closed import ClosedForm

        return ClosedForm(counts)
    from fastscan.likelihoods.linear import LinearForm

    return LinearForm(counts)
