"""Posterior of one parameter: its density, quantiles and densest intervals."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.inference.dimension import Dimension
from fastscan.inference.edges import bounds_of, open_ends
from fastscan.inference.marginal_likelihood import MarginalLikelihood
from fastscan.likelihoods.levels import delta_chi2
from fastscan.results import Column, Credible, Result, Touch

__all__ = ["Posterior"]

FloatArray = NDArray[np.float64]

# Probability an interval may hold too much before its flat part is cut.
_FLAT_EXCESS = 1e-4
# Steps of asinh(g / natural size), and of the logarithm of a mass, in the panels of the quadrature
# before any is halved.
_PANEL = 0.25
_NODES = 16
_TOLERANCE = 1e-9
_DEPTH = 40


class Posterior(Result):
    """Posterior of one parameter; made by `posterior`.

    Attributes
    ----------
    parameter : Parameter
    prior : str
    box : (low, high)
        Of the prior. An end that was not given is where the likelihood has fallen to 1e-8.
    parameters : dict
        Parameters that were held.
    mode, chi2_min : float
        Highest marginalised likelihood in the box, and the profiled chi2 there.
    quadrature_error : float
        Relative: each panel's Gauss-Legendre sum beside that of its halves, added up.
    cl : float
        Probability that tables, figures and words are of.
    warning : str
    """

    profiled = ()

    def __init__(
        self,
        function: MarginalLikelihood,
        dimension: Dimension,
        box: tuple[float, float],
        cl: float = 0.90,
    ) -> None:
        self.provenance, self.cl = function.provenance, cl
        self._function = function
        self._dimension = dimension
        self.parameter = dimension.parameter
        self.prior = dimension.prior
        self._held = dict(function.counts.fixed)
        self.box = box
        ladder = dimension.ladder(_PANEL, *box)
        if dimension.prior == "log-g":
            # The ladder is even near zero, where the logarithm is not.
            low, high = (math.log(end) for end in box)
            even = np.exp(np.linspace(low, high, max(2, math.ceil((high - low) / _PANEL))))
            ladder = np.unique([*box, *ladder, *even[1:-1]])
        self._highest = self._highest_at(self._refined(ladder))
        self._edges, self._content, self.quadrature_error = self._integrate(
            np.array([dimension.variable(v) for v in ladder])
        )
        self._total = float(self._content.sum())
        self._below = np.concatenate([[0.0], np.cumsum(self._content)]) / self._total
        self.mode, self._highest = self._find_mode()
        self.chi2_min = function.chi2(np.array([self.mode]))
        self.warning = ""

    def density(self, values: ArrayLike) -> FloatArray:
        """Probability per unit of the parameter, shape of the values; zero outside the box."""
        value = np.asarray(values, dtype=float)
        inside = (value >= self.box[0]) & (value <= self.box[1])
        safe = np.where(inside, value, self.box[1])
        likelihood = np.exp(self._log(safe.ravel()) - self._reference).reshape(value.shape)
        density: FloatArray = likelihood * self._dimension.slope(safe) / self._total
        return np.where(inside, density, 0.0)

    def probability_below(self, value: float) -> float:
        """Probability of the parameter being at most a value."""
        if value <= self.box[0]:
            return 0.0
        if value >= self.box[1]:
            return 1.0
        x = self._dimension.variable(value)
        panel = int(np.searchsorted(self._edges, x, side="right")) - 1
        part = float(self._panels(np.array([self._edges[panel]]), np.array([x]))[0])
        return float(self._below[panel]) + part / self._total

    def quantile(self, probability: float) -> float:
        """Value below which lies a probability."""
        from scipy.optimize import toms748

        panel = int(np.searchsorted(self._below, probability, side="right")) - 1
        if panel >= self._content.size:
            return self.box[1]
        low, high = float(self._edges[panel]), float(self._edges[panel + 1])
        start, rest = np.array([low]), probability - float(self._below[panel])
        if rest <= 0.0:
            return float(self._dimension.value(np.array(low)))
        if rest >= float(self._content[panel]) / self._total:
            return float(self._dimension.value(np.array(high)))
        x = toms748(
            lambda x: float(self._panels(start, np.array([x]))[0]) / self._total - rest,
            low,
            high,
            xtol=1e-300,
            rtol=1e-12,
        )
        return float(self._dimension.value(np.array(x)))

    def upper_limit(self, cl: float = 0.90) -> float:
        """Value below which lies a probability of ``cl``."""
        delta_chi2(cl)
        return self.quantile(cl)

    def intervals(self, cl: float = 0.90) -> list[tuple[float, float]]:
        """The densest region that holds a probability of ``cl``, see `Credible`.

        An interval that ends at an end of the box does so because of the prior.
        """
        from scipy.optimize import toms748

        delta_chi2(cl)

        def missing(depth: float) -> float:
            held = (
                self.probability_below(high) - self.probability_below(low)
                for low, high in self._above(depth)
            )
            return sum(held) - cl

        deepest = self._highest - float(self._samples[1].min())
        if deepest <= 0.0 or missing(deepest) <= 0.0:
            return [self.box]
        depth = float(toms748(missing, 0.0, deepest, xtol=1e-10, rtol=1e-10))
        # A little deeper, on the side that holds enough. Where the density is flat, as a posterior
        # flat in the logarithm is at small couplings, that may be far too much: then the smallest
        # values, which are as good as any of those, are left out again.
        pieces = self._above(min(depth + 1e-9 * (1.0 + depth), deepest))
        excess = missing(min(depth + 1e-9 * (1.0 + depth), deepest))
        (low, high), *others = pieces
        start = self.probability_below(low)
        if excess > _FLAT_EXCESS and start + excess < self.probability_below(high):
            low = float(toms748(lambda v: self.probability_below(v) - start - excess, low, high))
        return [(low, high), *others]

    def touches(self, cl: float = 0.90) -> list[Touch]:
        """Ends of the box, where they are no bound of the parameter, that the region reaches."""
        ends = {end for pair in self.intervals(cl) for end in pair}
        box = {self.parameter.name: self.box}
        return [one for one in open_ends(box, bounds_of([self.parameter])) if one.value in ends]

    def credible(self, cl: float = 0.90) -> Credible:
        """Intervals, upper limit and where they come from."""
        return Credible(
            poi=self.parameter.name,
            unit=self.parameter.unit,
            prior=self.prior,
            box=self.box,
            cl=cl,
            intervals=self.intervals(cl),
            upper_limit=self.upper_limit(cl),
            median=self.quantile(0.5),
            best_fit=self.mode,
            chi2_min=self.chi2_min,
            quadrature_error=self.quadrature_error,
            touches=self.touches(cl),
            warning=self.warning,
            profiled=(),
            parameters=self.parameters,
            provenance=self.provenance,
            doubts=self._function.doubts(self.chi2_min),
        )

    @cached_property
    def _credible(self) -> Credible:
        return self.credible(self.cl)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters that were held."""
        return self._held

    @property
    def headline(self) -> str:
        """Its densest region."""
        return self._credible.headline

    @property
    def details(self) -> list[str]:
        """Lines that tell the rest of it."""
        return self._credible.details

    @property
    def warnings(self) -> list[str]:
        """What may mislead."""
        return self._credible.warnings

    def _entries(self) -> dict[str, Any]:
        return self._credible._entries()

    def _columns(self) -> dict[str, Column]:
        values, at = self._samples[0], (self.parameter.name,)
        unit = self.parameter.unit
        per = "1" if unit == "1" else f"1 / ({unit})"
        scalars = {n: c for n, c in self._credible._columns().items() if not c.dims}
        return {
            self.parameter.name: Column(at, values, unit, self.parameter.description),
            "density": Column(at, self.density(values), per, "probability density"),
            **scalars,
        }

    def _log(self, values: FloatArray) -> FloatArray:
        return self._function(values[:, None])

    def _refined(self, ladder: FloatArray) -> FloatArray:
        """Eight points between each two of a ladder."""
        steps = np.arange(8) / 8.0
        between = ladder[:-1, None] + np.diff(ladder)[:, None] * steps
        return np.concatenate([between.ravel(), ladder[-1:]])

    def _highest_at(self, values: FloatArray) -> float:
        highest = float(self._log(values).max())
        self._reference = highest
        return highest

    def _integrand(self, x: FloatArray) -> FloatArray:
        log = self._log(self._dimension.value(x).ravel()).reshape(x.shape)
        density: FloatArray = np.exp(log - self._reference) * self._dimension.weight(x)
        return density

    def _panels(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Gauss-Legendre sums from low to high, both of shape (panels,)."""
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        half = 0.5 * (high - low)
        x = 0.5 * (high + low)[:, None] + half[:, None] * nodes
        sums: FloatArray = (self._integrand(x) @ weights) * half
        return sums

    def _integrate(self, edges: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Panels and their contents: each is halved until its halves add up to it."""
        low, high = edges[:-1], edges[1:]
        whole = self._panels(low, high)
        found: list[tuple[FloatArray, FloatArray]] = []
        error = 0.0
        for _ in range(_DEPTH):
            middle = 0.5 * (low + high)
            left, right = self._panels(low, middle), self._panels(middle, high)
            difference = np.abs(left + right - whole)
            total = sum(float(content.sum()) for _, content in found) + float((left + right).sum())
            fine = difference <= _TOLERANCE * total / edges.size
            error += float(difference[fine].sum())
            for start, content in ((low, left), (middle, right)):
                found.append((start[fine], content[fine]))
            low, high, whole = (
                np.concatenate(pair)
                for pair in (
                    (low[~fine], middle[~fine]),
                    (middle[~fine], high[~fine]),
                    (left[~fine], right[~fine]),
                )
            )
            if low.size == 0:
                break
        else:
            found.append((low, whole))
            error += float(np.abs(whole).sum())
        starts = np.concatenate([start for start, _ in found])
        contents = np.concatenate([content for _, content in found])
        order = np.argsort(starts)
        return np.append(starts[order], edges[-1]), contents[order], error / float(contents.sum())

    @cached_property
    def _samples(self) -> tuple[FloatArray, FloatArray]:
        """Values in rising order, dense enough to bracket every crossing, and the logarithm."""
        nodes, _ = np.polynomial.legendre.leggauss(_NODES)
        low, high = self._edges[:-1, None], self._edges[1:, None]
        inside = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        x = np.unique([*self._edges, *inside.ravel()])
        values = self._dimension.value(x)
        values[0], values[-1] = self.box
        return values, self._log(values)

    def _find_mode(self) -> tuple[float, float]:
        from scipy.optimize import minimize_scalar

        values, log = self._samples
        best = int(np.argmax(log))
        low, high = values[max(best - 1, 0)], values[min(best + 1, values.size - 1)]
        found = minimize_scalar(
            lambda v: -float(self._log(np.array([v]))[0]),
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-10 * (high - low)},
        )
        # At an end of the box the minimiser stops just short of it.
        if -found.fun > log[best] + 1e-12:
            return float(found.x), -float(found.fun)
        return float(values[best]), float(log[best])

    def _above(self, depth: float) -> list[tuple[float, float]]:
        """Intervals in which the likelihood is less than exp(-depth) below its maximum."""
        from scipy.optimize import toms748

        level = self._highest - depth
        values, log = self._samples
        if self.mode not in values:
            place = int(np.searchsorted(values, self.mode))
            values = np.insert(values, place, self.mode)
            log = np.insert(log, place, self._highest)
        above = log >= level

        def height(value: float) -> float:
            return float(self._log(np.array([value]))[0]) - level

        ends = [float(values[0])] if above[0] else []
        for i in np.flatnonzero(above[1:] != above[:-1]):
            low, high = float(values[i]), float(values[i + 1])
            at_low, at_high = height(low), height(high)
            # A sample at the level may lie on its other side by rounding, seen on its own.
            if at_low * at_high >= 0.0:
                ends.append(low if abs(at_low) < abs(at_high) else high)
            else:
                ends.append(float(toms748(height, low, high, xtol=1e-300, rtol=1e-12)))
        if above[-1]:
            ends.append(float(values[-1]))
        return list(zip(ends[::2], ends[1::2], strict=True))
