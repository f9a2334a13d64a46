"""The lowest chi2 over all that parameters may be: what levels of regions are counted from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fastscan.likelihoods.form import Chi2Form
from fastscan.models import Parameter

__all__ = ["Minimum", "find_minimum", "point_words"]

FloatArray = NDArray[np.float64]

# Masses that are tried first, in MeV: below and above these nothing changes any more.
_MASS_RANGE_MEV = (1e-6, 1e12)
# Of one mass beside one coupling, whose minima along the coupling are exact and cheap; of one mass
# beside several couplings or none; and of each of several masses.
_MANY, _SOME, _FEW = 145, 73, 25


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


def find_minimum(form: Chi2Form) -> Minimum:
    """The lowest chi2 over the whole physical range of all free parameters of a form."""
    counts = form.counts
    with threadpool_limits(1, user_api="blas"):
        if not counts.shape_parameters:
            return _over_couplings(form, {})
        columns = [_masses(counts.parameter(n), form) for n in counts.shape_parameters]
        mesh = np.meshgrid(*columns, indexing="ij")
        rows = np.stack([m.ravel() for m in mesh], axis=1)
        best = rows[int(np.argmin(_lowest_at(form, rows)))]
        return _refined(form, columns, best)


def point_words(point: Mapping[str, float]) -> str:
    """A point as ``name = value, …``."""
    return ", ".join(f"{name} = {value:.5g}" for name, value in point.items())


def _masses(parameter: Parameter, form: Chi2Form) -> FloatArray:
    shapes, couplings = form.counts.shape_parameters, form.counts.couplings
    count = _FEW if len(shapes) > 1 else _MANY if len(couplings) == 1 else _SOME
    low, high = _MASS_RANGE_MEV
    return np.geomspace(max(low, parameter.minimum), min(high, parameter.maximum), count)


def _lowest_at(form: Chi2Form, rows: FloatArray) -> FloatArray:
    """Lowest chi2 over the couplings at rows of the masses."""
    counts = form.counts
    shapes = dict(zip(counts.shape_parameters, rows.T, strict=True))
    if len(counts.couplings) == 1:
        return form.lines(counts.couplings[0], shapes).minima()[1]
    return np.array([_over_couplings(form, _row(form, row)).chi2 for row in rows])


def _row(form: Chi2Form, row: FloatArray) -> dict[str, float]:
    return dict(zip(form.counts.shape_parameters, map(float, row), strict=True))


def _over_couplings(form: Chi2Form, masses: Mapping[str, float]) -> Minimum:
    """The lowest chi2 over the couplings, masses held."""
    counts = form.counts
    names = counts.couplings
    if len(names) == 1 and masses:
        shapes = {name: np.array([value]) for name, value in masses.items()}
        values, lowest = form.lines(names[0], shapes).minima()
        return _ordered(form, {**masses, names[0]: float(values[0])}, float(lowest[0]))
    shape = {name: np.array([value]) for name, value in masses.items()}
    surface = form.surface(form.coefficients(shape or None)[0])
    start = np.array([counts.parameter(name).standard for name in names])
    point, chi2 = surface.minimise(list(range(len(names))), [start])
    return _ordered(form, {**masses, **dict(zip(names, map(float, point), strict=True))}, chi2)


def _ordered(form: Chi2Form, point: Mapping[str, float], chi2: float) -> Minimum:
    return Minimum({name: point[name] for name in form.counts.names}, float(chi2))


def _refined(form: Chi2Form, columns: list[FloatArray], best: FloatArray) -> Minimum:
    """The bottom near the best row of masses: each in turn between its neighbours."""
    from scipy.optimize import minimize_scalar

    row = best.copy()
    found = _over_couplings(form, _row(form, row))
    for _ in range(1 if len(columns) == 1 else 3):
        for i, column in enumerate(columns):
            place = int(np.searchsorted(column, row[i]))
            low, high = column[max(place - 1, 0)], column[min(place + 1, column.size - 1)]

            def at(log_mass: float, i: int = i) -> Minimum:
                own = row.copy()
                own[i] = math.exp(log_mass)
                return _over_couplings(form, _row(form, own))

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
