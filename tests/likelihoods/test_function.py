"""Chi2 as a function of lists of points, and as what samplers and minimisers want."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import emcee
import iminuit
import numpy as np
import pandas
import pytest
import scipy.optimize
import xarray
from dynesty import NestedSampler

import fastscan
from fastscan import Chi2Function, InputError

NAMES = ["mu_nu", "q_ee", "q_emu", "q_etau", "r2_ee", "r2_emu", "r2_etau"]
SCALES = np.array([1e-10, 1e-12, 1e-12, 1e-12, 1e-31, 1e-31, 1e-31])


@pytest.fixture(scope="module")
def electromagnetic(tables):
    return fastscan.likelihood("electromagnetic")


def points_of(rng, count):
    points = rng.normal(size=(count, 7)) * SCALES
    points[:, 0] = np.abs(points[:, 0])
    return points


def test_points_equal_predictions(electromagnetic, rng):
    chi2 = Chi2Function(electromagnetic, NAMES)
    points = points_of(rng, 300)
    expected = [
        electromagnetic.predict(**dict(zip(NAMES, point, strict=True))).chi2
        for point in points[::10]
    ]
    np.testing.assert_allclose(chi2(points)[::10], expected, rtol=1e-12)


def test_order_of_columns_and_held_parameters(electromagnetic):
    forward = Chi2Function(electromagnetic, ["q_ee", "r2_ee"], {"mu_nu": 1e-11})
    backward = Chi2Function(electromagnetic, ["r2_ee", "q_ee"], {"mu_nu": 1e-11})
    expected = electromagnetic.predict(q_ee=1e-12, r2_ee=-3e-32, mu_nu=1e-11).chi2
    assert forward([1e-12, -3e-32]) == pytest.approx(expected, rel=1e-12)
    assert backward([-3e-32, 1e-12]) == pytest.approx(expected, rel=1e-12)


def test_a_point_does_not_depend_on_its_neighbours(electromagnetic, rng):
    chi2 = Chi2Function(electromagnetic, NAMES)
    points = points_of(rng, 1000)
    whole = chi2(points)
    np.testing.assert_array_equal(whole[333:777], chi2(points[333:777]))
    assert whole[5] == chi2(points[5])


def test_gradient_in_closed_form(electromagnetic, rng):
    chi2 = Chi2Function(electromagnetic, NAMES)
    for point in points_of(rng, 5):
        steps = np.diag(SCALES * 1e-5)
        numerical = [(chi2(point + h) - chi2(point - h)) / (2e-5 * s)
                     for h, s in zip(steps, SCALES, strict=True)]  # fmt: skip
        gradient = chi2.gradient(point)
        np.testing.assert_allclose(gradient * SCALES, numerical * SCALES, rtol=1e-5, atol=1e-7)


def test_with_a_mass_among_the_parameters():
    likelihood = fastscan.likelihood("vector")
    chi2 = Chi2Function(likelihood, ["g", "mass_mev"])
    points = [[1e-5, 1.0], [3e-5, 20.0]]
    expected = [likelihood.predict(g=g, mass_mev=m).chi2 for g, m in points]
    np.testing.assert_allclose(chi2(points), expected, rtol=1e-12)
    with pytest.raises(InputError, match="no closed gradient by mass_mev"):
        chi2.gradient(points[0])


def test_iminuit_takes_names_limits_errordef_and_gradient(electromagnetic):
    chi2 = Chi2Function(electromagnetic, ["q_ee", "r2_ee"])
    minuit = iminuit.Minuit(chi2, q_ee=0.0, r2_ee=0.0)
    minuit.migrad()
    best = electromagnetic.limit("q_ee", profiled=["r2_ee"]).best_basin
    assert minuit.valid
    assert minuit.ngrad > 0
    assert minuit.errordef == 1.0
    assert minuit.limits["q_ee"] == (-1e-3, 1e-3)
    assert minuit.fval == pytest.approx(best.chi2, abs=1e-4)
    assert minuit.values["q_ee"] == pytest.approx(best.value, abs=1e-14)


def test_iminuit_takes_its_own_gradient_with_a_mass(tables):
    chi2 = Chi2Function(fastscan.likelihood("vector"), ["mass_mev", "g"])
    minuit = iminuit.Minuit(chi2, mass_mev=10.0, g=1e-5)
    minuit.fixed["mass_mev"] = True
    minuit.errors["g"] = chi2.scales[1]
    minuit.migrad()
    assert minuit.ngrad == 0
    best = fastscan.likelihood("vector").limit("g", {"mass_mev": 10.0})
    assert minuit.fval == pytest.approx(best.chi2_min, abs=1e-3)


def test_scipy_minimises_it_with_its_gradient(tables):
    likelihood = fastscan.likelihood("sm", "conus-plus-shapes")
    chi2 = Chi2Function(likelihood, ["sin2_theta_w"])
    found = scipy.optimize.minimize(chi2, [0.2], jac=chi2.gradient, bounds=[(0.0, 1.0)])
    assert found.success
    expected = likelihood.limit("sin2_theta_w")
    assert found.x[0] == pytest.approx(expected.best_fit, abs=1e-5)
    assert found.fun == pytest.approx(expected.chi2_min, abs=1e-8)


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-shapes"])
def test_a_copy_by_pickle_gives_the_same_bits(tables, rng, experiment):
    chi2 = Chi2Function(fastscan.likelihood("electromagnetic", experiment), NAMES)
    points = points_of(rng, 20)
    copy = pickle.loads(pickle.dumps(chi2))
    np.testing.assert_array_equal(copy(points), chi2(points))
    np.testing.assert_array_equal(copy.gradient(points[0]), chi2.gradient(points[0]))


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-shapes"])
def test_threads_share_it(tables, rng, experiment):
    likelihood = fastscan.likelihood("electromagnetic", experiment)
    points = points_of(rng, 64)
    alone = Chi2Function(likelihood, NAMES)
    expected = [(alone(point), *alone.gradient(point)) for point in points]
    # New, so that threads race for what is made when it is first used.
    chi2 = Chi2Function(likelihood, NAMES)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda point: (chi2(point), *chi2.gradient(point)), points))
    np.testing.assert_array_equal(found, expected)


def test_columns_of_pandas_and_xarray(electromagnetic, rng):
    chi2 = Chi2Function(electromagnetic, NAMES)
    points = points_of(rng, 5)
    expected = chi2(points)
    np.testing.assert_array_equal(chi2(pandas.DataFrame(points, columns=NAMES)), expected)
    np.testing.assert_array_equal(chi2(xarray.DataArray(points)), expected)
    np.testing.assert_array_equal(chi2(np.asfortranarray(points)), expected)


def test_emcee_samples_the_posterior_of_the_weak_mixing_angle():
    likelihood = fastscan.likelihood("sm")
    chi2 = Chi2Function(likelihood, ["sin2_theta_w"])
    start = np.random.default_rng(3).normal(0.25, 0.01, (16, 1))
    sampler = emcee.EnsembleSampler(16, 1, chi2.log_likelihood, vectorize=True)
    sampler.random_state = np.random.RandomState(4).get_state()
    sampler.run_mcmc(start, 1500)
    samples = sampler.get_chain(discard=300, flat=True)[:, 0]
    grid = np.linspace(0.0, 1.0, 20001)
    density = np.exp(chi2.log_likelihood(grid[:, None]) + 3.6)
    mean = (grid * density).sum() / density.sum()
    sigma = np.sqrt(((grid - mean) ** 2 * density).sum() / density.sum())
    assert samples.mean() == pytest.approx(mean, abs=0.1 * sigma)
    assert samples.std() == pytest.approx(sigma, rel=0.1)


def test_dynesty_integrates_the_evidence():
    chi2 = Chi2Function(fastscan.likelihood("sm"), ["sin2_theta_w"])
    sampler = NestedSampler(
        chi2.log_likelihood,
        lambda unit: unit,
        1,
        nlive=200,
        rstate=np.random.default_rng(5),
    )
    sampler.run_nested(print_progress=False)
    grid = np.linspace(0.0, 1.0, 20001)[:, None]
    evidence = np.log(np.exp(chi2.log_likelihood(grid)).mean())
    assert sampler.results.logz[-1] == pytest.approx(evidence, abs=0.3)


@pytest.mark.parametrize(
    ("names", "given", "message"),
    [
        ([], {}, "no parameter"),
        (["q"], {}, "unknown parameter 'q'"),
        (["q_ee", "q_ee"], {}, "named twice"),
        (["q_ee"], {"q_ee": 0.0}, "named twice"),
    ],
)
def test_bad_names(electromagnetic, names, given, message):
    with pytest.raises(InputError, match=message):
        Chi2Function(electromagnetic, names, given)


def test_bad_shape(electromagnetic):
    with pytest.raises(InputError, match="one row a point with 2 columns: q_ee, r2_ee"):
        Chi2Function(electromagnetic, ["q_ee", "r2_ee"])(np.zeros((4, 3)))


@pytest.fixture(scope="module", params=["closed", "with a mass", "with nuisances"])
def huge(request, tables):
    """Chi2 of one coupling in each of the ways it is calculated, and how to make a point of it."""
    if request.param == "with a mass":
        chi2 = Chi2Function(fastscan.likelihood("vector"), ["mass_mev", "g"])
        return chi2, lambda g: [1.0, g]
    experiment = "conus-plus-shapes" if request.param == "with nuisances" else "conus-plus"
    likelihood = fastscan.likelihood("vector", experiment=experiment)
    return Chi2Function(likelihood, ["g"], {"mass_mev": 1.0}), lambda g: [g]


def test_chi2_where_counts_overflow(huge):
    """It rises to its limit and then is infinite; never NaN, zero or a warning on the way."""
    chi2, point = huge
    found = chi2([point(g) for g in np.geomspace(1.0, 1e308, 500)])
    limit = found[0]
    assert np.isinf(found[-1])
    finite = np.isfinite(found)
    assert not finite[np.argmin(finite) :].any()
    np.testing.assert_allclose(found[finite], limit, rtol=1e-6)


@pytest.mark.parametrize("g", [1e308, np.inf, -1.0])
def test_log_likelihood_is_never_nan(huge, g):
    chi2, point = huge
    assert chi2.log_likelihood(point(g)) == -np.inf


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-shapes"])
def test_chi2_is_infinite_out_of_range_and_where_counts_overflow(make, experiment):
    chi2 = Chi2Function(make("vector", experiment), ["mass_mev", "g"])
    good = chi2([1.0, 1e-5])
    points = [[1.0, 1e-5], [-1.0, 1e-5], [1.0, -1e-5], [1.0, np.inf], [1.0, 1e300], [1.0, 1e80]]
    expected = [float(good), *[np.inf] * 5]
    np.testing.assert_array_equal(chi2(points), expected)
    np.testing.assert_array_equal(chi2.log_likelihood(points), [-0.5 * v for v in expected])
    with pytest.raises(InputError, match=r"not a number \(point 2"):
        chi2([[1.0, 1e-5], [1.0, np.nan]])


def test_gradients_out_of_range_or_overflowing_are_refused(make):
    chi2 = Chi2Function(make("vector"), ["g"], {"mass_mev": 1.0})
    assert np.isfinite(chi2.gradient([1e-5])).all()
    with pytest.raises(InputError, match="g = -1e-05 is out of range"):
        chi2.gradient([-1e-5])
    for g in (1e80, 1e300):
        with pytest.raises(InputError, match="overflow"):
            chi2.gradient([g])


def test_iminuit_takes_it_as_it_stands(electromagnetic):
    chi2 = Chi2Function(electromagnetic, ["q_ee", "mu_nu"])
    best = electromagnetic.limit("q_ee", profiled=["mu_nu"]).best_basin
    assert iminuit.util.describe(chi2) == ["q_ee", "mu_nu"]
    for minuit in (
        iminuit.Minuit(chi2, [1e-13, 1e-11]),
        iminuit.Minuit(chi2, [1e-13, 1e-11], name=chi2.names),
        iminuit.Minuit(chi2, q_ee=1e-13, mu_nu=1e-11),
    ):
        assert minuit.parameters == ("q_ee", "mu_nu")
        assert minuit.errordef == 1.0
        assert minuit.limits["mu_nu"][0] == 0.0
        minuit.migrad()
        assert minuit.fval == pytest.approx(best.chi2, abs=1e-3)
