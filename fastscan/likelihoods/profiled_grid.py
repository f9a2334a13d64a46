"""Chi2 on grids and along paths, minimised over further couplings.

The minima over the profiled couplings are followed along a path of points, there and back, from
starts at each of its nodes, as along a profile (`fastscan.likelihoods.track`). The path of a grid
is a whole row along its last column, so that no value depends on how the grid is cut.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods.form import Chi2Form, GridForm

__all__ = ["ProfiledGrid", "profiled_minima"]

FloatArray = NDArray[np.float64]

# Starts at each node of a path, and at least on a whole path: a basin is met from every node that
# it spans, and short paths have few.
_STARTS, _AT_LEAST = 4, 192
# Points of a block that are worth a task, and rows kept for blocks that hold parts of them.
_BLOCK, _ROWS = 4096, 64


def profiled_minima(
    form: Chi2Form, columns: Mapping[str, ArrayLike]
) -> tuple[FloatArray, FloatArray]:
    """Lowest chi2 over the other couplings at the nodes of a path.

    Parameters
    ----------
    form : Chi2Form
    columns : mapping of str to (nodes,), or a number that is the same at all
        All shape parameters and some couplings of the form.

    Returns
    -------
    chi2 : (nodes,)
    points : (nodes, parameters)
        All parameters there, in the order of the form.
    """
    counts = form.counts
    nodes = max(np.size(column) for column in columns.values())
    every = {name: np.broadcast_to(np.asarray(c, float), nodes) for name, c in columns.items()}
    free = _free(form, columns)
    shape = {name: np.atleast_1d(np.asarray(columns[name])) for name in counts.shape_parameters}
    if any(column.size > 1 for column in shape.values()):
        shape = {name: every[name] for name in shape}
    descents = form.descents(shape or None)
    rows = np.arange(nodes) % len(descents.sizes)
    standard = [every.get(name, counts.parameter(name).standard) for name in counts.couplings]
    values = np.stack([np.broadcast_to(v, nodes) for v in standard], axis=1)
    asked = values / descents.sizes[rows]
    held = np.clip(asked, descents.lower[rows], descents.upper[rows])
    starts = descents.starts(free, rows, held, max(_STARTS, -(-_AT_LEAST // nodes)))
    found = descents.follow(free, rows, held, np.concatenate([held[:, None], starts], axis=1))
    best = found.chi2.argmin(axis=1)
    couplings = found.points[np.arange(nodes), best] * descents.sizes[rows]
    points = np.empty((nodes, len(counts.names)))
    for i, name in enumerate(counts.names):
        points[:, i] = every[name] if name in every else couplings[:, counts.couplings.index(name)]
    chi2 = found.lowest
    # Descents go no further than where chi2 hardly changes any more.
    beyond = np.flatnonzero((asked != held).any(axis=1))
    if beyond.size:
        chi2[beyond] = form.values_in_range(points[beyond])
    return chi2, points


def _free(form: Chi2Form, columns: Mapping[str, ArrayLike]) -> list[int]:
    """Columns of the couplings to minimise over: of those that enter alike one does for all.

    Raises
    ------
    InputError
        A mass is among them.
    """
    counts = form.counts
    for name in counts.shape_parameters:
        if name not in columns:
            raise InputError(
                f"{name} is a mass, which a grid can not profile",
                where="--profile",
                hint=f"scan it, or set it, as in --set {name}=10",
            )
    free: list[int] = []
    for i, name in enumerate(counts.couplings):
        same = any(counts.alike(counts.couplings[other], name) for other in free)
        if name not in columns and not same:
            free.append(i)
    return free


class ProfiledGrid(GridForm):
    """Chi2 on the product of columns, minimised over the other couplings; see `GridForm`.

    Parameters
    ----------
    form : Chi2Form
    columns : mapping of str to (points,)
        Some of its parameters, shape parameters first.
    """

    default_block_points = _BLOCK

    def __init__(self, form: Chi2Form, columns: Mapping[str, FloatArray]) -> None:
        self._form, self._columns = form, dict(columns)
        self.shape = tuple(column.size for column in columns.values())
        _free(form, columns)
        self._rows: OrderedDict[tuple[int, ...], tuple[FloatArray, FloatArray]] = OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_lock", "_rows")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._rows, self._lock = OrderedDict(), threading.Lock()

    def evaluate(self, slices: Sequence[slice], out: FloatArray) -> None:
        """Fill a contiguous block with chi2; see `GridForm.evaluate`."""
        *outer, last = slices
        pairs = zip(outer, self.shape[:-1], strict=True)
        indices = product(*(range(*own.indices(points)) for own, points in pairs))
        for row, index in zip(out.reshape(-1, out.shape[-1]), indices, strict=True):
            row[:] = self._row(index)[0][last]

    def point(self, index: Sequence[int]) -> FloatArray:
        """All parameters of the form at the minimum of one point of the grid."""
        found: FloatArray = self._row(tuple(index[:-1]))[1][index[-1]]
        return found

    def _row(self, index: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        """Chi2 and all parameters along the last column, whole; the last rows are kept."""
        with self._lock:
            if index in self._rows:
                return self._rows[index]
        *outer, last = self._columns
        held = {name: self._columns[name][i] for name, i in zip(outer, index, strict=True)}
        found = profiled_minima(self._form, {**held, last: self._columns[last]})
        with self._lock:
            self._rows[index] = found
            while len(self._rows) > _ROWS:
                self._rows.popitem(last=False)
        return found
