"""Scans by a dask scheduler that runs already, all on this machine."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import dask
import pytest
import zarr
from distributed import LocalCluster
from poisoned_models import DieOnce, die, give_up, poisoned
from scan_helpers import contents, refusal

from fastscan import InputError, Likelihood, RunError, run_scan

# On the loopback, at ports that are free, and with no dashboard.
QUIET = {
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "scheduler_kwargs": {"dashboard": False},
    "threads_per_worker": 1,
}
BLOCKS = 10


@pytest.fixture(scope="module")
def cluster(tables):
    """Two worker processes whose nannies bring them back; a block may kill one, not two."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, processes=True, **QUIET) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def nobody(tables):
    """A scheduler without workers."""
    with LocalCluster(n_workers=0, processes=True, **QUIET) as running:
        yield running


@pytest.fixture
def undisturbed(vector, axes, tmp_path_factory):
    """Files of a scan by threads."""
    out = tmp_path_factory.mktemp("undisturbed") / "x.zarr"
    run_scan(vector, axes, out=out, block_points=100)
    return contents(out)


def poisoned_likelihood(vector, axes, act):
    """A likelihood that acts in the middle of ten blocks."""
    model = poisoned(float(axes[0].values[17]), act)
    return Likelihood(model, vector.experiment, vector.response)


def done_blocks(store):
    return int((zarr.open_array(store / "block_status", mode="r")[...] == 1).sum())


def wait_for_workers(cluster, count):
    for _ in range(200):
        if len(cluster.scheduler.workers) >= count:
            return
        time.sleep(0.1)
    pytest.fail("a worker did not come back")


def test_same_store(cluster, vector, axes, tmp_path, undisturbed, monkeypatch):
    """To the byte, and any number of scans with one scheduler.

    A relative name is that of this process, not of the workers.
    """
    monkeypatch.chdir(tmp_path)
    for out in (tmp_path / "x.zarr", "y.zarr"):
        seen = []
        run_scan(
            vector,
            axes,
            out=out,
            scheduler=cluster.scheduler_address,
            block_points=100,
            progress=lambda *count, seen=seen: seen.append(count),
        )
        assert contents(tmp_path / out) == undisturbed
        assert seen == [(done, BLOCKS) for done in range(BLOCKS + 1)]


def test_a_model_from_a_file(cluster, make, copied, axes, tmp_path):
    """Workers load it for themselves."""
    guest = make(copied)
    run_scan(guest, axes, out=tmp_path / "threads.zarr", block_points=100)
    address = cluster.scheduler_address
    run_scan(guest, axes, out=tmp_path / "x.zarr", scheduler=address, block_points=100)
    assert contents(tmp_path / "x.zarr") == contents(tmp_path / "threads.zarr")


def test_the_scheduler_is_no_default_for_others(cluster, vector, axes, tmp_path):
    run_scan(vector, axes, out=tmp_path / "x.zarr", scheduler=cluster.scheduler_address)
    assert dask.delayed(os.getpid)().compute(scheduler="sync") == os.getpid()
    assert dask.base.get_scheduler() is None


def test_an_error_of_a_worker_arrives_as_it_was_raised(cluster, vector, axes, tmp_path):
    likelihood = poisoned_likelihood(vector, axes, give_up)
    out = tmp_path / "x.zarr"
    message = refusal(
        RunError,
        run_scan,
        likelihood,
        axes,
        out=out,
        scheduler=cluster.scheduler_address,
        block_points=100,
    )
    assert "this block can not be computed" in message


def test_a_worker_lost_is_replaced_by_the_other(cluster, vector, axes, tmp_path, undisturbed):
    out, flag = tmp_path / "x.zarr", tmp_path / "died"
    run_scan(
        poisoned_likelihood(vector, axes, DieOnce(flag)),
        axes,
        out=out,
        scheduler=cluster.scheduler_address,
        block_points=100,
    )
    assert flag.exists()
    assert contents(out) == undisturbed
    wait_for_workers(cluster, 2)


def test_a_block_that_kills_its_workers(cluster, vector, axes, tmp_path, undisturbed):
    out = tmp_path / "x.zarr"
    wait_for_workers(cluster, 2)
    message = refusal(
        RunError,
        run_scan,
        poisoned_likelihood(vector, axes, die),
        axes,
        out=out,
        scheduler=cluster.scheduler_address,
        block_points=100,
    )
    assert "a worker died" in message
    assert str(out) in message
    assert "resume" in message
    assert 1 <= done_blocks(out) < BLOCKS
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed


def test_the_last_worker_is_gone_for_good(nobody, vector, axes, tmp_path, undisturbed):
    """Nobody brings it back: an error, not a wait for ever."""
    out = tmp_path / "x.zarr"
    command = [sys.executable, "-m", "distributed.cli.dask_worker", nobody.scheduler_address]
    worker = subprocess.Popen(
        [*command, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--host", "127.0.0.1"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        wait_for_workers(nobody, 1)
        message = refusal(
            RunError,
            run_scan,
            poisoned_likelihood(vector, axes, die),
            axes,
            out=out,
            scheduler=nobody.scheduler_address,
            block_points=100,
        )
    finally:
        worker.kill()
        worker.wait()
    assert "a worker died" in message
    assert str(out) in message
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed


CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    quiet = {QUIET}
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", **quiet) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_the_scheduler_dies(vector, axes, tmp_path, undisturbed):
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER.replace("{QUIET}", repr(QUIET)))
    out = tmp_path / "x.zarr"
    process = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def progress(done, total):
        if done == 2:
            process.kill()
            process.wait()

    with process:
        address = process.stdout.readline().strip()
        message = refusal(
            RunError,
            run_scan,
            vector,
            axes,
            out=out,
            scheduler=address,
            block_points=100,
            progress=progress,
        )
    assert str(out) in message
    assert "resume" in message
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed


def test_a_scheduler_without_workers_is_refused(nobody, vector, axes, tmp_path):
    address = nobody.scheduler_address
    message = refusal(
        InputError, run_scan, vector, axes, out=tmp_path / "x.zarr", scheduler=address
    )
    assert "no workers" in message
    assert f"dask worker {address}" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:1",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:99999",
        "tcp://[::1",
        "tls://127.0.0.1:1",
    ],
)
def test_no_scheduler_there(vector, axes, tmp_path, address):
    """Refused at once, and nothing is written: the corrected command finds the way free."""
    start = time.monotonic()
    message = refusal(
        InputError, run_scan, vector, axes, out=tmp_path / "x.zarr", scheduler=address
    )
    assert time.monotonic() - start < 5.0
    assert address in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(30)
def test_something_else_listens_there(vector, axes, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        start = time.monotonic()
        message = refusal(
            InputError, run_scan, vector, axes, out=tmp_path / "x.zarr", scheduler=address
        )
    assert time.monotonic() - start < 15.0
    assert "no dask scheduler answers" in message
    assert list(tmp_path.iterdir()) == []
