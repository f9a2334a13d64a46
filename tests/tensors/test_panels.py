"""Panels of the response, and tables of flux moments, against the tensors' own quadrature."""

import numpy as np
import pytest

from fastscan.inputs import load_experiment
from fastscan.tensors.build import maximum_recoil, minimum_energy
from fastscan.tensors.flux import Flux
from fastscan.tensors.flux_table import FluxTable
from fastscan.tensors.legendre import NODES, ORDER, TO_LEGENDRE, WEIGHTS, cumulative, tail
from fastscan.tensors.panels import load_panels


@pytest.fixture(scope="module")
def conus():
    return load_experiment("conus-plus")


@pytest.fixture(scope="module")
def flux(conus):
    return Flux(conus.reactor, 1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_table_of_moments(flux, rng, weighted):
    weights = rng.uniform(0.0, 2.0, 40) if weighted else None
    energy = np.exp(rng.uniform(np.log(2e-6), np.log(9.99), 500))
    energy = np.concatenate([energy, flux.kinks_mev, [10.0, 11.0, 1e300]])
    got = FluxTable.of(flux, weights).moments(energy)
    by_bin = flux.moments(energy)
    expected = by_bin.sum(axis=1) if weights is None else np.einsum("net,e->nt", by_bin, weights)
    np.testing.assert_allclose(got, expected, rtol=1e-11)


def test_sums_over_a_panel_up_to_a_place(rng):
    series = rng.normal(size=ORDER)
    values = np.polynomial.legendre.legval(NODES, series)
    whole = np.polynomial.legendre.legint(series)
    place = np.array([-1.0, -0.3, 0.8, 1.0])
    expected = np.polynomial.legendre.legval(place, whole)
    expected -= np.polynomial.legendre.legval(-1.0, whole)
    got = cumulative(place) @ (WEIGHTS * values)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(TO_LEGENDRE @ values, series, rtol=0, atol=1e-12)
    assert tail(values) == pytest.approx(np.abs(series[-2:]).sum(), abs=1e-12)


@pytest.mark.parametrize("channel", ["cevns", "eves"])
def test_sums_up_to_the_largest_recoil_of_an_energy(conus, channel):
    panels = load_panels(conus).channels[channel]
    energy = np.array([1e-4, 0.01, 0.5, 1.7, 4.0, 9.0])
    powers = panels.recoil_energy_mev[:, None] ** 0.5
    got = panels.below(energy, powers * panels.response)
    expected = np.zeros_like(got)
    for low, high, first in zip(
        panels.low_mev, panels.high_mev, range(0, len(powers), ORDER), strict=True
    ):
        own = slice(first, first + ORDER)
        half = 0.5 * (high - low)
        contents = panels.response[own] / (half * WEIGHTS)[:, None]
        series = TO_LEGENDRE @ contents
        for e, end in enumerate(maximum_recoil(energy, panels.target_mass_mev[first])):
            stop = min(max(end, low), high)
            recoil = 0.5 * (low + stop) + 0.5 * (stop - low) * NODES
            place = (recoil - 0.5 * (low + high)) / half
            values = np.polynomial.legendre.legval(place, series).T * recoil[:, None] ** 0.5
            expected[e] += 0.5 * (stop - low) * WEIGHTS @ values
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10 * expected.max())


def test_energies_hold_all_that_scatters(conus):
    panels = load_panels(conus)
    energies = panels.energies("cevns", "nubar_e")
    recoils = panels.channels["cevns"]
    lowest = minimum_energy(recoils.low_mev.min(), recoils.target_mass_mev.min())
    width = 1.0 / energies.centre_per_mev[-1]
    assert energies.energy_mev.min() == pytest.approx(lowest, abs=width)
    flux = panels.fluxes["nubar_e"]
    inside = (flux.bin_edges_mev[:-1] > 1.0) & (flux.bin_edges_mev[1:] <= 10.0)
    above = flux.bin_flux[inside].sum()
    counted = energies.weight[energies.energy_mev > flux.bin_edges_mev[:-1][inside][0]]
    assert counted.sum() == pytest.approx(above, rel=1e-10)


def test_panels_are_made_once(conus):
    assert load_panels(conus) is load_panels(load_experiment("conus-plus"))
