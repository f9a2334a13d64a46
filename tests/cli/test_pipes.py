"""A reader who has seen enough, as ``head``, makes no command fail."""

import os
import subprocess
import sys

import pytest

from fastscan.cli.console import PlainConsole

CALL = "import sys; from fastscan.cli import main; sys.exit(main(sys.argv[1:]))"


COMMANDS = [("models",), ("experiments",), ("predict", "sm"), ("--help",), ("limit", "--help")]


@pytest.mark.parametrize("words", COMMANDS)
def test_nobody_reads(words):
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", CALL, *words], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_tables_leave_the_end_to_the_command_line():
    with pytest.raises(BrokenPipeError):
        PlainConsole().on_broken_pipe()
