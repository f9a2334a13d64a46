"""A store is named by the sha256 of all that its numbers depend on, and of nothing else."""

import hashlib
import json

import pytest

from fastscan.inputs import load_experiment
from fastscan.inputs.reactor import GivenFlux
from fastscan.tensors import header, store_path
from fastscan.tensors.header import canonical_header, header_name


def name(experiment):
    return header_name(canonical_header(experiment))


def changed(part, **values):
    """conus-plus with other values in one of its parts."""
    experiment = load_experiment("conus-plus")
    new = getattr(experiment, part).model_copy(update=values)
    return experiment.model_copy(update={part: new})


@pytest.fixture(scope="module")
def conus_name():
    return name(load_experiment("conus-plus"))


def test_name_is_the_checksum_of_the_canonical_header():
    content = canonical_header(load_experiment("conus-plus"))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert header_name(content) == hashlib.sha256(text.encode()).hexdigest()


def test_name_does_not_depend_on_the_order_of_keys():
    content = canonical_header(load_experiment("conus-plus"))
    assert header_name(dict(reversed(content.items()))) == header_name(content)


def test_name_survives_json():
    content = canonical_header(load_experiment("conus-plus"))
    assert header_name(json.loads(json.dumps(content))) == header_name(content)


def test_path_is_the_name(tmp_path, conus_name):
    assert store_path(load_experiment("conus-plus"), tmp_path) == tmp_path / f"{conus_name}.zarr"


def test_header_says_what_wrote_it():
    content = canonical_header(load_experiment("conus-plus"))
    assert set(content) == {"kind", "data_version", "quadrature_tolerance", "inputs"}


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("reactor", {"normalisation": "fission-flux"}),
        ("reactor", {"flux": GivenFlux(flux_per_cm2_s=1.6e13)}),
        ("reactor", {"energy_max_mev": 9.75}),
        ("reactor", {"energy_bin_width_mev": 0.5}),
        ("reactor", {"fission_fractions": {"U235": 1.0}}),
        ("reactor", {"high_energy_spectrum": "vogel-engel"}),
        ("reactor", {"low_energy_spectrum": "extrapolated"}),
        ("reactor", {"captures_per_fission": 0.5}),
        ("target", {"electron_binding": "free"}),
        ("ionisation", {"resolution": "none"}),
        ("ionisation", {"electronic_noise_ev": 20.0}),
        ("ionisation", {"fano_factor": 0.11}),
        ("ionisation", {"pair_energy_ev": 2.97}),
        ("ionisation", {"minimum_ev": 3.0}),
        ("observation", {"normalisation": "total"}),
        ("observation", {"reference_live_time_d": 118.0}),
    ],
)
def test_what_changes_the_name(conus_name, part, values):
    assert name(changed(part, **values)) != conus_name


@pytest.mark.parametrize(
    ("key", "neutral", "other"),
    [
        ("ionisation.energy_scale", 1.0, 1.01),
        ("reactor.spectrum_scale.U235", 1.0, 1.02),
        ("reactor.spectrum_scale.Pu241", 1, 0.0),
    ],
)
def test_settings_without_effect_are_left_out(conus_name, key, neutral, other):
    experiment = load_experiment("conus-plus")
    assert name(experiment.with_changes({key: neutral})) == conus_name
    assert name(experiment.with_changes({key: other})) != conus_name


@pytest.mark.parametrize("key", ["thermal_power_gw", "distance_m", "energy_per_fission_mev"])
def test_thermal_power_changes_the_name_where_it_is_used(key):
    power = load_experiment("conus-plus").with_changes({"reactor.normalisation": "thermal-power"})
    changes = {f"reactor.{key}": 1.01 * power.number(f"reactor.{key}")}
    assert name(power.with_changes(changes)) != name(power)


@pytest.mark.parametrize("key", ["mass_kg", "live_time_d", "threshold_ev", "electronic_noise_ev"])
def test_every_detector_changes_the_name(conus_name, key):
    experiment = load_experiment("conus-plus")
    names = {conus_name}
    for i in range(3):
        detectors = list(experiment.detectors)
        detectors[i] = detectors[i].model_copy(update={key: 99.0})
        names.add(name(experiment.model_copy(update={"detectors": tuple(detectors)})))
    assert len(names) == 4


@pytest.mark.parametrize(
    ("part", "values"),
    [("quenching", {"k": 0.163})]
    + [("form_factor", {key: 0.8}) for key in ("skin_thickness_fm", "surface_thickness_fm")],
)
def test_parts_of_the_target_change_the_name(conus_name, part, values):
    target = load_experiment("conus-plus").target
    new = getattr(target, part).model_copy(update=values)
    assert name(changed("target", **{part: new})) != conus_name


@pytest.mark.parametrize("key", ["atomic_number", "atoms_per_formula_unit"])
def test_elements_change_the_name(conus_name, key):
    (element,) = load_experiment("conus-plus").target.elements
    # Twice: a multiple of the only element would be the same target.
    other = element.model_copy(update={key: 33})
    assert name(changed("target", elements=(element, other))) != conus_name


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("isotopes.csv", "0.92223", "0.92222"),
        ("tables/shells.csv", "99.42", "99.43"),
        ("efficiency.csv", "40,0.5", "40,0.6"),
        ("counts.csv", "50,60", "51,60"),
        ("counts.csv", "80,100,1,2.5\n", ""),
        ("si.toml", 'normalisation = "total"', 'normalisation = "total"\nsm_expectation = 3.0'),
    ],
)
def test_files_change_the_name(folder, edit, file, old, new):
    before = name(load_experiment(folder / "si.toml"))
    edit(file, old, new)
    assert name(load_experiment(folder / "si.toml")) != before


def test_spectrum_file_changes_the_name(folder, edit):
    keys = 'low_energy_spectrum = "vogel-engel"\nspectrum_file = "spectrum.csv"'
    path = edit("si.toml", "[reactor]", f"[reactor]\n{keys}")
    before = name(load_experiment(path))
    edit("spectrum.csv", "2,1.5", "2,1.6")
    assert name(load_experiment(path)) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("counts.csv", "50,60,10,4", "50,60,11,4"),
        ("counts.csv", "50,60,10,4", "50,60,10,5"),
        ("si.toml", "sigma_alpha = 0.1", "sigma_alpha = 0.2"),
        ("si.toml", "Silicon somewhere", "Silicon elsewhere"),
        ("si.toml", 'name = "A"', 'name = "B"'),
        ("si.toml", "k = 0.146", "k = 0.14600"),
    ],
)
def test_files_that_do_not_change_the_name(folder, edit, file, old, new):
    before = name(load_experiment(folder / "si.toml"))
    edit(file, old, new)
    assert name(load_experiment(folder / "si.toml")) == before


def test_the_name_of_the_experiment_does_not_change_the_name(folder):
    before = name(load_experiment(folder / "si.toml"))
    other = (folder / "si.toml").rename(folder / "other.toml")
    assert name(load_experiment(other)) == before


@pytest.mark.parametrize("constant", ["DATA_VERSION", "QUADRATURE_TOLERANCE"])
def test_versions_change_the_name(monkeypatch, conus_name, constant):
    monkeypatch.setattr(header, constant, 2)
    assert name(load_experiment("conus-plus")) != conus_name


def test_shipped_experiments_have_three_names():
    names = {name(load_experiment(n)) for n in ("conus-plus", "conus-plus-a25", "conus-plus-c25")}
    assert len(names) == 3
