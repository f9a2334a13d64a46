"""Fits of a few coordinates to data vectors some of whose bins hold counts.

Coordinates are those of `fastscan.kernels.profiles`: a place among the rows of a table, and angles
of couplings. Chi2 is estimated at every node of a lattice, and taken down from each node that is
lower than its neighbours. The estimate is of second order in the pulls, from where they fit the
data that were seen: a few products of a matrix and the vector. Pulls are counted in their columns,
which shrink as couplings grow.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.counted import (
    counted_fit,
    counted_scratch,
    counted_slopes,
    profiled_derivatives,
)
from fastscan.kernels.eigenvectors import diagonalise
from fastscan.kernels.profiles import dot, spread

__all__ = ["counted_along", "counted_state", "fit_counted", "lattice_chi2", "spread_nodes"]

FloatArray = np.ndarray

# Newton steps of one descent.
_STEPS = 100
# A descent has ended where a step can lower chi2 by no more than this part of 1 + chi2.
_SETTLED = 1e-10
# Curvatures, in units of those of the squares of slopes, that count as none.
_FLAT = 1e-9
# Nodes of a lattice from which a vector is taken down, at most.
_MOST = 8


@jit
def spread_nodes(
    nodes: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    layers: FloatArray,
) -> None:
    """Fill offsets and columns at nodes, shape nodes x (1 + pulls) x (bins + pulls)."""
    for p in range(nodes.shape[0]):
        spread(nodes[p], table, exponents, tops, layers[p : p + 1])


@jit
def _fit(
    row: FloatArray,
    vector: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    own: FloatArray,
    columns: FloatArray,
    y: FloatArray,
    pulls: FloatArray,
) -> float:
    """Chi2 of a vector at offset and columns; ``own`` becomes the constraint of their pulls."""
    count, bins = row.shape[0] - 1, data.shape[1]
    for b in range(bins):
        data[0, b] = max(vector[b], 0.0) if data[2, b] > 0.0 else vector[b]
    last = constraint.shape[0] - 1
    for k in range(count):
        width = row[1 + k, bins + k]
        for i in range(last):
            own[i, 1 + k] = constraint[i, 1 + k] * width
        own[last, 1 + k] = constraint[last, 1 + k] / max(width, 1e-300)
        own[k, 0] = vector[bins + k] * constraint[k, 1 + k]
    for i in range(count, last):
        own[i, 0] = constraint[i, 0]
    return counted_fit(row[:, :bins], own, data, columns, y, pulls)


@jit
def lattice_chi2(
    vector: FloatArray,
    layers: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    chi2: FloatArray,
    mean: FloatArray,
) -> None:
    """Fill chi2 of one vector at all nodes, and what is expected of it there, nodes x n."""
    columns, y = counted_scratch(constraint, data)
    own, seen = np.zeros(constraint.shape), data.copy()
    count, bins = constraint.shape[1] - 1, data.shape[1]
    pulls = np.empty(count)
    for p in range(layers.shape[0]):
        chi2[p] = _fit(layers[p], vector, constraint, seen, own, columns, y, pulls)
        mean[p, :bins] = y
        for k in range(count):
            mean[p, bins + k] = pulls[k] * layers[p, 1 + k, bins + k]


@jit
def _estimate(
    vector: FloatArray,
    constant: FloatArray,
    linear: FloatArray,
    offset: FloatArray,
    slopes: FloatArray,
    out: FloatArray,
) -> None:
    """Chi2 at all nodes, of second order in the pulls, but for what depends on the vector alone."""
    for p in range(out.size):
        total = constant[p] + dot(linear[p], vector)
        for k in range(offset.shape[1]):
            rest = offset[p, k] - dot(slopes[p, k], vector)
            total -= rest * rest
        out[p] = total


@jit
def _descend(
    vector: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    held: FloatArray,
    z: FloatArray,
) -> float:
    """Lowest chi2 of the basin around a point, which moves there."""
    size, bins, count = z.size, data.shape[1], constraint.shape[1] - 1
    rows = np.empty((1 + size + size * (size + 1) // 2, 1 + count, bins + count))
    columns, y = counted_scratch(constraint, data)
    own, seen, pulls = np.zeros(constraint.shape), data.copy(), np.empty(count)
    slopes, weights = np.empty(bins + count), np.empty(bins + count)
    gradient, unit, along = np.empty(size), np.empty(size), np.empty(size)
    hessian, turned, vectors = (
        np.empty((size, size)),
        np.empty((size, size)),
        np.empty((size, size)),
    )
    trial, step = z.copy(), np.empty(size)
    stays = np.empty(size, np.bool_)
    damping = 0.0
    spread(z, table, exponents, tops, rows)
    chi2 = _fit(rows[0], vector, constraint, seen, own, columns, y, pulls)
    for _ in range(_STEPS if size > 0 and chi2 < np.inf else 0):
        counted_slopes(rows[0, :, :bins], own, seen, pulls, y, slopes, weights)
        for k in range(count):
            # By the pull itself, not by what its column makes of it.
            width = rows[0, 1 + k, bins + k]
            slopes[bins + k] /= max(width, 1e-300)
            weights[bins + k] /= max(width, 1e-150) ** 2
        profiled_derivatives(rows, pulls, slopes, weights, gradient, hessian, unit)
        for i in range(size):
            out = (z[i] <= bounds[i, 0] and gradient[i] >= 0.0) or (
                z[i] >= bounds[i, 1] and gradient[i] <= 0.0
            )
            stays[i] = held[i] or out
            unit[i] = math.sqrt(max(unit[i], abs(hessian[i, i])))
            if not unit[i] > 1e-100:
                unit[i] = 1.0
        for i in range(size):
            for j in range(size):
                if stays[i] or stays[j]:
                    turned[i, j] = 1.0 if i == j else 0.0
                else:
                    turned[i, j] = hessian[i, j] / (unit[i] * unit[j])
        diagonalise(turned, vectors)
        decrement = 0.0
        for v in range(size):
            along[v] = 0.0
            for i in range(size):
                if not stays[i]:
                    along[v] += vectors[i, v] * gradient[i] / unit[i]
            decrement += along[v] ** 2 / max(abs(turned[v, v]), _FLAT)
        if not decrement > _SETTLED * (1.0 + chi2):
            break
        before, better = chi2, False
        for _ in range(40):
            for i in range(size):
                step[i] = 0.0
            for v in range(size):
                length = along[v] / (max(abs(turned[v, v]), _FLAT) + damping)
                for i in range(size):
                    step[i] -= length * vectors[i, v] / unit[i]
            for i in range(size):
                if stays[i]:
                    step[i] = 0.0
                trial[i] = min(max(z[i] + step[i], bounds[i, 0]), bounds[i, 1])
            spread(trial, table, exponents, tops, rows)
            chi2 = _fit(rows[0], vector, constraint, seen, own, columns, y, pulls)
            if chi2 < before:
                better = True
                z[:] = trial
                damping = damping / 8.0 if damping > 1e-6 else 0.0
                break
            damping = max(8.0 * damping, 1e-4)
        if not better:
            chi2 = before
            break
    return chi2


@jit
def fit_counted(
    vectors: FloatArray,
    nodes: FloatArray,
    neighbours: FloatArray,
    constant: FloatArray,
    linear: FloatArray,
    offset: FloatArray,
    slopes: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    z: FloatArray,
    chi2: FloatArray,
) -> None:
    """Best fit of each data vector.

    Parameters
    ----------
    vectors : vectors x (bins + pulls)
    nodes, neighbours : nodes x coordinates, nodes x (2 coordinates)
        Of a lattice, and the nodes beside each, -1 for none.
    constant, linear, offset, slopes
        Of the estimate: nodes, nodes x n, nodes x pulls, nodes x pulls x n.
    table, exponents, tops, bounds
        See `fastscan.kernels.descent.descend`.
    constraint, data
        See `fastscan.kernels.counted`.
    z, chi2 : vectors x coordinates, vectors
        Results.
    """
    found = np.empty(nodes.shape[0])
    held = np.zeros(nodes.shape[1], np.bool_)
    taken = np.empty(nodes.shape[0], np.bool_)
    trial = np.empty(nodes.shape[1])
    for v in range(vectors.shape[0]):
        _estimate(vectors[v], constant, linear, offset, slopes, found)
        chi2[v] = np.inf
        for p in range(found.size):
            taken[p] = not found[p] < np.inf
            for q in neighbours[p]:
                if q >= 0 and (found[q] < found[p] or (found[q] == found[p] and q < p)):
                    taken[p] = True
        for _ in range(_MOST):
            best = -1
            for p in range(found.size):
                if not taken[p] and (best < 0 or found[p] < found[best]):
                    best = p
            if best < 0:
                break
            taken[best] = True
            trial[:] = nodes[best]
            lowest = _descend(
                vectors[v], table, exponents, tops, bounds, constraint, data, held, trial
            )
            if lowest < chi2[v]:
                chi2[v] = lowest
                z[v] = trial


@jit
def counted_along(
    vector: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    coordinate: int,
    place: float,
    z: FloatArray,
) -> float:
    """Chi2 with one coordinate at a place, the others taken down from where they are in ``z``."""
    held = np.zeros(z.size, dtype=np.bool_)
    held[coordinate] = True
    z[coordinate] = place
    return _descend(vector, table, exponents, tops, bounds, constraint, data, held, z)


@jit
def counted_state(
    vector: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    constraint: FloatArray,
    data: FloatArray,
    z: FloatArray,
    mean: FloatArray,
) -> None:
    """Fill what is expected of a data vector at a point, the pulls fitted to another one."""
    bins, count = data.shape[1], constraint.shape[1] - 1
    rows = np.empty((1, 1 + count, bins + count))
    columns, y = counted_scratch(constraint, data)
    own, seen, pulls = np.zeros(constraint.shape), data.copy(), np.empty(count)
    spread(z, table, exponents, tops, rows)
    _fit(rows[0], vector, constraint, seen, own, columns, y, pulls)
    mean[:bins] = y
    for k in range(count):
        mean[bins + k] = pulls[k] * rows[0, 1 + k, bins + k]
