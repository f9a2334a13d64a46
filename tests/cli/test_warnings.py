"""What the inputs leave open is said on stderr, one line each, and slips of options are refused."""

import json

import pytest

TABLE = "energy_mev,antineutrinos_per_mev_per_fission\n1.8,1\n3,0.5\n10,0\n"


def with_table(folder, low):
    (folder / "table.csv").write_text(TABLE)
    (folder / "mine.toml").write_text(
        f'extends = "conus-plus"\n[reactor]\nspectrum_file = "table.csv"\n{low}'
    )
    return str(folder / "mine.toml")


def test_a_joined_spectrum_is_said_once_and_its_parts_are_shown(run, tmp_path):
    done = run("build", with_table(tmp_path, ""), "--json")
    (line,) = done.err.splitlines()
    assert line.startswith("fastscan: warning: mine: table.csv begins at 1.8 MeV; below it stands")
    (row,) = json.loads(done.out)
    parts = row["flux_parts_per_cm2_s"]
    assert list(parts) == ["fissions below 1.8 MeV", "fissions from 1.8 MeV", "neutron captures"]
    assert sum(parts.values()) == pytest.approx(1.5e13, rel=1e-12)


def test_parts_of_the_flux_in_words(run):
    assert "fissions below 2 MeV 59.1%, fissions from 2 MeV 23.3%" in run("build", "conus-plus").out


def test_parts_of_the_flux_of_an_inspected_experiment(run):
    about = json.loads(run("inspect", "conus-plus", "--json").out)
    whole = sum(about["flux_parts_per_cm2_s"].values())
    assert whole == pytest.approx(about["flux_per_cm2_s"], rel=1e-12)


def test_normalisation_in_per_cent(run):
    done = run("limit", "sm", "--poi", "sin2_theta_w", "--sigma-alpha", "16.9")
    assert done.code == 2
    assert done.out == ""
    assert "as a fraction, 0.169?" in done.err
    assert done.err.count("\n") == 1


def test_setting_without_effect(run, tmp_path):
    path = tmp_path / "moved.toml"
    path.write_text(
        'extends = "conus-plus"\n[reactor]\ndistance_m = 5.0\nthermal_power_gw = 36.0\n'
    )
    done = run("predict", "sm", "--experiment", str(path))
    assert (done.code, done.out) == (2, "")
    assert "changes no count" in done.err
