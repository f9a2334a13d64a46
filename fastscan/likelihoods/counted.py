"""The strategy for Poisson counts, alone or beside Gaussian ones: Newton's method at each point.

Pulls are linear in the counts, as those of `fastscan.likelihoods.linear`: what differs is the chi2
of a bin, and the domain of the pulls, see `fastscan.counts.counts` and `fastscan.kernels.counted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts, plain_constraint
from fastscan.exceptions import InputError
from fastscan.likelihoods.linear import LinearCurve, LinearForm, LinearSurface, Problem

if TYPE_CHECKING:
    from fastscan.likelihoods.basins import Descents
    from fastscan.likelihoods.counted_fits import CountedFits
    from fastscan.likelihoods.counted_hypotheses import CountedHypotheses
    from fastscan.likelihoods.linear_grid import LinearGrid
    from fastscan.likelihoods.linear_lines import LinearLines

__all__ = ["CountedForm", "counted_problem", "slopes_and_weights"]

FloatArray = NDArray[np.float64]


def counted_problem(
    counts: Counts, constraint: FloatArray, seen: FloatArray | None = None
) -> Problem:
    """Constraint and data as `fastscan.kernels.counted` takes them.

    Parameters
    ----------
    counts : Counts
    constraint : (pulls, 1 + pulls)
        c and M of pulls x with M x - c of unit variance; see `fastscan.counts.Basis`.
    seen : (bins,), optional
        Counts over sigma in place of those of the counts.
    """
    centre, matrix = constraint[:, 0], constraint[:, 1:]
    pulls = centre.size
    floors = counts.floors.reshape(-1, 1 + pulls)
    changes = floors[:, 1:] @ matrix
    at_origin = floors[:, 0] - floors[:, 1:] @ centre
    # What a normalisation takes away altogether leaves rounding of one.
    at_origin[np.abs(at_origin) <= 1e-13 * (1.0 + np.abs(floors[:, 1:]) @ np.abs(centre))] = 0.0
    start = np.linalg.solve(matrix, centre) if pulls else centre
    rows = np.concatenate(
        [
            constraint * counts.penalised[:, None],
            np.column_stack([at_origin, changes]),
            np.concatenate([[0.0], start])[None],
        ]
    )
    data = np.stack(
        [counts.seen if seen is None else seen, counts.sigma, counts.poisson.astype(float)]
    )
    return np.ascontiguousarray(rows), data


def slopes_and_weights(
    counts: Counts, seen: FloatArray, expected: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Half of the first and second derivative of chi2 by the counts of each bin, over sigma."""
    slopes, weights = expected - seen, np.ones(expected.shape)
    own = np.broadcast_to(counts.poisson, expected.shape)
    events = np.broadcast_to(counts.sigma * seen, expected.shape)
    unit = np.broadcast_to(counts.sigma, expected.shape)
    some = own & (events > 0.0)
    with np.errstate(divide="ignore"):
        slopes[some] = unit[some] - events[some] / expected[some]
        weights[some] = events[some] / expected[some] ** 2
    slopes[own & ~some], weights[own & ~some] = unit[own & ~some], 0.0
    return slopes, weights


class CountedForm(LinearForm):
    """Chi2 of counts some of which are Poisson distributed: some microseconds a point."""

    def problem(self, constraint: FloatArray) -> Problem:
        """What kernels take; see `counted_problem`."""
        return counted_problem(self.counts, constraint)

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """Layers of each monomial; see `LinearForm.coefficients`."""
        self._check_possible()
        return super().coefficients(shape)

    def lines(
        self, coupling: str, columns: Mapping[str, FloatArray], workers: int | None = 1
    ) -> LinearLines:
        """Chi2 along one coupling through many points."""
        self._check_possible()
        return super().lines(coupling, columns, workers)

    def grid(self, columns: Mapping[str, FloatArray]) -> LinearGrid:
        """Chi2 on the product of columns."""
        self._check_possible()
        return super().grid(columns)

    def _check_possible(self) -> None:
        """Refuse events where none are expected at any parameters and pulls."""
        counts = self.counts
        layers = counts.coefficients(counts.typical_shape or None)[0]
        never = counts.poisson & (counts.seen > 0.0) & ~layers.any(axis=(0, 1))
        if never.any():
            b = int(np.argmax(never))
            raise InputError(
                f"{counts.seen[b] * counts.sigma[b]:g} events in bin {b + 1}, where there is no "
                "background and none are expected of any signal: -2 ln L is infinite",
                where=", ".join(part.name for part in counts.parts),
                hint="give the bin a background, or leave it out with start_ev and stop_ev",
            )

    def surface(self, coefficients: FloatArray) -> CountedSurface:
        """Chi2 of the couplings at one row of `coefficients`."""
        counts = self.counts
        return CountedSurface(
            self._couplings,
            counts.exponents,
            coefficients[0],
            counts.seen,
            coefficients[1:],
            counts.centre,
            counts,
        )

    def descents(self, shape: Mapping[str, FloatArray] | None = None) -> Descents:
        """Descents to the minima over several couplings; see `Chi2Form.descents`."""
        from fastscan.likelihoods.basins import Descents

        self._check_possible()
        return Descents(self.counts, shape, self._plain)

    def curvatures(self, expected: FloatArray) -> FloatArray:
        """Half of the second derivative of chi2 by the counts; see `Chi2Form.curvatures`."""
        return slopes_and_weights(self.counts, self.counts.seen, expected)[1]

    def hypotheses(self, points: FloatArray) -> CountedHypotheses:
        """Predictions of points; see `Chi2Form.hypotheses`."""
        from fastscan.likelihoods.counted_hypotheses import CountedHypotheses

        return CountedHypotheses(self.counts, points)

    def fits(
        self, interest: int, ranges: Mapping[str, tuple[float, float]] | None = None
    ) -> CountedFits:
        """Fits of data vectors; see `Chi2Form.fits`."""
        from fastscan.likelihoods.counted_fits import CountedFits

        self._check_possible()
        return CountedFits(self.counts, interest, ranges or {})


@dataclass(frozen=True)
class CountedCurve(LinearCurve):
    """Chi2 of one variable u, see `LinearCurve`."""

    counts: Counts

    @property
    def problem(self) -> Problem:
        """What kernels take; see `counted_problem`."""
        return counted_problem(self.counts, plain_constraint(self.centre))


@dataclass(frozen=True)
class CountedSurface(LinearSurface):
    """Chi2 of some couplings, see `LinearSurface`."""

    counts: Counts

    @property
    def problem(self) -> Problem:
        """What kernels take; see `counted_problem`."""
        return counted_problem(self.counts, plain_constraint(self.centre))

    def slopes(self, counts: FloatArray) -> FloatArray:
        """Derivative of chi2 by the counts of each bin over sigma."""
        return 2.0 * slopes_and_weights(self.counts, self.data, counts)[0]

    def curve(self, layers: FloatArray, bounds: tuple[float, float]) -> CountedCurve:
        """Chi2 of u with these layers of each power."""
        return CountedCurve(layers, self.data, self.centre, *bounds, self.counts)
