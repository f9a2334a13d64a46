"""The vector mediator, but something happens when a block with a certain mass is computed.

It is the very class, and so the header of a scan is that of the wholesome one: a scan that failed
with one of these resumes with the real one.
"""

import errno
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastscan.exceptions import RunError
from fastscan.models.vector import VectorMediator


def poisoned(mass_mev: float, act: Callable[[], None]) -> VectorMediator:
    """Calls ``act`` when counts at the mass are asked for outside the process it was made in."""
    model = VectorMediator()
    model.functions = _Poison(mass_mev, act, os.getpid())  # type: ignore[method-assign]
    return model


@dataclass(frozen=True)
class _Poison:
    mass_mev: float
    act: Callable[[], None]
    made_in: int

    def __call__(self, recoils: Any, shape: Any) -> Any:
        if self.mass_mev in shape["mass_mev"] and os.getpid() != self.made_in:
            self.act()
        return VectorMediator().functions(recoils, shape)


def die() -> None:
    """What the kernel does to the one that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


class DieOnce:
    """Dies unless the file is there, which it makes."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __call__(self) -> None:
        if not self.flag.exists():
            self.flag.touch()
            die()


def fill_disk() -> None:
    """From now on there is no space for chunks in this process."""
    refuse_chunks(range(10**9))


def refuse_chunks(numbers: Iterable[int]) -> None:
    """Refuse the n-th renames that finish a chunk of a store, n from zero, for want of space."""
    replace = os.replace
    count = iter(range(10**9))

    def full(source: Any, target: Any, **options: Any) -> None:
        if "/c/" in os.fspath(target) and next(count) in numbers:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(target))
        replace(source, target, **options)

    os.replace = full


def give_up() -> None:
    """An error of the project's own, raised in a worker."""
    raise RunError("this block can not be computed", where="a worker", hint="try another")
