"""Fits as projections agree with the profiled chi2, and data vectors with their errors."""

import numpy as np
import pytest

from fastscan.likelihoods import profiled_chi2
from fastscan.likelihoods.hypotheses import hypotheses

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
    counts = likelihood.counts(names, given)
    points = draw(np.random.default_rng(5), 40)
    found = hypotheses(counts, points).chi2(counts.observed[None])[0]
    for point, chi2 in zip(points, found, strict=True):
        total = counts.layers([point])[0, 0] * likelihood.sigma
        exact = profiled_chi2(total, likelihood.data, likelihood.sigma, likelihood.sigma_alpha)
        assert chi2 == pytest.approx(float(exact), rel=1e-11, abs=0)


def test_mean_of_a_point_is_its_own_data_vector(make):
    """The projection onto a prediction leaves the prediction where it is."""
    counts = make("scalar").counts(["g"], {"mass_mev": 10.0})
    points = hypotheses(counts, [[0.0], [3e-6]])
    means = points.mean(counts.observed)
    assert np.diag(points.chi2(means)) == pytest.approx(0.0, abs=1e-18 * 250)
    assert points.chi2(counts.observed[None])[0] == pytest.approx(
        ((counts.observed - means) ** 2).sum(axis=1), rel=1e-12
    )
