"""What all input models share: strict pydantic, and its errors as one line each."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs.tables import DataFile

__all__ = [
    "Fraction",
    "Model",
    "Name",
    "NonNegative",
    "Positive",
    "TableFile",
    "known_choice",
    "problem",
    "validated",
]

M = TypeVar("M", bound="Model")

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]


def problem(what: str, hint: str = "") -> PydanticCustomError:
    """Build an error to raise inside a validator, which knows neither file nor key."""
    return PydanticCustomError("problem", "{what}", {"what": what, "hint": hint})


def _at_most_one(value: float) -> float:
    if value > 1.0:
        raise problem(f"{value:g} is more than 1", f"as a fraction, {value / 100:g}?")
    return value


Fraction = Annotated[NonNegative, AfterValidator(_at_most_one)]


class Model(BaseModel):
    """Base of all input models: immutable, nothing converted silently, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        # extra="forbid" would refuse them too, but could not suggest the right one.
        for key in values if isinstance(values, dict) else ():
            if key not in cls.model_fields:
                error = unknown_name("key", key, cls.model_fields)
                raise problem(error.what, error.hint)
        return values

    def _need(self, reason: str, *keys: str) -> None:
        for key in keys:
            if key not in self.model_fields_set:
                raise problem(f"missing key {key!r}", f"{reason} needs it")


def known_choice(key: str, known: Sequence[str], default: str = "") -> Callable[[Any], Any]:
    """Check what makes a table one of several kinds, before the keys of that kind are looked at.

    Parameters
    ----------
    key : str
        Names the kind.
    known : sequence of str
    default : str, optional
        Kind of a table that names none.
    """

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if key not in value and default:
            return {key: default, **value}
        if key not in value:
            raise problem(f"missing key {key!r}", f"one of {', '.join(known)}")
        if value[key] not in known:
            error = unknown_name(key, str(value[key]), known)
            raise problem(error.what, error.hint)
        return value

    return check


def _refer(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    folder = info.context["folder"] if info.context else Path()
    try:
        return DataFile.refer(value, folder)
    except InputError as error:
        where = f" ({error.where})" if error.where else ""
        raise problem(error.what + where, error.hint) from error


TableFile = Annotated[DataFile, BeforeValidator(_refer)]


def validated(model: type[M], values: dict[str, Any], path: Path) -> M:
    """Build a model from the content of a TOML file.

    Parameters
    ----------
    model : type
        The model to build.
    values : dict
        Parsed TOML.
    path : pathlib.Path
        The file, for messages and for the references to other files.

    Raises
    ------
    InputError
        One line on the first thing that is wrong.
    """
    try:
        return model.model_validate(values, context={"folder": path.parent})
    except ValidationError as error:
        raise _input_error(error.errors(include_url=False)[0], path) from error


# What the author of a TOML file calls it, in place of pydantic's Python words.
_SHOULD_BE = {
    "bool_type": "true or false",
    "dataclass_exact_type": "the name of a file",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "string_pattern_mismatch": "letters, digits and any of . _ + - only",
    "string_too_short": "some text",
    "string_type": "text",
    "too_short": "one or more",
    "tuple_type": "a list of tables, each written as [[...]]",
}


# Tables that are one of several kinds: pydantic names the kind beside the key.
_CHOICES = (["target", "quenching"], ["target", "form_factor"])


def _input_error(error: ErrorDetails, path: Path) -> InputError:
    location = [part for part in error["loc"] if part != "[key]"]
    if (location[:2] in _CHOICES or location[:1] == ["sources"]) and len(location) > 2:
        del location[2]  # the kind that was chosen, which is no key
    if error["type"] == "missing":
        what, hint = f"missing key {location.pop()!r}", "add it"
    elif error["type"] == "problem":
        what, hint = error["ctx"]["what"], error["ctx"]["hint"]
    else:
        expected = _SHOULD_BE.get(error["type"]) or error["msg"].removeprefix("Input should be ")
        what, hint = f"{reprlib.repr(error['input'])} should be {expected}", "correct the value"
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    where = f"{path}, {key.removeprefix('.')}" if key else str(path)
    return InputError(what, where=where, hint=hint)
