"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fastscan.cli.interruption import asked_to_end, interruption
from fastscan.cli.output import progress_bar
from fastscan.exceptions import FastscanError, InputError, RunError, check_method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastscan.likelihoods import Likelihood
    from fastscan.tensors import Response

    FloatArray = NDArray[np.float64]

__all__ = [
    "ExampleCommand",
    "LocalPath",
    "OutPath",
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
    "name_own_model",
    "out_option",
    "own_model_option",
    "poi_option",
    "profile_option",
    "quiet_option",
    "read_assignments",
    "seed_option",
    "tables_option",
    "workers_option",
]

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class ExampleCommand(click.Command):
    """A command whose help ends with an example that can be pasted; the tests run it.

    An option that takes one value and is given twice is refused: one of them would do nothing.
    """

    def __init__(self, *args: Any, example: str, goes_on: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example, self.goes_on = example, goes_on

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line, which are kept as they are."""
        ctx.meta["words"] = tuple(args)
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(list(args))
            for parameter in order:
                if isinstance(parameter, click.Option) and order.count(parameter) > 1:
                    _check_repeated(parameter)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an interruption becomes one line."""
        flags = {flag for parameter in self.params for flag in parameter.opts}
        _check_not_read(ctx.params)
        try:
            return super().invoke(ctx)
        except FastscanError as error:
            # What lies below does not know which command asks for it.
            if not flags & {"--resume"} and "--force" in flags:
                # Hints on the command that made a store keep its --resume.
                same = "the same command with"
                error.hint = error.hint.replace(f"{same} --resume", f"{same} --force")
            raise
        except KeyboardInterrupt as stop:
            raise interruption(stop, ctx.command_path, ctx.meta["words"], self.goes_on) from stop
        except MemoryError as error:
            names = {parameter.name for parameter in self.params}
            ways = [way for name, way in _SAVERS.items() if name in names]
            raise RunError("out of memory", hint=" or ".join(ways)) from error
        except Exception as error:
            # Compiled code whose import a signal cuts short can fail in any way.
            asked = asked_to_end()
            if asked is None:
                raise
            raise interruption(asked, ctx.command_path, ctx.meta["words"], self.goes_on) from error

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example below the options."""
        with formatter.section("Example"):
            formatter.write(f"{'':{formatter.current_indent}}{self.example}\n")


# What takes less memory, by the name of the option.
_SAVERS = {
    "workers": "use fewer --workers",
    "block_points": "smaller --block-points",
    "toys": "fewer --toys",
    "axes": "fewer points of an --axis",
    "axis": "fewer points of the --axis",
}


def _check_repeated(option: click.Option) -> None:
    if option.multiple or option.is_flag or option.count:
        return
    flag = max(option.opts, key=len)
    raise InputError(f"{flag} is given twice", where="command line", hint="give it once")


def _check_not_read(values: Mapping[str, Any]) -> None:
    """Refuse an output that is a file which the command reads: not even --force means that."""
    out = values.get("out")
    if not isinstance(out, str) or not os.path.isfile(out):
        return
    others = [value for name, value in values.items() if name != "out"]
    words = [word for value in others for word in (value if isinstance(value, tuple) else [value])]
    files = [word for word in words if isinstance(word, str) and os.path.isfile(word)]
    if any(os.path.samefile(file, out) for file in files):
        what = "output is a file that the command reads"
        raise InputError(what, where=out, hint="name another with -o")


def example_command(
    name: str, example: str, *, goes_on: str = ""
) -> Callable[[Callable[..., Any]], ExampleCommand]:
    """Make a command of a function, its docstring the help.

    ``goes_on`` is the option with which it goes on after an interruption.
    """
    return click.command(name, cls=ExampleCommand, example=example, goes_on=goes_on)


def complete_model(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Models that have a name."""
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


class LocalPath(click.Path):
    """Name of a file or folder; a URL is refused before any work is done."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the name."""
        from fastscan.storage.paths import local_path

        where = max(param.opts, key=len) if isinstance(param, click.Option) else ""
        local_path(value, where=where)
        return super().convert(value, param, ctx)


class OutPath(LocalPath):
    """Name of an output; an empty one, as of a shell variable that is not set, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the name."""
        if value == "":
            optional = param is None or not param.required
            hint = "give one, or leave it out" if optional else "give one"
            raise InputError("output has no name", where="--out", hint=hint)
        return super().convert(value, param, ctx)


model_argument = click.argument("model", metavar="MODEL", shell_complete=complete_model)
own_model_option = click.option(
    "--model",
    metavar="FILE.py:Class",
    help="The model file that the scan was made with, if it is one of your own.",
)
experiment_option = click.option(
    "--experiment",
    "experiments",
    metavar="NAME|FILE.toml",
    multiple=True,
    default=("conus-plus",),
    show_default="conus-plus",
    shell_complete=complete_experiment,
    help="A shipped experiment, your own TOML file, or one that names several to fit together; may "
    "be repeated, to fit several together.",
)
tables_option = click.option(
    "--tables",
    metavar="DIR",
    type=LocalPath(),
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
            "--share",
            "shared",
            metavar="NAME",
            multiple=True,
            help="Nuisance that is one and the same in all experiments that have it.",
        ),
        click.option(
            "--constrain",
            "constraints",
            metavar="NAME=VALUE:SIGMA",
            multiple=True,
            shell_complete=complete_parameter,
            help="External measurement of a parameter, which is then profiled unless it is set.",
        ),
        click.option(
            "--data",
            metavar="asimov|FILE.csv",
            help="Other counts than those seen: those expected (with --inject: of that point), or "
            "a table as predict -o writes it.",
        ),
        click.option(
            "--inject",
            "injected",
            metavar="NAME=VALUE",
            multiple=True,
            shell_complete=complete_parameter,
            help="Truth of --data asimov [default: the Standard Model].",
        ),
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
            type=LocalPath(),
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
    experiments: Sequence[str],
    channels: str = "both",
    charges: str | None = None,
    options: Sequence[str] = (),
    sigma_alpha: float | None = None,
    shared: Sequence[str] = (),
    constraints: Sequence[str] = (),
    data: str | None = None,
    injected: Sequence[str] = (),
    flux_weights: str | None = None,
    tables: str | None = None,
    quiet: bool = False,
) -> Likelihood:
    """Build the likelihood that the options of `analysis_options` describe."""
    from fastscan.cli.model_options import typed_options
    from fastscan.inputs import load_flux_weights
    from fastscan.likelihoods import make_likelihood as make
    from fastscan.models import get_model, model_class

    chosen = typed_options(model_class(model), dict(_split(options, "--option")))
    if charges is not None:
        chosen["charges"] = charges

    def weights(response: Response) -> FloatArray:
        assert flux_weights is not None
        return load_flux_weights(flux_weights, response.energy_bin_edges_mev)

    with progress_bar("building tensors", quiet=quiet) as advance:
        likelihood = make(
            get_model(model, **chosen),
            list(experiments),
            channels=channels,
            sigma_alpha=sigma_alpha,
            shared=shared,
            tables=tables,
            flux_weights=None if flux_weights is None else weights,
            progress=lambda label, done: advance(done, 1.0, label),
        )
    for name, value, sigma in _constraints(constraints):
        likelihood = likelihood.constrained(name, value, sigma)
    return _with_data(likelihood, data, injected)


def _constraints(words: Sequence[str]) -> list[tuple[str, float, float]]:
    """Name, value and error of words ``NAME=VALUE:SIGMA``."""
    found = []
    for text, (name, value) in zip(words, _split(words, "--constrain"), strict=True):
        try:
            middle, sigma = (float(part) for part in value.split(":"))
        except ValueError:
            raise InputError(
                f"{value!r} is not a value and its error",
                where=f"--constrain {text}",
                hint=f"write --constrain {_EXAMPLES['--constrain']}",
            ) from None
        found.append((name, middle, sigma))
    return found


def _with_data(likelihood: Likelihood, data: str | None, injected: Sequence[str]) -> Likelihood:
    """The likelihood of the counts that ``--data`` and ``--inject`` ask for."""
    point = read_assignments(injected, "--inject")
    if point and data != "asimov":
        raise InputError(
            "nothing is injected into counts that are given",
            where="--inject",
            hint="add --data asimov",
        )
    if data is None:
        return likelihood
    if data == "asimov":
        from fastscan.inference.sensitivity import asimov

        return asimov(likelihood, point or None)
    from fastscan.inputs.pseudo_data import read_pseudo_data

    edges = [experiment.observation.edges_ev for experiment in likelihood.experiments]
    return likelihood.observing(read_pseudo_data(data, edges), Path(data).name)


def name_own_model(model: str | None, header: Mapping[str, Any]) -> None:
    """Load the model file that ``--model`` names, for a store with a header.

    A store itself loads nothing, whatever it says.

    Raises
    ------
    InputError
        It can not be loaded, or is not that of the store.
    """
    if model is None:
        return
    from fastscan.models import model_class, recorded_model

    if "model_sha256" not in header:
        raise InputError(
            f"the scan is of {header['model']}, which is shipped",
            where=f"--model {model}",
            hint="leave it out",
        )
    named = model_class(model)
    if named.name != header["model"]:
        raise InputError(
            f"the scan is of model {header['model']}, not {named.name}",
            where=f"--model {model}",
            hint="name the class that it was made with",
        )
    recorded_model(header)


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


_EXAMPLES = {
    "--set": "g=1e-5",
    "--inject": "g=1e-5",
    "--option": "up_mass_mev=2.16",
    "--constrain": "sin2_theta_w=0.23857:0.00005",
}


def _split(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs: dict[str, str] = {}
    for text in words:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not (equals and name and value.strip()):
            raise InputError(
                f"not of the form NAME=VALUE{':SIGMA' if option == '--constrain' else ''}",
                where=f"{option} {text}",
                hint=f"write it as {option} {_EXAMPLES[option]}",
            )
        if name in pairs:
            raise InputError(f"{name} is given twice", where=option, hint="leave one out")
        pairs[name] = value.strip()
    return list(pairs.items())


def beside(store: str, suffix: str) -> Path:
    """File beside a scan, with the scan's name; the scan may be named as ``.`` or ``..``."""
    path = Path(store) if Path(store).name not in ("", "..") else Path(store).resolve()
    return path.with_name(f"{path.name.removesuffix('.zarr')}{suffix}")
