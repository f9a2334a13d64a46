"""External measurements of parameters: a term of chi2, whatever the likelihood."""

import numpy as np
import pytest
from scipy.optimize import minimize

from fastscan.exceptions import InputError
from fastscan.inference.posterior import credible_intervals
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods import Chi2Function, likelihood

ANGLE = (0.23857, 0.01)


@pytest.fixture(params=["conus-plus", "conus-plus-shapes"])
def both(request, tables):
    """The same likelihood without and with a constraint."""
    free = likelihood("vector", request.param)
    return free, free.constrained("sin2_theta_w", *ANGLE)


def penalty(angle):
    return ((np.asarray(angle) - ANGLE[0]) / ANGLE[1]) ** 2


def test_it_adds_its_square_to_chi2(both, rng):
    free, held = both
    names = ["mass_mev", "g", "sin2_theta_w"]
    points = np.stack(
        [10 ** rng.uniform(-3, 3, 20), 10 ** rng.uniform(-8, -2, 20), rng.uniform(0, 1, 20)], axis=1
    )
    expected = Chi2Function(free, names)(points) + penalty(points[:, 2])
    np.testing.assert_allclose(Chi2Function(held, names)(points), expected, rtol=1e-11)


def test_a_prediction_counts_it(both):
    free, held = both
    point = {"mass_mev": 1.0, "g": 1e-5, "sin2_theta_w": 0.26}
    before, after = free.predict(**point), held.predict(**point)
    assert after.chi2 == pytest.approx(before.chi2 + penalty(0.26), rel=1e-12)
    np.testing.assert_array_equal(after.total, before.total)
    assert after.alpha_hat == pytest.approx(before.alpha_hat, rel=1e-9)


def test_limits_profile_what_is_constrained(both):
    free, held = both
    found = held.limit("g", {"mass_mev": 10.0})
    assert found.profiled == ("sin2_theta_w",)
    chi2 = Chi2Function(free, ["g", "sin2_theta_w"], {"mass_mev": 10.0})

    def lowest(g):
        fit = minimize(lambda x: chi2([g, x[0]]) + penalty(x[0]), [0.24], method="Nelder-Mead",
                       options={"xatol": 1e-9, "fatol": 1e-12})  # fmt: skip
        return fit.fun

    end = found.intervals[-1][1]
    assert lowest(end) == pytest.approx(found.chi2_min + found.delta_chi2, abs=1e-6)


def test_a_tight_constraint_holds_the_parameter(both):
    free, _ = both
    tight = free.constrained("sin2_theta_w", 0.23857, 5e-5)
    given = {"mass_mev": 10.0}
    ends = [each.limit("g", given).intervals[-1][1] for each in (free, tight)]
    assert ends[1] == pytest.approx(ends[0], rel=1e-4)


def test_a_mass_may_be_constrained(both):
    free, _ = both
    held = free.constrained("mass_mev", 10.0, 2.0)
    names = ["mass_mev", "g"]
    points = np.array([[5.0, 1e-5], [12.0, 3e-5]])
    expected = Chi2Function(free, names)(points) + ((points[:, 0] - 10.0) / 2.0) ** 2
    np.testing.assert_allclose(Chi2Function(held, names)(points), expected, rtol=1e-11)


def test_posteriors_weigh_it(tables):
    """The data alone leave the angle to +-0.05: the constraint decides."""
    held = likelihood("sm").constrained("sin2_theta_w", 0.23, 0.002)
    ((low, high),) = credible_intervals(held, "sin2_theta_w", cl=0.6827).intervals
    assert (low, high) == pytest.approx((0.228, 0.232), abs=1e-4)


def test_toys_measure_it_again(tables):
    held = likelihood("sm").constrained("sin2_theta_w", 0.23, 0.002)
    fits = ToyFits(held, "sin2_theta_w")
    best, _ = fits.best(draw_toys(fits.mean(0.23), 4000, 1))
    assert best.std() == pytest.approx(0.002, rel=0.05)


def test_what_is_neither_free_nor_set_is_refused(both):
    _, held = both
    with pytest.raises(InputError, match="sin2_theta_w is constrained, but neither free nor set"):
        Chi2Function(held, ["g"], {"mass_mev": 10.0})
    Chi2Function(held, ["g"], {"mass_mev": 10.0, "sin2_theta_w": 0.2387})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sin2_theta", 0.2, 0.1), "unknown parameter"),
        (("sin2_theta_w", 1.2, 0.1), "sin2_theta_w"),
        (("sin2_theta_w", 0.2, 0.0), "not a positive number"),
        (("sin2_theta_w", 0.2, np.nan), "not a positive number"),
    ],
)
def test_bad_constraints_are_refused(tables, arguments, words):
    with pytest.raises(InputError, match=words):
        likelihood("sm").constrained(*arguments)


def test_one_measurement_of_a_parameter(both):
    _, held = both
    with pytest.raises(InputError, match="constrained twice"):
        held.constrained("sin2_theta_w", 0.2, 0.1)


def test_a_sum_keeps_constraints(tables):
    one = likelihood("sm").constrained("sin2_theta_w", *ANGLE)
    other = likelihood("sm", "conus-plus-a25").constrained("sin2_theta_w", *ANGLE)
    joint = one + other
    assert joint.constraints == one.constraints
    alone = likelihood("sm") + likelihood("sm", "conus-plus-a25")
    expected = alone.predict(sin2_theta_w=0.3).chi2 + penalty(0.3)
    assert joint.predict(sin2_theta_w=0.3).chi2 == pytest.approx(expected, rel=1e-12)
