"""Recoil nodes: Gauss-Legendre panels broken at every kink, orders chosen by an error estimate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOWEST_ORDER", "RecoilNodes", "TooManyNodes", "choose_nodes"]

FloatArray = NDArray[np.float64]

ORDERS = (4, 6, 8, 12, 16, 24)
LOWEST_ORDER = ORDERS[0]
# Two orders that agree to this part of the panel's own integral differ by rounding alone: halving
# the panel again would not help, however small its share of the tolerance is.
ROUNDING = 1e-14
# Values of an integrand that are held at once.
MOST_VALUES = 2**24
_RULES = {order: np.polynomial.legendre.leggauss(order) for order in ORDERS}


class TooManyNodes(Exception):
    """More nodes would be needed than were allowed; the argument is how many at least."""


@dataclass(frozen=True)
class RecoilNodes:
    """Nodes and weights of a composite quadrature over recoil energy, with its error estimate.

    ``error_estimate`` is the summed difference between the order kept and the next one tried, of
    the worst integrand, relative to that integrand's largest bin.
    """

    recoil_energy_mev: FloatArray
    weight_mev: FloatArray
    error_estimate: float
    panels: int


def choose_nodes(
    breaks_mev: FloatArray,
    integrand: Callable[[FloatArray], FloatArray],
    tolerance: float,
    most_nodes: float = math.inf,
) -> RecoilNodes:
    """Choose the fewest nodes that integrate every integrand between breaks to a tolerance.

    Each panel climbs a ladder of orders until two neighbours agree, and is halved where the ladder
    ends first.

    Parameters
    ----------
    breaks_mev : (breaks,)
        Increasing recoil energies; the integrand is smooth between two of them.
    integrand : callable
        Recoil energies (T,) -> values (T, shapes, bins): everything a model may multiply.
    tolerance : float
        Error of any bin of a shape, relative to the largest bin of that shape, summed over panels.
    most_nodes : float
        Number of nodes not to go beyond.

    Raises
    ------
    TooManyNodes
        As soon as it is known that there will be more.
    """
    if breaks_mev.size < 2:
        return RecoilNodes(np.empty(0), np.empty(0), 0.0, 0)
    low, high = breaks_mev[:-1], breaks_mev[1:]
    if LOWEST_ORDER * low.size > most_nodes:
        raise TooManyNodes(LOWEST_ORDER * low.size)
    at_once = max(1, MOST_VALUES // (ORDERS[-1] * integrand(low[:1]).size))
    scale = np.abs(_integrate(low, high, integrand, ORDERS[-1], at_once).sum(axis=0)).max(axis=1)
    scale[scale == 0.0] = 1.0
    share = tolerance / (2 * low.size)
    kept: list[tuple[FloatArray, FloatArray]] = []
    error_total = 0.0
    panels = 0
    nodes_kept = 0
    while low.size:
        if nodes_kept + LOWEST_ORDER * low.size > most_nodes:
            raise TooManyNodes(nodes_kept + LOWEST_ORDER * low.size)
        lower_order = _integrate(low, high, integrand, ORDERS[0], at_once)
        for order, next_order in pairwise(ORDERS):
            higher_order = _integrate(low, high, integrand, next_order, at_once)
            errors = np.abs(lower_order - higher_order).max(axis=2) / scale
            rounding = ROUNDING * np.abs(higher_order).max(axis=2) / scale
            error = errors.max(axis=1)
            good = (errors <= np.maximum(share, rounding)).all(axis=1)
            kept.extend(_nodes(low[good], high[good], order))
            error_total += float(error[good].sum())
            panels += int(good.sum())
            nodes_kept += order * int(good.sum())
            if nodes_kept > most_nodes:
                raise TooManyNodes(nodes_kept)
            low, high, lower_order = low[~good], high[~good], higher_order[~good]
            if not low.size:
                break
        middle = 0.5 * (low + high)
        low, high = np.concatenate((low, middle)), np.concatenate((middle, high))
        # A panel at the limit of the number format can not be improved by halving it again.
        alive = high - low > 1e-13 * high
        low, high = low[alive], high[alive]
        share /= 2.0
    nodes = np.concatenate([t for t, _ in kept])
    order_of_nodes = np.argsort(nodes, kind="stable")
    weights = np.concatenate([w for _, w in kept])
    return RecoilNodes(nodes[order_of_nodes], weights[order_of_nodes], error_total, panels)


def _nodes(low: FloatArray, high: FloatArray, order: int) -> list[tuple[FloatArray, FloatArray]]:
    node, weight = _RULES[order]
    half = 0.5 * (high - low)[:, None]
    nodes = 0.5 * (high + low)[:, None] + half * node
    return [(nodes.ravel(), (half * weight).ravel())]


def _integrate(
    low: FloatArray,
    high: FloatArray,
    integrand: Callable[[FloatArray], FloatArray],
    order: int,
    at_once: int,
) -> FloatArray:
    """Integral of each panel, shape (panels, shapes, bins)."""
    values = []
    for start in range(0, low.size, at_once):
        part = slice(start, start + at_once)
        ((nodes, weights),) = _nodes(low[part], high[part], order)
        products = integrand(nodes) * weights[:, None, None]
        values.append(products.reshape(-1, order, *products.shape[1:]).sum(axis=1))
    panels: FloatArray = np.concatenate(values)
    return panels
