"""Down to the bottom of a basin of chi2, by damped Newton steps between bounds."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.profiles import fitted_chi2, slopes, spread

__all__ = ["chi2_along", "descend"]

FloatArray = np.ndarray

_STEPS = 200
# Steps end where the next one is expected to gain less than this in chi2.
_SETTLED = 1e-10


@jit
def _newton_step(
    gradient: FloatArray,
    hessian: FloatArray,
    free: FloatArray,
    unit: FloatArray,
    damping: float,
    step: FloatArray,
) -> float:
    """Damped Newton step of the free coordinates; returns the gain it is expected to bring.

    Zero if the Hessian with its damping is not positive.
    """
    size = gradient.size
    lower = np.zeros((size, size))
    for i in range(size):
        step[i] = 0.0
    for i in range(size):
        if not free[i]:
            continue
        for j in range(i + 1):
            if not free[j]:
                continue
            total = hessian[i, j] * unit[i] * unit[j]
            if i == j:
                total += damping * max(abs(total), 1e-3)
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                if total <= 1e-12 * (1e-3 + abs(hessian[i, i]) * unit[i] * unit[i]):
                    return 0.0
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    gain = 0.0
    for i in range(size):
        if free[i]:
            total = -gradient[i] * unit[i]
            for k in range(i):
                total -= lower[i, k] * step[k]
            step[i] = total / lower[i, i]
            gain += 0.5 * step[i] * step[i]
    for i in range(size - 1, -1, -1):
        if free[i]:
            total = step[i]
            for k in range(i + 1, size):
                total -= lower[k, i] * step[k]
            step[i] = total / lower[i, i]
    for i in range(size):
        step[i] *= unit[i]
    return gain


@jit
def descend(
    data: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    unit: FloatArray,
    held: FloatArray,
    z: FloatArray,
) -> float:
    """Lowest chi2 of the basin around a point, which moves there.

    Parameters
    ----------
    data : n
    table : rows x (1 + pulls) x monomials x bins
        Offset and columns; one row where no coordinate is a place among rows.
    exponents : monomials x couplings
        Powers of x = tan(phi).
    tops : (1 + pulls) x couplings
        Powers of cos(phi) on each column; zero for the offset.
    bounds : coordinates x 2
    unit : coordinates
        Size of a step.
    held : coordinates
        Which of them stay.
    z : coordinates
        The start, changed in place.
    """
    size, n = z.size, data.size
    pulls = table.shape[1] - 1
    rows = np.empty((1 + size + size * (size + 1) // 2, 1 + pulls, n))
    basis, inverse = np.empty((pulls, n)), np.empty((pulls, pulls))
    gamma, rest = np.empty(pulls), np.empty(n)
    gradient, hessian = np.empty(size), np.empty((size, size))
    other, unused = np.empty(size), np.empty((size, size))
    step, bend, trial = np.empty(size), np.empty(size), z.copy()
    free = np.empty(size, dtype=np.bool_)
    reach, taken, expected = 1.5, 0.0, 0.0
    best = math.inf
    for _ in range(_STEPS):
        spread(trial, table, exponents, tops, rows)
        chi2 = fitted_chi2(data, rows, basis, inverse, gamma, rest)
        curved = not chi2 <= best
        if curved:
            reach = 0.35 * taken
        else:
            # A step that keeps its promise may be followed by a longer one.
            curved = best - chi2 < 0.7 * expected
            if not curved:
                reach = max(reach, 2.5 * taken)
            elif best - chi2 < 0.3 * expected:
                reach = 0.5 * taken
            done = best - chi2 <= _SETTLED and expected <= _SETTLED and best < math.inf
            best = chi2
            for i in range(size):
                z[i] = trial[i]
            if done:
                break
            slopes(rows, basis, inverse, gamma, rest, size, gradient, hessian)
        for i in range(size):
            low, high = z[i] <= bounds[i, 0], z[i] >= bounds[i, 1]
            out = (low and gradient[i] >= 0.0) or (high and gradient[i] <= 0.0)
            free[i] = not (held[i] or out)
        expected, damping = _inner_step(gradient, hessian, free, unit, z, bounds, step)
        if expected <= 0.1 * _SETTLED:
            break
        longest = 0.0
        for i in range(size):
            longest = max(longest, abs(step[i]) / unit[i])
            bend[i] = 0.0
        shrink = min(1.0, reach / longest)
        if curved and damping == 0.0:
            # Along a curved valley: the third derivative along the step, from a second gradient.
            h = 0.25 * shrink
            for i in range(size):
                trial[i] = z[i] + h * step[i]
            spread(trial, table, exponents, tops, rows)
            fitted_chi2(data, rows, basis, inverse, gamma, rest)
            slopes(rows, basis, inverse, gamma, rest, size, other, unused)
            for i in range(size):
                other[i] = (other[i] - gradient[i]) / h
                for j in range(size):
                    other[i] -= hessian[i, j] * step[j]
                other[i] /= h
            _newton_step(other, hessian, free, unit, 0.0, bend)
            widest = 0.0
            for i in range(size):
                widest = max(widest, abs(bend[i]) / unit[i])
            if shrink * widest > 0.75 * longest:
                for i in range(size):
                    bend[i] *= 0.75 * longest / (shrink * widest)
        edge = -1
        for i in range(size):
            move = step[i] + shrink * bend[i]
            bound = bounds[i, 1] if move > 0.0 else bounds[i, 0]
            if (z[i] + shrink * move - bound) * move > 0.0:
                edge = i
                shrink = max((bound - z[i]) / move, 0.0)
        taken = shrink * longest
        expected *= shrink * (2.0 - shrink)
        moved = False
        for i in range(size):
            move = shrink * (step[i] + shrink * bend[i])
            trial[i] = min(max(z[i] + move, bounds[i, 0]), bounds[i, 1])
            if i == edge:
                trial[i] = bounds[i, 1] if move > 0.0 else bounds[i, 0]
            moved = moved or trial[i] != z[i]
        if not moved:
            break
    return best


@jit
def _inner_step(
    gradient: FloatArray,
    hessian: FloatArray,
    free: FloatArray,
    unit: FloatArray,
    z: FloatArray,
    bounds: FloatArray,
    step: FloatArray,
) -> tuple[float, float]:
    """Newton step that leaves no bound on which it starts; its gain, and the damping it took.

    ``free`` is changed: coordinates that the step would take over their bounds stay.
    """
    size = z.size
    while True:
        gain, damping = 0.0, 0.0
        while damping < 1e6:
            gain = _newton_step(gradient, hessian, free, unit, damping, step)
            if gain > 0.0:
                break
            damping = max(4.0 * damping, 0.1)
        left = False
        for i in range(size):
            low, high = z[i] <= bounds[i, 0], z[i] >= bounds[i, 1]
            if free[i] and ((low and step[i] < 0.0) or (high and step[i] > 0.0)):
                free[i] = False
                left = True
        if not left:
            return gain, damping


@jit
def chi2_along(
    data: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    unit: FloatArray,
    coordinate: int,
    place: float,
    z: FloatArray,
) -> float:
    """Chi2 with one coordinate at a place, the others taken down from where they are in ``z``."""
    held = np.zeros(z.size, dtype=np.bool_)
    held[coordinate] = True
    z[coordinate] = place
    return descend(data, table, exponents, tops, bounds, unit, held, z)
