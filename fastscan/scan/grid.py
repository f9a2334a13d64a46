"""Chi2 on a grid of axes: what a block of a scan computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import Likelihood
from fastscan.likelihoods.form import GridForm
from fastscan.models import Model
from fastscan.scan.axes import Axis

__all__ = ["Grid"]

FloatArray = NDArray[np.float64]


class Grid:
    """The profiled chi2 of a likelihood on the product of some axes.

    Axes are kept with shape parameters (masses) first and couplings after them, each in the order
    given.
    Values do not depend on how the grid is cut: each row, and each point of it, is computed alike.

    Parameters
    ----------
    likelihood : Likelihood
    axes : sequence of Axis
        One for each scanned parameter.
    given : mapping, optional
        Values of other parameters; the rest stay at their defaults.
    profiled : sequence of str
        Couplings that chi2 is minimised over at each point.

    Attributes
    ----------
    form : Chi2Form
        Chi2 of the scanned parameters, and of those that are profiled.
    profiled : tuple of str
    axes : tuple of Axis
    asked : tuple of str
        Names of the axes in the order given.
    shape : tuple of int
    fixed : dict
        Parameters that are held.
    coupling_innermost : bool
        Whether the last axis is a coupling.
    error : float
        Of chi2, as a part of 1 + chi2, where it is interpolated; zero where it is computed.

    Raises
    ------
    InputError
        No axis, an unknown or doubled parameter, one that is both scanned and set, or a value out
        of a parameter's range.
    """

    def __init__(
        self,
        likelihood: Likelihood,
        axes: Sequence[Axis],
        given: Mapping[str, float] | None = None,
        profiled: Sequence[str] = (),
    ) -> None:
        kinds = {p.name: p.kind for p in likelihood.model.parameters}
        check_axes(likelihood.model, axes, given or {})
        self.profiled = _checked_profile(likelihood, axes, given or {}, profiled)
        self.axes = tuple(sorted(axes, key=lambda axis: kinds[axis.name] == "coupling"))
        self.asked = tuple(axis.name for axis in axes)
        self.shape = tuple(axis.points for axis in self.axes)
        names = [axis.name for axis in self.axes]
        self.form = likelihood.form([*names, *self.profiled], given)
        self.fixed = dict(self.form.counts.fixed)
        self.coupling_innermost = kinds[self.axes[-1].name] == "coupling"
        columns = {axis.name: axis.values for axis in self.axes}
        self._values: GridForm
        if self.profiled:
            # Loaded by those who profile.
            from fastscan.likelihoods.profiled_grid import ProfiledGrid

            self._values = ProfiledGrid(self.form, columns)
        else:
            self._values = self.form.grid(columns)
        self.default_block_points = self._values.default_block_points
        self.error = self._values.error

    def evaluate(self, slices: tuple[slice, ...], out: FloatArray | None = None) -> FloatArray:
        """Chi2 on a block of the grid.

        Parameters
        ----------
        slices : tuple of slice
            Points of each axis.
        out : array, optional
            Where to write; contiguous, of the block's shape.

        Raises
        ------
        InputError
            Couplings so large that a double overflows.
        """
        shape = tuple(len(range(*s.indices(n))) for s, n in zip(slices, self.shape, strict=True))
        if out is None:
            out = np.empty(shape)
        self._values.evaluate(slices, out)
        return out

    def minima(self, slices: tuple[slice, ...]) -> FloatArray:
        """Lowest chi2 along the last axis, shape of the block without it."""
        return self._values.minima(slices)

    def inside(self, slices: tuple[slice, ...], level: float) -> int:
        """Number of points of a block with chi2 at most ``level``, without writing them."""
        return int(self._values.spans(slices, level)[0].sum())

    def spans(
        self, slices: tuple[slice, ...], level: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last point with chi2 at most ``level`` along the last axis.

        Both count from the start of the block; where there is none the first is its length, the
        last -1. Shape of the block without its last axis.
        """
        _, first, last = self._values.spans(slices, level)
        return first, last

    def point(self, index: tuple[int, ...]) -> dict[str, float]:
        """Scanned parameters at one grid point."""
        return {a.name: float(a.values[i]) for a, i in zip(self.axes, index, strict=True)}

    def alpha_hat(self, index: tuple[int, ...]) -> float:
        """Relative change of the total counts by the pulls at one grid point."""
        return self.form.fit_at(np.array([*self.parameters(index).values()])).relative_change

    def parameters(self, index: tuple[int, ...]) -> dict[str, float]:
        """Scanned and profiled parameters at one grid point."""
        point = self.point(index)
        if self.profiled:
            values = self._values.point(index)  # type: ignore[attr-defined]
            point |= {n: float(values[self.form.counts.names.index(n)]) for n in self.profiled}
        return point


def _checked_profile(
    likelihood: Likelihood,
    axes: Sequence[Axis],
    given: Mapping[str, float],
    profiled: Sequence[str],
) -> tuple[str, ...]:
    """Names of the profiled parameters: see `Analysis.profiled_names`, and none is an axis."""
    names = likelihood.profiled_names(axes[0].name, given, tuple(profiled))
    for axis in axes:
        if axis.name in names:
            raise InputError(
                f"{axis.name} is both profiled and scanned", where="--profile", hint="leave one out"
            )
    return names


def check_axes(model: Model, axes: Sequence[Axis], given: Mapping[str, float]) -> None:
    """Check that axes can be scanned: see `Grid`."""
    names = [axis.name for axis in axes]
    if not names:
        raise InputError(
            "no axis to scan",
            where="--axis",
            hint=f"name one of: {', '.join(p.name for p in model.parameters)}",
        )
    for axis in axes:
        where = f"--axis {axis.name}"
        parameter = model.parameter(axis.name, where)
        parameter.check(axis.start, where)
        parameter.check(axis.stop, where)
        if names.count(axis.name) > 1:
            raise InputError("axis given twice", where=where, hint="leave one out")
        if axis.name in given:
            raise InputError(
                f"{axis.name} is both scanned and set", where=where, hint="leave one out"
            )
