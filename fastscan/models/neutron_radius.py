"""The radius of the neutrons in nuclei."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import FERMI_CONSTANT_PER_MEV2, HBAR_C_MEV_FM
from fastscan.exceptions import InputError
from fastscan.inputs import Target
from fastscan.kernels import cross_sections
from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.sm import StandardModel

__all__ = ["NeutronRadius"]

FloatArray = NDArray[np.float64]

LARGEST_RADIUS_FM = 20.0


class NeutronRadius(Model):
    """The SM with a radius of its own for the neutrons.

    The form factor of the protons stays that of the experiment; the neutrons' has the same shape
    and skin, and another root mean square radius: ``r_n_fm``, the mean over the nuclei of the
    target. Several isotopes keep the ratios of their radii. Its default is the mean of the
    experiment's form factor, which gives the SM.
    """

    name = "neutron-radius"
    title = "radius of the neutrons"
    reference = "arXiv:1710.02730"
    parameters = (
        Parameter(
            "r_n_fm",
            "fm",
            None,
            "R_n",
            "rms radius of the neutrons, mean of the nuclei; by default that of the form factor",
            minimum=0.0,
            maximum=LARGEST_RADIUS_FM,
            kind="shape",
        ),
        WEAK_MIXING_ANGLE,
    )

    def bound(self, target: Target) -> Self:
        """With the default and the smallest radius of a target's form factor."""
        smallest, mean = _range(target)
        radius = replace(self.parameter("r_n_fm"), default=mean, minimum=smallest)
        bound = copy(self)
        bound.parameters = (radius, *self.parameters[1:])
        return bound

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """G_F**2 M/pi (Z g_p F_p + N g_n F_n)**2 (1 - MT/2E**2); of the SM for electrons."""
        if recoils.channel != "cevns":
            return StandardModel().cross_section(recoils)
        target = _target_of(recoils)
        protons = target.form_factor.amplitude(*_momentum(recoils))
        proton, neutron = recoils.nucleon_charges()
        charge = recoils.protons * protons * proton
        charge = charge + recoils.neutrons * neutron * symbol("neutron_form_factor")
        shape: FloatArray = cross_sections.vector_nucleus(
            recoils.recoil_energy_mev, recoils.target_mass_mev, FERMI_CONSTANT_PER_MEV2
        )
        return charge**2 * shape

    def functions(self, recoils: Recoils, shape: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """F of the neutrons."""
        if recoils.channel != "cevns":
            return {}
        target = _target_of(recoils)
        momentum, mass_number = _momentum(recoils)
        own = target.form_factor.rms_radius_fm(mass_number) / target.mean_rms_radius_fm()
        radius = shape["r_n_fm"][:, None] * own[None, :]
        return {"neutron_form_factor": target.form_factor.at_rms_radius(momentum[None, :], radius)}


def _range(target: Target) -> tuple[float, float]:
    """Smallest radius for which every isotope has a density, and that of the form factor."""
    form_factor, mean = target.form_factor, target.mean_rms_radius_fm()
    lightest = min(int(element.mass_number.min()) for element in target.elements)
    least = float(form_factor.rms_radius_fm(np.array([lightest]))[0])
    return form_factor.smallest_rms_radius_fm * mean / least, mean


def _target_of(recoils: Recoils) -> Target:
    if recoils.target is None:
        raise InputError(
            "the radius of the neutrons needs the form factor of a target",
            where="model neutron-radius",
            hint="make its Recoils with the target of an experiment",
        )
    return recoils.target


def _momentum(recoils: Recoils) -> tuple[FloatArray, FloatArray]:
    """Momentum transfer in 1/fm and mass number at each node."""
    momentum: FloatArray = np.sqrt(recoils.momentum_squared_mev2) / HBAR_C_MEV_FM
    return momentum, recoils.protons + recoils.neutrons
