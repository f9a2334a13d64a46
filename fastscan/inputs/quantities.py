"""What is usual: the unit of each key, the range its values are mostly in, and slips of unit.

Every numeric key of an experiment states both beside its name, as `Quantity`; tables state them for
their columns, as `Columns`. A value out of range is most likely in another unit. It is refused with
the likely meaning, unless the experiment lists its key under ``unusual``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from fastscan.exceptions import InputError
from fastscan.inputs.schema import Model
from fastscan.inputs.tables import DataFile

__all__ = ["Columns", "Quantity", "leaves", "unusual", "unusual_values"]

# What a value may have been meant in, and the factor that makes it right.
_SLIPS: dict[str, tuple[tuple[str, float], ...]] = {
    "1": (("per cent", 1e-2),),
    "kg": (("g", 1e-3), ("mg", 1e-6), ("t", 1e3)),
    "eV": (("keV", 1e3), ("MeV", 1e6), ("meV", 1e-3)),
    "MeV": (("keV", 1e-3), ("eV", 1e-6), ("GeV", 1e3)),
    "GW": (("MW", 1e-3), ("W", 1e-9)),
    "m": (("km", 1e3), ("cm", 1e-2), ("mm", 1e-3)),
    "d": (("h", 1 / 24), ("s", 1 / 86400), ("years", 365.25)),
    "cm-2 s-1": (("m-2 s-1", 1e-4),),
    "fm": (("cm", 1e13), ("m", 1e15)),
}


@dataclass(frozen=True)
class Quantity:
    """Unit of a number, and the range that it is usually in.

    Attributes
    ----------
    unit : str
        ``1`` for fractions and other pure numbers.
    low, high : float
        Ends of the usual range. Zero, where a key may be zero, is always usual: it switches off.
    free : float
        From here on a value means that the quantity is free, which is usual as well.
    """

    unit: str
    low: float
    high: float
    free: float = math.inf

    def usual(self, value: float) -> bool:
        """Whether a value needs no second thought."""
        return value == 0.0 or self.low <= value <= self.high or value >= self.free

    def meaning(self, value: float) -> str:
        """Question that says what a value out of range was probably meant to be; may be empty."""
        for unit, factor in _SLIPS.get(self.unit, ()):
            if self.usual(value * factor):
                if self.unit == "1":
                    return f"as a fraction, {value * factor:.6g}?"
                return f"{value:g} {unit} would be {value * factor:.6g} {self.unit}"
        return ""

    def words(self) -> str:
        """The range, for messages."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        free = f", or {self.free:g} and more to leave it free" if self.free < math.inf else ""
        return f"{self.low:g} to {self.high:g}{unit}{free}"

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        return schema | {"unit": self.unit, "usual": [self.low, self.high]}


@dataclass(frozen=True)
class Columns:
    """Quantities of a table's columns: the largest absolute value of each is usual.

    Attributes
    ----------
    quantities : tuple of (str, Quantity)
        By name of the column.
    """

    quantities: tuple[tuple[str, Quantity], ...]


def leaves(model: Model, path: str = "") -> Iterator[tuple[str, FieldInfo, Any]]:
    """Every key that was given, however deep, by its dotted path, with its field and value."""
    for name, field in type(model).model_fields.items():
        if name not in model.model_fields_set:
            continue
        value = getattr(model, name)
        key = f"{path}{name}"
        if isinstance(value, Model):
            yield from leaves(value, f"{key}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], Model):
            for i, item in enumerate(value):
                yield from leaves(item, f"{key}.{i}.")
        else:
            yield key, field, value


def unusual_values(model: Model) -> Iterator[tuple[str, InputError]]:
    """Values that are most likely in the wrong unit, and what is to be said of each.

    Parameters
    ----------
    model : Model
        Its numbers and tables are looked at as deep as they go, those alone that were given.

    Yields
    ------
    str
        Dotted path of the key; that of a table ends with the column.
    InputError
        The usual range, and what was probably meant.
    """
    for key, field, value in leaves(model):
        for about in field.metadata:
            if isinstance(about, Quantity) and isinstance(value, int | float):
                found = {key: (about, float(value), "")}
            elif isinstance(about, Quantity) and isinstance(value, tuple) and value:
                found = {key: (about, float(max(value)), "")}
            elif isinstance(about, Columns) and isinstance(value, DataFile):
                found = {
                    f"{key}.{column}": (
                        quantity,
                        float(np.abs(value.table((column,))[column]).max()),
                        str(value.path),
                    )
                    for column, quantity in about.quantities
                }
            else:
                continue
            for path, (quantity, number, file) in found.items():
                if not quantity.usual(number):
                    yield path, unusual(path, quantity, number, file)


def unusual(key: str, quantity: Quantity, value: float, file: str = "") -> InputError:
    """What is to be said of a value out of its range; of a table, it is the largest one."""
    insist = f'to insist, write unusual = ["{key}"] at the top of the TOML file'
    meaning = quantity.meaning(value)
    return InputError(
        f"{'the largest ' if file else ''}{key} = {value:g} is unusual: mostly it is "
        f"{quantity.words()}",
        where=file,
        hint=f"{meaning}; {insist}" if meaning else insist,
    )
