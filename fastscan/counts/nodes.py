"""Nodes that counts are summed over, each with factors that depend on shape parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fastscan.models import Model, Recoils
from fastscan.models.guests import own_code
from fastscan.models.polynomial import Monomial
from fastscan.models.validation import check_functions

__all__ = ["Nodes", "RecoilNodes", "Values", "checked_functions", "moves_kinematics", "product"]

FloatArray = NDArray[np.float64]
Values = Mapping[str, FloatArray]


class Nodes(Protocol):
    """Nodes of one channel.

    Attributes
    ----------
    rows : int
        Of shape parameters that are treated together: their factors stay in the processor's cache.
    """

    rows: ClassVar[int]

    def functions(self, model: Model, shape: Values) -> Values:
        """Factors of every symbol at rows of shape parameters, the nodes last."""

    def check(self, model: Model, shape: Values) -> None:
        """Refuse functions that are not finite, where the counts are not."""

    def factors(self, functions: Values, powers: Monomial) -> FloatArray:
        """Their product in a term, shape (rows, nodes)."""


@dataclass(frozen=True)
class RecoilNodes:
    """Recoil energies of the tensors, with the flux above the least energy of massless states."""

    recoils: Recoils
    rows: ClassVar[int] = 64

    def functions(self, model: Model, shape: Values) -> Values:
        """The model's functions, shape (rows, t)."""
        return checked_functions(model, self.recoils, shape)

    def check(self, model: Model, shape: Values) -> None:
        """Refuse functions that are not finite."""
        check_functions(model, self.recoils, model.functions(self.recoils, shape), shape)

    def factors(self, functions: Values, powers: Monomial) -> FloatArray:
        """Shape (rows, t)."""
        return product(functions, powers)


def checked_functions(model: Model, recoils: Recoils, shape: Values) -> Values:
    """The model's functions, of the right shapes."""
    with own_code(type(model), f"functions of model {model.name} fail"):
        functions = model.functions(recoils, shape)
    check_functions(model, recoils, functions, shape, finite=False)
    return functions


def moves_kinematics(model: Model) -> bool:
    """Whether a model states least energies of its own, or weights of the flux."""
    made = type(model)
    return made.minimum_energy is not Model.minimum_energy or made.weights is not Model.weights


def product(functions: Values, powers: Sequence[tuple[str, int]]) -> FloatArray:
    """Product of functions to whole powers, always in the same order."""
    found: FloatArray | None = None
    for name, power in powers:
        for _ in range(power):
            found = functions[name] if found is None else found * functions[name]
    assert found is not None
    return found
