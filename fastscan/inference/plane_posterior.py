"""Posterior of two parameters: its level, contours and marginals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import unknown_name
from fastscan.inference.dimension import Dimension
from fastscan.inference.edges import bounds_of, open_ends
from fastscan.inference.marginal_likelihood import MarginalLikelihood
from fastscan.inference.plane_cells import Cells, quartered_cells
from fastscan.likelihoods.levels import delta_chi2
from fastscan.likelihoods.minimum import point_words
from fastscan.results import Column, Result, Touch, cut_words

__all__ = ["PlanePosterior"]

FloatArray = NDArray[np.float64]

# Points of each axis of the grid that contours are drawn on.
_GRID = 401
# A larger relative error of the probabilities is worth a word.
_UNSETTLED = 1e-3


class PlanePosterior(Result):
    """Posterior of two parameters; made by `posterior`.

    Attributes
    ----------
    names : (str, str)
    parameters : dict
        Parameters that were held.
    priors : (str, str)
    boxes : pair of (low, high)
    mode, chi2_min : pair of float, float
        Highest marginalised likelihood in the box, and the profiled chi2 there.
    quadrature_error : float
        Relative: each panel's Gauss-Legendre sum beside that of its quarters, added up.
    cl : float
        Probability that tables, figures and words are of.
    warning : str
    """

    profiled = ()

    def __init__(
        self,
        function: MarginalLikelihood,
        dimensions: tuple[Dimension, Dimension],
        boxes: tuple[tuple[float, float], tuple[float, float]],
        warning: str = "",
        cl: float = 0.90,
    ) -> None:
        self.provenance, self.cl = function.provenance, cl
        self._levels: dict[float, float] = {}
        self._grids: dict[float, tuple[FloatArray, FloatArray, FloatArray]] = {}
        self._function = function
        self._dimensions = dimensions
        self.names = (dimensions[0].parameter.name, dimensions[1].parameter.name)
        self._held = dict(function.counts.fixed)
        self.priors = (dimensions[0].prior, dimensions[1].prior)
        self.boxes = boxes
        self._cells, self.quadrature_error = quartered_cells(function, dimensions, boxes)
        self.mode, self._highest = _mode(function, dimensions, boxes, self._cells)
        self.chi2_min = function.chi2(np.array(self.mode))
        if self.quadrature_error > _UNSETTLED:
            unsettled = f"probabilities are right to {self.quadrature_error:.1g} only"
            warning = f"{warning}; {unsettled}" if warning else unsettled
        self.warning = warning

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters that were held."""
        return self._held

    @property
    def headline(self) -> str:
        """Its mode."""
        mode = point_words(dict(zip(self.names, self.mode, strict=True)))
        level = f"{100 * self.cl:g} % credible"
        return f"{level} region of {' and '.join(self.names)}, mode {mode} (bayes)"

    @property
    def details(self) -> list[str]:
        """Priors, marginals and the level, each a line."""
        level = f"{100 * self.cl:g} %"
        lines = [f"chi2 at the mode = {self.chi2_min:.4f}"]
        for name, prior, (low, high) in zip(self.names, self.priors, self.boxes, strict=True):
            lines.append(f"prior of {name}: {prior} from {low:.4g} to {high:.4g}")
        for name, one in self._marginals().items():
            low, high = one["central"]
            lines.append(
                f"{name} alone, the other integrated over: median {one['median']:.5g}, "
                f"central {level} [{low:.5g}, {high:.5g}], {level} below {one['upper_limit']:.5g}"
            )
        return [
            *lines,
            f"{level} credible: log likelihood above {self.level(self.cl):.5g} from its highest",
        ]

    @property
    def warnings(self) -> list[str]:
        """What may mislead."""
        own = (self.warning, cut_words(self.touches(self.cl)))
        return [*filter(None, own), *self._function.doubts(self.chi2_min)]

    def _entries(self) -> dict[str, Any]:
        cl = self.cl
        return {
            "method": "bayes",
            "parameters": self.parameters,
            "cl": cl,
            "chi2_min": self.chi2_min,
            "quadrature_error": self.quadrature_error,
            "warning": self.warning,
            "touches": self.touches(cl),
            "poi": self.names,
            "prior": self.priors,
            "box": self.boxes,
            "mode": self.mode,
            "level": self.level(cl),
            "contours": self.contours(cl),
            "marginal": self._marginals(),
        }

    def _marginals(self) -> dict[str, dict[str, Any]]:
        """Of each parameter, the other integrated over."""
        cl = self.cl
        return {
            name: {
                "median": self.quantile(name, 0.5),
                "central": [self.quantile(name, p) for p in (0.5 - cl / 2, 0.5 + cl / 2)],
                "upper_limit": self.quantile(name, cl),
            }
            for name in self.names
        }

    def _columns(self) -> dict[str, Column]:
        *columns, log = self.grid(self.cl)
        parameters = [dimension.parameter for dimension in self._dimensions]
        words = "log likelihood with the nuisances integrated out, less its highest"
        return {
            **{
                p.name: Column((p.name,), values, p.unit, p.description)
                for p, values in zip(parameters, columns, strict=True)
            },
            "log_likelihood": Column(self.names, log, words=words),
            "level": Column((), self.level(self.cl), words="of the credible region"),
            "cl": Column((), self.cl),
            "chi2_min": Column((), self.chi2_min),
        }

    def level(self, cl: float = 0.90) -> float:
        """Log likelihood, less its highest, above which lies a probability of ``cl``.

        A cell that the level crosses counts with the part of it above, its values taken as evenly
        spread over what they change by.
        """
        from scipy.optimize import toms748

        delta_chi2(cl)
        if cl in self._levels:
            return self._levels[cl]
        cells = self._cells
        top, bottom = cells.log + 0.5 * cells.width, cells.log - 0.5 * cells.width

        def missing(level: float) -> float:
            share = np.clip((top - level) / (top - bottom), 0.0, 1.0)
            return float(cells.probability @ share) - cl

        held = cells.probability > 0.0
        ends = float(bottom[held].min()) - 1.0, float(top[held].max())
        found = float(toms748(missing, *ends, xtol=1e-7, rtol=1e-9)) - self._highest
        self._levels[cl] = found
        return found

    def touches(self, cl: float = 0.90) -> list[Touch]:
        """Ends of the boxes, where they are no bound of a parameter, that the region reaches."""
        inside = self._cells.log + 0.5 * self._cells.width >= self.level(cl) + self._highest
        found = []
        boxes = dict(zip(self.names, self.boxes, strict=True))
        for touch in open_ends(boxes, bounds_of(d.parameter for d in self._dimensions)):
            i = self.names.index(touch.parameter)
            edge = self._dimensions[i].stretch(touch.value)
            ends = self._cells.low[inside, i] if touch.end == "low" else self._cells.high[inside, i]
            if np.isclose(ends, edge, rtol=1e-9, atol=1e-12).any():
                found.append(touch)
        return found

    def grid(self, cl: float = 0.90) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Values of both parameters around the credible region, and the log likelihood on them.

        Returns
        -------
        first, second : (points,)
        log_likelihood : (points, points)
            Less its highest.
        """
        if cl in self._grids:
            return self._grids[cl]
        inside = self._cells.log + self._cells.width >= self.level(cl) + self._highest
        columns = []
        for i, (dimension, box) in enumerate(zip(self._dimensions, self.boxes, strict=True)):
            low = float(self._cells.low[inside, i].min())
            high = float(self._cells.high[inside, i].max())
            room = 0.1 * (high - low)
            first, last = (dimension.stretch(end) for end in box)
            even = np.linspace(max(first, low - room), min(last, high + room), _GRID)
            columns.append(np.clip(dimension.unstretch(even)[0], *box))
        log = self._function.on_grid(columns) - self._highest
        self._grids[cl] = (columns[0], columns[1], log)
        return self._grids[cl]

    def contours(self, cl: float = 0.90) -> list[FloatArray]:
        """Borders of the densest region of probability ``cl``, each of shape (points, 2).

        Lines end where the region meets the box.
        """
        import contourpy

        first, second, log = self.grid(cl)
        # Plain lines are a list of arrays.
        lines: Any = contourpy.contour_generator(first, second, log.T).lines(self.level(cl))
        return list(lines)

    def marginal(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Posterior of one of the two, the other integrated over.

        Returns
        -------
        edges : (bins + 1,)
            Values of the parameter.
        probability : (bins,)
        """
        if name not in self.names:
            raise unknown_name("parameter", name, self.names)
        i = self.names.index(name)
        low, high = self._cells.low[:, i], self._cells.high[:, i]
        edges, places = np.unique(np.concatenate([low, high]), return_inverse=True)
        # Edges that are one but for rounding.
        apart = np.concatenate([[True], np.diff(edges) > 1e-12 * (edges[-1] - edges[0])])
        edges, places = edges[apart], (np.cumsum(apart) - 1)[places.ravel()]
        density = np.zeros(edges.size)
        share = self._cells.probability / (high - low)
        np.add.at(density, places[: low.size], share)
        np.add.at(density, places[low.size :], -share)
        probability = np.cumsum(density)[:-1] * np.diff(edges)
        values = self._dimensions[i].unstretch(edges)[0]
        return values, np.maximum(probability, 0.0) / probability.sum()

    def quantile(self, name: str, probability: float) -> float:
        """Value of one of the two below which lies a probability, the other integrated over."""
        edges, held = self.marginal(name)
        return float(np.interp(probability, np.concatenate([[0.0], np.cumsum(held)]), edges))


def _mode(
    function: MarginalLikelihood,
    dimensions: Sequence[Dimension],
    boxes: Sequence[tuple[float, float]],
    cells: Cells,
) -> tuple[tuple[float, float], float]:
    """Point of the highest likelihood, from the best cell on, and its logarithm."""
    from scipy.optimize import minimize

    best = int(np.argmax(cells.log))
    start = 0.5 * (cells.low[best] + cells.high[best])
    step = cells.high[best] - cells.low[best]
    bounds = [
        (d.stretch(low), d.stretch(high)) for d, (low, high) in zip(dimensions, boxes, strict=True)
    ]

    def point(s: FloatArray) -> FloatArray:
        return np.array(
            [float(d.unstretch(np.array(t))[0]) for d, t in zip(dimensions, s, strict=True)]
        )

    def objective(s: FloatArray) -> float:
        return -float(function(point(s)[None])[0])

    simplex = np.array([start, [start[0] + step[0], start[1]], [start[0], start[1] + step[1]]])
    options: Any = {
        "initial_simplex": np.clip(simplex, *np.array(bounds).T),
        "xatol": 1e-6,
        "fatol": 1e-9,
        "maxiter": 400,
    }
    found = minimize(objective, start, method="Nelder-Mead", bounds=bounds, options=options)
    first, second = point(found.x)
    return (float(first), float(second)), -float(found.fun)
