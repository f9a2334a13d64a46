"""Fits of toys agree with exact limits of the same data, and toys with their seed."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inference.toys import BLOCK, ToyFits, draw_toys
from fastscan.kernels import toys as kernels
from fastscan.likelihoods.hypotheses import hypotheses


def with_data(likelihood, vector):
    """A likelihood that has seen a data vector, and the factor on its chi2.

    The auxiliary measurement is its centre for a likelihood; scaling all of a data vector, which
    scales the best pull with it, brings it there.
    """
    size = likelihood.data.size
    scale = vector[size] * likelihood.sigma_alpha
    return likelihood.observing(vector[:size] / scale * likelihood.sigma), scale**2


def close(left, right, rel):
    return left == right or left == pytest.approx(right, rel=rel, abs=0)


ONE_COUPLING = [
    ("sm", "sin2_theta_w", {}),
    ("vector", "g", {"mass_mev": 10.0}),
    ("vector", "g", {"mass_mev": 0.0}),
    ("scalar", "g", {"mass_mev": 1.0}),
    ("axial", "g", {"mass_mev": 10.0}),
    ("magnetic-moment", "mu_nu", {}),
    ("charge-radius", "r2_ee", {"r2_emu": 0.0, "r2_etau": 0.0}),
    ("charge-radius", "r2_emu", {"r2_ee": 1e-32, "r2_etau": 0.0}),
    ("nsi", "eps_u_ee", {}),
]


@pytest.mark.parametrize(("model", "poi", "given"), ONE_COUPLING)
def test_one_coupling_is_exact(make, model, poi, given):
    likelihood = make(model)
    fits = ToyFits(likelihood, poi, given)
    toys = draw_toys(fits.counts.observed, 25, 7)
    values, chi2 = fits.best(toys)
    ends = fits.limits(toys, 2.7)
    for i, toy in enumerate(toys):
        own, factor = with_data(likelihood, toy)
        exact = own.limit(poi, given)
        assert chi2[i] == pytest.approx(exact.chi2_min * factor, rel=0, abs=1e-11)
        assert close(abs(values[i]), abs(exact.best_fit), 1e-8)
        pieces = own.profile(poi, given).pieces(2.7 / factor).intervals
        assert close(ends[i, 0], pieces[0][0], 1e-9)
        assert close(ends[i, 1], pieces[-1][1], 1e-9)


TWO_PARAMETERS = [
    ("charge-radius", "r2_ee", {}, None),
    ("charge-radius", "r2_emu", {}, None),
    ("vector", "g", {}, ["mass_mev"]),
    ("vector", "g", {"mass_mev": 10.0}, ["sin2_theta_w"]),
    ("vector", "mass_mev", {"g": 3e-5}, None),
    ("nsi", "eps_u_emu", {}, ["eps_d_ee"]),
]


@pytest.mark.parametrize(("model", "poi", "given", "profiled"), TWO_PARAMETERS)
def test_two_parameters_agree_with_the_profile(make, model, poi, given, profiled):
    likelihood = make(model)
    fits = ToyFits(likelihood, poi, given, profiled)
    toys = draw_toys(fits.counts.observed, 1, 8)
    chi2 = fits.best(toys)[1]
    for i, toy in enumerate(toys):
        own, factor = with_data(likelihood, toy)
        exact = own.limit(poi, given, profiled=profiled).chi2_min * factor
        # The slow one may be the higher of the two: it brackets masses coarsely.
        assert exact - 1e-6 < chi2[i] < exact + 1e-6


MANY_NUISANCES = [
    ("vector", "g", {"mass_mev": 10.0}),
    ("sm", "sin2_theta_w", {}),
    ("nsi", "eps_u_ee", {}),
    ("magnetic-moment", "mu_nu", {}),
    ("charge-radius", "r2_ee", {"r2_emu": 0.0, "r2_etau": 0.0}),
]


@pytest.mark.parametrize(("model", "poi", "given"), MANY_NUISANCES)
def test_many_nuisances_agree_with_the_limit_and_with_dense_points(make, model, poi, given):
    likelihood = make(model, "conus-plus-shapes")
    fits = ToyFits(likelihood, poi, given)
    assert fits.counts.centre.size > 1
    seen = fits.counts.observed
    limit = likelihood.limit(poi, given)
    value, chi2 = fits.best(seen)
    assert chi2[0] == pytest.approx(limit.chi2_min, rel=0, abs=1e-7)
    assert close(value[0], limit.best_fit, 1e-4)
    low, high = fits.limits(seen, limit.delta_chi2)[0]
    assert close(low, limit.intervals[0][0], 1e-6)
    assert close(high, limit.intervals[-1][1], 1e-6)
    toys = draw_toys(seen, 12, 5)
    values, chi2 = fits.best(toys)
    parameter = fits.counts.parameters[0]
    for toy, best, lowest in zip(toys, values, chi2, strict=True):
        near = best * np.linspace(0.99, 1.01, 2001)
        near = np.clip(near, parameter.minimum, parameter.maximum)
        dense = hypotheses(fits.counts, near[:, None]).chi2(toy[None])[0].min()
        assert lowest == pytest.approx(dense, rel=0, abs=1e-6)
        coarse = np.concatenate([-np.geomspace(1e-4, 1e4, 400), np.geomspace(1e-4, 1e4, 400)])
        coarse = np.clip(coarse * abs(high), parameter.minimum, parameter.maximum)
        assert hypotheses(fits.counts, coarse[:, None]).chi2(toy[None])[0].min() > lowest - 1e-6


def test_many_nuisances_are_fitted_in_one_parameter(make):
    likelihood = make("vector", "conus-plus-shapes")
    fits = ToyFits(likelihood, "g", {"mass_mev": 10.0})
    toys = draw_toys(fits.mean(1e-5), 40, 5)
    point = hypotheses(likelihood.counts(["g"], {"mass_mev": 10.0}), [[1e-5]])
    assert fits.chi2_at(toys, 1e-5) == pytest.approx(point.chi2(toys)[:, 0], rel=1e-11)
    assert (fits.rises(toys, 1e-5) >= 0.0).all()
    with pytest.raises(InputError, match="--profile"):
        ToyFits(likelihood, "g", {}, ["mass_mev"])


@pytest.mark.parametrize("charges", ["b-l", "universal"])
def test_no_row_between_is_lower(make, charges):
    """The best fit with a free mass against the exact fit at each of 2700 masses."""
    fits = ToyFits(make("vector", charges=charges), "g", {}, ["mass_mev"])
    family = fits._family
    toys = draw_toys(fits.counts.observed, 200, 9)
    score = family.best(toys)[2]
    rows = np.arange(0.0, len(family.table) - 1, 0.25)
    dense = np.stack([family.score_at(toys, np.full(200, row)) for row in rows], axis=1).max(axis=1)
    missed = dense - score
    assert missed.max() < 1e-2
    assert (missed > 1e-6).mean() < 0.02


def test_chi2_at_a_value_is_that_of_the_point(make):
    likelihood = make("vector")
    fits = ToyFits(likelihood, "g", {"mass_mev": 10.0})
    toys = draw_toys(fits.counts.observed, 50, 10)
    point = hypotheses(likelihood.counts(["g"], {"mass_mev": 10.0}), [[2e-5]])
    assert fits.chi2_at(toys, 2e-5) == pytest.approx(point.chi2(toys)[:, 0], rel=1e-12)


def test_chi2_at_a_value_with_partners_is_the_lowest_beyond_it(make):
    likelihood = make("charge-radius")
    fits = ToyFits(likelihood, "r2_emu", {"r2_ee": 0.0}, ["r2_etau"])
    toys = draw_toys(fits.counts.observed, 5, 11)
    values = np.linspace(2e-31, 8e-31, 4001)
    point = hypotheses(
        likelihood.counts(["r2_emu"], {"r2_ee": 0.0, "r2_etau": 0.0}), values[:, None]
    )
    assert fits.chi2_at(toys, 2e-31) == pytest.approx(point.chi2(toys).min(axis=1), abs=1e-5)


def test_a_fit_does_not_depend_on_its_company(make):
    """However toys are cut into portions."""
    for given, profiled in (({"mass_mev": 10.0}, None), ({}, ["mass_mev"])):
        fits = ToyFits(make("vector"), "g", given, profiled)
        toys = draw_toys(fits.counts.observed, 150, 12)
        whole = fits.best(toys)
        parts = [fits.best(part) for part in np.split(toys, [1, 64, 70])]
        for k in range(2):
            assert np.array_equal(whole[k], np.concatenate([part[k] for part in parts]))


def test_toys_are_those_of_seed_and_key():
    mean = np.arange(5.0)
    toys = draw_toys(mean, BLOCK + 10, 3, (1, 2))
    assert np.array_equal(toys[:7], draw_toys(mean, 7, 3, (1, 2)))
    assert np.array_equal(toys, draw_toys(mean, BLOCK + 10, 3, (1, 2)))
    for seed, key in ((4, (1, 2)), (3, (2, 1)), (3, (1,))):
        assert not (toys[:7] == draw_toys(mean, 7, seed, key)).any()
    assert toys.mean(axis=0) == pytest.approx(mean, abs=5 / np.sqrt(BLOCK))
    assert np.cov(toys.T) == pytest.approx(np.eye(5), abs=0.1)


def test_negative_seeds_are_refused():
    with pytest.raises(InputError, match="seed"):
        draw_toys(np.zeros(2), 1, -1)


@pytest.mark.parametrize("degree", [1, 2, 4, 7])
def test_real_roots_are_those_of_numpy(rng, degree):
    work, out = np.empty((48, degree + 3)), np.empty(degree)
    for _ in range(200):
        polynomial = rng.normal(size=degree + 1)
        count = kernels.real_roots(polynomial, -1.5, 2.0, work, out)
        roots = np.polynomial.polynomial.polyroots(polynomial)
        real = roots[np.abs(roots.imag) < 1e-12].real
        inside = np.sort(real[(real > -1.5) & (real < 2.0)])
        assert np.sort(out[:count]) == pytest.approx(inside, rel=1e-9, abs=1e-9)


def test_real_roots_on_the_ends_of_an_interval_are_found():
    work, out = np.empty((48, 5)), np.empty(2)
    count = kernels.real_roots(np.array([0.0, -1.0, 1.0]), 0.0, 1.0, work, out)
    assert sorted(out[:count]) == [0.0, 1.0]


def test_couplings_that_cancel_are_refused(make):
    with pytest.raises(InputError, match="cancel"):
        ToyFits(make("nsi"), "eps_u_ee", {}, ["eps_d_ee"])
