"""The chi2 of counted bins with their pulls profiled: Newton's method on a convex domain.

With y_b = r_b + sum_k x_k s_kb the counts over their units sigma, n_b = sigma_b d_b of them seen,

    chi2(x) = sum over Poisson bins of 2 (sigma y - n + n ln(n / (sigma y)))
            + sum over Gaussian bins of (y - d)**2 + |P (M x - c)|**2,

P leaving out pulls that are free. It is convex in x, and self-concordant for n >= 1/2: a step of
Newton's method whose decrement l is small leaves chi2 within l**4 of its minimum. The domain is
{x: F_0 + F x >= 0, y >= 0 in Poisson bins}, see `fastscan.counts.counts`. Where n > 0, -n ln y
keeps y positive by itself; all else are linear inequalities, and each step is the quadratic program
that they bound (Goldfarb and Idnani, Math. Programming 27 (1983) 1).

The problem is given as two arrays, so that kernels of Gaussian bins can take it in their place:

data : 3 x bins
    d, sigma, and 1 where a bin is Poisson.
constraint : (pulls + floors + 1) x (1 + pulls)
    Rows [c, M] times P, then [F_0, F], then [0, x] with x the pulls at zero.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = [
    "counted_chi2",
    "counted_fit",
    "counted_scratch",
    "counted_slopes",
    "counted_vectors",
    "derivative_terms",
    "profiled_derivatives",
]

FloatArray = np.ndarray

# Steps of one fit, at most: signals of 1e20 take some ten to come down.
_STEPS = 200
# A fit has ended with the step whose squared decrement is below this part of 1 + chi2, and is then
# within its square of the minimum.
_SETTLED = 1e-8
# Decrements up to which Newton's step needs no second thought.
_NEAR = 0.05
# Of the way to where a bin with counts would expect none.
_INSIDE = 0.99
# Slacks that are rounding, of the sizes of their terms.
_ROUNDING = 1e-13
# What rounding leaves of a square, of its terms.
_FLAT = 1e-13
# Curvature that a free pull is given, as it may have none without counts in its bins, or none of
# its own beside others: in parts of what counts give it, or would give it where there are none. It
# ends on its bound in one step.
_PROXIMAL = 1e-6


@jit
def counted_scratch(constraint: FloatArray, data: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Memory for `counted_fit`: the scaled columns and inequalities, and the fitted counts."""
    pulls = constraint.shape[1] - 1
    rows = constraint.shape[0] + data.shape[1]
    return np.empty((pulls, data.shape[1] + rows)), np.empty(data.shape[1])


@jit
def _deviance(data: FloatArray, b: int, y: float) -> float:
    """What a bin adds to chi2 at expected counts y over its unit."""
    off: float = y - data[0, b]
    if data[2, b] == 0.0:
        return off * off
    expected, seen = data[1, b] * y, data[1, b] * data[0, b]
    total: float = 2.0 * max(expected, 0.0)
    if seen == 0.0:
        return total
    if not expected > 0.0:
        return math.inf
    off = (expected - seen) / seen
    # Nearby the logarithm cancels its argument.
    total = 2.0 * seen * (off - math.log1p(off))
    return total


@jit
def _chi2(
    x: FloatArray,
    point: FloatArray,
    columns: FloatArray,
    shrink: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    y: FloatArray,
) -> float:
    """Chi2 at scaled pulls x, and the counts y there."""
    pulls, bins = x.size, data.shape[1]
    total = 0.0
    for b in range(bins):
        y[b] = point[0, b]
    for k in range(pulls):
        z = x[k]
        for b in range(bins):
            y[b] += z * columns[k, b]
    for b in range(bins):
        total += _deviance(data, b, y[b])
    for j in range(pulls):
        rest = -constraint[j, 0]
        for k in range(pulls):
            rest += constraint[j, 1 + k] * shrink[k] * x[k]
        total += rest * rest
    return total


@jit
def _solve_lower(lower: FloatArray, size: int, right: FloatArray) -> None:
    for i in range(size):
        rest = right[i]
        for j in range(i):
            rest -= lower[i, j] * right[j]
        right[i] = rest / lower[i, i]


@jit
def _solve_upper(lower: FloatArray, size: int, right: FloatArray) -> None:
    for i in range(size - 1, -1, -1):
        rest = right[i]
        for j in range(i + 1, size):
            rest -= lower[j, i] * right[j]
        right[i] = rest / lower[i, i]


@jit
def _factor(matrix: FloatArray, size: int) -> None:
    """Cholesky factor in place, below the diagonal; what nothing curves is curved a little."""
    for i in range(size):
        largest = matrix[i, i]
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                matrix[i, i] = math.sqrt(max(total, _FLAT * largest, 1e-300))
            else:
                matrix[i, j] = total / matrix[j, j]


@jit
def _whitened(
    lower: FloatArray,
    normals: FloatArray,
    active: FloatArray,
    count: int,
    white: FloatArray,
    gram: FloatArray,
) -> None:
    """Normals of active bounds where H is one, and the Cholesky factor of their products."""
    pulls = normals.shape[1]
    for a in range(count):
        for k in range(pulls):
            white[a, k] = normals[active[a], k]
        _solve_lower(lower, pulls, white[a])
        for c in range(a + 1):
            total = 0.0
            for k in range(pulls):
                total += white[a, k] * white[c, k]
            gram[a, c] = total
    _factor(gram, count)


@jit
def _bounded_step(
    lower: FloatArray,
    gradient: FloatArray,
    normals: FloatArray,
    slacks: FloatArray,
    sizes: FloatArray,
    step: FloatArray,
) -> None:
    """Minimise gradient . d + d H d / 2 with normals . d + slacks >= 0.

    ``lower`` is the Cholesky factor of H, ``normals`` is bounds x pulls.
    """
    bounds, pulls = normals.shape
    for k in range(pulls):
        step[k] = -gradient[k]
    _solve_lower(lower, pulls, step)
    _solve_upper(lower, pulls, step)
    # Most often no bound is in the way.
    inside = True
    for i in range(bounds):
        slack, size = slacks[i], sizes[i]
        for k in range(pulls):
            slack += normals[i, k] * step[k]
            size += abs(normals[i, k] * step[k])
        if slack < -_ROUNDING * size:
            inside = False
            break
    if inside:
        return
    active = np.empty(pulls + 1, np.int64)
    count = 0
    weight = np.zeros(pulls + 1)
    white = np.empty((pulls + 1, pulls))
    gram, ratio = np.empty((pulls + 1, pulls + 1)), np.empty(pulls + 1)
    own, direction = np.empty(pulls), np.empty(pulls)
    for _ in range(20 * (bounds + pulls)):
        worst, new = 0.0, -1
        for i in range(bounds):
            slack, size = slacks[i], sizes[i]
            for k in range(pulls):
                slack += normals[i, k] * step[k]
                size += abs(normals[i, k] * step[k])
            taken = False
            for a in range(count):
                taken = taken or active[a] == i
            if not taken and slack < -_ROUNDING * size and slack / size < worst:
                worst, new = slack / size, i
        if new < 0:
            break
        gained = 0.0
        for k in range(pulls):
            own[k] = normals[new, k]
        _solve_lower(lower, pulls, own)
        entered = False
        for _ in range(2 * pulls + 2):
            # In coordinates in which H is one: the part of the normal that no active one has.
            _whitened(lower, normals, active, count, white, gram)
            for a in range(count):
                total = 0.0
                for k in range(pulls):
                    total += white[a, k] * own[k]
                ratio[a] = total
            _solve_lower(gram, count, ratio)
            _solve_upper(gram, count, ratio)
            length, whole = 0.0, 0.0
            for k in range(pulls):
                direction[k] = own[k]
                for a in range(count):
                    direction[k] -= ratio[a] * white[a, k]
                length += direction[k] * direction[k]
                whole += own[k] * own[k]
            slack = slacks[new]
            for k in range(pulls):
                slack += normals[new, k] * step[k]
            most, dropped = np.inf, -1
            for a in range(count):
                if ratio[a] > 0.0 and weight[a] / ratio[a] < most:
                    most, dropped = weight[a] / ratio[a], a
            along = -slack / length if length > 1e-12 * whole else np.inf
            take = min(most, along)
            if not take < np.inf:
                # Rounding alone contradicts: what is there is as good as can be.
                entered = False
                break
            if along < np.inf:
                _solve_upper(lower, pulls, direction)
                for k in range(pulls):
                    step[k] += take * direction[k]
            for a in range(count):
                weight[a] -= take * ratio[a]
            gained += take
            if take == along:
                active[count], weight[count] = new, gained
                count += 1
                entered = True
                break
            for a in range(dropped, count - 1):
                active[a], weight[a] = active[a + 1], weight[a + 1]
            count -= 1
        if not entered:
            break
    # Long steps that were cut short are off their bounds by rounding.
    _whitened(lower, normals, active, count, white, gram)
    for a in range(count):
        ratio[a] = -slacks[active[a]]
        for k in range(pulls):
            ratio[a] -= normals[active[a], k] * step[k]
    _solve_lower(gram, count, ratio)
    _solve_upper(gram, count, ratio)
    for k in range(pulls):
        direction[k] = 0.0
        for a in range(count):
            direction[k] += ratio[a] * white[a, k]
    _solve_upper(lower, pulls, direction)
    for k in range(pulls):
        step[k] += direction[k]


@jit
def _start(
    x: FloatArray,
    point: FloatArray,
    columns: FloatArray,
    shrink: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    y: FloatArray,
) -> float:
    """Pulls of zero; where bins with counts expect none there, those moved that can help."""
    pulls, bins = x.size, data.shape[1]
    last = constraint.shape[0] - 1
    for k in range(pulls):
        x[k] = constraint[last, 1 + k] / shrink[k]
    chi2 = _chi2(x, point, columns, shrink, constraint, data, y)
    for attempt in range(60):
        if chi2 < np.inf:
            break
        # Ever smaller, so that no other bin is left without any.
        for k in range(pulls):
            along, size = 0.0, 0.0
            for b in range(bins):
                size = max(size, abs(columns[k, b]))
                if data[2, b] > 0.0 and data[0, b] > 0.0 and not y[b] > 0.0:
                    along += columns[k, b]
            if size > 0.0:
                x[k] += math.ldexp(along / (bins * size), -attempt) / shrink[k]
        chi2 = _chi2(x, point, columns, shrink, constraint, data, y)
    return chi2


@jit
def counted_fit(
    point: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    y: FloatArray,
    pulls: FloatArray,
) -> float:
    """Chi2 of one point, its pulls x filled, and the counts y there.

    Infinite where a bin with counts expects none at any pulls.

    Parameters
    ----------
    point : (1 + pulls) x bins
        r and s, over the units.
    constraint, data
        See above.
    columns, y : from `counted_scratch`
    pulls : pulls or more
    """
    count, bins = constraint.shape[1] - 1, data.shape[1]
    floors = constraint.shape[0] - count - 1
    shrink, x, trial = np.empty(count), np.empty(count), np.empty(count)
    gradient, step = np.empty(count), np.empty(count)
    hessian = np.empty((count, count))
    for k in range(count):
        largest = 1.0
        for b in range(bins):
            largest = max(largest, abs(point[1 + k, b]))
        # Columns of like length: squares of huge counts would overflow.
        shrink[k] = 1.0 / largest
        for b in range(bins):
            columns[k, b] = point[1 + k, b] * shrink[k]
    for b in range(bins):
        if data[2, b] > 0.0 and data[0, b] > 0.0:
            some = point[0, b] > 0.0
            for k in range(count):
                some = some or point[1 + k, b] != 0.0
            if not some:
                pulls[:count] = constraint[constraint.shape[0] - 1, 1:]
                return np.inf
    chi2 = _start(x, point, columns, shrink, constraint, data, y)
    empty = 0
    for b in range(bins):
        if data[2, b] > 0.0 and data[0, b] == 0.0:
            empty += 1
    normals = np.empty((floors + empty, count))
    slacks, sizes = np.empty(floors + empty), np.empty(floors + empty)
    for i in range(floors):
        for k in range(count):
            normals[i, k] = constraint[count + i, 1 + k] * shrink[k]
    i = floors
    for b in range(bins):
        if data[2, b] > 0.0 and data[0, b] == 0.0:
            for k in range(count):
                normals[i, k] = columns[k, b]
            i += 1
    for steps in range(_STEPS if count > 0 and chi2 < np.inf else 0):
        for k in range(count):
            gradient[k] = 0.0
            for j in range(count):
                hessian[k, j] = 0.0
        for j in range(count):
            rest = -constraint[j, 0]
            for k in range(count):
                rest += constraint[j, 1 + k] * shrink[k] * x[k]
            for k in range(count):
                own = constraint[j, 1 + k] * shrink[k]
                gradient[k] += 2.0 * own * rest
                for m in range(k + 1):
                    hessian[k, m] += 2.0 * own * constraint[j, 1 + m] * shrink[m]
        for b in range(bins):
            slope, weight = derivative_terms(data, b, y[b])
            for k in range(count):
                own = columns[k, b]
                gradient[k] += 2.0 * slope * own
                own *= 2.0 * weight
                for m in range(k + 1):
                    hessian[k, m] += own * columns[m, b]
        for k in range(count):
            if constraint[k, 1 + k] == 0.0:
                own = hessian[k, k]
                for b in range(bins):
                    if data[2, b] > 0.0 and data[0, b] == 0.0:
                        events = max(data[1, b] * y[b], 1.0)
                        own += (data[1, b] * columns[k, b]) ** 2 / events
                hessian[k, k] += _PROXIMAL * own
        for i in range(floors):
            slacks[i] = constraint[count + i, 0]
            sizes[i] = abs(slacks[i])
            for k in range(count):
                slacks[i] += normals[i, k] * x[k]
                sizes[i] += abs(normals[i, k] * x[k])
        i = floors
        for b in range(bins):
            if data[2, b] > 0.0 and data[0, b] == 0.0:
                slacks[i] = y[b]
                sizes[i] = abs(point[0, b])
                for k in range(count):
                    sizes[i] += abs(columns[k, b] * x[k])
                i += 1
        outside = False
        for i in range(slacks.size):
            outside = outside or slacks[i] < -_ROUNDING * sizes[i]
        _factor(hessian, count)
        _bounded_step(hessian, gradient, normals, slacks, sizes, step)
        decrement = 0.0
        for k in range(count):
            decrement -= gradient[k] * step[k]
        if not (decrement > 0.0 or outside):
            break
        # Bins with counts are left with some.
        length = 1.0
        for b in range(bins):
            if data[2, b] > 0.0 and data[0, b] > 0.0:
                change = 0.0
                for k in range(count):
                    change += columns[k, b] * step[k]
                if -change * length > _INSIDE * y[b]:
                    length = -_INSIDE * y[b] / change
        before = chi2
        for _ in range(60):
            for k in range(count):
                trial[k] = x[k] + length * step[k]
            chi2 = _chi2(trial, point, columns, shrink, constraint, data, y)
            if chi2 <= before - 1e-4 * length * decrement or (decrement <= _NEAR and steps < 40):
                break
            length *= 0.5
        if not chi2 < before and decrement > _NEAR:
            # No way down: rounding.
            chi2 = _chi2(x, point, columns, shrink, constraint, data, y)
            break
        for k in range(count):
            x[k] = trial[k]
        if decrement <= _SETTLED * (1.0 + chi2) and length == 1.0 and not outside:
            break
    for k in range(count):
        pulls[k] = x[k] * shrink[k]
    return chi2


@jit
def derivative_terms(data: FloatArray, b: int, y: float) -> tuple[float, float]:
    """Half of the first and second derivative of what a bin adds to chi2, by its counts y."""
    if data[2, b] == 0.0:
        return y - data[0, b], 1.0
    seen = data[1, b] * data[0, b]
    if seen == 0.0:
        return data[1, b], 0.0
    return data[1, b] - seen / y, seen / y / y


@jit
def counted_chi2(
    layers: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    pulls: FloatArray,
    expected: FloatArray,
) -> None:
    """Fill chi2, the fitted pulls x and the counts there over the units, at each point.

    Parameters
    ----------
    layers : points x (1 + pulls) x bins
    constraint, data
        See above.
    chi2, pulls, expected : points, points x pulls, points x bins
    """
    columns, _ = counted_scratch(constraint, data)
    for p in range(layers.shape[0]):
        chi2[p] = counted_fit(layers[p], constraint, data, columns, expected[p], pulls[p])


@jit
def counted_slopes(
    point: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    pulls: FloatArray,
    y: FloatArray,
    slopes: FloatArray,
    weights: FloatArray,
) -> None:
    """Half of the derivatives of the profiled chi2 by the counts, and by the pulls' own values.

    Where a bound holds the pulls, its multiplier is a part of the slopes: without it the envelope
    theorem would not hold.

    Parameters
    ----------
    point, constraint, data, pulls, y
        As `counted_fit` took and left them.
    slopes, weights : bins + pulls
        First and second derivatives; of a pull those of its constraint, in a constraint that is
        diagonal.
    """
    count, bins = constraint.shape[1] - 1, data.shape[1]
    floors = constraint.shape[0] - count - 1
    gradient = np.zeros(count)
    for b in range(bins):
        slopes[b], weights[b] = derivative_terms(data, b, y[b])
        for k in range(count):
            gradient[k] += slopes[b] * point[1 + k, b]
    for k in range(count):
        own = constraint[k, 1 + k]
        slopes[bins + k] = own * (own * pulls[k] - constraint[k, 0])
        weights[bins + k] = own * own
        gradient[k] += slopes[bins + k]
    # Bounds that hold: their normals make the gradient.
    found = np.empty(count, np.int64)
    normals = np.empty((count, count))
    number = 0
    for i in range(floors + bins):
        if number == count:
            break
        if i < floors:
            slack = constraint[count + i, 0]
            size = abs(slack)
            for k in range(count):
                normals[number, k] = constraint[count + i, 1 + k]
                slack += normals[number, k] * pulls[k]
                size += abs(normals[number, k] * pulls[k])
        else:
            b = i - floors
            if data[2, b] == 0.0 or data[0, b] > 0.0:
                continue
            slack, size = y[b], abs(point[0, b])
            for k in range(count):
                normals[number, k] = point[1 + k, b]
                size += abs(normals[number, k] * pulls[k])
        if not slack <= 1e-9 * size:
            continue
        length = 0.0
        for k in range(count):
            length += normals[number, k] ** 2
        if length > 0.0:
            found[number] = i
            number += 1
    if number == 0:
        return
    # In units of the pulls' own columns.
    unit = np.empty(count)
    for k in range(count):
        unit[k] = constraint[k, 1 + k] ** 2
        for b in range(bins):
            unit[k] += (weights[b] + 1e-6) * point[1 + k, b] ** 2
        unit[k] = max(unit[k], 1e-300)
    gram, right = np.empty((count, count)), np.empty(count)
    for a in range(number):
        right[a] = 0.0
        for k in range(count):
            right[a] += normals[a, k] * gradient[k] / unit[k]
        for c in range(a + 1):
            gram[a, c] = 0.0
            for k in range(count):
                gram[a, c] += normals[a, k] * normals[c, k] / unit[k]
    _factor(gram, number)
    _solve_lower(gram, number, right)
    _solve_upper(gram, number, right)
    for a in range(number):
        if not right[a] > 0.0:
            continue
        if found[a] >= floors:
            slopes[found[a] - floors] -= right[a]
        else:
            for k in range(count):
                slopes[bins + k] -= right[a] * constraint[count + found[a], 1 + k]


@jit
def profiled_derivatives(
    rows: FloatArray,
    pulls: FloatArray,
    slopes: FloatArray,
    weights: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    size: FloatArray,
) -> None:
    """Half of the gradient and Hessian of the profiled chi2 by some coordinates.

    Parameters
    ----------
    rows : levels x (1 + pulls) x (bins + pulls)
        Counts and columns, then their derivatives by each coordinate, then second derivatives in
        the order of the upper triangle; in the last components the pulls' own values.
    pulls : pulls or more
    slopes, weights : bins + pulls
        From `counted_slopes`.
    gradient, hessian, size
        Results; size holds the squares of slopes alone, pulls profiled.
    """
    count, n, coordinates = rows.shape[1] - 1, rows.shape[2], gradient.size
    moved = np.empty((coordinates, n))
    mixed = np.empty((coordinates, count))
    square = np.empty((count, count))
    for k in range(count):
        for j in range(k + 1):
            total = 0.0
            for b in range(n):
                total += weights[b] * rows[0, 1 + k, b] * rows[0, 1 + j, b]
            square[k, j] = total
    _factor(square, count)
    for i in range(coordinates):
        total = 0.0
        for b in range(n):
            own = rows[1 + i, 0, b]
            for k in range(count):
                own += pulls[k] * rows[1 + i, 1 + k, b]
            moved[i, b] = own
            total += slopes[b] * own
        gradient[i] = total
        for k in range(count):
            total = 0.0
            for b in range(n):
                total += weights[b] * moved[i, b] * rows[0, 1 + k, b]
                total += slopes[b] * rows[1 + i, 1 + k, b]
            mixed[i, k] = total
        _solve_lower(square, count, mixed[i])
    level = 1 + coordinates
    for i in range(coordinates):
        for j in range(i, coordinates):
            total, bend = 0.0, 0.0
            for b in range(n):
                total += weights[b] * moved[i, b] * moved[j, b]
                own = rows[level, 0, b]
                for k in range(count):
                    own += pulls[k] * rows[level, 1 + k, b]
                bend += slopes[b] * own
            along = 0.0
            for k in range(count):
                along += mixed[i, k] * mixed[j, k]
            if i == j:
                size[i] = total
            hessian[i, j] = total + bend - along
            hessian[j, i] = hessian[i, j]
            level += 1


@jit
def counted_vectors(
    layers: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    vectors: FloatArray,
    chi2: FloatArray,
    pulls: FloatArray,
    expected: FloatArray,
) -> None:
    """As `counted_chi2` for many data vectors, at one point each.

    Parameters
    ----------
    layers : (1 or vectors) x (1 + pulls) x bins
    constraint, data
        Of the data that were seen.
    vectors : vectors x (bins + pulls)
        Counts over their units, and the measured pulls.
    chi2, pulls, expected : vectors, vectors x pulls, vectors x bins
    """
    columns, _ = counted_scratch(constraint, data)
    own, seen = constraint.copy(), data.copy()
    bins = data.shape[1]
    for v in range(vectors.shape[0]):
        seen[0] = vectors[v, :bins]
        for k in range(constraint.shape[1] - 1):
            own[k, 0] = vectors[v, bins + k] * constraint[k, 1 + k]
        point = layers[v if layers.shape[0] > 1 else 0]
        chi2[v] = counted_fit(point, own, seen, columns, expected[v], pulls[v])
