"""``fastscan models``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import complete_model, example_command, json_option
from fastscan.cli.output import bold, print_json, show, warn

if TYPE_CHECKING:
    from fastscan.models import Model, Parameter


@example_command("models", "fastscan models")
@click.argument("models", metavar="[MODEL]...", nargs=-1, shell_complete=complete_model)
@json_option
def command(models: tuple[str, ...], as_json: bool) -> None:
    """List models, their parameters with units and defaults, and their options.

    All that are shipped, and those of installed packages, by default; MODEL is the name of one, or
    FILE.py:Class for one of your own.
    """
    from fastscan.models import model_class

    classes = [model_class(name) for name in models] if models else _known()
    if as_json:
        print_json([_about(model) for model in classes])
        return
    from rich.table import Table

    table = Table("model", "parameter", "unit", "default", "meaning", title="models")
    for model in classes:
        table.add_row(bold(model.name), "", "", "", f"{model.title} ({model.reference})")
        for p in model.parameters:
            unit = "" if p.unit == "1" else p.unit
            table.add_row("", p.name, unit, _default(p), p.description)
        for name, option in inspect.signature(model).parameters.items():
            table.add_row("", f"--option {name}", "", str(option.default), "option of the model")
        table.add_section()
    show(table)


def _known() -> list[type[Model]]:
    """Models that have a name, but for those of packages that can not be loaded."""
    from fastscan.exceptions import InputError
    from fastscan.models import model_class, model_names

    found = []
    for name in model_names():
        try:
            found.append(model_class(name))
        except InputError as error:
            warn([str(error)])
    return found


def _about(model: type[Model]) -> dict[str, Any]:
    parameters = inspect.signature(model).parameters
    return {
        "model": model.name,
        "title": model.title,
        "reference": model.reference,
        "parameters": [
            {
                "name": p.name,
                "unit": p.unit,
                "default": p.default,
                "minimum": p.minimum,
                "maximum": p.maximum,
                "kind": p.kind,
                "description": p.description,
            }
            for p in model.parameters
        ],
        "options": {
            name: None if p.default is p.empty else p.default for name, p in parameters.items()
        },
    }


def _default(parameter: Parameter) -> str:
    return "to be set" if parameter.default is None else f"{parameter.default:g}"
