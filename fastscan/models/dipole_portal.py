"""A heavy neutrino that a magnetic dipole couples to active ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import ELECTRON_MASS_MEV, FINE_STRUCTURE_CONSTANT
from fastscan.exceptions import unknown_name
from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.elements import LEPTONS
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.sm import StandardModel

__all__ = ["DipolePortal"]

FloatArray = NDArray[np.float64]

# Flavours that the dipole may couple to the heavy neutrino.
FLAVOURS = ("all", *LEPTONS)


class DipolePortal(Model):
    """Neutrinos scatter into a heavy one by a photon: nu A -> N A, and on electrons alike.

    The dipole d = mu/mu_B is that of L = (mu/2) N sigma_ab nu F^ab + h.c., so that a massless N
    gives the rates of a magnetic moment d without A25's T/4E**2. Others leave out the 1/2: their d
    is half of this one. Nothing is said of how N decays. The nucleus is a spin-1/2 particle of
    charge Z F, without a magnetic moment.

    Parameters
    ----------
    flavour : {"all", "e", "mu", "tau"}, optional
        Neutrinos that the dipole acts on: those of all flavours alike unless told otherwise.
        Reactors emit electron antineutrinos alone, and do not constrain d of mu or tau.
    """

    name = "dipole-portal"
    title = "dipole portal to a heavy neutrino"
    reference = "arXiv:1803.03262, arXiv:2109.09545"
    parameters: tuple[Parameter, ...] = (
        Parameter(
            "mass_n_mev",
            "MeV",
            None,
            "m_N",
            "mass of the heavy neutrino",
            minimum=0.0,
            maximum=1e6,
            kind="shape",
        ),
        Parameter(
            "d",
            "mu_B",
            0.0,
            "d",
            "transition magnetic moment, mu/2 convention",
            minimum=0.0,
            maximum=1.0,
        ),
        WEAK_MIXING_ANGLE,
    )

    def __init__(self, flavour: str = "all") -> None:
        if flavour not in FLAVOURS:
            raise unknown_name("flavour", flavour, FLAVOURS, where="model dipole-portal")
        self.flavour = flavour
        if flavour != "all":
            self.parameters = tuple(
                p if p is WEAK_MIXING_ANGLE else replace(p, families=(flavour,))
                for p in type(self).parameters
            )

    def options(self) -> dict[str, object]:
        """The flavour."""
        return {"flavour": self.flavour}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus the dipole above `minimum_energy`, times Z**2 F**2 on nuclei.

        pi alpha**2/m_e**2 d**2 [1/T - 1/E + m**2 (T-2E-M)/(4 E**2 T M) + m**4 (T-M)/(8 E**2 T**2
        M**2)].
        """
        standard = StandardModel().cross_section(recoils)
        if self.flavour not in ("all", recoils.lepton):
            return standard
        recoil, target = recoils.recoil_energy_mev, recoils.target_mass_mev
        zero = np.zeros_like(recoil)
        charge = np.ones_like(recoil)
        if recoils.channel == "cevns":
            charge = recoils.protons**2 * recoils.form_factor_squared
        charge = charge * (math.pi * FINE_STRUCTURE_CONSTANT**2 / ELECTRON_MASS_MEV**2)
        light = np.stack([1.0 / recoil, np.full_like(recoil, -1.0), zero])
        squared = np.stack(
            [zero, -0.5 / (recoil * target), 0.25 * (recoil - target) / (recoil * target)]
        )
        fourth = np.stack([zero, zero, 0.125 * (recoil - target) / (recoil * target) ** 2])
        mass_squared = symbol("mass_squared")
        shape = light + mass_squared * squared + mass_squared**2 * fourth
        return standard + symbol("d") ** 2 * symbol("heavy") * (shape * charge)

    def functions(self, recoils: Recoils, shape: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Mass of the heavy neutrino squared."""
        squared = shape["mass_n_mev"][:, None] ** 2
        return {"mass_squared": np.repeat(squared, recoils.recoil_energy_mev.size, axis=1)}

    def minimum_energy(
        self, recoils: Recoils, shape: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray]:
        """(T + sqrt(T**2 + 2 M T)) / 2 * (1 + m**2 / 2 M T): at small recoils it rises again."""
        recoil, momentum = recoils.recoil_energy_mev, recoils.momentum_squared_mev2
        massless = 0.5 * (recoil + np.sqrt(recoil**2 + momentum))
        heavier = 1.0 + shape["mass_n_mev"][:, None] ** 2 / momentum[None]
        return {"heavy": massless * heavier}
