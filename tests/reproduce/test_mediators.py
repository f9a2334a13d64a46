"""The quickstart job: limits, scans, contours and the figure, on coarse grids."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.special import chdtrc

import fastscan
from fastscan import InputError, ScanResult, StoreError
from fastscan.cli import main
from fastscan.reproduce import QuickstartResult, mediators, run_quickstart
from fastscan.reproduce.mediators import CHANNELS, MEDIATORS, mediator_figure

MASSES = (0.01, 10.0)
POINTS = 40
KEYS = [(mediator.name, channels) for mediator in MEDIATORS for channels in CHANNELS]


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, float]]:
    return []


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, float]]
) -> QuickstartResult:
    out = tmp_path_factory.mktemp("quickstart") / "new" / "folder"
    return run_quickstart(
        out,
        masses_mev=MASSES,
        grid_points=POINTS,
        progress=lambda *step: steps.append(step),
    )


def copied(finished: QuickstartResult, folder: Path) -> Path:
    return Path(shutil.copytree(finished.paths[0].parent, folder / "copy"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def likelihood(mediator: str, channels: str) -> fastscan.Likelihood:
    model, options = {"vector-b-l": ("vector", {"charges": "b-l"}), "scalar": ("scalar", {})}[
        mediator
    ]
    return fastscan.likelihood(model, channels=channels, **options)


def test_limits_are_those_of_the_likelihood(finished: QuickstartResult) -> None:
    assert len(finished.limits) == len(KEYS) * len(MASSES)
    for found in finished.limits:
        expected = likelihood(found.mediator, found.channels).limit(
            "g", {"mass_mev": found.mass_mev}, cl=0.90
        )
        assert found.upper_limit == expected.intervals[-1][1]
        assert found.intervals == expected.intervals
        assert (found.best_fit, found.chi2_min) == (expected.best_fit, expected.chi2_min)


def test_electrons_help_light_mediators_only(finished: QuickstartResult) -> None:
    limit = {(x.mediator, x.channels, x.mass_mev): x.upper_limit for x in finished.limits}
    for mediator in ("vector-b-l", "scalar"):
        light, heavy = (
            limit[mediator, "both", mass] / limit[mediator, "cevns", mass] for mass in MASSES
        )
        assert light < 0.8
        assert heavy == pytest.approx(1.0, abs=1e-2)


def test_limits_on_disk_are_the_same(finished: QuickstartResult) -> None:
    folder = finished.paths[0].parent
    lines = (folder / "limits.csv").read_text().splitlines()
    comments = [text for text in lines if text.startswith("#")]
    rows = list(csv.DictReader(text for text in lines if not text.startswith("#")))
    document = json.loads((folder / "limits.json").read_text())
    assert document["experiment"] == "conus-plus"
    assert document["cl"] == 0.9
    assert any(document["tensors_sha256"] in text for text in comments)
    for found, row, entry in zip(finished.limits, rows, document["limits"], strict=True):
        assert (row["mediator"], row["channels"]) == (found.mediator, found.channels)
        assert float(row["mass_mev"]) == found.mass_mev
        assert float(row["upper_limit"]) == pytest.approx(found.upper_limit, rel=1e-8, abs=0)
        assert entry["upper_limit"] == found.upper_limit
        assert entry["intervals"] == [list(interval) for interval in found.intervals]


def test_unset_bounds_are_null_in_json() -> None:
    limit = mediators.MediatorLimit(
        "scalar", "both", 1.0, np.inf, [(0.0, 1.0), (2.0, np.inf)], np.inf, 7.0
    )
    (row,) = json.loads(mediators._limits_json({}, [limit]))["limits"]
    assert row["upper_limit"] is None
    assert row["best_fit"] is None
    assert row["intervals"] == [[0.0, 1.0], [2.0, None]]


def test_everything_is_written_under_its_name(finished: QuickstartResult) -> None:
    folder = finished.paths[0].parent
    names = {f"{'-'.join(key)}.{suffix}" for key in KEYS for suffix in ("zarr", "csv")}
    names |= {"limits.csv", "limits.json", "mediators.pdf", "mediators.png"}
    assert {path.name for path in finished.paths} == names
    assert {path.name for path in folder.iterdir()} == names


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_scans_hold_the_border_and_contours_follow_it(
    finished: QuickstartResult, key: tuple[str, str]
) -> None:
    folder = finished.paths[0].parent
    scan = ScanResult.open(folder / f"{'-'.join(key)}.zarr")
    assert scan.shape == (POINTS, POINTS)
    assert scan.header["channels"] == key[1]
    excluded = scan.values > scan.best_fit.chi2 + 4.605170186
    # At every mass the smallest coupling is allowed and the largest is not.
    assert not excluded[:, 0].any()
    assert excluded[:, -1].all()
    text = (folder / f"{'-'.join(key)}.csv").read_text().splitlines()
    assert any("90 % C.L., 2 degrees of freedom" in row for row in text)
    rows = [row for row in text if not row.startswith("#")]
    assert rows[0] == "line,mass_mev,g"
    points = np.loadtxt(rows[1:], delimiter=",")
    assert points[:, 1].min() == pytest.approx(1e-3)
    assert points[:, 1].max() == pytest.approx(1e4)
    for _, mass_mev, g in points[:: len(points) // 5]:
        at = {"mass_mev": mass_mev}
        rise = scan.best_fit.chi2 + 4.605170186 - likelihood(*key).limit("g", at).chi2_min
        limit = likelihood(*key).limit("g", at, cl=1.0 - chdtrc(1, rise))
        # Interpolated between grid points that lie 40 % apart in g.
        assert g == pytest.approx(limit.intervals[-1][1], rel=0.15, abs=0)


def test_figure_has_a_panel_for_each_mediator(finished: QuickstartResult) -> None:
    figure = mediator_figure(finished.scans)
    assert figure.get_size_inches()[0] == pytest.approx(17.8 / 2.54)
    vector, scalar = figure.axes
    assert "B-L" in vector.get_title(loc="left")
    assert scalar.get_title(loc="left") == "Scalar"
    assert vector.get_title(loc="right") == scalar.get_title(loc="right") == "CONUS+ 2025"
    assert vector.get_ylabel() == r"$g_{B\!-\!L}$"
    assert scalar.get_ylabel() == r"$g_\phi$"
    assert scalar.get_xlabel() == r"$M_\phi$ [MeV]"
    for panel in (vector, scalar):
        assert panel.get_xlim() == pytest.approx((1e-3, 1e4))
        assert panel.get_ylim() == pytest.approx((1e-7, 1e-1))
        legend = panel.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == [
            r"CE$\nu$NS",
            r"CE$\nu$NS + E$\nu$ES",
        ]


def test_nothing_is_overwritten_unasked(finished: QuickstartResult, tmp_path: Path) -> None:
    folder = copied(finished, tmp_path)
    before = contents(folder)
    with pytest.raises(StoreError, match="exists and is not overwritten"):
        run_quickstart(folder, masses_mev=MASSES, grid_points=POINTS)
    assert contents(folder) == before


def test_two_runs_write_the_same_bytes(finished: QuickstartResult, tmp_path: Path) -> None:
    run_quickstart(tmp_path, masses_mev=MASSES, grid_points=POINTS)
    assert contents(tmp_path) == contents(finished.paths[0].parent)


def test_second_run_keeps_equal_scans_and_repairs_what_is_missing(
    finished: QuickstartResult, tmp_path: Path
) -> None:
    folder = copied(finished, tmp_path)
    whole = contents(folder)
    chunk = folder / "vector-b-l-both.zarr" / "chi2" / "c" / "0" / "0"
    written = chunk.stat().st_mtime_ns
    # As an interrupted run leaves it: a scan not begun, no figure.
    shutil.rmtree(folder / "scalar-both.zarr")
    (folder / "mediators.pdf").unlink()
    # A scan of something else.
    shutil.rmtree(folder / "vector-b-l-cevns.zarr")
    shutil.copytree(folder / "vector-b-l-both.zarr", folder / "vector-b-l-cevns.zarr")
    # As a failing disk leaves it.
    damaged = folder / "scalar-cevns.zarr" / "chi2" / "c" / "0" / "0"
    damaged.write_bytes(damaged.read_bytes()[:-10])
    run_quickstart(folder, overwrite=True, masses_mev=MASSES, grid_points=POINTS)
    assert contents(folder) == whole
    assert chunk.stat().st_mtime_ns == written


def test_foreign_folders_are_not_deleted(finished: QuickstartResult, tmp_path: Path) -> None:
    folder = copied(finished, tmp_path)
    shutil.rmtree(folder / "scalar-both.zarr")
    mine = folder / "scalar-both.zarr" / "thesis.tex"
    mine.parent.mkdir()
    mine.write_text("years of work")
    with pytest.raises(StoreError):
        run_quickstart(folder, overwrite=True, masses_mev=MASSES, grid_points=POINTS)
    assert mine.read_text() == "years of work"


def test_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="folder can not be made"):
            run_quickstart(out)


def test_progress_rises_to_one(steps: list[tuple[str, float]], finished: QuickstartResult) -> None:
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], steps[-1]) == (0.0, ("done", 1.0))
    labels = list(dict.fromkeys(label for label, _ in steps))
    assert labels[:3] == ["tensors", "limits", "scan vector-b-l-cevns"]


def test_command_prints_the_table_and_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["quickstart", "-o", "here"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    rows = [text.split() for text in out.splitlines()]
    masses = [row[:2] for row in rows if row[1:2] in (["keV"], ["MeV"], ["GeV"])]
    assert masses == [
        m.split() for m in ("10 keV", "100 keV", "1 MeV", "10 MeV", "100 MeV", "1 GeV")
    ]
    (ten_mev,) = (row for row in rows if row[:2] == ["10", "MeV"])
    expected = [
        likelihood(*key).limit("g", {"mass_mev": 10.0}, cl=0.90).intervals[-1][1] for key in KEYS
    ]
    assert [float(cell) for cell in ten_mev[2:]] == pytest.approx(expected, rel=1e-3)
    assert str(Path("here") / "mediators.pdf") in out
    with pytest.raises(SystemExit) as end:
        main(["quickstart", "-o", "here"])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--force" in error
