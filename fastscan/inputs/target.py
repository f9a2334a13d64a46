"""Target: nuclei, electron shells, quenching and nuclear form factor."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import Model, Name, Positive, TableFile, problem
from fastscan.inputs.tables import FloatArray, IntArray, Table, read_only

__all__ = ["Element", "FormFactor", "Quenching", "Target"]

ABUNDANCE_TOLERANCE = 1e-3


class Element(Model):
    """One chemical element of the target; free electrons need no table of shells."""

    symbol: Name
    atomic_number: Annotated[int, Field(gt=0)]
    atoms_per_formula_unit: Annotated[Positive, Quantity("1", 1e-3, 1e3)] = 1.0
    isotopes: TableFile
    shells: Annotated[TableFile | None, Columns((("binding_ev", Quantity("eV", 1.0, 2e5)),))] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        isotopes = self._isotope_table
        mass_number, mass = isotopes["mass_number"], isotopes["atomic_mass_u"]
        isotopes.require(
            (mass_number == np.rint(mass_number)) & (mass_number >= self.atomic_number),
            f"mass_number is not a whole number of at least {self.atomic_number}",
        )
        isotopes.require(
            mass_number <= 3 * self.atomic_number,
            f"mass_number is more than three times {self.atomic_number} protons",
            "correct atomic_number, or name the isotopes of this element",
        )
        isotopes.require(
            abs(mass - mass_number) < 0.5,
            "atomic_mass_u is not within 0.5 of mass_number",
            "give the atomic mass in u",
        )
        isotopes.require(
            isotopes["abundance"] > 0,
            "abundance is not above 0",
            "give the abundance as a fraction, or leave the isotope out",
        )
        isotopes.require_sum("abundance", 1.0, ABUNDANCE_TOLERANCE, "complete or correct the rows")
        if self.shells is not None:
            shells = self._shell_table
            shells.require(shells["electrons"] > 0, "electrons is not above 0")
            shells.require(shells["binding_ev"] >= 0, "binding_ev is negative")
            shells.require_sum(
                "electrons", self.atomic_number, 1e-9, "correct the rows or atomic_number"
            )
        return self

    @property
    def _isotope_table(self) -> Table:
        return self.isotopes.table(("mass_number", "abundance", "atomic_mass_u"))

    @property
    def _shell_table(self) -> Table:
        assert self.shells is not None  # free electrons have none, and nobody asks
        return self.shells.table(("electrons", "binding_ev"))

    @property
    def mass_number(self) -> IntArray:
        """Mass number A of each isotope, shape (i,)."""
        return read_only(self._isotope_table["mass_number"], np.int64)

    @property
    def abundance(self) -> FloatArray:
        """Share of each isotope in the element's atoms, shape (i,)."""
        return self._isotope_table["abundance"]

    @property
    def atomic_mass_u(self) -> FloatArray:
        """Mass of the neutral atom of each isotope in u, shape (i,)."""
        return self._isotope_table["atomic_mass_u"]

    @property
    def shell_electrons(self) -> FloatArray:
        """Electrons of each shell, shape (s,); they add up to the atomic number."""
        return self._shell_table["electrons"]

    @property
    def shell_binding_ev(self) -> FloatArray:
        """Binding energy of each shell in eV, shape (s,)."""
        return self._shell_table["binding_ev"]


class Quenching(Model):
    """Ionisation yield of nuclear recoils, after Lindhard."""

    model: Literal["lindhard"] = "lindhard"
    k: Annotated[Positive, Quantity("1", 0.03, 0.5)]


class FormFactor(Model):
    """Helm form factor: surface thickness a and skin thickness s."""

    model: Literal["helm"] = "helm"
    skin_thickness_fm: Annotated[Positive, Quantity("fm", 0.1, 3.0)] = 0.9
    surface_thickness_fm: Annotated[Positive, Quantity("fm", 0.1, 3.0)] = 0.52

    def radius_squared_fm2(self, mass_number: int) -> float:
        """Square of the diffraction radius R_0 (Helm; Lewin and Smith 1996, eq. (4.11))."""
        c = 1.23 * math.cbrt(mass_number) - 0.60
        a, s = self.surface_thickness_fm, self.skin_thickness_fm
        return c**2 + 7 / 3 * (math.pi * a) ** 2 - 5 * s**2


class Target(Model):
    """What the antineutrinos scatter off."""

    elements: Annotated[tuple[Element, ...], Field(min_length=1, strict=False)]
    electron_binding: Literal["steps", "free"] = "steps"
    quenching: Quenching
    form_factor: FormFactor = FormFactor()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        lightest = min(int(element.mass_number.min()) for element in self.elements)
        radius_squared_fm2 = self.form_factor.radius_squared_fm2(lightest)
        if radius_squared_fm2 <= 0:
            raise problem(
                f"the form factor's R_0^2 is {radius_squared_fm2:.3g} fm^2 at A = {lightest}",
                "lower skin_thickness_fm",
            )
        for element in self.elements:
            if self.electron_binding == "steps" and element.shells is None:
                raise problem(
                    f"missing key 'shells' of {element.symbol}",
                    "electron_binding = 'steps' needs it",
                )
        return self

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        if self.electron_binding == "steps":
            return {}
        reason = "with target.electron_binding = 'free' no electron is bound"
        return {f"elements.{i}.shells": reason for i in range(len(self.elements))}

    def _shells_of(self, element: Element) -> dict[str, str]:
        if self.electron_binding == "free":
            return {}
        assert element.shells is not None
        return {"shells": element.shells.sha256}

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        elements = [
            {
                "atomic_number": element.atomic_number,
                "atoms_per_formula_unit": element.atoms_per_formula_unit,
                "isotopes": element.isotopes.sha256,
                **self._shells_of(element),
            }
            for element in self.elements
        ]
        return {
            "elements": elements,
            "electron_binding": self.electron_binding,
            "quenching": self.quenching.model_dump(),
            "form_factor": self.form_factor.model_dump(),
        }
