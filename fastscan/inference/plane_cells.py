"""Quadrature of a plane: panels that are quartered until they settle, and cut into cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.inference.dimension import Dimension
from fastscan.inference.marginal_likelihood import NEGLIGIBLE, MarginalLikelihood

__all__ = ["Cells", "quartered_cells"]

FloatArray = NDArray[np.float64]

# A plane starts with so many panels along each axis; each is quartered until its quarters add up
# to it, and then cut into cells, of which a level takes those above it.
_PANELS = 32
_NODES = 8
_CELLS = 8
_TOLERANCE = 1e-5
_DEPTH = 8
_MOST_PANELS = 40_000


@dataclass(frozen=True)
class Cells:
    """Small rectangles that together hold the posterior of a plane, in stretched variables.

    Attributes
    ----------
    low, high : (cells, 2)
    probability : (cells,)
    log, width : (cells,)
        Log likelihood in the middle, and how much it changes across the cell.
    """

    low: FloatArray
    high: FloatArray
    probability: FloatArray
    log: FloatArray
    width: FloatArray


def quartered_cells(
    function: MarginalLikelihood,
    dimensions: tuple[Dimension, Dimension],
    boxes: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[Cells, float]:
    """Integrate over panels, each quartered until the quarters add up to it; and their cells.

    Parameters
    ----------
    function : MarginalLikelihood
    dimensions : pair of Dimension
    boxes : pair of (low, high)

    Returns
    -------
    cells : Cells
    error : float
        Relative: each panel's Gauss-Legendre sum beside that of its quarters, added up.
    """
    spans = _support(function, dimensions, boxes)
    edges = [_panel_edges(d, span) for d, span in zip(dimensions, spans, strict=True)]
    first, second = np.meshgrid(edges[0][:-1], edges[1][:-1], indexing="ij")
    last, final = np.meshgrid(edges[0][1:], edges[1][1:], indexing="ij")
    low = np.stack([first.ravel(), second.ravel()], axis=1)
    high = np.stack([last.ravel(), final.ravel()], axis=1)
    panels = low.shape[0]
    log, weight = _on_nodes(function, dimensions, low, high)
    reference = float(log.max())
    whole = (np.exp(log - reference) * weight).sum(axis=(1, 2))
    kept: list[tuple[FloatArray, FloatArray, FloatArray, FloatArray]] = []
    error, count = 0.0, 0
    for depth in range(_DEPTH + 1):
        middle = 0.5 * (low + high)
        quarters_low, quarters_high = [], []
        for upper in ((0, 0), (0, 1), (1, 0), (1, 1)):
            up = np.array(upper, dtype=bool)
            quarters_low.append(np.where(up, middle, low))
            quarters_high.append(np.where(up, high, middle))
        low, high = np.stack(quarters_low, axis=1), np.stack(quarters_high, axis=1)
        log, weight = _on_nodes(function, dimensions, low.reshape(-1, 2), high.reshape(-1, 2))
        content = (np.exp(log - reference) * weight).sum(axis=(1, 2)).reshape(-1, 4)
        difference = np.abs(content.sum(axis=1) - whole)
        total = float(content.sum()) + sum(float(part[3].sum()) for part in kept)
        fine = difference <= _TOLERANCE * total / panels
        count += 4 * fine.size
        if depth == _DEPTH or count > _MOST_PANELS:
            fine[:] = True
        error += float(difference[fine].sum())
        logs = log.reshape(-1, 4, _NODES, _NODES)
        kept.append(
            (
                low[fine].reshape(-1, 2),
                high[fine].reshape(-1, 2),
                logs[fine].reshape(-1, _NODES, _NODES),
                content[fine].ravel(),
            )
        )
        if fine.all():
            break
        low, high = low[~fine].reshape(-1, 2), high[~fine].reshape(-1, 2)
        whole = content[~fine].ravel()
    low, high, log, whole = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return _cut(dimensions, low, high, log, whole), error / float(whole.sum())


def _panel_edges(dimension: Dimension, span: tuple[float, float]) -> FloatArray:
    """Even in the stretched variable, with a kink of the prior at zero between two panels."""
    low, high = span
    edges = np.linspace(dimension.stretch(low), dimension.stretch(high), _PANELS + 1)
    if low < 0.0 < high:
        edges[np.argmin(np.abs(edges[1:-1])) + 1] = 0.0
    return edges


def _on_nodes(
    function: MarginalLikelihood,
    dimensions: tuple[Dimension, Dimension],
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Log likelihood and weights at the nodes of panels (panels, 2), (panels, nodes, nodes)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    values, measures = [], []
    for i, dimension in enumerate(dimensions):
        half = 0.5 * (high[:, i] - low[:, i])[:, None]
        value, weight = dimension.unstretch(0.5 * (high[:, i] + low[:, i])[:, None] + half * nodes)
        values.append(value)
        measures.append(weight * half * weights)
    shape = (low.shape[0], _NODES, _NODES)
    points = np.stack(
        [
            np.broadcast_to(values[0][:, :, None], shape).ravel(),
            np.broadcast_to(values[1][:, None, :], shape).ravel(),
        ],
        axis=1,
    )
    return function(points).reshape(shape), measures[0][:, :, None] * measures[1][:, None, :]


def _cut(
    dimensions: tuple[Dimension, Dimension],
    low: FloatArray,
    high: FloatArray,
    log: FloatArray,
    content: FloatArray,
) -> Cells:
    """Cut panels into even cells: nodes of a quadrature are too few to say what is above a level.

    Between the nodes the log likelihood is the polynomial through them.
    """
    nodes, _ = np.polynomial.legendre.leggauss(_NODES)
    even = (2.0 * np.arange(_CELLS) + 1.0) / _CELLS - 1.0
    to_even = np.linalg.solve(
        np.polynomial.legendre.legvander(nodes, _NODES - 1).T,
        np.polynomial.legendre.legvander(even, _NODES - 1).T,
    )
    # Where counts overflow there is nothing, and nothing to interpolate.
    lowest = float(log.max()) - 1e3
    fine = np.einsum("pij,ik,jl->pkl", np.maximum(log, lowest), to_even, to_even, optimize=True)
    lows, highs, measures = [], [], []
    for i, dimension in enumerate(dimensions):
        step = (high[:, i] - low[:, i])[:, None] / _CELLS
        start = low[:, i, None] + step * np.arange(_CELLS)
        lows.append(start)
        highs.append(start + step)
        measures.append(dimension.unstretch(start + 0.5 * step)[1])
    probability = np.exp(np.minimum(fine - log.max(), 0.0))
    probability *= measures[0][:, :, None] * measures[1][:, None, :]
    sums = probability.sum(axis=(1, 2))
    probability *= np.where(sums > 0.0, content / np.where(sums > 0.0, sums, 1.0), 0.0)[
        :, None, None
    ]
    across, along = np.gradient(fine, axis=(1, 2))
    width = np.abs(across) + np.abs(along) + 1e-300

    def both(columns: list[FloatArray]) -> FloatArray:
        first = np.broadcast_to(columns[0][:, :, None], fine.shape)
        second = np.broadcast_to(columns[1][:, None, :], fine.shape)
        return np.stack([first.ravel(), second.ravel()], axis=1)

    return Cells(
        low=both(lows),
        high=both(highs),
        probability=(probability / probability.sum()).ravel(),
        log=fine.ravel(),
        width=width.ravel(),
    )


def _support(
    function: MarginalLikelihood,
    dimensions: Sequence[Dimension],
    boxes: Sequence[tuple[float, float]],
) -> list[tuple[float, float]]:
    """Part of the boxes in which the likelihood is above 1e-8 of its maximum, by zooming in."""
    spans = [*boxes]
    for _ in range(6):
        columns = [
            dimension.unstretch(np.linspace(dimension.stretch(low), dimension.stretch(high), 65))[0]
            for dimension, (low, high) in zip(dimensions, spans, strict=True)
        ]
        for column, span in zip(columns, spans, strict=True):
            column[0], column[-1] = span
        log = function.on_grid(columns)
        above = log >= log.max() - NEGLIGIBLE
        smaller = []
        for i, column in enumerate(columns):
            found = np.flatnonzero(above.any(axis=1 - i))
            first, last = max(int(found[0]) - 1, 0), min(int(found[-1]) + 1, column.size - 1)
            smaller.append((float(column[first]), float(column[last])))
        if smaller == spans:
            break
        spans = smaller
    return spans
