"""Shipped experiments and those of users."""

import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fastscan.inputs import (
    Experiment,
    experiment_names,
    load_experiment,
    other_limits,
    published_results,
    read_table,
    weak_mixing_angles,
)

Edit = Callable[[str, str, str], Path]


@pytest.fixture(scope="module")
def conus() -> Experiment:
    return load_experiment("conus-plus")


def test_shipped_names() -> None:
    assert experiment_names() == (
        "conus-plus",
        "conus-plus-a25",
        "conus-plus-budget",
        "conus-plus-c25",
        "conus-plus-shapes",
    )


@pytest.mark.parametrize("name", experiment_names())
def test_shipped_experiment_has_its_name(name: str) -> None:
    assert load_experiment(name).name == name


def test_conus_plus_exposure(conus: Experiment) -> None:
    # The collaboration quotes 327 kg d.
    exposure_kg_d = sum(d.mass_kg * d.live_time_d for d in conus.detectors)
    assert exposure_kg_d == pytest.approx(327, rel=2e-3)


def test_conus_plus_bins(conus: Experiment) -> None:
    np.testing.assert_array_equal(conus.observation.edges_ev, np.arange(160.0, 351.0, 10.0))


def test_conus_plus_unit(conus: Experiment) -> None:
    assert conus.observation.unit == "counts / kg / 119 d"


def test_c25_differs_in_two_settings(conus: Experiment) -> None:
    c25 = load_experiment("conus-plus-c25")
    assert c25.reactor.normalisation == "fission-flux"
    assert c25.ionisation.resolution == "none"
    for part in ("target", "detectors", "observation", "systematics"):
        assert getattr(c25, part) == getattr(conus, part)


def test_a25_exposure() -> None:
    exposures = [d.mass_kg * d.live_time_d for d in load_experiment("conus-plus-a25").detectors]
    assert exposures == pytest.approx([347 / 3] * 3)


def test_a25_observation() -> None:
    observation = load_experiment("conus-plus-a25").observation
    assert observation.counts == pytest.approx([395])
    assert observation.sigma == pytest.approx([math.sqrt(395)])
    assert observation.sm_expectation == 356
    assert observation.unit == "counts"


def test_a25_systematics() -> None:
    sigma_alpha = load_experiment("conus-plus-a25").systematics.sigma_alpha
    assert sigma_alpha == pytest.approx(math.hypot(0.024, 0.113, 0.263))


def test_extending_replaces_lists_and_merges_tables(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "conus-plus"\n[reactor]\nflux_per_cm2_s = 2e13\n'
        '[[detectors]]\nname = "D"\nmass_kg = 1\nlive_time_d = 1\nthreshold_ev = 150\n'
    )
    mine = load_experiment(path)
    assert [d.name for d in mine.detectors] == ["D"]
    assert mine.reactor.flux_per_cm2_s == 2e13
    assert mine.reactor.fission_fractions["U235"] == 0.53


def test_extending_does_not_inherit_the_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "conus-plus"\n')
    mine = load_experiment(path)
    assert (mine.name, mine.title, mine.source) == ("mine", "", "")


def test_users_experiment(folder: Path) -> None:
    silicon = load_experiment(str(folder / "si.toml"))
    element = silicon.target.elements[0]
    assert silicon.name == "si"
    assert element.mass_number.tolist() == [28, 29, 30]
    assert element.shell_electrons.tolist() == [2, 8, 4]
    assert silicon.detectors[0].efficiency_value.tolist() == [0.5, 1.0]
    assert silicon.observation.edges_ev.tolist() == [50, 60, 80, 100]


def test_users_experiment_with_shipped_silicon(edit: Edit) -> None:
    edit("si.toml", '"isotopes.csv"', '"shipped:si_isotopes.csv"')
    path = edit("si.toml", '"tables/shells.csv"', '"shipped:si_shells.csv"')
    assert load_experiment(path).target.elements[0].shell_electrons.sum() == 14


def test_windows_text_file(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_experiment(folder / "si.toml").observation.counts.tolist() == [10, -2, 1]


def test_no_efficiency_is_empty(conus: Experiment) -> None:
    assert conus.detectors[0].efficiency_energy_ev.size == 0


def test_resolution_parameters_are_not_needed_without_resolution(edit: Edit) -> None:
    edit("si.toml", '"gaussian"', '"none"')
    edit("si.toml", "electronic_noise_ev = 7.0\n", "")
    path = edit("si.toml", "fano_factor = 0.12\npair_energy_ev = 3.7\n", "")
    assert load_experiment(path).ionisation.resolution == "none"


@pytest.mark.parametrize(
    ("maximum", "edges"),
    [("1.0", [0, 0.25, 0.5, 0.75, 1.0]), ("0.6", [0, 0.25, 0.5, 0.6]), ("0.1", [0, 0.1])],
)
def test_energy_bins_end_at_the_maximum(edit: Edit, maximum: str, edges: list[float]) -> None:
    edit("si.toml", "title", 'unusual = ["reactor.energy_max_mev"]\ntitle')
    if maximum != "0.1":  # the others are usual
        edit("si.toml", 'unusual = ["reactor.energy_max_mev"]\n', "")
    path = edit("si.toml", "[target]", f"energy_max_mev = {maximum}\n[target]")
    assert load_experiment(path).reactor.energy_bin_edges_mev == pytest.approx(edges)


def test_spectrum_shapes(conus: Experiment) -> None:
    spectrum = conus.reactor.spectrum
    assert spectrum.fractions.tolist() == [0.53, 0.08, 0.32, 0.07]
    assert spectrum.polynomials.shape == (4, 6)
    assert spectrum.table_spectrum.shape == (4, spectrum.table_energy_mev.size)


def test_spectrum_table_starts_at_zero(conus: Experiment) -> None:
    spectrum = conus.reactor.spectrum
    assert spectrum.table_energy_mev[0] == 0.0
    assert not spectrum.table_spectrum[:, 0].any()


def test_spectrum_joins_within_ten_per_cent_at_2_mev(conus: Experiment) -> None:
    # The step at 2 MeV is known and kept; a row or column mixed up would make it far larger.
    spectrum = conus.reactor.spectrum
    huber = np.exp(spectrum.polynomials @ spectrum.join_energy_mev ** np.arange(6))
    np.testing.assert_allclose(huber, spectrum.table_spectrum[:, -1], rtol=0.12)


def test_captures_are_shared_equally_by_both_nuclides(conus: Experiment) -> None:
    spectrum = conus.reactor.spectrum
    for daughter_z in (93, 94):
        weight = spectrum.branch_weight[spectrum.branch_daughter_z == daughter_z]
        assert weight.sum() == pytest.approx(0.6)


def test_captures_can_be_switched_off(edit: Edit) -> None:
    path = edit("si.toml", "[target]", "captures_per_fission = 0\n[target]")
    assert load_experiment(path).reactor.spectrum.branch_weight.size == 0


def test_extrapolated_spectrum_has_no_join(edit: Edit) -> None:
    path = edit("si.toml", "[target]", 'low_energy_spectrum = "extrapolated"\n[target]')
    assert load_experiment(path).reactor.spectrum.join_energy_mev == 0.0


def test_alternative_polynomials_are_padded(edit: Edit) -> None:
    path = edit("si.toml", "[target]", 'high_energy_spectrum = "vogel-engel"\n[target]')
    polynomials = load_experiment(path).reactor.spectrum.polynomials
    assert polynomials[0].tolist() == [0.870, -0.160, -0.0910, 0, 0, 0]


def test_spectrum_file_replaces_the_fission_spectrum(edit: Edit) -> None:
    edit("spectrum.csv", "1,2", "0,0\n1,2")
    path = edit("si.toml", "fission_fractions =", 'spectrum_file = "spectrum.csv"\n#')
    spectrum = load_experiment(path).reactor.spectrum
    assert spectrum.join_energy_mev == 0.0
    assert spectrum.table_energy_mev.size == 0
    assert spectrum.file_energy_mev.tolist() == [0, 1, 2, 8]
    assert spectrum.file_spectrum.tolist() == [0, 2, 1.5, 0]


def test_tensor_inputs_are_json(conus: Experiment) -> None:
    inputs = conus.tensor_inputs()
    assert json.loads(json.dumps(inputs, allow_nan=False)) == inputs


def test_tensor_inputs_are_stable(folder: Path) -> None:
    path = folder / "si.toml"
    assert load_experiment(path).tensor_inputs() == load_experiment(path).tensor_inputs()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("si.toml", "Silicon somewhere", "Silicon elsewhere"),
        ("si.toml", "title", 'name = "other"\ndescription = "d"\nsource = "s"\ntitle'),
        ("si.toml", "sigma_alpha = 0.1", "sigma_alpha = 0.3"),
        ("si.toml", 'name = "A"', 'name = "B"'),
        ("si.toml", "mass_kg = 0.1", "mass_kg = 0.10"),
        ("counts.csv", "10,4", "12,5"),
    ],
)
def test_tensor_inputs_ignore_what_does_not_matter(
    folder: Path, edit: Edit, name: str, old: str, new: str
) -> None:
    before = load_experiment(folder / "si.toml").tensor_inputs()
    assert load_experiment(edit(name, old, new)).tensor_inputs() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("si.toml", "distance_m = 12.0", "distance_m = 12.1"),
        ("si.toml", "U235 = 0.6, U238 = 0.07", "U235 = 0.59, U238 = 0.08"),
        ("si.toml", "[target]", "energy_max_mev = 9.0\n[target]"),
        ("si.toml", "[target]", "captures_per_fission = 0.5\n[target]"),
        ("si.toml", "[target]", 'high_energy_spectrum = "vogel-engel"\n[target]'),
        ("si.toml", "[target]", 'low_energy_spectrum = "extrapolated"\n[target]'),
        (
            "si.toml",
            "[target]",
            'low_energy_spectrum = "vogel-engel"\nspectrum_file = "spectrum.csv"\n[target]',
        ),
        ("si.toml", ', shells = "tables/shells.csv" },\n]', '},\n]\nelectron_binding = "free"'),
        ("si.toml", "k = 0.146", "k = 0.147"),
        ("si.toml", "noise_ev = 7.0", "noise_ev = 7.1"),
        ("si.toml", "fano_factor = 0.12", "fano_factor = 0.13"),
        ("si.toml", "minimum_ev = 3.7", "minimum_ev = 3.8"),
        ("si.toml", "threshold_ev = 50.0", "threshold_ev = 51.0"),
        ("si.toml", '"total"', '"total"\nsm_expectation = 5'),
        ("isotopes.csv", "29,0.04685", "29,0.04686"),
        ("tables/shells.csv", "99.42", "99.4"),
        ("efficiency.csv", "0.5", "0.6"),
        ("counts.csv", "80,100,1,2.5", "80,95,1,2.5"),
    ],
)
def test_tensor_inputs_show_what_matters(
    folder: Path, edit: Edit, name: str, old: str, new: str
) -> None:
    before = load_experiment(folder / "si.toml").tensor_inputs()
    assert load_experiment(edit(name, old, new)).tensor_inputs() != before


def test_arrays_are_read_only(conus: Experiment) -> None:
    with pytest.raises(ValueError, match="read-only"):
        conus.observation.counts[0] = 0.0


def test_experiment_is_frozen(conus: Experiment) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        conus.name = "other"  # type: ignore[misc]


def test_experiment_survives_pickling(conus: Experiment) -> None:
    assert pickle.loads(pickle.dumps(conus)) == conus


def test_read_table_columns(folder: Path) -> None:
    columns = read_table(folder / "tables/shells.csv", ("binding_ev",), text_columns=("shell",))
    assert columns["shell"] == ["K", "L", "M"]
    assert list(columns["binding_ev"]) == [1839.0, 99.42, 0.0]


def test_published_results_keep_blanks() -> None:
    (row,) = [r for r in published_results() if r.quantity == "expected_events"]
    assert (row.best_fit, row.low, row.cl) == (356.0, None, None)


def test_published_intervals_are_ordered() -> None:
    intervals = [(r.low, r.high) for r in published_results() if None not in (r.low, r.high)]
    assert all(low < high for low, high in intervals)


def test_other_limits_have_an_upper_end() -> None:
    assert all(limit.high is not None for limit in other_limits())


def test_weak_mixing_angles_name_their_source() -> None:
    assert all(angle.source for angle in weak_mixing_angles())


def test_import_is_light() -> None:
    code = (
        "import sys, fastscan.inputs;"
        "print({'scipy', 'numba', 'zarr', 'dask', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
