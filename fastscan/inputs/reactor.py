"""Reactor: normalisation of the antineutrino flux and its spectrum."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.inputs.quantities import Columns, Quantity
from fastscan.inputs.schema import (
    Fraction,
    Model,
    NonNegative,
    Positive,
    TableFile,
    problem,
)
from fastscan.inputs.spectrum import (
    FISSION_ISOTOPES,
    JOIN_ENERGY_MEV,
    FissionIsotope,
    ReactorSpectrum,
    captures_file,
    fission_spectrum,
    low_energy_file,
    negligible_below,
    polynomial_file,
    reactor_spectrum,
    spectrum_table,
)
from fastscan.inputs.tables import FloatArray, read_only

__all__ = ["FISSION_ISOTOPES", "SHORT_FORMS", "Reactor", "ReactorSpectrum"]

FRACTION_TOLERANCE = 1e-3
MAXIMUM_ENERGY_BINS = 10_000

# Keys that may stand in [reactor] itself, and the table that they are short for.
SHORT_FORMS = {
    "flux_per_cm2_s": "flux",
    "thermal_power_gw": "power",
    "energy_per_fission_mev": "power",
}

Scale = Annotated[NonNegative, Quantity("1", 0.1, 10.0)]


class SpectrumScale(Model):
    """Factor on the spectrum of each fission isotope; one where nothing is known better."""

    U235: Scale = 1.0
    U238: Scale = 1.0
    Pu239: Scale = 1.0
    Pu241: Scale = 1.0

    @property
    def factors(self) -> FloatArray:
        """In the order of `FISSION_ISOTOPES`, shape (isotopes,)."""
        return read_only([getattr(self, isotope) for isotope in FISSION_ISOTOPES])


class GivenFlux(Model):
    """What ``total-flux`` and ``fission-flux`` are normalised to: the flux at the detectors."""

    flux_per_cm2_s: Annotated[Positive, Quantity("cm-2 s-1", 1e8, 1e15)]


class Power(Model):
    """What ``thermal-power`` is normalised to, with the distance of the reactor."""

    thermal_power_gw: Annotated[Positive, Quantity("GW", 1e-3, 40.0)]
    energy_per_fission_mev: Annotated[Positive, Quantity("MeV", 150.0, 250.0)]


class Reactor(Model):
    """Source of the antineutrinos (C25 eq. (18)).

    Attributes
    ----------
    normalisation : str
        ``total-flux``: the flux is the integral of fissions and captures up to the maximum energy;
        ``fission-flux``: that of the fissions alone; ``thermal-power``: P / (4 pi d^2 epsilon)
        fissions per cm^2 and s.
    flux : GivenFlux
        Read by the first two; ``flux_per_cm2_s`` in ``[reactor]`` itself is short for it.
    power : Power
        Read by ``thermal-power``; its two keys may stand in ``[reactor]`` itself as well.
    distance_m : float
        From the core to the detectors; read by ``thermal-power``, and by models in which neutrinos
        oscillate.
    energy_max_mev, energy_bin_width_mev : float
        Range and bins of the antineutrino energy.
    fission_fractions : dict
        Fissions of each isotope per fission.
    high_energy_spectrum : str
        Parametrisation from 2 MeV on.
    low_energy_spectrum : str
        Below it, or below the first energy of a ``spectrum_file``: the table of Vogel and Engel,
        the parametrisation ``extrapolated`` to zero energy, or ``none`` (of a file alone).
    spectrum_file : DataFile, optional
        Columns ``energy_mev``, ``antineutrinos_per_mev_per_fission``, in place of the
        parametrisation. Its logarithm is interpolated by cubics, where a neighbour is zero the
        spectrum itself linearly. It has to begin at zero energy (or so near that nothing is
        missing), or ``low_energy_spectrum`` says what stands below; and to end with zero or at
        ``energy_max_mev``.
    captures_per_fission : float
        Neutron captures on 238U, each followed by two beta decays; 0 switches them off.
    spectrum_scale : SpectrumScale
        Factor on the spectrum of each fission isotope, after the flux has been normalised: the
        fissions per second are those that give ``flux_per_cm2_s`` (or the thermal power) with all
        factors 1, so that a factor of 1.02 on an isotope means 2 % more antineutrinos of it, and
        more flux in all. Without effect on the captures.
    """

    normalisation: Literal["total-flux", "fission-flux", "thermal-power"]
    flux: GivenFlux | None = None
    power: Power | None = None
    distance_m: Annotated[Positive, Quantity("m", 1.0, 1000.0)] = 0.0
    energy_max_mev: Annotated[Positive, Quantity("MeV", 0.5, 20.0)] = 10.0
    energy_bin_width_mev: Annotated[Positive, Quantity("MeV", 1e-3, 20.0)] = 0.25
    fission_fractions: dict[FissionIsotope, Fraction] = Field(default_factory=dict)
    high_energy_spectrum: Literal["huber-mueller", "vogel-engel"] = "huber-mueller"
    low_energy_spectrum: Literal["vogel-engel", "extrapolated", "none"] = "vogel-engel"
    spectrum_file: Annotated[
        TableFile | None, Columns((("energy_mev", Quantity("MeV", 0.5, 100.0)),))
    ] = None
    captures_per_fission: Annotated[NonNegative, Quantity("1", 0.01, 3.0)] = 0.6
    spectrum_scale: SpectrumScale = SpectrumScale()

    quantity: ClassVar[str] = "flux"
    flavours: ClassVar[tuple[Literal["nubar_e"], ...]] = ("nubar_e",)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        reason = f"normalisation = {self.normalisation!r}"
        if self.normalisation == "thermal-power":
            if self.power is None:
                keys = " and ".join(map(repr, Power.model_fields))
                raise problem(f"missing keys {keys} of [reactor.power]", f"{reason} needs them")
            self._need(reason, "distance_m")
        elif self.flux is None:
            raise problem("missing key 'flux_per_cm2_s' of [reactor.flux]", f"{reason} needs it")
        if self.energy_max_mev > MAXIMUM_ENERGY_BINS * self.energy_bin_width_mev:
            raise problem(
                f"energy_bin_width_mev = {self.energy_bin_width_mev:g} gives more than "
                f"{MAXIMUM_ENERGY_BINS} energy bins",
                "widen the bins",
            )
        if self.spectrum_file is not None:
            self._check_file()
        elif self.low_energy_spectrum == "none":
            raise problem(
                "low_energy_spectrum = 'none' is for a spectrum_file",
                "choose 'vogel-engel' or 'extrapolated'",
            )
        if self.spectrum_file is None or self._low_energy == "vogel-engel":
            self._need("the spectrum of the fissions", "fission_fractions")
            total = math.fsum(self.fission_fractions.values())
            if abs(total - 1.0) > FRACTION_TOLERANCE:
                raise problem(
                    f"fission_fractions add up to {total:.6g} instead of 1",
                    "correct them; an isotope that does not take part has 0",
                )
        _ = self.spectrum  # reads the files now rather than in the middle of a run
        return self

    def _check_file(self) -> None:
        """Refuse a table that leaves a part of the energies open without a word."""
        assert self.spectrum_file is not None
        if "spectrum_scale" in self.model_fields_set:
            raise problem(
                "spectrum_scale acts on the isotopes' spectra, which spectrum_file replaces",
                "leave one out",
            )
        table = spectrum_table(self.spectrum_file)
        energy, values = table["energy_mev"], table["antineutrinos_per_mev_per_fission"]
        first, last = float(energy[0]), float(energy[-1])
        if first >= self.energy_max_mev:
            raise problem(
                f"spectrum_file begins at {first:g} MeV, above energy_max_mev = "
                f"{self.energy_max_mev:g}",
                "give energies in MeV, or raise energy_max_mev",
            )
        if last < self.energy_max_mev and values[-1] > 0.0:
            raise problem(
                f"spectrum_file ends at {last:g} MeV with {values[-1]:g}, and nothing is said up "
                f"to energy_max_mev = {self.energy_max_mev:g}",
                f"write energy_max_mev = {last:g}, or let the table go on, to 0 at its end",
            )
        begins = f"spectrum_file begins at {first:g} MeV"
        choices = "'vogel-engel' joins that table, 'none' leaves nothing below"
        if self._low_energy == "missing":
            raise problem(
                f"{begins}, and nothing says what is below",
                f"name low_energy_spectrum: {choices}; or let the table begin at 0",
            )
        if self._low_energy == "extrapolated":
            raise problem(f"{begins}; only polynomials can be extrapolated", choices)
        if self._low_energy == "vogel-engel" and first > JOIN_ENERGY_MEV:
            raise problem(
                f"{begins}, the table of Vogel and Engel ends at {JOIN_ENERGY_MEV:g} MeV",
                f"let the table begin at {JOIN_ENERGY_MEV:g} MeV or below",
            )

    @property
    def _low_energy(self) -> str:
        """What stands below a file's table, or below the polynomials."""
        if self.spectrum_file is None:
            return self.low_energy_spectrum
        table = spectrum_table(self.spectrum_file)
        if table["energy_mev"][0] == 0.0:
            return "none"
        if "low_energy_spectrum" in self.model_fields_set:
            return self.low_energy_spectrum
        values = table["antineutrinos_per_mev_per_fission"]
        return "linear" if negligible_below(table["energy_mev"], values) else "missing"

    @property
    def flux_per_cm2_s(self) -> float:
        """Of the flux that is given; 0 where none is."""
        return 0.0 if self.flux is None else self.flux.flux_per_cm2_s

    @property
    def thermal_power_gw(self) -> float:
        """Thermal power; 0 where none is given."""
        return 0.0 if self.power is None else self.power.thermal_power_gw

    @property
    def energy_per_fission_mev(self) -> float:
        """Energy of a fission; 0 where none is given."""
        return 0.0 if self.power is None else self.power.energy_per_fission_mev

    def unread(self, key: str) -> dict[str, str]:
        """Keys that change no count as the others are, and why; see `Experiment.unread`."""
        chosen = f"{key}.normalisation = {self.normalisation!r}"
        unread = {}
        if self.normalisation == "thermal-power":
            unread["flux"] = f"{chosen} takes the flux from {key}.power and {key}.distance_m"
        else:
            # The distance is read by models in which neutrinos oscillate.
            unread["power"] = f"{chosen} takes the flux from {key}.flux.flux_per_cm2_s"
        if self.spectrum_file is not None:
            reason = f"{key}.spectrum_file takes the place of it"
            unread["high_energy_spectrum"] = reason
            if self._low_energy != "vogel-engel":
                unread["fission_fractions"] = reason
            if spectrum_table(self.spectrum_file)["energy_mev"][0] == 0.0:
                unread["low_energy_spectrum"] = f"{reason}, down to zero energy"
        return unread

    def cautions(self) -> tuple[str, ...]:
        """What is joined to a table of a user."""
        if self.spectrum_file is None or self._low_energy == "linear":
            return ()
        first = float(spectrum_table(self.spectrum_file)["energy_mev"][0])
        begins = f"{self.spectrum_file.path.name} begins at {first:g} MeV"
        if self._low_energy == "vogel-engel":
            return (
                f"{begins}; below it stands the table of Vogel and Engel for the "
                "fission_fractions (fastscan build says what each part contributes)",
            )
        return (f"{begins}; there are no antineutrinos of fissions below it",) if first else ()

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """Edges 0, w, 2w, ... up to the maximum; the last bin may be narrower. Shape (e + 1,)."""
        width, maximum = self.energy_bin_width_mev, self.energy_max_mev
        whole_bins = math.ceil(maximum / width * (1.0 - 1e-12))
        return read_only([*(width * np.arange(whole_bins)), maximum])

    @property
    def spectrum(self) -> ReactorSpectrum:
        """Arrays of the spectrum.

        Raises
        ------
        InputError
            If a file it is read from is damaged.
        """
        fissions = fission_spectrum(
            self.fission_fractions, self.high_energy_spectrum, self._low_energy, self.spectrum_file
        )
        return reactor_spectrum(fissions, self.captures_per_fission)

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        factors = self.spectrum_scale.factors
        inputs: dict[str, Any] = {
            "normalisation": self.normalisation,
            **({"spectrum_scale": factors.tolist()} if (factors != 1.0).any() else {}),
            "energy_bin_edges_mev": self.energy_bin_edges_mev.tolist(),
            "captures_per_fission": self.captures_per_fission,
        }
        if self.normalisation == "thermal-power":
            assert self.power is not None
            inputs |= {**self.power.model_dump(), "distance_m": self.distance_m}
        else:
            inputs["flux_per_cm2_s"] = self.flux_per_cm2_s
        if self.captures_per_fission > 0:
            inputs["captures"] = captures_file().sha256
        low = self._low_energy
        if low == "vogel-engel":
            inputs["low_energy_table"] = low_energy_file().sha256
        if self.spectrum_file is None or low == "vogel-engel":
            inputs["fission_fractions"] = [
                self.fission_fractions.get(isotope, 0.0) for isotope in FISSION_ISOTOPES
            ]
        inputs["low_energy_spectrum"] = low
        if self.spectrum_file is not None:
            return inputs | {
                "spectrum_file": self.spectrum_file.sha256,
                "interpolation": "cubic logarithm",
            }
        return inputs | {
            "high_energy_spectrum": self.high_energy_spectrum,
            "high_energy_polynomials": polynomial_file(self.high_energy_spectrum).sha256,
        }
