"""Ctrl-C and SIGTERM in mid-scan: one line with what is done, and a command that goes on."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scan_helpers import contents

from fastscan import Axis, run_scan
from fastscan.exceptions import Interrupted
from fastscan.scan.executors import check_stopped, executor

# A job in the background of a shell is started with Ctrl-C ignored; a terminal's is not.
PROGRAM = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from fastscan.cli import main; main()",
]
SCAN = [
    *["scan", "vector", "--axis", "mass_mev=0.01:1000:250:log", "--axis", "g=0:1e-4:1500"],
    *["--block-points", "1500", "--out", "x.zarr"],
]
CONSTRUCTION = [
    *["scan", "vector", "--axis", "mass_mev=0.01:1000:40:log", "--axis", "g=1e-6:1e-4:2:log"],
    *["--method", "feldman-cousins", "--toys", "10", "--precision", "0.9", "--out", "x.zarr"],
]
MODES = {
    "threads": ["--workers", "2"],
    "processes": ["--scheduler", "processes", "--workers", "1"],
}
SECONDS = 120


def wait_for_blocks(process: subprocess.Popen, store: Path, blocks: int) -> None:
    """Until so many say that they are done."""
    end = time.monotonic() + SECONDS
    while len(list(store.glob("block_status/c/*/*"))) < blocks:
        assert time.monotonic() < end, "no block in time"
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


def stop(words: list[str], folder: Path, number: int, *, group: bool) -> str:
    """Send a signal to a command at work, and return the one line it leaves."""
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            wait_for_blocks(process, folder / "x.zarr", 2)
            (os.killpg if group else os.kill)(process.pid, number)
            out, err = process.communicate(timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 1, err
    assert out == ""
    # The line on which a terminal shows ^C ends first.
    assert err.startswith("\n" if number == signal.SIGINT else "fastscan: ")
    (line,) = err.strip().splitlines()
    return line


def check_goes_on(line: str, folder: Path, noun: str, blocks: int) -> None:
    """The line says how much is done, and its command does the rest."""
    assert line.startswith(f"fastscan: interrupted ({noun} x.zarr has ")
    done = int(line.split(" has ")[1].split()[0])
    assert len(list((folder / "x.zarr").glob("block_status/c/*/*"))) == done
    assert 2 <= done < blocks
    assert [path.name for path in folder.iterdir()] == ["x.zarr"]
    program, *words = shlex.split(line.partition("go on with: ")[2])
    assert program == "fastscan"
    assert words[-1] == "--resume"
    subprocess.run([*PROGRAM, *words, "--quiet"], cwd=folder, check=True, timeout=SECONDS)


@pytest.fixture(scope="module")
def whole(vector, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "x.zarr"
    axes = [Axis("mass_mev", 0.01, 1e3, 250, "log"), Axis("g", 0.0, 1e-4, 1500)]
    run_scan(vector, axes, out=out, block_points=1500)
    return contents(out)


@pytest.mark.parametrize(
    ("mode", "number", "group"),
    [
        ("threads", signal.SIGTERM, False),
        ("threads", signal.SIGINT, True),
        ("processes", signal.SIGTERM, False),
        ("processes", signal.SIGTERM, True),
        ("processes", signal.SIGINT, True),
    ],
)
def test_a_scan(tmp_path, whole, mode, number, group):
    """The process alone, or all it started, as batch systems and terminals do."""
    line = stop([*SCAN, *MODES[mode]], tmp_path, number, group=group)
    check_goes_on(line, tmp_path, "scan", 250)
    assert contents(tmp_path / "x.zarr") == whole


def test_a_construction(tmp_path):
    line = stop([*CONSTRUCTION, *MODES["threads"]], tmp_path, signal.SIGTERM, group=False)
    check_goes_on(line, tmp_path, "construction", 40)
    assert " rows)" in line


def test_python_hears_what_is_done(vector, tmp_path):
    """It is a KeyboardInterrupt as any other."""
    axes = [Axis("mass_mev", 0.1, 10.0, 6, "log"), Axis("g", 0.0, 1e-4, 5)]

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    out = tmp_path / "x.zarr"
    with pytest.raises(Interrupted, match=r"scan .*x\.zarr has 3 of 6 blocks") as caught:
        run_scan(vector, axes, out=out, block_points=5, workers=1, progress=interrupt)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert list(tmp_path.iterdir()) == [out]


def last_forever_from(first, index):
    """A block that ends only when nobody waits for it."""
    while index[0] >= first:
        check_stopped()
        time.sleep(0.001)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_long_blocks_in_hand_are_dropped(scheduler):
    def interrupt():
        raise KeyboardInterrupt

    with executor(scheduler, 2) as run, pytest.raises(KeyboardInterrupt):
        run(last_forever_from, 1, [(0,), (1,)], interrupt)
