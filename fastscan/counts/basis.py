"""Pulls in which large signals keep their digits: each channel's normalisation on its own.

Pulls v of unit variance may mix channels: t_1 = a y_c + b y_e and t_2 = c y_e. Where y_e has
outgrown y_c by 1e16, t_1 holds nothing of y_c any more. Their combinations that are taken of the
weights a, b, c, before there are counts, are exact at any signal:

    v + centre = M x,   y + sum_k v_k t_k = r + sum_i x_i s_i,   chi2 = |r + x s - d|**2
                                                                       + |M x - centre|**2

with s = M^T t in which a signal is moved by as few x as can be, and r = y - centre t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastscan.counts.counts import Counts

__all__ = ["Basis", "at_centre", "basis_of", "plain_constraint"]

FloatArray = NDArray[np.float64]

# What is left of weights that cancel is rounding below this part of them.
_ROUNDING = 1e-13
# The same of counts.
_CANCELLED = 1e-14
# Pulls of which one is more than so many times stronger stay mixed: telling them apart would cost
# ordinary signals as many digits.
_STRONGER = 100.0


@dataclass(frozen=True)
class Basis:
    """Counts in other pulls x.

    Attributes
    ----------
    counts : Counts
        r as layer 0 and s as the changes by the pulls.
    constraint : (pulls, 1 + pulls)
        The centre, and M.
    """

    counts: Counts
    constraint: FloatArray

    def pulls(self, x: FloatArray) -> FloatArray:
        """Pulls v of unit variance at x, shape (..., pulls)."""
        pulls: FloatArray = x @ self.constraint[:, 1:].T - self.constraint[:, 0]
        return pulls


def plain_constraint(centre: FloatArray) -> FloatArray:
    """Constraint of pulls x = v + centre: M is one."""
    return np.concatenate([centre[:, None], np.eye(centre.size)], axis=1)


def at_centre(layers: FloatArray, centre: FloatArray) -> FloatArray:
    """Layers with what counts are at the pulls' centre as layer 0; shape (..., 1 + pulls, bins)."""
    rest = layers[..., 0, :].copy()
    for k, value in enumerate(centre):
        rest -= value * layers[..., 1 + k, :]
    out = layers.copy()
    out[..., 0, :] = np.where(np.abs(rest) > _CANCELLED * np.abs(layers[..., 0, :]), rest, 0.0)
    return out


def basis_of(counts: Counts) -> Basis:
    """Pulls of which as few as can be move each signal; those that are no normalisations stay."""
    pulls = counts.centre.size
    every = [part.mixing[1:] for part in counts.parts]
    weights = np.concatenate([mixing[:, :, 0] for mixing in every], axis=1)
    alike = np.all(
        np.concatenate(
            [(mixing == mixing[:, :, :1]).all(axis=2) for mixing in every],
            axis=1,
        ),
        axis=1,
    )
    combined = np.eye(pulls)
    plain = np.flatnonzero(alike)
    combined[np.ix_(plain, plain)] = _separated(weights[plain])
    parts = []
    for part in counts.parts:
        changes = part.mixing[1:]
        rest = _without(part.mixing[0], np.einsum("k,kvb->kvb", counts.centre, changes))
        moved = [_without(0.0, -np.einsum("k,kvb->kvb", row, changes)) for row in combined]
        parts.append(replace(part, mixing=np.stack([rest, *moved])))
    constraint = np.concatenate([counts.centre[:, None], combined.T], axis=1)
    origin = np.zeros(pulls)
    return Basis(replace(counts, parts=tuple(parts), centre=origin, normalisation=None), constraint)


def _without(first: FloatArray | float, terms: FloatArray) -> FloatArray:
    """``first`` less the terms, of shape (terms, ...); zero where only rounding is left."""
    left: FloatArray = first - terms.sum(axis=0)
    return np.where(np.abs(left) > _ROUNDING * np.abs(terms).sum(axis=0), left, 0.0)


def _separated(weights: FloatArray) -> FloatArray:
    """E with E @ weights, shape (pulls, signals), in which each pivot is in one row alone."""
    rest, combined = weights.copy(), np.eye(len(weights))
    open_rows = np.ones(len(weights), dtype=bool)
    size = np.abs(weights).max(axis=1, initial=0.0)
    while open_rows.any():
        # Pulls of very different size are told apart all the same.
        relative = np.abs(rest) / np.where(size > 0.0, size, 1.0)[:, None] * open_rows[:, None]
        if not relative.max(initial=0.0) > 0.0:
            break
        row, column = np.unravel_index(relative.argmax(), relative.shape)
        open_rows[row] = False
        for k in np.flatnonzero(rest[:, column]):
            if k == row:
                continue
            factor = rest[k, column] / rest[row, column]
            if abs(factor) > _STRONGER:
                continue
            least = _ROUNDING * (np.abs(rest[k]) + np.abs(factor * rest[row]))
            rest[k] -= factor * rest[row]
            rest[k, np.abs(rest[k]) <= least] = 0.0
            rest[k, column] = 0.0
            combined[k] -= factor * combined[row]
    return combined
