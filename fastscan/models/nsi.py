"""Non-standard neutral-current interactions."""

from __future__ import annotations

from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.elements import ELEMENTS, families, row
from fastscan.models.polynomial import Polynomial, symbol

__all__ = ["NonStandardInteractions"]

_QUARKS = tuple(
    Parameter(
        f"eps_{quark}_{element}",
        "1",
        0.0,
        rf"\varepsilon_{{{tex}}}^{{{quark}V}}",
        f"vector coupling to {quark} quarks, element {element}",
        families=families(element),
    )
    for element, tex in ELEMENTS.items()
    for quark in ("u", "d")
)
_ELECTRONS = tuple(
    Parameter(
        f"eps_e{hand}_{element}",
        "1",
        0.0,
        rf"\varepsilon_{{{tex}}}^{{e{hand.upper()}}}",
        f"{'left' if hand == 'l' else 'right'}-handed coupling to electrons, element {element}",
        families=families(element),
    )
    for element, tex in ELEMENTS.items()
    for hand in ("l", "r")
)


class NonStandardInteractions(Model):
    """Flavour-diagonal and flavour-changing couplings to quarks (CEvNS) and electrons (EvES).

    An incoming flavour feels its row of elements. Those are taken to be real; what they do to the
    propagation of solar neutrinos is left out.
    """

    name = "nsi"
    title = "non-standard interactions"
    reference = "A25 eq. 4"
    parameters = (*_QUARKS, *_ELECTRONS, WEAK_MIXING_ANGLE)

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """Each flavour of outgoing neutrino adds its square.

        Nuclei: Q = Z (1/2 - 2 sin2_theta_w + 2 eps_u + eps_d) + N (-1/2 + eps_u + 2 eps_d) for the
        incoming flavour, the same without the SM terms for the two others. Electrons: eps_L and
        eps_R add to g_L = (g_V + g_A)/2 and g_R = (g_V - g_A)/2.
        """
        total = Polynomial({})
        diagonal, transitions = row(recoils.lepton)
        for element in (diagonal, *transitions):
            standard = element == diagonal
            if recoils.channel == "cevns":
                up, down = (symbol(f"eps_{quark}_{element}") for quark in ("u", "d"))
                charge = recoils.protons * (2.0 * up + down) + recoils.neutrons * (up + 2.0 * down)
                if standard:
                    charge = charge + recoils.weak_charge()
                total = total + charge**2 * recoils.nucleus_vector()
            else:
                left, right = (symbol(f"eps_e{hand}_{element}") for hand in ("l", "r"))
                vector, axial = left + right, left - right
                if standard:
                    vector = vector + recoils.electron_vector_coupling()
                    axial = axial + recoils.electron_axial_coupling()
                total = total + recoils.electron_vector(vector, axial)
        return total
