"""Chi2 with the normalisation profiled in closed form, and the levels it is compared with."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_distribution

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.likelihoods import delta_chi2, normalisation_pull, profiled_chi2


@pytest.fixture(scope="module")
def observation():
    return load_experiment("conus-plus").observation


def case(seed, bins):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 30.0, bins), rng.normal(10.0, 8.0, bins), rng.uniform(1.0, 5.0, bins)


seeds = st.integers(0, 2**32 - 1)
sigma_alphas = st.floats(1e-3, 1e3)


@given(seeds, st.integers(1, 8), sigma_alphas, st.floats(-20.0, 20.0))
def test_against_exact(seed, bins, sigma_alpha, logarithm_of_size):
    counts, data, sigma = case(seed, bins)
    counts *= 10.0**logarithm_of_size
    expected = naive.chi2_exact(counts, data, sigma, sigma_alpha)
    got = profiled_chi2(counts, data, sigma, sigma_alpha)
    # One bin can be fitted perfectly: what is left of chi2 is then rounding of the terms.
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-13 * np.sum((data / sigma) ** 2))


@given(seeds, st.integers(1, 8), st.floats(0.01, 1.0))
def test_against_minimisation(seed, bins, sigma_alpha):
    counts, data, sigma = case(seed, bins)
    expected = naive.chi2(counts, data, sigma, sigma_alpha)
    got = profiled_chi2(counts, data, sigma, sigma_alpha)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e6, 1e12, 1e20])
def test_signal_far_above_the_data(observation, size):
    counts = size * np.linspace(30.0, 1.0, 19)
    arguments = (counts, observation.counts, observation.sigma, 0.2)
    assert profiled_chi2(*arguments) == pytest.approx(naive.chi2_exact(*arguments), rel=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e6, 1e12, 1e20])
@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-a25"])
def test_signal_of_the_shape_of_the_data(experiment, size):
    # A and B are as large as they can be next to A C - B^2, which is zero.
    seen = load_experiment(experiment).observation
    counts = size * seen.counts
    got = profiled_chi2(counts, seen.counts, seen.sigma, 0.2)
    expected = naive.chi2_exact(counts, seen.counts, seen.sigma, 0.2)
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_signal_that_no_square_can_hold_is_no_number_by_accident():
    with np.errstate(over="ignore", invalid="ignore"):
        chi2 = profiled_chi2([1e200], [1.0], [1.0], 0.2)
    assert not 0.0 <= chi2 < 24.9


@given(seeds, st.integers(1, 8), st.floats(0.01, 10.0))
def test_pull_is_where_the_minimum_is(seed, bins, sigma_alpha):
    counts, data, sigma = case(seed, bins)
    pull = float(normalisation_pull(counts, data, sigma, sigma_alpha))

    def chi2(alpha):
        return np.sum((((1 + alpha) * counts - data) / sigma) ** 2) + (alpha / sigma_alpha) ** 2

    here = chi2(pull)
    assert here == pytest.approx(
        float(profiled_chi2(counts, data, sigma, sigma_alpha)), rel=1e-9, abs=1e-9
    )
    assert here <= min(chi2(pull - 1e-3), chi2(pull + 1e-3))


def test_no_signal_is_not_pulled(observation):
    zero = np.zeros(19)
    data, sigma = observation.counts, observation.sigma
    assert normalisation_pull(zero, data, sigma, 0.2) == 0.0
    expected = np.sum((data / sigma) ** 2)
    assert profiled_chi2(zero, data, sigma, 0.2) == pytest.approx(expected, rel=1e-14)


def test_nothing_seen():
    got = profiled_chi2([1.0, 2.0], [0.0, 0.0], [1.0, 1.0], 0.2)
    assert got == pytest.approx(naive.chi2_exact([1.0, 2.0], [0.0, 0.0], [1.0, 1.0], 0.2))


def test_fixed_normalisation_is_plain_chi2(observation):
    counts, data, sigma = np.linspace(30.0, 1.0, 19), observation.counts, observation.sigma
    expected = np.sum(((counts - data) / sigma) ** 2)
    assert profiled_chi2(counts, data, sigma, 1e-9) == pytest.approx(expected, rel=1e-9)


def test_free_normalisation_leaves_the_shape(observation):
    counts, data, sigma = np.linspace(30.0, 1.0, 19), observation.counts, observation.sigma
    y, d = counts / sigma, data / sigma
    expected = d @ d - (y @ d) ** 2 / (y @ y)
    assert profiled_chi2(counts, data, sigma, 1e9) == pytest.approx(expected, rel=1e-9)


def test_points_of_any_shape(observation, rng):
    counts = rng.uniform(0.0, 30.0, (4, 3, 19))
    arguments = (observation.counts, observation.sigma, 0.2)
    together = profiled_chi2(counts, *arguments)
    assert together.shape == normalisation_pull(counts, *arguments).shape == (4, 3)
    assert together[2, 1] == profiled_chi2(counts[2, 1], *arguments)


# --- levels ---------------------------------------------------------------------------------------


def test_one_parameter_at_ninety_per_cent():
    assert delta_chi2(0.90) == pytest.approx(2.706, abs=5e-4)


def test_one_parameter_at_one_sigma():
    assert delta_chi2(0.6826894921370859) == pytest.approx(1.0, rel=1e-12)


def test_two_parameters_at_ninety_per_cent():
    assert delta_chi2(0.90, 2) == pytest.approx(4.605, abs=5e-4)


@given(st.floats(1e-6, 1 - 1e-6), st.integers(1, 9))
def test_level_is_the_quantile(confidence_level, degrees_of_freedom):
    level = delta_chi2(confidence_level, degrees_of_freedom)
    assert chi2_distribution.cdf(level, degrees_of_freedom) == pytest.approx(
        confidence_level, rel=1e-9
    )


@pytest.mark.parametrize("confidence_level", [0.0, 1.0, -0.1, 90.0, np.nan, np.inf])
def test_bad_confidence_level(confidence_level):
    with pytest.raises(InputError, match=r"\(cl\); write 90 % as 0.90"):
        delta_chi2(confidence_level)


@pytest.mark.parametrize("degrees_of_freedom", [0, -1])
def test_bad_degrees_of_freedom(degrees_of_freedom):
    with pytest.raises(InputError, match="degrees of freedom"):
        delta_chi2(0.9, degrees_of_freedom)
