"""A light scalar mediator with one universal coupling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import NEUTRON_MASS_MEV, PROTON_MASS_MEV
from fastscan.exceptions import InputError
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
from fastscan.models.sm import StandardModel

__all__ = ["ScalarMediator"]

# Contributions of the light quarks to the nucleon masses, f_Tq (C25 ref. 44).
FRACTION_PROTON = {"up": 0.026, "down": 0.038}
FRACTION_NEUTRON = {"up": 0.018, "down": 0.056}


class ScalarMediator(Model):
    """A CP-even scalar of mass M with the same coupling g to neutrinos, quarks and electrons.

    Parameters
    ----------
    up_mass_mev, down_mass_mev : float, optional
        Quark masses in the nuclear charge.
    """

    name = "scalar"
    title = "light scalar mediator"
    reference = "C25 eqs. 13-16"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, r"g_\phi", "universal coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def __init__(self, up_mass_mev: float = 2.16, down_mass_mev: float = 4.70) -> None:
        for name, value in (("up_mass_mev", up_mass_mev), ("down_mass_mev", down_mass_mev)):
            if not (np.isfinite(value) and value > 0.0):
                raise InputError(
                    f"{name} = {value} is not a quark mass",
                    where="model scalar",
                    hint="give a positive number in MeV",
                )
        self.up_mass_mev, self.down_mass_mev = up_mass_mev, down_mass_mev

    def options(self) -> dict[str, object]:
        """The quark masses."""
        return {"up_mass_mev": self.up_mass_mev, "down_mass_mev": self.down_mass_mev}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus M_N**2 T Q_phi**2 F**2 / (4 pi E**2 (M**2 + 2 M_N T)**2); electrons: charge 1."""
        exchange = symbol("g") ** 2 * symbol("propagator")
        if recoils.channel == "cevns":
            proton, neutron = self.nucleon_charges()
            exchange = exchange * (recoils.protons * proton + recoils.neutrons * neutron)
        return StandardModel().cross_section(recoils) + exchange**2 * recoils.scalar()

    def nucleon_charges(self) -> tuple[float, float]:
        """Scalar charges of proton and neutron, sum_q m f_Tq / m_q (C25 eq. 15)."""
        masses = {"up": self.up_mass_mev, "down": self.down_mass_mev}
        proton = sum(PROTON_MASS_MEV * FRACTION_PROTON[q] / masses[q] for q in masses)
        neutron = sum(NEUTRON_MASS_MEV * FRACTION_NEUTRON[q] / masses[q] for q in masses)
        return proton, neutron

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}
