"""``fastscan fit``: its numbers, its figure and its refusals."""

import json
from pathlib import Path

import pytest

import fastscan
from fastscan.inference.goodness import best_fit

WORDS = ("fit", "vector", "--set", "mass_mev=10")


def test_json_has_the_numbers_of_the_library(run):
    found = json.loads(run(*WORDS, "--json").out)
    fit = best_fit(fastscan.likelihood("vector"), ["g"], {"mass_mev": 10.0})
    assert found["free"] == fit.free
    assert (found["chi2_min"], found["ndf"], found["p_value"]) == (
        fit.chi2_min,
        fit.ndf,
        fit.p_value,
    )
    assert found["pulls"] == fit.pulls
    assert found["experiments"]["conus-plus"]["residuals"] == fit.residuals.tolist()
    assert found["toys"] is None


def test_table_and_toys_in_words(run):
    outcome = run(*WORDS, "--free", "g", "--toys", "200", "--seed", "5")
    assert "chi2 = 7.3288 for 18 degrees of freedom, p = 0.987" in outcome.out
    assert "from 200 toys, seed 5" in outcome.out
    assert "pulls in standard deviations: normalisation -0.013" in outcome.out


def test_figure(run):
    assert run("fit", "sm", "-o", "fit.svg", "--quiet").code == 0
    assert "<svg" in Path("fit.svg").read_text(encoding="utf-8")
    assert run("fit", "sm", "-o", "fit.svg").code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--free", "mass_mev"), "mass_mev is named twice"),
        (("--free", "G"), "unknown parameter 'G' (--free); did you mean 'g'?"),
        (("--toys", "-1"), "-1 toys with seed 0"),
        (("-o", "fit.txt"), "unknown format '.txt' of a figure"),
    ],
)
def test_refusals(run, words, message):
    outcome = run(*WORDS, *words)
    assert outcome.code == 2
    assert message in outcome.err
