"""One process at a time; what a killed one left is no obstacle."""

import errno
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest
from racing import race

from fastscan import StoreError
from fastscan.storage.locks import hold


def test_the_second_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    with hold(path, "scan") as alone:
        assert alone
        with pytest.raises(StoreError) as caught, hold(path, "scan"):
            pass
        with hold(tmp_path / "y.zarr", "scan"):
            pass
    text = str(caught.value)
    assert f"another process is writing this scan: process {os.getpid()} on " in text
    assert str(path) in text
    assert list(tmp_path.iterdir()) == []
    with hold(path, "scan"):
        pass


def test_another_name_of_the_same_output(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with (
        hold(tmp_path / "real" / "x", "scan"),
        pytest.raises(StoreError),
        hold(tmp_path / "link" / "x", "scan"),
    ):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from fastscan.storage.locks import hold\n"
        "with hold(Path(sys.argv[1]), 'scan'):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    path = tmp_path / "x.zarr"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match=f"process {holder.pid} on "),
            hold(path, "scan"),
        ):
            pass
        holder.kill()
    assert [left.name for left in tmp_path.iterdir()] == [".x.zarr.lock"]
    with hold(path, "scan"):
        pass
    assert list(tmp_path.iterdir()) == []


def count_in_turn(path: Path, counter: Path) -> None:
    """Read a number, wait, and write the next one; alone, or numbers are lost."""
    for _ in range(10):
        with hold(path, "counter", wait=True) as alone:
            assert alone
            number = int(counter.read_text())
            time.sleep(0.001)
            counter.write_text(str(number + 1))


def test_nobody_is_let_in_by_a_lock_that_was_deleted(tmp_path: Path) -> None:
    """Each releases and deletes the file that others wait for."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    job = {"path": tmp_path / "x", "counter": counter}
    assert race(count_in_turn, [job, job], racers=4, folder=tmp_path) == [["ok"] * 4] * 2
    assert counter.read_text() == "80"
    assert list(tmp_path.iterdir()) == [counter]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_a_file_system_without_locks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with caplog.at_level(logging.WARNING), hold(tmp_path / "x", "scan") as alone:
        assert not alone
    assert "no locks on this file system" in caplog.text
    assert str(tmp_path / "x") in caplog.text


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold(tmp_path / "a" / "x", "scan"):
        pass
    assert list(tmp_path.iterdir()) == []
