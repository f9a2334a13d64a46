"""Compact coordinates of hypotheses, in which they are smooth and infinity is a point.

A mass is a place among the rows of a table, evenly spaced in its logarithm (or in itself, see
`ShapeScale`). A coupling, or its largest power u in which counts are polynomials, is an angle,
u = scale * tan(phi). See `fastscan.kernels.profiles`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError
from fastscan.kernels.trees import middle_hypotheses
from fastscan.likelihoods.coordinates import Coordinate
from fastscan.likelihoods.hypotheses import Hypotheses

__all__ = ["Chart"]

FloatArray = NDArray[np.float64]

# The largest angle: 1e9 scales of a coupling stand for infinitely many.
_LARGEST = 0.5 * math.pi - 1e-9
# Counts below this part of what normalisations take away are rounding.
_ROUNDING = 1e-14


class Chart:
    """Hypotheses as functions of coordinates z: first the mass, if one is free, then couplings.

    Parameters
    ----------
    counts : Counts
    free : mapping of str to (low, high)
        Parameters that move, at most one mass, and the bounds of u, or of the mass.
    held : mapping
        Values of the other parameters of the counts; zero for those left out, as for partners.

    Attributes
    ----------
    names : tuple of str
        In the order of z.
    bounds : (coordinates, 2)
        Of z.
    counted : (n,)
        Which components of a data vector pulls can move: not those of external constraints.
    expansion : tuple
        The table, exponents and tops that `fastscan.kernels.descent.descend` takes.
    """

    def __init__(
        self,
        counts: Counts,
        free: Mapping[str, tuple[float, float]],
        held: Mapping[str, float],
    ) -> None:
        self._counts = counts
        self.counted = np.append(counts.unit > 0.0, np.ones(counts.centre.size, dtype=bool))
        shapes = [name for name in free if name in counts.shape_parameters]
        if len(shapes) > 1:
            raise InputError(
                f"toys can not be fitted over {' and '.join(shapes)} at once",
                where="parameters",
                hint="hold one with --set",
            )
        couplings = [name for name in counts.couplings if name in free]
        self.names = (*shapes, *couplings)
        self._at = [Coordinate.of(counts, name) for name in self.names]
        self._limits = [free[name] for name in self.names]
        self._steps = np.zeros(1)
        masses = {n: np.array([held[n]]) for n in counts.shape_parameters if n in held}
        if shapes:
            scale = self._at[0].scale
            low, high = (scale.variable(value) for value in free[shapes[0]])
            self._steps = np.linspace(low, high, scale.rows(low, high))
            masses = {shapes[0]: scale.values(self._steps)}
        every, exponents = self._merged(counts.coefficients(masses or None), couplings, held)
        self._scale = self._scales(every, exponents)
        self.bounds = np.array([self._angles(i) for i in range(len(self.names))]).reshape(-1, 2)
        # In units of the scale, and around the centre of the pulls.
        powers = self._scale[:, None, :] ** exponents
        every = every * powers.prod(axis=2)[:, None, :, None]
        offset = every[:, 0] - np.einsum("k,rkmb->rmb", counts.centre, every[:, 1:])
        own = np.abs(offset) > _ROUNDING * np.abs(every[:, 0])
        every[:, 0] = np.where(own, offset, 0.0)
        tops = np.zeros((every.shape[1], len(couplings)), dtype=np.int64)
        for layer in range(1, every.shape[1]):
            some = every[:, layer].any(axis=(0, 2))
            tops[layer] = exponents[some].max(axis=0, initial=0)
        self.expansion = np.ascontiguousarray(every), exponents, tops

    def hypotheses(self, z: FloatArray) -> Hypotheses:
        """Predictions at points, shape (points, coordinates)."""
        pulls = self.expansion[0].shape[1] - 1
        basis = np.empty((len(z), pulls, self._counts.observed.size))
        offset = np.empty((len(z), basis.shape[2]))
        middle_hypotheses(np.ascontiguousarray(z), *self.expansion, offset, basis)
        return Hypotheses(offset, basis)

    def values(self, z: FloatArray) -> dict[str, FloatArray]:
        """Parameters at points; infinite, or a bound of their range, where z is at its own."""
        found = {}
        scales = np.broadcast_to(self._scale[0], (len(z), self._scale.shape[1]))
        if len(self._steps) > 1 and scales.shape[1]:
            from scipy.interpolate import CubicSpline

            scales = np.exp(CubicSpline(np.arange(len(self._scale)), np.log(self._scale))(z[:, 0]))
        for i, (at, (low, high)) in enumerate(zip(self._at, self._limits, strict=True)):
            start, stop = self.bounds[i]
            if at.is_mass:
                u = at.scale.values(self._steps[0] + z[:, i] / stop * np.ptp(self._steps))
                low, high = at.reached(np.array([low, high])).tolist()
            else:
                own = scales[:, i - (len(self.names) - scales.shape[1])]
                u = own * np.tan(z[:, i])
            u = np.where(z[:, i] <= start, low, np.where(z[:, i] >= stop, high, u))
            found[at.parameter.name] = at.value(np.clip(u, low, high))
        return found

    def _merged(
        self, every: FloatArray, couplings: list[str], held: Mapping[str, float]
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """Coefficients of each product of powers u of the free couplings, the others put in."""
        counts = self._counts
        weights = np.ones(len(counts.exponents))
        own = np.zeros((len(counts.exponents), len(couplings)), dtype=np.int64)
        for c, name in enumerate(counts.couplings):
            powers = counts.exponents[:, c]
            if name in couplings:
                own[:, couplings.index(name)] = powers // counts.power(name)
            else:
                weights *= held.get(name, 0.0) ** powers
        exponents, which = np.unique(own, axis=0, return_inverse=True)
        merged = np.zeros((*every.shape[:2], len(exponents), every.shape[3]))
        for m, to in enumerate(which.ravel()):
            merged[:, :, to] += weights[m] * every[:, :, m]
        return merged, np.ascontiguousarray(exponents, dtype=np.int64)

    def _scales(self, every: FloatArray, exponents: NDArray[np.int64]) -> FloatArray:
        """Size of u at which a coupling alone changes all counts by themselves, (rows, couplings).

        A smooth function of the mass; the same for all of them where the coupling has a bound other
        than zero.
        """
        counted = self.counted[: every.shape[3]]
        norms = np.linalg.norm(every[:, 0] * counted, axis=2)
        constant = exponents.sum(axis=1) == 0
        size = np.hypot(norms[:, constant].sum(axis=1), 1.0)
        scale = np.ones((len(every), exponents.shape[1]))
        couplings = self._limits[len(self._limits) - exponents.shape[1] :]
        for c, limits in enumerate(couplings):
            alone = (exponents[:, c] == exponents.sum(axis=1)) & ~constant
            alone &= (norms > 0.0).all(axis=0)
            if not alone.any():
                continue
            top = int(np.where(alone, exponents[:, c], 0).argmax())
            scale[:, c] = (size / norms[:, top]) ** (1.0 / exponents[top, c])
            if not all(limit == 0.0 or math.isinf(limit) for limit in limits):
                scale[:, c] = scale[len(scale) // 2, c]
        return scale

    def _angles(self, i: int) -> tuple[float, float]:
        """Bounds of a coordinate."""
        if self._at[i].is_mass:
            return 0.0, len(self._steps) - 1.0
        own = self._scale[0, i - (len(self.names) - self._scale.shape[1])]
        low, high = (math.atan(limit / own) for limit in self._limits[i])
        return max(low, -_LARGEST), min(high, _LARGEST)
