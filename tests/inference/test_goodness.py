"""Best fits, their p-values against the chi2 distribution and against toys."""

import pytest
from scipy import stats

from fastscan import InputError, get_model, load_experiment
from fastscan.inference.goodness import best_fit, default_free
from fastscan.inputs.projection import project, with_counts
from fastscan.likelihoods import likelihood

G = {"mass_mev": 10.0}


def with_sigma(factor):
    """The experiment with all errors times a factor: its chi2 is too good to test p-values."""
    now = load_experiment("conus-plus")
    return with_counts(project(now, background=factor**2), now.observation.counts)


def with_pulls():
    pulls = [
        {"name": "nuclei", "kind": "normalisation", "sigma": 0.2, "channel": "cevns"},
        {"name": "electrons", "kind": "normalisation", "sigma": 0.3, "channel": "eves"},
    ]
    return load_experiment("conus-plus").with_changes({"systematics": {"pulls": pulls}})


def test_chi2_is_that_of_residuals_and_pulls(make):
    fit = best_fit(make("vector"), ["g"], G)
    total = (fit.residuals**2).sum() + sum(pull**2 for pull in fit.pulls.values())
    assert total == pytest.approx(fit.chi2_min, rel=1e-9)
    assert fit.residuals * fit.sigma == pytest.approx(fit.data - fit.counts, abs=1e-12)
    assert fit.counts == pytest.approx((1 + fit.alpha_hat) * fit.nominal, rel=1e-12)


def test_fit_is_that_of_the_limit(make):
    limit = make("vector").limit("g", G)
    fit = best_fit(make("vector"), ["g"], G)
    assert fit.free == {"g": limit.best_fit}
    assert fit.chi2_min == pytest.approx(limit.chi2_min, rel=1e-12)
    assert fit.ndf == 18
    assert fit.p_value == pytest.approx(stats.chi2.sf(limit.chi2_min, 18), rel=1e-12)


def test_standard_model_without_a_free_parameter(make):
    fit = best_fit(make("sm"))
    assert fit.free == {}
    assert (fit.chi2_min, fit.ndf) == (pytest.approx(7.3937, abs=5e-5), 19)
    assert fit.nominal == pytest.approx(fit.expected, rel=1e-14)


def test_mass_and_coupling_together(make):
    both = best_fit(make("vector"), ["mass_mev", "g"])
    assert list(both.free) == ["mass_mev", "g"]
    assert both.chi2_min <= best_fit(make("vector"), ["g"], G).chi2_min
    again = make("vector").predict(**both.free)
    assert again.chi2 == pytest.approx(both.chi2_min, rel=1e-12)


def test_toys_follow_the_chi2_distribution_where_it_holds(make):
    """The normalisation alone is fitted: 19 bins, one auxiliary datum, one parameter, linear."""
    fit = best_fit(make("sm"), toys=4000, seed=3)
    assert fit.toys is not None
    assert fit.toys.p_value == pytest.approx(fit.p_value, abs=4 * 4000**-0.5 * 0.5)
    halved = likelihood("sm", with_sigma(0.7))
    fit = best_fit(halved, toys=4000, seed=3)
    assert 0.3 < fit.p_value < 0.9
    assert fit.toys.p_value == pytest.approx(fit.p_value, abs=4 * fit.toys.error)


def test_toys_show_a_parameter_that_can_not_help(make):
    """With a coupling at its bound half of the time, chi2 falls less than ndf allows."""
    fit = best_fit(likelihood("magnetic-moment", with_sigma(0.7)), ["mu_nu"], toys=4000, seed=3)
    assert fit.toys.p_value > fit.p_value


def test_toys_depend_on_the_seed_alone(make):
    first, again = (best_fit(make("vector"), ["g"], G, toys=500, seed=8) for _ in range(2))
    assert first.toys == again.toys


def test_several_nuisances_are_named_and_add_up():
    fit = best_fit(likelihood("vector", with_pulls()), ["g"], G)
    assert set(fit.pulls) == {"nuclei", "electrons"}
    assert fit.alpha_hat == pytest.approx(fit.counts.sum() / fit.nominal.sum() - 1, rel=1e-9)
    total = (fit.residuals**2).sum() + sum(pull**2 for pull in fit.pulls.values())
    assert total == pytest.approx(fit.chi2_min, rel=1e-9)


@pytest.mark.parametrize(
    ("model", "free"),
    [
        ("sm", ()),
        ("vector", ("g",)),
        ("magnetic-moment", ("mu_nu",)),
        ("millicharge", ("q_ee", "q_emu", "q_etau")),
    ],
)
def test_couplings_that_are_free_by_default(model, free):
    assert default_free(get_model(model)) == free


def test_set_couplings_are_not_free():
    assert default_free(get_model("millicharge"), {"q_ee": 1e-12}) == ("q_emu", "q_etau")


@pytest.mark.parametrize(
    ("free", "given", "message"),
    [
        (["h"], {}, "unknown parameter 'h'"),
        (["g", "g"], {}, "g is named twice"),
        (["g"], {"g": 1e-5}, "g is named twice"),
    ],
)
def test_bad_parameters_are_refused(make, free, given, message):
    with pytest.raises(InputError, match=message):
        best_fit(make("vector"), free, given)


def test_too_many_couplings_are_to_be_named(make):
    with pytest.raises(InputError, match="12 couplings of nsi could be free"):
        best_fit(make("nsi"))


def test_one_bin_leaves_nothing_to_test(make):
    with pytest.raises(InputError, match="leave nothing to test"):
        best_fit(make("sm", "conus-plus-a25"), ["sin2_theta_w"])


@pytest.mark.parametrize(("factor", "told"), [(1.0, ""), (9.0, "too bad"), (0.0, "too good")])
def test_fits_beyond_all_probability_are_told(make, factor, told):
    """Data as they are, nine times too many, and exactly those of the Standard Model."""
    likelihood = make("vector")
    data = (
        likelihood.predict(mass_mev=1.0).total if told == "too good" else factor * likelihood.data
    )
    other = likelihood.observing(data)
    limit = other.limit("g", {"mass_mev": 10.0})
    words = limit.warnings
    if not told:
        assert words == []
        return
    assert [word.startswith("the ") and told in word for word in words] == [True] * len(words)
    assert any("Standard Model" in word for word in words)
    ndf = other.data.size
    standard = other.predict(mass_mev=1.0).chi2
    assert (stats.chi2.sf(standard, ndf) < 1e-4) == (told == "too bad")
    assert (stats.chi2.cdf(standard, ndf) < 1e-4) == (told == "too good")
