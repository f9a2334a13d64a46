"""Directions of one normalisation nuisance as polynomials, and families of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.counts import Counts
from fastscan.exceptions import InputError
from fastscan.likelihoods.coordinates import Coordinate
from fastscan.likelihoods.families import Family

__all__ = ["Directions", "too_many"]

FloatArray = NDArray[np.float64]

# Rows of a table between which coefficients are interpolated, of a coupling.
_ROWS = 385


class Directions:
    """Directions of one normalisation nuisance as polynomials, and families of them."""

    def __init__(self, counts: Counts, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._counts = counts
        self._ranges = ranges
        self._exponents = counts.exponents
        seen = counts.observed
        self.radius = float(np.sqrt(seen @ seen + seen.size))

    def family(
        self,
        outer: str | None,
        inner: Sequence[str],
        held: Mapping[str, float],
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Family:
        """Family around an outer parameter, or none, with at most one inner coupling.

        Parameters
        ----------
        outer, inner : names
        held : mapping
            Values of free parameters; those in no role are zero, as partners are.
        bounds : mapping, optional
            Of u, narrower than the range.
        """
        if len(inner) > 1:
            raise too_many([*filter(None, [outer]), *inner])
        if outer is not None and not inner and outer not in self._counts.shape_parameters:
            # One coupling alone is exact.
            return self.family(None, (outer,), held, bounds)
        narrowed = dict(bounds or {})
        inner_at = self._coordinate(inner[0]) if inner else None
        outer_at = self._coordinate(outer) if outer is not None else None
        positions = np.zeros(1)
        outer_scale = 1.0
        if outer_at is not None:
            low, high = self._bounds(outer_at, narrowed)
            if outer_at.is_mass:
                steps = outer_at.scale
                ends = steps.variables(np.array([max(low, steps.low), high]))
                rows = steps.rows(ends[0], ends[1])
            else:
                outer_scale = self._scale(outer_at, held)
                ends = np.arctan(np.array([low, high]) / outer_scale)
                rows = _ROWS
            positions = np.linspace(ends[0], ends[1], rows)
        table = self._table(outer_at, inner_at, held, positions, outer_scale)
        degree = table.shape[1] - 1
        scale = np.ones(len(table))
        limits = np.tile([0.0, 0.0], (len(table), 1))
        if inner_at is not None:
            if outer_at is None or outer_at.is_mass:
                sizes = np.linalg.norm(table[:, [0, degree]], axis=2)
                with np.errstate(divide="ignore", invalid="ignore"):
                    scale = (sizes[:, 0] / sizes[:, 1]) ** (1.0 / max(degree, 1))
                scale = np.where(np.isfinite(scale) & (scale > 0.0), scale, 1.0)
            else:
                scale[:] = self._scale(inner_at, held)
            table = table * scale[:, None, None] ** np.arange(degree + 1)[:, None]
            limits = np.array(self._bounds(inner_at, narrowed)) / scale[:, None]
        return Family(
            outer_at,
            inner_at,
            np.ascontiguousarray(table),
            positions,
            scale,
            outer_scale,
            np.ascontiguousarray(limits),
            self.radius,
        )

    def _table(
        self,
        outer: Coordinate | None,
        inner: Coordinate | None,
        held: Mapping[str, float],
        positions: FloatArray,
        outer_scale: float,
    ) -> FloatArray:
        """Vectors of the powers of the inner coupling, (rows, p + 1, n)."""
        shapes = {
            name: np.array([held[name]]) for name in self._counts.shape_parameters if name in held
        }
        if outer is not None and outer.is_mass:
            shapes[outer.parameter.name] = outer.scale.values(positions)
        columns = self._coefficients(shapes)
        powers = np.zeros(len(self._exponents), dtype=np.int64)
        weights = np.ones((len(positions), len(self._exponents)))
        top = 0
        for c, name in enumerate(self._counts.couplings):
            own = self._exponents[:, c]
            if inner is not None and name == inner.parameter.name:
                powers = own // inner.power
            elif outer is not None and name == outer.parameter.name:
                own = own // outer.power
                top = int(own.max())
                # Homogeneous in (cos, sin): an infinite coupling is a point like any other.
                cosine, sine = np.cos(positions), np.sin(positions)
                cosine[np.abs(positions) >= 0.5 * np.pi] = 0.0
                weights *= cosine[:, None] ** (top - own) * (outer_scale * sine[:, None]) ** own
            else:
                weights *= held.get(name, 0.0) ** own
        bins = columns.shape[2]
        table = np.zeros((len(positions), int(powers.max(initial=0)) + 1, bins + 1))
        for m, power in enumerate(powers):
            table[:, power, :bins] += weights[:, m, None] * columns[:, m]
        pull = np.ones(len(positions))
        if outer is not None and not outer.is_mass:
            pull = np.where(np.abs(positions) >= 0.5 * np.pi, 0.0, np.cos(positions)) ** top
        table[:, 0, bins] = pull
        return table

    def _coefficients(self, shapes: Mapping[str, FloatArray]) -> FloatArray:
        """Change of the counts over sigma by one unit of the normalisation, (rows, m, bins)."""
        columns: FloatArray = self._counts.coefficients(dict(shapes) or None)[:, 1]
        return columns

    def _bounds(
        self, at: Coordinate, narrowed: Mapping[str, tuple[float, float]]
    ) -> tuple[float, float]:
        """Bounds of u or of a mass, narrowed where it was asked for."""
        name = at.parameter.name
        low, high = at.within(self._ranges.get(name))
        if name in narrowed:
            low, high = max(low, narrowed[name][0]), min(high, narrowed[name][1])
        return low, high

    def _coordinate(self, name: str) -> Coordinate:
        return Coordinate.of(self._counts, name)

    def _scale(self, at: Coordinate, held: Mapping[str, float]) -> float:
        """Size of u at which the coupling alone changes the direction by order one."""
        shapes = self._counts.typical_shape
        shapes |= {name: np.array([held[name]]) for name in shapes if name in held}
        columns = self._coefficients(shapes)[0]
        own = self._exponents[:, self._counts.couplings.index(at.parameter.name)]
        constant = np.linalg.norm(columns[self._exponents.sum(axis=1) == 0].sum(axis=0))
        size = math.hypot(float(constant), 1.0)
        sizes = [
            (size / float(np.linalg.norm(columns[m]))) ** (at.power / int(own[m]))
            for m in range(len(columns))
            if own[m] > 0 and own[m] == self._exponents[m].sum() and columns[m].any()
        ]
        return min(sizes, default=1.0)


def too_many(names: Sequence[str]) -> InputError:
    """The error for more free parameters than a lattice is laid in."""
    return InputError(
        f"toys are fitted in two parameters at most, not {', '.join(names)}",
        where="--profile",
        hint="hold some with --set NAME=VALUE",
    )
