"""Fits of many pseudo-experiments at once: the highest point of a curve or a surface on a sphere.

With one normalisation nuisance a hypothesis is a direction q = v(x) / |v(x)|, the counts over their
errors and the pull v(x) = sum_j v_j x**j a polynomial in one coupling, and chi2 of a data vector D

    chi2(x) = |D|**2 - (q . D)**2 = |D|**2 - N(x)**2 / M(x),  N = sum_j (v_j . D) x**j,  M = v . v.

So the best fit is the highest of the stationary points, roots of 2 N' M - N M' of degree 3 p - 2,
and of the ends of the coupling's range. Beyond |x| = 1 everything is a polynomial in 1 / x, and
infinity is a point like any other. With more nuisances every point of a lattice has a set of
directions, and the best fit is found between points.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = [
    "LANES",
    "fit_fans",
    "fit_lines",
    "fit_points",
    "heights_between",
    "highest_ratio",
    "line_ends",
    "peak_ends",
    "peaks",
    "real_roots",
    "row_between",
    "scores_at",
]

FloatArray = np.ndarray

# Toys scored together: their products with a lattice point are one loop of vector instructions.
LANES = 64
# Halvings of an interval before two roots in it are taken for one.
_HALVINGS = 40
# Squared counts below this part of their terms are rounding.
_CANCELLED = 1e-9
# Rows of a table between which coefficients are interpolated, and steps of a search between rows.
_STENCIL = 6
_STEPS = 40
_SETTLED = 1e-8
_GOLDEN = 0.3819660112501051


@jit
def real_roots(
    polynomial: FloatArray, low: float, high: float, work: FloatArray, roots: FloatArray
) -> int:
    """Real roots between two numbers; returns how many were written to ``roots``.

    By Bernstein coefficients: as many changes of sign as roots, or more by an even number. An
    interval with several is halved; one with a single root is searched by Newton's method, kept
    inside by bisection. Two roots closer than 1e-12 of the interval count as one.

    Parameters
    ----------
    polynomial : degree + 1
        Rising powers.
    low, high : float
    work : at least 45 x (degree + 3)
    roots : at least degree
    """
    degree = polynomial.size - 1
    width = high - low
    power = work[0]
    for k in range(degree + 1):
        power[k] = polynomial[k]
    if low != 0.0:
        for i in range(degree):
            for k in range(degree - 1, i - 1, -1):
                power[k] += low * power[k + 1]
    factor = 1.0
    for k in range(degree + 1):
        power[k] *= factor
        factor *= width
    top = work[1]
    top[0], top[1] = 0.0, 1.0
    binomial = 1.0
    for k in range(degree + 1):
        top[2 + k] = power[k] / binomial
        binomial = binomial * (degree - k) / (k + 1)
    for i in range(1, degree + 1):
        for k in range(degree, i - 1, -1):
            top[2 + k] += top[1 + k]
    count, stack = 0, 1
    while stack > 0:
        row = work[stack]
        changes = 0
        last = 0.0
        for k in range(2, degree + 3):
            if row[k] != 0.0:
                if last * row[k] < 0.0:
                    changes += 1
                last = 1.0 if row[k] > 0.0 else -1.0
        left, right = row[0], row[1]
        stack -= 1
        if changes == 0:
            # A root on an end of an interval has no change of sign.
            for end in range(2):
                if row[2 + end * degree] == 0.0 and count < roots.size:
                    roots[count] = low + width * row[end]
                    count += 1
            continue
        if count == roots.size:
            break
        if changes == 1 and row[2] != 0.0:
            root = _newton(power, degree, left, right, row[2] < 0.0)
        elif right - left < 0.5**_HALVINGS:
            root = 0.5 * (left + right)
        else:
            _halve(work, stack + 1, degree)
            stack += 2
            continue
        roots[count] = low + width * root
        count += 1
    return count


@jit
def _halve(work: FloatArray, at: int, degree: int) -> None:
    """De Casteljau's halves of an interval: the right one stays in its place, the left on top."""
    right, left = work[at], work[at + 1]
    middle = 0.5 * (right[0] + right[1])
    left[0], left[1] = right[0], middle
    right[0] = middle
    for i in range(degree + 1):
        left[2 + i] = right[2]
        for k in range(2, degree + 2 - i):
            right[k] = 0.5 * (right[k] + right[k + 1])


@jit
def _newton(power: FloatArray, degree: int, left: float, right: float, rising: bool) -> float:
    """The one root of a polynomial between two points, found to the last digits."""
    x = 0.5 * (left + right)
    for _ in range(80):
        value, slope = power[degree], 0.0
        for k in range(degree - 1, -1, -1):
            slope = slope * x + value
            value = value * x + power[k]
        if value == 0.0:
            return x
        if (value < 0.0) == rising:
            left = x
        else:
            right = x
        step = value / slope if slope != 0.0 else math.inf
        new = x - step
        if not left < new < right:
            new = 0.5 * (left + right)
        if abs(new - x) <= 2e-16 * abs(new):
            return new
        x = new
    return x


@jit
def _ratio(n: FloatArray, m: FloatArray, x: float) -> float:
    """N(x)**2 / M(x), its limit where x is infinite."""
    p = n.size - 1
    if abs(x) <= 1.0:
        top, bottom, size = n[p], m[2 * p], abs(m[2 * p])
        for k in range(p - 1, -1, -1):
            top = top * x + n[k]
        for k in range(2 * p - 1, -1, -1):
            bottom = bottom * x + m[k]
            size = size * abs(x) + abs(m[k])
    else:
        w = 1.0 / x
        top, bottom, size = n[0], m[0], abs(m[0])
        for k in range(1, p + 1):
            top = top * w + n[k]
        for k in range(1, 2 * p + 1):
            bottom = bottom * w + m[k]
            size = size * abs(w) + abs(m[k])
    # Where couplings cancel to the last digits nothing is known of the direction.
    return top * top / bottom if bottom > _CANCELLED * size else 0.0


@jit
def _sides(
    polynomial: FloatArray,
    low: float,
    high: float,
    flipped: FloatArray,
    work: FloatArray,
    roots: FloatArray,
) -> int:
    """Real roots x between two numbers that may be infinite; those beyond one by 1 / x."""
    count = 0
    inner_low, inner_high = max(low, -1.0), min(high, 1.0)
    if inner_low < inner_high:
        count = real_roots(polynomial, inner_low, inner_high, work, roots)
    degree = polynomial.size - 1
    if high > 1.0 or low < -1.0:
        for k in range(degree + 1):
            flipped[k] = polynomial[degree - k]
    if high > 1.0:
        found = real_roots(flipped, 1.0 / high, 1.0 / max(low, 1.0), work, roots[count:])
        for i in range(count, count + found):
            roots[i] = 1.0 / roots[i] if roots[i] != 0.0 else math.inf
        count += found
    if low < -1.0:
        found = real_roots(flipped, 1.0 / min(high, -1.0), 1.0 / low, work, roots[count:])
        for i in range(count, count + found):
            roots[i] = 1.0 / roots[i] if roots[i] != 0.0 else -math.inf
        count += found
    return count


@jit
def highest_ratio(
    n: FloatArray, m: FloatArray, low: float, high: float, work: FloatArray
) -> tuple[float, float]:
    """Where N(x)**2 / M(x) is highest between two bounds, which may be infinite, and how high.

    Parameters
    ----------
    n : p + 1
    m : 2 p + 1
        Positive everywhere.
    low, high : float
    work : at least 48 x (3 p + 4)
    """
    p = n.size - 1
    best, height = low, _ratio(n, m, low)
    if p == 0:
        return best, height
    value = _ratio(n, m, high)
    if value > height:
        best, height = high, value
    degree = 3 * p - 2
    stationary = work[45][: degree + 1]
    for k in range(degree + 1):
        stationary[k] = 0.0
    # 2 N' M - N M'; the coefficient of x**(3 p - 1) is zero.
    for j in range(p + 1):
        for k in range(2 * p + 1):
            if 1 <= j + k <= degree + 1:
                stationary[j + k - 1] += (2.0 * j - k) * n[j] * m[k]
    roots = work[47][: 3 * degree]
    count = _sides(stationary, low, high, work[46][: degree + 1], work, roots)
    for i in range(count):
        value = _ratio(n, m, roots[i])
        if value > height:
            best, height = roots[i], value
    return best, height


@jit
def fit_lines(
    data: FloatArray,
    vectors: FloatArray,
    squares: FloatArray,
    low: float,
    high: float,
    x: FloatArray,
    score: FloatArray,
) -> None:
    """Best fit of one coupling to each data vector, exactly.

    Parameters
    ----------
    data : toys x n
    vectors : (p + 1) x n
        v_j of each power of x.
    squares : 2 p + 1
        Coefficients of M.
    low, high : float
    x, score : toys
        Results: where, and N**2 / M there.
    """
    p = vectors.shape[0] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n = np.empty(p + 1)
    for t in range(data.shape[0]):
        _along(data[t], vectors, n)
        x[t], score[t] = highest_ratio(n, squares, low, high, work)


@jit
def _along(data: FloatArray, vectors: FloatArray, n: FloatArray) -> None:
    """Products of a data vector with rows, each summed in the same order."""
    for j in range(vectors.shape[0]):
        n[j] = 0.0
    for k in range(data.size):
        d = data[k]
        for j in range(vectors.shape[0]):
            n[j] += vectors[j, k] * d


@jit
def line_ends(
    data: FloatArray,
    vectors: FloatArray,
    squares: FloatArray,
    low: float,
    high: float,
    level: FloatArray,
    ends: FloatArray,
) -> None:
    """Outermost ends of the region N**2 / M >= level of each data vector.

    Arguments as for `fit_lines`; ``ends`` is toys x 2. The level is at most the highest score.
    """
    p = vectors.shape[0] - 1
    work = np.empty((48, max(3 * (3 * p + 1), 6)))
    n = np.empty(p + 1)
    excess = np.empty(2 * p + 1)
    for t in range(data.shape[0]):
        _along(data[t], vectors, n)
        for k in range(2 * p + 1):
            excess[k] = -level[t] * squares[k]
        for j in range(p + 1):
            for k in range(p + 1):
                excess[j + k] += n[j] * n[k]
        roots = work[47][: 6 * p]
        count = _sides(excess, low, high, work[46][: 2 * p + 1], work, roots)
        first, last = math.inf, -math.inf
        for i in range(count):
            first, last = min(first, roots[i]), max(last, roots[i])
        ends[t, 0] = low if _ratio(n, squares, low) >= level[t] or count == 0 else first
        ends[t, 1] = high if _ratio(n, squares, high) >= level[t] or count == 0 else last


@jit
def _weights(position: float, rows: int, weights: FloatArray) -> int:
    """Lagrange weights of the rows of a table around a position, and the first of these rows."""
    first = min(max(int(position) - (_STENCIL - 1) // 2, 0), rows - _STENCIL)
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
    weights = np.empty(_STENCIL)
    first = _weights(position, table.shape[0], weights)
    row = np.zeros(table.shape[1:])
    for i in range(_STENCIL):
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
    flat = rows.reshape((_STENCIL, out.size))
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
    first = _weights(position, table.shape[0], weights)
    w0, w1, w2, w3, w4, w5 = weights
    # In one pass over a row and without a branch, so that it becomes vector instructions.
    _mix(table[first : first + _STENCIL], w0, w1, w2, w3, w4, w5, vectors)
    _mix(squares[first : first + _STENCIL], w0, w1, w2, w3, w4, w5, m)
    low, high = bounds[0, 0], bounds[0, 1]
    # Bounds are zero, infinite or smooth.
    if not math.isinf(low):
        low = 0.0
        for i in range(_STENCIL):
            low += weights[i] * bounds[first + i, 0]
    if not math.isinf(high):
        high = 0.0
        for i in range(_STENCIL):
            high += weights[i] * bounds[first + i, 1]
    _along(data, vectors, n)
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
    n, m, weights = np.empty(p + 1), np.empty(2 * p + 1), np.empty(_STENCIL)
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
    n, m, weights = np.empty(p + 1), np.empty(2 * p + 1), np.empty(_STENCIL)
    vectors = np.empty(table.shape[1:])
    for t in range(data.shape[0]):
        score[t] = _row(
            positions[t], data[t], table, squares, bounds, n, m, weights, vectors, work
        )[1]


@jit
def fit_points(
    data: FloatArray, basis: FloatArray, linear: FloatArray, constant: FloatArray, score: FloatArray
) -> None:
    """Score |Q D|**2 + 2 f . D - |f|**2 of each data vector at each point, toys x points.

    Parameters
    ----------
    data : toys x n
    basis : points x pulls x n
        Orthonormal rows Q.
    linear : points x n
        f, the part of the offset that no nuisance covers.
    constant : points
        |f|**2.
    score : toys x points
    """
    toys, size = data.shape
    block, along = np.zeros((size, LANES)), np.empty(LANES)
    total = np.empty(LANES)
    for start in range(0, toys, LANES):
        width = min(LANES, toys - start)
        for lane in range(width):
            for k in range(size):
                block[k, lane] = data[start + lane, k]
        for point in range(basis.shape[0]):
            for lane in range(LANES):
                total[lane] = 0.0
            for k in range(size):
                f = 2.0 * linear[point, k]
                for lane in range(LANES):
                    total[lane] += f * block[k, lane]
            for pull in range(basis.shape[1]):
                for lane in range(LANES):
                    along[lane] = 0.0
                for k in range(size):
                    q = basis[point, pull, k]
                    for lane in range(LANES):
                        along[lane] += q * block[k, lane]
                for lane in range(LANES):
                    total[lane] += along[lane] * along[lane]
            for lane in range(width):
                score[start + lane, point] = total[lane] - constant[point]


@jit
def heights_between(heights: FloatArray, positions: FloatArray, out: FloatArray) -> None:
    """Values between even points of curves, toys x points, at one position each."""
    weights = np.empty(_STENCIL)
    for t in range(heights.shape[0]):
        out[t] = _between(heights[t], positions[t], weights)


@jit
def _between(heights: FloatArray, position: float, weights: FloatArray) -> float:
    """Value of a curve between its points, by a polynomial through six of them."""
    first = _weights(position, heights.size, weights)
    total = 0.0
    for i in range(_STENCIL):
        total += weights[i] * heights[first + i]
    return total


@jit
def peaks(heights: FloatArray, margin: float, position: FloatArray, height: FloatArray) -> None:
    """Highest point of curves between their even points, by golden sections.

    Parameters
    ----------
    heights : toys x points
    margin : float
        Peaks whose highest point is this much lower than the best one are left out.
    position, height : toys
        Results; the position in points.
    """
    weights = np.empty(_STENCIL)
    last = heights.shape[1] - 1
    for t in range(heights.shape[0]):
        own = heights[t]
        highest = own.max()
        best, where = -np.inf, 0.0
        for j in range(last + 1):
            if own[j] < highest - margin:
                continue
            if (j > 0 and own[j - 1] > own[j]) or (j < last and own[j + 1] > own[j]):
                continue
            if own[j] > best:
                best, where = own[j], float(j)
            left, right = float(max(j - 1, 0)), float(min(j + 1, last))
            inner = left + _GOLDEN * (right - left)
            outer = right - _GOLDEN * (right - left)
            at_inner = _between(own, inner, weights)
            at_outer = _between(own, outer, weights)
            while right - left > 1e-7:
                if at_inner >= at_outer:
                    right, outer, at_outer = outer, inner, at_inner
                    inner = left + _GOLDEN * (right - left)
                    at_inner = _between(own, inner, weights)
                else:
                    left, inner, at_inner = inner, outer, at_outer
                    outer = right - _GOLDEN * (right - left)
                    at_outer = _between(own, outer, weights)
            if at_inner > best:
                best, where = at_inner, inner
        position[t], height[t] = where, best


@jit
def peak_ends(
    heights: FloatArray, level: FloatArray, position: FloatArray, ends: FloatArray
) -> None:
    """Outermost positions at which curves are at least as high as a level.

    Parameters
    ----------
    heights : toys x points
    level, position : toys
        Not higher than the peak, and where the peak is.
    ends : toys x 2
        Results, in points.
    """
    weights = np.empty(_STENCIL)
    last = heights.shape[1] - 1
    for t in range(heights.shape[0]):
        own = heights[t]
        for side in range(2):
            step = 1 if side == 0 else -1
            j = 0 if side == 0 else last
            while 0 <= j <= last and own[j] < level[t]:
                j += step
            inside = float(j)
            # A peak between two points that are both lower.
            if (position[t] - inside) * step < 0.0:
                inside = position[t]
            if (side == 0 and j == 0) or (side == 1 and j == last):
                ends[t, side] = float(j)
                continue
            outside = float(math.floor(inside) if side == 0 else math.ceil(inside))
            if outside == inside:
                outside -= step
            for _ in range(60):
                middle = 0.5 * (inside + outside)
                if _between(own, middle, weights) >= level[t]:
                    inside = middle
                else:
                    outside = middle
            ends[t, side] = inside
