"""Counts as a polynomial in one coupling -> chi2 as a ratio of polynomials, exact to rounding."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastscan.kernels.grid import ratio_rows
from fastscan.kernels.normal_form import (
    contract_recoils,
    row_polynomials,
    square_monomials,
    sum_before_squaring,
)

SIGMA_ALPHA = 0.2


def polynomials(coefficients, weights, powers, data, sigma_alpha=SIGMA_ALPHA):
    shapes, monomials, _ = coefficients.shape
    rows = shapes * weights.shape[0]
    # The kernels fill them: what was there before must not matter.
    squares = np.full((shapes, monomials * (monomials + 2)), np.nan)
    numerator = np.full((rows, 2 * max(powers) + 1), np.nan)
    denominator = np.full((rows, 2 * max(powers) + 1), np.nan)
    cancelled = np.ones(rows, dtype=bool)
    constants = np.asarray(powers, dtype=np.int64), data, sigma_alpha**-2
    square_monomials(coefficients, data, sigma_alpha**-2, squares)
    by_monomial = np.ascontiguousarray(weights.T)
    row_polynomials(squares, by_monomial, *constants, numerator, denominator, cancelled)
    which = np.flatnonzero(cancelled)
    top, bottom = numerator[which], denominator[which]
    sum_before_squaring(
        coefficients[which // weights.shape[0]],
        np.ascontiguousarray(by_monomial[:, which % weights.shape[0]]),
        *constants,
        top,
        bottom,
    )
    numerator[which], denominator[which] = top, bottom
    return numerator, denominator


def chi2_rows(coefficients, weights, powers, data, u, sigma_alpha=SIGMA_ALPHA):
    numerator, denominator = polynomials(coefficients, weights, powers, data, sigma_alpha)
    out = np.full((numerator.shape[0], u.size), np.nan)
    ratio_rows(numerator, denominator, u, out)
    return out


def case(seed, bins, powers, shapes=2, outer=3):
    rng = np.random.default_rng(seed)
    coefficients = rng.uniform(0.1, 3.0, (shapes, len(powers), bins))
    weights = rng.uniform(0.2, 2.0, (outer, len(powers)))
    return coefficients, weights, rng.normal(3.0, 2.0, bins)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.sampled_from([[0], [0, 1], [0, 1, 2], [0, 2], [0, 1, 1, 2], [0, 1, 2, 3]]),
)
def test_against_exact_chi2(seed, bins, powers):
    coefficients, weights, data = case(seed, bins, powers)
    u = np.array([0.0, 0.3, 2.0])
    got = chi2_rows(coefficients, weights, powers, data, u)
    for shape in range(2):
        for outer in range(3):
            counts = [
                sum(
                    weights[outer, m] * coefficients[shape, m] * x ** powers[m]
                    for m in range(len(powers))
                )
                for x in u
            ]
            expected = [naive.chi2_exact(c, data, np.ones(bins), SIGMA_ALPHA) for c in counts]
            row = got[shape * 3 + outer]
            assert row == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("size", [1e-20, 1e-3, 1.0, 1e3, 1e10, 1e20])
@pytest.mark.parametrize("bins", [1, 2, 19])
def test_signals_of_any_size(size, bins):
    rng = np.random.default_rng(bins)
    coefficients = rng.uniform(0.1, 3.0, (1, 3, bins))
    data = rng.normal(3.0, 2.0, bins)
    u = np.array([np.sqrt(size)])
    got = chi2_rows(coefficients, np.ones((1, 3)), [0, 1, 2], data, u)[0, 0]
    counts = coefficients[0, 0] + coefficients[0, 1] * u[0] + coefficients[0, 2] * u[0] ** 2
    assert got == pytest.approx(
        naive.chi2_exact(counts, data, np.ones(bins), SIGMA_ALPHA), rel=1e-9
    )


@pytest.mark.parametrize("size", [1.0, 1e10, 1e20])
def test_huge_signal_of_the_shape_of_the_data(size):
    # All of chi2 is the pull: alpha = -1, chi2 = 1/sigma_alpha^2, C of the data cancels.
    data = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    coefficients = np.stack([np.zeros(5), data])[None]
    got = chi2_rows(coefficients, np.ones((1, 2)), [0, 1], data, np.array([size]))[0, 0]
    expected = naive.chi2_exact(size * data, data, np.ones(5), SIGMA_ALPHA)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("size", [1e3, 1e6])
def test_monomials_that_cancel(size, rng):
    # A millicharge against a charge radius: each is huge, what is left of their sum is not.
    shape = rng.uniform(0.5, 3.0, 19)
    data = rng.normal(3.0, 2.0, 19)
    nearly = shape - rng.uniform(0.0, 3.0, 19) / size
    coefficients = np.stack([rng.uniform(0.1, 1.0, 19), shape, nearly])
    weights = np.array([[1.0, size, -size]])
    got = chi2_rows(coefficients[None], weights, [0, 1, 1], data, np.array([1.0]))[0, 0]
    counts = coefficients[0] + size * (coefficients[1] - coefficients[2])
    expected = naive.chi2_exact(counts, data, np.ones(19), SIGMA_ALPHA)
    assert got == pytest.approx(expected, rel=1e-7)


def test_nothing_seen():
    # C = 0: the formula must not divide by it.
    coefficients = np.array([[[1.0, 2.0], [0.5, 0.25]]])
    got = chi2_rows(coefficients, np.ones((1, 2)), [0, 1], np.zeros(2), np.array([2.0]))[0, 0]
    counts = np.array([2.0, 2.5])
    assert got == pytest.approx(naive.chi2_exact(counts, np.zeros(2), np.ones(2), 0.2), rel=1e-12)


def test_nothing_expected():
    data = np.array([3.0, -4.0])
    coefficients = np.zeros((1, 1, 2))
    got = chi2_rows(coefficients, np.ones((1, 1)), [0], data, np.array([1.0]))
    assert got[0, 0] == pytest.approx(25.0, rel=1e-14)


def test_shape_index_is_the_slow_one():
    coefficients, weights, data = case(7, 4, [0, 1, 2])
    together = chi2_rows(coefficients, weights, [0, 1, 2], data, np.array([0.7]))
    for shape in range(2):
        alone = chi2_rows(
            coefficients[shape : shape + 1], weights, [0, 1, 2], data, np.array([0.7])
        )
        np.testing.assert_array_equal(together[3 * shape : 3 * shape + 3], alone)


def test_rows_do_not_depend_on_their_company():
    coefficients, weights, data = case(8, 5, [0, 1, 2])
    u = np.linspace(-2.0, 2.0, 33)
    together = chi2_rows(coefficients, weights, [0, 1, 2], data, u)
    alone = chi2_rows(coefficients[1:], weights[2:], [0, 1, 2], data, u[5:20])
    np.testing.assert_array_equal(together[5:, 5:20], alone)


@given(st.integers(0, 2**32 - 1), st.sampled_from([[0, 1], [0, 1, 2], [0, 1, 1, 2]]))
def test_summing_first_gives_the_same_rows(seed, powers):
    coefficients, weights, data = case(seed, 5, powers, shapes=1, outer=3)
    constants = np.asarray(powers, dtype=np.int64), data, SIGMA_ALPHA**-2
    expected = polynomials(coefficients, weights, powers, data)
    numerator, denominator = np.full_like(expected[0], np.nan), np.full_like(expected[1], np.nan)
    by_monomial = np.ascontiguousarray(weights.T)
    three = np.repeat(coefficients, 3, axis=0)
    sum_before_squaring(three, by_monomial, *constants, numerator, denominator)
    np.testing.assert_allclose(numerator, expected[0], rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(denominator, expected[1], rtol=1e-12)


def test_many_outer_points_are_those_alone():
    # More than are treated together, and a part of such a tile.
    coefficients, weights, data = case(10, 5, [0, 1, 1, 2], shapes=2, outer=150)
    together = polynomials(coefficients, weights, [0, 1, 1, 2], data)
    for outer in (0, 63, 64, 149):
        alone = polynomials(coefficients, weights[outer : outer + 1], [0, 1, 1, 2], data)
        for rows, row in zip(together, alone, strict=True):
            np.testing.assert_array_equal(rows[outer::150], row)


def test_denominator_is_signal_squared_plus_penalty():
    coefficients, weights, data = case(9, 5, [0, 1, 2], shapes=1, outer=1)
    _, denominator = polynomials(coefficients, weights, [0, 1, 2], data)
    y = coefficients[0] * weights[0][:, None]
    for u in (-1.5, 0.0, 0.8):
        signal = y[0] + y[1] * u + y[2] * u**2
        value = np.polynomial.polynomial.polyval(u, denominator[0])
        assert value == pytest.approx(signal @ signal + SIGMA_ALPHA**-2, rel=1e-13)


# --- ratio of polynomials -------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [1, 2, 3, 4, 5, 6, 7])
def test_ratio_against_numpy(terms, rng):
    numerator, denominator = rng.uniform(0.5, 2.0, (2, 3, terms))
    u, out = np.linspace(0.0, 3.0, 17), np.full((3, 17), np.nan)
    ratio_rows(numerator, denominator, u, out)
    polyval = np.polynomial.polynomial.polyval
    np.testing.assert_allclose(out, polyval(u, numerator.T) / polyval(u, denominator.T), 1e-13)


# --- contraction over recoils ---------------------------------------------------------------------


def contracted(factors, base):
    out = np.zeros((factors.shape[0], base.shape[1]))
    contract_recoils(factors, base, out)
    return out


def test_contraction_is_a_matrix_product(rng):
    factors, base = rng.normal(size=(7, 40)), rng.normal(size=(40, 9))
    np.testing.assert_allclose(contracted(factors, base), factors @ base, rtol=0, atol=1e-13)


def test_contraction_adds_to_what_is_there(rng):
    factors, base = rng.normal(size=(2, 5)), rng.normal(size=(5, 3))
    out = np.ones((2, 3))
    contract_recoils(factors, base, out)
    np.testing.assert_allclose(out, 1.0 + factors @ base, rtol=0, atol=1e-14)


def test_contraction_of_a_row_is_bit_identical_in_any_company(rng):
    factors = rng.lognormal(0.0, 20.0, (23, 60))
    base = rng.normal(size=(60, 19))
    together = contracted(factors, base)
    for start, stop in ((0, 1), (3, 4), (5, 22), (22, 23)):
        np.testing.assert_array_equal(together[start:stop], contracted(factors[start:stop], base))


def test_contraction_of_a_bin_is_bit_identical_in_any_company(rng):
    factors, base = rng.normal(size=(3, 60)), rng.normal(size=(60, 19))
    alone = contracted(factors, np.ascontiguousarray(base[:, 4:5]))
    np.testing.assert_array_equal(contracted(factors, base)[:, 4:5], alone)
