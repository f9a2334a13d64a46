"""Ctrl-C, SIGTERM and SIGHUP: one line that says what is done, and the command that goes on.

Batch systems end jobs with SIGTERM. It is treated as Ctrl-C is: blocks in hand are finished or
dropped, files are whole or not there, locks are let go, and the exit code is 1.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from fastscan.exceptions import Interrupted, RunError

__all__ = ["Terminated", "asked_to_end", "interruption", "terminations"]

_SIGNALS = ("SIGTERM", "SIGHUP")
_SOON_SECONDS = 0.05


_received: list[str] = []


class Terminated(KeyboardInterrupt):
    """One of the signals that ask a process to end."""


def asked_to_end() -> Terminated | None:
    """The last signal of this command, whatever became of it."""
    return Terminated(_received[-1]) if _received else None


@contextmanager
def terminations() -> Iterator[None]:
    """Raise `Terminated` in the main thread when a signal asks the process to end.

    Where Python would print it and go on, in a destructor or a callback, it is raised again a
    moment later; Ctrl-C likewise. What else it breaks, as half an import, `asked_to_end` explains.
    """
    _received.clear()

    def end(number: int, _: FrameType | None) -> None:
        _received.append(signal.Signals(number).name)
        raise Terminated(_received[-1])

    def once_more(lost: Any) -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt):
            shown(lost)
            return
        name = str(lost.exc_value) if isinstance(lost.exc_value, Terminated) else "SIGINT"
        timer = threading.Timer(_SOON_SECONDS, os.kill, (os.getpid(), getattr(signal, name)))
        timer.daemon = True
        timer.start()

    before = {}
    shown, sys.unraisablehook = sys.unraisablehook, once_more
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            # What is ignored, as by nohup, stays so.
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        sys.unraisablehook = shown
        for number, handler in before.items():
            signal.signal(number, handler)


def interruption(
    stop: KeyboardInterrupt, command: str, words: Sequence[str], goes_on: str
) -> RunError:
    """The error that tells of an interruption.

    Parameters
    ----------
    stop : KeyboardInterrupt
    command : str
        As it was called.
    words : sequence of str
        Its arguments.
    goes_on : str
        The option with which it goes on from what is done; empty if it begins anew.
    """
    if not any(isinstance(error, Terminated) for error in (stop, stop.__context__)):
        # Ends the line on which the terminal shows ^C.
        click.echo(err=True)
    done = str(stop) if isinstance(stop, Interrupted) else ""
    again = shlex.join([*command.split(), *words])
    if not goes_on:
        return RunError("interrupted", hint=f"no file is half-written; run it again: {again}")
    if goes_on not in words:
        again += f" {goes_on}"
    return RunError(
        "interrupted", where=done, hint=f"what was finished is kept; go on with: {again}"
    )
