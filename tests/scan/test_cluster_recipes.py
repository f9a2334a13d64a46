"""Scans through worker processes on the loopback, and the recipes for queues of batch jobs."""

import importlib.util
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster
from scan_helpers import contents

import fastscan
from fastscan import Axis, Likelihood, ScanResult, run_scan, scan_in_memory
from fastscan.models.vector import VectorMediator
from fastscan.storage.writer import BlockWriter

RECIPES = Path(__file__).resolve().parents[2] / "scripts" / "clusters"
QUIET = {
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "scheduler_kwargs": {"dashboard": False},
    "threads_per_worker": 1,
}


class Witness:
    """Notes in a folder, one file a process, how often it arrived there."""

    def __init__(self, folder):
        self.folder = folder

    def __setstate__(self, state):
        self.__dict__.update(state)
        with open(self.folder / str(os.getpid()), "a", encoding="utf-8") as file:
            file.write("arrived\n")


@pytest.fixture(scope="module")
def cluster(tables):
    """Two worker processes that import this file by its name, and nannies that replace them."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        with LocalCluster(n_workers=2, processes=True, **QUIET) as running:
            running.wait_for_workers(2)
            yield running


@pytest.fixture
def recipe(request):
    """A script of scripts/clusters as a module."""
    pytest.importorskip("dask_jobqueue")
    spec = importlib.util.spec_from_file_location(
        f"recipe_{request.param}", RECIPES / f"{request.param}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tensors_go_once_to_each_worker(cluster, vector, axes, tmp_path):
    folder = tmp_path / "arrivals"
    folder.mkdir()
    model = VectorMediator()
    model.witness = Witness(folder)
    likelihood = Likelihood(model, vector.experiment, vector.response)
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        workers = {str(pid) for pid in client.run(os.getpid).values()}
    address = cluster.scheduler_address
    run_scan(likelihood, axes, out=tmp_path / "x.zarr", scheduler=address, block_points=20)
    arrivals = {name: (folder / name).read_text().count("arrived") for name in workers}
    assert arrivals == dict.fromkeys(workers, 1)


def test_workers_write_the_blocks(cluster, vector, axes, tmp_path, monkeypatch):
    def not_here(*_):
        raise AssertionError("a block was written by the process that asked for the scan")

    monkeypatch.setattr(BlockWriter, "write", not_here)
    result = run_scan(vector, axes, out=tmp_path / "x.zarr", scheduler=cluster.scheduler_address)
    np.testing.assert_array_equal(result.values, scan_in_memory(vector, axes).values)


def test_a_worker_killed_from_outside(cluster, vector, axes, tmp_path):
    """SIGKILL in the middle of a scan: it ends, and its files are those of a scan by threads."""
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        victim = next(iter(client.run(os.getpid).values()))

    def progress(done, total):
        if done == 3:
            os.kill(victim, signal.SIGKILL)

    address = cluster.scheduler_address
    out, threads = tmp_path / "x.zarr", tmp_path / "threads.zarr"
    run_scan(vector, axes, out=out, scheduler=address, block_points=20, progress=progress)
    run_scan(vector, axes, out=threads, block_points=20)
    assert contents(out) == contents(threads)


@pytest.mark.parametrize(
    ("recipe", "lines"),
    [
        (
            "slurm",
            ("#SBATCH --cpus-per-task=4", "#SBATCH --mem=4G", "#SBATCH -t 60:00", "-p short"),
        ),
        ("htcondor", ("MY.DaskWorkerCores = 4", "getenv = True", "+MaxRuntime = 3600", "Queue")),
    ],
    indirect=["recipe"],
)
def test_job_script(recipe, lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if hasattr(recipe, "QUEUE"):
        recipe.QUEUE = "short"
    with recipe.make_cluster() as cluster:
        script = cluster.job_script()
        assert cluster.scheduler_address in script
    for line in (*lines, "OMP_NUM_THREADS=1", "dask_worker", "--nthreads 4", "--lifetime 55m"):
        assert line in script


@pytest.mark.parametrize("recipe", ["slurm", "htcondor"], indirect=True)
def test_recipe_runs_with_workers_of_this_machine_in_place_of_the_queue(
    recipe, tables, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    asked = []

    def local_cluster():
        cluster = LocalCluster(n_workers=1, processes=True, **QUIET)
        # Jobs are what a queue has; here they are workers.
        monkeypatch.setattr(cluster, "adapt", lambda **jobs: asked.append(jobs))
        return cluster

    monkeypatch.setattr(recipe, "make_cluster", local_cluster)
    recipe.AXES = [Axis("mass_mev", 0.1, 10.0, 7, "log"), Axis("g", 1e-6, 1e-4, 5, "log")]
    recipe.main()
    assert asked == [{"minimum_jobs": 16, "maximum_jobs": 16}]
    expected = scan_in_memory(fastscan.likelihood("vector"), recipe.AXES).values
    np.testing.assert_array_equal(ScanResult.open("bl.zarr").values, expected)
    assert "BestFit" in capsys.readouterr().out
