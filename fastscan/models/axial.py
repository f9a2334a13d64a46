"""A light axial-vector mediator with one universal coupling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import FERMI_CONSTANT_PER_MEV2
from fastscan.kernels import cross_sections
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
from fastscan.models.spin import nucleon_charges, spin_response

__all__ = ["AxialMediator"]


class AxialMediator(Model):
    """An axial-vector of mass M and the same coupling g to neutrinos, u, d quarks and electrons.

    Its exchange gives -g**2 / (M**2 + q**2) [nubar gamma gamma5 nu] [fbar gamma gamma5 f], and the
    first bracket is -[nubar_L gamma nu_L]: the axial coupling g_A of the Standard Model, in
    fbar gamma (g_V - g_A gamma5) f, grows by g**2 / (sqrt2 G_F (M**2 + q**2)), as g_V does for
    `VectorMediator`.

    In natural germanium only 73Ge has spin. CEvNS of CONUS+ alone limits g at 1 MeV to 4.2e-4
    (90 % C.L.; B-L vector: 1.5e-5, where this one adds 1e-6 of the SM). Left out is what the SM's
    own axial current does on 73Ge: 3e-4 of CEvNS, and -3 % of the new part at that limit by
    interference. Electrons are the stronger probe: 2.5e-5.
    """

    name = "axial"
    title = "light axial-vector mediator"
    reference = "C25 eq. 8, arXiv:2208.13262"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, "g_A", "universal coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus a**2 G_F**2 M_N/pi (1 + M_N T/2E**2) times spin response; g_A -> g_A + a.

        a = g**2 / (sqrt2 G_F (M**2 + 2 M_N T)), on electrons with m_e.
        """
        amplitude = symbol("g") ** 2 * symbol("propagator")
        amplitude = amplitude * (1.0 / (math.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2))
        if recoils.channel == "eves":
            return recoils.electron_vector(
                recoils.electron_vector_coupling(), recoils.electron_axial_coupling() + amplitude
            )
        response = spin_response(recoils, *nucleon_charges("axial", {"up": 1.0, "down": 1.0}))
        shape: NDArray[np.float64] = cross_sections.axial_nucleus(
            recoils.recoil_energy_mev, recoils.target_mass_mev, FERMI_CONSTANT_PER_MEV2
        )
        return StandardModel().cross_section(recoils) + amplitude**2 * (shape * response)

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}
