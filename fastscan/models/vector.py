"""A light vector mediator with any charges, and the loop of a force between leptons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import (
    ELECTRON_MASS_MEV,
    FERMI_CONSTANT_PER_MEV2,
    FINE_STRUCTURE_CONSTANT,
    MUON_MASS_MEV,
    TAU_MASS_MEV,
)
from fastscan.exceptions import InputError, unknown_name
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

__all__ = ["NAMED_CHARGES", "Charges", "VectorMediator", "induced_charge"]

# Points on the Feynman parameter of the loop.
_LOOP_POINTS = 128


@dataclass(frozen=True)
class Charges:
    """Charges of the neutrinos, the electron and the quarks under the new U(1).

    ``nu`` is that of electron neutrinos, and of the others where they have none of their own. With
    ``loop`` loops of the charged leptons induce a coupling to electric charge; see
    `induced_charge`.
    """

    nu: float
    electron: float
    up: float
    down: float
    nu_mu: float | None = None
    nu_tau: float | None = None
    loop: bool = False

    def of(self, lepton: str) -> float:
        """Charge of the neutrinos of a family: e, mu or tau."""
        own = {"e": self.nu, "mu": self.nu_mu, "tau": self.nu_tau}[lepton]
        return self.nu if own is None else own

    @classmethod
    def parse(cls, text: str) -> Charges:
        """Read a name of `NAMED_CHARGES`, or numbers (fractions allowed).

        Four numbers ``qnu,qe,qu,qd`` have one charge for all neutrinos; six,
        ``qnu_e,qnu_mu,qnu_tau,qe,qu,qd``, one for each. With ``+loop`` at its end loops are kept.

        Raises
        ------
        InputError
            Neither, or not finite; or loops of charges for which they are not.
        """
        tree, plus, end = text.partition("+")
        if plus and end == "loop":
            charges = replace(cls.parse(tree), loop=True)
            leptons = (charges.electron, charges.of("mu"), charges.of("tau"))
            if charges.up or charges.down or abs(sum(leptons)) > 1e-12:
                raise InputError(
                    f"charges {tree} have no finite loop: those of the leptons do not add up to 0, "
                    "or quarks have some",
                    where="--charges",
                    hint="leave +loop out, or choose l_e-l_mu, l_e-l_tau or l_mu-l_tau",
                )
            return charges
        if text in NAMED_CHARGES:
            return NAMED_CHARGES[text]
        parts = text.split(",")
        if len(parts) == 1:
            raise unknown_name("charge assignment", text, NAMED_CHARGES, where="--charges")
        try:
            values = [_number(part) for part in parts]
            if len(values) not in (4, 6) or not all(map(math.isfinite, values)):
                raise ValueError
        except (ValueError, ZeroDivisionError):
            raise InputError(
                f"charges {text!r} are not four finite numbers",
                where="--charges",
                hint="write qnu,qe,qu,qd, as in -1,-1,1/3,1/3; or six: qnu_e,qnu_mu,qnu_tau,qe,…",
            ) from None
        *first, electron, up, down = values
        return cls(first[0], electron, up, down, *(first[1:] or (None, None)))


def _number(text: str) -> float:
    over, slash, under = text.partition("/")
    return float(over) / (float(under) if slash else 1.0)


# Charges at tree level. A photon that only mixes kinetically does
# not couple to neutrinos and nothing would be seen; "dark-photon" gives them unit charge under the
# new force, and quarks and electrons their electric charge: g**2 is the product of couplings.
NAMED_CHARGES: Mapping[str, Charges] = {
    "b-l": Charges(-1.0, -1.0, 1.0 / 3.0, 1.0 / 3.0),
    "b-3l_e": Charges(-3.0, -3.0, 1.0 / 3.0, 1.0 / 3.0, nu_mu=0.0, nu_tau=0.0),
    "b-3l_mu": Charges(0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, nu_mu=-3.0, nu_tau=0.0),
    "b-3l_tau": Charges(0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, nu_mu=0.0, nu_tau=-3.0),
    "l_e-l_mu": Charges(1.0, 1.0, 0.0, 0.0, nu_mu=-1.0, nu_tau=0.0),
    "l_e-l_tau": Charges(1.0, 1.0, 0.0, 0.0, nu_mu=0.0, nu_tau=-1.0),
    "l_mu-l_tau": Charges(0.0, 0.0, 0.0, 0.0, nu_mu=1.0, nu_tau=-1.0),
    "universal": Charges(1.0, 1.0, 1.0, 1.0),
    "dark-photon": Charges(1.0, -1.0, 2.0 / 3.0, -1.0 / 3.0),
}


class VectorMediator(Model):
    """A vector boson of mass M and coupling g that interferes with the weak charge.

    Parameters
    ----------
    charges : str, optional
        A name of `NAMED_CHARGES`, ``qnu,qe,qu,qd`` or ``qnu_e,qnu_mu,qnu_tau,qe,qu,qd``. A name
        with ``+loop`` at its end, as ``l_mu-l_tau+loop``, keeps the coupling to electric charge
        that loops of the charged leptons induce: for charges of leptons alone that add up to zero.
    """

    name = "vector"
    title = "light vector mediator"
    reference = "C25 eqs. 9-12"
    parameters = (
        MEDIATOR_MASS,
        Parameter("g", "1", 0.0, "g", "gauge coupling", minimum=0.0),
        WEAK_MIXING_ANGLE,
    )
    growths: ClassVar = {"propagator": propagator_growth}

    def __init__(self, charges: str = "b-l") -> None:
        self.charges = Charges.parse(charges)
        self.charges_name = charges

    def options(self) -> dict[str, object]:
        """The charge assignment."""
        return {"charges": self.charges_name}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """The SM one with Q -> Q + g**2 Q_nu Q_N / (sqrt2 G_F (M**2 + 2 M_N T)), g_V alike.

        For B-L, Q_nu Q_N = -A has the sign of the weak charge: the two add up (C25 eq. 10). The
        loop adds Z times `induced_charge` to Q_N, and minus that to the charge of electrons.
        """
        charge = self.charges
        neutrino = charge.of(recoils.lepton)
        exchange = symbol("g") ** 2 * symbol("propagator")
        exchange = exchange * (neutrino / (math.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2))
        induced: float | NDArray[np.float64] = 0.0
        if charge.loop:
            induced = induced_charge(charge, recoils.momentum_squared_mev2)
        if recoils.channel == "cevns":
            nuclear = recoils.protons * (2.0 * charge.up + charge.down)
            nuclear = nuclear + recoils.neutrons * (charge.up + 2.0 * charge.down)
            if charge.loop:
                nuclear = nuclear + recoils.protons * induced
            return (recoils.weak_charge() + exchange * nuclear) ** 2 * recoils.nucleus_vector()
        return recoils.electron_vector(
            recoils.electron_vector_coupling() + exchange * (charge.electron - induced)
        )

    def functions(
        self, recoils: Recoils, shape: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """The propagator."""
        return {"propagator": mediator_propagator(recoils, shape)}


def induced_charge(
    charges: Charges, momentum_squared_mev2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Charge of protons that loops of charged leptons induce, in units of the new coupling.

    -(e**2 / 2 pi**2) sum_l Q_l int_0^1 x (1 - x) ln(m_l**2 + x (1 - x) q**2) dx, which for charges
    +1 of a and -1 of b is (e**2 / 2 pi**2) int x (1 - x) ln[(m_b**2 + x (1 - x) q**2) /
    (m_a**2 + x (1 - x) q**2)] dx, e**2 = 4 pi alpha.

    Examples
    --------
    >>> f"{induced_charge(NAMED_CHARGES['l_mu-l_tau'], np.zeros(1))[0]:.3e}"
    '4.371e-03'
    """
    # x = u**2 / 2 up to the middle, the other half is its image: the logarithm bends at the ends.
    node, weight = np.polynomial.legendre.leggauss(_LOOP_POINTS)
    x = 0.5 * (0.5 * (1.0 + node)) ** 2
    weight = 0.5 * weight * (1.0 + node)
    inner = x * (1.0 - x)
    q2 = np.asarray(momentum_squared_mev2, dtype=float)[:, None]
    total = np.zeros(q2.shape[0])
    for charge, mass in (
        (charges.electron, ELECTRON_MASS_MEV),
        (charges.of("mu"), MUON_MASS_MEV),
        (charges.of("tau"), TAU_MASS_MEV),
    ):
        total -= charge * (np.log(mass**2 + inner * q2) * inner) @ weight
    induced: NDArray[np.float64] = 2.0 * FINE_STRUCTURE_CONSTANT / math.pi * total
    return induced
