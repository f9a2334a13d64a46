"""Processes that end in the middle of their work."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from torture.attack import Attack, Outcome, difference, misspoken, pick, tree
from torture.workshop import LIMIT_S, ROUND, Command, Reference, Workshop

_REPEATS = 3
# A signal by time rather than by step, SIGTERM rather than SIGKILL.
_BY_TIME = 0.3
_TERM = 0.2


class Kills(Attack):
    """Every command that writes gets SIGKILL or SIGTERM, up to three times, and is repeated.

    In the end all files are what an undisturbed run makes, and nothing else is there; blocks that
    were finished have not been made again; no child process lives on. SIGTERM ends a command with
    one line and a code that is not 0.
    """

    name = "kills"
    cases = 2 * len(ROUND)
    limit_s = 5 * LIMIT_S

    def __enter__(self) -> Kills:
        self.workshop = Workshop(self.folder)
        return self

    def case(self, number: int) -> Outcome:
        command = ROUND[number % len(ROUND)]
        random = self.random(number)
        reference = self.workshop.reference(command)
        folder = self.workshop.copy(command, self.folder / "case")
        faults: list[str] = []
        hits = 0
        words = command.line()
        wanted = int(random.integers(1, _REPEATS + 1))
        for _ in range(2 * _REPEATS):
            job = {"words": words, "folder": str(folder), **_blow(random, reference)}
            report = self.workshop.server.run(job)[0]
            faults.append(_fault_of_blow(job, report))
            hits += report["sent"]
            words = command.line(again=True)
            if hits == wanted:
                break
        kept = _chunks(folder, command)
        report = self.workshop.server.run({"words": words, "folder": str(folder)})[0]
        faults += [
            _fault_of_end(report),
            difference(tree(folder), reference.tree),
            _lost(kept, _chunks(folder, command)),
        ]
        shutil.rmtree(folder)
        return Outcome((command.name,), "ended well", "; ".join(filter(None, faults)), hits)


def _blow(random: np.random.Generator, reference: Reference) -> dict[str, Any]:
    name = "SIGTERM" if random.random() < _TERM else "SIGKILL"
    if random.random() < _BY_TIME:
        return {"signal": name, "at_s": float(random.uniform(0.0, reference.seconds))}
    # Half of the steps among the last ones: at the beginning there is nothing to lose.
    last = pick(random, (reference.steps, min(reference.steps, 12)))
    return {"signal": name, "at_step": reference.steps - int(random.integers(last))}


def _fault_of_blow(job: dict[str, Any], report: dict[str, Any]) -> str:
    if report["late"]:
        return f"{job['signal']}: it did not end"
    if report["orphans"]:
        return f"{job['signal']}: {report['orphans']} child processes lived on"
    if not report["sent"] or (job["signal"] == "SIGKILL" and report["signal"]):
        return ""
    if report["signal"]:
        return f"{job['signal']}: it ended without a word"
    return misspoken(report["stderr"], report["stdout"], failed=report["code"] != 0)


def _fault_of_end(report: dict[str, Any]) -> str:
    """What is wrong with how the last run ended: done, or told that all is there already."""
    if report["late"]:
        return "the last run did not end"
    if report["code"] == 0 or (report["code"] == 2 and "exist" in report["stderr"]):
        return misspoken(report["stderr"], report["stdout"], failed=report["code"] != 0)
    return f"the last run ended with {report['code']}: {report['stderr'][-300:]}"


def _chunks(folder: Path, command: Command) -> dict[str, tuple[int, int]]:
    """Identity of the files of a store that is filled in blocks."""
    store = folder / (command.store or "none")
    found = {}
    for path in store.rglob("*"):
        if path.is_file() and "c" in path.relative_to(store).parts:
            status = path.stat()
            found[str(path.relative_to(store))] = (status.st_ino, status.st_mtime_ns)
    return found


def _lost(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> str:
    """Whether more was made again than the blocks that two workers had in hand."""
    arrays = {name.partition("/")[0] for name in before}
    again = sorted(name for name in before if after.get(name) != before[name])
    return f"made again: {', '.join(again[:5])}" if len(again) > 2 * len(arrays) else ""
