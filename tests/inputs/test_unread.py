"""Settings of one's own that change no count are refused, and the key that wins is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import experiment_names, load_experiment
from fastscan.inputs.shipped import data_directory

Edit = Callable[[str, str, str], Path]


def extending(folder: Path, text: str, base: str = "conus-plus") -> Path:
    path = folder / "mine.toml"
    path.write_text(f'extends = "{base}"\n{text}')
    return path


# Base, text, key without effect, key that wins.
CASES = {
    "power": (
        "conus-plus",
        "[reactor.power]\nthermal_power_gw = 36.0",
        "reactor.power.thermal_power_gw",
        "flux_per_cm2_s",
    ),
    "power, in short": (
        "conus-plus",
        "[reactor]\nthermal_power_gw = 36.0",
        "reactor.power.thermal_power_gw",
        "flux_per_cm2_s",
    ),
    "flux": (
        "conus-plus",
        '[reactor]\nnormalisation = "thermal-power"\nflux_per_cm2_s = 2e13',
        "reactor.flux.flux_per_cm2_s",
        "reactor.power and reactor.distance_m",
    ),
    "noise": (
        "conus-plus-c25",
        "[ionisation]\nelectronic_noise_ev = 30.0",
        "ionisation.electronic_noise_ev",
        "ionisation.resolution",
    ),
    "live time": (
        "conus-plus-a25",
        "[observation]\nreference_live_time_d = 100.0",
        "observation.reference_live_time_d",
        "observation.normalisation",
    ),
    "flux of scaled counts": (
        "conus-plus-a25",
        "[reactor.flux]\nflux_per_cm2_s = 3e13",
        "reactor.flux.flux_per_cm2_s",
        "observation.sm_expectation",
    ),
}


@pytest.mark.parametrize(("base", "text", "key", "wins"), CASES.values(), ids=CASES)
def test_without_effect(tmp_path: Path, base: str, text: str, key: str, wins: str) -> None:
    with pytest.raises(InputError) as caught:
        load_experiment(extending(tmp_path, text, base))
    message = str(caught.value)
    assert message.startswith(key)
    assert "changes no count" in message
    assert wins in message
    assert "\n" not in message


def test_what_is_said_again_is_let_pass(tmp_path: Path) -> None:
    load_experiment(extending(tmp_path, "[reactor]\ndistance_m = 20.7"))


@pytest.mark.parametrize("name", ["conus-plus", "conus-plus-a25"])
def test_a_copy_of_a_shipped_file_is_let_pass(tmp_path: Path, name: str) -> None:
    text = (data_directory() / "experiments" / f"{name}.toml").read_text()
    (tmp_path / "copy.toml").write_text(text)
    copy = load_experiment(tmp_path / "copy.toml")
    assert copy.tensor_inputs() == load_experiment(name).tensor_inputs()


def test_a_change_of_a_copy_is_seen(tmp_path: Path) -> None:
    text = (data_directory() / "experiments" / "conus-plus.toml").read_text()
    (tmp_path / "copy.toml").write_text(text.replace("power_gw = 3.6", "power_gw = 36.0"))
    with pytest.raises(InputError, match=r"thermal_power_gw = 36 changes no count"):
        load_experiment(tmp_path / "copy.toml")


def test_a_distance_beside_a_flux_is_for_oscillations(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    near = load_experiment(extending(tmp_path, "[reactor]\ndistance_m = 5.0"))
    assert near.reactor.distance_m == 5.0
    assert near.tensor_inputs() == load_experiment("conus-plus").tensor_inputs()
    (record,) = caplog.records
    assert "distance_m = 5 leaves the flux as it is given" in record.message


def test_the_other_normalisation_reads_them(tmp_path: Path) -> None:
    text = '[reactor]\nnormalisation = "thermal-power"\ndistance_m = 10.35'
    near = load_experiment(extending(tmp_path, text)).reactor
    assert (near.distance_m, near.thermal_power_gw) == (10.35, 3.6)


def test_short_and_full_form_are_the_same(tmp_path: Path) -> None:
    short = load_experiment(extending(tmp_path, "[reactor]\nflux_per_cm2_s = 2e13"))
    full = load_experiment(extending(tmp_path, "[reactor.flux]\nflux_per_cm2_s = 2e13"))
    assert short == full
    assert short.number("reactor.flux_per_cm2_s") == 2e13


def test_short_and_full_form_at_once_are_refused(tmp_path: Path) -> None:
    text = "[reactor]\nflux_per_cm2_s = 2e13\nflux = { flux_per_cm2_s = 3e13 }"
    with pytest.raises(InputError, match="flux_per_cm2_s is given twice"):
        load_experiment(extending(tmp_path, text))


def test_shells_of_free_electrons(edit: Edit) -> None:
    path = edit("si.toml", "quenching = ", 'electron_binding = "free"\nquenching = ')
    with pytest.raises(InputError, match=r"elements\.0\.shells changes no count.*binding = 'free'"):
        load_experiment(path)


def test_bound_electrons_need_shells(edit: Edit) -> None:
    with pytest.raises(InputError, match="missing key 'shells' of Si"):
        load_experiment(edit("si.toml", ', shells = "tables/shells.csv"', ""))


def test_noise_that_every_detector_has_of_its_own(edit: Edit) -> None:
    path = edit("si.toml", 'name = "A"', 'name = "A"\nelectronic_noise_ev = 8.0')
    with pytest.raises(InputError, match="every detector has its own"):
        load_experiment(path)
    load_experiment(edit("si.toml", "electronic_noise_ev = 7.0\n", ""))


def test_mass_of_the_only_detector_of_counts_per_kg(edit: Edit) -> None:
    path = edit("si.toml", '"total"', '"per-kg"\nreference_live_time_d = 100.0')
    alone = load_experiment(path)  # the file can not do without it
    with pytest.raises(InputError, match=r"detectors\.0\.mass_kg = 0\.2 changes no count"):
        alone.with_changes({"detectors.0.mass_kg": 0.2})


VARIANTS: list[dict[str, object]] = [
    {},
    {"reactor.normalisation": "fission-flux"},
    {"reactor.normalisation": "thermal-power"},
    {"ionisation.resolution": "none", "observation.normalisation": "total"},
    {f"detectors.{i}.electronic_noise_ev": 19.0 for i in range(3)},
    {"target.electron_binding": "free", "observation.sm_expectation": 300.0},
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_number_is_refused_exactly_where_the_tensors_do_not_depend_on_it(
    variant: dict[str, object],
) -> None:
    from fastscan.inputs.quantities import leaves

    experiment = load_experiment("conus-plus").with_changes(variant)
    inputs = experiment.tensor_inputs()
    for key, _, value in list(leaves(experiment)):
        if not isinstance(value, float) or key.startswith("systematics"):
            continue
        if key == "reactor.distance_m":
            continue  # models read it that the tensors know nothing of
        moved = experiment._changed({key: 1.001 * value}).tensor_inputs()
        unread = [k for k in experiment.unread() if f"{key}.".startswith(f"{k}.")]
        assert bool(unread) == (moved == inputs), key


@pytest.mark.parametrize("name", experiment_names())
def test_unread_keys_exist(name: str) -> None:
    experiment = load_experiment(name)
    for key in (*experiment.unread(), *experiment.scaled_away()):
        value: object = experiment
        for part in key.split("."):
            value = value[int(part)] if isinstance(value, tuple) else getattr(value, part)


def test_quenching_of_another_element_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        '[target]\nelements = [{ symbol = "Si", atomic_number = 14, '
        'isotopes = "shipped:si_isotopes.csv", shells = "shipped:si_shells.csv" }]\n'
    )
    load_experiment(extending(tmp_path, text))
    (message,) = caplog.messages
    assert "target.quenching.k = 0.162 is that of Ge, and Si recoils" in message
    caplog.clear()
    load_experiment(extending(tmp_path, text + "quenching = { k = 0.146 }\n"))
    assert not caplog.messages


def test_isotopes_of_another_element_are_refused(tmp_path: Path) -> None:
    text = (
        '[target]\nelements = [{ symbol = "Si", atomic_number = 14, '
        'isotopes = "shipped:ge_isotopes.csv", shells = "shipped:si_shells.csv" }]\n'
    )
    with pytest.raises(InputError, match="more than three times 14 protons"):
        load_experiment(extending(tmp_path, text))


# --- the low-energy part of a table -----------------------------------------------------------


def with_table(edit: Edit, more: str, rows: str = "1.8,1\n3,0.5\n8,0") -> Path:
    edit("spectrum.csv", "1,2\n2,1.5\n8,0", rows)
    return edit("si.toml", "[target]", f'spectrum_file = "spectrum.csv"\n{more}\n[target]')


def test_table_that_begins_late_needs_a_low_energy_part(edit: Edit) -> None:
    with pytest.raises(InputError, match=r"begins at 1\.8 MeV, and nothing says what is below"):
        load_experiment(with_table(edit, ""))


def test_low_energy_part_is_said(edit: Edit, caplog: pytest.LogCaptureFixture) -> None:
    load_experiment(with_table(edit, 'low_energy_spectrum = "vogel-engel"'))
    (message,) = caplog.messages
    assert "spectrum.csv begins at 1.8 MeV; below it stands the table of Vogel" in message


def test_nothing_below_is_said(edit: Edit, caplog: pytest.LogCaptureFixture) -> None:
    edit("si.toml", "fission_fractions", "# fission_fractions")
    load_experiment(with_table(edit, 'low_energy_spectrum = "none"'))
    (message,) = caplog.messages
    assert "no antineutrinos of fissions below" in message


def test_tables_can_not_be_extrapolated(edit: Edit) -> None:
    with pytest.raises(InputError, match="only polynomials can be extrapolated"):
        load_experiment(with_table(edit, 'low_energy_spectrum = "extrapolated"'))


def test_polynomials_are_not_cut(edit: Edit) -> None:
    with pytest.raises(InputError, match="'none' is for a spectrum_file"):
        load_experiment(edit("si.toml", "[target]", 'low_energy_spectrum = "none"\n[target]'))


@pytest.mark.parametrize("rows", ["0,0\n1,2\n8,0", "0.001,0.01\n1,2\n8,0"])
def test_table_from_zero_needs_nothing(
    edit: Edit, caplog: pytest.LogCaptureFixture, rows: str
) -> None:
    edit("si.toml", "fission_fractions", "# fission_fractions")
    load_experiment(with_table(edit, "", rows))
    assert not caplog.messages


def test_polynomials_beside_a_table_are_refused(edit: Edit) -> None:
    more = 'low_energy_spectrum = "vogel-engel"\nhigh_energy_spectrum = "vogel-engel"'
    path = with_table(edit, more)
    with pytest.raises(InputError, match=r"high_energy_spectrum changes no count.*spectrum_file"):
        load_experiment(path)
