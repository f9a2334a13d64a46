"""Fission spectra and allowed beta spectra."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import loggamma

from fastscan.inputs import load_experiment
from fastscan.kernels.spectra import beta_spectrum, fission_spectrum, table_spectrum

FRACTIONS = np.array([0.6, 0.4])
POLYNOMIALS = np.array([[1.0, -0.5, 0.02, 0.0, 0.0, 0.0], [0.5, -0.2, -0.03, 1e-3, 0.0, 0.0]])
TABLE_ENERGY = np.array([0.0, 0.3, 1.0, 2.0])
TABLE = np.array([[0.0, 2.0, 1.5, 1.2], [0.0, 1.0, 3.0, 0.5]])


def fission(energy, join=2.0, table_energy=TABLE_ENERGY, table=TABLE):
    energy = np.atleast_1d(np.asarray(energy, dtype=float))
    return fission_spectrum(energy, join, FRACTIONS, POLYNOMIALS, table_energy, table)


def exponential(energy):
    values = [np.exp(np.polynomial.polynomial.polyval(energy, p)) for p in POLYNOMIALS]
    return FRACTIONS @ np.array(values)


@pytest.fixture(scope="module")
def conus():
    return naive.Flux(load_experiment("conus-plus"))


@given(st.floats(0.0, 10.0))
def test_fission_of_the_shipped_tables_against_twin(conus, energy):
    table = conus.table
    got = fission_spectrum(
        np.array([energy]),
        table.join_energy_mev,
        table.fractions,
        table.polynomials,
        table.table_energy_mev,
        table.table_spectrum,
    )[0]
    assert got == pytest.approx(float(conus.fission(energy)), rel=1e-12, abs=0)


@given(st.floats(0.0, 1.9999))
def test_below_the_join_the_table_is_linear(energy):
    expected = FRACTIONS @ [np.interp(energy, TABLE_ENERGY, row) for row in TABLE]
    assert fission(energy)[0] == pytest.approx(expected, rel=1e-12, abs=1e-14)


@given(st.floats(2.0, 12.0))
def test_from_the_join_on_the_exponential_holds(energy):
    assert fission(energy)[0] == pytest.approx(exponential(energy), rel=1e-12, abs=0)


def test_the_step_at_the_join_is_kept():
    below, at = fission([np.nextafter(2.0, 0.0), 2.0])
    assert below == pytest.approx(FRACTIONS @ TABLE[:, -1], rel=1e-12, abs=0)
    assert at == pytest.approx(exponential(2.0), rel=1e-12, abs=0)


def test_table_nodes_are_hit():
    np.testing.assert_allclose(fission(TABLE_ENERGY[:-1]), FRACTIONS @ TABLE[:, :-1], rtol=1e-15)


def test_nothing_outside_a_table_that_is_all_there_is():
    seen = fission([-0.1, 2.0, 2.0 + 1e-9, 5.0], join=np.inf)
    np.testing.assert_allclose(seen, [0.0, FRACTIONS @ TABLE[:, -1], 0.0, 0.0], rtol=1e-15)


def test_extrapolated_to_zero_energy():
    energy = np.array([0.0, 0.5, 1.9])
    np.testing.assert_allclose(fission(energy, join=0.0), exponential(energy), rtol=1e-13)


@given(st.floats(0.3, 1.0))
def test_table_with_the_slopes_of_a_quadratic_logarithm_is_that(energy):
    nodes = np.array([0.3, 1.0])
    found = table_spectrum(
        np.array([energy]), nodes, np.exp(1.0 - nodes**2), np.ascontiguousarray(-2.0 * nodes)
    )
    assert found[0] == pytest.approx(np.exp(1.0 - energy**2), rel=1e-14, abs=0)


def test_table_is_linear_where_it_touches_zero():
    nodes, values = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 4.0, 0.0, 0.0])
    seen = table_spectrum(np.array([1.0, 1.25, 2.0, 2.75, 3.5]), nodes, values, np.zeros(4))
    np.testing.assert_allclose(seen, [0.0, 1.0, 4.0, 1.0, 0.0], rtol=1e-15)


def test_table_is_nothing_outside():
    nodes, values = np.array([1.0, 2.0]), np.array([2.0, 3.0])
    seen = table_spectrum(np.array([0.99, 1.0, 2.0, 2.01]), nodes, values, np.zeros(2))
    np.testing.assert_allclose(seen, [0.0, 2.0, 3.0, 0.0], rtol=1e-15)


def beta(energy, z, endpoint):
    """The engine's shape, not normalised."""
    energy = np.atleast_1d(np.asarray(energy, dtype=float))
    gamma = np.sqrt(1.0 - (naive.ALPHA * z) ** 2)
    kinetic = np.maximum(endpoint - energy, 1e-300) / naive.ELECTRON_MASS
    y = naive.ALPHA * z * (kinetic + 1.0) / np.sqrt(kinetic * (kinetic + 2.0))
    log_gamma_squared = 2.0 * loggamma(gamma + 1j * y).real
    return beta_spectrum(
        energy, endpoint, naive.ELECTRON_MASS, gamma, log_gamma_squared, naive.ALPHA * z
    )


@given(st.integers(1, 94), st.floats(0.05, 5.0))
def test_beta_shape_against_twin(z, endpoint):
    # Up to a constant: the twin keeps the nuclear radius, energies in MeV and the prefactors.
    energy = endpoint * np.array([0.01, 0.3, 0.6, 0.9, 0.999])
    ratio = beta(energy, z, endpoint) / naive.beta_shape(energy, z, 2 * z, endpoint)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-11)


def test_beta_shape_without_charge_is_phase_space():
    endpoint, energy = 1.2, np.array([0.1, 0.6, 1.1])
    total = (endpoint - energy) / naive.ELECTRON_MASS + 1.0
    expected = np.sqrt(total**2 - 1.0) * total * energy**2
    np.testing.assert_allclose(beta(energy, 0, endpoint), expected, rtol=1e-13)


def test_beta_shape_ends_in_a_step():
    below, at, above = beta([1.2 * (1 - 1e-12), 1.2, 1.3], 93, 1.2)
    assert below > 0.5 * beta(1.1, 93, 1.2)[0]
    assert at == above == 0.0


def test_beta_shape_vanishes_at_zero_energy():
    assert beta(0.0, 93, 1.2)[0] == 0.0
