"""Impacts as a table, as JSON, as CSV and as a figure."""

import json

import pytest

from fastscan.inputs import read_table

COMMAND = ("impacts", "magnetic-moment", "--poi", "mu_nu", "--experiment", "conus-plus-budget")


def test_json_and_csv_agree(run):
    outcome = run(*COMMAND, "--json", "-o", "impacts.csv")
    found = json.loads(outcome.out)
    assert (found["poi"], found["cl"], found["best_fit"]) == ("mu_nu", 0.9, 0.0)
    assert found["rows"][0]["name"] == "threshold"
    table = read_table("impacts.csv", ("pull", "error", "low", "high"), text_columns=("nuisance",))
    assert table["nuisance"] == [row["name"] for row in found["rows"]]
    assert table["high"] == pytest.approx([row["intervals"][-1][1] for row in found["rows"]])
    assert table["pull"] == pytest.approx([row["pull"] for row in found["rows"]])


def test_table_names_every_nuisance(run):
    out = run(*COMMAND).out
    for name in ("flux", "quenching", "threshold", "active mass", "form factor"):
        assert f"│ {name} " in out
    assert "best fit 0 mu_B, [0, 1." in out


def test_files_are_not_replaced_unasked(run):
    for name in ("impacts.csv", "impacts.pdf"):
        assert run(*COMMAND, "--quiet", "-o", name).code == 0
        again = run(*COMMAND, "-o", name)
        assert again.code == 2
        assert "exists" in again.err


def test_unknown_formats_are_refused_before_the_work(run):
    outcome = run(*COMMAND, "-o", "impacts.txt")
    assert outcome.code == 2
    assert " of a figure" in outcome.err
