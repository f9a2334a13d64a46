"""Chi2 along one coupling: its value anywhere, and all of its turning points."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastscan.likelihoods import profiled_chi2
from fastscan.likelihoods.curve import pieces_below
from fastscan.likelihoods.ratio import RatioCurve

SIGMA_ALPHA = 0.2
INF = np.inf


def random_curve(seed, degree, bins, scale=1.0, lower=-INF, upper=INF):
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(size=(degree + 1, bins)) * scale ** -np.arange(degree + 1.0)[:, None]
    data = rng.normal(2.0, 1.0, bins)
    return RatioCurve(coefficients, data, SIGMA_ALPHA**-2, lower, upper)


def chi2_at(curve, u):
    """Chi2 at many u, from the counts."""
    powers = np.asarray(u)[:, None] ** np.arange(curve.coefficients.shape[0])
    counts = powers @ curve.coefficients
    return profiled_chi2(counts, curve.data, np.ones(curve.data.size), SIGMA_ALPHA)


seeds = st.integers(0, 2**32 - 1)
degrees = st.integers(1, 3)
bins = st.integers(1, 5)
scales = st.sampled_from([1e-30, 1e-12, 1.0, 1e12])


@given(seeds, degrees, bins, scales)
def test_value_is_that_of_the_counts(seed, degree, bins, scale):
    curve = random_curve(seed, degree, bins, scale)
    u = scale * np.sinh(np.linspace(-20.0, 20.0, 41))
    expected = chi2_at(curve, u)
    np.testing.assert_allclose([curve(x) for x in u], expected, rtol=1e-9, atol=1e-9)


@given(seeds, degrees, bins, scales)
def test_value_at_infinity_is_the_limit(seed, degree, bins, scale):
    curve = random_curve(seed, degree, bins, scale)
    far = 1e12 * scale
    assert curve(INF) == pytest.approx(curve(far), rel=1e-6, abs=1e-6)
    assert curve(-INF) == pytest.approx(curve(-far), rel=1e-6, abs=1e-6)


@given(seeds, degrees, bins, scales)
def test_curve_is_monotonic_between_turning_points(seed, degree, bins, scale):
    curve = random_curve(seed, degree, bins, scale)
    points = curve.turning_points()
    assert points == sorted(points)
    dense = scale * np.sinh(np.linspace(-12.0, 12.0, 301))
    for low, high in pairwise(points):
        ends = [x for x in (low, high) if np.isfinite(x)]
        inside = np.sort(np.concatenate((ends, dense[(dense > low) & (dense < high)])))
        steps = np.diff(chi2_at(curve, inside))
        rounding = 1e-7 * (1.0 + curve.data @ curve.data)
        assert np.all(steps >= -rounding) or np.all(steps <= rounding)


@given(seeds, degrees, bins, scales)
def test_minimum_is_not_undercut(seed, degree, bins, scale):
    curve = random_curve(seed, degree, bins, scale)
    u, chi2 = curve.minimum()
    assert chi2 == curve(u)
    dense = scale * np.sinh(np.linspace(-12.0, 12.0, 301))
    assert chi2 <= chi2_at(curve, dense).min() + 1e-9


def test_minimum_keeps_to_the_bounds():
    # Counts u, data 3: the minimum at 3 is out of reach.
    curve = RatioCurve(np.array([[0.0], [1.0]]), np.array([3.0]), 25.0, -1.0, 2.0)
    assert curve.minimum()[0] == 2.0
    assert curve.turning_points()[0] == -1.0


def test_pieces_keep_to_the_bounds():
    curve = RatioCurve(np.array([[0.0], [1.0]]), np.array([3.0]), 25.0, -1.0, 2.0)
    ((low, high),) = pieces_below(curve, curve.turning_points(), curve(1.0))
    assert low == pytest.approx(1.0, rel=1e-12)
    assert high == 2.0


@pytest.mark.parametrize("u", [0.0, 1.0, 1e30, INF])
@pytest.mark.parametrize("rows", [1, 3])
def test_counts_that_do_not_depend_on_u(rows, u):
    coefficients = np.zeros((rows, 2))
    coefficients[0] = [1.0, 2.0]
    curve = RatioCurve(coefficients, np.array([2.0, 1.0]), 25.0, 0.0, INF)
    expected = profiled_chi2([1.0, 2.0], [2.0, 1.0], [1.0, 1.0], 0.2)
    assert curve(u) == pytest.approx(float(expected), rel=1e-13)
    assert curve.turning_points() == [0.0, INF]


@pytest.mark.parametrize("sigma_alpha", [0.2, 1e2, 1e4, 1e6])
def test_minimum_next_to_a_deep_cancellation(sigma_alpha):
    # Counts (1 - u)^2 times a shape, and a little of another: as the weak charge that an exchange
    # takes away. A normalisation that is nearly free blows up whatever is left.
    rng = np.random.default_rng(3)
    shape, other = rng.uniform(1.0, 2.0, 6), rng.uniform(0.0, 1e-3, 6)
    coefficients = np.stack((shape, -2.0 * shape + other, shape))
    data = rng.normal(3.0, 1.0, 6)
    curve = RatioCurve(coefficients, data, sigma_alpha**-2, 0.0, INF)
    u = np.concatenate((1 + np.sinh(np.linspace(-12, 12, 4001)) * 1e-4, np.linspace(0, 30, 3001)))
    powers = u[u >= 0][:, None] ** np.arange(3)
    chi2 = profiled_chi2(powers @ coefficients, data, np.ones(6), sigma_alpha)
    assert curve.minimum()[1] <= chi2.min() * (1 + 1e-6)


def test_one_bin_is_fitted_perfectly():
    # Around the point of the deepest cancellation such a curve is even, but for rounding. With
    # these digits (conus-plus-a25, a vector of charges -1,0.7,-1,0), what rounding left of the
    # leading powers once drowned the roots that matter.
    digits = ["0x1.7409e1f488661p+4", "-0x1.59e554198008ap+36", "0x1.4cd456d1986cep+66"]
    coefficients = np.array([[float.fromhex(text)] for text in digits])
    curve = RatioCurve(
        coefficients, np.array([19.87460691470358]), 1.6174926701240142**-2, 0.0, INF
    )
    assert curve.minimum()[1] == pytest.approx(0.0, abs=1e-12)
    for fitted in (3.785982062367489e-11, 9.300250247820204e-10):
        assert min(abs(u / fitted - 1.0) for u in curve.turning_points()) < 1e-9
