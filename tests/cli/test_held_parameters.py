"""What was held, at which value, is the first line of every command that gives a result."""

import json
from pathlib import Path

import pytest

MASS = ("--set", "mass_mev=7.5")
AXES = ("--axis", "g=1e-6:1e-4:7:log")
HELD = "held: mass_mev = 7.5 MeV, sin2_theta_w = 0.23857"


@pytest.mark.parametrize(
    "words",
    [
        ("limit", "vector", "--poi", "g"),
        ("limit", "vector", "--poi", "g", "--method", "bayes"),
        ("limit", "vector", "--poi", "g", "--method", "cls", "--toys", "0"),
        ("posterior", "vector", "--poi", "g"),
        ("fit", "vector"),
        ("impacts", "vector", "--poi", "g"),
        ("sensitivity", "vector", "--poi", "g", "--toys", "0"),
        ("scan", "vector", *AXES),
        ("boundary", "vector", "--axis", "sin2_theta_w=0.2:0.3:3"),
        ("marginal", "vector", *AXES, "--axis", "sin2_theta_w=0.2:0.3:5", "--keep", "g"),
        ("predict", "vector", "--set", "g=1e-5"),
    ],
)
def test_first_line_names_what_was_held(run, words):
    outcome = run(*words, *MASS)
    assert outcome.code == 0, outcome.err
    first = outcome.out.splitlines()[0]
    assert first.startswith("vector (charges = b-l), conus-plus, channels both; ")
    assert "held: mass_mev = 7.5 MeV" in first


@pytest.mark.parametrize("command", ["contour", "plot"])
def test_of_a_stored_scan(run, command):
    words = ("--axis", "g=0:6e-5:40", "--axis", "sin2_theta_w=0:0.6:40")
    assert run("scan", "vector", *words, *MASS, "--out", "s.zarr").code == 0
    assert "held: mass_mev = 7.5 MeV" in run(command, "s.zarr").out.splitlines()[0]


def test_of_points(run):
    Path("p.csv").write_text("g\n1e-5\n")
    outcome = run("evaluate", "vector", *MASS, "p.csv", "-o", "o.csv")
    assert HELD in outcome.out.splitlines()[0]


def test_profiled_parameters_are_named_beside_them(run):
    outcome = run("limit", "millicharge", "--poi", "q_ee")
    assert outcome.out.splitlines()[0].endswith(
        "held: sin2_theta_w = 0.23857; profiled: q_emu, q_etau"
    )


def test_json_of_expected_limits_has_the_defaults_too(run):
    words = ("sensitivity", "vector", "--poi", "g", "--toys", "0", "--json")
    assert json.loads(run(*words, *MASS).out)["parameters"] == {
        "mass_mev": 7.5,
        "sin2_theta_w": 0.23857,
    }


def test_coverage_names_them_in_each_row(run):
    outcome = run("coverage", "vector", "--toys", "50", "-o", "c.csv")
    assert "mass_mev = 10 MeV," in outcome.out
    assert '"mass_mev = 10 MeV, sin2_theta_w = 0.23857"' in Path("c.csv").read_text()
