"""Detectors: mass, live time, threshold, efficiency, and the ionisation they share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fastscan.inputs.schema import Model, Name, NonNegative, Positive, TableFile
from fastscan.inputs.tables import FloatArray, Table, read_only

__all__ = ["Detector", "Ionisation"]

# Beyond 10 keV nothing of a recoil would be left to see: a slip of units.
Noise = Annotated[float, Field(gt=0, le=1e4, allow_inf_nan=False)]
# Off by a factor of ten: a slip of units.
Scale = Annotated[float, Field(gt=0.1, lt=10.0, allow_inf_nan=False)]


class Ionisation(Model):
    """Ionisation signal: energy resolution sigma^2 = sigma_0^2 + F eta T_ee, and smallest signal.

    The three resolution parameters may be left out, and are then 0, where there is no resolution.
    With an energy scale f other than one, calibrated energies are f times the true ones: a signal
    of T_ee is seen around f T_ee, with sigma^2 = sigma_0^2 + F eta f T_ee; the smallest signal is
    one of true energy.
    """

    resolution: Literal["gaussian", "none"]
    electronic_noise_ev: Noise = 0.0
    fano_factor: NonNegative = 0.0
    pair_energy_ev: Positive = 0.0
    minimum_ev: Positive
    energy_scale: Scale = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.resolution == "gaussian":
            self._need(
                "resolution = 'gaussian'", "electronic_noise_ev", "fano_factor", "pair_energy_ev"
            )
        return self

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on, except the noise, which is per detector."""
        inputs: dict[str, Any] = {"resolution": self.resolution, "minimum_ev": self.minimum_ev}
        if self.resolution == "gaussian":
            inputs |= {"fano_factor": self.fano_factor, "pair_energy_ev": self.pair_energy_ev}
        if self.energy_scale != 1.0:
            inputs["energy_scale"] = self.energy_scale
        return inputs


class Detector(Model):
    """One detector; the efficiency is 1 above the threshold unless a table is given."""

    name: Name
    mass_kg: Positive
    live_time_d: Positive
    threshold_ev: Positive
    electronic_noise_ev: Noise | None = None
    efficiency: TableFile | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        table = self._efficiency_table
        if table is not None:
            value = table["efficiency"]
            table.require((value >= 0) & (value <= 1), "efficiency is not between 0 and 1")
            table.require_increasing("energy_ev")
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

    def tensor_inputs(self, ionisation: Ionisation) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        inputs: dict[str, Any] = {
            "mass_kg": self.mass_kg,
            "live_time_d": self.live_time_d,
            "threshold_ev": self.threshold_ev,
            "efficiency": self.efficiency and self.efficiency.sha256,
        }
        if ionisation.resolution == "gaussian":
            inputs["electronic_noise_ev"] = (
                self.electronic_noise_ev or ionisation.electronic_noise_ev
            )
        return inputs
