"""No output is written over another unasked, over anything but a file, or to a URL."""

from pathlib import Path

import pytest

from fastscan import Axis, likelihood, run_scan

POINT = ("--set", "mass_mev=10")
COMMANDS = {
    "contour": ("contour", "x.zarr"),
    "plot": ("plot", "x.zarr"),
    "marginal": (
        *("marginal", "millicharge", "--keep", "q_ee"),
        *("--axis", "q_ee=-1e-12:1e-12:5", "--axis", "q_emu=-1e-12:1e-12:5"),
    ),
    "band": (
        *("marginal", "nsi", "--keep", "eps_ee_u", "--band", "eps_ee_d"),
        *("--axis", "eps_ee_u=-1:1:5", "--axis", "eps_emu_u=-1:1:5"),
    ),
    "boundary": ("boundary", "vector", "--axis", "mass_mev=1:10:3:log"),
    "evaluate": ("evaluate", "vector", "points.csv"),
    "posterior": ("posterior", "vector", "--poi", "g", *POINT),
    "fit": ("fit", "vector", *POINT),
    "impacts": ("impacts", "sm", "--poi", "sin2_theta_w"),
    "impacts figure": ("impacts", "sm", "--poi", "sin2_theta_w"),
    "sensitivity": (*("sensitivity", "vector", "--poi", "g", "--axis", "mass_mev=1:10:3:log"),),
    "coverage": ("coverage", "sm", "--toys", "10"),
}
TABLES = ("contour", "marginal", "band", "boundary", "evaluate", "impacts", "coverage")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    axes = [Axis("mass_mev", 0.1, 10.0, 12, "log"), Axis("g", 1e-7, 1e-3, 30, "log")]
    run_scan(likelihood("vector"), axes, out=folder / "x.zarr")
    (folder / "points.csv").write_text("mass_mev,g\n1,1e-5\n")
    return folder


def output(name):
    return f"out{'.csv' if name in TABLES else '.png'}"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", ["file", "folder", "link", "forced folder", "forced link"])
def test_what_is_there_stays(run, made, name, kind):
    for part in ("x.zarr", "points.csv"):
        Path(part).symlink_to(made / part)
    out, target = Path(output(name)), Path("target")
    target.write_text("years of work")
    if kind.endswith("folder"):
        out.mkdir()
        (out / "thesis.tex").write_text("years of work")
    elif kind.endswith("link"):
        out.symlink_to(target)
    else:
        out.write_text("years of work")
    forced = ("--force",) if kind.startswith("forced") else ()
    outcome = run(*COMMANDS[name], "-o", str(out), *forced)
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert str(out) in line
    assert ("never replaced" if forced else "--force") in line
    kept = out / "thesis.tex" if kind.endswith("folder") else out
    assert kept.read_text() == "years of work"
    assert target.read_text() == "years of work"
    assert out.is_symlink() == kind.endswith("link")
    assert len(list(Path().iterdir())) == 4


@pytest.mark.parametrize("name", COMMANDS)
def test_a_url_is_no_output(run, made, name):
    for part in ("x.zarr", "points.csv"):
        Path(part).symlink_to(made / part)
    outcome = run(*COMMANDS[name], "-o", f"s3://bucket/{output(name)}", "--force")
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "is a URL" in line
    assert "--out" in line
    assert len(list(Path().iterdir())) == 2


URL = "https://host/it"
INPUTS = [
    ("scan", "vector", "--axis", "g=0:1:2", "-o", "s3://bucket/a.zarr"),
    ("quickstart", "-o", "s3://bucket/a"),
    ("reproduce", "a25", "-o", "s3://bucket/a"),
    ("reproduce", "a25", "--overlay", f"{URL}.csv"),
    ("predict", "sm", "--tables", "gs://bucket/tables"),
    ("build", "--tables", "gs://bucket/tables"),
    ("bench", "--tables", "gs://bucket/tables"),
    ("predict", "sm", "--experiment", f"{URL}.toml"),
    ("predict", "sm", "--experiment", URL),
    ("build", f"{URL}.toml"),
    ("predict", "sm", "--flux-weights", f"{URL}.csv"),
    ("contour", f"{URL}.zarr"),
    ("plot", f"{URL}.zarr"),
    ("plot", "x.zarr", "--overlay", "file:///tmp/a.csv"),
    ("inspect", f"{URL}.zarr"),
    ("evaluate", "vector", f"{URL}.csv", "-o", "out.csv"),
]


@pytest.mark.parametrize("words", INPUTS, ids=" ".join)
def test_a_url_is_no_path(run, words):
    outcome = run(*words)
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "is a URL" in line
    assert list(Path().iterdir()) == []


def test_a_url_in_the_environment(run, monkeypatch):
    monkeypatch.setenv("FASTSCAN_TABLES", "s3://bucket/tables")
    outcome = run("predict", "sm")
    assert outcome.code == 2
    assert "is a URL" in outcome.err
    assert "FASTSCAN_TABLES" in outcome.err
    assert list(Path().iterdir()) == []


def test_a_url_in_an_experiment(run):
    text = run("experiments", "--show", "conus-plus").out
    Path("mine.toml").write_text(
        text.replace("shipped:conus_plus_2025_excess.csv", "s3://bucket/x.csv")
    )
    assert "s3://" in Path("mine.toml").read_text()
    outcome = run("predict", "sm", "--experiment", "mine.toml")
    assert outcome.code == 2
    assert "is a URL" in outcome.err


def test_what_is_read_is_not_replaced(run):
    points = Path("points.csv")
    points.write_text("mass_mev,g\n1,1e-5\n")
    outcome = run("evaluate", "vector", "points.csv", "-o", "./points.csv", "--force")
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "a file that the command reads (./points.csv)" in line
    assert points.read_text() == "mass_mev,g\n1,1e-5\n"


def test_counts_that_are_read_are_not_replaced(run):
    run("predict", "sm", "-o", "counts.csv")
    before = Path("counts.csv").read_bytes()
    again = ("predict", "sm", "--data", "counts.csv", "-o", "counts.csv", "--force")
    assert run(*again).code == 2
    assert Path("counts.csv").read_bytes() == before
