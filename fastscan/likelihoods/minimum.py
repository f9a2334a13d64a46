"""The lowest chi2 over all that parameters may be: what levels of regions are counted from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.likelihoods.form import Chi2Form
from fastscan.models import Parameter

__all__ = ["Minimum", "find_minimum", "point_words"]

FloatArray = NDArray[np.float64]

# Masses that are tried first, in MeV: below and above these nothing changes any more.
_MASS_RANGE_MEV = (1e-6, 1e12)
# Of one mass beside one coupling, whose minima along the coupling are exact and cheap; of one mass
# beside several couplings or none; and of each of several masses.
_MANY, _SOME, _FEW = 145, 73, 25
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
    columns = [_masses(counts.parameter(n), form) for n in counts.shape_parameters]
    mesh = np.meshgrid(*columns, indexing="ij")
    rows = np.stack([m.ravel() for m in mesh], axis=1)
    found = _lowest(form, rows)
    best = min(range(len(rows)), key=lambda i: found[i].chi2)
    if known is not None and known.chi2 <= found[best].chi2:
        place = np.array([known.point[name] for name in counts.shape_parameters])
        if all(_beside(c, m, at) for c, m, at in zip(columns, rows[best], place, strict=True)):
            return known
    return _refined(form, columns, rows[best], found[best])


def point_words(point: Mapping[str, float]) -> str:
    """A point as ``name = value, …``."""
    return ", ".join(f"{name} = {value:.5g}" for name, value in point.items())


def _masses(parameter: Parameter, form: Chi2Form) -> FloatArray:
    shapes, couplings = form.counts.shape_parameters, form.counts.couplings
    count = _FEW if len(shapes) > 1 else _MANY if len(couplings) == 1 else _SOME
    low, high = _MASS_RANGE_MEV
    return np.geomspace(max(low, parameter.minimum), min(high, parameter.maximum), count)


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
    form: Chi2Form, columns: list[FloatArray], best: FloatArray, found: Minimum
) -> Minimum:
    """The bottom near the best row of masses: each in turn between its neighbours."""
    from scipy.optimize import minimize_scalar

    row = best.copy()
    for _ in range(1 if len(columns) == 1 else 3):
        for i, column in enumerate(columns):
            place = int(np.searchsorted(column, row[i]))
            low, high = column[max(place - 1, 0)], column[min(place + 1, column.size - 1)]

            def at(log_mass: float, i: int = i) -> Minimum:
                own = row.copy()
                own[i] = math.exp(log_mass)
                return _lowest(form, own[None])[0]

            bottom = minimize_scalar(
                lambda t, at=at: at(float(t)).chi2,
                bounds=(math.log(low), math.log(high)),
                method="bounded",
                options={"xatol": 1e-9},
            )
            lowest = at(float(bottom.x))
            if lowest.chi2 < found.chi2:
                found = lowest
                row[i] = math.exp(float(bottom.x))
    return found
