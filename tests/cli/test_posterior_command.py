"""``fastscan posterior``: its numbers, its figure and its refusals."""

import json
from pathlib import Path

import pytest

import fastscan
from fastscan.inference.posterior import credible_intervals


def test_json_has_the_numbers_of_the_library(run):
    words = ("posterior", "vector", "--poi", "g", "--set", "mass_mev=10", "--prior", "flat-g2")
    found = json.loads(run(*words, "--json").out)
    expected = credible_intervals(
        fastscan.likelihood("vector"), "g", {"mass_mev": 10.0}, prior="flat-g2"
    )
    assert found["intervals"] == [list(piece) for piece in expected.intervals]
    assert found["upper_limit"] == expected.upper_limit
    assert found["prior"] == "flat-g2"
    assert found["parameters"]["mass_mev"] == 10.0


def test_plane(run):
    words = ["posterior", "vector", "--poi", "g", "--poi", "sin2_theta_w", "--set", "mass_mev=10"]
    outcome = run(*words, "--box", "sin2_theta_w=0.2:0.3")
    held, mode, *_ = outcome.out.splitlines()
    assert held.endswith("held: mass_mev = 10 MeV; nuisances marginalised")
    assert "mode g = " in mode
    assert "sin2_theta_w alone, the other integrated over: median 0.2" in outcome.out
    found = json.loads(run(*words, "--box", "sin2_theta_w=0.2:0.3", "--json").out)
    assert set(found["marginal"]) == {"g", "sin2_theta_w"}
    assert len(found["contours"]) >= 1


def test_box_with_one_end(run):
    words = ("posterior", "vector", "--poi", "g", "--set", "mass_mev=10", "--prior", "g=log-g")
    found = json.loads(run(*words, "--box", "g=1e-8:", "--json").out)
    assert found["box"][0] == 1e-8


def test_end_of_the_prior_is_pointed_out(run):
    words = ("posterior", "vector", "--poi", "g", "--set", "mass_mev=10")
    assert "where the prior does" in run(*words, "--prior", "log-g", "--box", "g=1e-8:").err
    assert "where the prior does" not in run(*words, "--box", "g=0:1e-3").err


def test_figure_is_not_replaced_unasked(run):
    words = ("posterior", "sm", "--poi", "sin2_theta_w", "-o", "p.svg")
    assert run(*words).code == 0
    assert "<svg" in Path("p.svg").read_text(encoding="utf-8")
    assert run(*words).code == 2
    assert run(*words, "--force").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--prior", "log-g"),
            "has no lower end (--box g); give one above zero: fastscan posterior",
        ),
        (("--prior", "g=flat"), "unknown prior 'flat' (--prior)"),
        (("--prior", "m=flat-g"), "unknown parameter 'm' (--prior)"),
        (("--prior", "flat-g", "--prior", "g=log-g"), "two priors of g"),
        (("--box", "g=1"), "box is not of the form NAME=LOW:HIGH"),
        (("--box", "g=0:1", "--box", "g=0:2"), "two boxes of g"),
        (("--box", "g=1e-3:1"), "the data exclude the box"),
        (("--cl", "90"), "confidence level 90 is not between 0 and 1"),
        (("--poi", "sin2_theta_w", "--poi", "mass_mev"), "posterior of 3 parameters"),
        (("-o", "p.jpg"), "unknown format '.jpg' of a figure"),
    ],
)
def test_refusals(run, words, message):
    held = () if "mass_mev" in words else ("--set", "mass_mev=1")
    outcome = run("posterior", "vector", "--poi", "g", *held, *words)
    assert outcome.code == 2
    assert message in outcome.err
