"""Neutrino charge radii."""

from __future__ import annotations

from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Recoils
from fastscan.models.electromagnetic import CHARGE_RADII, charge_radius_element, neutral_current
from fastscan.models.elements import row
from fastscan.models.polynomial import Polynomial

__all__ = ["ChargeRadius"]


class ChargeRadius(Model):
    """Diagonal and transition charge radii: those of the row of the incoming flavour are felt.

    They are added to the tree-level Standard Model.
    """

    name = "charge-radius"
    title = "neutrino charge radii"
    reference = "C25 eq. 7"
    parameters = (*CHARGE_RADII, WEAK_MIXING_ANGLE)
    profiled_by_default = tuple(parameter.name for parameter in CHARGE_RADII)

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """C25 eq. 7 with Q = sqrt2 pi alpha / G_F <r2> / 3."""
        diagonal, transitions = row(recoils.lepton)
        one, other = (charge_radius_element(name) for name in transitions)
        return neutral_current(recoils, charge_radius_element(diagonal), one**2 + other**2)
