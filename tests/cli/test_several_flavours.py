"""Experiments with neutrinos of several flavours on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

TOML = """\
extends = "conus-plus"

[[sources]]
kind = "pion-decay"
protons_on_target = 3e23
neutrinos_per_proton = 0.08
distance_m = 20.0

[observation]
file = "counts.csv"
normalisation = "total"

[[detectors]]
name = "A"
mass_kg = 10.0
threshold_ev = 1500.0
"""


@pytest.fixture
def pions(run):
    """A germanium detector at stopped pions, in the folder that commands run in."""
    bins = "1500,4000,200,20\n4000,9000,130,15\n9000,20000,20,8\n"
    Path("counts.csv").write_text("low_ev,high_ev,excess,sigma\n" + bins)
    Path("pions.toml").write_text(TOML)
    return "pions.toml"


def test_predictions_have_the_counts_of_each_flavour(run, pions):
    nuclei = ("--channels", "cevns", "--experiment", pions, "--json")
    found = json.loads(run("predict", "sm", *nuclei).out)
    by_flavour = found["by_flavour"]
    assert list(by_flavour) == ["nu_mu", "nubar_mu", "nu_e"]
    np.testing.assert_allclose(np.sum(list(by_flavour.values()), axis=0), found["total"])
    # The line at 29.8 MeV gives germanium at most 26 keV, of which 7 are ionisation.
    shares = np.array(by_flavour["nu_mu"]) / found["total"]
    assert shares[0] > 0.3 > shares[1] > 0.1
    assert shares[2] < 1e-12


def test_a_fluence_is_called_one(run, pions):
    rows = json.loads(run("build", pions, "--json").out)
    assert set(rows[0]["fluence_parts_per_cm2"]) == {
        "pions, nu_mu",
        "muons, nubar_mu",
        "muons, nu_e",
    }
    assert "fluence 1.432e+15 /cm²: " in run("build", pions).out
    about = json.loads(run("inspect", pions, "--json").out)
    assert about["flavours"] == ["nu_mu", "nubar_mu", "nu_e"]
    assert about["fluence_per_cm2"] == pytest.approx(3 * 0.08 * 3e23 / (4 * np.pi * 2000**2))


def test_limits_of_the_rows_of_all_flavours(run, pions):
    for poi in ("eps_u_ee", "eps_u_mumu"):
        found = run("limit", "nsi", "--poi", poi, "--experiment", pions, "--json")
        assert json.loads(found.out)["intervals"]
    found = run("limit", "nsi", "--poi", "eps_u_tautau", "--experiment", pions)
    assert found.code == 2
    assert "eps_u_tautau is not constrained: nu_tau would feel it" in found.err
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("limit", "nsi", "--poi", "eps_u_mumu"),
        ("limit", "millicharge", "--poi", "q_ee", "--profile", "q_mumu"),
        ("predict", "charge-radius", "--set", "r2_tautau=1e-32"),
        ("scan", "nsi", "--axis", "eps_u_mumu=-1:1:5", "--axis", "eps_u_ee=-1:1:5", "-o", "a.zarr"),
        ("limit", "dipole-portal", "--poi", "d", "--set", "mass_n_mev=1", "--option", "flavour=mu"),
        ("fit", "magnetic-moment", "--free", "mu_nu_mu"),
    ],
)
def test_what_a_reactor_does_not_constrain_is_refused(run, arguments):
    found = run(*arguments)
    assert found.code == 2
    assert "is not constrained" in found.err
    assert "the neutrinos are nubar_e" in found.err
    assert found.err.count("\n") == 1
    assert not Path("a.zarr").exists()


def test_factors_by_energy_are_for_one_flavour(run, pions):
    Path("weights.csv").write_text("low_mev,high_mev,weight\n0,10,0.5\n")
    found = run("predict", "sm", "--experiment", pions, "--flux-weights", "weights.csv")
    assert found.code == 2
    assert "several flavours" in found.err


def test_a_joint_fit_sees_the_flavours_of_all(run, pions):
    both = ("--experiment", pions, "--experiment", "conus-plus")
    found = run("limit", "nsi", "--poi", "eps_u_mumu", *both, "--json")
    assert found.code == 0
    alone = run("limit", "nsi", "--poi", "eps_u_mumu", "--experiment", pions, "--json")
    np.testing.assert_allclose(
        json.loads(found.out)["intervals"], json.loads(alone.out)["intervals"], rtol=1e-6
    )
    counts = json.loads(run("predict", "sm", *both, "--json").out)["experiments"]
    assert list(counts["conus-plus"]["by_flavour"]) == ["nubar_e"]
