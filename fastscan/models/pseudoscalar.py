"""A light pseudoscalar mediator with one universal coupling."""

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

__all__ = ["PseudoscalarMediator"]

# MS-bar at 2 GeV (Particle Data Group 2024); up and down as in the scalar model.
QUARK_MASS_MEV = {"up": 2.16, "down": 4.70, "strange": 93.5}


class PseudoscalarMediator(Model):
    """A pseudoscalar of mass M and the same coupling g to neutrinos, u, d quarks and electrons.

    Its exchange gives g**2 / (M**2 + q**2) [nubar i gamma5 nu] [fbar i gamma5 f], which flips the
    helicity of the neutrino and so adds to the Standard Model.

    In natural germanium only 73Ge has spin. CEvNS of CONUS+ alone limits g at 1 MeV to 4.5e-3
    (90 % C.L.; scalar: 3.7e-6, where this one adds 4e-13 of the SM), electrons to 1.1e-3.

    Parameters
    ----------
    anomaly : bool, optional
        Keep the anomaly in the divergence of the axial currents. It takes away nearly all of the
        coupling of nucleons to equal couplings of u and d quarks; leaving it out is common.
    """

    name = "pseudoscalar"
    title = "light pseudoscalar mediator"
    reference = "C25 eq. 8, arXiv:2208.13262, arXiv:1307.5955 eq. B.16"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, "g_P", "universal coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def __init__(self, anomaly: bool = True) -> None:
        self.anomaly = bool(anomaly)

    def options(self) -> dict[str, object]:
        """Whether the anomaly is kept."""
        return {"anomaly": self.anomaly}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus g**4 M_N**3 T**2 / (8 pi E**2 (M**2 + 2 M_N T)**2) times spin response.

        That is scalar exchange times q**2/4m**2 for nucleons of mass m, the response taking their
        charges over m; electrons: g**4 m_e T**2 / (8 pi E**2 (M**2 + 2 m_e T)**2).
        """
        shape: NDArray[np.float64] = cross_sections.pseudoscalar_exchange(
            recoils.recoil_energy_mev, recoils.target_mass_mev
        )
        if recoils.channel == "cevns":
            response = spin_response(recoils, *self.nucleon_charges_per_mev())
            shape = shape * recoils.target_mass_mev**2 * response
        exchange = symbol("g") ** 2 * symbol("propagator")
        return StandardModel().cross_section(recoils) + exchange**2 * shape

    def nucleon_charges_per_mev(self) -> tuple[float, float]:
        """Pseudoscalar charges of proton and neutron over their masses (arXiv:1307.5955, B.16).

        sum_q Delta_q / m_q [c_q - sum_q' c_q' m/m_q'], 1/m = sum_q 1/m_q, c_u = c_d = 1, c_s = 0;
        without the anomaly, only the first term.
        """
        charges = {"up": 1.0, "down": 1.0, "strange": 0.0}
        common = 0.0
        if self.anomaly:
            inverse = sum(1.0 / mass for mass in QUARK_MASS_MEV.values())
            common = sum(charges[q] / QUARK_MASS_MEV[q] for q in charges) / inverse
        weights = {q: (charges[q] - common) / QUARK_MASS_MEV[q] for q in charges}
        return nucleon_charges("axial", weights)

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}
