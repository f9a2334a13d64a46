"""Toys of a mixture of hypotheses, weighted so that they are those of any one hypothesis."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.projections import LANES

__all__ = ["log_mixture", "weighted_histograms"]

FloatArray = np.ndarray

# exp(-40): a toy of so small a weight is none.
_NEGLIGIBLE = -40.0


@jit
def log_mixture(data: FloatArray, means: FloatArray, out: FloatArray) -> None:
    """Logarithm of the mean density of unit normals around some means, over that around zero.

    Parameters
    ----------
    data : toys x n
    means : components x n
    out : toys
    """
    count, n = means.shape
    half = np.empty(count)
    for m in range(count):
        total = 0.0
        for i in range(n):
            total += means[m, i] * means[m, i]
        half[m] = 0.5 * total
    for t in range(data.shape[0]):
        largest, total = -math.inf, 0.0
        for m in range(count):
            power = -half[m]
            for i in range(n):
                power += means[m, i] * data[t, i]
            if power > largest:
                total = total * math.exp(largest - power) + 1.0
                largest = power
            else:
                total += math.exp(power - largest)
        out[t] = largest + math.log(total / count)


@jit
def weighted_histograms(
    data: FloatArray,
    means: FloatArray,
    mixture: FloatArray,
    statistic: FloatArray,
    width: float,
    sums: FloatArray,
    squares: FloatArray,
) -> None:
    """Add the weights of toys to histograms of the statistic, one for each hypothesis.

    The weight of a toy D is the density of the unit normal around ``mean`` over that it was drawn
    with, exp(mean . D - |mean|**2 / 2 - mixture).

    Parameters
    ----------
    data : toys x n
    means : hypotheses x n
    mixture : toys
        From `log_mixture`.
    statistic : toys x hypotheses
    width : float
        Of a bin; the first begins at zero, the last one has all that is beyond.
    sums : hypotheses x bins
    squares : hypotheses
        Sums of the squares of weights.
    """
    toys, size = data.shape
    last = sums.shape[1] - 1
    block, power = np.zeros((size, LANES)), np.empty(LANES)
    for start in range(0, toys, LANES):
        lanes = min(LANES, toys - start)
        for lane in range(lanes):
            for k in range(size):
                block[k, lane] = data[start + lane, k]
        for h in range(means.shape[0]):
            half = 0.0
            for k in range(size):
                half += 0.5 * means[h, k] * means[h, k]
            for lane in range(LANES):
                power[lane] = -half
            for k in range(size):
                mean = means[h, k]
                for lane in range(LANES):
                    power[lane] += mean * block[k, lane]
            for lane in range(lanes):
                rest = power[lane] - mixture[start + lane]
                if rest > _NEGLIGIBLE:
                    weight = math.exp(rest)
                    place = max(statistic[start + lane, h], 0.0) / width
                    sums[h, int(place) if place < last else last] += weight
                    squares[h] += weight * weight
