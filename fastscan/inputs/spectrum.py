"""Spectra of reactor antineutrinos as arrays: fissions, tables of users, and neutron captures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

from fastscan.exceptions import InputError
from fastscan.inputs.tables import DataFile, FloatArray, IntArray, Table, read_only

__all__ = [
    "FISSION_ISOTOPES",
    "FissionIsotope",
    "ReactorSpectrum",
    "captures_file",
    "fission_spectrum",
    "logarithmic_slopes",
    "low_energy_file",
    "negligible_below",
    "polynomial_file",
    "reactor_spectrum",
    "spectrum_table",
]

FissionIsotope = Literal["U235", "U238", "Pu239", "Pu241"]
FISSION_ISOTOPES: tuple[FissionIsotope, ...] = ("U235", "U238", "Pu239", "Pu241")
POLYNOMIAL_TERMS = 6
# The exponential polynomials hold from here on; below it the table of Vogel and Engel is used.
JOIN_ENERGY_MEV = 2.0
# Share of a table's antineutrinos below which the straight line from its first point to zero
# energy needs no name.
NEGLIGIBLE_SHARE = 1e-3

SLOPE_POINTS = 5

_POLYNOMIALS = {
    "huber-mueller": (
        "huber_mueller.csv",
        ("alpha1", "alpha2", "alpha3", "alpha4", "alpha5", "alpha6"),
    ),
    "vogel-engel": ("vogel_engel_exponential.csv", ("a0", "a1", "a2")),
}
_VALUES = "antineutrinos_per_mev_per_fission"


@dataclass(frozen=True, eq=False)
class ReactorSpectrum:
    """Antineutrinos per MeV and fission, as arrays (k spectra, n and m points, b beta branches).

    Attributes
    ----------
    join_energy_mev : float
        Below it the low-energy table holds, from it on the exponential polynomials, or the table
        of a file where there is one; 0 where nothing is below.
    fractions : ndarray, shape (k,)
        Weight of each spectrum.
    polynomials : ndarray, shape (k, 6)
        Coefficients a_i of S(E) = exp(sum_i a_i E^i), E in MeV, S in 1/MeV/fission.
    table_energy_mev : ndarray, shape (n,)
        Starts at 0, where the spectra are zero; linear in between, zero above the last point.
    table_spectrum : ndarray, shape (k, n)
        Antineutrinos/MeV/fission.
    file_energy_mev, file_spectrum : ndarray, shape (m,)
        A table in place of the polynomials, empty without one; zero above the last point.
    file_slope_per_mev : ndarray, shape (m,)
        d ln S / dE at its points: between two of them ln S is the cubic with these slopes, or S is
        linear where one of the two is zero.
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
    file_energy_mev: FloatArray
    file_spectrum: FloatArray
    file_slope_per_mev: FloatArray
    branch_daughter_z: IntArray
    branch_mass_number: IntArray
    branch_endpoint_mev: FloatArray
    branch_weight: FloatArray


class Fissions(TypedDict):
    """The part of a `ReactorSpectrum` that fissions make."""

    join_energy_mev: float
    fractions: FloatArray
    polynomials: FloatArray
    table_energy_mev: FloatArray
    table_spectrum: FloatArray
    file_energy_mev: FloatArray
    file_spectrum: FloatArray
    file_slope_per_mev: FloatArray


def polynomial_file(name: str) -> DataFile:
    """Coefficients of the exponential polynomials."""
    return DataFile.shipped(_POLYNOMIALS[name][0])


def low_energy_file() -> DataFile:
    """Table of Vogel and Engel."""
    return DataFile.shipped("vogel_engel.csv")


def captures_file() -> DataFile:
    """Beta branches that follow a neutron capture."""
    return DataFile.shipped("neutron_capture_branches.csv")


def reactor_spectrum(fissions: Fissions, captures_per_fission: float) -> ReactorSpectrum:
    """Fissions, and the beta branches after captures."""
    table = captures_file().table(
        ("daughter_z", "mass_number", "fraction", "endpoint_mev"), ("nuclide",)
    )
    used = slice(None) if captures_per_fission > 0 else slice(0)
    nuclides = np.array(table.texts["nuclide"])
    listed = [table["fraction"][nuclides == nuclide].sum() for nuclide in nuclides]
    weight = captures_per_fission * table["fraction"] / listed
    return ReactorSpectrum(
        **fissions,
        branch_daughter_z=read_only(table["daughter_z"][used], np.int64),
        branch_mass_number=read_only(table["mass_number"][used], np.int64),
        branch_endpoint_mev=read_only(table["endpoint_mev"][used]),
        branch_weight=read_only(weight[used]),
    )


def fission_spectrum(
    fractions: Mapping[FissionIsotope, float], high: str, low: str, file: DataFile | None
) -> Fissions:
    """Spectrum of the fissions.

    Parameters
    ----------
    fractions : mapping
        Fissions of each isotope per fission.
    high : str
        Name of the exponential polynomials, not looked at where there is a file.
    low : {"vogel-engel", "extrapolated", "linear", "none"}
        What stands below: the table of Vogel and Engel, the polynomials, a straight line from zero
        to the first point of the file, or nothing.
    file : DataFile, optional
        A table that takes the place of the polynomials.
    """
    if file is not None:
        return _tabulated(fractions, low, spectrum_table(file))
    energy, spectra = _low_energy_table()
    name, coefficients = _POLYNOMIALS[high]
    rows = DataFile.shipped(name).table(coefficients, ("isotope",))
    polynomials = np.zeros((len(FISSION_ISOTOPES), POLYNOMIAL_TERMS))
    for k, isotope in enumerate(FISSION_ISOTOPES):
        row = rows.texts["isotope"].index(isotope)
        polynomials[k, : len(coefficients)] = [rows[term][row] for term in coefficients]
    return {
        "join_energy_mev": 0.0 if low == "extrapolated" else JOIN_ENERGY_MEV,
        "fractions": _in_order(fractions),
        "polynomials": read_only(polynomials),
        "table_energy_mev": energy,
        "table_spectrum": spectra,
        "file_energy_mev": read_only([]),
        "file_spectrum": read_only([]),
        "file_slope_per_mev": read_only([]),
    }


def _tabulated(fractions: Mapping[FissionIsotope, float], low: str, table: Table) -> Fissions:
    energy, spectrum = table["energy_mev"], table[_VALUES]
    weights, below, spectra = read_only([1.0]), read_only([]), read_only(np.empty((1, 0)))
    if low == "vogel-engel":
        weights = _in_order(fractions)
        below, spectra = _low_energy_table()
    elif low == "linear":
        below = read_only([0.0, energy[0]])
        spectra = read_only([[0.0, spectrum[0]]])
    return {
        "join_energy_mev": float(energy[0]),
        "fractions": weights,
        "polynomials": read_only(np.zeros((weights.size, POLYNOMIAL_TERMS))),
        "table_energy_mev": below,
        "table_spectrum": spectra,
        "file_energy_mev": energy,
        "file_spectrum": spectrum,
        "file_slope_per_mev": read_only(logarithmic_slopes(energy, spectrum)),
    }


def spectrum_table(file: DataFile) -> Table:
    """Table of ``energy_mev`` and ``antineutrinos_per_mev_per_fission``, checked.

    Raises
    ------
    InputError
        Energies that do not increase, or a spectrum that is negative or zero throughout.
    """
    table = file.table(("energy_mev", _VALUES))
    table.require(table["energy_mev"] >= 0, "energy_mev is negative")
    table.require_increasing("energy_mev")
    table.require(table[_VALUES] >= 0, f"{_VALUES} is negative")
    if table.lines and not table[_VALUES].any():
        raise InputError(
            f"{_VALUES} is 0 throughout", where=table.label, hint="name the file that was meant"
        )
    return table


def negligible_below(energy: FloatArray, spectrum: FloatArray) -> bool:
    """Whether a straight line from a table's first point to zero adds next to nothing to it."""
    below = 0.5 * energy[0] * spectrum[0]
    return bool(below <= NEGLIGIBLE_SHARE * np.trapezoid(spectrum, energy))


def logarithmic_slopes(energy: FloatArray, spectrum: FloatArray) -> FloatArray:
    """Slopes d ln S / dE at each point of a table, 0 where S is.

    That of the polynomial through the five nearest points, fewer where a zero ends the run, so that
    smooth spectra are met to the fourth order of the spacing. No slope is more than three times
    that of a neighbouring panel, which keeps the curve between the points of a jagged table.
    """
    slopes = np.zeros(energy.size)
    positive = np.flatnonzero(spectrum > 0.0)
    for run in np.split(positive, np.flatnonzero(np.diff(positive) > 1) + 1):
        if run.size < 2:
            continue
        x, y = energy[run], np.log(spectrum[run])
        width = min(SLOPE_POINTS, run.size)
        first = np.clip(np.arange(run.size) - width // 2, 0, run.size - width)
        window = first[:, None] + np.arange(width)
        # Divided differences of each window, and the derivative of Newton's form at its point.
        nodes, table = x[window], y[window].copy()
        for order in range(1, width):
            step = nodes[:, order:] - nodes[:, :-order]
            table[:, order:] = (table[:, order:] - table[:, order - 1 : -1]) / step
        value, slope = np.zeros(run.size), np.zeros(run.size)
        for j in range(width - 1, -1, -1):
            slope = slope * (x - nodes[:, j]) + value
            value = value * (x - nodes[:, j]) + table[:, j]
        secant = np.abs(np.diff(y) / np.diff(x))
        most = 3.0 * np.minimum([*secant, np.inf], [np.inf, *secant])
        slopes[run] = np.clip(slope, -most, most)
    return slopes


def _in_order(fractions: Mapping[FissionIsotope, float]) -> FloatArray:
    return read_only([fractions.get(isotope, 0.0) for isotope in FISSION_ISOTOPES])


def _low_energy_table() -> tuple[FloatArray, FloatArray]:
    """Energies from zero on, where the spectra are zero, and the spectrum of each isotope."""
    table = low_energy_file().table(("energy_mev", *FISSION_ISOTOPES))
    return (
        read_only([0.0, *table["energy_mev"]]),
        read_only([[0.0, *table[i]] for i in FISSION_ISOTOPES]),
    )
