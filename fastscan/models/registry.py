"""The models by name: those of this package, and those of its users."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath
from pkgutil import iter_modules
from typing import Any, TypeVar

from fastscan.exceptions import InputError, unknown_name
from fastscan.models.base import Model
from fastscan.models.guests import load_file, names_file, own_code, source_of
from fastscan.models.validation import check_class

__all__ = [
    "MODELS",
    "get_model",
    "installed_names",
    "model_class",
    "model_names",
    "origin_entries",
    "recorded_model",
    "register",
]

M = TypeVar("M", bound=type[Model])

# Group of the entry points by which an installed package states models.
GROUP = "fastscan.models"


def found_models() -> dict[str, type[Model]]:
    """Classes with a name of their own in the modules of this package, the Standard Model first."""
    modules = [
        import_module(f"fastscan.models.{module.name}")
        for module in iter_modules(sys.modules[__package__].__path__)
        if module.name not in ("base", "elements", "polynomial", "registry")
    ]
    found = [
        model
        for module in modules
        for model in vars(module).values()
        if isinstance(model, type)
        and issubclass(model, Model)
        and model.__module__ == module.__name__
        and "name" in vars(model)
    ]
    return {model.name: model for model in sorted(found, key=lambda model: model.name != "sm")}


MODELS = found_models()

# Models from outside of the package that are known in this process by their name alone, and all
# that were named in it, by name and sha256 of their file.
_registered: dict[str, type[Model]] = {}
_named: dict[tuple[str, str], type[Model]] = {}


def register(model: M) -> M:
    """Make a model known by its name, in this process; a decorator.

    Parameters
    ----------
    model : type
        A subclass of `Model`.

    Returns
    -------
    type
        The same.

    Raises
    ------
    InputError
        No model, or one whose name another one has.

    Examples
    --------
    >>> import fastscan
    >>> from fastscan.models.sm import StandardModel
    >>> @fastscan.register
    ... class Twin(StandardModel):
    ...     name = "twin"
    >>> fastscan.get_model("twin").title
    'Standard Model'
    """
    _adopt(model)
    other = _registered.get(model.name, model)
    # The cell of a notebook that is run again states its class again.
    if (other.__module__, other.__qualname__) != (model.__module__, model.__qualname__):
        raise _taken(model, f"{other.__module__}.{other.__qualname__}")
    _registered[model.name] = model
    return model


def installed_names() -> tuple[str, ...]:
    """Names of the models that installed packages state."""
    return tuple(entry_points(group=GROUP).names)


def model_names() -> tuple[str, ...]:
    """Names of all models: shipped, registered in this process, and of installed packages."""
    return tuple(dict.fromkeys((*MODELS, *_registered, *sorted(installed_names()))))


def model_class(name: str) -> type[Model]:
    """Find the class of a model.

    Parameters
    ----------
    name : str
        One of `model_names`, or ``FILE.py:Class``.

    Raises
    ------
    InputError
        Unknown model, or one that can not be loaded.
    """
    for known in (MODELS, _registered):
        if name in known:
            return known[name]
    if names_file(name):
        return _adopt(load_file(name))
    for point in entry_points(group=GROUP, name=name):
        return _installed(point)
    error = unknown_name("model", name, model_names())
    if name.endswith(".py"):
        error.hint = f"name the class, too: {name}:Class"
    raise error


def get_model(name: str, **options: object) -> Model:
    """Make a model by name.

    Parameters
    ----------
    name : str
        One of `model_names`, or ``FILE.py:Class`` for a model of one's own.
    **options
        Options of the model, such as ``charges`` of ``vector``.

    Raises
    ------
    InputError
        Unknown model, or an option it does not have.
    """
    return _made(model_class(name), options)


def origin_entries(model: Model) -> dict[str, str]:
    """What a header holds of a model that is not shipped: name and sha256 of its file."""
    if _is_shipped(type(model)):
        return {}
    source = source_of(_adopt(type(model)))
    return {"model_file": source.file, "model_sha256": source.sha256 if source.text else ""}


def recorded_model(header: Mapping[str, Any]) -> Model:
    """The model that a header names, if it is shipped, or is known in this process.

    A header may be a stranger's: nothing is loaded that the user did not name or install.

    Parameters
    ----------
    header : mapping
        With ``model``, ``options`` and, of models that are not shipped, `origin_entries`.

    Raises
    ------
    InputError
        It is not known here, or is another one by now.
    """
    name = str(header["model"])
    if "model_sha256" not in header:
        if name not in MODELS:
            raise unknown_name("model", name, MODELS)
        return _made(MODELS[name], header["options"])
    key = name, str(header["model_sha256"])
    if key not in _named:
        for point in entry_points(group=GROUP, name=name):
            _installed(point)
    if key in _named:
        return _made(_named[key], header["options"])
    others = [other for other, _ in _named if other == name]
    file = PurePath(str(header.get("model_file"))).name or "a notebook"
    raise InputError(
        f"model {name} of {file} is another one by now"
        if others
        else f"model {name} of {file} is not known here",
        where=f"sha256 {key[1][:12]}…",
        hint="name the file that it was made with, --model FILE.py:Class or "
        'fastscan.get_model("FILE.py:Class")',
    )


def _is_shipped(model: type[Model]) -> bool:
    return model in MODELS.values()


def _adopt(model: M) -> M:
    """Check a model of outside the package, and keep it for stores that were made with it."""
    check_class(model)
    if not _is_shipped(model):
        if model.name in MODELS:
            raise _taken(model, "a model of fastscan")
        _named[model.name, source_of(model).sha256] = model
    return model


def _installed(point: EntryPoint) -> type[Model]:
    where = f"entry point {point.value}"
    try:
        found = point.load()
    except Exception as error:
        raise InputError(
            f"model {point.name} can not be loaded: {type(error).__name__}: {error}",
            where=where,
            hint="repair or remove the package that states it",
        ) from error
    model: type[Model] = _adopt(found)
    if model.name != point.name:
        raise InputError(
            f"the entry point of model {point.name} leads to {model.name}",
            where=where,
            hint="give both the same name",
        )
    return model


def _taken(model: type[Model], other: str) -> InputError:
    return InputError(
        f"the name of model {model.name!r} is taken by {other}",
        where=f"{model.__module__}.{model.__qualname__}",
        hint="give it a name of its own",
    )


def _made(model: type[Model], options: Mapping[str, object]) -> Model:
    known = list(inspect.signature(model).parameters)
    for option in options:
        if option not in known:
            hint = unknown_name("option", option, known).hint
            raise InputError(f"model {model.name!r} has no option {option!r}", hint=hint)
    if _is_shipped(model):
        return model(**options)
    with own_code(model, f"model {model.name} can not be made"):
        return model(**options)
