"""Worker processes that run cases, and a parent that watches them."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from torture.attack import Attack, Outcome

# What a worker may take beyond what it has at the start, and how long it may take to get ready.
_MEMORY_BYTES = 6 << 30
_START_S = 300.0


def run_cases(
    attack: type[Attack],
    seed: int,
    numbers: Sequence[int],
    *,
    jobs: int,
    scratch: Path | None,
    report: Callable[[int, Outcome], None],
) -> None:
    """Run cases in worker processes; one that dies or gets stuck is a failure and is replaced."""
    workers = [_Worker(attack, seed, list(numbers[i::jobs]), scratch) for i in range(jobs)]
    workers = [worker for worker in workers if worker.left]
    while workers:
        wait([worker.connection for worker in workers], timeout=1.0)
        for worker in workers:
            worker.collect(report)
        workers = [worker for worker in workers if worker.left]


class _Worker:
    """One worker process after another, until its share of the cases is done."""

    def __init__(
        self, attack: type[Attack], seed: int, numbers: list[int], scratch: Path | None
    ) -> None:
        self.left = numbers
        self._attack, self._seed, self._scratch = attack, seed, scratch
        if numbers:
            self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(
            dir=self._scratch, prefix="torture-", ignore_cleanup_errors=True
        )
        self.connection, theirs = context.Pipe()
        work = (self._attack, self._seed, self.left, Path(self._folder.name), theirs)
        self._process = context.Process(target=_work, args=work)
        self._process.start()
        theirs.close()
        self._ready = False
        self._since = time.monotonic()

    def collect(self, report: Callable[[int, Outcome], None]) -> None:
        """Take what the process has to say, and put another in its place if it is lost."""
        lost = ""
        try:
            while self.connection.poll():
                outcomes = self.connection.recv()
                self._ready = True
                self._since = time.monotonic()
                for number, outcome in outcomes:
                    report(number, outcome)
                    self.left.remove(number)
        except EOFError:
            self._process.join()
            lost = f"the process died with code {self._process.exitcode}"
        limit = self._attack.limit_s if self._ready else _START_S
        if self.left and not lost and time.monotonic() - self._since > limit:
            lost = f"no end after {limit:g} s"
        if self.left and not lost:
            return
        if self.left:
            self._process.kill()
        self._process.join()
        self.connection.close()
        self._folder.cleanup()
        if self.left:
            if not self._ready:
                raise RuntimeError(f"{self._attack.name} does not start: {lost}")
            report(self.left.pop(0), Outcome(("lost",), "lost", lost))
        if self.left:
            self._start()


def _work(
    attack: type[Attack], seed: int, numbers: list[int], folder: Path, parent: Connection
) -> None:
    os.environ["FASTSCAN_TABLES"] = str(folder / "tables")
    os.environ["MPLBACKEND"] = "Agg"
    os.chdir(folder)
    with attack(seed, folder) as running:
        parent.send([])
        limit = _address_space() + _MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        for number in numbers:
            parent.send([(number, run_case(running, number))])
    parent.close()


def run_case(attack: Attack, number: int) -> Outcome:
    """Run one case; an exception that it lets through is a failure of its own kind."""
    try:
        return attack.case(number)
    except Exception as error:
        what: Any = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(("unexpected",), "exception", what[:500])


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
