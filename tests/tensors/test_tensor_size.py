"""Builds that used to go on for ever, or to fill the memory, end or are refused."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.tensors import QUADRATURE_TOLERANCE, build, build_response, recoil
from fastscan.tensors.recoil import TooManyNodes, choose_nodes


def unusual(**values):
    """conus-plus with values of [ionisation] that have to be insisted on."""
    changes = {f"ionisation.{key}": value for key, value in values.items()}
    listed = [key for key, value in changes.items() if 0.0 < value < 0.1]
    return load_experiment("conus-plus").with_changes({**changes, "unusual": listed})


def extending(folder, text):
    path = folder / "mine.toml"
    path.write_text(f'extends = "conus-plus"\n{text}')
    return load_experiment(path)


def with_bins(folder, count, more=""):
    edges = np.linspace(160.0, 350.0, count + 1)
    rows = np.column_stack([edges[:-1], edges[1:], np.ones(count), np.ones(count)])
    header = "low_ev,high_ev,excess,sigma"
    np.savetxt(folder / "counts.csv", rows, delimiter=",", header=header, comments="")
    return extending(folder, f'[observation]\nfile = "counts.csv"\n{more}')


def with_spectrum(folder, count, noise=0.0):
    energy = np.linspace(0.0, 8.0, count)
    spectrum = np.exp(0.87 - 0.16 * energy - 0.091 * energy**2)
    spectrum *= np.exp(noise * np.random.default_rng(5).normal(size=count))
    header = "energy_mev,antineutrinos_per_mev_per_fission"
    rows = np.column_stack([energy, spectrum])
    np.savetxt(folder / "table.csv", rows, delimiter=",", header=header, comments="")
    return extending(folder, '[reactor]\nspectrum_file = "table.csv"\nenergy_max_mev = 8.0')


@pytest.mark.parametrize("minimum_ev", [1e-4, 1e-9])
@pytest.mark.timeout(120)
def test_a_small_smallest_ionisation(minimum_ev, monkeypatch):
    experiment = unusual(minimum_ev=minimum_ev, electronic_noise_ev=40.0)
    response = build_response(experiment)
    assert response.error_estimate <= QUADRATURE_TOLERANCE
    # Photon exchange, T**-2 down to the end of the window, is the hardest.
    monkeypatch.setattr(build, "QUADRATURE_TOLERANCE", QUADRATURE_TOLERANCE / 30)
    finer = build_response(experiment)
    for channel in ("cevns", "eves"):
        found, known = (
            np.einsum(
                "t,t,tb->b",
                part.channels[channel].recoil_energy_mev ** -2.0,
                part.channels[channel].flux_moments[0].sum(axis=0),
                part.channels[channel].response,
            )
            for part in (response, finer)
        )
        np.testing.assert_allclose(found, known, rtol=0, atol=1e-9 * known.max())


@pytest.mark.timeout(120)
def test_a_resolution_of_next_to_nothing():
    """As good as none: the same counts in every bin."""
    narrow = build_response(unusual(electronic_noise_ev=1e-9, fano_factor=0.0))
    none = build_response(
        load_experiment("conus-plus").with_changes({"ionisation.resolution": "none"})
    )
    assert narrow.error_estimate <= QUADRATURE_TOLERANCE
    for channel in ("cevns", "eves"):
        found, known = (r.channels[channel].kernel()[0].sum(axis=0) for r in (narrow, none))
        np.testing.assert_allclose(found, known, rtol=0, atol=3e-9 * known.max())


@pytest.mark.parametrize("value", [1e-10, 1e-300])
@pytest.mark.parametrize("key", ["minimum_ev", "electronic_noise_ev"])
def test_energies_that_are_none(key, value):
    with pytest.raises(InputError, match="as good as 0"):
        unusual(**{key: value})


def test_more_rows_than_bins_can_be():
    seen = load_experiment("conus-plus").observation.file
    many = type(seen).made("many.csv", "low_ev,high_ev,excess,sigma\n" + "1,2,3,4\n" * 200_000)
    with pytest.raises(InputError, match=r"200001 rows.*more than 0.8 GB"):
        load_experiment("conus-plus").with_changes({"observation.file": many})


def test_many_bins_are_refused_with_their_size(tmp_path):
    with pytest.raises(InputError, match=r"0\.\d+ GB with 20000 bins.*fewer or wider bins"):
        build_response(with_bins(tmp_path, 20_000))


def test_many_sharp_bins_are_refused_before_anything_is_done(tmp_path):
    experiment = with_bins(tmp_path, 20_000, '[ionisation]\nresolution = "none"\n')
    with pytest.raises(InputError, match=r"480000 recoil energies or more: 77 GB"):
        build_response(experiment)


def test_many_energy_bins_are_refused():
    fine = load_experiment("conus-plus").with_changes({"reactor.energy_bin_width_mev": 1e-3})
    with pytest.raises(InputError, match=r"10000 antineutrino energies.*widen energy_bin_width"):
        build_response(fine)


@pytest.mark.timeout(120)
def test_a_long_smooth_spectrum_costs_no_more_than_a_short_one(tmp_path):
    short, long = (build_response(with_spectrum(tmp_path, n)) for n in (161, 20_001))
    assert long.error_estimate <= QUADRATURE_TOLERANCE
    assert long.size_bytes < 1.5e6
    for channel in ("cevns", "eves"):
        found, known = (r.channels[channel].kernel()[0].sum(axis=0) for r in (long, short))
        np.testing.assert_allclose(found, known, rtol=1e-6)


def test_a_long_jagged_spectrum_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"GB.*thin out the rows of the file of the spectrum"):
        build_response(with_spectrum(tmp_path, 20_001, noise=0.05))


def test_nodes_are_counted_while_panels_are_halved():
    def waves(energy):
        return 1.0 + np.sin(300.0 * energy)[:, None, None]

    with pytest.raises(TooManyNodes) as caught:
        choose_nodes(np.array([0.0, 1.0]), waves, 1e-9, most_nodes=100)
    assert caught.value.args[0] > 100


def test_panels_may_be_integrated_a_few_at_a_time(monkeypatch):
    breaks = np.geomspace(1e-3, 1.0, 30)

    def integrand(energy):
        return np.stack([energy**-2.0, np.exp(energy)], axis=1)[:, :, None]

    at_once = choose_nodes(breaks, integrand, 1e-9)
    monkeypatch.setattr(recoil, "MOST_VALUES", 100)
    few = choose_nodes(breaks, integrand, 1e-9)
    np.testing.assert_array_equal(few.recoil_energy_mev, at_once.recoil_energy_mev)
    np.testing.assert_array_equal(few.weight_mev, at_once.weight_mev)
