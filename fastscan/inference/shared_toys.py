"""One set of toys for all hypotheses of a plane, each of which gives every toy a weight.

Toys are drawn around some of the hypotheses, the components, that are nowhere further apart than a
standard deviation of the data, and are fitted once. A hypothesis gives each the ratio of its own
density to that of the mixture: sums over all toys are then those over toys of its own (importance
sampling with a deterministic mixture; A. Owen and Y. Zhou, J. Am. Stat. Assoc. 95 (2000) 135).

Toys come in batches, each a scrambled Sobol sequence around every component, of another scrambling:
they are independent, and from their spread follows the error of whatever is made of them.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import RunError
from fastscan.inference.critical_values import Critical
from fastscan.inference.toys import ToyFits
from fastscan.likelihoods.levels import delta_chi2

__all__ = ["FIRST", "MOST", "SharedToys", "cover"]

FloatArray = NDArray[np.float64]

# Largest distance of an expectation to that of the nearest component, in standard deviations.
RADIUS = 0.8
# Toys around a component in a batch: a power of two, as Sobol sequences want it.
PER_COMPONENT = 128
# Batches to begin with, and at most.
FIRST, MOST = 8, 64
_BINS = 2048
# Points that are treated together.
_TOGETHER = 16
# The density of the statistic is taken between the points beyond which there is this times more
# and less than beyond the critical value.
_WINDOW = 1.5
# Components more than this, and toys of one's own are no more work.
_MOST_COMPONENTS = 1000


def cover(means: FloatArray, radius: float = RADIUS) -> NDArray[np.int64]:
    """Choose some of many expectations so that none is far from all of them.

    Parameters
    ----------
    means : (hypotheses, n)
    radius : float

    Returns
    -------
    (components,)
        Numbers of the chosen ones: the first, then each time the one that is furthest away.

    Raises
    ------
    RunError
        It would take more than a thousand.
    """
    chosen = [0]
    distance = _squared_distance(means, means[0])
    while distance.max() > radius**2:
        if len(chosen) == _MOST_COMPONENTS:
            raise RunError(
                f"more than {_MOST_COMPONENTS} components for the toys of a plane",
                hint="choose a smaller plane",
            )
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, _squared_distance(means, means[chosen[-1]]))
    return np.array(chosen, dtype=np.int64)


@dataclass(frozen=True)
class _Batch:
    data: FloatArray
    best: FloatArray
    mixture: FloatArray


class SharedToys:
    """Critical values at any point of a plane, from toys that all points share.

    Parameters
    ----------
    fits : ToyFits
        Of the parameters of the plane.
    components : (components, n)
        Expectations around which toys are drawn, such that those of the plane are near: `cover`.
    cl : float
    seed : int
        Toys depend on it and on the components alone.
    """

    def __init__(self, fits: ToyFits, components: FloatArray, cl: float, seed: int) -> None:
        self.fits, self.components, self.cl, self.seed = fits, components, cl, seed
        self._per_component = PER_COMPONENT
        self._width = (3.0 * delta_chi2(cl, 2) + 10.0) / _BINS
        self._batches: list[_Batch] = []
        self._lock = threading.Lock()

    @classmethod
    def over(cls, fits: ToyFits, points: FloatArray, cl: float, seed: int) -> SharedToys:
        """Toys for points (points, interest) and all between them, such as some of a grid's."""
        means = fits.means(points)
        return cls(fits, np.ascontiguousarray(means[cover(means)]), cl, seed)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def criticals(self, points: FloatArray, batches: int) -> list[Critical]:
        """Critical values at points (points, interest), from so many batches.

        ``toys`` of one is their effective number, (sum of weights)**2 / (sum of their squares).
        Each point is computed alike whatever comes with it.
        """
        found: list[Critical] = []
        for start in range(0, len(points), _TOGETHER):
            some = points[start : start + _TOGETHER]
            sums, squares = self._histograms(some, batches)
            found.extend(self._critical(sums[:, h], squares[h]) for h in range(len(some)))
        return found

    def _histograms(self, points: FloatArray, batches: int) -> tuple[FloatArray, FloatArray]:
        """Weights by the statistic, (batches, points, bins), and sums of their squares."""
        from fastscan.kernels.weights import weighted_histograms

        means = np.ascontiguousarray(self.fits.means(points))
        sums, squares = np.zeros((batches, len(points), _BINS)), np.zeros(len(points))
        for batch, own in zip(self._first(batches), sums, strict=True):
            statistic = batch.best[:, None] - self.fits.scores(batch.data, points)
            weighted_histograms(
                batch.data, means, batch.mixture, statistic, self._width, own, squares
            )
        return sums, squares

    def _critical(self, sums: FloatArray, squares: float) -> Critical:
        """The quantile of weights by batch and bin."""
        batches = len(sums)
        whole = sums.sum(axis=0)
        total = whole.sum()
        if total == 0.0:
            return Critical(math.nan, math.inf, 0)
        effective = int(total**2 / squares)
        below = np.concatenate([[0.0], np.cumsum(whole)]) / total
        value = self._quantile(below, self.cl)
        low = max(1.0 - _WINDOW * (1.0 - self.cl), 0.5 * self.cl)
        high = 1.0 - (1.0 - self.cl) / _WINDOW
        density = (high - low) / (self._quantile(below, high) - self._quantile(below, low))
        # What each batch alone has below the value, but for its share: the error of a ratio.
        place = value / self._width
        at = min(int(place), _BINS - 1)
        under = sums[:, :at].sum(axis=1) + (place - at) * sums[:, at]
        rest = under - self.cl * sums.sum(axis=1)
        error = math.sqrt(batches / (batches - 1) * float(rest @ rest)) / total / density
        return Critical(value, error, effective)

    def _quantile(self, below: FloatArray, probability: float) -> float:
        at = int(np.searchsorted(below, probability)) - 1
        part = (probability - below[at]) / (below[at + 1] - below[at])
        return float((at + part) * self._width)

    def prepare(self, workers: int) -> None:
        """Make the first batches in threads; kernels are compiled by the first of them."""
        with self._lock, ThreadPoolExecutor(workers) as pool:
            if not self._batches:
                self._batches.append(self._make(0))
            self._batches.extend(pool.map(self._make, range(len(self._batches), FIRST)))

    def _first(self, count: int) -> list[_Batch]:
        """The first batches; more are made when they are first asked for."""
        with self._lock:
            while len(self._batches) < count:
                self._batches.append(self._make(len(self._batches)))
            return self._batches[:count]

    def _make(self, number: int) -> _Batch:
        from scipy.special import ndtri
        from scipy.stats.qmc import Sobol

        from fastscan.kernels.weights import log_mixture

        size = self.components.shape[1]
        around = np.empty((len(self.components), self._per_component, size))
        for m, mean in enumerate(self.components):
            sequence = np.random.SeedSequence(self.seed, spawn_key=(number, m))
            generator = np.random.Generator(np.random.Philox(sequence))
            sobol = Sobol(size, rng=generator)
            uniform = np.clip(sobol.random(self._per_component), 2.0**-53, 1.0 - 2.0**-53)
            around[m] = mean + ndtri(uniform)
        data = around.reshape(-1, size)
        mixture = np.empty(len(data))
        log_mixture(data, self.components, mixture)
        return _Batch(data, self.fits.best_scores(data), mixture)


def _squared_distance(means: FloatArray, mean: FloatArray) -> FloatArray:
    distance: FloatArray = ((means - mean) ** 2).sum(axis=1)
    return distance
