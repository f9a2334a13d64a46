"""A light tensor mediator with one universal coupling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

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

__all__ = ["TensorMediator"]


class TensorMediator(Model):
    """A tensor of mass M and the same coupling g to neutrinos, u, d quarks and electrons.

    Its exchange gives g**2 / (M**2 + q**2) [nubar sigma_rd nu] [fbar sigma^rd f], summed over both
    indices as in C25 eq. 8; it flips the helicity of the neutrino and so adds to the SM.
    Half of these rates, g**4 m/2 pi, is also in use: its g is 2**(1/4) times ours.

    In natural germanium only 73Ge has spin. CEvNS of CONUS+ alone limits g at 1 MeV to 2.8e-4
    (90 % C.L.; B-L vector: 1.5e-5, where this one adds 6e-6 of the SM), electrons to 1.5e-5.
    These CEvNS limits are conservative: the coherent response of all nuclei at order q/2m of the
    nucleon (arXiv:2502.10702) is left out, from the same charges 6 times the rate kept here.
    """

    name = "tensor"
    title = "light tensor mediator"
    reference = "C25 eq. 8, arXiv:2208.13262"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, "g_T", "universal coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus g**4 M_N / (pi (M**2 + 2 M_N T)**2) (4 - M_N T/E**2) times spin response.

        Electrons: g**4 m_e / (pi (M**2 + 2 m_e T)**2) [(2 - T/E)**2 - m_e T/E**2].
        """
        arguments = (recoils.recoil_energy_mev, recoils.target_mass_mev)
        shape: NDArray[np.float64]
        if recoils.channel == "cevns":
            charges = nucleon_charges("tensor", {"up": 1.0, "down": 1.0})
            shape = cross_sections.tensor_nucleus(*arguments) * spin_response(recoils, *charges)
        else:
            shape = cross_sections.tensor_electron(*arguments)
        exchange = symbol("g") ** 2 * symbol("propagator")
        return StandardModel().cross_section(recoils) + exchange**2 * shape

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}
