"""Limits on a mediator's mass at a given coupling."""

import numpy as np
import pytest

INF = np.inf


def chi2_at(likelihood, masses, g):
    return np.array([likelihood.predict(mass_mev=m, g=g).chi2 for m in masses])


@pytest.mark.parametrize(
    ("model", "options", "g"),
    [
        ("vector", {}, 1e-5),
        ("vector", {}, 1e-2),
        ("vector", {"charges": "universal"}, 1e-2),
        ("vector", {"charges": "universal", "channels": "cevns"}, 2e-5),
        ("scalar", {}, 1e-5),
    ],
)
def test_against_dense_scan(make, model, options, g):
    likelihood = make(model, **options)
    found = likelihood.limit("mass_mev", {"g": g})
    masses = np.geomspace(1e-5, 1e8, 160)
    chi2 = chi2_at(likelihood, masses, g)
    level = found.chi2_min + found.delta_chi2
    assert found.chi2_min <= chi2.min() + 1e-9
    allowed = np.zeros(masses.size, dtype=bool)
    for low, high in found.intervals:
        allowed |= (masses >= low) & (masses <= high)
    np.testing.assert_array_equal(allowed, chi2 <= level)


@pytest.mark.parametrize(
    ("model", "options"), [("vector", {}), ("vector", {"charges": "universal"})]
)
def test_chi2_at_every_end_is_at_the_level(make, model, options):
    likelihood = make(model, **options)
    found = likelihood.limit("mass_mev", {"g": 1e-2})
    ends = [x for pair in found.intervals for x in pair if 0.0 < x < INF]
    assert ends
    np.testing.assert_allclose(
        chi2_at(likelihood, ends, 1e-2), found.chi2_min + found.delta_chi2, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("model", "options"), [("vector", {}), ("vector", {"charges": "universal"}), ("scalar", {})]
)
@pytest.mark.parametrize("g", [0.3, 1.0, 3.0])
def test_strong_coupling_reaches_beyond_a_tev(make, model, options, g):
    # Of a contact interaction only g/M counts, however heavy the mediator is.
    likelihood = make(model, **options)
    reference = likelihood.limit("mass_mev", {"g": 0.03})
    found = likelihood.limit("mass_mev", {"g": g})
    assert found.chi2_min == pytest.approx(reference.chi2_min, abs=1e-5)
    np.testing.assert_allclose(
        np.array(found.intervals) / g, np.array(reference.intervals) / 0.03, rtol=1e-3
    )


def test_limits_on_mass_and_coupling_are_one_curve(make):
    # Not exactly: each is relative to the minimum along its own line.
    likelihood = make("vector", channels="cevns")
    ((low, _),) = likelihood.limit("mass_mev", {"g": 1e-2}).intervals
    coupling = likelihood.limit("g", {"mass_mev": low}).intervals[-1][1]
    assert coupling == pytest.approx(1e-2, rel=1e-2)


@pytest.mark.parametrize(("options", "g"), [({}, 0.0), ({"charges": "b-3l_mu"}, 1.0), ({}, 1e-12)])
def test_every_mass_is_allowed_without_a_signal(make, options, g):
    found = make("vector", **options).limit("mass_mev", {"g": g})
    assert found.intervals == [(0.0, INF)]
    assert found.chi2_min == pytest.approx(make("sm").predict().chi2, rel=1e-9)


def test_weak_coupling_allows_the_massless_mediator(make):
    # The limit of the massless scalar is 2.4e-6.
    found = make("scalar").limit("mass_mev", {"g": 2e-6})
    assert found.intervals == [(0.0, INF)]


def test_other_parameters_are_used(make):
    likelihood = make("vector")
    at = [
        likelihood.limit("mass_mev", {"g": 1e-2, "sin2_theta_w": s}).intervals for s in (0.22, 0.25)
    ]
    assert at[0] != at[1]
