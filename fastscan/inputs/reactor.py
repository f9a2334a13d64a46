"""Reactor: normalisation of the antineutrino flux and its spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.schema import (
    Fraction,
    Model,
    NonNegative,
    Positive,
    TableFile,
    problem,
)
from fastscan.inputs.tables import DataFile, FloatArray, IntArray, read_only

__all__ = ["FISSION_ISOTOPES", "Reactor", "ReactorSpectrum"]

FissionIsotope = Literal["U235", "U238", "Pu239", "Pu241"]
FISSION_ISOTOPES: tuple[FissionIsotope, ...] = ("U235", "U238", "Pu239", "Pu241")
POLYNOMIAL_TERMS = 6
FRACTION_TOLERANCE = 1e-3
# The exponential polynomials hold from here on; below it the table of Vogel and Engel is used.
JOIN_ENERGY_MEV = 2.0
MAXIMUM_ENERGY_BINS = 10_000

_POLYNOMIALS = {
    "huber-mueller": (
        "huber_mueller.csv",
        ("alpha1", "alpha2", "alpha3", "alpha4", "alpha5", "alpha6"),
    ),
    "vogel-engel": ("vogel_engel_exponential.csv", ("a0", "a1", "a2")),
}
_LOW_ENERGY_TABLE = "vogel_engel.csv"
_CAPTURES = "neutron_capture_branches.csv"


@dataclass(frozen=True, eq=False)
class ReactorSpectrum:
    """Antineutrinos per MeV and fission, as arrays (k spectra, n table points, b beta branches).

    Attributes
    ----------
    join_energy_mev : float
        Below it the table holds, from it on the exponential polynomials; 0 if these are
        extrapolated to zero energy, infinity if the table is all there is.
    fractions : ndarray, shape (k,)
        Weight of each spectrum.
    polynomials : ndarray, shape (k, 6)
        Coefficients a_i of S(E) = exp(sum_i a_i E^i), E in MeV, S in 1/MeV/fission.
    table_energy_mev : ndarray, shape (n,)
        Starts at 0, where the spectra are zero; linear in between, zero above the last point.
    table_spectrum : ndarray, shape (k, n)
        Antineutrinos/MeV/fission.
    branch_daughter_z, branch_mass_number : ndarray of int, shape (b,)
        Daughter nucleus of each beta branch after neutron capture on 238U.
    branch_endpoint_mev : ndarray, shape (b,)
        End point of the antineutrino energy.
    branch_weight : ndarray, shape (b,)
        Antineutrinos per fission.
    """

    join_energy_mev: float
    fractions: FloatArray
    polynomials: FloatArray
    table_energy_mev: FloatArray
    table_spectrum: FloatArray
    branch_daughter_z: IntArray
    branch_mass_number: IntArray
    branch_endpoint_mev: FloatArray
    branch_weight: FloatArray


class SpectrumScale(Model):
    """Factor on the spectrum of each fission isotope; one where nothing is known better."""

    U235: NonNegative = 1.0
    U238: NonNegative = 1.0
    Pu239: NonNegative = 1.0
    Pu241: NonNegative = 1.0

    @property
    def factors(self) -> FloatArray:
        """In the order of `FISSION_ISOTOPES`, shape (isotopes,)."""
        return read_only([getattr(self, isotope) for isotope in FISSION_ISOTOPES])


class Reactor(Model):
    """Source of the antineutrinos (C25 eq. (18)).

    Attributes
    ----------
    normalisation : str
        ``total-flux``: the flux is the integral of fissions and captures up to the maximum energy;
        ``fission-flux``: that of the fissions alone; ``thermal-power``: P / (4 pi d^2 epsilon)
        fissions per cm^2 and s.
    flux_per_cm2_s, thermal_power_gw, distance_m, energy_per_fission_mev : float
        What the normalisation does not use may be left out and is then 0.
    energy_max_mev, energy_bin_width_mev : float
        Range and bins of the antineutrino energy.
    fission_fractions : dict
        Fissions of each isotope per fission.
    high_energy_spectrum, low_energy_spectrum : str
        Parametrisation from 2 MeV on, and table below or its extrapolation.
    spectrum_file : DataFile, optional
        Columns ``energy_mev``, ``antineutrinos_per_mev_per_fission``, in place of both.
    captures_per_fission : float
        Neutron captures on 238U, each followed by two beta decays; 0 switches them off.
    spectrum_scale : SpectrumScale
        Factor on the spectrum of each fission isotope, after the flux has been normalised: the
        fissions per second are those that give ``flux_per_cm2_s`` (or the thermal power) with all
        factors 1, so that a factor of 1.02 on an isotope means 2 % more antineutrinos of it, and
        more flux in all. Without effect on the captures.
    """

    normalisation: Literal["total-flux", "fission-flux", "thermal-power"]
    flux_per_cm2_s: Positive = 0.0
    thermal_power_gw: Positive = 0.0
    distance_m: Positive = 0.0
    energy_per_fission_mev: Positive = 0.0
    energy_max_mev: Positive = 10.0
    energy_bin_width_mev: Positive = 0.25
    fission_fractions: dict[FissionIsotope, Fraction] = Field(default_factory=dict)
    high_energy_spectrum: Literal["huber-mueller", "vogel-engel"] = "huber-mueller"
    low_energy_spectrum: Literal["vogel-engel", "extrapolated"] = "vogel-engel"
    spectrum_file: TableFile | None = None
    captures_per_fission: NonNegative = 0.6
    spectrum_scale: SpectrumScale = SpectrumScale()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self._need(f"normalisation = {self.normalisation!r}", *self._normalisation_keys)
        if self.energy_max_mev > MAXIMUM_ENERGY_BINS * self.energy_bin_width_mev:
            raise problem(
                f"energy_bin_width_mev = {self.energy_bin_width_mev:g} gives more than "
                f"{MAXIMUM_ENERGY_BINS} energy bins",
                "widen the bins",
            )
        if self.spectrum_file is None:
            self._need("a spectrum without spectrum_file", "fission_fractions")
            total = math.fsum(self.fission_fractions.values())
            if abs(total - 1.0) > FRACTION_TOLERANCE:
                raise problem(
                    f"fission_fractions add up to {total:.6g} instead of 1",
                    "correct them; an isotope that does not take part has 0",
                )
        elif "spectrum_scale" in self.model_fields_set:
            raise problem(
                "spectrum_scale acts on the isotopes' spectra, which spectrum_file replaces",
                "leave one out",
            )
        _ = self.spectrum  # reads the files now rather than in the middle of a run
        return self

    @property
    def _normalisation_keys(self) -> tuple[str, ...]:
        if self.normalisation == "thermal-power":
            return ("thermal_power_gw", "distance_m", "energy_per_fission_mev")
        return ("flux_per_cm2_s",)

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
        if self.spectrum_file is None:
            fission = self._fission_spectrum()
        else:
            fission = _tabulated_spectrum(self.spectrum_file)
        return ReactorSpectrum(**fission, **self._branches())

    def _fission_spectrum(self) -> dict[str, Any]:
        table = DataFile.shipped(_LOW_ENERGY_TABLE).table(("energy_mev", *FISSION_ISOTOPES))
        name, coefficients = _POLYNOMIALS[self.high_energy_spectrum]
        rows = DataFile.shipped(name).table(coefficients, ("isotope",))
        polynomials = np.zeros((len(FISSION_ISOTOPES), POLYNOMIAL_TERMS))
        for k, isotope in enumerate(FISSION_ISOTOPES):
            row = rows.texts["isotope"].index(isotope)
            polynomials[k, : len(coefficients)] = [rows[term][row] for term in coefficients]
        return {
            "join_energy_mev": 0.0
            if self.low_energy_spectrum == "extrapolated"
            else JOIN_ENERGY_MEV,
            "fractions": read_only([self.fission_fractions.get(i, 0.0) for i in FISSION_ISOTOPES]),
            "polynomials": read_only(polynomials),
            "table_energy_mev": read_only([0.0, *table["energy_mev"]]),
            "table_spectrum": read_only([[0.0, *table[i]] for i in FISSION_ISOTOPES]),
        }

    def _branches(self) -> dict[str, Any]:
        table = DataFile.shipped(_CAPTURES).table(
            ("daughter_z", "mass_number", "fraction", "endpoint_mev"), ("nuclide",)
        )
        used = slice(None) if self.captures_per_fission > 0 else slice(0)
        nuclides = np.array(table.texts["nuclide"])
        listed = [table["fraction"][nuclides == nuclide].sum() for nuclide in nuclides]
        weight = self.captures_per_fission * table["fraction"] / listed
        return {
            "branch_daughter_z": read_only(table["daughter_z"][used], np.int64),
            "branch_mass_number": read_only(table["mass_number"][used], np.int64),
            "branch_endpoint_mev": read_only(table["endpoint_mev"][used]),
            "branch_weight": read_only(weight[used]),
        }

    def tensor_inputs(self) -> dict[str, Any]:
        """Describe what the response tensors depend on; see `Experiment.tensor_inputs`."""
        factors = self.spectrum_scale.factors
        inputs: dict[str, Any] = {
            "normalisation": self.normalisation,
            **({"spectrum_scale": factors.tolist()} if (factors != 1.0).any() else {}),
            **{key: getattr(self, key) for key in self._normalisation_keys},
            "energy_bin_edges_mev": self.energy_bin_edges_mev.tolist(),
            "captures_per_fission": self.captures_per_fission,
        }
        if self.captures_per_fission > 0:
            inputs["captures"] = DataFile.shipped(_CAPTURES).sha256
        if self.spectrum_file is not None:
            return inputs | {"spectrum_file": self.spectrum_file.sha256}
        if self.low_energy_spectrum == "vogel-engel":
            inputs["low_energy_table"] = DataFile.shipped(_LOW_ENERGY_TABLE).sha256
        return inputs | {
            "fission_fractions": [self.fission_fractions.get(i, 0.0) for i in FISSION_ISOTOPES],
            "high_energy_spectrum": self.high_energy_spectrum,
            "high_energy_polynomials": DataFile.shipped(
                _POLYNOMIALS[self.high_energy_spectrum][0]
            ).sha256,
            "low_energy_spectrum": self.low_energy_spectrum,
        }


def _tabulated_spectrum(file: DataFile) -> dict[str, Any]:
    table = file.table(("energy_mev", "antineutrinos_per_mev_per_fission"))
    energy, spectrum = table["energy_mev"], table["antineutrinos_per_mev_per_fission"]
    table.require(energy > 0, "energy_mev is not above 0", "leave the point at zero energy out")
    table.require_increasing("energy_mev")
    table.require(spectrum >= 0, "antineutrinos_per_mev_per_fission is negative")
    if not spectrum.any():
        raise InputError("antineutrinos_per_mev_per_fission is 0 throughout", where=table.label)
    return {
        "join_energy_mev": math.inf,
        "fractions": read_only([1.0]),
        "polynomials": read_only(np.zeros((1, POLYNOMIAL_TERMS))),
        "table_energy_mev": read_only([0.0, *energy]),
        "table_spectrum": read_only([[0.0, *spectrum]]),
    }
