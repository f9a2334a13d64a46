"""Projected moments of a flux above an energy that turns, against plain quadrature."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.polynomial import legendre
from scipy.integrate import quad
from scipy.optimize import brentq

from fastscan.kernels.thresholds import project_moments
from fastscan.tensors.legendre import LEGENDRE, NODES, ORDER, TO_CHEBYSHEV, WEIGHTS

# A flux of 1, 3 and 2 between these energies: moments in closed form, on panels of their own.
EDGES = np.array([0.5, 1.0, 2.0, 3.0])
HEIGHTS = (1.0, 3.0, 2.0)


def moment(n, energy):
    total = 0.0
    for (low, high), height in zip(pairwise(EDGES), HEIGHTS, strict=True):
        low = min(max(low, energy), high)
        rise = {0: high - low, 1: np.log(high / low), 2: 1.0 / low - 1.0 / high}[n]
        total += height * rise
    return total


def tables():
    found = np.empty((3, 3, 25))
    x = np.cos(np.pi * (np.arange(25) + 0.5) / 25)
    for p, (low, high) in enumerate(pairwise(EDGES)):
        energy = 0.5 * (low + high) + 0.5 * (high - low) * x
        for n in range(3):
            values = [moment(n, e) for e in energy]
            series = np.polynomial.chebyshev.chebfit(x, values, 24)
            found[p, n] = np.polynomial.chebyshev.cheb2poly(series)
    return found


def project(*energies):
    """Projections for energies as functions of the place on the panel, shape (rows, 3, points)."""
    values = np.log([[energy(NODES)] for energy in energies])
    out = np.empty((len(energies), 3, 1, ORDER))
    status = project_moments(
        EDGES,
        np.log(EDGES),
        np.ones(EDGES.size, dtype=bool),
        tables(),
        values,
        TO_CHEBYSHEV,
        LEGENDRE,
        NODES,
        WEIGHTS,
        1e-9,
        out,
    )
    return status, out[:, :, 0]


# Logarithms of energies: a kink of the flux is at 0, at ln 2, and its ends at ln 0.5 and ln 3.
ENERGIES = {
    "within one panel": lambda u: np.exp(0.4 + 0.1 * u),
    "rises over an edge": lambda u: np.exp(0.7 + 0.2 * u),
    "falls over all": lambda u: np.exp(0.4 - 0.9 * u),
    "turns between edges": lambda u: np.exp(0.4 + 0.6 * (u - 0.2) ** 2),
    "turns above an edge": lambda u: np.exp(0.6 + 1.1 * (u + 0.4) ** 2),
    "turns at the top": lambda u: np.exp(1.05 - 1.1 * (u - 0.1) ** 2),
    "turns twice": lambda u: np.exp(0.6 + 0.9 * (u**3 - 0.5 * u)),
    "beyond the end": lambda u: np.exp(1.15 + 0.02 * u),
    "far beyond": lambda u: np.exp(20.0 + u),
}


@pytest.mark.parametrize("energy", ENERGIES.values(), ids=ENERGIES)
def test_integrals_against_polynomials(energy):
    status, (found,) = project(energy)
    assert status == 0
    fine = np.linspace(-1.0, 1.0, 4001)
    kinks = [
        brentq(lambda u, e=edge: float(energy(u)) - e, *fine[i : i + 2], xtol=1e-15)
        for edge in EDGES
        for i in np.flatnonzero(np.diff(np.sign(energy(fine) - edge)))
    ]
    for degree in (0, 3, ORDER - 1):
        polynomial = np.eye(ORDER)[degree]
        for n in range(3):
            got = float((WEIGHTS * found[n] * legendre.legval(NODES, polynomial)).sum())
            expected = quad(
                lambda u, n=n, p=polynomial: moment(n, energy(u)) * legendre.legval(u, p),
                -1.0,
                1.0,
                points=kinks or None,
                limit=400,
                epsabs=1e-12,
            )[0]
            assert got == pytest.approx(expected, abs=2e-10)


def test_what_is_not_smooth_is_told():
    status, _ = project(lambda u: np.where(u < 0.0, 1.2, 1.8))
    assert status == 1
    status, _ = project(lambda u: 0.6 + 0.2 * u)
    assert status == -1


def test_a_row_is_the_same_in_any_company():
    every = list(ENERGIES.values())
    _, together = project(*every)
    for energy, row in zip(every, together, strict=True):
        np.testing.assert_array_equal(project(energy)[1][0], row)
