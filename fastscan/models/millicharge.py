"""Neutrino millicharges."""

from __future__ import annotations

from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Recoils
from fastscan.models.electromagnetic import MILLICHARGES, millicharge_element, neutral_current
from fastscan.models.elements import row
from fastscan.models.polynomial import Polynomial

__all__ = ["Millicharge"]


class Millicharge(Model):
    """Diagonal and transition millicharges: those of the row of the incoming flavour are felt."""

    name = "millicharge"
    title = "neutrino millicharges"
    reference = "C25 eq. 7"
    parameters = (*MILLICHARGES, WEAK_MIXING_ANGLE)
    profiled_by_default = tuple(parameter.name for parameter in MILLICHARGES)

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """C25 eq. 7 with Q = -sqrt2 pi alpha / G_F 2 q / (2 M T)."""
        diagonal, transitions = row(recoils.lepton)
        one, other = (millicharge_element(name, recoils) for name in transitions)
        return neutral_current(recoils, millicharge_element(diagonal, recoils), one**2 + other**2)
