"""Chi2 on a grid where the normalisation is not the only nuisance: least squares at each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.scan.axes import Axis
from fastscan.scan.grid import Grid
from fastscan.statistics import FitSpace, Likelihood
from fastscan.statistics.pulled_surface import chi2_of_layers

__all__ = ["PulledGrid", "grid_of"]

FloatArray = NDArray[np.float64]

# Points whose layers, about a kilobyte each, stay in the processor's cache.
_TILE = 512


class PulledGrid(Grid):
    """Chi2 of a likelihood with any linear nuisances on the product of some axes.

    About a microsecond a point; parameters and errors as for `Grid`.
    """

    default_block_points: ClassVar = 65_536

    def __init__(
        self,
        likelihood: Likelihood,
        axes: Sequence[Axis],
        given: Mapping[str, float] | None = None,
    ) -> None:
        self._set_axes(likelihood, axes, given)
        self.power = 1
        self._likelihood = likelihood
        self._space = FitSpace(likelihood, [axis.name for axis in self.axes], given)
        self._seen = self._space.observed[: self._space.rates.bins]

    def evaluate(self, slices: tuple[slice, ...], out: FloatArray | None = None) -> FloatArray:
        """Chi2 on a block of the grid; see `Grid.evaluate`."""
        shape = self._points(slices)
        if out is None:
            out = np.empty(shape)
        columns = [axis.values[s] for axis, s in zip(self.axes, slices, strict=True)]
        flat = out.reshape(-1)
        for start in range(0, flat.size, _TILE):
            part = slice(start, min(start + _TILE, flat.size))
            index = np.unravel_index(np.arange(part.start, part.stop), shape)
            points = np.stack([c[i] for c, i in zip(columns, index, strict=True)], axis=1)
            with np.errstate(over="ignore", invalid="ignore"):
                layers = self._space.layers(points)
                finite = np.isfinite((layers * layers).sum())
            if not finite:
                raise InputError(
                    "chi2 is not finite: the counts overflow a double",
                    where="--axis",
                    hint="use smaller couplings",
                )
            flat[part] = chi2_of_layers(layers, self._seen, self._space.rates.centre)
        return out

    def minima(self, slices: tuple[slice, ...]) -> FloatArray:
        """Lowest chi2 along the last axis, shape of the block without it."""
        lowest: FloatArray = self.evaluate(slices).min(axis=-1)
        return lowest

    def inside(self, slices: tuple[slice, ...], level: float) -> int:
        """Number of points of a block with chi2 at most ``level``."""
        return int((self.evaluate(slices) <= level).sum())

    def spans(
        self, slices: tuple[slice, ...], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last point with chi2 at most ``level`` on the last axis; see `Grid.spans`."""
        inside = self.evaluate(slices) <= level
        points = inside.shape[-1]
        some = inside.any(axis=-1)
        first = np.where(some, inside.argmax(axis=-1), points)
        last = np.where(some, points - 1 - inside[..., ::-1].argmax(axis=-1), -1)
        return first, last

    def alpha_hat(self, index: tuple[int, ...]) -> float:
        """Relative change of the total counts by the nuisances fitted at one grid point."""
        prediction = self._likelihood.predict(**self.fixed, **self.point(index))
        return prediction.alpha_hat

    def rows(self, slices: tuple[slice, ...]) -> tuple[FloatArray, FloatArray]:
        """Not defined: chi2 is no ratio of polynomials.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "chi2 with several nuisances has no normal form",
            where=self._likelihood.experiment.name,
            hint="replace them by one normalisation: --sigma-alpha 0.20",
        )

    def _points(self, slices: tuple[slice, ...]) -> tuple[int, ...]:
        return tuple(len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True))


def grid_of(
    likelihood: Likelihood, axes: Sequence[Axis], given: Mapping[str, float] | None = None
) -> Grid:
    """Grid of any likelihood: the normal form needs the normalisation as the only nuisance.

    Parameters and errors as for `Grid`.
    """
    kind = Grid if likelihood.one_normalisation else PulledGrid
    return kind(likelihood, axes, given)
