"""Bayesian posteriors of one and two parameters by direct quadrature, nuisances marginalised.

With standard normal pulls beta and counts linear in them, the integral over beta is closed:

    integral of exp(-chi2(theta, beta) / 2) dbeta / (2 pi)**(K/2)
        = exp(-chi2(theta) / 2) / sqrt(det(I + T T^T)),

chi2(theta) the profiled one and T (K, bins) the change of the counts over their errors by one
standard deviation of each pull; a normalisation alone gives 1 / sqrt(1 + sigma_alpha**2 A). Where
counts are not linear in a nuisance, their tangent at its fitted value stands for them (Laplace's
approximation). The root is not constant: it grows with the signal, so that a posterior with
nuisances profiled, as `fastscan.scan.marginalise` has it, puts more weight on large signals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError, unknown_name
from fastscan.inference.edges import EXCLUDED, Touch, bounds_of, open_ends
from fastscan.inference.samples import ladder
from fastscan.likelihoods.hypotheses import hypotheses
from fastscan.likelihoods.levels import delta_chi2
from fastscan.models import Parameter

if TYPE_CHECKING:
    from fastscan.likelihoods.likelihood import Likelihood

__all__ = ["PRIORS", "Credible", "PlanePosterior", "Posterior", "credible_intervals", "posterior"]

FloatArray = NDArray[np.float64]

# Probability an interval may hold too much before its flat part is cut.
_FLAT_EXCESS = 1e-4
Box = tuple[float | None, float | None]

PRIORS = ("flat-g", "flat-g2", "log-g")

# Where no end of the box is given, it lies where the marginalised likelihood has fallen to
# exp(-_NEGLIGIBLE) = 1e-8 of its maximum.
_NEGLIGIBLE = 8.0 * math.log(10.0)
# Steps of asinh(g / natural size), and of the logarithm of a mass: in looking round, and in the
# panels of the quadrature before any is halved.
_LOOK, _LOOK_PLANE, _PANEL = 0.02, 0.1, 0.25
_NODES = 16
_TOLERANCE = 1e-9
_DEPTH = 40
# Of a mass, where an axis of a plane turns from even steps to equal ratios, in MeV: the least
# momentum transfer there is.
_SMALLEST_MASS_MEV = 1e-2
# A plane starts with so many panels along each axis; each is quartered until its quarters add up
# to it, and then cut into cells, of which a level takes those above it.
_PLANE_PANELS = 32
_PLANE_NODES = 8
_PLANE_CELLS = 8
_PLANE_TOLERANCE = 1e-5
_PLANE_DEPTH = 8
_MOST_PANELS = 40_000
_GRID = 401
# A larger relative error of the probabilities is worth a word.
_UNSETTLED = 1e-3
# A box whose best point is this much worse than the best one outside is worth a word.
_DOUBTFUL = 9.0


@dataclass(frozen=True)
class Credible:
    """What the posterior of one parameter says at a level.

    Attributes
    ----------
    poi, unit : str
    prior : {"flat-g", "flat-g2", "log-g"}
    box : (low, high)
        Of the prior.
    cl : float
    intervals : list of (low, high)
        The densest region that holds a probability of ``cl``: disjoint, in rising order. Density is
        per unit of that function of the parameter in which the prior is flat, so that the region
        is where the likelihood is highest, and the same in g, g**2 and log g.
    upper_limit : float
        Value below which lies a probability of ``cl``.
    mode, chi2_min : float
        Highest marginalised likelihood in the box, and the profiled chi2 there.
    quadrature_error : float
        Estimate of the relative error of the probabilities.
    touches : list of Touch
        Ends of the box, where they are no bound of the parameter, that the region reaches.
    warning : str
        On a box that the data disfavour; empty if they do not.
    """

    poi: str
    unit: str
    prior: str
    box: tuple[float, float]
    cl: float
    intervals: list[tuple[float, float]]
    upper_limit: float
    mode: float
    chi2_min: float
    quadrature_error: float
    touches: list[Touch]
    warning: str


class _Dimension:
    """A parameter, its prior, and the variable in which integrals over it are done.

    The variable is the parameter itself, or its logarithm for a prior flat in the logarithm.
    """

    def __init__(self, parameter: Parameter, prior: str, scale: float | None) -> None:
        self.parameter = parameter
        self.prior = prior
        # Of a coupling; None for a mass.
        self.scale = scale

    def value(self, x: FloatArray) -> FloatArray:
        return np.exp(x) if self.prior == "log-g" else x

    def variable(self, value: float) -> float:
        return math.log(value) if self.prior == "log-g" else value

    def weight(self, x: FloatArray) -> FloatArray:
        """Prior density per unit of the variable, not normalised."""
        return 2.0 * np.abs(x) if self.prior == "flat-g2" else np.ones_like(x)

    def flat(self, value: FloatArray) -> FloatArray:
        """The function of the parameter in which the prior is flat."""
        if self.prior == "flat-g":
            return value
        return np.log(value) if self.prior == "log-g" else np.sign(value) * value**2

    def slope(self, value: FloatArray) -> FloatArray:
        """Derivative of `flat` by the parameter."""
        if self.prior == "flat-g":
            return np.ones_like(value)
        return 1.0 / value if self.prior == "log-g" else 2.0 * np.abs(value)

    def stretch(self, value: float) -> float:
        """Variable of a plane's quadrature: as the parameter near zero, its logarithm far out."""
        if self.prior == "log-g":
            return math.log(value)
        return math.asinh(value / (self.scale or _SMALLEST_MASS_MEV))

    def unstretch(self, s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values of the parameter, and the prior's weight per unit of the variable."""
        if self.prior == "log-g":
            return np.exp(s), np.ones_like(s)
        scale = self.scale or _SMALLEST_MASS_MEV
        value = scale * np.sinh(s)
        return value, self.weight(value) * (scale * np.cosh(s))

    def ladder(self, step: float, low: float = -math.inf, high: float = math.inf) -> FloatArray:
        """Values from one to another, see `fastscan.inference.samples`."""
        return ladder(self.parameter, self.scale, step, low, high)


class _MarginalLikelihood:
    """Logarithm of the likelihood with the pulls integrated out, at points of some parameters."""

    def __init__(
        self, likelihood: Likelihood, names: Sequence[str], given: Mapping[str, float] | None
    ) -> None:
        self.counts = likelihood.counts(names, given)
        self.bins = self.counts.seen.size

    def __call__(self, points: FloatArray) -> FloatArray:
        """At points (points, parameters), shape (points,); minus infinity where counts overflow."""
        out = np.empty(len(points))
        for start in range(0, len(points), 8192):
            part = slice(start, start + 8192)
            out[part] = self._both(points[part])[0]
        return out

    def on_grid(self, columns: Sequence[FloatArray]) -> FloatArray:
        """On the grid of some values of each parameter."""
        mesh = np.meshgrid(*columns, indexing="ij")
        return self(np.stack([m.ravel() for m in mesh], axis=1)).reshape(mesh[0].shape)

    def chi2(self, point: FloatArray) -> float:
        """The profiled chi2 at a point."""
        return float(self._both(point[None])[1][0])

    def _both(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        with np.errstate(all="ignore"):
            predicted = hypotheses(self.counts, points)
            chi2 = predicted.chi2(self.counts.observed[None])[0]
            # The rows of the basis are R**-T (T, 1): its last columns have det(I + T T^T)**-1/2.
            last = predicted.basis[:, :, self.bins :]
            log = -0.5 * chi2 + np.log(np.abs(np.linalg.det(last)))
        return np.where(np.isfinite(log), log, -np.inf), chi2


class Posterior:
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
    warning : str
    """

    def __init__(
        self, function: _MarginalLikelihood, dimension: _Dimension, box: tuple[float, float]
    ) -> None:
        self._function = function
        self._dimension = dimension
        self.parameter = dimension.parameter
        self.prior = dimension.prior
        self.parameters = dict(function.counts.fixed)
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
            mode=self.mode,
            chi2_min=self.chi2_min,
            quadrature_error=self.quadrature_error,
            touches=self.touches(cl),
            warning=self.warning,
        )

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


@dataclass(frozen=True)
class _Cells:
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


class PlanePosterior:
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
    warning : str
    """

    def __init__(
        self,
        function: _MarginalLikelihood,
        dimensions: tuple[_Dimension, _Dimension],
        boxes: tuple[tuple[float, float], tuple[float, float]],
        warning: str = "",
    ) -> None:
        self._function = function
        self._dimensions = dimensions
        self.names = (dimensions[0].parameter.name, dimensions[1].parameter.name)
        self.parameters = dict(function.counts.fixed)
        self.priors = (dimensions[0].prior, dimensions[1].prior)
        self.boxes = boxes
        self._cells, self.quadrature_error = _quartered(function, dimensions, boxes)
        self.mode, self._highest = _plane_mode(function, dimensions, boxes, self._cells)
        self.chi2_min = function.chi2(np.array(self.mode))
        if self.quadrature_error > _UNSETTLED:
            unsettled = f"probabilities are right to {self.quadrature_error:.1g} only"
            warning = f"{warning}; {unsettled}" if warning else unsettled
        self.warning = warning

    def level(self, cl: float = 0.90) -> float:
        """Log likelihood, less its highest, above which lies a probability of ``cl``.

        A cell that the level crosses counts with the part of it above, its values taken as evenly
        spread over what they change by.
        """
        from scipy.optimize import toms748

        delta_chi2(cl)
        cells = self._cells
        top, bottom = cells.log + 0.5 * cells.width, cells.log - 0.5 * cells.width

        def missing(level: float) -> float:
            share = np.clip((top - level) / (top - bottom), 0.0, 1.0)
            return float(cells.probability @ share) - cl

        held = cells.probability > 0.0
        ends = float(bottom[held].min()) - 1.0, float(top[held].max())
        return float(toms748(missing, *ends, xtol=1e-7, rtol=1e-9)) - self._highest

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
        inside = self._cells.log + self._cells.width >= self.level(cl) + self._highest
        columns = []
        for i, (dimension, box) in enumerate(zip(self._dimensions, self.boxes, strict=True)):
            low = float(self._cells.low[inside, i].min())
            high = float(self._cells.high[inside, i].max())
            room = 0.1 * (high - low)
            first, last = (dimension.stretch(end) for end in box)
            even = np.linspace(max(first, low - room), min(last, high + room), _GRID)
            columns.append(np.clip(dimension.unstretch(even)[0], *box))
        return columns[0], columns[1], self._function.on_grid(columns) - self._highest

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


def posterior(
    likelihood: Likelihood,
    names: str | Sequence[str],
    given: Mapping[str, float] | None = None,
    *,
    prior: str | Mapping[str, str] = "flat-g",
    box: Box | Mapping[str, Box] | None = None,
) -> Posterior | PlanePosterior:
    """Posterior of one or two parameters, others held, nuisances marginalised in closed form.

    Parameters
    ----------
    likelihood : Likelihood
    names : str or sequence of one or two str
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    prior : {"flat-g", "flat-g2", "log-g"}, or mapping of name to one
        Flat in the parameter, in its square (for a signed parameter in sign(g) g**2, that is
        proportional to |g| in g), or in its logarithm.
    box : (low, high), or mapping of name to one
        Where the prior is not zero; None for an end leaves it at the parameter's bound, or where
        the likelihood has fallen to 1e-8 of its maximum.

    Raises
    ------
    InputError
        Unknown parameter or prior; a box that is empty, not finite or out of range; a prior flat
        in the logarithm without a lower end above zero; no end of the box where the likelihood
        does not fall; a box that the data exclude.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    if len(names) not in (1, 2):
        raise InputError(
            f"posterior of {len(names)} parameters", where="--poi", hint="name one or two"
        )
    function = _MarginalLikelihood(likelihood, names, given)
    dimensions, boxes = [], []
    for parameter in function.counts.parameters:
        dimension, own = _dimension(function, parameter, prior, box)
        dimensions.append(dimension)
        boxes.append(own)
    full, warning = _fill(function, dimensions, boxes)
    if len(names) == 1:
        one = Posterior(function, dimensions[0], full[0])
        one.warning = warning
        return one
    pair = (dimensions[0], dimensions[1])
    _check_valley(function, pair, boxes, full)
    return PlanePosterior(function, pair, (full[0], full[1]), warning)


def credible_intervals(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    prior: str = "flat-g",
    cl: float = 0.90,
    box: Box | None = None,
) -> Credible:
    """Credible intervals and upper limit of one parameter; arguments as for `posterior`.

    Examples
    --------
    >>> import fastscan
    >>> from fastscan.inference.posterior import credible_intervals
    >>> found = credible_intervals(fastscan.likelihood("vector"), "g", {"mass_mev": 10.0})
    >>> f"{found.upper_limit:.3e}"
    '1.629e-05'
    """
    delta_chi2(cl)
    one = posterior(likelihood, poi, given, prior=prior, box=box)
    assert isinstance(one, Posterior)
    return one.credible(cl)


def _dimension(
    function: _MarginalLikelihood,
    parameter: Parameter,
    prior: str | Mapping[str, str],
    box: Box | Mapping[str, Box] | None,
) -> tuple[_Dimension, Box]:
    """A parameter with its prior and box, checked."""
    name = parameter.name
    for option, given in (("--prior", prior), ("--box", box)):
        for other in given if isinstance(given, Mapping) else ():
            if other not in function.counts.names:
                raise unknown_name("parameter", other, function.counts.names, where=option)
    own_prior = prior.get(name, "flat-g") if isinstance(prior, Mapping) else prior
    if own_prior not in PRIORS:
        raise unknown_name("prior", own_prior, PRIORS, where="--prior")
    own_box = box.get(name) if isinstance(box, Mapping) else box
    low, high = own_box or (None, None)
    where = f"--box {name}"
    for end in (low, high):
        if end is not None:
            parameter.check(end, where)
    if low is not None and high is not None and not low < high:
        raise InputError(
            f"the box from {low:g} to {high:g} is empty", where=where, hint="give low:high"
        )
    if own_prior == "log-g" and (low is None or low <= 0.0):
        raise InputError(
            f"a prior flat in log {name} has no lower end"
            if low is None
            else f"a prior flat in log {name} can not start at {low:g}",
            where=where,
            hint=f"give one above zero: fastscan posterior … --box {name}=1e-7:1e-3",
        )
    return _Dimension(parameter, own_prior, _natural_size(function.counts, name)), (low, high)


def _natural_size(counts: Counts, name: str) -> float | None:
    """Natural size of a coupling, None of a mass."""
    if name in counts.shape_parameters:
        return None
    size = counts.size(name)
    if size is None:
        raise InputError(
            f"the counts do not depend on {name}",
            where=name,
            hint="choose another parameter, or the channels that it acts in",
        )
    return size


def _fill(
    function: _MarginalLikelihood, dimensions: Sequence[_Dimension], boxes: Sequence[Box]
) -> tuple[list[tuple[float, float]], str]:
    """Ends of boxes that were not given; and a word on boxes that the data disfavour."""
    step = _LOOK if len(dimensions) == 1 else _LOOK_PLANE
    ladders = []
    for dimension, own in zip(dimensions, boxes, strict=True):
        ends = [end for end in own if end is not None]
        ladders.append(np.unique([*dimension.ladder(step), *ends]))
    log = function.on_grid(ladders)
    inside = np.ones(log.shape, dtype=bool)
    for m, (low, high) in zip(np.meshgrid(*ladders, indexing="ij"), boxes, strict=True):
        inside &= (m >= (-np.inf if low is None else low)) & (
            m <= (np.inf if high is None else high)
        )
    if not np.isfinite(log[inside]).any():
        raise InputError(
            "the likelihood is zero in all of the box", where="--box", hint="give a wider one"
        )
    highest = float(log[inside].max())
    above = inside & (log >= highest - _NEGLIGIBLE)
    full = []
    for i, (dimension, own) in enumerate(zip(dimensions, boxes, strict=True)):
        others = tuple(j for j in range(log.ndim) if j != i)
        found = np.flatnonzero(above.any(axis=others))
        full.append(_ends(dimension, own, ladders[i], int(found[0]), int(found[-1])))
    return full, _judge(2.0 * (float(log.max()) - highest), dimensions)


def _ends(
    dimension: _Dimension, box: Box, ladder: FloatArray, first: int, last: int
) -> tuple[float, float]:
    parameter = dimension.parameter
    low, high = box
    if low is None:
        low = float(ladder[max(first - 1, 0)])
        if first == 0 and low > parameter.minimum:
            # All the way down to a mass of zero.
            low = parameter.minimum
    if high is None:
        high = float(ladder[min(last + 1, ladder.size - 1)])
        if last == ladder.size - 1 and high < parameter.maximum:
            high = math.inf
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(
            f"the likelihood does not fall towards large {parameter.name}: a flat prior needs an "
            "end",
            where=f"--box {parameter.name}",
            hint=f"give the box: fastscan posterior … --box {parameter.name}=LOW:HIGH",
        )
    return low, high


def _judge(worse: float, dimensions: Sequence[_Dimension]) -> str:
    names = " and ".join(d.parameter.name for d in dimensions)
    if worse > EXCLUDED:
        raise InputError(
            f"the data exclude the box: outside it -2 log likelihood is lower by {worse:.4g}",
            where=f"--box {names}",
            hint="give a wider one",
        )
    if worse > _DOUBTFUL:
        return f"the data disfavour the box: outside it -2 log likelihood is lower by {worse:.3g}"
    return ""


def _check_valley(
    function: _MarginalLikelihood,
    dimensions: tuple[_Dimension, _Dimension],
    boxes: Sequence[Box],
    full: Sequence[tuple[float, float]],
) -> None:
    """Refuse to choose an end that a narrow valley runs through."""
    best = -np.inf
    along_ends = []
    for i, dimension in enumerate(dimensions):
        for own, chosen in zip(boxes[i], full[i], strict=True):
            if own is None and chosen not in (
                dimension.parameter.minimum,
                dimension.parameter.maximum,
            ):
                along_ends.append((i, chosen))
        middle = 0.0 if full[i][0] <= 0.0 <= full[i][1] else full[i][0]
        best = max(best, _highest_along(function, dimensions[1 - i], full[1 - i], i, middle))
    for i, end in along_ends:
        found = _highest_along(function, dimensions[1 - i], full[1 - i], i, end)
        if found > best - _NEGLIGIBLE:
            first, second = (dimension.parameter.name for dimension in dimensions)
            raise InputError(
                f"the likelihood does not fall along a valley of {first} and {second}: a flat "
                "prior needs ends",
                where="--box",
                hint=f"give both boxes, as in --box {first}=LOW:HIGH --box {second}=LOW:HIGH",
            )


def _highest_along(
    function: _MarginalLikelihood,
    dimension: _Dimension,
    span: tuple[float, float],
    held: int,
    value: float,
) -> float:
    """Highest log likelihood on a line on which one of two parameters is held, by zooming in."""
    low, high = span
    highest = -np.inf
    for _ in range(4):
        even = np.linspace(low, high, 2001)
        stretched = np.linspace(dimension.stretch(low), dimension.stretch(high), 2001)
        free = np.unique([*even, *np.clip(dimension.unstretch(stretched)[0], low, high)])
        points = np.empty((free.size, 2))
        points[:, held], points[:, 1 - held] = value, free
        log = function(points)
        best = int(np.argmax(log))
        highest = max(highest, float(log[best]))
        low, high = float(free[max(best - 2, 0)]), float(free[min(best + 2, free.size - 1)])
    return highest


def _quartered(
    function: _MarginalLikelihood,
    dimensions: tuple[_Dimension, _Dimension],
    boxes: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[_Cells, float]:
    """Integrate over panels, each quartered until the quarters add up to it; and their cells."""
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
    for depth in range(_PLANE_DEPTH + 1):
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
        fine = difference <= _PLANE_TOLERANCE * total / panels
        count += 4 * fine.size
        if depth == _PLANE_DEPTH or count > _MOST_PANELS:
            fine[:] = True
        error += float(difference[fine].sum())
        logs = log.reshape(-1, 4, _PLANE_NODES, _PLANE_NODES)
        kept.append(
            (
                low[fine].reshape(-1, 2),
                high[fine].reshape(-1, 2),
                logs[fine].reshape(-1, _PLANE_NODES, _PLANE_NODES),
                content[fine].ravel(),
            )
        )
        if fine.all():
            break
        low, high = low[~fine].reshape(-1, 2), high[~fine].reshape(-1, 2)
        whole = content[~fine].ravel()
    low, high, log, whole = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return _cut(dimensions, low, high, log, whole), error / float(whole.sum())


def _panel_edges(dimension: _Dimension, span: tuple[float, float]) -> FloatArray:
    """Even in the stretched variable, with a kink of the prior at zero between two panels."""
    low, high = span
    edges = np.linspace(dimension.stretch(low), dimension.stretch(high), _PLANE_PANELS + 1)
    if low < 0.0 < high:
        edges[np.argmin(np.abs(edges[1:-1])) + 1] = 0.0
    return edges


def _on_nodes(
    function: _MarginalLikelihood,
    dimensions: tuple[_Dimension, _Dimension],
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Log likelihood and weights at the nodes of panels (panels, 2), (panels, nodes, nodes)."""
    nodes, weights = np.polynomial.legendre.leggauss(_PLANE_NODES)
    values, measures = [], []
    for i, dimension in enumerate(dimensions):
        half = 0.5 * (high[:, i] - low[:, i])[:, None]
        value, weight = dimension.unstretch(0.5 * (high[:, i] + low[:, i])[:, None] + half * nodes)
        values.append(value)
        measures.append(weight * half * weights)
    shape = (low.shape[0], _PLANE_NODES, _PLANE_NODES)
    points = np.stack(
        [
            np.broadcast_to(values[0][:, :, None], shape).ravel(),
            np.broadcast_to(values[1][:, None, :], shape).ravel(),
        ],
        axis=1,
    )
    return function(points).reshape(shape), measures[0][:, :, None] * measures[1][:, None, :]


def _cut(
    dimensions: tuple[_Dimension, _Dimension],
    low: FloatArray,
    high: FloatArray,
    log: FloatArray,
    content: FloatArray,
) -> _Cells:
    """Cut panels into even cells: nodes of a quadrature are too few to say what is above a level.

    Between the nodes the log likelihood is the polynomial through them.
    """
    nodes, _ = np.polynomial.legendre.leggauss(_PLANE_NODES)
    even = (2.0 * np.arange(_PLANE_CELLS) + 1.0) / _PLANE_CELLS - 1.0
    to_even = np.linalg.solve(
        np.polynomial.legendre.legvander(nodes, _PLANE_NODES - 1).T,
        np.polynomial.legendre.legvander(even, _PLANE_NODES - 1).T,
    )
    # Where counts overflow there is nothing, and nothing to interpolate.
    lowest = float(log.max()) - 1e3
    fine = np.einsum("pij,ik,jl->pkl", np.maximum(log, lowest), to_even, to_even, optimize=True)
    lows, highs, measures = [], [], []
    for i, dimension in enumerate(dimensions):
        step = (high[:, i] - low[:, i])[:, None] / _PLANE_CELLS
        start = low[:, i, None] + step * np.arange(_PLANE_CELLS)
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

    return _Cells(
        low=both(lows),
        high=both(highs),
        probability=(probability / probability.sum()).ravel(),
        log=fine.ravel(),
        width=width.ravel(),
    )


def _support(
    function: _MarginalLikelihood,
    dimensions: Sequence[_Dimension],
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
        above = log >= log.max() - _NEGLIGIBLE
        smaller = []
        for i, column in enumerate(columns):
            found = np.flatnonzero(above.any(axis=1 - i))
            first, last = max(int(found[0]) - 1, 0), min(int(found[-1]) + 1, column.size - 1)
            smaller.append((float(column[first]), float(column[last])))
        if smaller == spans:
            break
        spans = smaller
    return spans


def _plane_mode(
    function: _MarginalLikelihood,
    dimensions: Sequence[_Dimension],
    boxes: Sequence[tuple[float, float]],
    cells: _Cells,
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
