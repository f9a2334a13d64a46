"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fastscan.exceptions import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from fastscan.likelihoods import Likelihood
    from fastscan.tensors import Response

    FloatArray = NDArray[np.float64]

__all__ = [
    "ExampleCommand",
    "analysis_options",
    "beside",
    "check_method",
    "cl_option",
    "example_command",
    "experiment_option",
    "force_option",
    "json_option",
    "make_likelihood",
    "model_argument",
    "out_option",
    "poi_option",
    "print_json",
    "profile_option",
    "progress_bar",
    "quiet_option",
    "read_assignments",
    "seed_option",
    "stdout",
    "tables_option",
    "warn",
    "workers_option",
]

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class ExampleCommand(click.Command):
    """A command whose help ends with an example that can be pasted; the tests run it."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example below the options."""
        with formatter.section("Example"):
            formatter.write(f"{'':{formatter.current_indent}}{self.example}\n")


def example_command(name: str, example: str) -> Callable[[Callable[..., Any]], ExampleCommand]:
    """Make a command of a function, its docstring the help."""
    return click.command(name, cls=ExampleCommand, example=example)


def stdout() -> Console:
    """Console of results; tables are not cut when the output is a file or a pipe."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def _complete_model(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from fastscan.models import model_names

    return [name for name in model_names() if name.startswith(incomplete)]


def complete_experiment(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Shipped experiments."""
    from fastscan.inputs import experiment_names

    return [name for name in experiment_names() if name.startswith(incomplete)]


def complete_parameter(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Parameters of the model already on the command line."""
    from fastscan.models import MODELS

    # While words are completed the model may not have been taken from the arguments yet.
    words = [ctx.params.get("model"), *ctx.args]
    model = next((MODELS[word] for word in words if word in MODELS), None)
    names = [p.name for p in model.parameters] if model else []
    return [name for name in names if name.startswith(incomplete)]


def _complete_charges(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from fastscan.models.vector import NAMED_CHARGES

    return [name for name in NAMED_CHARGES if name.startswith(incomplete)]


class OutPath(click.Path):
    """Name of an output; an empty one, as of a shell variable that is not set, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the name."""
        if value == "":
            raise InputError("output has no name", where="--out", hint="give one, or leave it out")
        return super().convert(value, param, ctx)


model_argument = click.argument("model", metavar="MODEL", shell_complete=_complete_model)
experiment_option = click.option(
    "--experiment",
    metavar="NAME|FILE.toml",
    default="conus-plus",
    show_default=True,
    shell_complete=complete_experiment,
    help="A shipped experiment, your own TOML file, or one that names several to fit together.",
)
tables_option = click.option(
    "--tables",
    metavar="DIR",
    type=click.Path(),
    help="Folder of the tensor stores [default: FASTSCAN_TABLES, else tables/ or a user cache].",
)


def poi_option(help: str = "Parameter of interest.", *, required: bool = True) -> Decorator:
    """The parameter that a command is about."""
    return click.option(
        "--poi", metavar="NAME", required=required, shell_complete=complete_parameter, help=help
    )


def profile_option(help: str) -> Decorator:
    """Parameters that chi2 is minimised over, as ``profiled``."""
    return click.option(
        "--profile",
        "profiled",
        metavar="NAME",
        multiple=True,
        shell_complete=complete_parameter,
        help=help,
    )


def cl_option(help: str) -> Decorator:
    """The confidence level."""
    return click.option("--cl", type=float, default=0.90, show_default=True, metavar="X", help=help)


def out_option(metavar: str, help: str) -> Decorator:
    """A file to write."""
    return click.option("-o", "--out", metavar=metavar, type=OutPath(), help=help)


seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of the toys."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress bar, no closing words.")
force_option = click.option("--force", is_flag=True, help="Replace files that exist.")
workers_option = click.option(
    "--workers",
    metavar="N",
    type=int,
    help="Threads or processes [default: all processors].",
)


def analysis_options(function: F) -> F:
    """Everything that fixes a likelihood: model, parameters, experiment, channels, systematics."""
    options = [
        model_argument,
        click.option(
            "--set",
            "assignments",
            metavar="NAME=VALUE",
            multiple=True,
            shell_complete=complete_parameter,
            help="Value of a parameter; the others stay at their default (see fastscan models).",
        ),
        experiment_option,
        click.option(
            "--channels",
            metavar="both|cevns|eves",
            default="both",
            show_default=True,
            help="Scattering channels that count as signal.",
        ),
        click.option(
            "--charges",
            metavar="NAME|qnu,qe,qu,qd",
            shell_complete=_complete_charges,
            help="Charges of the vector mediator [default: b-l].",
        ),
        click.option(
            "--option",
            "options",
            metavar="NAME=VALUE",
            multiple=True,
            help="Any option of the model, as up_mass_mev=2.16 of scalar (see fastscan models).",
        ),
        click.option(
            "--sigma-alpha",
            type=float,
            metavar="X",
            help="Relative uncertainty of the normalisation [default: the experiment's].",
        ),
        click.option(
            "--flux-weights",
            metavar="FILE",
            type=click.Path(),
            help="CSV of low_mev, high_mev, weight: factors on the antineutrino flux.",
        ),
        tables_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


def make_likelihood(
    *,
    model: str,
    experiment: str,
    channels: str,
    charges: str | None,
    options: Sequence[str],
    sigma_alpha: float | None,
    flux_weights: str | None,
    tables: str | None,
    quiet: bool = False,
) -> Likelihood:
    """Build the likelihood that the options of `analysis_options` describe."""
    from fastscan.inputs import load_flux_weights
    from fastscan.likelihoods import make_likelihood as make
    from fastscan.models import get_model

    chosen = _model_options(model, options)
    if charges is not None:
        chosen["charges"] = charges

    def weights(response: Response) -> FloatArray:
        assert flux_weights is not None
        return load_flux_weights(flux_weights, response.energy_bin_edges_mev)

    with progress_bar("building tensors", quiet=quiet) as advance:
        return make(
            get_model(model, **chosen),
            experiment,
            channels=channels,
            sigma_alpha=sigma_alpha,
            tables=tables,
            flux_weights=None if flux_weights is None else weights,
            progress=lambda label, done: advance(done, 1.0, label),
        )


def read_assignments(assignments: Sequence[str], option: str = "--set") -> dict[str, float]:
    """Read ``NAME=VALUE`` words.

    Raises
    ------
    InputError
        Not of that form, not a number, or a name given twice.
    """
    values: dict[str, float] = {}
    for text, (name, value) in zip(assignments, _split(assignments, option), strict=True):
        try:
            values[name] = float(value)
        except ValueError:
            raise InputError(
                f"{value!r} is not a number",
                where=f"{option} {text}",
                hint=f"write {option} {name}=1.5; units are in: fastscan models",
            ) from None
    return values


def _model_options(model: str, options: Sequence[str]) -> dict[str, object]:
    """Options of a model as its constructor wants them: numbers where its defaults are numbers."""
    import inspect

    from fastscan.models import MODELS

    known = inspect.signature(MODELS[model]).parameters if model in MODELS else {}
    chosen: dict[str, object] = {}
    for name, value in _split(options, "--option"):
        number = name in known and isinstance(known[name].default, float)
        chosen[name] = read_assignments([f"{name}={value}"], "--option")[name] if number else value
    return chosen


def _split(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs: dict[str, str] = {}
    for text in words:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not (equals and name and value.strip()):
            raise InputError(
                "not of the form NAME=VALUE", where=f"{option} {text}", hint="write it as g=1e-5"
            )
        if name in pairs:
            raise InputError(f"{name} is given twice", where=option, hint="leave one out")
        pairs[name] = value.strip()
    return list(pairs.items())


def beside(store: str, suffix: str) -> Path:
    """File beside a scan, with the scan's name; the scan may be named as ``.`` or ``..``."""
    path = Path(store) if Path(store).name not in ("", "..") else Path(store).resolve()
    return path.with_name(f"{path.name.removesuffix('.zarr')}{suffix}")


def check_method(method: str, uses: Mapping[str, Sequence[str]], chosen: Sequence[str]) -> None:
    """Check the name of a method, and that every option that was given does something with it.

    Raises
    ------
    InputError
        An unknown method, or an option that would do nothing.
    """
    if method not in uses:
        from fastscan.exceptions import unknown_name

        raise unknown_name("method", method, uses, where="--method")
    for name in chosen:
        if name not in uses[method]:
            raise InputError(
                f"--{name} does nothing with --method {method}",
                where="--method",
                hint="leave it out, or choose another method",
            )


def warn(words: Sequence[str]) -> None:
    """Say on stderr what may mislead in a result; JSON has the same words as ``warnings``."""
    for word in words:
        click.echo(f"warning: {word}", err=True)


def print_json(value: object) -> None:
    """Print JSON; infinite bounds, which JSON does not know, become null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextmanager
def progress_bar(what: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """A bar on stderr that shows from the first call on, and only on a terminal.

    The function it gives takes what is done, the total, and a word on what is under way.
    """
    if quiet or not sys.stderr.isatty():

        def ignore(done: float, total: float, label: str = "") -> None:
            pass

        yield ignore
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None, visible=False)

        def advance(done: float, total: float, label: str = "") -> None:
            words = f"{what}: {label}" if label else what
            progress.update(task, completed=done, total=total, description=words, visible=True)

        yield advance
