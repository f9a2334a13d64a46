"""Fluxes of all sources against adaptive quadrature of their formulas."""

from itertools import pairwise
from math import cos, pi, radians, sin, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from fastscan.inputs import DataFile, LineSource, Oscillation, PionDecay, Solar, TableSource
from fastscan.inputs.solar import SOLAR_PARTS, solar_part
from fastscan.inputs.sources import components_of
from fastscan.tensors.emission import component_flux, conversion

LOWEST_MEV = 1e-3
MUON_MEV, PION_MEV = 105.6583755, 139.57039
TIGHT = {"epsabs": 0.0, "epsrel": 1e-11, "limit": 500}


def emissions(*sources):
    """Flux of each component by flavour."""
    return {
        component.flavour: component_flux(component, sources, LOWEST_MEV)
        for component in components_of(sources)
    }


def moments_of(spectrum, starts, breaks):
    """int_start spectrum(E) E**-n dE by quadrature between breaks, shape (3, starts)."""
    out = np.zeros((3, len(starts)))
    for n in range(3):
        for i, start in enumerate(starts):
            edges = [start, *(b for b in breaks if b > start)]
            out[n, i] = sum(
                quad(lambda e, n=n: spectrum(e) * e**-n, low, high, **TIGHT)[0]
                for low, high in pairwise(edges)
            )
    return out


# --- pions at rest --------------------------------------------------------------------------------

PIONS = PionDecay(
    kind="pion-decay", protons_on_target=3.2e23, neutrinos_per_proton=0.08, distance_m=19.3
)
FLUENCE = 0.08 * 3.2e23 / (4 * pi * 1930.0**2)


@pytest.mark.parametrize(
    ("flavour", "spectrum"),
    [
        ("nubar_mu", lambda e: 64 * e**2 / MUON_MEV**3 * (3 / 4 - e / MUON_MEV)),
        ("nu_e", lambda e: 192 * e**2 / MUON_MEV**3 * (1 / 2 - e / MUON_MEV)),
    ],
)
def test_spectra_of_stopped_muons(flavour, spectrum, rng):
    starts = rng.uniform(0.01, MUON_MEV / 2, 30)
    expected = FLUENCE * moments_of(spectrum, starts, [MUON_MEV / 2])
    flux = emissions(PIONS)[flavour]
    np.testing.assert_allclose(
        flux.moments(starts)[:, 0], expected, rtol=1e-10, atol=1e-14 * FLUENCE
    )
    assert flux.bin_flux == pytest.approx(FLUENCE, rel=1e-12)
    assert not flux.moments(np.array([MUON_MEV / 2, 60.0])).any()


@pytest.mark.parametrize(("flavour", "power"), [("nubar_mu", 3 / 4), ("nu_e", 1 / 2)])
def test_logarithmic_moments_of_stopped_muons(flavour, power):
    scale = {"nubar_mu": 64, "nu_e": 192}[flavour] / MUON_MEV**3
    component = {c.flavour: c for c in components_of([PIONS])}[flavour]
    flux = component_flux(component, [PIONS], LOWEST_MEV, 1e-6)
    starts = np.array([0.0, 5.0, 40.0])

    def integrand(e):
        return scale * e**2 * (power - e / MUON_MEV) * np.log(e / 1e-6)

    expected = [quad(integrand, start, MUON_MEV / 2, **TIGHT)[0] for start in starts]
    np.testing.assert_allclose(flux.moments(starts)[3, 0], FLUENCE * np.array(expected), rtol=1e-10)


def test_line_of_stopped_pions():
    line = (PION_MEV**2 - MUON_MEV**2) / (2 * PION_MEV)
    assert line == pytest.approx(29.79, abs=0.005)
    moments = emissions(PIONS)["nu_mu"].moments(np.array([1.0, line - 1e-6, line + 1e-6]))[:, 0]
    np.testing.assert_allclose(moments[:, 0], FLUENCE * line ** -np.arange(3.0), rtol=1e-12)
    np.testing.assert_array_equal(moments[:, 0], moments[:, 1])
    assert not moments[:, 2].any()


# --- the Sun --------------------------------------------------------------------------------------


def survival(energy, density, angles=(33.68, 8.56), splitting=7.49e-5):
    """P_ee, written with numbers instead of the project's constants."""
    theta12, theta13 = map(radians, angles)
    electrons = density * 6.02214076e23 * 197.3269804e-13**3
    beta = 2 * sqrt(2) * 1.1663787e-11 * cos(theta13) ** 2 * electrons * energy
    beta /= splitting * 1e-12
    top = cos(2 * theta12) - beta
    matter = top / sqrt(top**2 + sin(2 * theta12) ** 2)
    return sin(theta13) ** 4 + cos(theta13) ** 4 * (1 + cos(2 * theta12) * matter) / 2


def test_survival_of_electron_neutrinos(rng):
    for name in SOLAR_PARTS:
        density = solar_part(name).electron_density_mol_per_cm3
        energy = rng.uniform(0.0, 20.0, 50)
        electron, muon, tau = conversion(energy, density, Oscillation())
        expected = [survival(e, density) for e in energy]
        np.testing.assert_allclose(electron, expected, rtol=1e-7)
        np.testing.assert_allclose(electron + muon + tau, 1.0, rtol=1e-15)
        np.testing.assert_allclose(tau / muon, np.tan(radians(43.3)) ** 2, rtol=1e-12)


def test_survival_as_published():
    # Values of the analyses of electron recoils in xenon.
    assert conversion(0.3, 60.9, Oscillation())[0] == pytest.approx(0.544, abs=5e-4)
    assert conversion(0.861, 81.0, Oscillation())[0] == pytest.approx(0.526, abs=5e-4)


def test_survival_without_and_with_overwhelming_matter():
    plain = Oscillation(theta13_deg=0.0)
    vacuum, dense = (float(conversion(1.0, n, plain)[0]) for n in (0.0, 1e9))
    assert vacuum == pytest.approx(1 - 0.5 * sin(2 * radians(33.68)) ** 2, rel=1e-12)
    assert dense == pytest.approx(sin(radians(33.68)) ** 2, rel=1e-6)


@pytest.mark.parametrize("name", ["pp", "b8"])
def test_solar_spectra(name, rng):
    part = solar_part(name)
    starts = rng.uniform(0.02, part.energy_mev[-1], 2)

    def spectrum(energy):
        shape = np.interp(energy, part.energy_mev, part.per_mev)
        return part.flux_per_cm2_s * shape * survival(energy, part.electron_density_mol_per_cm3)

    expected = moments_of(spectrum, starts, part.energy_mev)
    found = emissions(Solar(kind="solar", parts=[name]))["nu_e"].moments(starts)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_all_flavours_make_up_the_flux_of_the_sun():
    flavours = emissions(Solar(kind="solar"))
    total = sum(flux.bin_flux[0] for flux in flavours.values())
    expected = sum(solar_part(name).flux_per_cm2_s for name in SOLAR_PARTS)
    assert total == pytest.approx(expected, rel=1e-10)
    assert set(flavours["nu_mu"].parts()) == set(SOLAR_PARTS)


def test_lines_of_beryllium():
    flavours = emissions(Solar(kind="solar", parts=["be7"]))
    upper = sum(flux.moments(np.array([0.5]))[0, 0, 0] for flux in flavours.values())
    assert upper == pytest.approx(0.897 * 4.93e9, rel=1e-12)


def test_probabilities_of_a_file():
    text = "energy_mev,nu_e,nu_mu,nu_tau\n0,1,0,0\n8,0,1,0\n20,0,0,1\n"
    sun = Solar(kind="solar", parts=["b8"], probabilities=DataFile.made("p.csv", text))
    flux, part = emissions(sun), solar_part("b8")

    def spectrum(energy):
        shape = np.interp(energy, part.energy_mev, part.per_mev)
        return part.flux_per_cm2_s * shape * np.interp(energy, [0, 8, 20], [0, 1, 0])

    expected = moments_of(spectrum, [3.0, 9.0], sorted([*part.energy_mev, 8.0]))
    np.testing.assert_allclose(
        flux["nu_mu"].moments(np.array([3.0, 9.0]))[:, 0], expected, rtol=1e-9
    )


# --- tables and lines -----------------------------------------------------------------------------

TABLE = DataFile.made("t.csv", "energy_mev,per_mev\n1,2\n2,6\n4,3\n7,0\n")


def table(**changes):
    keys = {"kind": "table", "flavour": "nu_tau", "file": TABLE, "below": "none"}
    return TableSource(**(keys | changes))


def test_a_linear_table_as_it_stands(rng):
    flux = emissions(table(unit="cm-2 s-1 MeV-1", interpolation="linear"))["nu_tau"]
    starts = rng.uniform(0.1, 7.5, 20)

    def spectrum(energy):
        return np.interp(energy, [1, 2, 4, 7], [2, 6, 3, 0], left=0.0)

    expected = moments_of(spectrum, starts, [1.0, 2.0, 4.0, 7.0])
    np.testing.assert_allclose(flux.moments(starts)[:, 0], np.maximum(expected, 0.0), rtol=1e-10)


@pytest.mark.parametrize("interpolation", ["linear", "logarithmic"])
def test_a_table_is_normalised_to_the_flux_that_is_given(interpolation):
    flux = emissions(table(flux_per_cm2_s=3e8, interpolation=interpolation))["nu_tau"]
    assert flux.moments(np.array([0.5]))[0, 0, 0] == pytest.approx(3e8, rel=1e-12)
    shape = flux(np.array([0.5, 1.0, 2.0, 4.0, 5.5, 7.0]))
    np.testing.assert_allclose(shape / shape[1], [0, 1, 3, 1.5, 0.75, 0], rtol=1e-12)


def test_sources_of_one_flavour_and_range_are_added_up():
    one = table(flux_per_cm2_s=3e8)
    single, double = (emissions(*several)["nu_tau"] for several in ([one], [one, one]))
    starts = np.linspace(0.5, 8.0, 10)
    np.testing.assert_array_equal(double.moments(starts), 2 * single.moments(starts))


def test_lines_of_several_energies():
    source = LineSource(
        kind="line",
        flavour="nu_e",
        energies_mev=[0.75, 0.43],
        shares=[0.9, 0.1],
        flux_per_cm2_s=1e13,
    )
    moments = emissions(source)["nu_e"].moments(np.array([0.1, 0.5, 0.8]))[:, 0]
    np.testing.assert_allclose(moments[0], [1e13, 0.9e13, 0.0])
    np.testing.assert_allclose(moments[2, 0], 1e13 * (0.9 / 0.75**2 + 0.1 / 0.43**2))
