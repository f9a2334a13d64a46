"""Electromagnetic properties of neutrinos: millicharges, charge radii and the magnetic moment."""

from __future__ import annotations

import math

import numpy as np

from fastscan.constants import (
    FERMI_CONSTANT_PER_MEV2,
    FINE_STRUCTURE_CONSTANT,
    MEV_MINUS_2_IN_CM2,
)
from fastscan.exceptions import InputError
from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.magnetic_moment import MAGNETIC_MOMENT
from fastscan.models.polynomial import Polynomial, symbol

__all__ = [
    "CHARGE_RADII",
    "FLAVOURS",
    "MILLICHARGES",
    "ElectromagneticProperties",
    "neutral_current",
]

FLAVOURS = ("ee", "emu", "etau")
_TEX = {"ee": "ee", "emu": r"e\mu", "etau": r"e\tau"}

# Bounds refuse slips of units: a millicharge is far below an electron charge, and a charge radius
# is given in cm**2, where a nucleon's is 1e-26.
MILLICHARGES = tuple(
    Parameter(
        f"q_{flavour}",
        "e",
        0.0,
        rf"q_{{\nu_{{{_TEX[flavour]}}}}}",
        f"millicharge, {'diagonal' if flavour == 'ee' else 'transition'} element {flavour}",
        minimum=-1e-3,
        maximum=1e-3,
    )
    for flavour in FLAVOURS
)
CHARGE_RADII = tuple(
    Parameter(
        f"r2_{flavour}",
        "cm2",
        0.0,
        rf"\langle r^2_{{\nu_{{{_TEX[flavour]}}}}}\rangle",
        f"charge radius, {'diagonal' if flavour == 'ee' else 'transition'} element {flavour}",
        minimum=-1e-25,
        maximum=1e-25,
    )
    for flavour in FLAVOURS
)

# sqrt2 pi alpha / G_F in MeV**2.
STRENGTH_MEV2 = math.sqrt(2.0) * math.pi * FINE_STRUCTURE_CONSTANT / FERMI_CONSTANT_PER_MEV2


def charge_radius_element(flavour: str) -> Polynomial:
    """Q of a charge radius alone, sqrt2 pi alpha / G_F <r2> / 3; <r2> in cm**2."""
    return symbol(f"r2_{flavour}") * (STRENGTH_MEV2 / (3.0 * MEV_MINUS_2_IN_CM2))


def millicharge_element(flavour: str, recoils: Recoils) -> Polynomial:
    """Q of a millicharge alone, -sqrt2 pi alpha / G_F 2 q / (2 M T)."""
    return symbol(f"q_{flavour}") * (-2.0 * STRENGTH_MEV2 / recoils.momentum_squared_mev2)


def neutral_current(
    recoils: Recoils, diagonal: Polynomial | float, transition_squared: Polynomial | float
) -> Polynomial:
    """Weak scattering with the elements Q_ee and sum |Q_el|**2 of C25 eq. 7.

    CEvNS: [Z (1/2 - 2 sin2_theta_w - Q_ee) - N/2]**2 + Z**2 sum |Q_el|**2; EvES: g_V + Q_ee, and
    sum |Q_el|**2 beside each bracket.
    """
    if recoils.channel == "cevns":
        charge = recoils.weak_charge() - recoils.protons * diagonal
        squares = charge**2 + recoils.protons**2 * transition_squared
        return squares * recoils.nucleus_vector()
    coherent = recoils.electron_vector(recoils.electron_vector_coupling() + diagonal)
    # A purely vector coupling of unit size: all three brackets at once.
    unit = recoils.electron_vector(Polynomial({(): 1.0}), axial=0.0)
    return coherent + transition_squared * unit


class ElectromagneticProperties(Model):
    """All seven at once; millicharge and charge radius of one flavour element interfere.

    Parameters
    ----------
    phase_emu, phase_etau : float, optional
        Phase between millicharge and charge radius of a transition element, in radians; only their
        moduli and this phase are observable.
    """

    name = "electromagnetic"
    title = "all electromagnetic properties"
    reference = "C25 eqs. 6-7"
    parameters = (MAGNETIC_MOMENT, *MILLICHARGES, *CHARGE_RADII, WEAK_MIXING_ANGLE)

    def __init__(self, phase_emu: float = 0.0, phase_etau: float = 0.0) -> None:
        for name, value in (("phase_emu", phase_emu), ("phase_etau", phase_etau)):
            if not np.isfinite(value):
                raise InputError(
                    f"{name} = {value} is not a finite number",
                    where=f"model {self.name}",
                    hint="give an angle in radians",
                )
        self.phases = {"emu": phase_emu, "etau": phase_etau}

    def options(self) -> dict[str, object]:
        """The two phases."""
        return {f"phase_{flavour}": phase for flavour, phase in self.phases.items()}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """C25 eq. 7 with Q = sqrt2 pi alpha / G_F (<r2>/3 - 2 q/q**2), plus C25 eq. 6."""
        radius = {flavour: charge_radius_element(flavour) for flavour in FLAVOURS}
        charge = {flavour: millicharge_element(flavour, recoils) for flavour in FLAVOURS}
        squares = Polynomial({})
        for flavour, phase in self.phases.items():
            squares = squares + radius[flavour] ** 2 + charge[flavour] ** 2
            squares = squares + radius[flavour] * charge[flavour] * (2.0 * math.cos(phase))
        weak = neutral_current(recoils, radius["ee"] + charge["ee"], squares)
        return weak + symbol("mu_nu") ** 2 * recoils.magnetic()
