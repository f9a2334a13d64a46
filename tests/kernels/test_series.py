"""Sums of Chebyshev series over products of points, against NumPy's."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev

from fastscan.kernels.boxes import chebyshev_polynomials, contract_middle, series_rows


def polynomials_at(x, terms):
    out = np.empty((terms, x.size))
    chebyshev_polynomials(x, out)
    return out


@pytest.mark.parametrize("terms", [1, 2, 24])
def test_polynomials(rng, terms):
    x = np.append(rng.uniform(-1.0, 1.0, 9), [-1.0, 0.0, 1.0])
    wanted = chebyshev.chebvander(x, terms - 1).T
    np.testing.assert_allclose(polynomials_at(x, terms), wanted, rtol=0, atol=1e-14)


def test_one_axis_of_many(rng):
    factors, array = rng.normal(size=(4, 3)), rng.normal(size=(2, 4, 5))
    out = np.full((2, 3, 5), np.nan)
    contract_middle(factors, array, out)
    np.testing.assert_allclose(out, np.einsum("ki,akb->aib", factors, array), rtol=1e-13)


@pytest.mark.parametrize(("rows", "points"), [(1, 3), (2, 300), (5, 257)])
def test_rows_of_series(rng, rows, points):
    series, x = rng.normal(size=(rows, 8)), rng.uniform(-1.0, 1.0, points)
    where, first = rng.permutation(rows + 2)[:rows], 2
    out = np.full((rows + 2, points + 5), np.nan)
    series_rows(series, polynomials_at(x, 8), where, first, out)
    wanted = [chebyshev.chebval(x, row) for row in series]
    np.testing.assert_allclose(out[where, first : first + points], wanted, rtol=1e-12, atol=1e-13)
    assert np.isnan(out[:, :first]).all()
    assert np.isnan(out[:, first + points :]).all()
    assert np.isnan(np.delete(out, where, axis=0)).all()


def test_a_point_is_the_same_in_any_company(rng):
    series, x = rng.normal(size=(5, 24)), rng.uniform(-1.0, 1.0, 301)
    whole = np.empty((5, 301))
    series_rows(series, polynomials_at(x, 24), np.arange(5), 0, whole)
    for rows, points in ((slice(2, 3), slice(0, 301)), (slice(0, 4), slice(130, 131))):
        part = np.empty((rows.stop - rows.start, points.stop - points.start))
        own = polynomials_at(np.ascontiguousarray(x[points]), 24)
        series_rows(series[rows], own, np.arange(len(part)), 0, part)
        np.testing.assert_array_equal(part, whole[rows, points])
