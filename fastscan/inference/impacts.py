"""Impact of each nuisance: its pull, what it moves, and the limit that one would have without it.

At the best fit the nuisances beta have the pulls v W (see `Nuisances.columns`). Their errors after
the fit, and hence the steps of the impacts, are those of the Fisher information of all free
parameters there; the impacts themselves are fits, with one nuisance held and all others free.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.counts import Counts
from fastscan.exceptions import InputError
from fastscan.likelihoods.form import chi2_form
from fastscan.likelihoods.levels import delta_chi2
from fastscan.likelihoods.likelihood import Likelihood
from fastscan.likelihoods.profile import Profile, ProfiledPieces
from fastscan.results import Basin, Impact, Impacts

__all__ = ["find_impacts"]

FloatArray = NDArray[np.float64]

# Relative; counts are smooth functions of a mediator mass.
_MASS_STEP = 1e-4


def find_impacts(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    progress: Callable[[str, float], None] | None = None,
) -> Impacts:
    """Pulls and impacts of all nuisances of a likelihood.

    Parameters
    ----------
    likelihood : Likelihood
    poi, given, profiled, cl
        As for `Likelihood.limit`.
    progress : callable, optional
        Called with a nuisance and the fraction done.

    Raises
    ------
    InputError
        As `Likelihood.limit`; or there is no best fit, because chi2 is flat or falls for ever.
    """
    given = dict(given or {})
    limit = likelihood.limit(poi, given, profiled=profiled, cl=cl)
    if limit.degenerate or not np.isfinite(limit.best_fit):
        how = (
            f"is the same at every {poi}" if limit.degenerate else f"falls for ever as {poi} grows"
        )
        raise InputError(
            f"chi2 {how}: there is no best fit to refer pulls to",
            where="--poi",
            hint="take another parameter of interest, or set others",
        )
    counts = likelihood.counts((poi, *limit.profiled), limit.parameters)
    names, weights = likelihood.nuisance_names, np.eye(len(counts.pulls))
    if len(likelihood.parts) == 1:
        _, weights = likelihood.nuisances.columns(likelihood.channel_names)
    fits = _Fits(counts, delta_chi2(cl))
    values = {poi: limit.best_fit, **limit.best_basin.profiled}
    pulls, covariance = fits.pulls_at(values)
    rows = []
    for k, name in enumerate(names):
        if progress is not None:
            progress(name, k / len(names))
        direction = weights[:, k]
        pull = float(pulls @ direction)
        # What the fitted pulls do not determine keeps its width.
        error = float(np.sqrt(1.0 - direction @ direction + direction @ covariance @ direction))
        down, up = (
            fits.best_near(direction, pull + sign * error, limit.best_fit) - limit.best_fit
            for sign in (-1.0, 1.0)
        )
        without = fits.pieces(direction, 0.0).intervals
        rows.append(Impact(name, pull, error, down, up, without))
    if progress is not None:
        progress("done", 1.0)
    ends = _outermost(limit.intervals)

    def rank(row: Impact) -> tuple[float, float]:
        largest = max(abs(row.shift_down), abs(row.shift_up))
        own = _outermost(row.intervals)
        gain = sum(abs(a - b) for a, b in zip(ends, own, strict=True) if np.isfinite(a - b))
        return -largest, -gain

    return Impacts(
        poi=poi,
        unit=limit.unit,
        cl=cl,
        best_fit=limit.best_fit,
        chi2_min=limit.chi2_min,
        intervals=limit.intervals,
        profiled=limit.profiled,
        parameters=limit.parameters,
        rows=sorted(rows, key=rank),
        provenance=limit.provenance,
        doubts=limit.doubts,
    )


def _outermost(intervals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in intervals), max(high for _, high in intervals)


@dataclass(frozen=True)
class _Fits:
    """Fits of the free parameters, the first of them of interest, with nuisances held."""

    counts: Counts
    rise: float

    def pieces(self, direction: FloatArray, value: float) -> ProfiledPieces:
        """Intervals and basins with a combination of the pulls held."""
        return Profile(chi2_form(self.counts.held(direction, value))).pieces(self.rise)

    def best_near(self, direction: FloatArray, value: float, near: float) -> float:
        """Best fit with a combination held; of several basins the one that it came from."""
        found = self.pieces(direction, value)
        basins: list[Basin] = [found.best, *found.basins]
        return min((basin.value for basin in basins), key=lambda best: abs(best - near))

    def pulls_at(self, values: Mapping[str, float]) -> tuple[FloatArray, FloatArray]:
        """Pulls fitted at a point, and their covariance with the free parameters profiled."""
        counts = self.counts
        point = [[values[name] for name in counts.names]]
        shape = {name: np.array([values[name]]) for name in counts.shape_parameters}
        coefficients = counts.coefficients(shape)[0]
        monomials = counts.monomials(point)[0]
        layers = np.einsum("lmb,m->lb", coefficients, monomials)
        pulls = chi2_form(counts).fit(layers).pulls
        fitted = np.concatenate([[1.0], pulls])
        columns = [
            np.einsum("l,lmb,m->b", fitted, coefficients, self._slopes(c, values))
            for c in range(len(counts.couplings))
        ]
        for name in counts.shape_parameters:
            ends = [
                np.einsum(
                    "l,lmb,m->b",
                    fitted,
                    counts.coefficients({**shape, name: factor * shape[name]})[0],
                    monomials,
                )
                for factor in (1.0 - _MASS_STEP, 1.0 + _MASS_STEP)
            ]
            columns.append(ends[1] - ends[0])
        # Parameters in units in which they change chi2 by one; those that change nothing are held,
        # such as a coupling that enters squared, at zero.
        lengths = [float(np.linalg.norm(column)) for column in columns]
        used = [column / size for column, size in zip(columns, lengths, strict=True) if size > 0.0]
        jacobian = np.concatenate([np.reshape(used, (len(used), counts.seen.size)), layers[1:]])
        hessian = jacobian @ jacobian.T
        hessian[len(used) :, len(used) :] += np.eye(pulls.size)
        covariance = np.linalg.pinv(hessian, rcond=1e-12, hermitian=True)
        return pulls, covariance[len(used) :, len(used) :]

    def _slopes(self, coordinate: int, values: Mapping[str, float]) -> FloatArray:
        """Derivative of each monomial by one coupling, shape (monomials,)."""
        exponents = self.counts.exponents
        powers = exponents.copy()
        powers[:, coordinate] = np.maximum(powers[:, coordinate] - 1, 0)
        slopes = exponents[:, coordinate].astype(float)
        for c, name in enumerate(self.counts.couplings):
            slopes = slopes * values[name] ** powers[:, c]
        return slopes
