"""Expected limits, bands and significances: closed forms, toys, and what scaling must do."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from fastscan import InputError, load_experiment
from fastscan.inference.sensitivity import (
    BAND_SIGMAS,
    Scenario,
    asimov,
    expected_limit,
    expected_limits,
    new_physics_significance,
    scaled,
    signal_significance,
)
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.inputs.projection import project
from fastscan.likelihoods import Likelihood, delta_chi2, likelihood, profiled_chi2

G = {"mass_mev": 10.0}


def test_expected_data_fit_their_own_hypothesis(make):
    expected = asimov(make("vector"), {"mass_mev": 10.0, "g": 2e-5})
    at_truth = expected.predict(mass_mev=10.0, g=2e-5)
    assert at_truth.chi2 == pytest.approx(0.0, abs=1e-20)
    assert expected.sigma.tolist() == make("vector").sigma.tolist()


def test_nothing_scaled_is_the_present_experiment(make):
    present = make("vector")
    assert scaled(present, Scenario()) is present
    assert scaled(present, Scenario(threshold_ev=160.0)) is present
    expected = expected_limit(present, "g", G, toys=0)
    (interval,) = present.limit("g", G).intervals
    assert expected.observed == interval


def test_limit_is_that_of_a_likelihood_of_the_scaled_experiment(make):
    """By a twin that goes through files of its own: project, predict, put in, limit."""
    other = likelihood("vector", project(load_experiment("conus-plus"), 3.0, 0.5))
    expected = expected_limit(scaled(make("vector"), Scenario(3.0, 0.5)), "g", G, toys=0)
    counts, sigma = other.predict(**G).total, make("vector").sigma * math.sqrt(0.5 / 3.0)
    at_limit = other.predict(g=expected.asimov[1], **G).total
    rise = profiled_chi2(at_limit, counts, sigma, 0.2)
    assert float(rise) == pytest.approx(delta_chi2(0.90), rel=1e-9)


def test_median_is_the_asimov_limit_where_everything_is_normal(make):
    """Much data and little systematics: the weak mixing angle is measured, not bounded."""
    much = scaled(likelihood("sm", sigma_alpha=1e-3), Scenario(1e4))
    toys = 4000
    found = expected_limit(much, "sin2_theta_w", toys=toys, observed=False)
    for end in (0, 1):
        spread = (found.bands[3, end] - found.bands[1, end]) / 2
        error = spread * math.sqrt(math.pi / 2 / toys)
        assert found.bands[2, end] == pytest.approx(found.asimov[end], abs=4 * error)
    truth = 0.23857
    sigma = (found.asimov[1] - truth) / delta_chi2(0.90) ** 0.5
    assert spread == pytest.approx(sigma, rel=0.08)


def test_bands_hold_what_they_say(make):
    toys = 2000
    found = expected_limit(make("vector"), "g", G, toys=toys, seed=5)
    fits = ToyFits(asimov(make("vector")), "g", G)
    ends = fits.limits(draw_toys(fits.counts.observed, toys, 5, (0,)), delta_chi2(0.90))[:, 1]
    for sigma, band in zip(BAND_SIGMAS, found.bands[:, 1], strict=True):
        assert (ends <= band).mean() == pytest.approx(NormalDist().cdf(sigma), abs=1 / toys)


def test_much_data_leave_the_systematic_floor(make):
    """One normalisation of 20 % and a signal of one shape: R = (1 + alpha) Q**2 stays."""
    nuclei = make("sm", channels="cevns")
    found = expected_limit(
        scaled(nuclei, Scenario(1e4)), "sin2_theta_w", toys=0, observed=False
    ).asimov
    alpha = 0.2 * delta_chi2(0.90) ** 0.5

    def ratio(value):
        counts = nuclei.predict(sin2_theta_w=value).total.sum() / nuclei.predict().total.sum()
        return float(counts)

    # A signal larger by 1 / (1 + alpha) is made up for by alpha.
    assert 1 / ratio(found[0]) - 1 == pytest.approx(alpha, rel=0.01)
    assert 1 / ratio(found[1]) - 1 == pytest.approx(-alpha, rel=0.01)
    # A hundredth of the present length, were it all statistics.
    now = expected_limit(nuclei, "sin2_theta_w", toys=0)
    assert np.diff(found) > 0.4 * np.diff(now.asimov)


def test_two_experiments_are_as_good_as_twice_the_data(make):
    one = make("vector")
    other = likelihood("vector", one.experiment.with_changes({"name": "other"}))
    # The data seen play no part; two times the very same ones are refused.
    other = other.observing(0.9 * one.data)
    both = Likelihood.joined([one, other], shared=["normalisation"])
    for factor in (1.0, 5.0):
        joint = scaled(both, Scenario(factor))
        found = expected_limit(joint, "g", G, toys=0, observed=False)
        twice = scaled(make("vector"), Scenario(2.0 * factor))
        known = expected_limit(twice, "g", G, toys=0, observed=False)
        assert found.asimov[1] == pytest.approx(known.asimov[1], rel=1e-6, abs=0)
    bands = expected_limit(both, "g", G, toys=400, observed=False).bands[:, 1]
    known = expected_limit(scaled(make("vector"), Scenario(2.0)), "g", G, toys=4000, observed=False)
    # Six errors of a median of 400, each a sixteenth of a sigma.
    assert abs(bands[2] - known.bands[2, 1]) < 0.38 * (known.bands[3, 1] - known.bands[2, 1])
    strength = signal_significance(asimov(both))
    alone = signal_significance(asimov(make("vector")))
    assert strength.q0 == pytest.approx(2 * alone.q0, rel=1e-6)


def test_axis_is_made_of_single_limits(make):
    ticks = []
    found = expected_limits(
        make("vector"),
        "g",
        "mass_mev",
        [1.0, 10.0],
        toys=100,
        progress=lambda done, total: ticks.append((done, total)),
    )
    alone = expected_limit(make("vector"), "g", G, toys=100)
    assert found[1].bands.tolist() == alone.bands.tolist()
    assert found[1].asimov == alone.asimov
    assert ticks == [(0, 2), (1, 2)]


def test_lower_threshold_sees_more(make, tables):
    low = scaled(make("sm"), Scenario(threshold_ev=150.0), tables)
    assert low.data.size == 20
    now = signal_significance(asimov(make("sm")))
    assert signal_significance(asimov(low)).q0 > now.q0


def test_signal_significance_in_closed_form(make):
    """With its strength free the normalisation has no say: q0 = (D.y)**2 / y**2."""
    sm = make("sm")
    y, d = sm.predict().total / sm.sigma, sm.data / sm.sigma
    found = signal_significance(sm)
    assert found.q0 == pytest.approx(float((d @ y) ** 2 / (y @ y)), rel=1e-9)
    assert found.strength == pytest.approx(float((d @ y) / (y @ y)), rel=1e-4)
    assert signal_significance(asimov(sm)).q0 == pytest.approx(float(y @ y), rel=1e-9)


def test_negative_excess_is_no_signal(make):
    from fastscan.inputs.projection import with_counts

    counts = -make("sm").predict().total
    seen = likelihood("sm", with_counts(load_experiment("conus-plus"), counts))
    found = signal_significance(seen)
    assert (found.q0, found.strength) == (0.0, 0.0)


def test_new_physics_is_as_significant_as_chi2_says(make):
    vector = make("vector")
    found = new_physics_significance(vector, {"mass_mev": 10.0, "g": 3e-5})
    counts = vector.predict(mass_mev=10.0, g=3e-5).total
    q0 = profiled_chi2(vector.predict(mass_mev=10.0).total, counts, vector.sigma, 0.2)
    assert found.q0 == pytest.approx(float(q0), rel=1e-12)
    assert found.sigmas == pytest.approx(float(q0) ** 0.5, rel=1e-12)


def test_expected_data_are_the_standard_models_whatever_is_set(make):
    nsi = make("nsi")
    plain = expected_limit(nsi, "eps_u_ee", toys=0)
    with_other = expected_limit(nsi, "eps_u_ee", {"eps_u_emu": 0.0}, toys=0)
    assert with_other.asimov == plain.asimov
    other = expected_limit(nsi, "eps_u_ee", {"eps_u_emu": 0.05}, toys=0)
    assert other.asimov != plain.asimov


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"poi": "h"}, "unknown parameter 'h'"),
        ({"poi": "g", "toys": -1}, "-1 toys with seed 0"),
        ({"poi": "g", "seed": -1}, "1000 toys with seed -1"),
        ({"poi": "g", "cl": 1.0}, "confidence level 1"),
    ],
)
def test_bad_arguments_are_refused(make, arguments, message):
    with pytest.raises(InputError, match=message):
        expected_limit(make("vector"), **arguments)


def test_axis_that_is_set_is_refused(make):
    with pytest.raises(InputError, match="mass_mev is the axis"):
        expected_limits(make("vector"), "g", "mass_mev", [1.0], G)
