"""Local minima of chi2 over some couplings, pulls profiled, followed along a path.

mu_b = sum_m prod_c x_c**e[m, c] (C[0, m, b] + sum_k gamma_k C[1 + k, m, b]) are the counts over
their errors, with pulls gamma from their centre c (`fastscan.kernels.pulls`), and

chi2(x) = min over gamma of sum_b (mu_b - d_b)**2 + |gamma - c|**2.

With r_b half the slope of chi2 by mu_b, and half its second derivative one, the derivatives by the
couplings at the fitted pulls are, T the columns by which gamma changes bins and constraints, Q R
its factors, J_i the change of the bins by coupling i, and P what Q leaves,

    g_i  = r . J_i
    S_ij = P J_i . P J_j - (Q^T J_i) . z_j - z_i . (Q^T J_j) - z_i . z_j + r . mu_ij
    z_i  = R^-T (r . t_1i, ..., r . t_Ki)

for half the gradient and half the Hessian of the profiled chi2: no large terms cancel where pulls
take a signal away. Bins that hold counts, whose ``data`` and ``centre`` are the data and constraint
of `fastscan.kernels.counted`, have other slopes and weights.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.counted import counted_fit, counted_slopes, profiled_derivatives
from fastscan.kernels.eigenvectors import diagonalise
from fastscan.kernels.monomials import add_monomials, by_coupling
from fastscan.kernels.pulls import reflect, rotate

__all__ = ["follow"]

FloatArray = np.ndarray

# Newton steps of one descent; few need more than thirty.
_STEPS = 200
# A descent has ended where a step can lower chi2 by no more than this part of 1 + chi2.
_SETTLED = 1e-14
# Curvatures, in units of those of the squares of slopes, that count as none, and as downward.
_FLAT = 1e-13
_DOWNWARD = -1e-7
# Couplings smaller than this may be zero.
_ZERO = 1e-6
# Basins closer than this part of 1 + |x| are one.
_SAME = 1e-4


@jit
def _fit(
    predicted: FloatArray,
    centre: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    heads: FloatArray,
    order: FloatArray,
    shrink: FloatArray,
    right: FloatArray,
    pulls: FloatArray,
) -> float:
    """Chi2 and the pulls from their centre that minimise it; see `fastscan.kernels.pulls`."""
    if data.ndim == 2:
        return counted_fit(predicted, centre, data, columns, right, pulls)
    return _least_squares(predicted, centre, data, columns, heads, order, shrink, right, pulls)


@jit
def _least_squares(
    predicted: FloatArray,
    centre: FloatArray,
    data: FloatArray,
    columns: FloatArray,
    heads: FloatArray,
    order: FloatArray,
    shrink: FloatArray,
    right: FloatArray,
    pulls: FloatArray,
) -> float:
    count, bins = centre.size, data.size
    for b in range(bins):
        right[b] = data[b] - predicted[0, b]
    for k in range(count):
        largest = 1.0
        for b in range(bins):
            largest = max(largest, abs(predicted[1 + k, b]))
        shrink[k] = 1.0 / largest
        for b in range(bins):
            columns[k, b] = predicted[1 + k, b] * shrink[k]
        columns[k, bins:] = 0.0
        columns[k, bins + k] = shrink[k]
        right[bins + k] = centre[k]
        order[k] = k
    reflect(columns, heads, order)
    rotate(columns, heads, right)
    chi2 = 0.0
    for i in range(count, bins + count):
        chi2 += right[i] * right[i]
    for k in range(count - 1, -1, -1):
        rest = right[k]
        for j in range(k + 1, count):
            rest -= columns[j, k] * right[j]
        right[k] = rest / columns[k, k]
    for k in range(count):
        pulls[order[k]] = right[k] * shrink[order[k]]
    return chi2


@jit
def _descend(
    x: FloatArray,
    layers: FloatArray,
    exponents: FloatArray,
    data: FloatArray,
    centre: FloatArray,
    free: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
) -> float:
    """Damped Newton steps from x to a local minimum over the free couplings, in place; its chi2."""
    count, bins, n = layers.shape[0] - 1, layers.shape[2], free.size
    monomials = exponents.shape[0]
    highest = 0
    for e in exponents.ravel():
        highest = max(highest, e)
    powers = np.empty((x.size, highest + 1))
    predicted = np.empty((1 + count, bins))
    # More than Gaussian bins need: inequalities of the others have columns, too.
    columns, heads = np.empty((count, 2 * (bins + count) + centre.shape[0])), np.empty(count)
    if data.ndim == 1:
        columns = np.empty((count, bins + count))
    order, shrink = np.empty(count, np.int64), np.empty(count)
    right, pulls = np.empty(bins + count), np.empty(count)
    change, along = np.empty((n, bins + count)), np.empty((n, count))
    tilt = np.empty(1 + count)
    by_monomial = np.empty((1 + count, monomials))
    moved = np.empty(bins)
    gradient, slope, size = np.empty(n), np.empty(n), np.empty(n)
    hessian, turned, vectors = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    step, trial = np.empty(n), x.copy()
    held = np.empty(n, np.bool_)
    damping = 0.0
    idle = 0
    add_monomials(x, layers, exponents, powers, predicted)
    chi2 = _fit(predicted, centre, data, columns, heads, order, shrink, right, pulls)
    for _ in range(_STEPS if n > 0 else 0):
        if data.ndim == 2:
            _counted_derivatives(
                layers, exponents, data, centre, free, powers, predicted, right, pulls,
                gradient, hessian, size,
            )  # fmt: skip
        else:
            # r, and the change of the bins by each free coupling.
            for b in range(bins):
                total = predicted[0, b] - data[b]
                for k in range(count):
                    total += pulls[k] * predicted[1 + k, b]
                right[b] = total
            change[:] = 0.0
            for m in range(monomials):
                for layer in range(1 + count):
                    total = 0.0
                    for b in range(bins):
                        total += right[b] * layers[layer, m, b]
                    by_monomial[layer, m] = total
                for k in range(count):
                    by_monomial[0, m] += pulls[k] * by_monomial[1 + k, m]
                for b in range(bins):
                    moved[b] = layers[0, m, b]
                for k in range(count):
                    for b in range(bins):
                        moved[b] += pulls[k] * layers[1 + k, m, b]
                for i in range(n):
                    if exponents[m, free[i]] == 0:
                        continue
                    derivative = by_coupling(exponents, powers, m, free[i], -1)
                    for b in range(bins):
                        change[i, b] += derivative * moved[b]
            for i in range(n):
                tilt[:] = 0.0
                for m in range(monomials):
                    if exponents[m, free[i]] > 0:
                        derivative = by_coupling(exponents, powers, m, free[i], -1)
                        for layer in range(1 + count):
                            tilt[layer] += derivative * by_monomial[layer, m]
                gradient[i] = tilt[0]
                rotate(columns, heads, change[i])
                for k in range(count):
                    rest = shrink[order[k]] * tilt[1 + order[k]]
                    for j in range(k):
                        rest -= columns[k, j] * along[i, j]
                    along[i, k] = rest / columns[k, k]
            for i in range(n):
                for j in range(i + 1):
                    total = 0.0
                    for b in range(count, bins + count):
                        total += change[i, b] * change[j, b]
                    if i == j:
                        size[i] = total
                    for k in range(count):
                        total -= change[i, k] * along[j, k] + along[i, k] * change[j, k]
                        total -= along[i, k] * along[j, k]
                    for m in range(monomials):
                        if exponents[m, free[i]] > 0 and exponents[m, free[j]] > 0:
                            total += by_monomial[0, m] * by_coupling(
                                exponents, powers, m, free[i], free[j]
                            )
                    hessian[i, j] = total
                    hessian[j, i] = total
        # In units in which the squares of slopes are one.
        for i in range(n):
            c = free[i]
            held[i] = (x[c] <= lower[c] and gradient[i] >= 0.0) or (
                x[c] >= upper[c] and gradient[i] <= 0.0
            )
            size[i] = math.sqrt(max(size[i], abs(hessian[i, i])))
            if not size[i] > 1e-150:
                size[i] = 1.0
        for i in range(n):
            slope[i] = 0.0 if held[i] else gradient[i] / size[i]
            for j in range(n):
                if held[i] or held[j]:
                    turned[i, j] = 1.0 if i == j else 0.0
                else:
                    turned[i, j] = hessian[i, j] / (size[i] * size[j])
        diagonalise(turned, vectors)
        lowest, decrement = 0, 0.0
        for v in range(n):
            total = 0.0
            for i in range(n):
                total += vectors[i, v] * slope[i]
            gradient[v] = total
            decrement += total * total / max(abs(turned[v, v]), _FLAT)
            if turned[v, v] < turned[lowest, lowest]:
                lowest = v
        saddle = decrement <= _SETTLED * (1.0 + chi2)
        if saddle and turned[lowest, lowest] > _DOWNWARD:
            break
        before, better = chi2, False
        for attempt in range(40):
            if saddle:
                # As zero is of a coupling that enters squared: off it, to either side.
                length = math.ldexp(1.0 - 2.0 * (attempt % 2), -(attempt // 2))
                for i in range(n):
                    step[i] = length * vectors[i, lowest] / size[i]
            else:
                step[:] = 0.0
                for v in range(n):
                    length = gradient[v] / (max(abs(turned[v, v]), _FLAT) + damping)
                    for i in range(n):
                        step[i] -= length * vectors[i, v] / size[i]
                longest = 1.0
                for i in range(n):
                    longest = max(longest, abs(step[i]) / (4.0 * (1.0 + abs(x[free[i]]))))
                for i in range(n):
                    step[i] /= longest
            for i in range(n):
                c = free[i]
                trial[c] = min(max(x[c] + step[i], lower[c]), upper[c])
            add_monomials(trial, layers, exponents, powers, predicted)
            chi2 = _fit(predicted, centre, data, columns, heads, order, shrink, right, pulls)
            if chi2 < before:
                better = True
                for c in free:
                    x[c] = trial[c]
                damping = damping / 8.0 if damping > 1e-6 else 0.0
                break
            damping = max(8.0 * damping, 1e-4)
        if not better:
            chi2 = before
            break
        if before - chi2 <= _SETTLED * (1.0 + chi2):
            idle += 1
            if idle == 3:
                break
    # A coupling that enters squared ends beside zero, where it means zero.
    for i in range(n):
        c = free[i]
        if 0.0 < abs(x[c]) < _ZERO and lower[c] <= 0.0 <= upper[c]:
            trial[:] = x
            trial[c] = 0.0
            add_monomials(trial, layers, exponents, powers, predicted)
            found = _fit(predicted, centre, data, columns, heads, order, shrink, right, pulls)
            if found <= chi2:
                x[c], chi2 = 0.0, found
    return chi2


@jit
def _counted_derivatives(
    layers: FloatArray,
    exponents: FloatArray,
    data: FloatArray,
    constraint: FloatArray,
    free: FloatArray,
    powers: FloatArray,
    predicted: FloatArray,
    expected: FloatArray,
    pulls: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    size: FloatArray,
) -> None:
    """Half of the gradient and Hessian of bins that hold counts, and the squares of slopes."""
    count, bins, n = layers.shape[0] - 1, layers.shape[2], free.size
    rows = np.zeros((1 + n + n * (n + 1) // 2, 1 + count, bins + count))
    slopes, weights = np.empty(bins + count), np.empty(bins + count)
    counted_slopes(predicted, constraint, data, pulls, expected, slopes, weights)
    rows[0, :, :bins] = predicted
    for k in range(count):
        rows[0, 1 + k, bins + k] = 1.0
    for m in range(exponents.shape[0]):
        level = 1 + n
        for i in range(n):
            derivative = by_coupling(exponents, powers, m, free[i], -1)
            if derivative != 0.0:
                rows[1 + i, :, :bins] += derivative * layers[:, m]
            for j in range(i, n):
                if exponents[m, free[i]] > 0 and exponents[m, free[j]] > 0:
                    derivative = by_coupling(exponents, powers, m, free[i], free[j])
                    rows[level, :, :bins] += derivative * layers[:, m]
                level += 1
    profiled_derivatives(rows, pulls, slopes, weights, gradient, hessian, size)


@jit
def follow(
    path: FloatArray,
    rows: FloatArray,
    held: FloatArray,
    layers: FloatArray,
    exponents: FloatArray,
    data: FloatArray,
    centre: FloatArray,
    free: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    mirrors: FloatArray,
    own: FloatArray,
    starts: FloatArray,
    basins: FloatArray,
    chi2: FloatArray,
    number: FloatArray,
) -> None:
    """Find local minima over the free couplings at the nodes of a path, one node after the other.

    At each node from its own starts and from every basin of the node before; what is already known
    of it stays, so that a path can be followed from both sides. Of more basins than there is room
    for the lowest are kept.

    Parameters
    ----------
    path : nodes
        The order in which they are gone through.
    rows : nodes
        Row of ``layers`` and of the bounds that belongs to each.
    held : nodes x couplings
        Values of the couplings that are not free.
    layers : rows x (1 + pulls) x monomials x bins
        C, layer 0 with the pulls at minus their centre.
    exponents : monomials x couplings
    data : bins
    centre : pulls
    free : columns of the free couplings
    lower, upper : rows x couplings
    mirrors, own : mirrors x couplings, mirrors
        Signs that change no count; that of the column ``own`` is made positive.
    starts : nodes x starts x couplings
        Values of the free couplings; NaN takes that of the lowest basin found so far, and a start
        of NaN alone is none.
    basins : nodes x room x couplings
    chi2 : nodes x room
    number : nodes
        Of basins of each node; zero at first.
    """
    room = basins.shape[1]
    x = np.empty(held.shape[1])
    for place in range(path.size):
        node = path[place]
        before = path[place - 1] if place > 0 else -1
        known = number[before] if place > 0 else 0
        row = rows[node]
        for start in range(known + starts.shape[1]):
            x[:] = held[node]
            for i in range(free.size):
                c = free[i]
                if start < known:
                    x[c] = basins[before, start, c]
                else:
                    x[c] = starts[node, start - known, c]
            if start >= known:
                # What a start leaves open is that of the lowest basin so far.
                open_ones, best = 0, 0
                for other in range(number[node]):
                    if chi2[node, other] < chi2[node, best]:
                        best = other
                for c in free:
                    if math.isnan(x[c]):
                        open_ones += 1
                        x[c] = basins[node, best, c] if number[node] > 0 else 0.0
                if open_ones == free.size and open_ones > 0:
                    continue
            for c in free:
                x[c] = min(max(x[c], lower[row, c]), upper[row, c])
            found = _descend(x, layers[row], exponents, data, centre, free, lower[row], upper[row])
            for mirror in range(own.size):
                if x[own[mirror]] < 0.0:
                    x *= mirrors[mirror]
            into, worst = -1, 0
            for other in range(number[node]):
                near = True
                for i in range(free.size):
                    c = free[i]
                    if abs(x[c] - basins[node, other, c]) > _SAME * (1.0 + abs(x[c])):
                        near = False
                        break
                if near:
                    into = other
                    break
                if chi2[node, other] > chi2[node, worst]:
                    worst = other
            if into < 0:
                if number[node] < room:
                    into = number[node]
                    number[node] += 1
                    chi2[node, into] = np.inf
                else:
                    into = worst
            if found < chi2[node, into]:
                chi2[node, into] = found
                basins[node, into] = x
