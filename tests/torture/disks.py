"""Disks that are full."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from torture.attack import Attack, Outcome, Tree, difference, misspoken, tree
from torture.workshop import LIMIT_S, ROUND, Command, Reference, Workshop

_PAGE = 4096
_LARGE = "size=256m"


class Disks(Attack):
    """Every command that writes runs out of disk, somewhere; then there is room and it is repeated.

    It says so in one line, leaves every file whole or not there and no temporary ones, and in the
    end all files are what an undisturbed run makes. The disk is a tmpfs of limited size where this
    process may mount one; in half of the cases, or else in all, it is a limit of the size of files.
    """

    name = "disks"
    cases = 2 * len(ROUND)
    limit_s = 4 * LIMIT_S

    def __enter__(self) -> Disks:
        self.workshop = Workshop(self.folder)
        self._disk = self.folder / "disk"
        self._disk.mkdir(exist_ok=True)
        self._mounts = _mount(self._disk, _LARGE)
        if self._mounts:
            _unmount(self._disk)
        return self

    def case(self, number: int) -> Outcome:
        command = ROUND[number % len(ROUND)]
        random = self.random(number)
        reference = self.workshop.reference(command)
        # Each command meets both, in turn.
        if self._mounts and number // len(ROUND) % 2 == 0:
            assert _mount(self._disk, _LARGE)
            try:
                return self._case(command, random, reference, tmpfs=True)
            finally:
                _unmount(self._disk)
        return self._case(command, random, reference, tmpfs=False)

    def _case(
        self, command: Command, random: np.random.Generator, reference: Reference, *, tmpfs: bool
    ) -> Outcome:
        folder = self.workshop.copy(command, self._disk / "case")
        before = tree(folder)
        job: dict[str, Any] = {"words": command.line(), "folder": str(folder)}
        grown = [
            len(content or b"")
            for name, content in reference.tree.items()
            if before.get(name, b"") != content
        ]
        if tmpfs:
            pages = sum(1 + size // _PAGE for size in grown)
            room = int(random.integers(pages)) * _PAGE
            _resize(self._disk, _used(self._disk) + room)
        else:
            job["file_bytes"] = int(random.integers(max(grown) + 1))
        report = self.workshop.server.run(job)[0]
        if tmpfs:
            _mount(self._disk, f"remount,{_LARGE}")
        faults = [_fault_of_full(report), _half(tree(folder), before, reference.tree)]
        again = command.line(again=True)
        last = self.workshop.server.run({"words": again, "folder": str(folder)})[0]
        told = last["code"] == 2 and report["code"] == 0 and "exist" in last["stderr"]
        if last["code"] != 0 and not told:
            faults.append(f"with room it ended with {last['code']}: {last['stderr'][-300:]}")
        faults.append(difference(tree(folder), reference.tree))
        shutil.rmtree(folder)
        how = "full tmpfs" if tmpfs else "limit of file size"
        verdict = "refused" if report["code"] else "enough room"
        return Outcome((command.name, how), verdict, "; ".join(filter(None, faults)))


def _fault_of_full(report: dict[str, Any]) -> str:
    if report["late"]:
        return "it did not end"
    if report["code"] is None:
        return f"it ended by signal {report['signal']}"
    if report["code"] not in (0, 1, 2):
        return f"code {report['code']}: {report['stderr'][-300:]}"
    return misspoken(report["stderr"], report["stdout"], failed=report["code"] != 0)


def _half(found: Tree, before: Tree, wanted: Tree) -> str:
    """Files that are neither what they were nor what they should become."""
    odd = [
        name
        for name, content in found.items()
        if content not in (before.get(name, b"none"), wanted.get(name, b"none"))
    ]
    gone = sorted(before.keys() - found.keys())
    return "; ".join(
        f"{word}: {', '.join(names[:3])}"
        for word, names in (("half written or left over", odd), ("gone", gone))
        if names
    )


def _mount(folder: Path, options: str) -> bool:
    """Whether a tmpfs could be mounted."""
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return os.geteuid() == 0 and _succeeds(words)


def _unmount(folder: Path) -> None:
    assert _succeeds(["umount", str(folder)]), f"{folder} can not be unmounted"


def _resize(folder: Path, size: int) -> None:
    assert _mount(folder, f"remount,size={size}")


def _used(folder: Path) -> int:
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _succeeds(words: list[str]) -> bool:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
