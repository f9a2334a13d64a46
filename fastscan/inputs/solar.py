"""The Sun: fluxes and shapes of its neutrinos, and the flavours in which they arrive."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import numpy as np
from pydantic import Field, model_validator

from fastscan.inputs.quantities import Quantity
from fastscan.inputs.schema import Model, NonNegative, Positive, TableFile, problem
from fastscan.inputs.tables import DataFile, FloatArray, Table, read_only

__all__ = ["SOLAR_PARTS", "Oscillation", "Solar", "SolarPart", "SolarPartName", "solar_part"]

SolarPartName = Literal["pp", "pep", "hep", "be7", "b8", "n13", "o15", "f17"]
SOLAR_PARTS: tuple[SolarPartName, ...] = get_args(SolarPartName)
LINES = ("pep", "be7")
# Rows of a table of probabilities add up to one to so many digits.
UNITARITY = 1e-6
# Columns of a table of probabilities.
PROBABILITIES = ("nu_e", "nu_mu", "nu_tau")

Angle = Annotated[float, Field(ge=0.0, le=90.0, allow_inf_nan=False)]
Scale = Annotated[NonNegative, Quantity("1", 0.1, 10.0)]


class SolarPart:
    """One part of the solar neutrinos, as shipped.

    Attributes
    ----------
    name : str
    flux_per_cm2_s, relative_sigma : float
        Of the standard solar model, at one astronomical unit.
    electron_density_mol_per_cm3 : float
        Where these neutrinos are made, over Avogadro's number.
    energy_mev, per_mev : ndarray, shape (n,)
        Spectrum, linear between its points from zero energy on, its integral one; of a line the
        energies, and the share of each.
    """

    def __init__(self, name: SolarPartName) -> None:
        self.name = name
        fluxes = solar_fluxes_file().table(
            ("flux_per_cm2_s", "relative_sigma", "electron_density_mol_per_cm3"), ("part",)
        )
        row = fluxes.texts["part"].index(name)
        self.flux_per_cm2_s = float(fluxes["flux_per_cm2_s"][row])
        self.relative_sigma = float(fluxes["relative_sigma"][row])
        self.electron_density_mol_per_cm3 = float(fluxes["electron_density_mol_per_cm3"][row])
        self.file = DataFile.shipped(f"solar/{name}.csv")
        self.is_line = name in LINES
        table = self.file.table(("energy_mev", "share" if self.is_line else "per_mev"))
        if self.is_line:
            self.energy_mev, self.per_mev = table["energy_mev"], table["share"]
            return
        energy, shape = [0.0, *table["energy_mev"]], [0.0, *table["per_mev"]]
        self.energy_mev = read_only(energy)
        self.per_mev = read_only(np.array(shape) / np.trapezoid(shape, energy))


def solar_fluxes_file() -> DataFile:
    """Fluxes of the standard solar model."""
    return DataFile.shipped("solar/fluxes.csv")


@cache
def solar_part(name: SolarPartName) -> SolarPart:
    """One part of the solar neutrinos by name, read once."""
    return SolarPart(name)


class Oscillation(Model):
    """Mixing of solar neutrinos: NuFIT 6.0 with normal ordering, IC24 and SK atmospheric data.

    arXiv:2410.05380, nu-fit.org, table of parameters v60; one standard deviation is 0.7 degrees of
    theta12, 0.1 of theta13, 1 of theta23, and 0.19e-5 eV**2.
    """

    theta12_deg: Angle = 33.68
    theta13_deg: Angle = 8.56
    theta23_deg: Angle = 43.3
    dm2_21_ev2: Annotated[Positive, Quantity("eV2", 1e-5, 1e-3)] = 7.49e-5


class FluxScale(Model):
    """Factor on the flux of each part; one where nothing is known better."""

    pp: Scale = 1.0
    pep: Scale = 1.0
    hep: Scale = 1.0
    be7: Scale = 1.0
    b8: Scale = 1.0
    n13: Scale = 1.0
    o15: Scale = 1.0
    f17: Scale = 1.0


class Solar(Model):
    """Neutrinos of the Sun.

    They are made as electron neutrinos and arrive with the probabilities P_ea(E) of adiabatic
    conversion at the electron density where each part is made,
    P_ee = s13**4 + c13**4 (1 + cos 2theta12 cos 2theta12_m) / 2; what is left is shared by
    nu_mu and nu_tau as cos**2 theta23 and sin**2 theta23. Left out are terms with s13 and delta,
    which move that share by up to 7 % of it, and matter in theta13, 0.3 % of P_ee at 14 MeV and
    less below. Averaged over day and night without the Earth's matter, and over the year. New
    physics changes how they scatter, not how they propagate.

    Attributes
    ----------
    parts : list of str
        Any of pp, pep, hep, be7, b8, n13, o15, f17; all of them unless given.
    flux_per_cm2_s : dict
        Flux of a part, in place of that of the standard solar model B16-GS98.
    flux_scale : FluxScale
        Factor on the flux of each part. A pull ``settings = { "sources.0.flux_scale.b8" = 0.12 }``
        is its uncertainty.
    oscillation : Oscillation
    probabilities : DataFile, optional
        Columns ``energy_mev``, ``nu_e``, ``nu_mu``, ``nu_tau``: P_ea of all parts, linear in
        between, in place of the formula.
    """

    kind: Literal["solar"]
    parts: Annotated[tuple[SolarPartName, ...], Field(min_length=1, strict=False)] = SOLAR_PARTS
    flux_per_cm2_s: dict[SolarPartName, Positive] = Field(default_factory=dict)
    flux_scale: FluxScale = FluxScale()
    oscillation: Oscillation = Oscillation()
    probabilities: TableFile | None = None

    quantity: ClassVar[str] = "flux"
    flavours: ClassVar[tuple[str, ...]] = PROBABILITIES

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for part in self.parts:
            if self.parts.count(part) > 1:
                raise problem(f"parts names {part!r} twice", "name it once")
        for key, names in (
            ("flux_per_cm2_s", {*self.flux_per_cm2_s}),
            ("flux_scale", self.flux_scale.model_fields_set),
        ):
            for name in sorted(names):
                if name not in self.parts:
                    raise problem(f"{key} of {name!r}, which is none of the parts", "add it there")
        table = self.probability_table
        if table is not None:
            for column in PROBABILITIES:
                table.require(
                    (table[column] >= 0.0) & (table[column] <= 1.0),
                    f"probability {column} is not between 0 and 1",
                    "correct the row",
                )
            total = sum(table[column] for column in PROBABILITIES)
            table.require(
                np.abs(total - 1.0) <= UNITARITY,
                f"{', '.join(PROBABILITIES)} do not add up to 1",
                "a neutrino arrives in one of them",
            )
            table.require_increasing("energy_mev")
            first, last = float(table["energy_mev"][0]), float(table["energy_mev"][-1])
            if first > 0.0 or last < self.energy_max_mev:
                raise problem(
                    f"probabilities cover {first:g} to {last:g} MeV, not 0 to "
                    f"{self.energy_max_mev:g}",
                    "let the table begin at 0 and reach the end of the spectra",
                )
        return self

    @property
    def probability_table(self) -> Table | None:
        """Probabilities of a file, where there is one."""
        if self.probabilities is None:
            return None
        return self.probabilities.table(("energy_mev", *PROBABILITIES))

    @property
    def energy_max_mev(self) -> float:
        """Largest energy of all parts."""
        return max(float(solar_part(name).energy_mev[-1]) for name in self.parts)

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """One bin, shape (2,)."""
        return read_only([0.0, self.energy_max_mev])

    def flux_of(self, name: SolarPartName) -> float:
        """Flux of a part, all flavours, per cm**2 and s."""
        flux = self.flux_per_cm2_s.get(name, solar_part(name).flux_per_cm2_s)
        scale: float = getattr(self.flux_scale, name)
        return flux * scale

    def unread(self, key: str) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        if self.probabilities is None:
            return {}
        return {"oscillation": f"{key}.probabilities takes the place of it"}

    def cautions(self) -> tuple[str, ...]:
        """Nothing is assumed that the settings leave open."""
        return ()

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        parts = {
            name: {"flux_per_cm2_s": self.flux_of(name), "spectrum": solar_part(name).file.sha256}
            for name in sorted(self.parts)
        }
        inputs: dict[str, Any] = {"kind": self.kind, "parts": parts}
        if self.probabilities is not None:
            return inputs | {"probabilities": self.probabilities.sha256}
        for name in parts:
            density = solar_part(name).electron_density_mol_per_cm3
            parts[name]["electron_density_mol_per_cm3"] = density
        return inputs | {"oscillation": self.oscillation.model_dump()}
