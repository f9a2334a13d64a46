"""Coverage by membership agrees with intervals that are made, and with theory where it is known."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inference.coverage import METHODS, _inside_posterior, coverage, standard_points
from fastscan.inference.posterior import credible_intervals
from fastscan.inference.toys import ToyFits, draw_toys


def test_far_from_bounds_wilks_covers_what_it_states(make):
    """The weak mixing angle at its best fit."""
    found = coverage(make("sm"), "sin2_theta_w", 0.25, cl=0.6827, toys=20_000, seed=1)
    for method in ("wilks", "feldman-cousins"):
        share = found.shares[method]
        assert share.value == pytest.approx(0.6827, abs=0.02)
        assert share.error == pytest.approx(0.0033, abs=2e-4)
    assert found.shares["wilks-2dof"].value > 0.8


def test_wilks_overcovers_at_a_bound(make):
    """No coupling at all: at best half of the fits can lie above it."""
    found = coverage(make("magnetic-moment"), "mu_nu", 0.0, toys=10_000, seed=2)
    assert found.shares["wilks"].value == pytest.approx(0.95, abs=0.01)
    assert found.shares["feldman-cousins"].value == pytest.approx(0.90, abs=0.015)


@pytest.mark.parametrize(
    ("model", "given"), [("vector", {"mass_mev": 10.0}), ("magnetic-moment", {})]
)
def test_feldman_cousins_covers_what_it_states(make, model, given):
    poi = "g" if model == "vector" else "mu_nu"
    limit = make(model).limit(poi, given).intervals[-1][1]
    for value in (0.5 * limit, limit):
        found = coverage(
            make(model), poi, value, given, toys=10_000, seed=3, methods=["feldman-cousins"]
        )
        assert found.shares["feldman-cousins"].value == pytest.approx(0.90, abs=0.012)


def test_cls_overcovers(make):
    value = 1.2e-10
    found = coverage(make("magnetic-moment"), "mu_nu", value, toys=5000, seed=4, methods=["cls"])
    assert 0.90 < found.shares["cls"].value < 0.999


@pytest.mark.parametrize(
    ("model", "poi", "given", "prior", "value"),
    [
        ("vector", "g", {"mass_mev": 10.0}, "flat-g", 1.9e-5),
        ("vector", "g", {"mass_mev": 10.0}, "flat-g2", 2.5e-5),
        ("sm", "sin2_theta_w", {}, "flat-g", 0.3),
    ],
)
def test_membership_is_that_of_the_interval(make, model, poi, given, prior, value):
    """Posteriors of a few toys, each made as an interval of its own."""
    likelihood = make(model)
    fits = ToyFits(likelihood, poi, given)
    toys = draw_toys(fits.mean(value), 8, 6)
    toys[:, -1] = fits.counts.observed[
        -1
    ]  # so that a likelihood has the same auxiliary measurement
    inside = _inside_posterior(likelihood, fits, toys, value, given, prior, 0.6827)
    for toy, held in zip(toys, inside, strict=True):
        own = likelihood.observing(toy[:-1] * likelihood.sigma)
        pieces = credible_intervals(own, poi, given, prior=prior, cl=0.6827).intervals
        assert held == any(low <= value <= high for low, high in pieces)
    assert 0 < np.sum(inside) < 8


def test_methods_that_do_not_apply_are_left_out(make):
    found = coverage(make("charge-radius"), "r2_ee", 8e-32, toys=200)
    assert set(found.shares) == {"wilks", "wilks-2dof", "feldman-cousins"}
    assert found.profiled == ("r2_emu", "r2_etau")
    with pytest.raises(InputError, match="feldman"):
        coverage(make("sm"), "sin2_theta_w", 0.25, methods=["feldman-cousin"])


def test_every_model_has_a_standard_point(make):
    from fastscan.models import MODELS

    for name, model in MODELS.items():
        points = list(standard_points(model()))
        assert points, name
    assert "wilks" in METHODS
