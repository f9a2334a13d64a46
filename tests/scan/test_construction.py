"""Feldman-Cousins planes: the same bits however they are made, and the coverage they state."""

import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

import fastscan
from fastscan import Axis
from fastscan.exceptions import InputError, StoreError
from fastscan.inference import shared_toys
from fastscan.inference.critical_values import critical_value
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.plotting.construction import plot_construction
from fastscan.scan import completion, construction
from fastscan.scan.construction import (
    ConstructionResult,
    run_construction,
)
from fastscan.scan.construction_contour import construction_contour
from fastscan.scan.construction_store import is_construction

AXES = [Axis("mass_mev", 1.0, 100.0, 5, "log"), Axis("g", 1e-6, 1e-3, 7, "log")]
FEW = {"toys": 256, "precision": 0.2, "seed": 5}


@pytest.fixture(autouse=True)
def few_toys(monkeypatch):
    monkeypatch.setattr(shared_toys, "PER_COMPONENT", 16)
    monkeypatch.setattr(construction, "PORTION", 512)


@pytest.fixture(scope="module")
def vector(tables):
    return fastscan.likelihood("vector")


@pytest.fixture
def made(vector, tmp_path):
    return run_construction(vector, AXES, out=tmp_path / "x.zarr", workers=1, **FEW)


def contents(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("scheduler", "workers"), [("threads", 2), ("processes", 2)])
def test_it_is_the_same_with_any_number_of_workers(vector, made, tmp_path, scheduler, workers):
    out = tmp_path / "other.zarr"
    run_construction(vector, AXES, out=out, scheduler=scheduler, workers=workers, **FEW)
    assert contents(out) == contents(made.path)


def test_killed_and_resumed_it_is_the_same(vector, made, tmp_path):
    """SIGKILL after two of five rows; the finished ones are not made again."""
    files = contents(made.path)
    out = tmp_path / "killed.zarr"
    child = os.fork()
    if child == 0:

        def die(done, total):
            if done == 2:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            # No thread of the parent lives on in a fork: rows are made one by one here.
            completion.executor = OneByOne
            run_construction(vector, AXES, out=out, progress=die, **FEW)
        finally:
            os._exit(1)
    deadline = time.monotonic() + 60.0
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(StoreError, match="2 of 5 rows"):
        ConstructionResult.open(out)
    first = out / "statistic" / "c" / "0" / "0"
    before = first.stat().st_mtime_ns
    seen = []
    run_construction(vector, AXES, out=out, resume=True, progress=lambda *n: seen.append(n), **FEW)
    assert contents(out) == files
    assert first.stat().st_mtime_ns == before
    assert seen[0] == (2, 5)


class OneByOne:
    def __init__(self, *_):
        pass

    def __enter__(self):
        def run(task, shared, blocks, tick):
            for index in blocks:
                task(shared, index)
                tick()

        return run

    def __exit__(self, *_):
        pass


def test_what_the_shared_toys_can_not_say_is_from_toys_of_its_own(vector, tmp_path, monkeypatch):
    """No number of shared toys is enough."""
    monkeypatch.setattr(construction, "MOST", 4)
    made = run_construction(vector, AXES, out=tmp_path / "x.zarr", workers=1, **FEW)
    fits = ToyFits(vector, ["mass_mev", "g"], ranges={"mass_mev": (1.0, 100.0)})
    point = [float(made.coordinates[name][2]) for name in made.names]
    drawn = draw_toys(fits.means(np.array([point]))[0], 512, 5, (2, 2, 0))
    found = critical_value(fits.rises(drawn, point), 0.90)
    assert made.toys[2, 2] == 512
    assert made.critical_value[2, 2] == found.value
    assert made.critical_error[2, 2] == found.error


def test_statistic_is_that_of_a_scan(vector, made):
    chi2 = fastscan.scan_in_memory(vector, AXES).values
    assert made.statistic == pytest.approx(chi2 - made.best_fit.chi2, rel=1e-7, abs=1e-7)
    assert made.statistic.min() >= 0.0


def test_errors_are_as_small_as_asked(vector, tmp_path):
    axes = [Axis("mass_mev", 5.0, 20.0, 2, "log"), Axis("g", 1e-5, 2e-5, 2)]
    made = run_construction(vector, axes, out=tmp_path / "x.zarr", toys=1000, precision=0.02)
    assert (made.critical_error / made.critical_value).max() <= 0.02
    assert made.toys.min() >= 1000


def test_two_couplings_make_a_plane(tables, tmp_path):
    likelihood = fastscan.likelihood("vector", charges="b-l")
    axes = [Axis("g", 1e-6, 3e-5, 3), Axis("sin2_theta_w", 0.15, 0.35, 3)]
    found = run_construction(likelihood, axes, {"mass_mev": 10.0}, out=tmp_path / "x.zarr", **FEW)
    assert (found.critical_value > 1.0).all()
    assert (found.critical_value < 7.0).all()


def test_border_and_figure(made, tmp_path):
    border = construction_contour(made)
    border.write(tmp_path / "x.csv")
    lines = len(border.lines)
    text = (tmp_path / "x.csv").read_text().splitlines()
    rows = [line.split(",") for line in text if not line.startswith("#")]
    assert rows[0] == ["line", "mass_mev", "g"]
    assert len({row[0] for row in rows[1:]}) == lines
    assert all(1.0 <= float(row[1]) <= 100.0 for row in rows[1:])
    assert plot_construction(made, tmp_path / "x.png").stat().st_size > 10_000


def test_resume_of_another_one_is_refused(vector, made):
    other = {**FEW, "seed": 6}
    with pytest.raises(StoreError, match="seed differs"):
        run_construction(vector, AXES, out=made.path, resume=True, **other)
    with pytest.raises(StoreError, match="exists"):
        run_construction(vector, AXES, out=made.path, **FEW)


def test_scans_and_constructions_are_told_apart(vector, made, tmp_path):
    fastscan.run_scan(vector, AXES, out=tmp_path / "scan.zarr")
    assert is_construction(made.path)
    assert not is_construction(tmp_path / "scan.zarr")
    with pytest.raises(StoreError, match="not a scan"):
        fastscan.ScanResult.open(made.path)
    with pytest.raises(StoreError, match="not a construction"):
        ConstructionResult.open(tmp_path / "scan.zarr")


def test_damage_is_found(made, tmp_path):
    chunk = made.path / "critical_value" / "c" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"\0")
    with pytest.raises(StoreError, match="damaged"):
        _ = ConstructionResult.open(made.path).critical_value
    copy = tmp_path / "y.zarr"
    shutil.copytree(made.path, copy)
    text = (copy / "zarr.json").read_text()
    (copy / "zarr.json").write_text(text.replace('"seed": 5', '"seed": 7'))
    with pytest.raises(StoreError, match="metadata were changed"):
        ConstructionResult.open(copy)
    assert zarr.open_group(made.path, mode="r")["toys"].shape == (5, 7)


@pytest.mark.parametrize("axes", [AXES[:1], [Axis("mass_mev", 1.0, 2.0, 2)], [AXES[1]]])
def test_planes_alone_are_constructed(vector, tmp_path, axes):
    given = {} if axes[0].name == "mass_mev" else {"mass_mev": 1.0}
    with pytest.raises(InputError, match=r"\(axes\)"):
        run_construction(vector, axes, given, out=tmp_path / "x.zarr", **FEW)
