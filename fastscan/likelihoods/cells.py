"""A tree of cells of a box of coordinates, the smallest as large as data can tell points apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.kernels.trees import fit_trees
from fastscan.likelihoods.chart import Chart
from fastscan.likelihoods.hypotheses import Hypotheses

__all__ = ["Cells"]

FloatArray = NDArray[np.float64]

# Largest extent of a smallest cell, in standard deviations of a data vector, by coordinates: small
# enough that two basins seldom share one.
_EXTENTS = {1: 0.2, 2: 0.5}
_LARGEST = 1.5
# Cells from which halving starts, and the smallest in parts of an axis.
_FIRST = 64
_LEAST = 1e-4
_MOST = 200_000
# How far, in standard deviations, pulls may be off those that fit the data seen.
_PULLED = 1.0
# Distances are measured for one data vector; for others they may be longer.
_SAFETY = 1.2
# Cells are halved no more this far beyond what data alone can be away from a prediction.
_FAR = 5.0
# Pairs of hypotheses whose distance is found at a time.
_TOGETHER = 1024
# How much higher in chi2 the lowest point of a basin on the cells may be before it is left alone.
_MARGIN = 0.5


@dataclass(frozen=True)
class Cells:
    """Boxes that fill the box of a chart, halved where hypotheses differ; see `fit_trees`.

    Attributes
    ----------
    chart : Chart
    middles, widths : (cells, coordinates)
    radius : (cells,)
    children : (cells,)
    roots : int
    terms : tuple
        Of the hypotheses in the middles; see `Hypotheses.score_terms`.
    """

    chart: Chart
    middles: FloatArray
    widths: FloatArray
    radius: FloatArray
    children: NDArray[np.int64]
    roots: int
    terms: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def of(cls, chart: Chart, observed: FloatArray) -> Cells:
        """Halve cells until each is small, along the side on which hypotheses differ most.

        Parameters
        ----------
        chart : Chart
        observed : (n,)
            Data around which toys are expected.

        Raises
        ------
        InputError
            More cells than fit in memory.
        """
        low, high = chart.bounds[:, 0], chart.bounds[:, 1]
        # Counts that pulls can take away are never further away; an external constraint may be.
        far = float(np.linalg.norm(observed[chart.counted])) + _FAR
        extent = _EXTENTS.get(len(low), _LARGEST)
        first = round(_FIRST ** (1.0 / len(low)))
        steps = (np.arange(first) + 0.5) / first
        axes = [a + (b - a) * steps for a, b in zip(low, high, strict=True)]
        middles = np.array(list(itertools.product(*axes)))
        widths = np.broadcast_to((high - low) / first, middles.shape).copy()
        levels: list[tuple[FloatArray, FloatArray, FloatArray, NDArray[np.int64]]] = []
        count = roots = len(middles)
        while len(middles):
            extents, root = _extents(chart, middles, widths, observed)
            splits = np.where(widths > _LEAST * (high - low), extents, 0.0)
            near = root - 0.5 * extents.sum(axis=1) <= far
            large = (splits.max(axis=1) > extent) & near
            children = np.zeros(len(middles), dtype=np.int64)
            children[large] = count + 2 * np.arange(large.sum())
            levels.append((middles, widths, extents, children))
            count += 2 * int(large.sum())
            if count > _MOST:
                raise InputError(
                    f"toys are not fitted in {', '.join(chart.names)} at once",
                    where="parameters",
                    hint="hold some with --set NAME=VALUE",
                )
            rows, side = np.arange(large.sum()), splits[large].argmax(axis=1)
            middles, widths = middles[large], widths[large]
            widths[rows, side] *= 0.5
            shift = np.zeros(middles.shape)
            shift[rows, side] = 0.5 * widths[rows, side]
            middles = np.stack([middles - shift, middles + shift], axis=1).reshape(-1, len(low))
            widths = np.repeat(widths, 2, axis=0)
        middles, widths, extents, children = (
            np.concatenate(each) for each in zip(*levels, strict=True)
        )
        predicted = chart.hypotheses(middles)
        radius = 0.5 * extents.sum(axis=1)
        means = predicted.mean(observed)
        # To the middle of each smallest cell inside, and from there to its sides.
        parents = np.full(len(middles), -1)
        halved = np.flatnonzero(children)
        for half in range(2):
            parents[children[halved] + half] = halved
        inside = np.flatnonzero(children == 0)
        own, around = radius[inside], inside
        radius[halved] = 0.0
        while True:
            around = parents[around]
            inside, own, around = inside[around >= 0], own[around >= 0], around[around >= 0]
            if not len(around):
                break
            np.maximum.at(radius, around, _distance(predicted, means, inside, around) + own)
        return cls(
            chart, middles, widths, _SAFETY * radius, children, roots, predicted.score_terms()
        )

    def best(self, data: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coordinates at the best fit to each data vector, and the score there."""
        z, chi2 = np.empty((len(data), self.middles.shape[1])), np.empty(len(data))
        fit_trees(
            data, self.middles, self.widths, self.radius, self.children, self.roots, *self.terms,
            _MARGIN, *self.chart.expansion, self.chart.bounds, z, chi2,
        )  # fmt: skip
        return z, np.einsum("tn,tn->t", data, data) - chi2


def _extents(
    chart: Chart, middles: FloatArray, widths: FloatArray, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distance of hypotheses from side to side by way of the middle, (cells, coordinates).

    And of the data from the middle, (cells,).
    """
    cells, size = middles.shape
    around = np.concatenate([np.zeros((1, size)), 0.5 * np.eye(size), -0.5 * np.eye(size)])
    predicted = chart.hypotheses((middles[:, None] + around * widths[:, None]).reshape(-1, size))
    means = predicted.mean(observed)
    first = np.arange(cells) * len(around)
    extents = np.empty(middles.shape)
    for axis in range(size):
        extents[:, axis] = sum(
            _distance(predicted, means, first, first + 1 + axis + side) for side in (0, size)
        )
    return extents, np.linalg.norm(means[first] - observed, axis=1)


def _distance(
    predicted: Hypotheses,
    means: FloatArray,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> FloatArray:
    """Root of chi2 at some hypotheses of what is expected at others, pulls off by a little."""
    distance = np.empty(len(left))
    for start in range(0, len(left), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        basis = predicted.basis[right[part]]
        rest = means[left[part]] - predicted.offset[right[part]]
        rest = rest - np.einsum("ck,ckn->cn", np.einsum("ckn,cn->ck", basis, rest), basis)
        turned = predicted.basis[left[part]] @ basis.transpose(0, 2, 1)
        angles = np.maximum(basis.shape[1] - (turned**2).sum(axis=(1, 2)), 0.0)
        distance[part] = np.sqrt((rest**2).sum(axis=1) + _PULLED**2 * angles)
    return distance
