"""The lowest chi2 over all that parameters may be: what levels of regions are counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.likelihoods.coordinates import ShapeScale
from fastscan.likelihoods.form import Chi2Form

__all__ = ["Minimum", "find_minimum", "point_words"]

FloatArray = NDArray[np.float64]

# Masses that are tried first: of one mass beside one coupling, whose minima along the coupling are
# exact and cheap; of one mass beside several couplings or none; and of each of several masses.
_MANY, _SOME, _FEW = 145, 73, 25
# Of several masses the lowest points that have no lower neighbour are followed: on a mesh of so
# many points each way, which moves with its best point, or shrinks around it.
_FOLLOWED, _MESH, _SHRINK, _SMALL, _MOVES = 4, 2, 0.5, 1e-5, 60
# Starts of descents over several couplings, alone and at each node of a path of masses.
_STARTS, _STARTS_OF_NODES = 48, 4


@dataclass(frozen=True)
class Minimum:
    """The lowest chi2, and where it is.

    Attributes
    ----------
    point : dict
        Of the free parameters; a coupling is infinite where chi2 falls for ever.
    chi2 : float
    """

    point: dict[str, float]
    chi2: float


def find_minimum(form: Chi2Form, known: Minimum | None = None) -> Minimum:
    """The lowest chi2 over the whole physical range of all free parameters of a form.

    Parameters
    ----------
    form : Chi2Form
    known : Minimum, optional
        A local minimum that was found before: it is returned where it is the lowest one.
    """
    counts = form.counts
    if not counts.shape_parameters:
        return _lowest(form, np.empty((1, 0)))[0]
    scales = [ShapeScale(counts.parameter(name)) for name in counts.shape_parameters]
    columns = [_masses(scale, form) for scale in scales]
    mesh = np.meshgrid(*columns, indexing="ij")
    rows = np.stack([m.ravel() for m in mesh], axis=1)
    found = _lowest(form, rows)
    best = min(range(len(rows)), key=lambda i: found[i].chi2)
    if known is not None and known.chi2 <= found[best].chi2:
        place = np.array([known.point[name] for name in counts.shape_parameters])
        if all(_beside(c, m, at) for c, m, at in zip(columns, rows[best], place, strict=True)):
            return known
    if len(scales) == 1:
        return _refined(form, scales[0], columns[0], rows[best], found[best])
    chi2 = np.reshape([one.chi2 for one in found], mesh[0].shape)
    starts = [rows[i] for i in _lowest_places(chi2)]
    followed = [_followed(form, scales, columns, start) for start in starts]
    return min([found[best], *followed], key=lambda one: one.chi2)


def point_words(point: Mapping[str, float]) -> str:
    """A point as ``name = value, …``."""
    return ", ".join(f"{name} = {value:.5g}" for name, value in point.items())


def _masses(scale: ShapeScale, form: Chi2Form) -> FloatArray:
    shapes, couplings = len(form.counts.shape_parameters), len(form.counts.couplings)
    count = _FEW if shapes > 1 else _MANY if couplings == 1 else _SOME
    spread = np.geomspace if scale.logarithmic else np.linspace
    return spread(scale.low, scale.high, count)


def _lowest_places(chi2: FloatArray) -> list[int]:
    """Places in a mesh, flat, with no lower neighbour along an axis; the lowest few of them."""
    lowest = np.ones(chi2.shape, dtype=bool)
    for axis in range(chi2.ndim):
        rise = np.diff(chi2, axis=axis)
        edge = [(0, 0)] * chi2.ndim
        edge[axis] = (1, 0)
        lowest &= np.pad(rise, edge, constant_values=-1.0) <= 0.0
        edge[axis] = (0, 1)
        lowest &= np.pad(rise, edge, constant_values=1.0) >= 0.0
    places = np.flatnonzero(lowest)
    order = np.argsort(chi2.flat[places], kind="stable")
    return [int(place) for place in places[order[:_FOLLOWED]]]


def _followed(
    form: Chi2Form, scales: Sequence[ShapeScale], columns: Sequence[FloatArray], start: FloatArray
) -> Minimum:
    """The bottom of the basin of several masses that a point lies in."""
    middle = np.array([scale.variable(float(x)) for scale, x in zip(scales, start, strict=True)])
    pairs = zip(scales, columns, strict=True)
    step = np.array([(scale.last - scale.first) / (column.size - 1) for scale, column in pairs])
    offsets = np.meshgrid(*[np.arange(-_MESH, _MESH + 1) / _MESH] * len(scales), indexing="ij")
    around = np.stack([m.ravel() for m in offsets], axis=1)
    first, last = (np.array([getattr(s, end) for s in scales]) for end in ("first", "last"))
    size, best = 1.0, None
    for _ in range(_MOVES):
        if size <= _SMALL:
            break
        places = np.clip(middle + size * step * around, first, last)
        values = [scale.values(places[:, i]) for i, scale in enumerate(scales)]
        found = _lowest(form, np.stack(values, axis=1))
        lowest = min(range(len(found)), key=lambda i: found[i].chi2)
        moved = best is None or found[lowest].chi2 < best.chi2
        if moved:
            best, middle = found[lowest], places[lowest]
        if not moved or (np.abs(around[lowest]) < 1.0).all():
            size *= _SHRINK
    assert best is not None
    return best


def _beside(column: FloatArray, mass: float, other: float) -> bool:
    """Whether a mass is between the neighbours of another one in a column."""
    place = int(np.searchsorted(column, mass))
    return bool(column[max(place - 1, 0)] <= other <= column[min(place + 1, column.size - 1)])


def _lowest(form: Chi2Form, rows: FloatArray) -> list[Minimum]:
    """The lowest chi2 over the couplings at each row of the masses, shape (rows, masses)."""
    counts = form.counts
    names = counts.couplings
    shapes = dict(zip(counts.shape_parameters, rows.T, strict=True))
    if len(names) == 1:
        values, chi2 = form.lines(names[0], shapes).minima()
        points = values[:, None]
    elif not names:
        order = [counts.shape_parameters.index(name) for name in counts.names]
        points, chi2 = np.empty((len(rows), 0)), form.values(rows[:, order])
    else:
        points, chi2 = _descended(form, shapes, len(rows))
    return [
        Minimum(
            {
                name: float(row[list(shapes).index(name)] if name in shapes
                            else point[names.index(name)])
                for name in counts.names
            },
            float(value),
        )
        for row, point, value in zip(rows, points, chi2, strict=True)
    ]  # fmt: skip


def _descended(
    form: Chi2Form, shapes: Mapping[str, FloatArray], nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Several couplings at the lowest of their minima at each node, and chi2 there."""
    counts = form.counts
    descents = form.descents(dict(shapes) or None)
    free = list(range(len(counts.couplings)))
    rows = np.arange(nodes)
    standard = np.array([counts.parameter(name).standard for name in counts.couplings])
    held = np.clip(standard / descents.sizes, descents.lower, descents.upper)
    starts = descents.starts(free, rows, held, _STARTS if nodes == 1 else _STARTS_OF_NODES)
    basins = descents.follow(free, rows, held, np.concatenate([held[:, None], starts], axis=1))
    best = basins.chi2.argmin(axis=1)
    return basins.points[rows, best] * descents.sizes, basins.chi2[rows, best]


def _refined(
    form: Chi2Form, scale: ShapeScale, column: FloatArray, best: FloatArray, found: Minimum
) -> Minimum:
    """The bottom near the best of the masses, between its neighbours."""
    from scipy.optimize import minimize_scalar

    place = int(np.searchsorted(column, best[0]))
    low, high = column[max(place - 1, 0)], column[min(place + 1, column.size - 1)]

    def at(t: float) -> Minimum:
        return _lowest(form, np.array([[scale.value(t)]]))[0]

    bottom = minimize_scalar(
        lambda t: at(float(t)).chi2,
        bounds=(scale.variable(float(low)), scale.variable(float(high))),
        method="bounded",
        options={"xatol": 1e-9},
    )
    lowest = at(float(bottom.x))
    return lowest if lowest.chi2 < found.chi2 else found
