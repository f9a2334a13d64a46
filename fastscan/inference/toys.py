"""Pseudo-experiments: drawn from a seed, and fitted by the million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.inference.families import (
    Family,
    PointLine,
    Vectors,
    contiguous,
    outer_ends,
    position_of,
    squared,
    too_many,
)
from fastscan.kernels import toys as kernels
from fastscan.likelihoods.hypotheses import hypotheses
from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["BLOCK", "Family", "PlaneFits", "ToyFits", "draw_toys", "toy_noise"]

FloatArray = NDArray[np.float64]

# Toys of one stream of random numbers: the unit in which work is shared out.
BLOCK = 4096

# Values of the parameter of interest whose hypotheses are kept.
_REMEMBERED = 256


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
        A data vector's expectation, from `Hypotheses.mean`.
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
    """Fits of one parameter, others profiled, to many data vectors at once.

    One coupling: exact, as `Likelihood.limit` is. A mass, or one more coupling that is no partner
    in a common sum of squares: basins from a lattice, then searched, to 1e-6 in chi2 but where two
    basins are equally deep to 1e-2: there the other one may be found, in less than one toy of a
    hundred. With more nuisances than one normalisation, one parameter alone, to 1e-6.

    Parameters
    ----------
    likelihood : Likelihood
    poi : str
        Parameter of interest.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    profiled : sequence of str, optional
        Parameters that chi2 is minimised over; by default the model's choice.
    ranges : mapping, optional
        Narrower ranges, (low, high), of some of these parameters, such as the plane of a scan.

    Attributes
    ----------
    counts : Counts
        Of the parameters (poi, *profiled).

    Raises
    ------
    InputError
        Unknown parameter, one in two roles, or more free ones than can be fitted.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        poi: str,
        given: Mapping[str, float] | None = None,
        profiled: Sequence[str] | None = None,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        given = dict(given or {})
        likelihood.model.parameter(poi, "--poi")
        names = likelihood.profiled_names(poi, given, profiled)
        self.counts = likelihood.counts((poi, *names), given)
        self.poi = poi
        self.profiled = names
        self._line: PointLine | None = None
        self._vectors = Vectors(self.counts, ranges or {})
        if not self.one_normalisation:
            if names:
                raise InputError(
                    "toys with several nuisances are fitted in one parameter alone",
                    where="--profile",
                    hint="hold the others with --set, or use --sigma-alpha X",
                )
            at = self._vectors.coordinate(poi)
            self._line = PointLine(self.counts, at, self._vectors.bounds(at))
            return
        self._outward, self._free = self._vectors.reduce(poi, names)
        self._family = self._make_family()
        self._held: dict[float, Family] = {}

    @property
    def one_normalisation(self) -> bool:
        """Whether a normalisation of everything is the only nuisance."""
        return self._vectors.one_normalisation

    def best(self, data: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Parameter of interest at the best fit to each data vector (toys, n), and chi2 there.

        Infinite where chi2 falls for ever; positive where the sign does not matter.
        """
        vectors = contiguous(data)
        if self._line is not None:
            value, score = self._line.best(vectors)
            return value, squared(vectors) - score
        outer, inner, score = self._family.best(vectors)
        own = self._family.outer
        value = outer if own is not None and own.parameter.name == self.poi else inner
        return value, squared(vectors) - score

    def chi2_at(self, data: ArrayLike, value: float) -> FloatArray:
        """Chi2 of each data vector at a value of the parameter, the profiled ones fitted."""
        vectors = contiguous(data)
        return squared(vectors) - self._score(vectors, value)

    def rises(self, data: ArrayLike, value: float) -> FloatArray:
        """Chi2 at a value of the parameter above its minimum, of each data vector, (toys,)."""
        vectors = contiguous(data)
        best = self._family.best(vectors)[2] if self._line is None else self._line.best(vectors)[1]
        rise: FloatArray = best - self._score(vectors, value)
        return np.maximum(rise, 0.0)

    def mean(self, value: float, data: ArrayLike | None = None) -> FloatArray:
        """Expectation at a value of the parameter, all else fitted to data, (n,).

        By default to the data that were seen.
        """
        seen = self.counts.observed if data is None else np.asarray(data, dtype=float)
        if self._line is not None:
            fitted: FloatArray = hypotheses(self.counts, [[value]]).mean(seen)[0]
            return fitted
        direction = self._held_at(value).direction(seen)
        return float(direction @ seen) * direction

    @property
    def mirrored(self) -> bool:
        """Whether only the square of the parameter matters, and it may have either sign."""
        poi = self.counts.parameters[0]
        return poi.kind == "coupling" and poi.minimum < 0.0 and self._vectors.even(self.poi)

    def limits(self, data: ArrayLike, rise: float) -> FloatArray:
        """Outermost ends of the region chi2 <= minimum + rise of each data vector, (toys, 2).

        Infinite where chi2 never rises so far, a bound of the parameter's range where it is inside.

        Raises
        ------
        InputError
            A mass is profiled: at each coupling another one is best, and no end is exact.
        """
        vectors = contiguous(data)
        if self._line is not None:
            values = self._line.ends(vectors, rise)
            return np.stack([-values[:, 1], values[:, 1]], axis=1) if self.mirrored else values
        family = self._family
        score = family.best(vectors)[2]
        ends = np.empty((len(vectors), 2))
        if len(family.table) == 1:
            low, high = family.bounds[0]
            kernels.line_ends(
                vectors, family.table[0], family.squares[0], low, high, score - rise, ends
            )
            assert family.inner is not None
            own, u = family.inner, np.clip(ends * family.scale[0], *family.inner.bounds)
        else:
            if family.outer is None or family.outer.parameter.name != self.poi:
                raise InputError(
                    "ends of an interval with a profiled mass are not found for toys",
                    where="--profile",
                    hint="hold the mass with --set",
                )
            positions = outer_ends(family, vectors, score - rise)
            values = family.outer_value(positions)
            own, u = family.outer, values**family.outer.power
            u = np.where(values < 0.0, np.copysign(u, values), u) if own.power % 2 else u
        values = own.value(u)
        if self.mirrored:
            # The region of the square; its mirror image belongs to it.
            values = np.stack([-values[:, 1], values[:, 1]], axis=1)
        return values

    def _make_family(self) -> Family:
        poi = self.counts.parameters[0]
        masses = [name for name in self._free if self._vectors.is_shape(name)]
        if poi.kind == "shape" or not masses:
            return self._vectors.family(self.poi, self._free, {})
        if len(self._free) > 1:
            raise too_many(self._free)
        return self._vectors.family(masses[0], (self.poi,), {})

    def _score(self, vectors: FloatArray, value: float) -> FloatArray:
        if self._line is not None:
            return self._line.score_at(vectors, value)
        own = self._family.outer
        if own is not None and own.parameter.name == self.poi and not self._outward:
            at = position_of(self._family, np.full(1, float(value)))[0]
            return self._family.score_at(vectors, np.full(len(vectors), at))
        return self._held_at(value).best(vectors)[2]

    def _held_at(self, value: float) -> Family:
        # Threads may ask at once: what one forgets the other still has.
        family = self._held.get(value)
        if family is None:
            family = self._hold(float(value))
            if len(self._held) >= _REMEMBERED:
                self._held.clear()
            self._held[value] = family
        return family

    def _hold(self, value: float) -> Family:
        """Hypotheses with the parameter of interest at a value, or beyond it with partners."""
        name = self.poi
        if self._outward:
            bounds = {name: (value * value, np.inf)}
            if not self._free:
                return self._vectors.family(None, (name,), {}, bounds)
            return self._vectors.family(name, self._free, {}, bounds)
        if not self._free:
            return self._vectors.family(None, (), {name: value})
        first, *others = self._free
        if self._vectors.is_shape(first):
            return self._vectors.family(first, others, {name: value})
        return self._vectors.family(None, (first, *others), {name: value})


class PlaneFits:
    """Fits of two parameters to many data vectors: a mass and a coupling, or two couplings.

    Parameters
    ----------
    likelihood : Likelihood
    names : two names
        A mass before a coupling.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    ranges : mapping, optional
        Narrower ranges, (low, high), of the two.

    Attributes
    ----------
    counts : Counts

    Raises
    ------
    InputError
        Two masses, or two couplings that can cancel each other.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        names: Sequence[str],
        given: Mapping[str, float] | None = None,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self.counts = likelihood.counts(names, given)
        vectors = Vectors(self.counts, ranges or {})
        if not vectors.one_normalisation:
            raise InputError(
                "toys with several nuisances are fitted in one parameter alone",
                where="--method feldman-cousins",
                hint="use --sigma-alpha X for one normalisation",
            )
        if len(names) != 2 or vectors.is_shape(names[1]):
            raise InputError(
                f"toys can not be fitted in the plane of {', '.join(names)}",
                where="--axis",
                hint="scan a mass and a coupling, or two couplings",
            )
        self._family = vectors.family(names[0], names[1:], {})

    def best(self, data: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Both parameters at the best fit to each data vector, (toys, 2), and chi2 there."""
        vectors = contiguous(data)
        outer, inner, score = self._family.best(vectors)
        return np.stack([outer, inner], axis=1), squared(vectors) - score

    def mean(self, point: Sequence[float]) -> FloatArray:
        """Expectation at a point, nuisances fitted to the data that were seen, (n,)."""
        mean: FloatArray = hypotheses(self.counts, [list(point)]).mean(self.counts.observed)[0]
        return mean

    def rises(self, data: ArrayLike, point: Sequence[float]) -> FloatArray:
        """Chi2 at a point above its minimum in the plane, of each data vector, (toys,)."""
        vectors = contiguous(data)
        direction = hypotheses(self.counts, [list(point)]).basis[0]
        along = np.empty((len(vectors), 1))
        kernels.fit_points(
            vectors, direction[None], np.zeros((1, vectors.shape[1])), np.zeros(1), along
        )
        rise: FloatArray = self._family.best(vectors)[2] - along[:, 0]
        return np.maximum(rise, 0.0)
