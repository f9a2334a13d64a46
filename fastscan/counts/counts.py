"""Counts with pulls: polynomials in the couplings, and their change by each pull.

chi2(theta, beta) = |y(theta) + sum_k beta_k t_k(theta) - d|**2 + |beta|**2

with y the counts and d the data, both divided by sigma, t_k the change of y by one standard
deviation of pull k, and beta_k its size, standard normal. Correlated nuisances are combined into
uncorrelated pulls before. The normalisation alpha is one of them, t = sigma_alpha y.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.counts.signal import Signal, integer_power
from fastscan.exceptions import InputError
from fastscan.models import Parameter

__all__ = ["Counts", "Part", "natural_size"]

FloatArray = NDArray[np.float64]

# Coefficients closer than this part of their size enter alike.
_ALIKE = 1e-9


@dataclass(frozen=True, repr=False)
class Part:
    """One experiment's share of the bins.

    Attributes
    ----------
    name : str
    signals : tuple of Signal
        The nominal counts first, then those of changed settings; all with the same parameters
        folded in.
    mixing : (1 + pulls, signals, bins)
        Layer l of the counts is sum_v mixing[l, v, b] * (counts of signal v in bin b); layer 0 is
        the nominal one, layer 1 + k the change by one standard deviation of pull k.
    seen, sigma : (bins,)
        Counts seen and their standard deviations.
    counted : bool
        Whether the bins hold counts; else measurements of parameters.
    """

    name: str
    signals: tuple[Signal, ...]
    mixing: FloatArray
    seen: FloatArray
    sigma: FloatArray
    counted: bool = True

    def __repr__(self) -> str:
        return f"<Part {self.name}: {self.seen.size} bins>"


@dataclass(frozen=True, repr=False)
class Counts:
    """Counts of all experiments, one after the other, as C[layer, monomial, bin], over sigma.

    mu_b(theta, beta) = sum_m prod_c coupling_c**exponents[m, c]
                        (C[0, m, b] + sum_k beta_k C[1 + k, m, b])

    where C depends on shape parameters (a mediator mass) alone. No pull is one layer, a pull is
    another.

    Attributes
    ----------
    parameters : tuple of Parameter
        Free ones: a point is a row of their values, in this order.
    fixed : dict
        Parameters that were folded in.
    parts : tuple of Part
    pulls : tuple of str
        Their names.
    centre : (pulls,)
        Shift of the pulls' origin in which the counts are closest to zero: 1 / sigma_alpha for a
        normalisation of everything, in which y + beta t = (beta + centre) t exactly, and signals
        of any size cost no digits; zero otherwise.
    normalisation : float or None
        Its relative standard deviation where the only pull is a normalisation of everything.
    """

    parameters: tuple[Parameter, ...]
    fixed: dict[str, float]
    parts: tuple[Part, ...]
    pulls: tuple[str, ...]
    centre: FloatArray
    normalisation: float | None = None

    def __repr__(self) -> str:
        free = ", ".join(parameter.name for parameter in self.parameters) or "nothing free"
        names = ", ".join(part.name for part in self.parts)
        return f"<Counts of {free} in {names}: {self.seen.size} bins, {len(self.pulls)} pulls>"

    @property
    def names(self) -> tuple[str, ...]:
        """Free parameters, the columns of a point."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def couplings(self) -> tuple[str, ...]:
        """Free couplings, in the order of the model."""
        return self.parts[0].signals[0].couplings

    @property
    def shape_parameters(self) -> tuple[str, ...]:
        """Free parameters that the coefficients depend on."""
        return self.parts[0].signals[0].shape_parameters

    @cached_property
    def seen(self) -> FloatArray:
        """Counts seen over sigma, shape (bins,)."""
        return np.concatenate([part.seen / part.sigma for part in self.parts])

    @cached_property
    def unit(self) -> FloatArray:
        """What one standard deviation of each bin adds to the total counts, shape (bins,)."""
        return np.concatenate([part.sigma * part.counted for part in self.parts])

    @cached_property
    def observed(self) -> FloatArray:
        """The data vector: counts over sigma, and the auxiliary measurement of each pull."""
        return np.concatenate([self.seen, self.centre])

    @cached_property
    def exponents(self) -> NDArray[np.int64]:
        """Powers of the couplings in each monomial, shape (monomials, couplings)."""
        found = {tuple(row) for part in self.parts for s in part.signals for row in s.exponents}
        rows = np.array(sorted(found), dtype=np.int64)
        return rows.reshape(len(found), len(self.couplings))

    def parameter(self, name: str) -> Parameter:
        """One of the free parameters."""
        return self.parameters[self.names.index(name)]

    @property
    def typical_shape(self) -> dict[str, FloatArray]:
        """One row of values of the shape parameters that are free, see `Parameter.typical`."""
        return {name: np.array([self.parameter(name).typical]) for name in self.shape_parameters}

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """C at rows of the shape parameters, shape (rows, 1 + pulls, monomials, bins)."""
        return np.concatenate(
            [
                np.einsum("lvb,vrmb->rlmb", part.mixing, self._by_signal(part, part.signals, shape))
                / part.sigma
                for part in self.parts
            ],
            axis=-1,
        )

    def nominal(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """Layer 0 of C alone, shape (rows, monomials, bins)."""
        blocks = []
        for part in self.parts:
            used = [v for v in range(len(part.signals)) if part.mixing[0, v].any()]
            own = self._by_signal(part, [part.signals[v] for v in used], shape)
            weights = part.mixing[0, used]
            # Most often there is but one, as it is.
            alone = len(used) == 1 and (weights == 1.0).all()
            mixed = own[0] if alone else np.einsum("vb,vrmb->rmb", weights, own)
            blocks.append(mixed / part.sigma)
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-1)

    def monomials(self, points: ArrayLike) -> FloatArray:
        """Value of each monomial at points, shape (points, monomials)."""
        rows = np.atleast_2d(np.asarray(points, dtype=float))
        out = np.ones((len(rows), len(self.exponents)))
        for c, name in enumerate(self.couplings):
            value = rows[:, self.names.index(name)]
            for m, exponent in enumerate(self.exponents[:, c]):
                out[:, m] *= integer_power(value, int(exponent))
        return out

    def in_range(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points are inside the ranges of all their parameters, shape (points,).

        A value that is not finite is outside.
        """
        low, high = self.ranges
        return np.asarray(((points >= low) & (points <= high)).all(axis=1))

    def check_numbers(self, points: FloatArray) -> None:
        """Refuse points, shape (points, parameters), that hold NaN.

        Raises
        ------
        InputError
            The first that does is named.
        """
        bad = np.flatnonzero(np.isnan(points).any(axis=1))
        if bad.size:
            raise InputError(
                "point holds something that is not a number",
                where=f"point {int(bad[0]) + 1} of {', '.join(self.names)}",
                hint="give finite numbers",
            )

    def shapes(self, points: FloatArray) -> dict[str, FloatArray]:
        """Columns of the shape parameters at points, shape (points, parameters)."""
        return {name: points[:, self.names.index(name)] for name in self.shape_parameters}

    def layers(self, points: ArrayLike) -> FloatArray:
        """Counts and their change by each pull at points, shape (points, 1 + pulls, bins)."""
        rows = np.atleast_2d(np.asarray(points, dtype=float))
        monomials = self.monomials(rows)
        if not self.shape_parameters:
            return _combine(monomials, self._constant)
        shapes = np.stack(list(self.shapes(rows).values()), axis=1)
        unique, which = np.unique(shapes, axis=0, return_inverse=True)
        coefficients = self.coefficients(dict(zip(self.shape_parameters, unique.T, strict=True)))
        layers = np.empty((len(rows), coefficients.shape[1], coefficients.shape[3]))
        for i in range(len(unique)):
            own = which.ravel() == i
            layers[own] = _combine(monomials[own], coefficients[i])
        return layers

    def power(self, coupling: str) -> int:
        """Largest p with counts that are polynomials in coupling**p."""
        column = self.exponents[:, self.couplings.index(coupling)]
        return reduce(math.gcd, (int(e) for e in column), 0) or 1

    def size(self, coupling: str) -> float | None:
        """Natural size of a coupling: where it alone changes counts by about their errors.

        Shape parameters are taken at `typical` values; None where no count depends on the coupling.
        """
        shape = self.typical_shape
        column = self.couplings.index(coupling)
        return natural_size(self.exponents, self.nominal(shape)[0], column)

    def alike(self, left: str, right: str) -> bool:
        """Whether two couplings enter only as one common sum of squares, in every layer."""
        shape = self.typical_shape
        squares = []
        for name in (left, right):
            column = self.couplings.index(name)
            rows = np.flatnonzero(self.exponents[:, column])
            parameter = self.parameter(name)
            if len(rows) != 1 or not parameter.minimum < 0.0 < parameter.maximum:
                return False
            if self.exponents[rows[0], column] != 2 or self.exponents[rows[0]].sum() != 2:
                return False
            squares.append(rows[0])
        # The coefficients are those of every layer: pulls may tell apart what the counts do not.
        layers = self._constant if not shape else self.coefficients(shape)[0]
        one, other = (layers[:, row] for row in squares)
        return bool(np.allclose(one, other, rtol=_ALIKE, atol=0.0))

    def held(self, direction: FloatArray, value: float) -> Counts:
        """Counts with one combination of the pulls held at a value, the others free.

        A nuisance beta of unit variance, whose expectation at given pulls v is w . v, is held at b:
        the pulls are then those of v = b w + A u with u standard normal and A A^T = 1 - w w^T. What
        the chi2 of u leaves out is the constant b**2.

        Parameters
        ----------
        direction : (pulls,)
            w, of length one at most.
        value : float
            b, in standard deviations.
        """
        length = float(np.linalg.norm(direction))
        along = direction / length if length > 0.0 else direction
        # Of a length that is one but for rounding nothing is left.
        left = np.sqrt(max(1.0 - length**2, 0.0)) if length < 1.0 - 1e-12 else 0.0
        root = np.eye(direction.size) - (1.0 - left) * np.outer(along, along)
        parts = []
        for part in self.parts:
            mixing = np.einsum("ij,jvb->ivb", root, part.mixing[1:])
            moved = part.mixing[0] + value * np.einsum("j,jvb->vb", direction, part.mixing[1:])
            parts.append(replace(part, mixing=np.concatenate([moved[None], mixing])))
        centre = self.centre
        if centre.any():
            centre = np.asarray(
                np.linalg.lstsq(root, centre + value * direction, rcond=1e-12)[0], dtype=float
            )
        return replace(self, parts=tuple(parts), centre=centre, normalisation=None)

    @classmethod
    def joined(cls, every: Sequence[Counts], pulls: Sequence[Sequence[str]]) -> Counts:
        """Counts of several experiments, bins one after the other; pulls of one name are one.

        A shared pull moves all that have it, in each by its own standard deviation.

        Parameters
        ----------
        every : sequence of Counts
            With the same free parameters.
        pulls : sequence of sequence of str
            Joint names of the pulls of each.
        """
        names = tuple(dict.fromkeys(name for own in pulls for name in own))
        parts: list[Part] = []
        centres: list[dict[str, float]] = []
        for counts, own in zip(every, pulls, strict=True):
            layers = [0, *(1 + names.index(name) for name in own)]
            for part in counts.parts:
                mixing = np.zeros((1 + len(names), *part.mixing.shape[1:]))
                mixing[layers] = part.mixing
                parts.append(replace(part, mixing=mixing))
            centres.append(dict(zip(own, map(float, counts.centre), strict=True)))
        first = every[0]
        centre = _common_centre(names, centres)
        return cls(first.parameters, first.fixed, tuple(parts), names, centre)

    @cached_property
    def ranges(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest finite value of each parameter, shape (parameters,) each."""
        ends = np.array([(p.minimum, p.maximum) for p in self.parameters]).reshape(-1, 2)
        largest = np.finfo(float).max
        return np.clip(ends[:, 0], -largest, None), np.clip(ends[:, 1], None, largest)

    @cached_property
    def _constant(self) -> FloatArray:
        """C where it depends on nothing, shape (1 + pulls, monomials, bins)."""
        first: FloatArray = self.coefficients()[0]
        return first

    def _by_signal(
        self, part: Part, signals: Sequence[Signal], shape: Mapping[str, FloatArray] | None
    ) -> FloatArray:
        """Coefficients of signals in the common order of monomials, (signals, rows, m, bins)."""
        found = []
        for signal in signals:
            own = signal.coefficients(shape)
            places = self._places(signal)
            if places is None:
                found.append(own)
                continue
            full = np.zeros((own.shape[0], len(self.exponents), part.sigma.size))
            full[:, places] = own
            found.append(full)
        every: FloatArray = found[0][None] if len(found) == 1 else np.stack(found)
        return every

    def _places(self, signal: Signal) -> list[int] | None:
        """Where the monomials of a signal are in the common order; None if just there."""
        if len(signal.exponents) == len(self.exponents):
            return None
        order = {tuple(row): m for m, row in enumerate(self.exponents)}
        return [order[tuple(row)] for row in signal.exponents]


def natural_size(
    exponents: NDArray[np.int64], coefficients: FloatArray, coupling: int
) -> float | None:
    """Size of a coupling at which it alone changes the counts by about their errors.

    Parameters
    ----------
    exponents : (monomials, couplings)
    coefficients : (monomials, bins)
        Over sigma.
    coupling : int
        Its column.

    Returns
    -------
    float or None
        None where no count depends on it; 1 where none depends on it alone.
    """
    powers = exponents[:, coupling].tolist()
    norms = [float(np.linalg.norm(row)) for row in coefficients]
    if not any(norm > 0.0 for norm, power in zip(norms, powers, strict=True) if power > 0):
        return None
    alone = exponents.sum(axis=1).tolist()
    return min(
        (
            norm ** (-1.0 / power)
            for norm, power, total in zip(norms, powers, alone, strict=True)
            if power == total > 0 and norm > 0.0
        ),
        default=1.0,
    )


def _combine(monomials: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Layers of points, added up one by one: the same for a point whatever comes with it."""
    layers = np.zeros((len(monomials), coefficients.shape[0], coefficients.shape[2]))
    for m in range(monomials.shape[1]):
        layers += monomials[:, m, None, None] * coefficients[None, :, m]
    return layers


def _common_centre(names: Sequence[str], centres: Sequence[Mapping[str, float]]) -> FloatArray:
    """Centre of each pull; zero, which only costs digits, where experiments do not agree."""
    common = []
    for name in names:
        values = [centre[name] for centre in centres if name in centre]
        common.append(values[0] if max(values) - min(values) <= 1e-12 * max(values) else 0.0)
    return np.array(common)
