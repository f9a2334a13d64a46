"""Detectors: mass, live time, threshold, efficiency, and the ionisation they share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import Model, Name, NonNegative, Positive, TableFile, problem
from fastscan.inputs.tables import FloatArray, Table, read_only

__all__ = ["Detector", "Ionisation"]


def _no_zero(value: float) -> float:
    if value < LEAST_ENERGY_EV:
        raise problem(f"{value:g} eV is as good as 0", f"give at least {LEAST_ENERGY_EV:g} eV")
    return value


ENERGY = Quantity("eV", 1.0, 1e6)
NOISE = Quantity("eV", 0.1, 5e3)
LIVE_TIME = Quantity("d", 0.1, 2000.0)
# Energies below this are none, and beyond 10 keV of noise nothing of a recoil is left to see.
LEAST_ENERGY_EV = 1e-9
Noise = Annotated[float, Field(gt=0, le=1e4, allow_inf_nan=False), AfterValidator(_no_zero)]
Scale = Annotated[float, Field(gt=0.1, lt=10.0, allow_inf_nan=False)]


class Ionisation(Model):
    """Ionisation signal: energy resolution sigma^2 = sigma_0^2 + F eta T_ee, and smallest signal.

    The three resolution parameters may be left out, and are then 0, where there is no resolution;
    the noise, too, where every detector has its own.
    With an energy scale f other than one, calibrated energies are f times the true ones: a signal
    of T_ee is seen around f T_ee, with sigma^2 = sigma_0^2 + F eta f T_ee; the smallest signal is
    one of true energy.
    """

    resolution: Literal["gaussian", "none"]
    electronic_noise_ev: Annotated[Noise, NOISE] = 0.0
    fano_factor: Annotated[NonNegative, Quantity("1", 0.01, 1.0)] = 0.0
    pair_energy_ev: Annotated[Positive, Quantity("eV", 0.1, 200.0)] = 0.0
    minimum_ev: Annotated[Positive, AfterValidator(_no_zero), Quantity("eV", 0.1, 1e4)]
    energy_scale: Annotated[Scale, Quantity("1", 0.5, 2.0)] = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.resolution == "gaussian":
            self._need("resolution = 'gaussian'", "fano_factor", "pair_energy_ev")
        return self

    def unread(self) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        if self.resolution == "gaussian":
            return {}
        keys = ("electronic_noise_ev", "fano_factor", "pair_energy_ev")
        return dict.fromkeys(keys, "with ionisation.resolution = 'none' nothing is smeared")

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on, except the noise, which is per detector."""
        inputs: dict[str, Any] = {"resolution": self.resolution, "minimum_ev": self.minimum_ev}
        if self.resolution == "gaussian":
            inputs |= {"fano_factor": self.fano_factor, "pair_energy_ev": self.pair_energy_ev}
        if self.energy_scale != 1.0:
            inputs["energy_scale"] = self.energy_scale
        return inputs


class Detector(Model):
    """One detector; the efficiency is 1 above the threshold unless a table is given.

    The live time is not read where the sources give fluences.
    """

    name: Name
    mass_kg: Annotated[Positive, Quantity("kg", 1e-6, 100.0)]
    live_time_d: Annotated[Positive | None, LIVE_TIME] = None
    threshold_ev: Annotated[Positive, ENERGY]
    electronic_noise_ev: Annotated[Noise | None, NOISE] = None
    efficiency: Annotated[TableFile | None, Columns((("energy_ev", ENERGY),))] = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        table = self._efficiency_table
        if table is not None:
            value = table["efficiency"]
            largest = float(np.max(value))
            table.require(
                (value >= 0) & (value <= 1),
                "efficiency is not between 0 and 1",
                f"as a fraction, {largest / 100:g} for {largest:g}?"
                if 1.0 < largest <= 100.0
                else "correct the row",
            )
            table.require_increasing("energy_ev")
            if not value.any():
                raise InputError(
                    "efficiency is 0 throughout", where=table.label, hint="correct the table"
                )
        return self

    @property
    def _efficiency_table(self) -> Table | None:
        if self.efficiency is None:
            return None
        return self.efficiency.table(("energy_ev", "efficiency"))

    @property
    def efficiency_energy_ev(self) -> FloatArray:
        """Energies of the efficiency table in eV_ee, shape (n,); empty without one."""
        table = self._efficiency_table
        return read_only([]) if table is None else table["energy_ev"]

    @property
    def efficiency_value(self) -> FloatArray:
        """Efficiencies, shape (n,); empty without a table."""
        table = self._efficiency_table
        return read_only([]) if table is None else table["efficiency"]

    def tensor_inputs(self, ionisation: Ionisation, quantity: str) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        inputs: dict[str, Any] = {
            "mass_kg": self.mass_kg,
            "threshold_ev": self.threshold_ev,
            "efficiency": self.efficiency and self.efficiency.sha256,
        }
        if quantity == "flux":
            inputs["live_time_d"] = self.live_time_d
        if ionisation.resolution == "gaussian":
            inputs["electronic_noise_ev"] = (
                self.electronic_noise_ev or ionisation.electronic_noise_ev
            )
        return inputs
