"""Models: each states its cross sections as polynomials in its couplings, in a file of its own."""

from fastscan.models.base import Model, Parameter, Recoils
from fastscan.models.flux_weights import Energies, Oscillation
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.registry import (
    MODELS,
    get_model,
    model_class,
    model_names,
    origin_entries,
    recorded_model,
    register,
)

__all__ = [
    "MODELS",
    "Energies",
    "Model",
    "Oscillation",
    "Parameter",
    "Polynomial",
    "Recoils",
    "get_model",
    "model_class",
    "model_names",
    "origin_entries",
    "recorded_model",
    "register",
    "symbol",
]
