"""Cosines of 1/E as weights of Gauss points: exact for polynomials, whatever the frequency."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["spherical_bessel", "weigh_cosines"]

FloatArray = np.ndarray

# Below the first the power series, from the second on the upward recurrence lose no digits; between
# them the recurrence downward, from so many orders higher up.
_SMALL = 2.0
_LARGE = 20.0
_HIGHER = 40


@jit
def spherical_bessel(x: float, out: FloatArray) -> None:
    """Fill ``out[l]`` with the spherical Bessel functions j_l(x), x >= 0."""
    orders = out.size
    if x < _SMALL:
        factor = 1.0
        for order in range(orders):
            if order > 0:
                factor *= x / (2 * order + 1)
            term, total = 1.0, 1.0
            for k in range(1, 16):
                term *= -0.5 * x * x / (k * (2 * order + 2 * k + 1))
                total += term
            out[order] = factor * total
        return
    first = math.sin(x) / x
    second = first / x - math.cos(x) / x
    if x >= _LARGE:
        before, current = first, second
        for order in range(orders):
            out[order] = before
            before, current = current, (2 * order + 3) / x * current - before
        return
    after, current = 0.0, 1e-100
    for order in range(orders + _HIGHER, 0, -1):
        if order < orders:
            out[order] = current
        after, current = current, (2 * order + 1) / x * current - after
    out[0] = current
    scale = first / out[0] if abs(first) > abs(second) or orders == 1 else second / out[1]
    for order in range(orders):
        out[order] *= scale


@jit
def weigh_cosines(
    phase_mev: FloatArray,
    damping_mev: FloatArray,
    centre_per_mev: FloatArray,
    half_per_mev: FloatArray,
    nodes: FloatArray,
    legendre: FloatArray,
    out: FloatArray,
) -> None:
    """Fill ``out[r, p * points + i]`` with factors at Gauss point i of panel p in x = 1/E.

    A sum over the points with these factors is the integral of exp(-(d x)**2 / 2) cos(k x) times
    the polynomial through the points, k the phase and d the damping: by Rayleigh's expansion

        exp(i w u) = sum_l (2 l + 1) i**l j_l(w) P_l(u)

    its integral with P_l is 2 i**l j_l(w), and there is nothing to alias.

    Parameters
    ----------
    phase_mev, damping_mev : (rows,)
        An infinite one leaves nothing of the cosine.
    centre_per_mev, half_per_mev : (panels,)
    nodes : (points,)
    legendre : (points, points)
        ``legendre[l, i]`` is P_l at point i.
    out : (rows, panels * points)
    """
    points = nodes.size
    bessel = np.empty(points)
    for r in range(phase_mev.size):
        if math.isinf(phase_mev[r]) or math.isinf(damping_mev[r]):
            out[r] = 0.0
            continue
        for p in range(centre_per_mev.size):
            spherical_bessel(abs(phase_mev[r] * half_per_mev[p]), bessel)
            angle = abs(phase_mev[r]) * centre_per_mev[p]
            cosine, sine = math.cos(angle), math.sin(angle)
            # Real part of exp(i angle) i**l.
            turned = (cosine, -sine, -cosine, sine)
            for i in range(points):
                out[r, p * points + i] = 0.0
            for order in range(points):
                factor = (2 * order + 1) * bessel[order] * turned[order % 4]
                for i in range(points):
                    out[r, p * points + i] += factor * legendre[order, i]
            if damping_mev[r] != 0.0:
                for i in range(points):
                    reach = damping_mev[r] * (centre_per_mev[p] + half_per_mev[p] * nodes[i])
                    out[r, p * points + i] *= math.exp(-0.5 * reach * reach)
