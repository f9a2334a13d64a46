"""Chi2 along one coupling with several nuisances profiled: where it turns, and crosses a level.

Along a line counts are polynomials in u = coupling**power, and chi2 is a function of
t = asinh(u / size), even near zero and logarithmic further out. It is interpolated by pieces,
halved until their Chebyshev series end in nothing; their derivatives bracket the turning points.
Being rational in u, chi2 has no feature that leaves no trace in its neighbourhood.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.pulls import fit_point, polynomial_layers, rounding_of, scratch

__all__ = ["line_crossings", "line_turning_points"]

FloatArray = np.ndarray

# Nodes of a piece, and the width of the first ones: mostly enough where a coupling grows by e.
NODES = 24
WIDTH = 1.0
# Last terms of a converged series, beside 1 + chi2.
TOLERANCE = 1e-9
# Narrower pieces are not halved: what is left there is rounding.
_NARROWEST = 1e-7
# Samples of the derivative in each piece.
_SAMPLES = 33


@jit
def _slope(series: FloatArray, x: float) -> float:
    """Derivative of sum_k series[k] T_k(x): sum_k k series[k] U_(k-1)(x)."""
    upper, last = 0.0, 0.0
    for k in range(series.size - 1, 0, -1):
        upper, last = k * series[k] + 2.0 * x * upper - last, upper
    return upper


@jit
def line_turning_points(
    polynomials: FloatArray,
    sizes: FloatArray,
    ends: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    marks: FloatArray,
    heights: FloatArray,
    counts: FloatArray,
) -> None:
    """Fill ends and extrema of each line in rising order, and chi2 there.

    Parameters
    ----------
    polynomials : lines x powers x (1 + pulls) x bins
        Counts at the pulls' centre and their changes of each power of u, over sigma.
    sizes : lines
        Of u, see above.
    ends : lines x 2
        First and last u, finite.
    constraint, data
        As for `pulled_chi2`.
    marks, heights : lines x most
        u, and chi2 there.
    counts : lines
        Number of marks of each line; more than ``most``: the rest is not there.
    """
    columns, right = scratch(constraint, data)
    pulls, point = np.empty(constraint.shape[1] - 1), np.empty(polynomials.shape[2:])
    nodes, values, series = np.empty(NODES), np.empty(NODES), np.empty(NODES)
    cosines = np.empty((NODES, NODES))
    for k in range(NODES):
        for i in range(NODES):
            cosines[k, i] = math.cos(k * (i + 0.5) * math.pi / NODES) * (1.0 if k == 0 else 2.0)
            cosines[k, i] /= NODES
    for i in range(NODES):
        nodes[i] = math.cos((i + 0.5) * math.pi / NODES)
    stack = np.empty((128, 2))
    most = marks.shape[1]
    for r in range(polynomials.shape[0]):
        polynomial, size = polynomials[r], sizes[r]
        first, last = math.asinh(ends[r, 0] / size), math.asinh(ends[r, 1] / size)
        pieces = max(1, math.ceil((last - first) / WIDTH))
        marks[r, 0] = ends[r, 0]
        count = 1
        # Sign of the last slope that is not rounding, and where that was.
        sign, where = 0.0, first
        for piece in range(pieces):
            stack[0, 0] = first + (last - first) * piece / pieces
            stack[0, 1] = first + (last - first) * (piece + 1) / pieces
            depth = 1
            while depth > 0:
                depth -= 1
                a, b = stack[depth, 0], stack[depth, 1]
                middle, half = 0.5 * (a + b), 0.5 * (b - a)
                wanted, most_of, noise = np.inf, 0.0, 0.0
                for i in range(NODES):
                    u = size * math.sinh(middle + half * nodes[i])
                    polynomial_layers(polynomial, u, point)
                    chi2 = fit_point(point, constraint, data, columns, right, pulls)
                    values[i] = chi2
                    lost = rounding_of(point, data, pulls, chi2)
                    wanted = min(wanted, max(TOLERANCE * (1.0 + chi2), lost))
                    most_of, noise = max(most_of, chi2), max(noise, lost)
                tail = 0.0
                for k in range(NODES):
                    total = 0.0
                    for i in range(NODES):
                        total += cosines[k, i] * values[i]
                    series[k] = total
                    if k >= NODES - 3:
                        tail += abs(total)
                wide = half > _NARROWEST * max(1.0, abs(middle)) and depth + 2 <= 128
                if wide and not tail <= wanted:
                    # The left half is looked at first.
                    stack[depth, 0], stack[depth, 1] = middle, b
                    stack[depth + 1, 0], stack[depth + 1, 1] = a, middle
                    depth += 2
                    continue
                floor = 1e-13 * (1.0 + most_of) + noise
                for j in range(_SAMPLES):
                    x = -math.cos(j * math.pi / (_SAMPLES - 1))
                    slope = _slope(series, x)
                    if not abs(slope) > floor:
                        continue
                    now = math.copysign(1.0, slope)
                    t = middle + half * x
                    if sign * now < 0.0:
                        low, high = max(where, a), t
                        # Both lie in this piece, or the turning point is where pieces meet.
                        for _ in range(60):
                            between = 0.5 * (low + high)
                            if between in (low, high):
                                break
                            if _slope(series, (between - middle) / half) * now < 0.0:
                                low = between
                            else:
                                high = between
                        if count < most:
                            marks[r, count] = size * math.sinh(high)
                        count += 1
                    sign, where = now, t
        if count < most:
            marks[r, count] = ends[r, 1]
        count += 1
        counts[r] = count
        for k in range(min(count, most)):
            polynomial_layers(polynomial, marks[r, k], point)
            heights[r, k] = fit_point(point, constraint, data, columns, right, pulls)


@jit
def line_crossings(
    polynomials: FloatArray,
    sizes: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    marks: FloatArray,
    heights: FloatArray,
    counts: FloatArray,
    level: float,
    pieces: FloatArray,
) -> int:
    """Fill the intervals of u with chi2 at most a level, and return the largest number of them.

    Parameters
    ----------
    polynomials, sizes, constraint, data, marks, heights, counts
        As for `line_turning_points`.
    level : float
    pieces : lines x (most // 2 + 1) x 2
        NaN beyond the last of a line.
    """
    columns, right = scratch(constraint, data)
    pulls, point = np.empty(constraint.shape[1] - 1), np.empty(polynomials.shape[2:])
    most = 0
    for r in range(polynomials.shape[0]):
        pieces[r] = np.nan
        number = 0
        below = heights[r, 0] <= level
        if below:
            pieces[r, 0, 0] = marks[r, 0]
        for k in range(1, counts[r]):
            if (heights[r, k] <= level) == below:
                continue
            # Where it crosses: Chandrupatla's method, inverse quadratic steps or halves.
            size = sizes[r]
            a, b = math.asinh(marks[r, k - 1] / size), math.asinh(marks[r, k] / size)
            fa, fb = heights[r, k - 1] - level, heights[r, k] - level
            c, fc, step = a, fa, 0.5
            root = b if abs(fb) < abs(fa) else a
            for _ in range(200):
                if fa == 0.0 or fb == 0.0:
                    root = a if fa == 0.0 else b
                    break
                t = a + step * (b - a)
                polynomial_layers(polynomials[r], size * math.sinh(t), point)
                f = fit_point(point, constraint, data, columns, right, pulls) - level
                if (f < 0.0) == (fa < 0.0):
                    c, fc = a, fa
                else:
                    c, b = b, a
                    fc, fb = fb, fa
                a, fa = t, f
                root, rest = (a, fa) if abs(fa) < abs(fb) else (b, fb)
                width = abs(b - a)
                close = 4e-16 * abs(root) + 1e-300
                if rest == 0.0 or width <= 2.0 * close:
                    break
                least = min(0.5, close / width)
                xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
                if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
                    step = fa / (fb - fa) * fc / (fb - fc)
                    step += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
                else:
                    step = 0.5
                step = min(max(step, least), 1.0 - least)
            if below:
                pieces[r, number, 1] = size * math.sinh(root)
                number += 1
            else:
                pieces[r, number, 0] = size * math.sinh(root)
            below = not below
        if below:
            pieces[r, number, 1] = marks[r, counts[r] - 1]
            number += 1
        most = max(most, number)
    return most
