"""``fastscan sensitivity``: its numbers, its figure and its refusals."""

import json
from pathlib import Path

import pytest

import fastscan
from fastscan.inference.sensitivity import Scenario, expected_limit, scaled, signal_significance

WORDS = ("sensitivity", "vector", "--poi", "g", "--set", "mass_mev=10", "--toys", "100")


def test_json_has_the_numbers_of_the_library(run):
    found = json.loads(run(*WORDS, "--exposure", "1", "--exposure", "10", "--json").out)
    assert [s["exposure"] for s in found["scenarios"]] == [1.0, 10.0]
    present = fastscan.likelihood("vector")
    for row in found["scenarios"]:
        each = scaled(present, Scenario(row["exposure"]))
        expected = expected_limit(each, "g", {"mass_mev": 10.0}, toys=100)
        (point,) = row["points"]
        assert point["asimov"] == list(expected.asimov)
        assert point["bands"]["+1"] == expected.bands[3].tolist()
    assert found["scenarios"][0]["points"][0]["observed"] is not None
    assert found["scenarios"][1]["points"][0]["observed"] is None


def test_scenarios_are_all_combinations_each_once(run):
    words = ("--exposure", "1", "--exposure", "1", "--background", "2", "--background", "1")
    found = json.loads(run(*WORDS[:-2], *words, "--toys", "0", "--json").out)
    assert [(s["exposure"], s["background"]) for s in found["scenarios"]] == [(1, 2), (1, 1)]
    assert found["scenarios"][0]["points"][0]["bands"] is None


def test_significance_of_the_signal(run):
    outcome = run("sensitivity", "sm")
    assert "expected 3.418 sigma, observed 3.698 sigma at 1.082 times" in outcome.out
    found = json.loads(run("sensitivity", "sm", "--json").out)
    known = signal_significance(fastscan.likelihood("sm"))
    assert found["scenarios"][0]["observed"]["q0"] == known.q0


def test_significance_of_what_is_set(run):
    outcome = run("sensitivity", "vector", "--set", "mass_mev=10", "--set", "g=2e-5")
    held, what, _ = outcome.out.splitlines()
    assert "held: mass_mev = 10 MeV, g = 2e-05, sin2_theta_w = 0.23857" in held
    assert what == "significance of new physics over the Standard Model"
    assert "1 × data: expected 2.592 sigma" in outcome.out


def test_both_ends_of_a_signed_parameter_are_listed(run):
    outcome = run("sensitivity", "charge-radius", "--poi", "r2_ee", "--toys", "0")
    assert " low " in outcome.out
    assert " high " in outcome.out


def test_figure_along_exposures(run):
    words = ("--exposure", "1", "--exposure", "3", "-o", "x.svg")
    assert run(*WORDS, *words).code == 0
    assert "<svg" in Path("x.svg").read_text(encoding="utf-8")
    assert run(*WORDS, *words).code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sm", "-o", "x.png"), "limits need a parameter of interest (--poi)"),
        (("vector", "--axis", "mass_mev=1:2:2"), "limits need a parameter of interest (--poi)"),
        (("vector", "--poi", "g", "-o", "x.png"), "a figure of one number (-o)"),
        (("vector", "--poi", "g", "--exposure", "0"), "exposure of 0 times the present one"),
        (("vector", "--poi", "g", "--threshold", "155"), "not below 160 eV by a whole number"),
        (("vector", "--poi", "g", "--axis", "g=1e-6:1e-5:3"), "g is the axis, and is set or is"),
        (("vector", "--poi", "g", "--toys", "-3"), "-3 toys with seed 0"),
        (("vector", "--poi", "g", "--exposure", "1", "--exposure", "2", "-o", "x"), "format ''"),
    ],
)
def test_refusals(run, words, message):
    outcome = run("sensitivity", *words)
    assert outcome.code == 2
    assert message in outcome.err
