"""A light vector mediator with any charges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import FERMI_CONSTANT_PER_MEV2
from fastscan.exceptions import InputError, unknown_name
from fastscan.models.base import (
    MEDIATOR_MASS,
    WEAK_MIXING_ANGLE,
    Model,
    Parameter,
    Recoils,
    mediator_propagator,
    propagator_growth,
)
from fastscan.models.polynomial import Polynomial, symbol

__all__ = ["NAMED_CHARGES", "Charges", "VectorMediator"]


@dataclass(frozen=True)
class Charges:
    """Charges of the electron neutrino, the electron and the quarks under the new U(1)."""

    nu: float
    electron: float
    up: float
    down: float

    @classmethod
    def parse(cls, text: str) -> Charges:
        """Read a name of `NAMED_CHARGES` or four numbers ``qnu,qe,qu,qd`` (fractions allowed).

        Raises
        ------
        InputError
            Neither, or not finite.
        """
        if text in NAMED_CHARGES:
            return NAMED_CHARGES[text]
        parts = text.split(",")
        if len(parts) == 1:
            raise unknown_name("charge assignment", text, NAMED_CHARGES, where="--charges")
        try:
            values = [_number(part) for part in parts]
            if len(values) != 4 or not all(map(math.isfinite, values)):
                raise ValueError
        except (ValueError, ZeroDivisionError):
            raise InputError(
                f"charges {text!r} are not four finite numbers",
                where="--charges",
                hint="write qnu,qe,qu,qd, as in -1,-1,1/3,1/3",
            ) from None
        return cls(*values)


def _number(text: str) -> float:
    over, slash, under = text.partition("/")
    return float(over) / (float(under) if slash else 1.0)


# Tree-level charges of what reactor antineutrinos meet. A photon that only mixes kinetically does
# not couple to neutrinos and nothing would be seen; "dark-photon" gives them unit charge under the
# new force, and quarks and electrons their electric charge: g**2 is the product of couplings.
NAMED_CHARGES: Mapping[str, Charges] = {
    "b-l": Charges(-1.0, -1.0, 1.0 / 3.0, 1.0 / 3.0),
    "b-3l_e": Charges(-3.0, -3.0, 1.0 / 3.0, 1.0 / 3.0),
    "b-3l_mu": Charges(0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0),
    "l_e-l_mu": Charges(1.0, 1.0, 0.0, 0.0),
    "l_e-l_tau": Charges(1.0, 1.0, 0.0, 0.0),
    "universal": Charges(1.0, 1.0, 1.0, 1.0),
    "dark-photon": Charges(1.0, -1.0, 2.0 / 3.0, -1.0 / 3.0),
}


class VectorMediator(Model):
    """A vector boson of mass M and coupling g that interferes with the weak charge.

    Parameters
    ----------
    charges : str, optional
        A name of `NAMED_CHARGES` or ``qnu,qe,qu,qd``.
    """

    name = "vector"
    title = "light vector mediator"
    reference = "C25 eqs. 9-12"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, "g", "gauge coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def __init__(self, charges: str = "b-l") -> None:
        self.charges = Charges.parse(charges)
        self.charges_name = charges

    def options(self) -> dict[str, object]:
        """The charge assignment."""
        return {"charges": self.charges_name}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """The SM one with Q -> Q + g**2 Q_nu Q_N / (sqrt2 G_F (M**2 + 2 M_N T)), g_V alike.

        For B-L, Q_nu Q_N = -A has the sign of the weak charge: the two add up (C25 eq. 10).
        """
        charge = self.charges
        exchange = symbol("g") ** 2 * symbol("propagator")
        exchange = exchange * (charge.nu / (math.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2))
        if recoils.channel == "cevns":
            nuclear = recoils.protons * (2.0 * charge.up + charge.down)
            nuclear = nuclear + recoils.neutrons * (charge.up + 2.0 * charge.down)
            return (recoils.weak_charge() + exchange * nuclear) ** 2 * recoils.nucleus_vector()
        return recoils.electron_vector(
            recoils.electron_vector_coupling() + exchange * charge.electron
        )

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}
