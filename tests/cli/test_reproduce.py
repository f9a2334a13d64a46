"""``fastscan reproduce``."""

import hashlib
import json
from pathlib import Path

import pytest

import fastscan
from fastscan.inputs.manifest import file_hashes
from fastscan.inputs.shipped import data_directory
from fastscan.reproduce import papers, sensitivity
from fastscan.reproduce.readings import READINGS
from fastscan.tensors import store_path

TABLES = ["comparison.csv", "comparison.md", "settings.json"]
SENSITIVITY = ["sensitivity.csv", "sensitivity.md"]
OVERLAY = "# label: others\n# source: them\n# model: {model}\n{columns}\n1,1\n2,2\n3,1\n"


@pytest.fixture
def drawn(monkeypatch):
    """Calls for figures, which are tested on their own: each writes one file."""
    calls = []

    def figures(paper):
        def run(out, *, tables, overwrite, progress, overlays):
            calls.append((paper, [overlay.model for overlay in overlays]))
            progress("figure 1", 0.5)
            (out / "fig1.pdf").write_text(paper)
            return [out / "fig1.pdf"]

        return 1.0, run

    monkeypatch.setattr(papers, "_figures", figures)
    return calls


@pytest.fixture
def quick(monkeypatch):
    """A sensitivity table of a few milliseconds, and a comparison that only knows its papers."""
    monkeypatch.setattr(sensitivity, "VARIANTS", sensitivity.VARIANTS[:1])
    monkeypatch.setattr(sensitivity, "QUANTITIES", sensitivity.QUANTITIES[:2])

    def run_comparison(out, *, papers, tables, overwrite, progress):
        paths = [out / name for name in TABLES[:2]]
        for path in paths:
            path.write_text(" ".join(papers))
        return paths

    monkeypatch.setattr(papers, "run_comparison", run_comparison)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.*"))


def test_a25_and_its_settings(run, drawn):
    outcome = run("reproduce", "a25", "-o", "again")
    assert (outcome.code, outcome.err) == (0, "")
    assert names("again") == ["a25/fig1.pdf", *TABLES]
    assert outcome.out.split() == [str(Path("again") / name) for name in ("a25/fig1.pdf", *TABLES)]
    assert "0.047" in Path("again/comparison.md").read_text(encoding="utf-8")

    settings = json.loads(Path("again/settings.json").read_text(encoding="utf-8"))
    assert settings["papers"] == {"a25": "arXiv:2501.10355"}
    assert settings["versions"]["fastscan"] == fastscan.__version__
    assert settings["constants"]["sin2_theta_w"] == 0.23857
    assert {name: entry["sha256"] for name, entry in settings["data"].items()} == file_hashes(
        data_directory()
    )
    assert set(settings["readings"]) == {"conus-plus-a25"}
    reading = settings["readings"]["conus-plus-a25"]
    experiment = fastscan.load_experiment("conus-plus-a25")
    assert reading["experiment"] == json.loads(json.dumps(experiment.to_dict()))
    assert reading["tensors_sha256"] == store_path(experiment).stem
    assert settings["models"]["vector"]["options"] == {"charges": "b-l"}
    assert settings["models"]["sm"]["parameters"]["sin2_theta_w"]["default"] == 0.23857
    assert "sensitivity" not in settings
    for name, sha256 in settings["outputs"].items():
        assert hashlib.sha256((Path("again") / name).read_bytes()).hexdigest() == sha256
    assert set(settings["outputs"]) == {"a25/fig1.pdf", *TABLES[:2]}
    assert str(Path.cwd()) not in json.dumps(settings)


def test_all_is_both_papers_and_the_default(run, drawn, quick):
    assert run("reproduce", "--quiet").out == ""
    assert names("reproduce-all") == sorted(["a25/fig1.pdf", "c25/fig1.pdf", *TABLES, *SENSITIVITY])
    assert [paper for paper, _ in drawn] == ["c25", "a25"]
    assert Path("reproduce-all/comparison.md").read_text() == "c25 a25"
    settings = json.loads(Path("reproduce-all/settings.json").read_text(encoding="utf-8"))
    assert set(settings["readings"]) == {reading.name for reading in READINGS}
    changes = [row["changes"] for row in settings["sensitivity"]]
    assert {"ionisation.resolution": "none"} in changes


def test_c25_has_the_sensitivity_of_its_limits(run, drawn, quick):
    assert run("reproduce", "c25").code == 0
    assert set(SENSITIVITY) < set(names("reproduce-c25"))
    assert Path("reproduce-c25/comparison.md").read_text() == "c25"


def test_existing_output_is_kept_unless_forced(run, drawn, quick):
    assert run("reproduce", "c25", "-o", "x").code == 0
    before = {path: path.read_bytes() for path in Path("x").rglob("*.*")}
    drawn.clear()
    outcome = run("reproduce", "c25", "-o", "x")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "--force" in outcome.err
    assert drawn == []
    assert {path: path.read_bytes() for path in Path("x").rglob("*.*")} == before
    assert run("reproduce", "c25", "-o", "x", "--force", "--quiet").code == 0
    assert {path: path.read_bytes() for path in Path("x").rglob("*.*")} == before


@pytest.mark.parametrize("name", ["a25", *TABLES])
def test_anything_in_the_way_is_noticed_before_any_work(run, drawn, name):
    Path("x").mkdir()
    (Path("x") / name).write_text("mine")
    outcome = run("reproduce", "a25", "-o", "x")
    assert outcome.code == 2
    assert str(Path("x") / name) in outcome.err
    assert drawn == []
    assert names("x") == ([name] if "." in name else [])
    assert (Path("x") / name).read_text() == "mine"


def test_unknown_paper(run, drawn):
    outcome = run("reproduce", "c52", "-o", "x")
    assert outcome.code == 2
    assert outcome.err == (
        "fastscan: unknown paper 'c52' (fastscan reproduce); did you mean 'c25'?\n"
    )
    assert not Path("x").exists()


def test_folder_that_can_not_be_made(run, drawn):
    Path("file").write_text("")
    outcome = run("reproduce", "a25", "-o", "file/below")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert drawn == []


def test_overlays_go_to_the_paper_of_their_model(run, drawn, quick):
    for model, columns in (
        ("vector", "mass_mev,g"),
        ("nsi", "eps_u_ee,eps_d_ee"),
        ("scalar", "mass_mev,g"),
    ):
        Path(f"{model}.csv").write_text(OVERLAY.format(model=model, columns=columns))
    words = [
        word for model in ("vector", "nsi", "scalar") for word in ("--overlay", f"{model}.csv")
    ]
    assert run("reproduce", "all", *words).code == 0
    assert drawn == [("c25", ["vector", "scalar"]), ("a25", ["nsi"])]
    settings = json.loads(Path("reproduce-all/settings.json").read_text(encoding="utf-8"))
    assert [overlay["file"] for overlay in settings["overlays"]] == [
        "vector.csv",
        "nsi.csv",
        "scalar.csv",
    ]


def test_overlay_that_is_not_there(run, drawn):
    outcome = run("reproduce", "a25", "--overlay", "none.csv")
    assert outcome.code == 2
    assert "none.csv" in outcome.err
    assert drawn == []


def test_progress_of_the_whole(drawn, quick, tmp_path):
    steps = []
    papers.run_papers(("c25", "a25"), tmp_path, progress=lambda *step: steps.append(step))
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert steps[-1] == ("done", 1.0)
    assert steps[0][0] == "C25, figure 1"
