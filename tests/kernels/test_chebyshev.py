"""Series of Chebyshev polynomials over octaves of masses."""

import math

import numpy as np
import pytest

from fastscan.kernels.chebyshev import evaluate_series, place_in_octave


def evaluated(tables, table, place):
    out = np.full((place.size, tables.shape[2]), np.nan)
    evaluate_series(tables, np.asarray(table, dtype=np.int64), place, out)
    return out


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 7, 26])
def test_against_numpy(terms, rng):
    tables = rng.normal(size=(3, terms, 5))
    place, table = rng.uniform(-1.0, 1.0, 40), rng.integers(0, 3, 40)
    expected = [
        np.polynomial.chebyshev.chebval(x, tables[t]) for x, t in zip(place, table, strict=True)
    ]
    np.testing.assert_allclose(evaluated(tables, table, place), expected, rtol=0, atol=1e-13)


def test_rows_without_a_table_are_left_alone(rng):
    out = evaluated(rng.normal(size=(1, 4, 2)), [0, -1, 0], np.zeros(3))
    assert np.isnan(out[1]).all()
    assert np.isfinite(out[[0, 2]]).all()


def test_a_row_is_bit_identical_in_any_company(rng):
    tables = rng.normal(size=(2, 9, 5))
    place, table = rng.uniform(-1.0, 1.0, 30), rng.integers(0, 2, 30)
    together = evaluated(tables, table, place)
    for part in (slice(0, 1), slice(4, 9), slice(29, 30)):
        np.testing.assert_array_equal(together[part], evaluated(tables, table[part], place[part]))


def test_places_give_the_masses_back(rng):
    masses = 10.0 ** rng.uniform(-300.0, 300.0, 200)
    octave, place = np.empty(200, dtype=np.int64), np.empty(200)
    place_in_octave(masses, octave, place)
    assert ((place >= -1.0) & (place < 1.0)).all()
    found = [
        math.ldexp(2.0 ** (0.5 * (x + 1.0)), int(e) - 1) for e, x in zip(octave, place, strict=True)
    ]
    np.testing.assert_allclose(found, masses, rtol=1e-15)


@pytest.mark.parametrize("mass", [0.25, 1.0, 1024.0])
def test_an_octave_begins_with_its_power_of_two(mass):
    octave, place = np.empty(2, dtype=np.int64), np.empty(2)
    place_in_octave(np.array([np.nextafter(mass, 0.0), mass]), octave, place)
    assert octave[1] == octave[0] + 1
    assert place[1] == -1.0
