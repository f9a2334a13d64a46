"""Predictions, their chi2, and what is refused."""

import naive
import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.likelihoods import Likelihood, likelihood, normalisation_pull

POINT = {"mass_mev": 1.0, "g": 1e-5}


# --- predictions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-c25", "conus-plus-a25"])
def test_chi2_of_a_prediction_against_exact(make, experiment):
    made = make("vector", experiment)
    prediction = made.predict(**POINT)
    seen, sigma_alpha = made.experiment.observation, made.experiment.systematics.sigma_alpha
    arguments = (prediction.total, seen.counts, seen.sigma, sigma_alpha)
    assert prediction.chi2 == pytest.approx(naive.chi2_exact(*arguments), rel=1e-10)
    assert prediction.alpha_hat == normalisation_pull(*arguments)


def test_prediction_is_the_sum_of_its_channels(make):
    prediction = make("vector").predict(**POINT)
    np.testing.assert_array_equal(prediction.total, prediction.cevns + prediction.eves)


@pytest.mark.parametrize(("channels", "off"), [("cevns", "eves"), ("eves", "cevns")])
def test_channel_switched_off(make, channels, off):
    both, one = make("vector").predict(**POINT), make("vector", channels=channels).predict(**POINT)
    np.testing.assert_array_equal(getattr(one, channels), getattr(both, channels))
    np.testing.assert_array_equal(one.total, getattr(both, channels))
    assert not getattr(one, off).any()


def test_prediction_names_its_point_and_unit(make):
    prediction = make("vector").predict(**POINT)
    assert prediction.parameters == POINT | {"sin2_theta_w": 0.23857}
    assert prediction.unit == "counts / kg / 119 d"
    np.testing.assert_array_equal(prediction.edges_ev, np.arange(160.0, 351.0, 10.0))


def test_chi2_is_absolute(make):
    # Not relative to the best fit: about one for each bin.
    assert 5.0 < make("sm").predict().chi2 < 40.0


def test_systematic_of_the_experiment_is_the_default(make):
    assert make("sm").sigma_alpha == 0.20
    assert make("sm", sigma_alpha=0.5).sigma_alpha == 0.5


def test_without_uncertainty_of_the_normalisation(make):
    prediction = make("sm", sigma_alpha=1e-8).predict()
    seen = load_experiment("conus-plus").observation
    expected = np.sum(((prediction.total - seen.counts) / seen.sigma) ** 2)
    assert prediction.chi2 == pytest.approx(expected, rel=1e-9)
    assert prediction.alpha_hat == pytest.approx(0.0, abs=1e-12)


def test_flux_weights_scale_the_prediction(make):
    made = make("vector")
    half = Likelihood(made.model, made.experiment, made.response, flux_weights=np.full(40, 0.5))
    np.testing.assert_allclose(
        half.predict(**POINT).total, 0.5 * made.predict(**POINT).total, rtol=1e-12
    )


def test_experiment_by_path(tmp_path, make):
    (tmp_path / "mine.toml").write_text(
        'extends = "conus-plus"\n[systematics]\nsigma_alpha = 0.3\n', encoding="utf-8"
    )
    mine = likelihood("sm", tmp_path / "mine.toml")
    assert mine.sigma_alpha == 0.3
    np.testing.assert_array_equal(mine.predict().total, make("sm").predict().total)


def test_experiment_itself(make):
    mine = likelihood("sm", load_experiment("conus-plus-c25"))
    assert mine.predict().chi2 == make("sm", "conus-plus-c25").predict().chi2


# --- what a limit says ----------------------------------------------------------------------------


def test_limit_says_what_it_is(make):
    found = make("vector").limit("g", {"mass_mev": 1.0}, cl=0.95)
    assert (found.poi, found.unit, found.cl) == ("g", "1", 0.95)
    assert found.delta_chi2 == pytest.approx(3.841, abs=1e-3)
    assert found.parameters == {"mass_mev": 1.0, "sin2_theta_w": 0.23857}
    assert found.profiled == ()


def test_limit_is_at_ninety_per_cent_by_default(make):
    assert make("sm").limit("sin2_theta_w").delta_chi2 == pytest.approx(2.706, abs=5e-4)


def test_given_parameters_stay_as_they_are(make):
    given = {"mass_mev": 1.0}
    make("vector").limit("g", given)
    assert given == {"mass_mev": 1.0}


# --- what is refused ------------------------------------------------------------------------------


def refused(caught, *texts):
    """One line that holds these texts."""
    message = str(caught.value)
    assert "\n" not in message
    for text in texts:
        assert text in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("poi", "given", "cl", "texts"),
    [
        ("g", {"g": 1e-5}, 0.9, ["g is both the parameter of interest and set", "leave out g="]),
        ("gg", {}, 0.9, ["unknown parameter 'gg'", "did you mean 'g'?"]),
        ("mass", {}, 0.9, ["unknown parameter 'mass'", "did you mean 'mass_mev'?"]),
        ("g", {"mas_mev": 1.0}, 0.9, ["unknown parameter 'mas_mev'", "'mass_mev'"]),
        ("g", {"mass_mev": -1.0}, 0.9, ["mass_mev = -1 is out of range"]),
        ("g", {"mass_mev": np.nan}, 0.9, ["mass_mev = nan is not a finite number"]),
        ("g", {"sin2_theta_w": 1.1}, 0.9, ["sin2_theta_w = 1.1 is out of range", "from 0 to 1"]),
        ("mass_mev", {"g": np.inf}, 0.9, ["g = inf is not a finite number"]),
        ("g", {}, 90.0, ["confidence level 90", "(cl)", "0.90"]),
        ("g", {}, np.nan, ["confidence level nan", "(cl)"]),
    ],
)
def test_limit_refuses(make, poi, given, cl, texts):
    with pytest.raises(InputError) as caught:
        make("vector").limit(poi, given, cl=cl)
    refused(caught, *texts)


@pytest.mark.parametrize(
    ("profiled", "text"),
    [
        (["g"], "both profiled and the parameter of interest"),
        (["mass_mev"], "both profiled and set"),
        (["sin2_theta_w", "sin2_theta_w"], "profiled twice"),
        (["sin2"], "unknown parameter 'sin2'"),
    ],
)
def test_limit_refuses_to_profile(make, profiled, text):
    with pytest.raises(InputError) as caught:
        make("vector").limit("g", {"mass_mev": 1.0}, profiled=profiled)
    refused(caught, text, "(profiled)")


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({"g": np.nan}, "g = nan is not a finite number"),
        ({"g": -1e-9}, "out of range"),
        ({"x": 1.0}, "unknown parameter 'x'"),
        ({"g": "a"}, "g"),
        ({"mass_mev": 1.0, "g": 1e100}, "overflow"),
        ({"g": 1e-5}, "mass_mev is not set and has no default (model vector); give it in MeV"),
    ],
)
def test_prediction_refuses(make, point, text):
    with pytest.raises(InputError) as caught:
        make("vector").predict(**point)
    refused(caught, text)


@pytest.mark.parametrize("sigma_alpha", [0.0, -0.1, np.nan, np.inf])
def test_bad_sigma_alpha(sigma_alpha):
    with pytest.raises(InputError) as caught:
        likelihood("sm", sigma_alpha=sigma_alpha)
    refused(caught, f"sigma_alpha = {sigma_alpha}", "(sigma_alpha)")


@pytest.mark.parametrize(
    ("model", "experiment", "options", "text"),
    [
        ("vectr", "conus-plus", {}, "did you mean 'vector'?"),
        ("vector", "conus", {}, "did you mean 'conus-plus'?"),
        ("vector", "conus-plus", {"channels": "all"}, "unknown channel 'all'"),
        ("vector", "conus-plus", {"charges": "b-k"}, "did you mean 'b-l'?"),
        ("vector", "conus-plus", {"charge": "b-l"}, "no option 'charge'"),
        ("vector", "missing.toml", {}, "missing.toml"),
    ],
)
def test_likelihood_refuses(model, experiment, options, text):
    with pytest.raises(InputError) as caught:
        likelihood(model, experiment, **options)
    refused(caught, text)
