"""Options of a model, read from words as the type each is declared with."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from fastscan.exceptions import InputError, unknown_name

__all__ = ["typed_options"]

_WORDS = {"true": True, "false": False}


def typed_options(model: type, words: Mapping[str, str]) -> dict[str, object]:
    """Values of options; one that the model does not have stays text, for the model to refuse.

    Parameters
    ----------
    model : type
        Its constructor declares the options: bool, int, float, str, one of several words, or a
        tuple of these.
    words : mapping of str to str
        As on the command line.

    Raises
    ------
    InputError
        A word is not of the declared type.
    """
    declared = _declared(model)
    return {
        name: _read(word, declared[name], f"--option {name}={word}") if name in declared else word
        for name, word in words.items()
    }


def _declared(model: type) -> dict[str, Any]:
    parameters = inspect.signature(model).parameters
    try:
        hints = typing.get_type_hints(model.__init__)  # type: ignore[misc]
    except (NameError, TypeError):
        # Names that are there for type checkers alone.
        hints = {}
    return {
        name: hints.get(name, str if parameter.default is None else type(parameter.default))
        for name, parameter in parameters.items()
    }


def _read(word: str, kind: Any, where: str) -> object:
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        # What may be left out is of the first other type where it is given.
        return _read(word, next(k for k in inside if k is not type(None)), where)
    if origin is typing.Literal:
        if word not in inside:
            raise unknown_name("word", word, map(str, inside), where=where)
        return word
    if kind is tuple or origin is tuple:
        parts = [part.strip() for part in word.split(",")]
        if not inside:
            return tuple(parts)
        kinds = inside[:1] * len(parts) if inside[-1] is ... else inside
        if len(kinds) != len(parts):
            raise InputError(
                f"{len(parts)} values instead of {len(kinds)}",
                where=where,
                hint="separate them by commas",
            )
        return tuple(_read(part, k, where) for part, k in zip(parts, kinds, strict=True))
    if kind is bool:
        if word.lower() not in _WORDS:
            raise InputError(
                f"{word!r} is not true or false",
                where=where,
                hint=f"write {where.removesuffix(word)}true or {where.removesuffix(word)}false",
            )
        return _WORDS[word.lower()]
    if kind in (int, float):
        return _number(word, kind, where)
    return word


def _number(word: str, kind: type[int] | type[float], where: str) -> float:
    try:
        if "_" in word:
            raise ValueError
        return kind(word)
    except ValueError:
        raise InputError(
            f"{word!r} is not a {'whole ' if kind is int else ''}number",
            where=where,
            hint="write it as 2" if kind is int else "write it as 2.5",
        ) from None
