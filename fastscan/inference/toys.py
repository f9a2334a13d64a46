"""Pseudo-experiments: drawn from a seed, and fitted by the million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["BLOCK", "ToyFits", "draw_toys", "toy_noise"]

FloatArray = NDArray[np.float64]

# Toys of one stream of random numbers: the unit in which work is shared out.
BLOCK = 4096


def toy_noise(size: int, count: int, seed: int, key: Sequence[int] = ()) -> FloatArray:
    """Unit normal vectors, shape (count, size), that depend on the seed and the key alone.

    The first rows are the same whatever the count: block b of `BLOCK` rows has a Philox generator
    seeded with SeedSequence(seed, spawn_key=(*key, b)).
    """
    noise = np.empty((count, size))
    for block, start in enumerate(range(0, count, BLOCK)):
        sequence = np.random.SeedSequence(seed, spawn_key=(*key, block))
        generator = np.random.Generator(np.random.Philox(sequence))
        generator.standard_normal(out=noise[start : start + BLOCK])
    return noise


def draw_toys(mean: ArrayLike, count: int, seed: int, key: Sequence[int] = ()) -> FloatArray:
    """Data vectors of repeated experiments: counts and auxiliary measurements all fluctuate.

    Parameters
    ----------
    mean : (n,)
        A data vector's expectation, from `ToyFits.mean`.
    count : int
    seed : int
        Not negative.
    key : sequence of int
        What the toys are for (grid point, method): streams of other keys are independent.

    Returns
    -------
    (count, n)
        Row i depends on seed, key and i alone; see `toy_noise`.

    Raises
    ------
    InputError
        A negative count or seed.
    """
    if seed < 0 or count < 0:
        raise InputError(
            f"{count} toys with seed {seed}", where="--toys, --seed", hint="give numbers from 0 up"
        )
    centre = np.asarray(mean, dtype=float)
    toys = toy_noise(centre.size, count, seed, key)
    toys += centre
    return toys


class ToyFits:
    """Fits of one or two parameters, others profiled, to many data vectors at once.

    How accurate they are stands with each strategy: `ClosedFits`, `LinearFits`.

    Parameters
    ----------
    likelihood : Likelihood
    poi : str or two of them
        Parameters of interest.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    profiled : sequence of str, optional
        Parameters that chi2 is minimised over; by default the model's choice for one parameter of
        interest, none for two.
    ranges : mapping, optional
        Narrower ranges, (low, high), of some of these parameters, such as the plane of a scan.

    Attributes
    ----------
    counts : Counts
        Of the parameters of interest, then the profiled ones.
    poi, profiled : tuple of str

    Raises
    ------
    InputError
        Unknown parameter, one in two roles, or more free ones than can be fitted.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        poi: str | Sequence[str],
        given: Mapping[str, float] | None = None,
        profiled: Sequence[str] | None = None,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        given = dict(given or {})
        self.poi = (poi,) if isinstance(poi, str) else tuple(poi)
        if len(self.poi) > 1 and profiled is None:
            profiled = ()
        for name in self.poi:
            likelihood.model.parameter(name, "--poi")
        self.profiled = likelihood.profiled_names(self.poi[0], given, profiled)
        form = likelihood.form((*self.poi, *self.profiled), given)
        self.counts = form.counts
        self._fits = form.fits(len(self.poi), ranges)
        self.mirrored = self._fits.mirrored

    def best(self, data: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Parameters of interest at the best fit to each data vector (toys, n), and chi2 there.

        Of one parameter (toys,), of two (toys, 2). Infinite where chi2 falls for ever; positive
        where the sign does not matter.
        """
        vectors = _contiguous(data)
        values, score = self._fits.best(vectors)
        return values if len(self.poi) > 1 else values[:, 0], _squared(vectors) - score

    def best_scores(self, data: FloatArray) -> FloatArray:
        """Squared length less chi2 of data vectors at their best fits, (toys,)."""
        return self._fits.best(data)[1]

    def scores(self, data: FloatArray, points: FloatArray) -> FloatArray:
        """Squared length less chi2 of data vectors at points, the profiled ones fitted.

        Shapes (toys, n) and (points, interest) -> (toys, points).
        """
        return self._fits.scores_of(data, points)

    def means(self, points: FloatArray) -> FloatArray:
        """Expectations at points, all else fitted to the data that were seen, (points, n)."""
        return self._fits.means(points, self.counts.observed)

    def chi2_at(self, data: ArrayLike, value: float | Sequence[float]) -> FloatArray:
        """Chi2 of each data vector at a value of the parameters, the profiled ones fitted."""
        vectors = _contiguous(data)
        return _squared(vectors) - self._fits.scores(vectors, _point(value))

    def rises(self, data: ArrayLike, value: float | Sequence[float]) -> FloatArray:
        """Chi2 at a value of the parameters above its minimum, of each data vector, (toys,)."""
        vectors = _contiguous(data)
        rise: FloatArray = self._fits.best(vectors)[1] - self._fits.scores(vectors, _point(value))
        return np.maximum(rise, 0.0)

    def mean(self, value: float | Sequence[float], data: ArrayLike | None = None) -> FloatArray:
        """Expectation at a value of the parameters, all else fitted to data, (n,).

        By default to the data that were seen.
        """
        seen = self.counts.observed if data is None else np.asarray(data, dtype=float)
        return self._fits.mean(_point(value), seen)

    def nuisances(self, value: float | Sequence[float]) -> FloatArray:
        """Orthonormal directions in which pulls move the expectation at a value, (pulls, n).

        Other profiled parameters stay where they fit the data that were seen.
        """
        return self._fits.nuisances(_point(value))

    def limits(self, data: ArrayLike, rise: float) -> FloatArray:
        """Outermost ends of the region chi2 <= minimum + rise of each data vector, (toys, 2).

        Infinite where chi2 never rises so far, a bound of the parameter's range where it is inside.

        Raises
        ------
        InputError
            A mass is profiled: the heavier it is, the larger a coupling may be.
        """
        shapes = self.counts.shape_parameters
        if self.poi[0] not in shapes and any(name in shapes for name in self.profiled):
            raise InputError(
                "ends of an interval with a profiled mass are not found for toys",
                where="--profile",
                hint="hold the mass with --set",
            )
        ends = self._fits.ends(_contiguous(data), rise)
        # The region of the square; its mirror image belongs to it.
        return np.stack([-ends[:, 1], ends[:, 1]], axis=1) if self.mirrored else ends


def _point(value: float | Sequence[float]) -> list[float]:
    return [float(v) for v in np.atleast_1d(value)]


def _contiguous(data: ArrayLike) -> FloatArray:
    """Data vectors as rows in memory, shape (vectors, n)."""
    return np.ascontiguousarray(np.atleast_2d(np.asarray(data, dtype=float)))


def _squared(data: FloatArray) -> FloatArray:
    """Squared length of each data vector."""
    squared: FloatArray = np.einsum("tn,tn->t", data, data)
    return squared
