"""The command line in this process."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """Exit code, and what was printed."""

    code: int
    stdout: str
    stderr: str


def run(*words: str) -> Said:
    """Run ``fastscan WORDS``; an exception that gets out of it is raised."""
    from fastscan.cli import main

    stdout, stderr = io.StringIO(), io.StringIO()
    code: object = None
    with redirect_stdout(stdout), redirect_stderr(stderr), warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            main(words)
        except SystemExit as left:
            code = left.code
    return Said(code if isinstance(code, int) else 70, stdout.getvalue(), stderr.getvalue())


def succeed(*words: str) -> Said:
    """Run a command that has to succeed."""
    said = run(*words)
    if said.code:
        raise RuntimeError(f"fastscan {' '.join(words)}: {said.stderr}")
    return said
