"""``fastscan models``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from fastscan.cli.common import example_command, json_option
from fastscan.cli.output import bold, print_json, show

if TYPE_CHECKING:
    from fastscan.models import Parameter


@example_command("models", "fastscan models")
@json_option
def command(as_json: bool) -> None:
    """List the models, their parameters with units and defaults, and their options."""
    from fastscan.models import MODELS

    rows = []
    for model in MODELS.values():
        options = {
            name: parameter.default
            for name, parameter in inspect.signature(model).parameters.items()
        }
        rows.append(
            {
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
                        "description": p.description,
                    }
                    for p in model.parameters
                ],
                "options": options,
            }
        )
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table("model", "parameter", "unit", "default", "meaning", title="models")
    for model in MODELS.values():
        table.add_row(bold(model.name), "", "", "", f"{model.title} ({model.reference})")
        for p in model.parameters:
            unit = "" if p.unit == "1" else p.unit
            table.add_row("", p.name, unit, _default(p), p.description)
        for name, option in inspect.signature(model).parameters.items():
            table.add_row("", f"--option {name}", "", str(option.default), "option of the model")
        table.add_section()
    show(table)


def _default(parameter: Parameter) -> str:
    return "to be set" if parameter.default is None else f"{parameter.default:g}"
