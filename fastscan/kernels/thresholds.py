"""Moments of a flux above energies that depend on the recoil, panel by panel of recoil energies.

On a panel everything else in the integrand is a polynomial of the recoil energy T of degree n - 1,
known at n Gauss points. Against such polynomials the moments, which have kinks wherever the least
energy passes one of the flux, are the same as their projection on Legendre polynomials, and that
one has values at the Gauss points. The projection is integrated between the kinks.
"""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["project_moments"]

FloatArray = np.ndarray

# How well it is known where a least energy passes an edge. The moments have no steps, so the error
# of their integral is of second order in it.
_PLACE = 1e-9
_MOST_STEPS = 64
# Last Legendre coefficients of moments without kinks, relative to their size: then they are what
# they are at the Gauss points.
_RESOLVED = 1e-11


@jit
def _series(coefficients: FloatArray, x: float) -> float:
    """Sum of Chebyshev polynomials, by Clenshaw's recurrence."""
    upper = 0.0
    last = 0.0
    for k in range(coefficients.size - 1, 0, -1):
        upper, last = coefficients[k] + 2.0 * x * upper - last, upper
    value: float = coefficients[0] + x * upper - last
    return value


@jit
def _slope(coefficients: FloatArray, slopes: FloatArray) -> None:
    """Chebyshev coefficients of the derivative."""
    n = coefficients.size
    slopes[n - 1] = 0.0
    if n > 1:
        slopes[n - 2] = 2.0 * (n - 1) * coefficients[n - 1]
    for k in range(n - 3, -1, -1):
        slopes[k] = slopes[k + 2] + 2.0 * (k + 1) * coefficients[k + 1]
    slopes[0] *= 0.5


@jit
def _root(coefficients: FloatArray, level: float, low: float, high: float) -> float:
    """Where a series that is monotonic between two places passes a level: Newton in a bracket."""
    first, last = _series(coefficients, low), _series(coefficients, high)
    below = first < level
    x = low + (high - low) * (level - first) / (last - first)
    before = high - low
    for _ in range(_MOST_STEPS):
        # Value and derivative together.
        upper, last, rise, rise_last = 0.0, 0.0, 0.0, 0.0
        for k in range(coefficients.size - 1, 0, -1):
            rise, rise_last = 2.0 * upper + 2.0 * x * rise - rise_last, rise
            upper, last = coefficients[k] + 2.0 * x * upper - last, upper
        off = coefficients[0] + x * upper - last - level
        slope = upper + x * rise - rise_last
        if (off < 0.0) == below:
            low = x
        else:
            high = x
        step = -off / slope if slope != 0.0 else math.inf
        following = x + step
        if not low < following < high or abs(step) > 0.5 * before:
            following = 0.5 * (low + high)
        before = abs(following - x)
        x = following
        if before <= _PLACE or high - low <= _PLACE:
            break
    return x


@jit
def _moments(table: FloatArray, x: float) -> tuple[float, float, float]:
    """The three polynomials of one panel of the flux."""
    n = table.shape[1]
    a, b, c = table[0, n - 1], table[1, n - 1], table[2, n - 1]
    for k in range(n - 2, -1, -1):
        a = a * x + table[0, k]
        b = b * x + table[1, k]
        c = c * x + table[2, k]
    return a, b, c


@jit
def _panel_of(edges: FloatArray, value: float) -> int:
    """Panel that holds a value: the last one whose lower edge is not above it."""
    low, high = 0, edges.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@jit
def _find_turns(slopes: FloatArray, places: FloatArray, monotonic: bool, turns: FloatArray) -> int:
    """Ends and turning points of a series, of which each is alone between two places."""
    turns[0] = -1.0
    count = 1
    rising = _series(slopes, -1.0)
    if monotonic and rising * _series(slopes, 1.0) > 0.0:
        turns[1] = 1.0
        return 2
    for j in range(1, places.size):
        rise = _series(slopes, places[j])
        if rising * rise < 0.0:
            turns[count] = _root(slopes, 0.0, places[j - 1], places[j])
            count += 1
        if rise != 0.0:
            rising = rise
    turns[count] = 1.0
    return count + 1


@jit
def _find_passes(
    series: FloatArray,
    log_edges: FloatArray,
    start: float,
    stop: float,
    breaks: FloatArray,
    count: int,
) -> int:
    """Append where a monotonic stretch passes edges, in order, and its end."""
    first, last = _series(series, start), _series(series, stop)
    low = _panel_of(log_edges, min(first, last)) + 1
    if log_edges[low] <= min(first, last):
        # Above the end of the flux.
        low += 1
    high = low
    while high < log_edges.size and log_edges[high] < max(first, last):
        high += 1
    for m in range(high - low):
        number = low + m if first < last else high - 1 - m
        breaks[count] = _root(series, log_edges[number], start, stop)
        count += 1
    breaks[count] = stop
    return count + 1


@jit
def _add_projection(
    table: FloatArray,
    middle: float,
    half: float,
    series: FloatArray,
    centre: float,
    reach: float,
    nodes: FloatArray,
    weights: FloatArray,
    work: FloatArray,
    sums: FloatArray,
) -> None:
    """Add to ``sums[n, l, i]`` what Gauss point i of one interval gives to moment n against P_l.

    All points at once, step by step: that way they share the width of a register.
    """
    n = nodes.size
    u, x, last, upper, a, b, c, d = work
    for i in range(n):
        u[i] = centre + reach * nodes[i]
        upper[i] = last[i] = 0.0
    for k in range(n - 1, 0, -1):
        for i in range(n):
            d[i] = series[k] + 2.0 * u[i] * upper[i] - last[i]
            last[i] = upper[i]
            upper[i] = d[i]
    for i in range(n):
        x[i] = (math.exp(series[0] + u[i] * upper[i] - last[i]) - middle) / half
    terms = table.shape[1]
    for i in range(n):
        a[i], b[i], c[i] = table[0, terms - 1], table[1, terms - 1], table[2, terms - 1]
    for k in range(terms - 2, -1, -1):
        for i in range(n):
            a[i] = a[i] * x[i] + table[0, k]
            b[i] = b[i] * x[i] + table[1, k]
            c[i] = c[i] * x[i] + table[2, k]
    for i in range(n):
        a[i] *= reach * weights[i]
        b[i] *= reach * weights[i]
        c[i] *= reach * weights[i]
        last[i], upper[i] = 0.0, 1.0
    for degree in range(n):
        rise, fall = (2 * degree + 1) / (degree + 1), degree / (degree + 1)
        for i in range(n):
            sums[0, degree, i] += a[i] * upper[i]
            sums[1, degree, i] += b[i] * upper[i]
            sums[2, degree, i] += c[i] * upper[i]
            following = rise * u[i] * upper[i] - fall * last[i]
            last[i] = upper[i]
            upper[i] = following


@jit
def _evaluate(
    edges: FloatArray,
    tables: FloatArray,
    lowest: int,
    log_energy: FloatArray,
    legendre: FloatArray,
    weights: FloatArray,
    out: FloatArray,
) -> bool:
    """Fill ``out[n, i]`` with moment n at Gauss point i; whether they are polynomials there."""
    points = weights.size
    for i in range(points):
        energy = math.exp(log_energy[i])
        k = lowest
        while k < edges.size - 2 and edges[k + 1] <= energy:
            k += 1
        x = (2.0 * energy - (edges[k] + edges[k + 1])) / (edges[k + 1] - edges[k])
        a, b, c = _moments(tables[k], x)
        out[0, i], out[1, i], out[2, i] = a, b, c
    for n in range(3):
        size, last, before = 0.0, 0.0, 0.0
        for i in range(points):
            size = max(size, abs(out[n, i]))
            last += weights[i] * legendre[points - 1, i] * out[n, i]
            before += weights[i] * legendre[points - 2, i] * out[n, i]
        if (abs(last) + abs(before)) * points > _RESOLVED * size:
            return False
    return True


@jit
def project_moments(
    edges: FloatArray,
    log_edges: FloatArray,
    kinks: FloatArray,
    tables: FloatArray,
    log_energy: FloatArray,
    to_series: FloatArray,
    legendre: FloatArray,
    nodes: FloatArray,
    weights: FloatArray,
    tolerance: float,
    out: FloatArray,
) -> int:
    """Fill ``out[r, n, p, i]`` with the projected moments of row r at Gauss point i of panel p.

    Parameters
    ----------
    edges, log_edges : (flux panels + 1,)
        In MeV, increasing, the last one the end of the flux; and their logarithms.
    kinks : (flux panels + 1,)
        Whether the flux has a kink at each edge.
    tables : (flux panels, 3, terms)
        Moments above an energy, powers of x in [-1, 1] across the panel.
    log_energy : (rows, panels, points)
        Logarithm of the least energy at the Gauss points of recoil energy.
    to_series : (points, points)
        Values at the Gauss points -> Chebyshev coefficients.
    legendre : (points, points)
        ``legendre[l, i]`` is P_l at Gauss point i.
    nodes, weights : (points,)
        Gauss-Legendre on [-1, 1].
    tolerance : float
        Largest last coefficients of the logarithm's series where it matters.
    out : (rows, 3, panels, points)

    Returns
    -------
    int
        0, or -1 - p where the least energy is below all edges in panel p, or 1 + p where it is not
        smooth there.
    """
    rows, panels, n = log_energy.shape
    series, slopes = np.empty(n), np.empty(n)
    sums = np.empty((3, n, n))
    work = np.empty((8, n))
    turns = np.empty(n + 4)
    breaks = np.empty((n + 2) * (edges.size + 1))
    places = np.empty(n + 2)
    places[0], places[n + 1] = -1.0, 1.0
    places[1 : n + 1] = nodes
    end = log_edges[edges.size - 1]
    for r in range(rows):
        for p in range(panels):
            least, largest = math.inf, -math.inf
            for i in range(n):
                value = log_energy[r, p, i]
                least = min(least, value)
                largest = max(largest, value)
                out[r, 0, p, i] = out[r, 1, p, i] = out[r, 2, p, i] = 0.0
            # Nothing between Gauss points of a smooth function is lower by an octave.
            if least > end + 0.7:
                continue
            size = max(abs(least), abs(largest), 1.0)
            for k in range(n):
                series[k] = 0.0
                for i in range(n):
                    series[k] += to_series[k, i] * log_energy[r, p, i]
            if not abs(series[n - 1]) + abs(series[n - 2]) <= tolerance * size:
                return 1 + p
            _slope(series, slopes)
            if min(_series(series, -1.0), _series(series, 1.0), least) < log_edges[0]:
                return -1 - p
            # Breaks: the ends, turning points, and where edges of the flux are passed.
            falls, rises = False, False
            for i in range(n - 1):
                falls |= log_energy[r, p, i + 1] < log_energy[r, p, i]
                rises |= log_energy[r, p, i + 1] > log_energy[r, p, i]
            stretches = _find_turns(slopes, places, falls != rises, turns) - 1
            lowest, highest = math.inf, -math.inf
            for s in range(stretches + 1):
                value = _series(series, turns[s])
                lowest, highest = min(lowest, value), max(highest, value)
            first, last = _panel_of(log_edges, lowest), _panel_of(log_edges, highest)
            if (
                highest < end
                and not kinks[first + 1 : last + 1].any()
                and _evaluate(
                    edges, tables, first, log_energy[r, p], legendre, weights, out[r, :, p]
                )
            ):
                continue
            breaks[0] = -1.0
            count = 1
            for s in range(stretches):
                count = _find_passes(series, log_edges, turns[s], turns[s + 1], breaks, count)
            out[r, :, p] = 0.0
            sums[:] = 0.0
            for s in range(count - 1):
                low, high = breaks[s], breaks[s + 1]
                if not high > low:
                    continue
                inner = _series(series, 0.5 * (low + high))
                if inner >= end:
                    continue
                k = _panel_of(log_edges, inner)
                _add_projection(
                    tables[k],
                    0.5 * (edges[k] + edges[k + 1]),
                    0.5 * (edges[k + 1] - edges[k]),
                    series,
                    0.5 * (low + high),
                    0.5 * (high - low),
                    nodes,
                    weights,
                    work,
                    sums,
                )
            for moment in range(3):
                for degree in range(n):
                    total = 0.0
                    for i in range(n):
                        total += sums[moment, degree, i]
                    for i in range(n):
                        out[r, moment, p, i] += (degree + 0.5) * legendre[degree, i] * total
    return 0
