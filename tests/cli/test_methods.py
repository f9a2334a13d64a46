"""Other ways than Wilks' theorem to a limit, on the command line."""

import json

import pytest

VECTOR = ("limit", "vector", "--poi", "g", "--set", "mass_mev=10")
FEW = ("--toys", "1000", "--seed", "3")


@pytest.fixture
def wilks(run):
    return json.loads(run(*VECTOR, "--json").out)


def test_wilks_says_what_it_always_said(wilks):
    assert wilks["method"] == "wilks"
    assert "delta_chi2" in wilks


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        ("feldman-cousins", {"critical_values", "critical_errors", "points", "interval_errors"}),
        ("cls", {"upper_limit", "upper_error", "asymptotic_upper_limit"}),
    ],
)
def test_toys_give_limits_near_that_of_wilks(run, wilks, method, keys):
    found = json.loads(run(*VECTOR, "--method", method, *FEW, "--json").out)
    assert {"method", "toys", "seed", "intervals", *keys} <= set(found)
    assert (found["method"], found["seed"]) == (method, 3)
    assert found["intervals"][-1][1] == pytest.approx(wilks["intervals"][-1][1], rel=0.15)
    again = json.loads(run(*VECTOR, "--method", method, *FEW, "--json").out)
    assert again == found


def test_bayes_has_a_prior(run, wilks):
    ends = []
    for prior in ("flat-g", "flat-g2"):
        found = json.loads(run(*VECTOR, "--method", "bayes", "--prior", prior, "--json").out)
        assert found["prior"] == prior
        ends.append(found["intervals"][-1][1])
    assert ends[0] < ends[1]
    assert ends[0] == pytest.approx(wilks["intervals"][-1][1], rel=0.3)


@pytest.mark.parametrize("method", ["feldman-cousins", "cls", "bayes"])
def test_words_name_the_method(run, method):
    toys = () if method == "bayes" else FEW
    outcome = run(*VECTOR, "--method", method, *toys)
    assert outcome.code == 0
    assert method in outcome.out
    assert f"90 % {'credibility' if method == 'bayes' else 'C.L.'}" in outcome.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "wilks", "--toys", "5"), "--toys does nothing"),
        (("--method", "cls", "--prior", "flat-g"), "--prior does nothing with --method cls"),
        (("--method", "bayes", "--seed", "1"), "--seed does nothing"),
        (("--method", "wilkes"), "wilks"),
        (("--method", "feldman-cousins", "--toys", "3"), "--toys"),
        (("--method", "bayes", "--profile", "sin2_theta_w"), "--profile"),
    ],
)
def test_options_that_do_nothing_are_refused(run, words, message):
    outcome = run(*VECTOR, *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_plane_by_feldman_cousins(run):
    axes = ("--axis", "mass_mev=1:100:3:log", "--axis", "g=1e-6:1e-4:4:log")
    words = ("scan", "vector", *axes, "--method", "feldman-cousins", "--precision", "0.3")
    outcome = run(*words, "--toys", "100", "--out", "x.zarr", "--json")
    found = json.loads(outcome.out)
    assert found["method"] == "feldman-cousins"
    assert found["least_effective_toys"] >= 100
    assert run("contour", "x.zarr").code == 0
    assert run("plot", "x.zarr").code == 0
    shown = json.loads(run("inspect", "x.zarr", "--json").out)
    assert shown["kind"] == "Feldman-Cousins construction"
    assert shown["least_effective_toys"] == found["least_effective_toys"]
    refused = run("contour", "x.zarr", "--cl", "0.95", "-o", "y.csv")
    assert refused.code == 2
    assert "90 % C.L." in refused.err


def test_options_of_a_plane_belong_to_its_method(run):
    outcome = run("scan", "vector", "--axis", "g=1e-6:1e-4:4", "--toys", "5", "--out", "x.zarr")
    assert outcome.code == 2
    assert "--toys does nothing" in outcome.err
