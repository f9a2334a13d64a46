"""Fits as projections agree with the profiled chi2, and data vectors with their errors."""

import numpy as np
import pytest

from fastscan.likelihoods import FitSpace, profiled_chi2

CASES = {
    "sm": (["sin2_theta_w"], {}, lambda r, n: r.uniform(0.0, 1.0, (n, 1))),
    "vector": (
        ["mass_mev", "g"],
        {},
        lambda r, n: np.stack([10 ** r.uniform(-3, 4, n), 10 ** r.uniform(-8, 0, n)], axis=1),
    ),
    "millicharge": (
        ["q_ee", "q_emu"],
        {"q_etau": 1e-12},
        lambda r, n: 10 ** r.uniform(-14, -8, (n, 2)),
    ),
}


@pytest.mark.parametrize("model", CASES)
def test_chi2_of_the_observed_vector_is_the_profiled_chi2(make, model):
    names, given, draw = CASES[model]
    likelihood = make(model)
    space = FitSpace(likelihood, names, given)
    points = draw(np.random.default_rng(5), 40)
    for point, chi2 in zip(points, space.at(points).chi2(space.observed[None])[0], strict=True):
        counts = likelihood.rates(space.fixed).counts(dict(zip(names, point, strict=True)))
        exact = profiled_chi2(counts, likelihood.data, likelihood.sigma, likelihood.sigma_alpha)
        assert chi2 == pytest.approx(float(exact), rel=1e-11, abs=0)


def test_mean_of_a_point_is_its_own_data_vector(make):
    """The projection onto a prediction leaves the prediction where it is."""
    space = FitSpace(make("scalar"), ["g"], {"mass_mev": 10.0})
    points = space.at([[0.0], [3e-6]])
    means = points.mean(space.observed)
    assert np.diag(points.chi2(means)) == pytest.approx(0.0, abs=1e-18 * 250)
    assert points.chi2(space.observed[None])[0] == pytest.approx(
        ((space.observed - means) ** 2).sum(axis=1), rel=1e-12
    )
