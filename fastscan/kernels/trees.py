"""Best fits found down a tree of cells, each with a hypothesis in its middle.

Between two hypotheses the root of chi2 of a data vector changes by their distance at most, so that
a cell whose root is further above the best one than its radius holds no better fit.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit
from fastscan.kernels.descent import descend
from fastscan.kernels.profiles import dot, fitted_chi2, spread

__all__ = ["fit_trees", "middle_hypotheses"]

FloatArray = np.ndarray


@jit
def middle_hypotheses(
    z: FloatArray,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    offset: FloatArray,
    basis: FloatArray,
) -> None:
    """Offset f, points x n, and basis Q, points x pulls x n, at points z."""
    pulls, n = basis.shape[1], basis.shape[2]
    rows = np.empty((1, 1 + pulls, n))
    inverse, gamma, rest = np.empty((pulls, pulls)), np.empty(pulls), np.empty(n)
    nothing = np.zeros(n)
    for p in range(z.shape[0]):
        spread(z[p], table, exponents, tops, rows)
        fitted_chi2(nothing, rows, basis[p], inverse, gamma, rest)
        for b in range(n):
            offset[p, b] = rows[0, 0, b]


@jit
def fit_trees(
    data: FloatArray,
    middles: FloatArray,
    widths: FloatArray,
    radius: FloatArray,
    children: FloatArray,
    roots: int,
    basis: FloatArray,
    linear: FloatArray,
    constant: FloatArray,
    margin: float,
    table: FloatArray,
    exponents: FloatArray,
    tops: FloatArray,
    bounds: FloatArray,
    z: FloatArray,
    chi2: FloatArray,
) -> None:
    """Best fit of each data vector: down from every cell that is the lowest of those around it.

    Parameters
    ----------
    data : vectors x n
    middles, widths : cells x coordinates
        The first ``roots`` cells fill the box; others are halves.
    radius : cells
        How far hypotheses in a cell are from the one in its middle, in standard deviations.
    children : cells
        Place of the first of two halves, zero where there are none.
    roots : int
    basis, linear, constant
        Of the middles; see `fastscan.kernels.projections.fit_points`.
    margin : float
        Cells that are this much higher in chi2 than the lowest one are left alone.
    table, exponents, tops, bounds
        See `fastscan.kernels.descent.descend`.
    z, chi2 : vectors x coordinates, vectors
        Results.
    """
    size = middles.shape[1]
    held = np.zeros(size, dtype=np.bool_)
    trial = np.empty(size)
    queue = np.empty(radius.size, dtype=np.int64)
    root = np.empty(radius.size)
    for t in range(data.shape[0]):
        own = data[t]
        square = dot(own, own)
        count, done = roots, 0
        for p in range(roots):
            queue[p] = p
        lowest, first = math.inf, 0
        while done < count:
            # One level of the tree after the other: the lowest chi2 is known ever better.
            level = count
            for p in range(done, level):
                cell = queue[p]
                score = 2.0 * dot(linear[cell], own) - constant[cell]
                for k in range(basis.shape[1]):
                    along = dot(basis[cell, k], own)
                    score += along * along
                root[p] = math.sqrt(max(square - score, 0.0))
                if root[p] < lowest:
                    lowest, first = root[p], cell
            reach = math.sqrt(lowest * lowest + margin)
            for p in range(done, level):
                child = children[queue[p]]
                if child > 0 and root[p] - radius[queue[p]] <= reach:
                    queue[count], queue[count + 1] = child, child + 1
                    count += 2
            done = level
        smallest = math.inf
        for p in range(count):
            if children[queue[p]] == 0:
                smallest = min(smallest, root[p])
        reach = math.sqrt(smallest * smallest + margin)
        some = 0
        for p in range(count):
            if children[queue[p]] == 0 and root[p] <= reach:
                queue[some], root[some] = queue[p], root[p]
                some += 1
        chi2[t] = math.inf
        # The middle of a larger cell, on a corner of smaller ones, may be lower than theirs.
        for p in range(-1 if children[first] > 0 else 0, some):
            cell = queue[p] if p >= 0 else first
            top = True
            for q in range(some if p >= 0 else 0):
                lower = root[q] < root[p] or (root[q] == root[p] and q < p)
                if lower and _touch(middles, widths, cell, queue[q]):
                    top = False
                    break
            if not top:
                continue
            for i in range(size):
                trial[i] = middles[cell, i]
            found = descend(own, table, exponents, tops, bounds, widths[cell], held, trial)
            if found < chi2[t]:
                chi2[t] = found
                for i in range(size):
                    z[t, i] = trial[i]


@jit
def _touch(middles: FloatArray, widths: FloatArray, p: int, q: int) -> bool:
    """Whether two cells have a point in common."""
    for i in range(middles.shape[1]):
        gap = abs(middles[p, i] - middles[q, i]) - 0.5 * (widths[p, i] + widths[q, i])
        if gap > 1e-6 * widths[p, i]:
            return False
    return True
