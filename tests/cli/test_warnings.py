"""What may mislead is said on stderr and in JSON by every command that prints a limit or region."""

import json
from pathlib import Path

import pytest

from fastscan.likelihoods import doubts

MASS = ("--axis", "mass_mev=1:10:12:log")
PLANE = (*MASS, "--axis", "g=1e-6:1e-4:12:log")
HELD = ("--set", "mass_mev=10")
COMMANDS = {
    "limit": ("limit", "vector", "--poi", "g", *HELD),
    "bayes": ("limit", "vector", "--poi", "g", *HELD, "--method", "bayes"),
    "cls": ("limit", "vector", "--poi", "g", *HELD, "--method", "cls", "--toys", "0"),
    "posterior": ("posterior", "vector", "--poi", "g", *HELD),
    "boundary": ("boundary", "vector", *MASS, "--poi", "g"),
    "marginal": ("marginal", "vector", *MASS, "--axis", "g=0:1e-4:41", "--keep", "g"),
    "band": ("marginal", "vector", *MASS, "--axis", "g=0:1e-4:41", "--keep", "mass_mev",
             "--band", "g"),
    "scan": ("scan", "vector", *PLANE, "--out", "x.zarr"),
    "fit": ("fit", "vector", *HELD),
    "impacts": ("impacts", "vector", "--poi", "g", *HELD),
    "sensitivity": ("sensitivity", "vector", "--poi", "g", *HELD, "--toys", "0"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_absurd_fits_are_told(run, monkeypatch, name):
    """With a limit that every fit is beyond; what is beyond the real one is tested elsewhere."""
    monkeypatch.setattr(doubts, "_DOUBTFUL", 1.1)
    outcome = run(*COMMANDS[name], "--json")
    assert outcome.code == 0
    told = [word for word in json.loads(outcome.out)["warnings"] if "to be true" in word]
    # What is expected of a future experiment has no best fit.
    fits = ["the best fit", "the Standard Model"][name == "sensitivity" :]
    assert [" ".join(word.split()[:3]) for word in told] == fits
    for word in told:
        assert f"warning: {word}" in outcome.err


def test_edges_are_told_on_stderr_in_json_and_in_the_table(run):
    assert run("scan", "vector", *PLANE, "--out", "x.zarr").code == 0
    words = "the region is cut off by the edge of the grid: mass_mev = 1 and 10, g = 1e-06"
    for command in ("contour", "plot"):
        outcome = run(command, "x.zarr", "--json")
        found = json.loads(outcome.out)
        assert found["warnings"] == [words]
        assert f"warning: {words}" in outcome.err
        ends = [(touch["parameter"], touch["end"]) for touch in found["touches"]]
        assert ends == [("mass_mev", "low"), ("mass_mev", "high"), ("g", "low")]
    assert "# touches: mass_mev = 1 and 10, g = 1e-06" in Path("x.csv").read_text()
    outcome = run("boundary", "vector", *MASS, "--poi", "g", "--json")
    assert [touch["end"] for touch in json.loads(outcome.out)["touches"]] == ["low", "high"]
    assert "the edge of the axis: mass_mev = 1 and 10" in outcome.err


def test_a_boundary_counts_from_a_minimum_off_its_axis(run):
    given = ("--poi", "r2_ee", "--json")
    whole = run("boundary", "electromagnetic", "--axis", "q_ee=-1e-12:1e-12:9", *given)
    part = run("boundary", "electromagnetic", "--axis", "q_ee=1e-12:2e-12:9", *given, "--force")
    level = json.loads(whole.out)["level"]
    assert json.loads(part.out)["level"] == pytest.approx(level, abs=1e-7)
    assert "is outside the axis, whose lowest chi2 is" in part.err
    far = run("boundary", "electromagnetic", "--axis", "q_ee=4e-12:5e-12:9", *given, "--force")
    assert far.code == 2
    assert "the data exclude the axis" in far.err
