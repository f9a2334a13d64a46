"""The models by name."""

from __future__ import annotations

import inspect

from fastscan.exceptions import InputError, unknown_name
from fastscan.models.axial import AxialMediator
from fastscan.models.base import Model
from fastscan.models.charge_radius import ChargeRadius
from fastscan.models.electromagnetic import ElectromagneticProperties
from fastscan.models.magnetic_moment import MagneticMoment
from fastscan.models.millicharge import Millicharge
from fastscan.models.nsi import NonStandardInteractions
from fastscan.models.pseudoscalar import PseudoscalarMediator
from fastscan.models.scalar import ScalarMediator
from fastscan.models.sm import StandardModel
from fastscan.models.tensor import TensorMediator
from fastscan.models.vector import VectorMediator

__all__ = ["MODELS", "get_model", "model_names"]

MODELS: dict[str, type[Model]] = {
    model.name: model
    for model in (
        StandardModel,
        MagneticMoment,
        Millicharge,
        ChargeRadius,
        ElectromagneticProperties,
        VectorMediator,
        ScalarMediator,
        AxialMediator,
        PseudoscalarMediator,
        TensorMediator,
        NonStandardInteractions,
    )
}


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
