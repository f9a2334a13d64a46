"""The models by name: every module of this package that states one is found."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pkgutil import iter_modules

from fastscan.exceptions import InputError, unknown_name
from fastscan.models.base import Model

__all__ = ["MODELS", "get_model", "model_names"]


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


def model_names() -> tuple[str, ...]:
    """Names of all models."""
    return tuple(MODELS)


def get_model(name: str, **options: object) -> Model:
    """Make a model by name.

    Parameters
    ----------
    name : str
        One of `model_names`.
    **options
        Options of the model, such as ``charges`` of ``vector``.

    Raises
    ------
    InputError
        Unknown model, or an option it does not have.
    """
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    known = list(inspect.signature(MODELS[name]).parameters)
    for option in options:
        if option not in known:
            hint = unknown_name("option", option, known).hint
            raise InputError(f"model {name!r} has no option {option!r}", hint=hint)
    return MODELS[name](**options)
