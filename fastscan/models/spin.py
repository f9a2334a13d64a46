"""How strongly the spins of nuclei answer to an interaction of quarks, at zero momentum."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np

from fastscan.exceptions import InputError
from fastscan.inputs import (
    NUCLEAR_SPINS_FILE,
    NuclearSpin,
    data_directory,
    nuclear_spins,
    nucleon_couplings,
)
from fastscan.models.base import FloatArray, Recoils

__all__ = ["nucleon_charges", "spin_response"]

_IN_NEUTRON = {"up": "down", "down": "up", "strange": "strange"}


@cache
def _nuclei() -> dict[tuple[int, int], NuclearSpin]:
    return {(nucleus.atomic_number, nucleus.mass_number): nucleus for nucleus in nuclear_spins()}


@cache
def _proton_charges(current: str) -> dict[str, float]:
    rows = nucleon_couplings()
    return {row.quark: row.proton_charge for row in rows if row.current == current}


def nucleon_charges(
    current: Literal["axial", "tensor"], quarks: Mapping[str, float]
) -> tuple[float, float]:
    """Charges of proton and neutron, sum_q c_q Delta_q, for couplings c_q of the quarks.

    The neutron is a proton with up and down exchanged (isospin symmetry).
    """
    charges = _proton_charges(current)
    proton = sum(coupling * charges[quark] for quark, coupling in quarks.items())
    neutron = sum(coupling * charges[_IN_NEUTRON[quark]] for quark, coupling in quarks.items())
    return proton, neutron


def spin_response(recoils: Recoils, proton: float, neutron: float) -> FloatArray:
    """(4/3) (J+1)/J (c_p <S_p> + c_n <S_n>)**2 of the nucleus at each recoil node, shape (t,).

    The average of |sum_N c_N sigma_N|**2 along one axis over the orientations of the nucleus: c**2
    for a free nucleon. Even-even nuclei have no spin. Structure factors fall with the momentum
    transfer, so their value at zero is an upper bound.

    Raises
    ------
    InputError
        A nucleus that is not even-even is not in the table of nuclear spins.
    """
    response = np.zeros_like(recoils.protons)
    for z, n in sorted(set(zip(recoils.protons.tolist(), recoils.neutrons.tolist(), strict=True))):
        if z % 2 == 0 and n % 2 == 0:
            continue
        nucleus = _nuclei().get((int(z), int(z + n)))
        if nucleus is None:
            raise InputError(
                f"the spin of the isotope with Z = {z:g}, A = {z + n:g} is not known",
                where=str(data_directory() / NUCLEAR_SPINS_FILE),
                hint="add it to the table, or leave CEvNS out (channels eves)",
            )
        spin = proton * nucleus.proton_spin + neutron * nucleus.neutron_spin
        here = (recoils.protons == z) & (recoils.neutrons == n)
        response[here] = 4.0 / 3.0 * (nucleus.spin + 1.0) / nucleus.spin * spin**2
    return response
