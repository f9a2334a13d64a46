"""Chi2 of a data vector with its derivatives, and the way down, against plain linear algebra."""

import naive
import numpy as np
import pytest

from fastscan.kernels.descent import descend
from fastscan.kernels.profiles import fitted_chi2, slopes, spread

BINS, PULLS = 6, 2
# Powers of two couplings in each monomial.
EXPONENTS = np.array([[0, 0], [0, 1], [1, 0], [2, 0]])
BOUNDS = np.array([[0.0, 7.0], [-1.5, 1.5], [-1.5, 1.5]])


@pytest.fixture
def made(rng):
    """A table of a mass and two couplings, and a data vector."""
    rows = np.linspace(0.0, 1.0, 8)
    table = rng.normal(size=(1, 1 + PULLS, len(EXPONENTS), BINS)) * (
        1.0 + 0.3 * rows[:, None, None, None] ** 2
    )
    table[:, 0] *= 0.1
    tops = np.array([[0, 0], [2, 1], [2, 1]])
    return np.ascontiguousarray(table), tops, 3.0 * rng.normal(size=BINS + PULLS)


def chi2_at(z, made):
    table, tops, data = made
    rows = np.empty((1, 1 + PULLS, data.size))
    basis, inverse = np.empty((PULLS, data.size)), np.empty((PULLS, PULLS))
    gamma, rest = np.empty(PULLS), np.empty(data.size)
    spread(np.array(z), table, EXPONENTS, tops, rows)
    return fitted_chi2(data, rows, basis, inverse, gamma, rest)


def test_chi2_is_that_of_a_least_squares_fit(made, rng):
    table, _, data = made
    for _ in range(5):
        z = rng.uniform(BOUNDS[:, 0], BOUNDS[:, 1])
        expected = naive.chi2_of_vector(table, EXPONENTS, z, data)
        assert chi2_at(z, made) == pytest.approx(expected, rel=1e-9)


def test_derivatives_are_those_of_differences(made):
    table, tops, data = made
    z, size = np.array([3.3, 0.4, -0.7]), 3
    rows = np.empty((1 + size + 6, 1 + PULLS, data.size))
    basis, inverse = np.empty((PULLS, data.size)), np.empty((PULLS, PULLS))
    gamma, rest = np.empty(PULLS), np.empty(data.size)
    gradient, hessian = np.empty(size), np.empty((size, size))
    spread(z, table, EXPONENTS, tops, rows)
    fitted_chi2(data, rows, basis, inverse, gamma, rest)
    slopes(rows, basis, inverse, gamma, rest, size, gradient, hessian)
    step = 1e-4 * np.eye(size)
    for i in range(size):
        slope = (chi2_at(z + step[i], made) - chi2_at(z - step[i], made)) / 2e-4
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        for j in range(size):
            bend = (
                chi2_at(z + step[i] + step[j], made) - chi2_at(z + step[i] - step[j], made)
                - chi2_at(z - step[i] + step[j], made) + chi2_at(z - step[i] - step[j], made)
            ) / 4e-8  # fmt: skip
            assert hessian[i, j] == pytest.approx(bend, rel=1e-4, abs=1e-3)


def test_the_way_down_ends_where_nothing_near_is_lower(made, rng):
    table, tops, data = made
    unit, held = np.array([1.0, 0.2, 0.2]), np.zeros(3, dtype=bool)
    for _ in range(4):
        z = rng.uniform(BOUNDS[:, 0], BOUNDS[:, 1])
        before = chi2_at(z, made)
        found = descend(data, table, EXPONENTS, tops, BOUNDS, unit, held, z)
        assert found <= before
        assert found == pytest.approx(chi2_at(z, made), rel=1e-12)
        for move in 1e-3 * rng.normal(size=(20, 3)):
            near = np.clip(z + move, BOUNDS[:, 0], BOUNDS[:, 1])
            assert chi2_at(near, made) > found - 1e-8


def test_what_is_held_stays(made):
    table, tops, data = made
    held = np.array([True, False, False])
    z = np.array([2.5, 0.1, 0.1])
    descend(data, table, EXPONENTS, tops, BOUNDS, np.ones(3), held, z)
    assert z[0] == 2.5
    assert z[1] != 0.1
