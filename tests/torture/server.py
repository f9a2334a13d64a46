"""Runs commands of fastscan, each in a fork of one process that has imported all they need.

As a script it reads a list of jobs a line (JSON), starts them at once, and answers with a list of
reports when all have ended. A job has

    words       of the command line
    folder      where it runs; what it does to files below it counts as steps
    delay_s     seconds before it starts
    signal      name of the signal it gets, if any, and when:
    at_step     right before so many steps: opening for writing, renaming, linking, deleting …
    at_s        so many seconds after it began
    file_bytes  size that no file may exceed
    limit_s     seconds after which it is killed, and is a failure

and its report code, signal (the one it ended by), sent (whether it got its signal), steps, seconds,
stdout, stderr, late, orphans (child processes that lived on).
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_STEPS = (
    "os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.truncate",
    "fcntl.flock", "fcntl.lockf",
)  # fmt: skip
_MODULES = (
    "contourpy", "dask", "distributed", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg", "matplotlib.pyplot",
    "pyarrow.parquet", "rich.table", "rich.progress", "scipy.optimize", "scipy.special",
    "scipy.stats", "zarr", "fastscan.plotting", "fastscan.reproduce", "fastscan.scan",
    "fastscan.tensors", "fastscan.tensors.build",
)  # fmt: skip
_ORPHAN_S = 20.0


def main() -> None:
    """Answer until there are no more jobs."""
    from fastscan.cli import commands

    for name in commands.list_commands(None):  # type: ignore[arg-type]
        commands.get_command(None, name)  # type: ignore[arg-type]
    for name in _MODULES:
        import_module(name)
    for line in sys.stdin:
        # A fork of a process with threads is half a process.
        assert threading.active_count() == 1, threading.enumerate()
        children = [_Child(job) for job in json.loads(line)]
        while not all([child.has_ended() for child in children]):
            time.sleep(0.002)
        sys.stdout.write(json.dumps([child.report() for child in children]) + "\n")
        sys.stdout.flush()


class _Child:
    """A job under way."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        # Steps, stdout, stderr; in pipes, which no limit of files holds for.
        pipes = [os.pipe() for _ in range(3)]
        self._pipes = [receive for receive, _ in pipes]
        self._texts = [b"", b"", b""]
        self._start = time.monotonic() + job.get("delay_s", 0.0)
        self._end = self._start
        self._status: int | None = None
        self._sent = self._late = False
        self._pid = os.fork()
        if self._pid == 0:
            _run(job, [send for _, send in pipes])
        for receive, send in pipes:
            os.close(send)
            os.set_blocking(receive, False)

    def has_ended(self) -> bool:
        """Whether the process is no more; sends it the signal, if it is time."""
        if self._status is not None:
            return True
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        for i, pipe in enumerate(self._pipes):
            self._texts[i] += _drain(pipe)
        seconds = time.monotonic() - self._start
        if pid:
            self._status, self._end = status, time.monotonic()
            return True
        if not self._sent and seconds >= self.job.get("at_s", float("inf")):
            os.kill(self._pid, getattr(signal, self.job["signal"]))
            self._sent = True
        if not self._late and seconds > self.job["limit_s"]:
            os.killpg(self._pid, signal.SIGKILL)
            self._late = True
        return False

    def report(self) -> dict[str, Any]:
        """All that is to be known of it."""
        assert self._status is not None
        orphans = self._orphans()
        for i, pipe in enumerate(self._pipes):
            self._texts[i] += _drain(pipe)
            os.close(pipe)
        told, stdout, stderr = (text.decode(errors="backslashreplace") for text in self._texts)
        steps = told.split()
        by_signal = os.WIFSIGNALED(self._status)
        return {
            "code": None if by_signal else os.WEXITSTATUS(self._status),
            "signal": os.WTERMSIG(self._status) if by_signal else 0,
            "sent": self._sent or "sent" in steps,
            "steps": int(steps[-1]) if steps and steps[-1] != "sent" else 0,
            "seconds": self._end - self._start,
            "stdout": stdout,
            "stderr": stderr,
            "late": self._late,
            "orphans": orphans,
        }

    def _orphans(self) -> int:
        """Processes of its session that live on, a while after it ended; they are killed."""
        deadline = time.monotonic() + _ORPHAN_S
        while family := _session(self._pid):
            if time.monotonic() > deadline:
                for process in family:
                    process.kill()
                return len(family)
            time.sleep(0.05)
        return 0


def _drain(pipe: int) -> bytes:
    """What is in a pipe."""
    found = b""
    try:
        while piece := os.read(pipe, 1 << 16):
            found += piece
    except BlockingIOError:
        pass
    return found


def _session(number: int) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == number:
                found.append(psutil.Process(pid))
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return found


def _run(job: dict[str, Any], pipes: list[int]) -> None:
    """Be the command, and never return."""
    send, *outputs = pipes
    code = 70
    steps = itertools.count(1)  # next() is one step, whatever the threads do
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for target, descriptor in enumerate(outputs, start=1):
            os.dup2(descriptor, target)
        os.chdir(job["folder"])
        os.environ["FASTSCAN_TABLES"] = str(Path(job["folder"], "tables"))
        if "file_bytes" in job:
            resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_bytes"], resource.RLIM_INFINITY))
        time.sleep(job.get("delay_s", 0.0))
        _count_steps(job, steps, send)
        from fastscan.cli import main as command_line

        command_line(job["words"])
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 70
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(send, f" {next(steps) - 1}".encode())
        os._exit(code)


def _count_steps(job: dict[str, Any], steps: itertools.count[int], send: int) -> None:
    """Count what is done to files below the folder; send the signal right before its step."""
    above = str(Path(job["folder"]).resolve()) + os.sep
    fatal = job.get("at_step", -1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & _WRITING):
                return
        elif event in _STEPS:
            path = arguments[0]
        else:
            return
        if isinstance(path, (str, bytes, os.PathLike)):
            text = os.fsdecode(path)
            if os.path.isabs(text) and not text.startswith(above):
                return
        if next(steps) == fatal:
            os.write(send, b" sent")
            os.kill(os.getpid(), getattr(signal, job["signal"]))

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()
