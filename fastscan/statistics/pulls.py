"""Counts with nuisances: polynomials in the couplings, and their change by each pull.

chi2(theta, beta) = |y(theta) + sum_k beta_k t_k(theta) - d|**2 + |beta|**2

with y the counts and d the data, both divided by sigma, t_k the change of y by one standard
deviation of nuisance k, and beta_k its pull, standard normal. Correlated nuisances are combined
into uncorrelated ones before. The normalisation alpha is one of them, t = sigma_alpha y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastscan.models import Rates

__all__ = ["Part", "PulledRates"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One experiment's share of the bins.

    Attributes
    ----------
    variants : tuple of Rates
        The nominal counts first, then those of changed settings; all with the same parameters
        folded in.
    mixing : (1 + pulls, variants, bins)
        Layer l of the counts is sum_v mixing[l, v, b] * (counts of variant v in bin b); layer 0 is
        the nominal one, layer 1 + k the change by one standard deviation of pull k.
    sigma : (bins,)
    """

    variants: tuple[Rates, ...]
    mixing: FloatArray
    sigma: FloatArray


@dataclass(frozen=True)
class PulledRates:
    """Counts of all experiments, one after the other, and their change by each pull.

    Attributes
    ----------
    parts : tuple of Part
    names : tuple of str
        Of the pulls.
    centre : (pulls,)
        Shift of the pulls' origin in which the counts are closest to zero: 1 / sigma_alpha for a
        normalisation of everything, in which y + beta t = (beta + centre) t exactly, and signals
        of any size cost no digits; zero otherwise.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    centre: FloatArray

    @property
    def couplings(self) -> tuple[str, ...]:
        """Free couplings."""
        return self.parts[0].variants[0].couplings

    @property
    def shape_parameters(self) -> tuple[str, ...]:
        """Free parameters that the coefficients depend on."""
        return self.parts[0].variants[0].shape_parameters

    @property
    def exponents(self) -> NDArray[np.int64]:
        """Powers of the couplings in each monomial, shape (monomials, couplings)."""
        found = {tuple(row) for part in self.parts for v in part.variants for row in v.exponents}
        rows = np.array(sorted(found), dtype=np.int64)
        return rows.reshape(len(found), len(self.couplings))

    @property
    def bins(self) -> int:
        """Of all experiments together."""
        return sum(part.sigma.size for part in self.parts)

    def coefficients(self, shape: Mapping[str, FloatArray] | None = None) -> FloatArray:
        """Layers of each monomial over sigma, shape (rows, 1 + pulls, monomials, bins)."""
        order = {tuple(row): m for m, row in enumerate(self.exponents)}
        blocks = []
        for part in self.parts:
            variants = []
            for rates in part.variants:
                own = rates.coefficients(shape)
                full = np.zeros((own.shape[0], len(order), own.shape[2]))
                full[:, [order[tuple(row)] for row in rates.exponents]] = own
                variants.append(full)
            mixed = np.einsum("lvb,vrmb->rlmb", part.mixing, np.stack(variants))
            blocks.append(mixed / part.sigma)
        return np.concatenate(blocks, axis=-1)

    def monomials(self, couplings: Mapping[str, FloatArray | float]) -> FloatArray:
        """Value of each monomial at points of the couplings, shape (points, monomials)."""
        points = max((np.size(value) for value in couplings.values()), default=1)
        out = np.ones((points, self.exponents.shape[0]))
        for c, name in enumerate(self.couplings):
            out *= np.asarray(couplings[name], dtype=float)[..., None] ** self.exponents[:, c]
        return out

    def held(self, direction: FloatArray, value: float) -> PulledRates:
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
        return replace(self, parts=tuple(parts), centre=centre)
