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
from fastscan.models.elements import ELEMENTS, families, row
from fastscan.models.magnetic_moment import MAGNETIC_MOMENTS, moment_of
from fastscan.models.polynomial import Polynomial, symbol

__all__ = [
    "CHARGE_RADII",
    "MILLICHARGES",
    "ElectromagneticProperties",
    "neutral_current",
]


def _kind(element: str) -> str:
    return "diagonal" if len(families(element)) == 1 else "transition"


# Bounds refuse slips of units: a millicharge is far below an electron charge, and a charge radius
# is given in cm**2, where a nucleon's is 1e-26.
MILLICHARGES = tuple(
    Parameter(
        f"q_{element}",
        "e",
        0.0,
        rf"q_{{\nu_{{{tex}}}}}",
        f"millicharge, {_kind(element)} element {element}",
        minimum=-1e-3,
        maximum=1e-3,
        families=families(element),
    )
    for element, tex in ELEMENTS.items()
)
CHARGE_RADII = tuple(
    Parameter(
        f"r2_{element}",
        "cm2",
        0.0,
        rf"\langle r^2_{{\nu_{{{tex}}}}}\rangle",
        f"charge radius, {_kind(element)} element {element}",
        minimum=-1e-25,
        maximum=1e-25,
        families=families(element),
    )
    for element, tex in ELEMENTS.items()
)

# sqrt2 pi alpha / G_F in MeV**2.
STRENGTH_MEV2 = math.sqrt(2.0) * math.pi * FINE_STRUCTURE_CONSTANT / FERMI_CONSTANT_PER_MEV2


def charge_radius_element(element: str) -> Polynomial:
    """Q of a charge radius alone, sqrt2 pi alpha / G_F <r2> / 3; <r2> in cm**2."""
    return symbol(f"r2_{element}") * (STRENGTH_MEV2 / (3.0 * MEV_MINUS_2_IN_CM2))


def millicharge_element(element: str, recoils: Recoils) -> Polynomial:
    """Q of a millicharge alone, -sqrt2 pi alpha / G_F 2 q / (2 M T)."""
    return symbol(f"q_{element}") * (-2.0 * STRENGTH_MEV2 / recoils.momentum_squared_mev2)


def neutral_current(
    recoils: Recoils, diagonal: Polynomial | float, transition_squared: Polynomial | float
) -> Polynomial:
    """Weak scattering with the elements Q_aa and sum |Q_ab|**2 of C25 eq. 7, a the flavour.

    CEvNS: [Z (1/2 - 2 sin2_theta_w - Q_aa) - N/2]**2 + Z**2 sum |Q_ab|**2; EvES: g_V + Q_aa, and
    sum |Q_ab|**2 beside each bracket. The signs are those of antineutrinos and of neutrinos: both
    the weak current of a neutrino and its charge change sign.
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
    """All of them at once; millicharge and charge radius of one element interfere.

    Parameters
    ----------
    phase_emu, phase_etau, phase_mutau : float, optional
        Phase between millicharge and charge radius of a transition element, in radians; only their
        moduli and this phase are observable.
    """

    name = "electromagnetic"
    title = "all electromagnetic properties"
    reference = "C25 eqs. 6-7"
    parameters = (*MAGNETIC_MOMENTS, *MILLICHARGES, *CHARGE_RADII, WEAK_MIXING_ANGLE)

    def __init__(
        self, phase_emu: float = 0.0, phase_etau: float = 0.0, phase_mutau: float = 0.0
    ) -> None:
        self.phases = {"emu": phase_emu, "etau": phase_etau, "mutau": phase_mutau}
        for element, value in self.phases.items():
            name = f"phase_{element}"
            if not np.isfinite(value):
                raise InputError(
                    f"{name} = {value} is not a finite number",
                    where=f"model {self.name}",
                    hint="give an angle in radians",
                )

    def options(self) -> dict[str, object]:
        """The phases."""
        return {f"phase_{element}": phase for element, phase in self.phases.items()}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """C25 eq. 7 with Q = sqrt2 pi alpha / G_F (<r2>/3 - 2 q/q**2), plus C25 eq. 6."""
        diagonal, transitions = row(recoils.lepton)
        radius = {name: charge_radius_element(name) for name in (diagonal, *transitions)}
        charge = {name: millicharge_element(name, recoils) for name in (diagonal, *transitions)}
        squares = Polynomial({})
        for name in transitions:
            interference = 2.0 * math.cos(self.phases[name])
            squares = squares + radius[name] ** 2 + charge[name] ** 2
            squares = squares + radius[name] * charge[name] * interference
        weak = neutral_current(recoils, radius[diagonal] + charge[diagonal], squares)
        return weak + moment_of(recoils.lepton) ** 2 * recoils.magnetic()
