"""Models of one's own on the command line."""

import json

import pytest


def test_a_limit(run, copied):
    guest = run("limit", copied, "--poi", "g", "--set", "mass_mev=10", "--json")
    assert guest.code == 0
    shipped = json.loads(run("limit", "vector", "--poi", "g", "--set", "mass_mev=10", "--json").out)
    assert json.loads(guest.out) == {**shipped, "model": "copied"}


def test_options_of_the_constructor(run, copied):
    words = ("--poi", "g", "--set", "mass_mev=10")
    by_option = run("limit", copied, *words, "--option", "charges=b-3l_e")
    assert by_option.out == run("limit", copied, *words, "--charges", "b-3l_e").out
    assert "charges = b-3l_e" in by_option.out
    assert run("limit", copied, *words, "--option", "charge=b-l").code == 2


def test_the_commands_of_the_readme(run, two_mediators):
    held = ("--set", "mass_mev=1", "--set", "g=1e-5")
    done = run("limit", two_mediators, "--poi", "h", "--set", "heavy_mev=100", *held)
    assert done.code == 0
    assert "held: mass_mev = 1 MeV, heavy_mev = 100 MeV, g = 1e-05" in done.out


def test_a_model_is_described(run, two_mediators):
    (about,) = json.loads(run("models", two_mediators, "--json").out)
    assert about["model"] == "two-mediators"
    kinds = {p["name"]: p["kind"] for p in about["parameters"]}
    assert kinds["heavy_mev"] == "shape"
    assert kinds["h"] == "coupling"
    assert "two B-L mediators" in run("models", two_mediators).out


def test_files_are_not_among_the_models(run, copied):
    run("models", copied)
    assert "copied" not in run("models").out


@pytest.fixture
def store(run, copied):
    axes = ("--axis", "mass_mev=1:100:20:log", "--axis", "g=1e-6:1e-3:20:log")
    assert run("scan", copied, *axes, "--out", "x.zarr").code == 0
    return "x.zarr"


@pytest.fixture
def forgotten(monkeypatch):
    """A process in which no file was named yet."""
    from fastscan.models import registry

    monkeypatch.setattr(registry, "_named", {})


@pytest.mark.parametrize("command", ["plot", "contour"])
def test_a_store_with_its_model(run, store, forgotten, copied, command):
    done = run(command, store, "--model", copied)
    assert done.code == 0
    assert "interpolated between" not in done.err


def test_a_plot_without_its_model(run, store, forgotten):
    done = run("plot", store)
    assert done.code == 2
    assert "model copied of copied.py is not known here" in done.err
    assert "--model FILE.py:Class" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_contour_without_its_model(run, store, forgotten):
    done = run("contour", store)
    assert done.code == 0
    assert "interpolated between the points of the grid" in done.err
    assert "--model FILE.py:Class" in done.err


def test_inspection_needs_no_model(run, store, forgotten):
    about = json.loads(run("inspect", store, "--json").out)
    assert about["header"]["model_file"] == "copied.py"
    assert about["best_fit"]["chi2"] > 0.0


def test_a_store_with_another_model(run, store, forgotten, two_mediators):
    done = run("plot", store, "--model", two_mediators)
    assert done.code == 2
    assert "the scan is of model copied, not two-mediators" in done.err


def test_a_model_named_for_a_store_of_a_shipped_one(run, copied):
    run("scan", "vector", "--axis", "mass_mev=1:9:3", "--axis", "g=0:1e-4:3", "--out", "v.zarr")
    done = run("contour", "v.zarr", "--model", copied)
    assert done.code == 2
    assert "the scan is of vector, which is shipped" in done.err


def test_resuming(run, store, copied):
    axes = ("--axis", "mass_mev=1:100:20:log", "--axis", "g=1e-6:1e-3:20:log")
    assert run("scan", copied, *axes, "--out", store, "--resume").code == 0


def test_an_error_of_the_model(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from fastscan.models.sm import StandardModel\n\n"
        "class Mine(StandardModel):\n    name = 'mine'\n\n"
        "    def cross_section(self, recoils):\n        return recoils.charge\n"
    )
    done = run("predict", f"{path}:Mine")
    assert done.code == 2
    assert f"({path}, line 7)" in done.err
    assert len(done.err.strip().splitlines()) == 1


SYMBOLS = """
from fastscan.models import Model, Parameter
from fastscan.models.base import WEAK_MIXING_ANGLE
from fastscan.models.sm import StandardModel


class Mine(StandardModel):
    name = "mine"
    parameters = (
        Parameter("sin2_theta_w", {unit!r}, 0.2, {symbol!r}, "an angle", 0.0, 1.0),
    )
"""


@pytest.mark.parametrize(
    ("symbol", "unit", "code"), [("s", "$", 0), (r"\sin^2", "a_b", 0), (r"\frac{", "1", 2)]
)
def test_words_of_a_model_in_a_figure(run, tmp_path, symbol, unit, code):
    """A unit is shown as it is written; a symbol is TeX, and told where it is not."""
    path = tmp_path / "mine.py"
    path.write_text(SYMBOLS.format(symbol=symbol, unit=unit))
    model = f"{path}:Mine"
    assert run("scan", model, "--axis", "sin2_theta_w=0.1:0.4:31", "--out", "s.zarr").code == 0
    done = run("plot", "s.zarr", "--model", model)
    assert done.code == code
    if code:
        assert "the symbol '\\\\frac{' can not be drawn (parameter sin2_theta_w)" in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_coverage_of_a_model_with_two_masses(run, two_mediators):
    done = run("coverage", two_mediators, "--toys", "50", "--json")
    assert done.code == 0
    (point,) = json.loads(done.out)["points"]
    assert point["model"] == "two-mediators"
    assert point["parameters"]["heavy_mev"] == 10.0
