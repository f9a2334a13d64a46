"""Target: nuclei, electron shells, quenching and nuclear form factor."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.inputs.electrons import ElectronRatio, EquivalentPhotons, photoabsorption_mb
from fastscan.inputs.form_factor import FormFactor, Helm
from fastscan.inputs.materials import shipped_element, shipped_photoabsorption
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.quenching import MEV_PER_EV, Quenching
from fastscan.inputs.schema import Model, Name, Positive, TableFile, problem
from fastscan.inputs.tables import (
    SHIPPED_PREFIX,
    DataFile,
    FloatArray,
    IntArray,
    Table,
    read_only,
)

__all__ = ["Element", "Target"]

ABUNDANCE_TOLERANCE = 1e-3


class Element(Model):
    """One chemical element of the target; free electrons need no table of shells.

    An element of the shipped ones may be given by ``symbol`` and ``atoms_per_formula_unit`` alone.
    """

    symbol: Name
    atomic_number: Annotated[int, Field(gt=0)]
    atoms_per_formula_unit: Annotated[Positive, Quantity("1", 1e-3, 1e3)] = 1.0
    isotopes: TableFile
    shells: Annotated[TableFile | None, Columns((("binding_ev", Quantity("eV", 1.0, 2e5)),))] = None

    @model_validator(mode="before")
    @classmethod
    def _shipped(cls, values: Any) -> Any:
        if isinstance(values, dict) and set(values) <= {"symbol", "atoms_per_formula_unit"}:
            return {**shipped_element(str(values.get("symbol"))), **values}
        return values

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


class Target(Model):
    """What the neutrinos scatter off.

    Attributes
    ----------
    elements : tuple of Element
        ``material = "CsI"`` in ``[target]`` is short for elements with shipped tables.
    quenching : Lindhard, NoQuenching, TabulatedQuenching or PolynomialQuenching
        ``[target.quenching]``, by its key ``model``.
    form_factor : Helm, KleinNystrand, SymmetrisedFermi or TabulatedFormFactor
        ``[target.form_factor]``, by its key ``model``.
    weak_charges : {"tree", "radiative"}
        Couplings of protons and neutrons to the Z boson: 1/2 - 2 sin2_theta_w and -1/2, or with
        the radiative corrections of the neutrino's flavour (see `fastscan.models.weak_charge`).
    electron_binding : {"steps", "free", "epa", "table"}
        Electrons whose shell is bound by less than the recoil scatter as if free; all do;
        ``steps``, but millicharges by equivalent photons; or a table of the ratio to free ones.
    equivalent_photons : EquivalentPhotons
        Read by ``epa``.
    electron_ratio : ElectronRatio, optional
        Read by ``table``.
    """

    elements: Annotated[tuple[Element, ...], Field(min_length=1, strict=False)]
    electron_binding: Literal["steps", "free", "epa", "table"] = "steps"
    equivalent_photons: EquivalentPhotons = EquivalentPhotons()
    electron_ratio: ElectronRatio | None = None
    quenching: Quenching
    form_factor: FormFactor = Helm()
    weak_charges: Literal["tree", "radiative"] = "tree"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        lightest = min(int(element.mass_number.min()) for element in self.elements)
        self.form_factor.check(lightest)
        binding = f"electron_binding = {self.electron_binding!r}"
        if self.electron_binding == "table":
            self._need(binding, "electron_ratio")
        for element in self.elements:
            if self.bound and element.shells is None:
                raise problem(f"missing key 'shells' of {element.symbol}", f"{binding} needs it")
            if self.electron_binding == "epa" and not self._photoabsorption_of(element):
                raise problem(
                    f"there is no shipped photoelectric cross section of {element.symbol}",
                    f"{binding} needs one; write 'steps'",
                )
        return self

    @property
    def bound(self) -> bool:
        """Whether an electron counts from the binding energy of its shell on."""
        if self.electron_ratio is not None and self.electron_binding == "table":
            return self.electron_ratio.relative_to == "steps"
        return self.electron_binding != "free"

    def mean_rms_radius_fm(self) -> float:
        """Root mean square radius of the nuclei by the form factor, mean over them, fm.

        Raises
        ------
        InputError
            The form factor is a table.
        """
        radii, weights = [], []
        for element in self.elements:
            radii.append(self.form_factor.rms_radius_fm(element.mass_number.astype(float)))
            weights.append(element.atoms_per_formula_unit * element.abundance)
        return float(np.average(np.concatenate(radii), weights=np.concatenate(weights)))

    @property
    def logarithm_of_mev(self) -> float | None:
        """The mass that equivalent photons compare neutrino energies with, where they are used."""
        photons = self.equivalent_photons
        return photons.neutrino_mass_ev * MEV_PER_EV if self.electron_binding == "epa" else None

    def active_electrons(self, element: Element, recoil_mev: FloatArray) -> FloatArray:
        """Electrons of an atom that a recoil can free, shape (T,)."""
        if not self.bound:
            return np.full_like(recoil_mev, float(element.atomic_number))
        free = recoil_mev[:, None] >= element.shell_binding_ev[None, :] * MEV_PER_EV
        return np.asarray(free @ element.shell_electrons, dtype=float)

    def photoabsorption_mb(self, element: Element, recoil_mev: FloatArray) -> FloatArray:
        """Photoelectric cross section of an atom in Mb, shape (T,).

        Raises
        ------
        InputError
            A recoil above the table.
        """
        return photoabsorption_mb(self._photoabsorption_table(element), recoil_mev / MEV_PER_EV)

    def photoabsorption_share_mb(self, recoil_mev: FloatArray) -> FloatArray:
        """Photoelectric cross section of all atoms, shared by `active_electrons`, Mb, shape (T,).

        Zero where no electron can be freed.

        Raises
        ------
        InputError
            A recoil above a table.
        """
        photons, electrons = np.zeros_like(recoil_mev), np.zeros_like(recoil_mev)
        for element in self.elements:
            atoms = element.atoms_per_formula_unit
            photons += atoms * self.photoabsorption_mb(element, recoil_mev)
            electrons += atoms * self.active_electrons(element, recoil_mev)
        return np.divide(photons, electrons, out=np.zeros_like(photons), where=electrons > 0.0)

    def _photoabsorption_of(self, element: Element) -> str:
        return shipped_photoabsorption(element.symbol, self.equivalent_photons.tabulation)

    def _photoabsorption_table(self, element: Element) -> Table:
        name = self._photoabsorption_of(element).removeprefix(SHIPPED_PREFIX)
        return DataFile.shipped(name).table(("energy_ev", "cross_section_mb"))

    def electron_kinks_mev(self) -> FloatArray:
        """Recoils of electrons at which their number, or the response of an atom, has a kink."""
        kinks = [np.empty(0)]
        if self.bound:
            kinks += [element.shell_binding_ev * MEV_PER_EV for element in self.elements]
        if self.electron_binding == "epa":
            tables = [self._photoabsorption_table(element) for element in self.elements]
            kinks += [table["energy_ev"] * MEV_PER_EV for table in tables]
        if self.electron_binding == "table":
            assert self.electron_ratio is not None
            kinks.append(self.electron_ratio.kinks_ev() * MEV_PER_EV)
        return np.concatenate(kinks)

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        unread = {f"quenching.{key}": why for key, why in self.quenching.unread().items()}
        chosen = f"target.electron_binding = {self.electron_binding!r}"
        if not self.bound:
            reason = f"with {chosen} no electron is bound"
            unread |= {f"elements.{i}.shells": reason for i in range(len(self.elements))}
        for key, binding in (("equivalent_photons", "epa"), ("electron_ratio", "table")):
            if self.electron_binding != binding:
                unread[key] = f"{chosen} does not read it, {binding!r} does"
        return unread

    def _shells_of(self, element: Element) -> dict[str, str]:
        if not self.bound:
            return {}
        assert element.shells is not None
        return {"shells": element.shells.sha256}

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the counts depend on; see `Experiment.tensor_inputs`."""
        elements = [
            {
                "atomic_number": element.atomic_number,
                "atoms_per_formula_unit": element.atoms_per_formula_unit,
                "isotopes": element.isotopes.sha256,
                **self._shells_of(element),
            }
            for element in self.elements
        ]
        inputs: dict[str, Any] = {
            "elements": elements,
            "electron_binding": self.electron_binding,
            "quenching": self.quenching.tensor_inputs(),
            "form_factor": self.form_factor.tensor_inputs(),
        }
        if self.weak_charges != "tree":
            inputs["weak_charges"] = self.weak_charges
        if self.electron_binding == "epa":
            files = [self._photoabsorption_of(element) for element in self.elements]
            sums = [DataFile.shipped(f.removeprefix(SHIPPED_PREFIX)).sha256 for f in files]
            mass_ev = self.equivalent_photons.neutrino_mass_ev
            inputs["equivalent_photons"] = {"files": sums, "neutrino_mass_ev": mass_ev}
        if self.electron_binding == "table":
            assert self.electron_ratio is not None
            inputs["electron_ratio"] = self.electron_ratio.tensor_inputs()
        return inputs
