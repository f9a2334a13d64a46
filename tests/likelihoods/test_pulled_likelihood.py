"""Limits, points and headers of an experiment with several nuisances."""

import numpy as np
import pytest

from fastscan.inputs import load_experiment
from fastscan.likelihoods import Chi2Function, likelihood

TEXT = """
extends = "conus-plus"
name = "two-nuisances"
[[systematics.pulls]]
name = "flux"
kind = "normalisation"
sigma = 0.05
[[systematics.pulls]]
name = "electrons"
kind = "normalisation"
channel = "eves"
sigma = 0.5
"""


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "two-nuisances.toml"
    path.write_text(TEXT)
    return load_experiment(path)


@pytest.fixture
def pulled(experiment, tables):
    return lambda model: likelihood(model, experiment)


def covariance_chi2(likelihood, **point):
    """r^T (sigma^2 + T T^T)^-1 r with the two normalisations written out."""
    prediction = likelihood.predict(**point)
    templates = np.stack([0.05 * prediction.total, 0.5 * prediction.eves])
    covariance = np.diag(likelihood.sigma**2) + templates.T @ templates
    rest = prediction.total - likelihood.data
    return rest @ np.linalg.solve(covariance, rest)


@pytest.mark.parametrize(
    ("model", "point"),
    [
        ("sm", {"sin2_theta_w": 0.3}),
        ("vector", {"mass_mev": 0.01, "g": 1e-6}),
        ("magnetic-moment", {"mu_nu": 7e-11}),
    ],
)
def test_prediction_is_that_of_the_covariance(pulled, model, point):
    found = pulled(model)
    assert found.predict(**point).chi2 == pytest.approx(covariance_chi2(found, **point), rel=1e-10)


def test_limit_is_where_chi2_has_risen(pulled):
    found = pulled("vector")
    limit = found.limit("g", {"mass_mev": 0.01})
    ((_, high),) = limit.intervals
    value = covariance_chi2(found, mass_mev=0.01, g=high)
    assert value - limit.chi2_min == pytest.approx(limit.delta_chi2, rel=1e-8)
    assert (
        high > likelihood("vector", sigma_alpha=0.05).limit("g", {"mass_mev": 0.01}).intervals[0][1]
    )


def test_function_of_points_agrees_and_has_its_gradient(pulled):
    found = pulled("millicharge")
    chi2 = Chi2Function(found, ["q_ee", "q_emu"])
    point = np.array([6e-13, 8e-13])
    assert float(chi2(point)) == pytest.approx(
        covariance_chi2(found, q_ee=point[0], q_emu=point[1]), rel=1e-10
    )
    for i, step in enumerate(1e-5 * point):
        shift = step * np.eye(2)[i]
        slope = (chi2(point + shift) - chi2(point - shift)) / (2 * step)
        assert chi2.gradient(point)[i] == pytest.approx(float(slope), rel=1e-6)


def test_function_of_points_with_a_mass(pulled):
    found = pulled("vector")
    value = Chi2Function(found, ["g", "mass_mev"])([[1e-6, 0.01], [2e-5, 10.0]])
    exact = [
        covariance_chi2(found, g=1e-6, mass_mev=0.01),
        covariance_chi2(found, g=2e-5, mass_mev=10.0),
    ]
    assert value == pytest.approx(exact, rel=1e-10)


def test_no_sigma_alpha_where_there_are_other_nuisances(pulled):
    assert pulled("sm").sigma_alpha is None


def test_alpha_hat_is_the_change_of_the_total(pulled):
    found = pulled("magnetic-moment")
    prediction = found.predict(mu_nu=7e-11)
    change = 0.05 * prediction.pulls["flux"] * prediction.total.sum()
    change += 0.5 * prediction.pulls["electrons"] * prediction.eves.sum()
    assert prediction.alpha_hat == pytest.approx(change / prediction.total.sum(), rel=1e-10)


@pytest.mark.parametrize("mass_mev", [0.01, 0.1, 0.3, 1.0])
def test_no_shallow_basin_is_overlooked(experiment, tables, mass_mev):
    """Where nuclei and electrons may be rescaled apart, a narrow minimum lies beside zero."""
    pulls = [
        {"name": "nuclei", "kind": "normalisation", "sigma": 0.2, "channel": "cevns"},
        {"name": "electrons", "kind": "normalisation", "sigma": 0.3, "channel": "eves"},
    ]
    found = likelihood("vector", experiment.with_changes({"systematics": {"pulls": pulls}}))
    limit = found.limit("g", {"mass_mev": mass_mev})
    dense = Chi2Function(found, ["g"], {"mass_mev": mass_mev})(
        np.geomspace(1e-9, 1e-3, 20_000)[:, None]
    )
    assert limit.chi2_min <= dense.min() + 1e-9


def test_pulls_of_normalisations_are_told_apart(experiment, tables):
    """Merged for the fit, each is pulled in proportion to its size."""
    pulls = [
        {"name": "flux", "kind": "normalisation", "sigma": 0.05},
        {"name": "mass", "kind": "normalisation", "sigma": 0.02},
        {"name": "electrons", "kind": "normalisation", "sigma": 0.5, "channel": "eves"},
    ]
    found = likelihood("sm", experiment.with_changes({"systematics": {"pulls": pulls}}))
    pulled = found.predict(sin2_theta_w=0.4).pulls
    assert list(pulled) == ["flux", "mass", "electrons"]
    assert pulled["mass"] == pytest.approx(0.4 * pulled["flux"], rel=1e-9)


def test_a_large_signal_in_one_channel_may_be_scaled_away(experiment, tables):
    """New physics in nuclei alone, whose counts may vanish: chi2 stays low however large it is."""
    pulls = [
        {"name": "both", "kind": "normalisation", "sigma": 0.2},
        {"name": "nuclei", "kind": "normalisation", "sigma": 1.0, "channel": "cevns"},
    ]
    changed = experiment.with_changes({"systematics": {"pulls": pulls}})
    found = likelihood("vector", changed, charges="1,0,1,-1")
    (piece,) = found.limit("g", {"mass_mev": 10.0}).intervals
    assert piece == (0.0, np.inf)
    values = [found.predict(mass_mev=10.0, g=g).chi2 for g in (1e-2, 1.0, 1e3)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-4)
