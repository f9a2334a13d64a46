"""Antineutrino spectra: exponential polynomials, tables, and allowed beta decay."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["beta_spectrum", "fission_spectrum", "table_spectrum"]

FloatArray = np.ndarray


@jit
def fission_spectrum(
    energy_mev: FloatArray,
    join_energy_mev: float,
    fractions: FloatArray,
    polynomials: FloatArray,
    table_energy_mev: FloatArray,
    table_spectrum: FloatArray,
) -> FloatArray:
    """Antineutrinos per MeV and fission, sum_k f_k S_k(E), shape (energies,).

    From ``join_energy_mev`` upwards S_k = exp(sum_i polynomials[k, i] E**i) (Huber 2011, Mueller
    2011); below it the table is joined linearly, and is zero outside its energies (increasing).
    """
    out = np.zeros(energy_mev.size)
    last = table_energy_mev.size - 1
    for i in range(energy_mev.size):
        energy = energy_mev[i]
        if energy >= join_energy_mev:
            for k in range(fractions.size):
                exponent = 0.0
                for j in range(polynomials.shape[1] - 1, -1, -1):
                    exponent = exponent * energy + polynomials[k, j]
                out[i] += fractions[k] * math.exp(exponent)
        elif last > 0 and table_energy_mev[0] <= energy <= table_energy_mev[last]:
            j = min(max(np.searchsorted(table_energy_mev, energy), 1), last)
            low = table_energy_mev[j - 1]
            weight = (energy - low) / (table_energy_mev[j] - low)
            for k in range(fractions.size):
                left, right = table_spectrum[k, j - 1], table_spectrum[k, j]
                out[i] += fractions[k] * (left + weight * (right - left))
    return out


@jit
def table_spectrum(
    energy_mev: FloatArray,
    table_energy_mev: FloatArray,
    table_spectrum: FloatArray,
    table_slope_per_mev: FloatArray,
) -> FloatArray:
    """Spectrum between the points of a table, shape (energies,).

    Where both neighbours are positive ln S is the cubic in E with their values and their slopes
    d ln S / dE (Hermite); where one is zero S is linear. Zero outside the table's energies, which
    increase.
    """
    out = np.zeros(energy_mev.size)
    last = table_energy_mev.size - 1
    for i in range(energy_mev.size):
        energy = energy_mev[i]
        if last < 1 or energy < table_energy_mev[0] or energy > table_energy_mev[last]:
            continue
        j = min(max(np.searchsorted(table_energy_mev, energy), 1), last)
        low = table_energy_mev[j - 1]
        width = table_energy_mev[j] - low
        weight = (energy - low) / width
        left, right = table_spectrum[j - 1], table_spectrum[j]
        if left > 0.0 and right > 0.0:
            rise = math.log(right / left)
            bend_left = width * table_slope_per_mev[j - 1] - rise
            bend_right = rise - width * table_slope_per_mev[j]
            bend = (1.0 - weight) * bend_left + weight * bend_right
            out[i] = left * math.exp(weight * rise + weight * (1.0 - weight) * bend)
        else:
            out[i] = left + weight * (right - left)
    return out


@jit
def beta_spectrum(
    energy_mev: FloatArray,
    endpoint_mev: float,
    electron_mass_mev: float,
    gamma: float,
    log_gamma_squared: FloatArray,
    coulomb: float,
) -> FloatArray:
    """Shape of an allowed antineutrino spectrum, p W E**2 F(Z, W), not normalised, (energies,).

    F is the relativistic Fermi function of a point nucleus, p**(2 gamma - 2) e**(pi y)
    |Gamma(gamma + i y)|**2 up to a constant, gamma = sqrt(1 - coulomb**2), coulomb = alpha Z,
    y = coulomb W / p, with p and W in units of the electron mass;
    ``log_gamma_squared`` is 2 Re ln Gamma(gamma + i y) at each energy. Zero above the end point.
    """
    out = np.zeros(energy_mev.size)
    for i in range(energy_mev.size):
        kinetic = (endpoint_mev - energy_mev[i]) / electron_mass_mev
        if kinetic <= 0.0:
            continue
        total = kinetic + 1.0
        momentum = math.sqrt(kinetic * (kinetic + 2.0))
        log_fermi = (
            (2.0 * gamma - 2.0) * math.log(momentum)
            + math.pi * coulomb * total / momentum
            + log_gamma_squared[i]
        )
        out[i] = momentum * total * energy_mev[i] ** 2 * math.exp(log_fermi)
    return out
