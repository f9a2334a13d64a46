"""How electrons answer: by equivalent photons, or by a table of the ratio to free ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import Model, Positive, TableFile
from fastscan.inputs.tables import FloatArray, Table

__all__ = ["ElectronRatio", "EquivalentPhotons", "photoabsorption_mb"]

ENERGY = Quantity("eV", 1.0, 1e6)
Outside = Literal["constant", "refuse"]
# Ratios beyond this are no corrections of free electrons.
LARGEST_RATIO = 1e3


class EquivalentPhotons(Model):
    """Millicharges by the equivalent photon approximation, for ``electron_binding = 'epa'``.

    dsigma/dT = (2 alpha / pi) q**2 sigma_gamma(T) / T ln(E / m_nu) an atom, in place of scattering
    on free electrons and without interference with the weak interaction; all else is as with
    ``steps``. It holds up to a few keV, below the K edge.

    Attributes
    ----------
    tabulation : {"chantler", "elam"}
        Shipped photoelectric cross section: of Chantler (FFAST, from 12 eV), or of Elam et al.
        (from 100 eV). Both are interpolated in the logarithms of energy and cross section. Below
        the first point nothing is ionised; a recoil above the last one is refused.
    neutrino_mass_ev : float
        m_nu, which cuts the photons' momentum off.
    """

    tabulation: Literal["chantler", "elam"] = "chantler"
    neutrino_mass_ev: Annotated[Positive, Quantity("eV", 1e-3, 1e2)] = 1.0


def photoabsorption_mb(file_table: Table, energy_ev: FloatArray) -> FloatArray:
    """Photoelectric cross section in Mb, linear in the logarithms; 0 below the table.

    Raises
    ------
    InputError
        An energy above the table.
    """
    rows, values = file_table["energy_ev"], file_table["cross_section_mb"]
    if energy_ev.size and energy_ev.max() > rows[-1]:
        raise InputError(
            f"the photoelectric cross section ends at {rows[-1]:g} eV, and electrons of "
            f"{energy_ev.max():.4g} eV can be seen",
            where=file_table.label,
            hint="lower the bins, or write target.electron_binding = 'steps'",
        )
    inside = energy_ev >= rows[0]
    logarithm = np.interp(np.log(np.where(inside, energy_ev, 1.0)), np.log(rows), np.log(values))
    return np.where(inside, np.exp(logarithm), 0.0)


class ElectronRatio(Model):
    """Ratio of the rate on atoms to that on free electrons, for ``electron_binding = 'table'``.

    Attributes
    ----------
    weak : DataFile
        Columns ``energy_ev`` and ``ratio``, linear in between, for the weak interaction and what
        has its shape: neutrino charge radii and contact interactions.
    magnetic : DataFile, optional
        As ``weak``, for magnetic moments.
    relative_to : {"steps", "free"}
        The electrons that the rate is a ratio to: those whose shell is bound by less than the
        recoil, or all of them.
    other : {"unchanged", "refuse"}
        All interactions without a table: as on the electrons of ``relative_to``, or refused.
    below, above : {"constant", "refuse"}
        Outside a table its first or last ratio holds, or a recoil that can be seen is refused.
    """

    weak: Annotated[TableFile, Columns((("energy_ev", ENERGY),))]
    magnetic: Annotated[TableFile | None, Columns((("energy_ev", ENERGY),))] = None
    relative_to: Literal["steps", "free"]
    other: Literal["unchanged", "refuse"]
    below: Outside
    above: Outside

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for table in self._tables.values():
            table.require_increasing("energy_ev")
            table.require(table["energy_ev"] >= 0.0, "energy_ev is negative")
            table.require(table["ratio"] >= 0.0, "ratio is negative")
            table.require(
                table["ratio"] <= LARGEST_RATIO,
                f"ratio is above {LARGEST_RATIO:g}",
                "give the rate over that of free electrons",
            )
        return self

    @property
    def _tables(self) -> dict[str, Table]:
        files = {"weak": self.weak, "magnetic": self.magnetic}
        return {
            interaction: file.table(("energy_ev", "ratio"))
            for interaction, file in files.items()
            if file is not None
        }

    def kinks_ev(self) -> FloatArray:
        """Energies of the rows of all tables."""
        return np.unique(np.concatenate([table["energy_ev"] for table in self._tables.values()]))

    def at(self, interaction: str, energy_ev: FloatArray) -> FloatArray | float:
        """Ratio for an interaction at recoil energies, shape (T,).

        Raises
        ------
        InputError
            An interaction without a table, or a recoil outside it, where that is to be refused.
        """
        table = self._tables.get(interaction)
        if table is None:
            if self.other == "refuse":
                raise InputError(
                    f"no table of the electrons' ratio holds for {interaction} interactions",
                    where="target.electron_ratio.other = 'refuse'",
                    hint="write other = 'unchanged' for the electrons of relative_to, "
                    "or leave EvES out (channels cevns)",
                )
            return 1.0
        rows = table["energy_ev"]
        for outside, key, what in (
            (energy_ev < rows[0], "below", f"begins at {rows[0]:g} eV"),
            (energy_ev > rows[-1], "above", f"ends at {rows[-1]:g} eV"),
        ):
            if getattr(self, key) == "refuse" and outside.any():
                raise InputError(
                    f"the ratio of electrons {what}, and {energy_ev[outside][0]:.4g} eV is seen",
                    where=f"target.electron_ratio.{key} = 'refuse'",
                    hint=f"let the table go on, or write {key} = 'constant'",
                )
        return np.interp(energy_ev, rows, table["ratio"])

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the counts depend on."""
        settings = self.model_dump(exclude={"weak", "magnetic"})
        files = {"weak": self.weak, "magnetic": self.magnetic}
        return {**settings, **{k: f.sha256 for k, f in files.items() if f is not None}}
