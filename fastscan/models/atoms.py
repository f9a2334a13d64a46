"""What binding in atoms makes of scattering on electrons: any model in a given target."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fastscan.constants import FINE_STRUCTURE_CONSTANT, MEV_MINUS_2_IN_CM2
from fastscan.inputs import Target
from fastscan.models.base import FloatArray, Model, Recoils
from fastscan.models.polynomial import Monomial, Polynomial

__all__ = ["InAtoms", "equivalent_photons", "in_target"]

MEGABARN_CM2 = 1e-18
# Units and names of what scatters on electrons as the weak interaction does, at a point.
_CONTACT_UNITS = ("cm2",)
_CONTACT_NAMES = ("sin2_theta_w", "eps_")
_OF_UNIT = {"e": "millicharge", "mu_B": "magnetic"}


def in_target(model: Model, target: Target | None) -> Model:
    """The model with the response of a target's atoms, where that is more than free electrons."""
    if target is None or target.electron_binding not in ("epa", "table"):
        return model
    return InAtoms(model, target)


class InAtoms(Model):
    """A model whose electrons are those of a target.

    By a table: each term of the cross section times the ratio of its interaction. By equivalent
    photons: terms of millicharges are replaced.

    Parameters
    ----------
    model : Model
    target : Target
    """

    def __init__(self, model: Model, target: Target) -> None:
        self._model, self._target = model, target
        for key in ("name", "title", "reference", "parameters", "profiled_by_default", "growths"):
            setattr(self, key, getattr(model, key))

    def options(self) -> dict[str, object]:
        """Those of the model."""
        return self._model.options()

    def functions(self, recoils: Recoils, shape: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Those of the model."""
        return self._model.functions(recoils, shape)

    def cross_section(self, recoils: Recoils) -> Polynomial:
        """That of the model, on bound electrons."""
        free = self._model.cross_section(recoils)
        if recoils.channel != "eves":
            return free
        if self._target.electron_binding == "epa":
            return Polynomial(
                {m: v for m, v in free.terms.items() if self._interaction(m) != "millicharge"}
            )
        ratio = self._target.electron_ratio
        assert ratio is not None
        energy_ev = recoils.recoil_energy_mev * 1e6
        return Polynomial(
            {
                monomial: value * ratio.at(self._interaction(monomial), energy_ev)
                for monomial, value in free.terms.items()
            }
        )

    def _interaction(self, monomial: Monomial) -> str:
        """What a term of the cross section scatters by; the least known of its symbols decides."""
        units = {parameter.name: parameter.unit for parameter in self.parameters}
        names = [name for name, _ in monomial]
        for unit, interaction in _OF_UNIT.items():
            if any(units.get(name) == unit for name in names):
                return interaction
        contact = (units.get(n) in _CONTACT_UNITS or n.startswith(_CONTACT_NAMES) for n in names)
        return "weak" if all(contact) else "other"

    def photons(self, recoils: Recoils) -> dict[Monomial, FloatArray]:
        """Squares of millicharges by equivalent photons: coefficients of ln(E / m_nu), (t,) each.

        They stand beside `cross_section`, whose coefficients are of powers of E, and do not
        interfere with it.
        """
        if recoils.channel != "eves" or self._target.electron_binding != "epa":
            return {}
        section = equivalent_photons(self._target, recoils.recoil_energy_mev)
        charges = {parameter.name for parameter in self.parameters if parameter.unit == "e"}
        return {
            monomial: section
            for monomial in self._model.cross_section(recoils).terms
            if len(monomial) == 1 and monomial[0][1] == 2 and monomial[0][0] in charges
        }


def equivalent_photons(target: Target, recoil_mev: FloatArray) -> FloatArray:
    """(2 alpha / pi) sigma_gamma(T) / T of an atom, shared by its electrons; MeV**-3, shape (T,).

    Times q**2 ln(E / m_nu), and times the electrons that the recoil can free, it is dsigma/dT of
    the atoms of the target; zero where no electron can be freed.
    """
    scale = 2.0 * FINE_STRUCTURE_CONSTANT / math.pi * MEGABARN_CM2 / MEV_MINUS_2_IN_CM2
    section: FloatArray = scale * target.photoabsorption_share_mb(recoil_mev) / recoil_mev
    return section
