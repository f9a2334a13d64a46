"""Settings of an experiment as nested tables, as TOML gives them: read, merged, changed, listed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fastscan.exceptions import InputError
from fastscan.inputs.materials import elements_of
from fastscan.inputs.reactor import SHORT_FORMS
from fastscan.inputs.schema import Model
from fastscan.inputs.shipped import data_directory
from fastscan.inputs.tables import SHIPPED_PREFIX, DataFile, decode

__all__ = [
    "change",
    "described",
    "differing",
    "flat",
    "full_key",
    "given",
    "merged",
    "parse_toml",
    "read_settings",
]

# A budget of uncertainties is one whole: half of another one beside it would count things twice.
_WHOLE = ("systematics",)
_SHORT_TABLE = "reactor"


def parse_toml(content: bytes, path: Path) -> dict[str, Any]:
    """Content of a TOML file, as it stands.

    Raises
    ------
    InputError
        Not UTF-8, or not TOML.
    """
    text = decode(content, str(path)).replace("\r\n", "\n")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # huge integers, endless nesting
        what, _, position = str(error).partition(" (at ")
        where = f"{path}, {position.removesuffix(')')}" if position else str(path)
        raise InputError(f"not valid TOML: {what}", where=where) from error


def read_settings(content: bytes, path: Path) -> dict[str, Any]:
    """Settings of a TOML file, short forms written in full.

    Raises
    ------
    InputError
        As `parse_toml`, or a key that is given twice, in short and in full.
    """
    settings = parse_toml(content, path)
    _write_in_full(settings.get(_SHORT_TABLE), _SHORT_TABLE, path)
    sources = settings.get("sources")
    for i, source in enumerate(sources if isinstance(sources, list) else ()):
        if isinstance(source, dict) and source.get("kind") == "reactor":
            _write_in_full(source, f"sources.{i}", path)
    target = settings.get("target")
    if isinstance(target, dict) and "material" in target:
        if "elements" in target:
            raise InputError(
                "material and elements are both given",
                where=f"{path}, target",
                hint="keep one: material is short for elements",
            )
        target["elements"] = elements_of(target.pop("material"), f"{path}, target.material")
    return settings


def _write_in_full(table: Any, name: str, path: Path) -> None:
    """Keys of a reactor that are short for those of its inner tables, in place."""
    for key, inner in SHORT_FORMS.items():
        if not isinstance(table, dict) or key not in table:
            continue
        full = table.setdefault(inner, {})
        if not isinstance(full, dict) or key in full:
            raise InputError(
                f"{key} is given twice, in [{name}] and as {inner}",
                where=f"{path}, {name}",
                hint=f"keep that of [{name}.{inner}]",
            )
        full[key] = table.pop(key)


def full_key(key: str) -> str:
    """Dotted key written in full: ``reactor.flux_per_cm2_s`` is ``reactor.flux.flux_per_cm2_s``.

    ``target.material`` is short for ``target.elements``.
    """
    if key == "target.material":
        return "target.elements"
    table, _, name = key.partition(".")
    if table == _SHORT_TABLE and name in SHORT_FORMS:
        return f"{table}.{SHORT_FORMS[name]}.{name}"
    return key


def merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own settings over those of a base: tables key by key, lists and budgets as a whole.

    So are tables of another ``model``, which has other keys.
    """
    both = {
        key: merged(base[key], value)
        for key, value in own.items()
        if isinstance(value, dict)
        and isinstance(base.get(key), dict)
        and key not in _WHOLE
        and value.get("model") in (None, base[key].get("model"))
    }
    return base | own | both


def given(value: Any) -> Any:
    """What was given to make a model: nested dicts and lists that may be changed."""
    if isinstance(value, Model):
        return {key: given(getattr(value, key)) for key in value.model_fields_set}
    if isinstance(value, tuple):
        return [given(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value by its dotted key; entries of lists of tables by number."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for i, item in enumerate(value):
            yield from flat(item, f"{path}.{i}")
    else:
        yield path, value


def described(value: Any) -> Any:
    """All settings of a model, defaults included, ready for JSON; files by name and sha256."""
    if isinstance(value, Model):
        return {key: described(getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, DataFile):
        shipped = value.path.is_relative_to(data_directory())
        name = value.path.relative_to(data_directory()).as_posix() if shipped else value.path.name
        return {"file": f"{SHIPPED_PREFIX if shipped else ''}{name}", "sha256": value.sha256}
    if isinstance(value, tuple):
        return [described(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def differing(own: dict[str, Any], known: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Settings by dotted key that are in none of the known ones with the same value."""
    others = [dict(flat(settings)) for settings in known]
    missing = object()
    return {
        key: value
        for key, value in flat(own)
        if all(other.get(key, missing) != value for other in others)
    }


def change(settings: dict[str, Any], key: str, value: object) -> None:
    """Set one value by its dotted key, in place; None takes it out.

    Raises
    ------
    InputError
        There is no such place.
    """
    parts = key.split(".")
    inner: Any = settings
    for depth, part in enumerate(parts):
        index: Any = int(part) if isinstance(inner, list) and part.isdecimal() else part
        if isinstance(inner, dict):
            # An unknown table is refused, and the right one suggested, with all other checks.
            inner.setdefault(part, {} if depth + 1 < len(parts) else None)
        elif not (isinstance(inner, list) and isinstance(index, int) and index < len(inner)):
            above = ".".join(parts[:depth])
            hint = f"set {above} itself"
            if isinstance(inner, list):
                hint = f"its entries are 0 to {len(inner) - 1}"
            raise InputError(f"there is nothing called {part!r} in {above!r}", where=key, hint=hint)
        if depth + 1 < len(parts):
            inner = inner[index]
        elif value is None and isinstance(inner, dict):
            del inner[part]
        else:
            inner[index] = value
