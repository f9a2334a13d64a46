"""Values that are most likely in the wrong unit are refused, with what was probably meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import check_sigma_alpha, experiment_names, load_experiment
from fastscan.inputs.quantities import Quantity, leaves

Edit = Callable[[str, str, str], Path]

# Text of si.toml, the slip, its key and the likely meaning.
SLIPS = {
    "per cent": ("sigma_alpha = 0.1", "sigma_alpha = 16.9", "systematics.sigma_alpha", "0.169?"),
    "k": ("k = 0.146", "k = 14.6", "target.quenching.k", "as a fraction, 0.146?"),
    "noise": ("= 7.0", "= 0.0204", "ionisation.electronic_noise_ev", "0.0204 keV would be 20.4 eV"),
    "threshold": ("= 50.0", "= 0.05", "detectors.0.threshold_ev", "0.05 keV would be 50 eV"),
    "mass": ("mass_kg = 0.1", "mass_kg = 940", "detectors.0.mass_kg", "940 g would be 0.94 kg"),
    "hours": ("= 200", "= 2856", "detectors.0.live_time_d", "2856 h would be 119 d"),
    "seconds": ("= 200", "= 10281600", "detectors.0.live_time_d", "s would be 119 d"),
    "centimetres": ("= 12.0", "= 2070", "reactor.distance_m", "2070 cm would be 20.7 m"),
    "kilometres": ("= 12.0", "= 0.012", "reactor.distance_m", "0.012 km would be 12 m"),
    "megawatts": ("= 4.0", "= 4000", "reactor.power.thermal_power_gw", "4000 MW would be 4 GW"),
    "fission energy": ("= 205.0", "= 205e6", "reactor.power.energy_per_fission_mev", "eV would be"),
    "bin width": (
        "[target]",
        "energy_bin_width_mev = 250\n[target]",
        "reactor.energy_bin_width_mev",
        "250 keV would be 0.25 MeV",
    ),
}


@pytest.mark.parametrize(("old", "new", "key", "meaning"), SLIPS.values(), ids=SLIPS)
def test_slip_of_unit(edit: Edit, old: str, new: str, key: str, meaning: str) -> None:
    with pytest.raises(InputError) as caught:
        load_experiment(edit("si.toml", old, new))
    message = str(caught.value)
    assert f"{key} = " in message
    assert meaning in message
    assert "\n" not in message


@pytest.mark.parametrize(("old", "new", "key", "meaning"), SLIPS.values(), ids=SLIPS)
def test_what_is_meant_can_be_insisted_on(
    edit: Edit, old: str, new: str, key: str, meaning: str
) -> None:
    edit("si.toml", "title", f'unusual = ["{key}"]\ntitle')
    assert load_experiment(edit("si.toml", old, new)).unusual == (key,)


TABLE_SLIPS = {
    "efficiency": ("efficiency.csv", "100,1", "100,97", "as a fraction, 0.97 for 97?"),
    "efficiency in keV": ("efficiency.csv", "40,0.5\n100,1", "0.04,0.5\n0.1,1", "0.1 keV would be"),
    "binding": ("tables/shells.csv", "1839\nL,8,99.42", "0.9\nL,8,0.099", "keV would be 900 eV"),
}


@pytest.mark.parametrize(("file", "old", "new", "words"), TABLE_SLIPS.values(), ids=TABLE_SLIPS)
def test_slip_of_unit_in_a_table(edit: Edit, file: str, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("?", r"\?")) as caught:
        load_experiment(edit(file, old, new))
    assert Path(file).name in str(caught.value)


def test_bins_in_kev(edit: Edit) -> None:
    edit("counts.csv", "50,60,10,4\n60,80,-2,3\n80,100,1,2.5", "0.05,0.06,10,4\n0.06,0.1,-2,3")
    edit("si.toml", "title", 'unusual = ["detectors.0.threshold_ev"]\ntitle')
    with pytest.raises(InputError, match=r"observation\.file\.high_ev = 0\.1 .*would be 100 eV"):
        load_experiment(edit("si.toml", "= 50.0", "= 0.05"))


def test_relative_changes_in_per_cent(edit: Edit) -> None:
    (edit("si.toml", "sigma_alpha = 0.1", "").parent / "steps.csv").write_text(
        "low_ev,high_ev,relative_sigma\n50,60,5\n60,80,4\n80,100,-3\n"
    )
    path = edit(
        "si.toml",
        "[systematics]",
        '[[systematics.pulls]]\nname = "trigger"\nkind = "efficiency"\ntable = "steps.csv"\n',
    )
    with pytest.raises(InputError, match=r"systematics.pulls.0.table = 5 .*fraction, 0.05\?"):
        load_experiment(path)
    edit("si.toml", "title", 'unusual = ["systematics.pulls.0.table"]\ntitle')
    load_experiment(path)


def test_covariance_in_per_cent(edit: Edit) -> None:
    path = edit(
        "si.toml",
        "sigma_alpha = 0.1",
        '[[systematics.pulls]]\nname = "flux"\nkind = "flux-shape"\ncovariance = "cov.csv"\n',
    )
    rows = "low_mev,high_mev,6,6.25\n6,6.25,25,10\n6.25,6.5,10,25\n"
    (path.parent / "cov.csv").write_text(rows)
    with pytest.raises(InputError, match=r"pulls.0.covariance = 5 .*as a fraction, 0.05\?"):
        load_experiment(path)


def test_fission_fractions_in_per_cent(edit: Edit) -> None:
    with pytest.raises(InputError, match=r"60 is more than 1 .*as a fraction, 0\.6\?"):
        load_experiment(edit("si.toml", "U235 = 0.6,", "U235 = 60,"))


@pytest.mark.parametrize("key", ["systematics.sigma_alpha", "systematics.sigma"])
def test_insisting_on_what_is_usual_is_refused(edit: Edit, key: str) -> None:
    with pytest.raises(InputError, match=f"unusual lists '{key}'"):
        load_experiment(edit("si.toml", "title", f'unusual = ["{key}"]\ntitle'))


def test_changes_are_checked_too() -> None:
    conus = load_experiment("conus-plus")
    with pytest.raises(InputError, match=r"target\.quenching\.k = 16\.2 is unusual"):
        conus.with_changes({"target.quenching.k": 16.2})


@pytest.mark.parametrize("value", [1e-8, 0.2, 1.0, 100.0, 1e6])
def test_ordinary_and_free_normalisations(value: float) -> None:
    check_sigma_alpha(value, ())


def test_normalisation_in_per_cent() -> None:
    with pytest.raises(InputError, match=r"as a fraction, 0\.169\?"):
        check_sigma_alpha(16.9, ())
    check_sigma_alpha(16.9, ("systematics.sigma_alpha",))


@pytest.mark.parametrize("name", experiment_names())
def test_every_number_of_the_shipped_files_has_a_unit_and_a_range(name: str) -> None:
    for key, field, value in leaves(load_experiment(name)):
        # The number of protons is checked against the isotopes instead.
        if isinstance(value, float) and not key.endswith("atomic_number"):
            (quantity,) = (about for about in field.metadata if isinstance(about, Quantity))
            assert quantity.usual(value), key


def test_the_json_schema_states_unit_and_range() -> None:
    from fastscan.inputs.quenching import Lindhard

    k = Lindhard.model_json_schema()["properties"]["k"]
    assert (k["unit"], k["usual"]) == ("1", [0.03, 0.5])
