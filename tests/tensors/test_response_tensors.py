"""The tensors of an experiment as a whole: shapes, sums over energy bins, unusual experiments."""

import naive
import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.kernels import form_factor, quenching
from fastscan.models import get_model
from fastscan.tensors import CHANNELS, ChannelResponse, build_response, load_response, read_store

VECTOR = {"mass_mev": 1e-3, "g": 1e-5, "sin2_theta_w": 0.23857}


@pytest.fixture(scope="module")
def experiment():
    return load_experiment("conus-plus")


@pytest.fixture(scope="module")
def response(experiment):
    return build_response(experiment)


def counts(experiment, response, channel, flux_weights=None):
    rates = build_signal(
        get_model("vector"), experiment, response, channels=(channel,), flux_weights=flux_weights
    )
    return rates.counts(VECTOR)


def assert_same_counts(experiment, response, channel):
    """The engine and its twin agree to a billionth of the largest bin."""
    expected = naive.Predictor(experiment, channel).counts("vector", VECTOR)
    got = counts(experiment, response, channel)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * max(expected.max(), 1e-30))


@pytest.mark.parametrize("channel", CHANNELS)
def test_shapes(response, channel):
    tensors = response.channels[channel]
    sizes = {"recoil_node": tensors.recoil_energy_mev.size, "moment": 3}
    sizes |= {"energy_bin": response.energy_bin_edges_mev.size - 1}
    sizes |= {"observed_bin": response.edges_ev.size - 1}
    for name, dimensions in ChannelResponse.ARRAYS.items():
        assert getattr(tensors, name).shape == tuple(sizes[d] for d in dimensions), name


def test_energy_bins(experiment, response):
    np.testing.assert_array_equal(response.energy_bin_edges_mev, np.arange(0.0, 10.1, 0.25))
    np.testing.assert_array_equal(response.edges_ev, experiment.observation.edges_ev)
    assert response.bin_flux_per_cm2_s.sum() == pytest.approx(1.5e13, rel=1e-12)


def test_nodes_know_their_nucleus(response):
    nuclei = response.channels["cevns"]
    assert set(nuclei.protons) == {32.0}
    assert sorted(set(nuclei.neutrons)) == [38.0, 40.0, 41.0, 42.0, 44.0]
    mass_in_u = nuclei.target_mass_mev / naive.ATOMIC_MASS_UNIT
    np.testing.assert_allclose(mass_in_u, nuclei.protons + nuclei.neutrons, atol=0.11)


def test_nodes_know_their_form_factor(response):
    nuclei = response.channels["cevns"]
    momentum = np.sqrt(2 * nuclei.target_mass_mev * nuclei.recoil_energy_mev) / 197.3269804
    for a in (70.0, 76.0):
        isotope = nuclei.protons + nuclei.neutrons == a
        expected = form_factor.helm_squared(momentum[isotope], a, 0.9, 0.52)
        np.testing.assert_array_equal(nuclei.form_factor_squared[isotope], expected)


def test_nodes_of_electrons(response):
    electrons = response.channels["eves"]
    assert set(electrons.target_mass_mev) == {naive.ELECTRON_MASS}
    assert not electrons.protons.any()
    assert not electrons.neutrons.any()
    assert set(electrons.form_factor_squared) == {1.0}


def test_no_node_below_the_smallest_ionisation(response):
    nuclei, electrons = (response.channels[channel].recoil_energy_mev for channel in CHANNELS)
    assert quenching.lindhard(nuclei, 32.0, 0.162).min() > 2.96e-6
    assert electrons.min() > 2.96e-6


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_negative(response, channel):
    assert np.all(response.channels[channel].flux_moments >= 0.0)
    assert np.all(response.channels[channel].response >= 0.0)


@pytest.mark.parametrize("channel", CHANNELS)
def test_energy_resolved_kernel_sums_to_the_kernel(response, channel):
    tensors = response.channels[channel]
    np.testing.assert_allclose(tensors.resolved_kernel().sum(axis=0), tensors.kernel(), rtol=1e-13)


@pytest.mark.parametrize("channel", CHANNELS)
def test_reweighted_kernel_is_the_weighted_sum(response, channel, rng):
    tensors = response.channels[channel]
    weights = rng.uniform(0.0, 2.0, 40)
    expected = np.einsum("e,entb->ntb", weights, tensors.resolved_kernel())
    np.testing.assert_allclose(tensors.kernel(weights), expected, rtol=1e-12)


@pytest.mark.parametrize("channel", CHANNELS)
def test_unit_weights_change_nothing(response, channel):
    tensors = response.channels[channel]
    np.testing.assert_allclose(tensors.kernel(np.ones(40)), tensors.kernel(), rtol=1e-13)


@pytest.mark.parametrize("channel", CHANNELS)
def test_reweighting_a_bin_is_building_with_another_spectrum(folder, edit, channel):
    # The spectrum vanishes at 2 and 3 MeV: doubling its point in between doubles one bin.
    rows = "0,0\n1,1\n2,0\n2.5,3\n3,0\n5,1\n9,0\n"
    spectrum = f"energy_mev,antineutrinos_per_mev_per_fission\n{rows}"
    edit("si.toml", "fission_fractions", "# fission_fractions")
    (folder / "spectrum.csv").write_text(spectrum, encoding="utf-8")
    keys = 'spectrum_file = "spectrum.csv"\nenergy_bin_width_mev = 1.0\ncaptures_per_fission = 0.0'
    path = edit("si.toml", "[reactor]", f"[reactor]\n{keys}")
    experiment = load_experiment(path)
    weights = np.ones(10)
    weights[2] = 2.0
    reweighted = counts(experiment, build_response(experiment), channel, weights)
    edit("spectrum.csv", "2.5,3", "2.5,6")
    doubled = load_experiment(path)
    rebuilt = counts(doubled, build_response(doubled), channel)
    np.testing.assert_allclose(reweighted, rebuilt, rtol=0, atol=2e-9 * rebuilt.max())


@pytest.mark.parametrize("channel", CHANNELS)
def test_energy_bins_do_not_change_the_counts(experiment, response, channel):
    reactor = experiment.reactor.model_copy(update={"energy_bin_width_mev": 3.3})
    coarse = experiment.model_copy(update={"reactor": reactor})
    expected = counts(experiment, response, channel)
    got = counts(coarse, build_response(coarse), channel)
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-9 * expected.max())


def test_progress_is_told_every_part(experiment):
    told = []
    build_response(experiment, lambda label, fraction: told.append((label, fraction)))
    labels = ["A = 70", "A = 72", "A = 73", "A = 74", "A = 76", "electrons", "done"]
    assert [label for label, _ in told] == labels
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


# --- unusual experiments --------------------------------------------------------------------------

ABOVE_ALL_NUCLEI = "5000,6000,1,1\n6000,7000,1,1\n"
SI_COUNTS = "50,60,10,4\n60,80,-2,3\n80,100,1,2.5\n"


def test_bins_that_no_nucleus_reaches(folder, edit, tmp_path):
    edit("counts.csv", SI_COUNTS, ABOVE_ALL_NUCLEI)
    edit("efficiency.csv", "100,1", "10000,1")
    experiment = load_experiment(folder / "si.toml")
    # Stored and read, because arrays without an entry are a special case of file formats.
    built = load_response(experiment, tmp_path / "tables")
    response = load_response(experiment, tmp_path / "tables")
    assert built.channels["cevns"].recoil_energy_mev.size == 0
    assert not counts(experiment, response, "cevns").any()
    assert_same_counts(experiment, response, "eves")


@pytest.mark.parametrize("channel", CHANNELS)
def test_bin_from_zero_energy(folder, edit, channel):
    edit("counts.csv", "50,60", "0,60")
    experiment = load_experiment(folder / "si.toml")
    assert_same_counts(experiment, build_response(experiment), channel)


@pytest.mark.parametrize("channel", CHANNELS)
def test_maximum_energy_below_the_reach_of_the_bins(folder, edit, channel):
    path = edit("si.toml", "[reactor]", "[reactor]\nenergy_max_mev = 1.3")
    experiment = load_experiment(path)
    assert_same_counts(experiment, build_response(experiment), channel)


@pytest.mark.parametrize("channel", CHANNELS)
def test_compound_target(folder, edit, channel):
    silicon = 'shells = "tables/shells.csv" },'
    germanium = (
        '{ symbol = "Ge", atomic_number = 32, atoms_per_formula_unit = 2.0, '
        'isotopes = "shipped:ge_isotopes.csv", shells = "shipped:ge_shells.csv" },'
    )
    experiment = load_experiment(edit("si.toml", silicon, f"{silicon}\n    {germanium}"))
    assert_same_counts(experiment, build_response(experiment), channel)


def test_weak_quenching(folder, edit):
    edit("si.toml", "title", 'unusual = ["target.quenching.k"]\ntitle')
    experiment = load_experiment(edit("si.toml", "k = 0.146", "k = 1e-5"))
    assert_same_counts(experiment, build_response(experiment), "cevns")


def test_no_smallest_ionisation_is_an_input_error(folder, edit):
    # With a Gaussian resolution every energy down to zero reaches the bins, and a massless
    # mediator gives infinitely many recoils there.
    path = edit("si.toml", "minimum_ev = 3.7", "minimum_ev = 0.0")
    with pytest.raises(InputError, match="minimum_ev"):
        build_response(load_experiment(path))


def test_built_and_stored_are_equally_immutable(experiment, tmp_path):
    built = load_response(experiment, tmp_path)
    stored = read_store(tmp_path / f"{built.name}.zarr")
    for response in (built, stored):
        for tensors in response.channels.values():
            assert not tensors.flux_moments.flags.writeable
            assert not tensors.response.flags.writeable
