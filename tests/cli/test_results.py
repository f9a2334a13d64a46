"""What the commands print: the fixed JSON keys, and the numbers behind them."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

import fastscan
from fastscan.inputs import experiment_names


def test_predict_json(run):
    outcome = run("predict", "sm", "--json")
    found = json.loads(outcome.out)
    keys = [
        "model",
        "experiment",
        "parameters",
        "edges_ev",
        "unit",
        "cevns",
        "eves",
        "total",
        "chi2",
        "alpha_hat",
    ]
    assert set(keys) <= set(found)
    assert found["unit"] == "counts / kg / 119 d"
    assert len(found["edges_ev"]) == len(found["total"]) + 1 == 20
    assert sum(found["cevns"]) == pytest.approx(145.850, abs=5e-4)
    assert found["cevns"][0] == pytest.approx(32.976, abs=5e-4)
    assert sum(found["eves"]) == pytest.approx(0.0548, abs=5e-5)


def test_predict_sets_parameters(run):
    found = json.loads(
        run("predict", "vector", "--set", "mass_mev=1", "--set", "g=1e-5", "--json").out
    )
    prediction = fastscan.likelihood("vector").predict(mass_mev=1.0, g=1e-5)
    assert found["parameters"] == prediction.parameters
    assert found["chi2"] == prediction.chi2


def test_limit_json(run):
    outcome = run("limit", "vector", "--poi", "g", "--set", "mass_mev=10", "--json")
    found = json.loads(outcome.out)
    keys = {"poi", "unit", "cl", "delta_chi2", "best_fit", "chi2_min", "intervals"}
    assert keys <= set(found)
    limit = fastscan.likelihood("vector").limit("g", {"mass_mev": 10.0})
    assert found["intervals"] == [list(piece) for piece in limit.intervals]


def test_a_degenerate_limit_is_said_to_be(run):
    command = ["limit", "charge-radius", "--poi", "sin2_theta_w", "--profile", "r2_ee"]
    found = run(*command, "--json")
    assert json.loads(found.out)["degenerate"] is True
    assert "chi2 is the same at every sin2_theta_w, as r2_ee can make up for it" in found.err
    plain = run("limit", "sm", "--poi", "sin2_theta_w", "--json")
    assert json.loads(plain.out)["degenerate"] is False
    assert plain.err == ""


def test_an_unbounded_limit_is_null_in_json(run):
    found = json.loads(run("limit", "vector", "--poi", "mass_mev", "--set", "g=1e-5", "--json").out)
    assert found["intervals"][-1][1] is None


def test_channels_and_charges_reach_the_limit(run):
    def upper(*more: str) -> float:
        words = ("limit", "vector", "--poi", "g", "--set", "mass_mev=1", "--json", *more)
        return json.loads(run(*words).out)["intervals"][-1][1]

    assert upper("--channels", "cevns") != upper()
    assert upper("--charges", "b-3l_e") < upper()
    assert upper("--charges", "-1,-1,1/3,1/3") == pytest.approx(upper(), rel=1e-12, abs=0)


def test_sigma_alpha_widens_the_interval(run):
    def width(*more: str) -> float:
        found = json.loads(run("limit", "sm", "--poi", "sin2_theta_w", "--json", *more).out)
        return found["intervals"][0][1] - found["intervals"][0][0]

    assert width("--sigma-alpha", "0.3") > width() > width("--sigma-alpha", "0.05")


def test_flux_weights_scale_the_counts(run, tmp_path):
    weights = tmp_path / "weights.csv"
    weights.write_text("low_mev,high_mev,weight\n0,10,0.5\n")
    halved = json.loads(run("predict", "sm", "--flux-weights", str(weights), "--json").out)
    plain = json.loads(run("predict", "sm", "--json").out)
    assert halved["total"] == pytest.approx(np.array(plain["total"]) / 2, rel=1e-12)


def test_models_and_experiments_json(run):
    models = {row["model"]: row for row in json.loads(run("models", "--json").out)}
    assert {p["name"] for p in models["vector"]["parameters"]} == {"mass_mev", "g", "sin2_theta_w"}
    assert models["vector"]["options"] == {"charges": "b-l"}
    experiments = [row["experiment"] for row in json.loads(run("experiments", "--json").out)]
    assert experiments == sorted(experiment_names())


def test_a_shown_experiment_is_a_valid_file(run, tmp_path):
    text = run("experiments", "--show", "conus-plus").out
    (tmp_path / "mine.toml").write_text(text)
    found = json.loads(
        run("predict", "sm", "--experiment", str(tmp_path / "mine.toml"), "--json").out
    )
    assert sum(found["cevns"]) == pytest.approx(145.850, abs=5e-4)


def test_inspect_tells_dimensions_and_error(run):
    found = json.loads(run("inspect", "conus-plus", "--json").out)
    assert found["observed_bins"] == 19
    assert found["size_bytes"] < 50e6
    for channel in found["channels"].values():
        assert channel["error_estimate"] < 1e-9


def test_scan_contour_and_resume(run):
    words = ["scan", "vector", "--axis", "mass_mev=0.1:100:40:log", "--axis", "g=1e-7:1e-3:50:log"]
    assert run(*words, "--out", "s.zarr").code == 0
    with xarray.open_zarr("s.zarr") as dataset:
        assert dataset.chi2.dims == ("mass_mev", "g")
        assert dataset.mass_mev.attrs["units"] == "MeV"
    assert run(*words, "--out", "s.zarr", "--resume").code == 0
    assert run("contour", "s.zarr").code == 0
    with open("s.csv", encoding="utf-8") as file:
        assert "\n# content: " in file.read()
    assert json.loads(run("inspect", "s.zarr", "--json").out)["shape"] == {"mass_mev": 40, "g": 50}


def test_marginal_agrees_with_the_exact_profile(run):
    axes = [word for name in ("q_ee", "q_emu", "q_etau")
            for word in ("--axis", f"{name}=-4e-12:4e-12:61")]  # fmt: skip
    outcome = run("marginal", "millicharge", *axes, "--keep", "q_ee", "--json")
    ((low, high),) = json.loads(outcome.out)["intervals"]
    (exact,) = fastscan.likelihood("millicharge").limit("q_ee").intervals
    assert (low, high) == pytest.approx(exact, rel=5e-3, abs=0)


def test_scan_in_single_precision(run):
    axes = ("--axis", "mass_mev=0.1:10:9:log", "--axis", "g=1e-6:1e-4:11:log")
    outcome = run("scan", "vector", *axes, "--out", "x.zarr", "--dtype", "float32", "--json")
    assert json.loads(outcome.out)["header"]["dtype"] == "float32"
    for command in (("contour", "x.zarr"), ("inspect", "x.zarr"), ("plot", "x.zarr")):
        assert run(*command).code == 0
    again = run("scan", "vector", *axes, "--out", "x.zarr", "--resume")
    assert again.code == 2
    assert "its dtype differs" in again.err


def test_band_of_a_marginal(run):
    axes = ("--axis", "q_ee=-3e-12:3e-12:11", "--axis", "q_emu=-3e-12:3e-12:31")
    outcome = run("marginal", "millicharge", *axes, "--keep", "q_ee", "--band", "q_emu", "--json")
    found = json.loads(outcome.out)
    assert found["level"] == pytest.approx(found["chi2_min"] + 4.605, abs=1e-3)
    lines = Path(found["file"]).read_text().splitlines()
    assert "q_ee,q_emu_low,q_emu_high" in lines
    # Transition elements enter as squares.
    low, high = map(float, lines[-6].split(",")[1:])
    assert low == -high < 0.0


def test_boundary_with_a_profiled_partner(run):
    axis = ("--axis", "q_ee=-1e-12:1e-12:5")
    arguments = ("boundary", "millicharge", *axis, "--poi", "q_emu", "--profile", "q_etau")
    found = json.loads(run(*arguments, "-o", "b.csv", "--json").out)
    assert found["header"]["profiled"] == ["q_etau"]
    assert "# profiled: q_etau" in Path("b.csv").read_text()
