"""Pulls that move one channel each are the same likelihood, and keep the digits."""

import numpy as np
import pytest

from fastscan.counts import basis_of
from fastscan.inputs import load_experiment
from fastscan.likelihoods import chi2_form, likelihood

SIGNAL = {"mass_mev": 0.01}


@pytest.fixture
def pulled(tables):
    def make(*pulls):
        kinds = [
            {"name": name, "kind": "normalisation", "sigma": sigma}
            | ({"channel": channel} if channel else {})
            for name, sigma, channel in pulls
        ]
        experiment = load_experiment("conus-plus")
        return likelihood("vector", experiment.with_changes({"systematics": {"pulls": kinds}}))

    return make


def test_each_pull_moves_one_channel(pulled):
    counts = pulled(("both", 0.2, None), ("nuclei", 1.0, "cevns")).counts(["g"], SIGNAL)
    basis = basis_of(counts)
    ((part,), x) = basis.counts.parts, np.array([0.3, -2.0])
    assert (part.mixing[0] == 0.0).all()
    assert (part.mixing[1:].any(axis=2).sum(axis=0) == 1).all()
    # The same counts by either.
    (own,), (moved,) = counts.layers([[1e-6]]), basis.counts.layers([[1e-6]])
    predicted = own[0] + basis.pulls(x) @ own[1:]
    np.testing.assert_allclose(moved[0] + x @ moved[1:], predicted, rtol=1e-13)


def test_pulls_of_very_different_strength_stay(pulled):
    counts = pulled(("both", 0.2, None), ("nuclei", 1e-4, "cevns")).counts(["g"], SIGNAL)
    centre, combined = np.split(basis_of(counts).constraint, [1], axis=1)
    np.testing.assert_array_equal(centre[:, 0], counts.centre)
    np.testing.assert_allclose(combined, np.eye(2), atol=1e-12)


@pytest.mark.parametrize("g", [1e-7, 1e-5, 1e-2, 1.0])
def test_pulls_that_are_parallel_are_no_loss(pulled, g):
    """Three normalisations of two channels, against the two pulls they are together."""
    found = pulled(("both", 0.05, None), ("nuclei", 0.1, "cevns"), ("electrons", 0.3, "eves"))
    three, two = (found.counts(["g"], SIGNAL, merge=merge) for merge in (False, True))
    assert (len(three.pulls), len(two.pulls)) == (3, 2)
    point = np.array([g])
    one, other = (chi2_form(counts).fit_at(point) for counts in (three, two))
    assert one.chi2 == pytest.approx(other.chi2, rel=1e-12)
    weights = found.nuisances.columns()[1]
    apart = one.pulls @ found.nuisances.columns(merge=False)[1]
    assert apart == pytest.approx(other.pulls @ weights, rel=1e-9, abs=1e-12)


def test_fit_at_a_point_is_that_of_its_layers(pulled):
    form = chi2_form(pulled(("both", 0.2, None), ("e", 0.5, "eves")).counts(["g"], SIGNAL))
    point = np.array([2e-6])
    at, of_layers = form.fit_at(point), form.fit(form.counts.layers([point])[0])
    assert at.chi2 == pytest.approx(of_layers.chi2, rel=1e-13)
    assert at.pulls == pytest.approx(of_layers.pulls, rel=1e-12)
    assert at.relative_change == pytest.approx(of_layers.relative_change, rel=1e-12)
