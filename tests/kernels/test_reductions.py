"""Reductions of rows pass points over; what they find is that of all points, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastscan.kernels.grid import all_finite, ratio_inside, ratio_minima, ratio_rows

POINTS = [1, 2, 31, 32, 33, 64, 65, 700, 1500]


def case(seed, degree, points, spacing):
    """Rows N = |p|**2 + noise, D = |q|**2 + 1, over sizes from no signal to a huge one."""
    rng = np.random.default_rng(seed)
    rows, half = 5, max(degree // 2, 0)
    counts = rng.normal(size=(rows, 3, half + 1)) * 10.0 ** rng.uniform(-3.0, 3.0, half + 1)
    numerator = np.zeros((rows, 2 * half + 1))
    denominator = np.zeros((rows, 2 * half + 1))
    for r in range(rows):
        for b in range(3):
            square = np.convolve(counts[r, b], counts[r, b])
            denominator[r] += square
            numerator[r] += square * rng.uniform(0.0, 1.0)
    numerator[:, 0] += rng.uniform(0.0, 2.0)
    denominator[:, 0] += 1.0
    if degree % 2:
        numerator[:, 1::2] *= rng.uniform(-1.0, 1.0)
    u = {
        "linear": np.linspace(-3.0, 2.0, points),
        "positive": np.geomspace(1e-4, 1e3, points),
        "folded": np.linspace(-2.0, 2.0, points) ** 2,
        "shuffled": rng.permutation(np.linspace(-1.0, 5.0, points)),
    }[spacing]
    return numerator, denominator, u


def reduced(numerator, denominator, u, level):
    rows = numerator.shape[0]
    lowest, found = np.full(rows, np.nan), np.full((3, rows), -7, dtype=np.int64)
    ratio_minima(numerator, denominator, u, lowest)
    ratio_inside(numerator, denominator, u, level, *found)
    return lowest, found


def check(numerator, denominator, u, level):
    every = np.empty((numerator.shape[0], u.size))
    ratio_rows(numerator, denominator, u, every)
    lowest, (count, first, last) = reduced(numerator, denominator, u, level)
    inside = every <= level
    np.testing.assert_array_equal(lowest, every.min(axis=1))
    np.testing.assert_array_equal(count, inside.sum(axis=1))
    some = inside.any(axis=1)
    np.testing.assert_array_equal(first, np.where(some, inside.argmax(axis=1), u.size))
    backwards = u.size - 1 - inside[:, ::-1].argmax(axis=1)
    np.testing.assert_array_equal(last, np.where(some, backwards, -1))


@given(
    seed=st.integers(0, 2**32 - 1),
    degree=st.integers(0, 8),
    points=st.sampled_from(POINTS),
    spacing=st.sampled_from(["linear", "positive", "folded", "shuffled"]),
    quantile=st.floats(0.0, 1.0),
)
def test_reductions_of_any_row(seed, degree, points, spacing, quantile):
    numerator, denominator, u = case(seed, degree, points, spacing)
    every = np.empty((numerator.shape[0], u.size))
    ratio_rows(numerator, denominator, u, every)
    # A level that is one of the values puts points on it.
    check(numerator, denominator, u, float(np.quantile(every, quantile, method="nearest")))


@pytest.mark.parametrize("terms", [3, 5, 7])
def test_values_that_differ_by_rounding_alone(terms):
    """A constant ratio: no bound tells its points apart, rounding decides which is lowest."""
    denominator = np.ones((1, terms))
    u = np.linspace(0.0, 3.0, 500)
    check(0.3 * denominator, denominator, u, 0.3)


@pytest.mark.parametrize("terms", [3, 5])
def test_a_denominator_that_rounding_makes_negative(terms):
    """(u - 1)**2 and its square, where what is computed has any sign."""
    factor = [1.0, -2.0, 1.0]
    row = np.array([factor if terms == 3 else np.convolve(factor, factor)])
    numerator = row + np.eye(1, terms) * 1e-3
    u = 1.0 + np.linspace(-1e-8, 1e-8, 200)
    with np.errstate(all="ignore"):
        check(numerator, row + np.eye(1, terms) * 1e-20, u, 5.0)


@np.errstate(all="ignore")
def test_what_overflows_is_computed():
    numerator = np.array([[1.0, 1e200, 1e300]])
    check(numerator, np.array([[1.0, 1.0, 1e300]]), np.geomspace(1.0, 1e3, 100), 1e10)


@pytest.mark.parametrize(
    ("row", "reach", "finite"),
    [
        ([1.0, 2.0, 3.0], 10.0, True),
        ([1.0, 0.0, 1e300], 1e3, True),
        ([1.0, 0.0, -1e300], 1e5, False),
        ([1.0, 1e200, 0.0], 1e120, False),
        ([np.nan, 0.0, 0.0], 1.0, False),
        ([np.inf, 0.0, 0.0], 1.0, False),
    ],
)
@np.errstate(all="ignore")
def test_rows_that_overflow_are_seen(row, reach, finite):
    good, bad = np.ones((2, 3)), np.array([[1.0, 1.0, 1.0], row])
    assert all_finite(good, bad, reach) == all_finite(bad, good, reach) == finite
