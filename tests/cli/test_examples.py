"""Every command's help carries an example, and every example runs as it stands."""

import shlex
from pathlib import Path

import click
import pytest

from fastscan.cli import commands

NAMES = commands.list_commands(click.Context(commands))
# Tested on smaller grids with the library functions they call.
SLOW = {"quickstart", "reproduce"}


def example_of(name: str) -> str:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    return command.example


@pytest.mark.parametrize("name", NAMES)
def test_help_ends_with_the_example(run, name):
    outcome = run(name, "--help")
    assert outcome.code == 0
    assert outcome.out.rstrip().endswith(example_of(name))


def test_help_of_the_program_names_every_command(run):
    outcome = run("--help")
    assert outcome.code == 0
    assert "Example: fastscan " in outcome.out
    for name in NAMES:
        assert f"\n  {name} " in outcome.out


def test_example_of_the_program_runs(run):
    assert run(*shlex.split("limit vector --poi g --set mass_mev=10")).code == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_example_runs(run, name):
    if name in ("contour", "plot"):
        # These two start from the scan of the scan's example.
        assert run(*shlex.split(example_of("scan"))[1:]).code == 0
    if name == "evaluate":
        Path("points.csv").write_text("q_ee,r2_ee\n1e-12,0\n-1e-12,1e-32\n")
    words = shlex.split(example_of(name))
    assert words[:2] == ["fastscan", name]
    outcome = run(*words[1:])
    # Examples may hold regions that reach the edge of their grid.
    lines = outcome.err.splitlines()
    assert [line for line in lines if not line.startswith("fastscan: warning: ")] == []
    assert outcome.code == 0


def test_version(run):
    from fastscan import __version__

    assert run("--version").out.strip().endswith(__version__)
