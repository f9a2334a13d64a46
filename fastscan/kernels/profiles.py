"""Chi2 of one data vector as a function of a few coordinates, with all its derivatives.

With pulls gamma a prediction is Z = f + sum_k gamma_k T_k, all of them functions of coordinates z,
and chi2(z) = min over gamma of |Z - D|**2. With Q the orthonormal basis of the columns, T = R^T Q,
r = D - Z at the fitted pulls, J_i = d_i f + gamma . d_i T and v_i = R^-T (d_i T . r),

    d_i chi2  = -2 r . J_i
    d_ij chi2 = 2 (J_i . J_j - r . Z_ij - (Q J_i - v_i) . (Q J_j - v_j))

with Z_ij = d_ij f + gamma . d_ij T.

A coordinate is the place among the rows of a table, or the angle phi of a coupling x = tan phi. A
column is multiplied by cos(phi)**top, which changes nothing of what it spans: an infinite coupling
is a point like any other.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["STENCIL", "dot", "fitted_chi2", "slopes", "spread", "stencil_derivatives"]

FloatArray = np.ndarray

# Rows of a table between which coefficients are interpolated.
STENCIL = 6
# A column this much shorter after those before it are taken out is one of them, for rounding.
_PARALLEL = 1e-13


@jit
def stencil_derivatives(x: float, weights: FloatArray) -> None:
    """Lagrange weights of six rows 0 … 5 at x, their derivative and second one, 3 x 6."""
    for i in range(STENCIL):
        value, slope, bend, scale = 1.0, 0.0, 0.0, 1.0
        for j in range(STENCIL):
            if j != i:
                step = x - j
                bend = bend * step + 2.0 * slope
                slope = slope * step + value
                value = value * step
                scale *= i - j
        weights[0, i], weights[1, i], weights[2, i] = value / scale, slope / scale, bend / scale


@jit
def _power(angle: float, p: int, e: int, out: FloatArray) -> None:
    """cos**p sin**e and its two derivatives by the angle."""
    cosine, sine = math.cos(angle), math.sin(angle)
    value = cosine**p * sine**e
    out[0] = value
    # d/dphi cos**p sin**e = -p cos**(p-1) sin**(e+1) + e cos**(p+1) sin**(e-1)
    first = -p * cosine ** (p - 1) * sine ** (e + 1)
    second = p * (p - 1) * cosine ** (p - 2) * sine ** (e + 2) - (2.0 * p * e + p + e) * value
    if e > 0:
        first += e * cosine ** (p + 1) * sine ** (e - 1)
    if e > 1:
        second += e * (e - 1) * cosine ** (p + 2) * sine ** (e - 2)
    out[1], out[2] = first, second


@jit
def dot(left: FloatArray, right: FloatArray) -> float:
    """Sum of products, in four sums that do not wait for each other."""
    a = b = c = d = 0.0
    whole = left.size - left.size % 4
    for i in range(0, whole, 4):
        a += left[i] * right[i]
        b += left[i + 1] * right[i + 1]
        c += left[i + 2] * right[i + 2]
        d += left[i + 3] * right[i + 3]
    for i in range(whole, left.size):
        a += left[i] * right[i]
    return (a + b) + (c + d)


@jit
def spread(
    z: FloatArray, table: FloatArray, exponents: FloatArray, tops: FloatArray, rows: FloatArray
) -> None:
    """Offset and columns at a point, with derivatives up to the order that ``rows`` has room for.

    ``rows`` is levels x (1 + pulls) x n: values, first derivatives, second ones in the order of the
    upper triangle. The other arguments are those of `descend`.
    """
    levels, layers = rows.shape[0], rows.shape[1]
    monomials, bins = table.shape[2], table.shape[3]
    size, couplings = z.size, exponents.shape[1]
    tabulated = size - couplings
    orders = 3 if levels > 1 + size else 2 if levels > 1 else 1
    weights = np.empty((3, STENCIL))
    first = 0
    if tabulated > 0:
        first = min(max(int(z[0]) - (STENCIL - 1) // 2, 0), table.shape[0] - STENCIL)
        stencil_derivatives(z[0] - first, weights)
    mixed = np.zeros((orders, layers, monomials, bins))
    for d in range(orders):
        if tabulated == 0 and d > 0:
            break
        for i in range(STENCIL if tabulated > 0 else 1):
            w = weights[d, i] if tabulated > 0 else 1.0
            for layer in range(layers):
                for m in range(monomials):
                    for b in range(bins):
                        mixed[d, layer, m, b] += w * table[first + i, layer, m, b]
    for level in range(levels):
        for layer in range(layers):
            for b in range(rows.shape[2]):
                rows[level, layer, b] = 0.0
    # Of each coupling: value and derivatives of its part in a weight.
    part = np.empty((max(couplings, 1), 3))
    for layer in range(layers):
        # The last round is the unit of the pull's own measurement: exponents of zero.
        for m in range(monomials + (1 if layer > 0 else 0)):
            for c in range(couplings):
                e = exponents[m, c] if m < monomials else 0
                _power(z[tabulated + c], tops[layer, c] - e, e, part[c])
            for level in range(levels):
                # Derivatives are by coordinates i and j; one that does not exist is none.
                i, j = _derivative(level, size)
                w = 1.0
                for c in range(couplings):
                    own = tabulated + c
                    w *= part[c, (1 if i == own else 0) + (1 if j == own else 0)]
                d = 0
                if tabulated > 0:
                    d = (1 if i == 0 else 0) + (1 if j == 0 else 0)
                if m < monomials:
                    for b in range(bins):
                        rows[level, layer, b] += w * mixed[d, layer, m, b]
                elif d == 0:
                    rows[level, layer, bins + layer - 1] = w


@jit
def _derivative(level: int, size: int) -> tuple[int, int]:
    """The coordinates of a derivative: none, one, or two of the upper triangle."""
    if level == 0:
        return -1, -1
    if level <= size:
        return level - 1, -1
    level -= 1 + size
    i = 0
    while level >= size - i:
        level -= size - i
        i += 1
    return i, i + level


@jit
def fitted_chi2(
    data: FloatArray,
    rows: FloatArray,
    basis: FloatArray,
    inverse: FloatArray,
    gamma: FloatArray,
    rest: FloatArray,
) -> float:
    """Chi2 at a point, with the basis Q, R^-1, the pulls and the residual r."""
    pulls, n = basis.shape
    for k in range(pulls):
        gamma[k] = 0.0
        for j in range(pulls):
            inverse[k, j] = 0.0
    for b in range(n):
        rest[b] = data[b] - rows[0, 0, b]
    for k in range(pulls):
        column = rows[0, 1 + k]
        own = basis[k]
        largest = 0.0
        for b in range(n):
            largest = max(largest, abs(column[b]))
        shrink = 1.0 / largest if largest > 0.0 else 0.0
        # Columns of like length; what is derived from one shrinks with it.
        for level in range(rows.shape[0]):
            for b in range(n):
                rows[level, 1 + k, b] *= shrink
        for b in range(n):
            own[b] = column[b]
        before = math.sqrt(dot(own, own))
        inverse[k, k] = 1.0
        # Twice, so that what is left is orthogonal to the last digits.
        for _ in range(2):
            for j in range(k):
                along = dot(basis[j], own)
                for b in range(n):
                    own[b] -= along * basis[j, b]
                for i in range(k):
                    inverse[k, i] -= along * inverse[j, i]
        length = math.sqrt(dot(own, own))
        scale = 1.0 / length if length > _PARALLEL * before else 0.0
        for b in range(n):
            own[b] *= scale
        for i in range(k + 1):
            inverse[k, i] *= scale
    # Row k of ``inverse`` tells how Q_k is made of the columns: gamma = inverse^T (Q . rest).
    for k in range(pulls):
        along = dot(basis[k], rest)
        for b in range(n):
            rest[b] -= along * basis[k, b]
        for i in range(k + 1):
            gamma[i] += along * inverse[k, i]
    return dot(rest, rest)


@jit
def slopes(
    rows: FloatArray,
    basis: FloatArray,
    inverse: FloatArray,
    gamma: FloatArray,
    rest: FloatArray,
    size: int,
    gradient: FloatArray,
    hessian: FloatArray,
) -> None:
    """Gradient and Hessian of chi2; arguments as `_chi2` left them."""
    pulls, n = basis.shape
    moved = np.empty((size, n))
    turned = np.empty((size, pulls))
    for i in range(size):
        own = moved[i]
        for b in range(n):
            own[b] = rows[1 + i, 0, b]
        for k in range(pulls):
            for b in range(n):
                own[b] += gamma[k] * rows[1 + i, 1 + k, b]
        gradient[i] = -2.0 * dot(rest, own)
        for k in range(pulls):
            total = dot(basis[k], own)
            for j in range(k + 1):
                total -= inverse[k, j] * dot(rows[1 + i, 1 + j], rest)
            turned[i, k] = total
    level = 1 + size
    bent = np.empty(n)
    for i in range(size):
        for j in range(i, size):
            for b in range(n):
                bent[b] = rows[level, 0, b]
            for k in range(pulls):
                for b in range(n):
                    bent[b] += gamma[k] * rows[level, 1 + k, b]
            level += 1
            total = dot(moved[i], moved[j]) - dot(rest, bent) - dot(turned[i], turned[j])
            hessian[i, j] = hessian[j, i] = 2.0 * total
