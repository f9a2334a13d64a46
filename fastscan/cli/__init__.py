"""The command line: one file a command, imported when it is called, no physics."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import click

from fastscan.cli.interruption import terminations
from fastscan.exceptions import FastscanError
from fastscan.text import for_terminal

__all__ = ["commands", "main"]

# In the order of a first visit, with what stands beside them in the list of commands.
_COMMANDS = {
    "quickstart": "from nothing to first limits, scans and a figure",
    "models": "list models, parameters, units and options",
    "experiments": "list experiments, or print one to copy",
    "build": "build response tensors",
    "inspect": "show what a tensor store or a scan holds",
    "predict": "counts of every bin, and their chi2",
    "fit": "best fit of a model, and how good it is",
    "limit": "allowed intervals of one parameter, without a grid",
    "boundary": "exact boundary of a coupling along an axis",
    "scan": "chi2 on a grid, into a zarr store",
    "evaluate": "chi2 at a file of points",
    "impacts": "what each nuisance does to one parameter",
    "contour": "contour of a scan as CSV",
    "marginal": "profile or posterior from a scan that is not stored",
    "posterior": "Bayesian posterior of one or two parameters",
    "coverage": "how often limits of each method hold the truth",
    "sensitivity": "expected limits and significances, now and of a scaled experiment",
    "plot": "draw a scan",
    "reproduce": "figures and numbers of the papers, beside ours",
    "bench": "measure this machine and the engine on it",
}


class _LazyGroup(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"fastscan.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            from fastscan.exceptions import unknown_name

            raise unknown_name("command", args[0], _COMMANDS, where="fastscan")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: fastscan limit vector --poi g --set mass_mev=10. "
    "Errors are one line on stderr; exit code 2 for bad input, 1 for failure.",
)
@click.version_option(package_name="fastscan", prog_name="fastscan")
def commands() -> None:
    """Limits on neutrino physics from reactor CEvNS data, from precomputed response tensors."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 bad input, 1 failure or interruption.

    With the environment variable FASTSCAN_DEBUG set, errors that should not happen keep their
    traceback.
    """
    with terminations():
        code = _run(arguments)
    sys.exit(code)


class _Warnings(logging.Handler):
    """What the package warns of, each once, as one line on stderr."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._said:
            self._said.add(message)
            _report(f"warning: {message}", 0)


@contextmanager
def _warnings_shown() -> Iterator[None]:
    logger, handler = logging.getLogger("fastscan"), _Warnings()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _run(arguments: Sequence[str] | None) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A letter that the terminal's encoding lacks is no reason to lose a result.
        sys.stdout.reconfigure(errors="backslashreplace")
    with _warnings_shown():
        return _call(arguments)


def _call(arguments: Sequence[str] | None) -> int:
    try:
        result = commands.main(
            args=None if arguments is None else list(arguments),
            prog_name="fastscan",
            standalone_mode=False,
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except FastscanError as error:
        return _report(error.line, error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "fastscan"
        return _report(f"{error.format_message()} (see {command} --help)", 2)
    except click.ClickException as error:
        return _report(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return _report("interrupted; nothing was done", 1)
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe has gone, as in `fastscan models | head`; nothing is wrong. Click
        # makes an exit of it, and of nothing else.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("FASTSCAN_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}"
        return _report(f"internal error: {what}; FASTSCAN_DEBUG=1 shows where, please report it", 1)


def _report(message: str, code: int) -> int:
    print("fastscan: " + for_terminal(" ".join(message.split())), file=sys.stderr)
    return code
