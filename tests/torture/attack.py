"""What every attack is made of."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np

Tree = dict[str, bytes | None]
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    group
        What was attacked and how; the page has a row or a cell for each.
    verdict
        In a word: refused, harmless, killed …
    failure
        What should not have happened, in a line; empty if all is well.
    tries
        How many disasters the case consisted of.
    """

    group: tuple[str, ...]
    verdict: str
    failure: str = ""
    tries: int = 1


class Attack(ABC):
    """A kind of disaster: ``with Attack(seed, folder) as attack: attack.case(7)``."""

    name: ClassVar[str]
    # Cases of a full run, and seconds after which a case has failed.
    cases: ClassVar[int]
    limit_s: ClassVar[float]

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder

    def __enter__(self) -> Attack:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def case(self, number: int) -> Outcome:
        """Run one case; everything random in it comes from `random`."""

    def random(self, number: int) -> np.random.Generator:
        """Random numbers of one case."""
        return np.random.default_rng([self.seed, zlib.crc32(self.name.encode()), number])


def tree(folder: Path) -> Tree:
    """All there is below a folder: content of files, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def difference(found: Tree, wanted: Tree) -> str:
    """What differs between two folders, in a line; empty if nothing does."""
    parts = {
        "left over": sorted(found.keys() - wanted.keys()),
        "missing": sorted(wanted.keys() - found.keys()),
        "differ": sorted(
            name for name in found.keys() & wanted.keys() if found[name] != wanted[name]
        ),
    }
    return "; ".join(f"{word}: {_some(names)}" for word, names in parts.items() if names)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def misspoken(stderr: str, stdout: str = "", *, failed: bool) -> str:
    """What is wrong with what a command said; empty if it spoke as it should.

    One line that begins with its name if it failed; no traceback, no internal error, and nothing
    that a terminal would obey. Before the line there may be warnings, one line each.
    """
    lines = stderr.splitlines()
    if "Traceback" in stderr or "internal error" in stderr:
        return f"internal error: {' / '.join(lines[:1] + lines[1:][-2:])}"
    if any(_obeyed(character) for character in stderr + stdout):
        return f"control characters on the terminal: {(stderr + stdout)[:200]!r}"
    if any(not line.startswith("fastscan: ") for line in lines):
        return f"not one line: {stderr[:300]!r}"
    errors = [line for line in lines if not line.startswith("fastscan: warning")]
    if len(errors) != failed:
        return f"{len(errors)} lines of error: {stderr[:300]!r}"
    return ""


def _obeyed(character: str) -> bool:
    """Whether a terminal would act on a character rather than show it."""
    code = ord(character)
    control = (code < 32 and character not in "\n\t") or 127 <= code < 160
    return control or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def pick(random: np.random.Generator, options: Iterable[T]) -> T:
    """One of several things."""
    listed = list(options)
    return listed[int(random.integers(len(listed)))]
