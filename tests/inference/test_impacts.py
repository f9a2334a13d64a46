"""Impacts against fits in which the nuisance is held by hand."""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize

from fastscan.counts.nuisances import Nuisances
from fastscan.exceptions import InputError
from fastscan.inference.impacts import find_impacts
from fastscan.inputs import load_experiment
from fastscan.likelihoods import Likelihood
from fastscan.models import get_model
from fastscan.tensors import load_response

CORRELATION = '[[systematics.correlations]]\nnames = ["form factor", "quenching"]\nrho = 0.6\n'


@cache
def likelihood(path="conus-plus-shapes"):
    experiment = load_experiment(path)
    nuisances = Nuisances.load(experiment)
    return Likelihood(get_model("sm"), experiment, load_response(experiment), nuisances=nuisances)


class ByHand:
    """Chi2 of the weak mixing angle and every nuisance, with their covariance written out."""

    def __init__(self, likelihood):
        self.free = likelihood.counts(["sin2_theta_w"], merge=False)
        self.layers = self.free.coefficients()[0]
        nuisances = likelihood.nuisances
        self.names = nuisances.names
        own = np.linalg.inv(nuisances.columns(merge=False)[1])
        self.layers[1:] = np.einsum("kj,jmb->kmb", own, self.layers[1:])
        self.inverse = np.linalg.inv(nuisances.correlation)
        self.data = likelihood.data / likelihood.sigma

    def counts(self, point):
        monomials = self.free.monomials([point[:1]])[0]
        found = np.einsum("lmb,m->lb", self.layers, monomials)
        return found[0] + point[1:] @ found[1:]

    def chi2(self, point):
        rest = self.counts(point) - self.data
        return rest @ rest + point[1:] @ self.inverse @ point[1:]

    def best(self, held=None, value=0.0):
        free = [i for i in range(1 + len(self.names)) if i != held]

        def chi2(x):
            point = np.zeros(1 + len(self.names))
            point[free] = x
            if held is not None:
                point[held] = value
            return self.chi2(point)

        start = np.zeros(len(free))
        start[0] = 0.25
        found = minimize(chi2, start, method="BFGS", options={"gtol": 1e-9})
        point = np.zeros(1 + len(self.names))
        point[free] = found.x
        return point

    def covariance(self, point):
        """Inverse of the Fisher information, by differences of the counts."""
        steps = 1e-4 * np.eye(point.size)
        slopes = [(self.counts(point + s) - self.counts(point - s)) / 2e-4 for s in steps]
        information = np.array(slopes) @ np.array(slopes).T
        information[1:, 1:] += self.inverse
        return np.linalg.inv(information)


@pytest.fixture(scope="module", params=["conus-plus-shapes", "correlated"])
def case(request, tmp_path_factory):
    path = request.param
    if path == "correlated":
        shown = load_experiment("conus-plus-shapes")
        text = ['extends = "conus-plus"']
        for pull in shown.systematics.pulls:
            text.append(f'[[systematics.pulls]]\nname = "{pull.name}"\nkind = "{pull.kind}"')
            if pull.settings:
                settings = ", ".join(f'"{k}" = {v}' for k, v in pull.settings.items())
                text.append(f"settings = {{ {settings} }}")
            else:
                text.append(f"sigma = {pull.sigma}")
        path = tmp_path_factory.mktemp("own") / "correlated.toml"
        path.write_text("\n".join([*text, CORRELATION]))
    made = likelihood(path)
    return find_impacts(made, "sin2_theta_w"), ByHand(made)


def test_pulls_and_errors(case):
    impacts, hand = case
    best = hand.best()
    covariance = hand.covariance(best)
    assert impacts.best_fit == pytest.approx(best[0], abs=1e-6)
    for row in impacts.rows:
        k = 1 + hand.names.index(row.name)
        assert row.pull == pytest.approx(best[k], abs=1e-5)
        assert row.error == pytest.approx(covariance[k, k] ** 0.5, rel=1e-6)


def test_shifts_are_those_of_fits_with_the_nuisance_held(case):
    impacts, hand = case
    for row in impacts.rows:
        k = 1 + hand.names.index(row.name)
        down, up = (hand.best(k, row.pull + sign * row.error)[0] for sign in (-1.0, 1.0))
        assert row.shift_down == pytest.approx(down - impacts.best_fit, abs=2e-6)
        assert row.shift_up == pytest.approx(up - impacts.best_fit, abs=2e-6)


def test_largest_comes_first(case):
    impacts, _ = case
    sizes = [max(abs(row.shift_down), abs(row.shift_up)) for row in impacts.rows]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("model", ["sm", "magnetic-moment"])
def test_limit_without_a_normalisation_is_that_of_the_others(make, model):
    poi = {"sm": "sin2_theta_w", "magnetic-moment": "mu_nu"}[model]
    impacts = find_impacts(make(model, "conus-plus-budget"), poi)
    for name, sigma in (("threshold", 0.141), ("active mass", 0.011)):
        (row,) = (row for row in impacts.rows if row.name == name)
        rest = (0.046**2 + 0.073**2 + 0.141**2 + 0.011**2 + 0.007**2 + 0.032**2 - sigma**2) ** 0.5
        (expected,) = make(model, "conus-plus", sigma_alpha=rest).limit(poi).intervals
        assert row.intervals == [pytest.approx(expected, rel=1e-7)]


def test_without_the_only_nuisance_errors_are_statistical(make):
    impacts = find_impacts(make("vector", "conus-plus"), "g", {"mass_mev": 10.0})
    (row,) = impacts.rows
    assert row.name == "normalisation"
    limit = make("vector", "conus-plus", sigma_alpha=1e-7).limit("g", {"mass_mev": 10.0})
    assert row.intervals == [pytest.approx(pair, rel=1e-6) for pair in limit.intervals]


def test_at_a_border_the_ranking_is_by_the_limit(make):
    impacts = find_impacts(make("magnetic-moment", "conus-plus-shapes"), "mu_nu")
    assert impacts.best_fit == 0.0
    gains = [impacts.intervals[0][1] - row.intervals[0][1] for row in impacts.rows]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0.0


def test_a_mass_can_be_of_interest(make):
    impacts = find_impacts(make("vector", "conus-plus"), "mass_mev", {"g": 3e-5})
    (row,) = impacts.rows
    assert row.intervals[0][1] == np.inf
    assert row.shift_down * row.shift_up < 0.0
    fixed = make("vector", "conus-plus", sigma_alpha=1e-7).limit("mass_mev", {"g": 3e-5})
    assert row.intervals[0][0] == pytest.approx(fixed.intervals[0][0], rel=1e-5)


def test_several_experiments_have_all_their_nuisances(make, tmp_path):
    path = tmp_path / "both.toml"
    path.write_text('experiments = ["conus-plus", "conus-plus-a25"]\n')
    names = {row.name for row in find_impacts(make("sm", path), "sin2_theta_w").rows}
    assert len(names) == 2


def test_no_best_fit_is_said(make, tmp_path):
    """Fewer counts than none: the larger the signal, the smaller the normalisation."""
    rows = [f"{low},{low + 10},-5,1" for low in range(160, 350, 10)]
    (tmp_path / "counts.csv").write_text("\n".join(["low_ev,high_ev,excess,sigma", *rows]))
    path = tmp_path / "negative.toml"
    path.write_text('extends = "conus-plus"\n[observation]\nfile = "counts.csv"\n')
    with pytest.raises(InputError, match="g grows: there is no best fit"):
        find_impacts(make("scalar", path), "g", {"mass_mev": 10.0})
