"""Fits of two parameters to many data vectors: the highest point of a surface on a sphere.

Around an outer parameter, tabulated in rows, the inner one is fitted exactly; see
`fastscan.kernels.directions`.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.directions import along, highest_ratio
from fastscan.kernels.projections import LANES

__all__ = ["STENCIL", "fit_fans", "row_between", "scores_at", "stencil_weights"]

FloatArray = np.ndarray

# Rows of a table between which coefficients are interpolated, and steps of a search between rows.
STENCIL = 6
_STEPS = 40
_SETTLED = 1e-8
_GOLDEN = 0.3819660112501051


@jit
def stencil_weights(position: float, rows: int, weights: FloatArray) -> int:
    """Lagrange weights of the rows of a table around a position, and the first of these rows."""
    first = min(max(int(position) - (STENCIL - 1) // 2, 0), rows - STENCIL)
    x = position - first
    a, b, c, d, e, f = x, x - 1.0, x - 2.0, x - 3.0, x - 4.0, x - 5.0
    left, right = a * b * c, d * e * f
    weights[0] = b * c * right / -120.0
    weights[1] = a * c * right / 24.0
    weights[2] = a * b * right / -12.0
    weights[3] = left * e * f / 12.0
    weights[4] = left * d * f / -24.0
    weights[5] = left * d * e / 120.0
    return first


@jit
def row_between(position: float, table: FloatArray) -> FloatArray:
    """A row of a table, (p + 1) x n, at a position between its rows."""
    weights = np.empty(STENCIL)
    first = stencil_weights(position, table.shape[0], weights)
    row = np.zeros(table.shape[1:])
    for i in range(STENCIL):
        row += weights[i] * table[first + i]
    return row


@jit
def _mix(
    rows: FloatArray,
    w0: float,
    w1: float,
    w2: float,
    w3: float,
    w4: float,
    w5: float,
    out: FloatArray,
) -> None:
    """Sum of the rows of a stencil with their weights."""
    flat = rows.reshape((STENCIL, out.size))
    r0, r1, r2, r3, r4, r5 = flat[0], flat[1], flat[2], flat[3], flat[4], flat[5]
    to = out.reshape(out.size)
    for k in range(to.size):
        to[k] = (w0 * r0[k] + w1 * r1[k]) + (w2 * r2[k] + w3 * r3[k]) + (w4 * r4[k] + w5 * r5[k])


@jit
def _row(
    position: float,
    data: FloatArray,
    table: FloatArray,
    squares: FloatArray,
    bounds: FloatArray,
    n: FloatArray,
    m: FloatArray,
    weights: FloatArray,
    vectors: FloatArray,
    work: FloatArray,
) -> tuple[float, float]:
    """Best fit of the inner coupling at a position between the rows of a table."""
    first = stencil_weights(position, table.shape[0], weights)
    w0, w1, w2, w3, w4, w5 = weights
    # In one pass over a row and without a branch, so that it becomes vector instructions.
    _mix(table[first : first + STENCIL], w0, w1, w2, w3, w4, w5, vectors)
    _mix(squares[first : first + STENCIL], w0, w1, w2, w3, w4, w5, m)
    low, high = bounds[0, 0], bounds[0, 1]
    # Bounds are zero, infinite or smooth.
    if not math.isinf(low):
        low = 0.0
        for i in range(STENCIL):
            low += weights[i] * bounds[first + i, 0]
    if not math.isinf(high):
        high = 0.0
        for i in range(STENCIL):
            high += weights[i] * bounds[first + i, 1]
    along(data, vectors, n)
    return highest_ratio(n, m, low, high, work)


@jit
def _highest_between(
    left: float,
    middle: float,
    right: float,
    data: FloatArray,
    table: FloatArray,
    squares: FloatArray,
    bounds: FloatArray,
    n: FloatArray,
    m: FloatArray,
    weights: FloatArray,
    vectors: FloatArray,
    work: FloatArray,
) -> tuple[float, float, float]:
    """Position, inner coupling and height of the maximum in a bracket (Brent's method)."""
    x = w = v = middle
    inner, fx = _row(x, data, table, squares, bounds, n, m, weights, vectors, work)
    fw = fv = fx
    step = before = 0.0
    still = 0
    for _ in range(_STEPS):
        centre = 0.5 * (left + right)
        least = 1e-5
        if abs(x - centre) <= 2.0 * least - 0.5 * (right - left):
            break
        golden = True
        if abs(before) > least:
            r = (x - w) * (fx - fv)
            q = (x - v) * (fx - fw)
            p = (x - v) * q - (x - w) * r
            q = 2.0 * (q - r)
            if q > 0.0:
                p = -p
            q = abs(q)
            earlier = before
            before = step
            if abs(p) < abs(0.5 * q * earlier) and q * (left - x) < p < q * (right - x):
                step = p / q
                golden = False
        if golden:
            before = right - x if x < centre else left - x
            step = _GOLDEN * before
        u = x + step if abs(step) >= least else x + math.copysign(least, step)
        u = min(max(u, left), right)
        at_u, fu = _row(u, data, table, squares, bounds, n, m, weights, vectors, work)
        change = abs(fu - fx)
        if fu >= fx:
            if u >= x:
                left = x
            else:
                right = x
            v, fv, w, fw = w, fw, x, fx
            x, fx, inner = u, fu, at_u
        else:
            if u < x:
                left = u
            else:
                right = u
            if fu >= fw or w == x:
                v, fv, w, fw = w, fw, u, fu
            elif fu >= fv or v in (x, w):
                v, fv = u, fu
        # A parabola through three points has its top at the next one: no more is to be gained.
        still = still + 1 if change <= _SETTLED else 0
        if still > 1 or (still == 1 and not golden):
            break
    return x, inner, fx


@jit
def _score_lattice(
    block: FloatArray,
    lattice: FloatArray,
    row_of: FloatArray,
    scores: FloatArray,
    best: FloatArray,
) -> None:
    """Highest (q . D)**2 of each row of a lattice, ``LANES`` data vectors side by side.

    Rows are evenly spaced, and a parabola through a point and its neighbours tells how high the
    row gets between them: rows that share a point differ in nothing else.
    """
    points = lattice.shape[0]
    for r in range(best.shape[0]):
        for lane in range(LANES):
            best[r, lane] = 0.0
    for j in range(points):
        here = scores[j % 3]
        for lane in range(LANES):
            here[lane] = 0.0
        # Four at a time: sums go through memory a quarter as often.
        for k in range(0, lattice.shape[1], 4):
            q0, q1, q2, q3 = lattice[j, k], lattice[j, k + 1], lattice[j, k + 2], lattice[j, k + 3]
            b0, b1, b2, b3 = block[k], block[k + 1], block[k + 2], block[k + 3]
            for lane in range(LANES):
                here[lane] += (q0 * b0[lane] + q1 * b1[lane]) + (q2 * b2[lane] + q3 * b3[lane])
        row = best[row_of[j]]
        for lane in range(LANES):
            here[lane] = here[lane] * here[lane]
            row[lane] = max(row[lane], here[lane])
        if j > 1 and row_of[j] == row_of[j - 2]:
            left, middle = scores[(j - 2) % 3], scores[(j - 1) % 3]
            for lane in range(LANES):
                slope = here[lane] - left[lane]
                bend = 2.0 * middle[lane] - here[lane] - left[lane]
                if bend > abs(0.5 * slope):
                    row[lane] = max(row[lane], middle[lane] + 0.125 * slope * slope / bend)


@jit
def fit_fans(
    data: FloatArray,
    table: FloatArray,
    squares: FloatArray,
    bounds: FloatArray,
    lattice: FloatArray,
    row_of: FloatArray,
    rows: FloatArray,
    margin: float,
    position: FloatArray,
    x: FloatArray,
    score: FloatArray,
) -> None:
    """Best fit of an outer parameter and an inner coupling to each data vector.

    A lattice finds the basins; in each the outer parameter is searched, the inner one exact.

    Parameters
    ----------
    data : toys x n
    table : rows x (p + 1) x n
        v_j of the inner coupling at evenly spaced positions of the outer parameter.
    squares : rows x (2 p + 1)
    bounds : rows x 2
        Of the inner coupling.
    lattice : points x (n or more)
        Unit vectors, followed by zeros that make their length a multiple of four.
    row_of : points
        Which of ``rows`` each belongs to.
    rows : lattice rows
        Their places in the table, rising; the first and the last row of the table among them.
    margin : float
        Basins that are this much lower than the best one, by the lattice, are left out.
    position, x, score : toys
        Results: row of the table, as a real number, inner coupling, (q . D)**2.
    """
    toys, size = data.shape
    p = table.shape[1] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n, m, weights = np.empty(p + 1), np.empty(2 * p + 1), np.empty(STENCIL)
    vectors = np.empty(table.shape[1:])
    block, scores = np.zeros((lattice.shape[1], LANES)), np.empty((3, LANES))
    best = np.empty((rows.size, LANES))
    last = rows.size - 1
    for start in range(0, toys, LANES):
        width = min(LANES, toys - start)
        for lane in range(width):
            for k in range(size):
                block[k, lane] = data[start + lane, k]
        _score_lattice(block, lattice, row_of, scores, best)
        for lane in range(width):
            highest = 0.0
            for r in range(last + 1):
                highest = max(highest, best[r, lane])
            found, where, inner = -1.0, 0.0, 0.0
            for r in range(last + 1):
                own = best[r, lane]
                if own < highest - margin:
                    continue
                if (r > 0 and best[r - 1, lane] > own) or (r < last and best[r + 1, lane] >= own):
                    continue
                if r in (0, last):
                    at = float(rows[r])
                    at_inner, height = _row(
                        at, data[start + lane], table, squares, bounds, n, m, weights, vectors, work
                    )
                    if height > found:
                        found, where, inner = height, at, at_inner
                # The lattice may name a neighbour of the highest row: then climb on.
                middle = r
                while True:
                    left, right = (
                        float(rows[max(middle - 1, 0)]),
                        float(rows[min(middle + 1, last)]),
                    )
                    at, at_inner, height = _highest_between(
                        left, float(rows[middle]), right, data[start + lane], table, squares,
                        bounds, n, m, weights, vectors, work,
                    )  # fmt: skip
                    if height <= found:
                        break
                    found, where, inner = height, at, at_inner
                    edge = 0.05 * (right - left)
                    if at - left < edge and middle > 1:
                        middle -= 1
                    elif right - at < edge and middle < last - 1:
                        middle += 1
                    else:
                        break
            position[start + lane], x[start + lane], score[start + lane] = where, inner, found


@jit
def scores_at(
    data: FloatArray,
    positions: FloatArray,
    table: FloatArray,
    squares: FloatArray,
    bounds: FloatArray,
    score: FloatArray,
) -> None:
    """Highest score over the inner coupling at one position of the outer parameter each."""
    p = table.shape[1] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n, m, weights = np.empty(p + 1), np.empty(2 * p + 1), np.empty(STENCIL)
    vectors = np.empty(table.shape[1:])
    for t in range(data.shape[0]):
        score[t] = _row(
            positions[t], data[t], table, squares, bounds, n, m, weights, vectors, work
        )[1]
