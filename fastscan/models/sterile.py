"""Oscillations into a sterile neutrino on the way from the source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.flux_weights import Energies, Oscillation
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.sm import StandardModel

__all__ = ["SterileNeutrino"]

FloatArray = NDArray[np.float64]

# MeV of dm2 L / 4 E for 1 eV**2 and 1 m, rounded as everywhere in the field (exact: 1.26693).
PHASE_MEV = 1.267


class SterileNeutrino(Model):
    """One sterile neutrino that mixes with electron neutrinos alone (3+1, two-flavour mixing).

    What oscillates away is lost to both channels. All cores and detectors are at the experiment's
    one ``distance_m``, but for their spread.

    Parameters
    ----------
    spread_m : float, optional
        Standard deviation of the distance, as sizes of core and detector give: it is normally
        distributed, which damps the oscillation by exp(-(2 * 1.267 dm2 spread / E)**2 / 2).
    """

    name = "sterile"
    title = "sterile neutrino, 3+1 at one baseline"
    reference = "arXiv:1204.5379"
    parameters = (
        Parameter(
            "dm2_ev2",
            "eV2",
            None,
            r"\Delta m^2_{41}",
            "mass squared of the sterile neutrino less that of the light ones",
            minimum=0.0,
            maximum=1e8,
            kind="shape",
            families=("e",),
        ),
        Parameter(
            "sin2_2theta",
            "1",
            0.0,
            r"\sin^2 2\theta",
            "mixing of sterile and electron neutrinos",
            minimum=0.0,
            maximum=1.0,
            families=("e",),
        ),
        WEAK_MIXING_ANGLE,
    )

    def __init__(self, spread_m: float = 0.0) -> None:
        if not (np.isfinite(spread_m) and spread_m >= 0.0):
            raise InputError(
                f"spread_m = {spread_m} is no spread of a distance",
                where="model sterile",
                hint="give metres, 0 or more",
            )
        self.spread_m = spread_m

    def options(self) -> dict[str, object]:
        """The spread of the distance."""
        return {"spread_m": self.spread_m}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """The SM one times 1 - sin2_2theta sin**2(1.267 dm2 L / E)."""
        standard = StandardModel().cross_section(recoils)
        if recoils.lepton != "e":
            return standard
        lost = 0.5 * symbol("sin2_2theta") * (1.0 - symbol("oscillation"))
        return standard - lost * standard

    def weights(
        self, energies: Energies, shape: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray | Oscillation]:
        """cos(2 * 1.267 dm2 L / E), averaged over the distance."""
        phase = 2.0 * PHASE_MEV * shape["dm2_ev2"]
        damping = phase * self.spread_m if self.spread_m else None
        return {"oscillation": Oscillation(phase * energies.distance_m, damping)}
