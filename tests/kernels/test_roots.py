"""Sign changes of polynomials against eigenvalues of companion matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastscan.kernels.roots import pieces_below, sign_changes

INF = np.inf


def changes(polynomial, lower=-INF, upper=INF):
    rows = np.atleast_2d(polynomial)
    roots = np.full((rows.shape[0], rows.shape[1] - 1), -7.0)
    bounds = (np.full(rows.shape[0], end) for end in (lower, upper))
    sign_changes(rows, *bounds, roots)
    return roots[0][~np.isnan(roots[0])]


def pieces(polynomial, lower=-INF, upper=INF):
    rows = np.atleast_2d(polynomial)
    out = np.full((rows.shape[0], (rows.shape[1] - 1) // 2 + 1, 2), -7.0)
    used = pieces_below(rows, np.full(len(rows), lower), np.full(len(rows), upper), out)
    found = [(a, b) for a, b in out[0] if not np.isnan(a)]
    assert used == len(found)
    return found


@given(
    seed=st.integers(0, 2**32 - 1),
    real=st.integers(0, 6),
    pairs=st.integers(0, 2),
    lower=st.sampled_from([-INF, -1.0, 0.0]),
    upper=st.sampled_from([INF, 2.0]),
)
def test_against_the_companion_matrix(seed, real, pairs, lower, upper):
    rng = np.random.default_rng(seed)
    chosen = rng.uniform(-3.0, 3.0, real)
    polynomial = np.polynomial.polynomial.polyfromroots(chosen) * rng.normal()
    for _ in range(pairs):
        at, away = rng.uniform(-2.0, 2.0), rng.uniform(0.3, 2.0)
        polynomial = np.convolve(polynomial, [at**2 + away**2, -2.0 * at, 1.0])
    eigenvalues = np.polynomial.polynomial.polyroots(polynomial)
    near = np.abs(eigenvalues.imag) < 1e-9
    expected = np.sort(eigenvalues[near].real)
    expected = expected[(expected > lower) & (expected < upper)]
    if real and min(np.diff(np.sort([*chosen, lower, upper]))) < 0.05:
        return  # Neither method tells roots that nearly meet apart to this accuracy.
    np.testing.assert_allclose(changes(polynomial, lower, upper), expected, rtol=1e-8, atol=1e-9)


def test_roots_over_many_decades():
    chosen = np.array([1e-6, 1e-2, 10.0, 1e5])
    polynomial = np.polynomial.polynomial.polyfromroots(chosen)
    np.testing.assert_allclose(changes(polynomial, 0.0), chosen, rtol=1e-12)


def test_a_root_that_touches_changes_no_sign():
    assert changes([1.0, 0.0, 2.0, 0.0, 1.0]).size == 0
    assert changes([0.0, 0.0, 1.0]).size == 0


def test_a_leading_power_that_is_rounding():
    np.testing.assert_allclose(changes([-1.0, 1.0, 1e-17, -1e-16]), [1.0], rtol=1e-12)


@pytest.mark.parametrize(
    "polynomial", [[0.0], [0.0, 0.0], [3.0, 0.0, 0.0], [np.nan, 1.0], [INF, 1]]
)
def test_nothing_to_find(polynomial):
    assert changes(np.array(polynomial)).size == 0


@given(seed=st.integers(0, 2**32 - 1), degree=st.integers(1, 6))
def test_pieces_are_where_the_polynomial_is_not_positive(seed, degree):
    rng = np.random.default_rng(seed)
    polynomial = rng.normal(size=degree + 1)
    found = pieces(polynomial, -2.0, 3.0)
    for x in rng.uniform(-2.0, 3.0, 40):
        inside = any(a <= x <= b for a, b in found)
        value = np.polynomial.polynomial.polyval(x, polynomial)
        assert inside == (value <= 0.0) or abs(value) < 1e-9


@pytest.mark.parametrize(
    ("polynomial", "lower", "upper", "expected"),
    [
        ([-1.0, 0.0, 1.0], -INF, INF, [(-1.0, 1.0)]),
        ([1.0, 0.0, -1.0], -INF, INF, [(-INF, -1.0), (1.0, INF)]),
        ([1.0, 0.0, -1.0], 0.0, INF, [(1.0, INF)]),
        ([-1.0, 0.0, 1.0], 0.0, 5.0, [(0.0, 1.0)]),
        ([-1.0], 0.0, 5.0, [(0.0, 5.0)]),
        ([1.0], -INF, INF, []),
        ([4.0, 0.0, -5.0, 0.0, 1.0], -INF, 7.0, [(-2.0, -1.0), (1.0, 2.0)]),
    ],
)
def test_pieces_of_simple_polynomials(polynomial, lower, upper, expected):
    found = pieces(np.array(polynomial), lower, upper)
    assert len(found) == len(expected)
    for piece, (low, high) in zip(found, expected, strict=True):
        assert piece == (pytest.approx(low, rel=1e-14), pytest.approx(high, rel=1e-14))
