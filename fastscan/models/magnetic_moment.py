"""Effective neutrino magnetic moments."""

from __future__ import annotations

from fastscan.models.base import WEAK_MIXING_ANGLE, Model, Parameter, Recoils
from fastscan.models.elements import LEPTONS
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.sm import StandardModel

__all__ = ["MAGNETIC_MOMENTS", "MagneticMoment", "moment_of"]

_NAMES = {"e": "mu_nu", "mu": "mu_nu_mu", "tau": "mu_nu_tau"}


def _moment(lepton: str, tex: str, whose: str, families: tuple[str, ...]) -> Parameter:
    return Parameter(
        _NAMES[lepton],
        "mu_B",
        0.0,
        tex,
        f"effective magnetic moment of {whose}",
        minimum=0.0,
        maximum=1e-3,
        families=families,
    )


MAGNETIC_MOMENTS = (
    _moment("e", r"\mu_{\bar\nu_e}", "electron neutrinos and antineutrinos", ("e",)),
    _moment("mu", r"\mu_{\nu_\mu}", "muon neutrinos and antineutrinos", ("mu",)),
    _moment("tau", r"\mu_{\nu_\tau}", "tau neutrinos and antineutrinos", ("tau",)),
)
UNIVERSAL_MOMENT = _moment("e", r"\mu_\nu", "neutrinos of all flavours", LEPTONS)


def moment_of(lepton: str) -> Polynomial:
    """The moment of a family of neutrinos."""
    return symbol(_NAMES[lepton])


class MagneticMoment(Model):
    """A magnetic moment flips helicity, so its rate adds to that of the Standard Model.

    Parameters
    ----------
    quadratic_term : bool, optional
        Keep the term T/4E**2 of A25 eq. 3, which C25 eq. 6 leaves out.
    universal : bool, optional
        mu_nu is that of all flavours, in place of one for each.
    """

    name = "magnetic-moment"
    title = "neutrino magnetic moment"
    reference = "C25 eq. 6, A25 eq. 3"
    parameters: tuple[Parameter, ...] = (*MAGNETIC_MOMENTS, WEAK_MIXING_ANGLE)

    def __init__(self, quadratic_term: bool = False, universal: bool = False) -> None:
        self.quadratic_term = quadratic_term
        self.universal = universal
        if universal:
            self.parameters = (UNIVERSAL_MOMENT, WEAK_MIXING_ANGLE)

    def options(self) -> dict[str, object]:
        """Whether the term T/4E**2 is kept, and whether the moment is of all flavours."""
        return {"quadratic_term": self.quadratic_term, "universal": self.universal}

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """SM plus pi alpha**2/m_e**2 (1/T - 1/E [+ T/4E**2]) mu**2, times Z**2 F**2 on nuclei."""
        magnetic = recoils.magnetic(float(self.quadratic_term))
        moment = moment_of("e" if self.universal else recoils.lepton)
        return StandardModel().cross_section(recoils) + moment**2 * magnetic
