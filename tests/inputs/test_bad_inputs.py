"""Every bad input is refused in one line that says what, where and how to put it right."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment, read_table

Edit = Callable[[str, str, str], Path]


def refusal(path: Path | str) -> str:
    with pytest.raises(InputError) as caught:
        load_experiment(path)
    text = str(caught.value)
    assert text.count("\n") == 0
    return text


# Case: text of si.toml, its replacement, what the message must contain.
TOML_CASES = {
    "unknown key": (
        "mass_kg",
        "mass_kgs",
        ["unknown key 'mass_kgs'", "'mass_kg'", "si.toml, detectors[0]"],
    ),
    "unknown table": ("[reactor]", "[reactors]", ["unknown key 'reactors'", "'reactor'"]),
    "missing key": ("threshold_ev = 50.0\n", "", ["missing key 'threshold_ev'", "detectors[0]"]),
    "missing table": ("[systematics]\nsigma_alpha = 0.1\n", "", ["missing key 'systematics'"]),
    "missing power": ("thermal_power_gw = 4.0\n", "", ["'thermal_power_gw'", "reactor.power"]),
    "missing distance": ("distance_m = 12.0\n", "", ["missing key 'distance_m'", "reactor"]),
    "missing energy": ("energy_per_fission_mev = 205.0\n", "", ["'energy_per_fission_mev'"]),
    "missing flux": ('"thermal-power"', '"total-flux"', ["'flux_per_cm2_s'", "total-flux"]),
    "missing fission flux": ('"thermal-power"', '"fission-flux"', ["'flux_per_cm2_s'"]),
    "missing fractions": ("fission_fractions =", "#", ["missing key 'fission_fractions'"]),
    "missing noise": ("electronic_noise_ev = 7.0\n", "", ["'electronic_noise_ev'", "gaussian"]),
    "missing live time": ('"total"', '"per-kg"', ["'reference_live_time_d'", "per-kg"]),
    "text for number": ("= 0.1\nlive", '= "0.1"\nlive', ["'0.1' should be a number", "mass_kg"]),
    "truth for number": ("= 0.1\nlive", "= true\nlive", ["True should be a number", "mass_kg"]),
    "number for text": ('"A"', "5", ["5 should be text", "detectors[0].name"]),
    "number for table": ("{ k = 0.146 }", "3", ["3 should be a table", "target.quenching"]),
    "table for list": ("[[detectors]]", "[detectors]", ["[[...]]", "detectors"]),
    "number for file": ('"counts.csv"', "7", ["7 should be the name of a file"]),
    "unknown choice": ('"gaussian"', '"normal"', ["'normal'", "'gaussian' or 'none'"]),
    "nan": ("distance_m = 12.0", "distance_m = nan", ["nan", "distance_m"]),
    "infinity": ("distance_m = 12.0", "distance_m = inf", ["inf", "distance_m"]),
    "huge integer": ("distance_m = 12.0", f"distance_m = 1{'0' * 400}", ["distance_m"]),
    "negative mass": ("mass_kg = 0.1", "mass_kg = -0.1", ["-0.1 should be greater than 0"]),
    "zero mass": ("mass_kg = 0.1", "mass_kg = 0", ["greater than 0", "mass_kg"]),
    "zero live time": ("live_time_d = 200", "live_time_d = 0", ["greater than 0", "live_time_d"]),
    "zero threshold": ("= 50.0", "= 0.0", ["greater than 0", "threshold_ev"]),
    "zero sigma_alpha": ("sigma_alpha = 0.1", "sigma_alpha = 0", ["greater than 0", "sigma_alpha"]),
    "zero noise": ("noise_ev = 7.0", "noise_ev = 0", ["greater than 0", "electronic_noise_ev"]),
    "zero quenching": ("k = 0.146", "k = 0", ["greater than 0", "target.quenching.k"]),
    "zero maximum": ("distance_m", "energy_max_mev = 0\ndistance_m", ["energy_max_mev"]),
    "tiny bins": ("distance_m", "energy_bin_width_mev = 1e-9\ndistance_m", ["energy bins"]),
    "fractions short": ("U235 = 0.6", "U235 = 0.5", ["add up to 0.9 instead of 1"]),
    "negative fraction": ("U235 = 0.6", "U235 = -0.6", ["fission_fractions.U235"]),
    "unknown isotope": ("U235 = 0.6", "U236 = 0.6", ["'U236'", "'U235'", "fission_fractions"]),
    "zero atoms": ("atomic_number = 14", "atomic_number = 0", ["atomic_number"]),
    "fractional charge": ("= 14,", "= 14.5,", ["14.5 should be a whole number"]),
    "shells of another": (
        "= 14,",
        "= 13,",
        ["electrons adds up to 14 instead of 13", "shells.csv"],
    ),
    "isotopes of another": ("= 14,", "= 54,", ["mass_number", "isotopes.csv, line 3"]),
    "thick skin": ("quenching", "form_factor = { skin_thickness_fm = 9.0 }\nquenching", ["R_0^2"]),
    "bad name": ("title", 'name = "a/b"\ntitle', ["'a/b' should be letters", "name"]),
    "same names": (
        "[observation]",
        '[[detectors]]\nname = "A"\nmass_kg = 1\nlive_time_d = 1\nthreshold_ev = 1\n[observation]',
        ["2 detectors are called 'A'"],
    ),
    "bin below threshold": ("= 50.0", "= 60.0", ["no detector", "50 to 60 eV", "60 eV"]),
    "syntax": ("distance_m = 12.0", "distance_m 12.0", ["not valid TOML", "line 6"]),
    "twice": (
        "distance_m = 12.0",
        "distance_m = 12.0\ndistance_m = 1",
        ["not valid TOML", "line 7"],
    ),
    "unknown base": ("title", 'extends = "conus-pluss"\ntitle', ["'conus-plus'", "extends"]),
    "base of wrong type": ("title", "extends = [1]\ntitle", ["unknown experiment", "extends"]),
    "missing file": ('"counts.csv"', '"count.csv"', ["no such file", "count.csv", "observation"]),
    "folder as file": ('"counts.csv"', '"tables"', ["can not be read", "observation.file"]),
    "no file name": ('"counts.csv"', '""', ["can not be read", "observation.file"]),
    "absolute path": ('"counts.csv"', '"/etc/passwd"', ["inside the folder", "/etc/passwd"]),
    "parent folder": ('"counts.csv"', '"../counts.csv"', ["inside the folder", "observation.file"]),
    "there and back": ('"counts.csv"', '"tables/../counts.csv"', ["inside the folder"]),
    "null byte": ('"counts.csv"', '"a\\u0000b"', ["inside the folder"]),
    "unknown shipped": ('"counts.csv"', '"shipped:ge_isotope.csv"', ["'ge_isotopes.csv'"]),
    "leaving shipped": ('"counts.csv"', '"shipped:../x.csv"', ["unknown shipped file"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), TOML_CASES.values(), ids=TOML_CASES)
def test_bad_toml(edit: Edit, old: str, new: str, fragments: list[str]) -> None:
    message = refusal(edit("si.toml", old, new))
    assert not [fragment for fragment in fragments if fragment not in message], message


# Case: file, text of it, replacement, what the message must contain besides the file's name.
CSV_CASES = {
    "zero sigma": ("counts.csv", "10,4", "10,0", ["sigma is not above 0", "line 2"]),
    "negative sigma": ("counts.csv", "-2,3", "-2,-3", ["sigma is not above 0", "line 3"]),
    "nan": ("counts.csv", "-2,3", "nan,3", ["excess is 'nan'", "line 3", "finite"]),
    "infinity": ("counts.csv", "-2,3", "1e999,3", ["excess is '1e999'", "line 3"]),
    "blank": ("counts.csv", "-2,3", ",3", ["excess is ''", "line 3"]),
    "text": ("counts.csv", "-2,3", "two,3", ["excess is 'two'", "line 3"]),
    "decimal comma": ("counts.csv", "-2,3", "-2,5,3", ["5 values under 4 columns", "line 3"]),
    "empty bin": ("counts.csv", "60,80", "60,60", ["empty bin", "line 3"]),
    "inverted bin": ("counts.csv", "60,80", "60,55", ["empty bin", "line 3"]),
    "gap": ("counts.csv", "60,80", "61,80", ["gap", "line 3"]),
    "overlap": ("counts.csv", "60,80", "59,80", ["overlaps", "line 3"]),
    "decreasing": ("counts.csv", "80,100", "40,50", ["low_ev does not increase", "line 4"]),
    "negative energy": ("counts.csv", "50,60", "-50,60", ["low_ev is negative", "line 2"]),
    "missing column": (
        "counts.csv",
        "sigma",
        "error",
        ["'sigma' is missing", "low_ev, high_ev, excess, error", "line 1"],
    ),
    "wrong unit": ("counts.csv", "low_ev", "low_kev", ["unit of 'low_kev' is wrong", "to ev"]),
    "same column": ("counts.csv", "sigma", "excess", ["'excess' is there twice"]),
    "abundance zero": ("isotopes.csv", "0.03092", "0", ["abundance is not above 0", "line 5"]),
    "abundance in per cent": ("isotopes.csv", "0.92223", "92.223", ["abundance adds up to 92.3"]),
    "mass in MeV": ("isotopes.csv", "27.976926535", "26060", ["atomic_mass_u", "line 3"]),
    "half nucleon": ("isotopes.csv", "28,0", "28.2,0", ["mass_number", "line 3"]),
    "negative binding": ("tables/shells.csv", "M,4,0", "M,4,-1", ["binding_ev is negative"]),
    "no electrons": ("tables/shells.csv", "M,4,0", "M,0,0", ["electrons is not above 0", "line 4"]),
    "electron missing": ("tables/shells.csv", "L,8", "L,7", ["13 instead of 14"]),
    "efficiency above 1": ("efficiency.csv", "100,1", "100,1.1", ["between 0 and 1", "line 3"]),
    "efficiency below 0": ("efficiency.csv", "40,0.5", "40,-0.5", ["between 0 and 1", "line 2"]),
    "efficiency repeats": ("efficiency.csv", "100,1", "40,1", ["energy_ev does not increase"]),
}


@pytest.mark.parametrize(("name", "old", "new", "fragments"), CSV_CASES.values(), ids=CSV_CASES)
def test_bad_csv(edit: Edit, name: str, old: str, new: str, fragments: list[str]) -> None:
    message = refusal(edit(name, old, new))
    assert not [fragment for fragment in [name, *fragments] if fragment not in message], message


SPECTRUM_CASES = {
    "negative energy": ("1,2", "-1,2", ["energy_mev is negative", "line 2"]),
    "repeated": ("2,1.5", "1,1.5", ["energy_mev does not increase", "line 3"]),
    "energies in keV": (
        "1,2\n2,1.5\n8,0",
        "1000,2\n2000,1.5\n8000,0",
        ["begins at 1000 MeV", "in MeV"],
    ),
    "begins late": ("1,2\n2,1.5", "2.5,1.5", ["begins at 2.5 MeV", "Vogel and Engel ends at 2"]),
    "begins beyond": ("1,2\n2,1.5\n8,0", "11,2\n12,0", ["begins at 11 MeV", "energy_max_mev"]),
    "ends early": ("8,0", "8,1", ["ends at 8 MeV with 1", "energy_max_mev = 8"]),
    "decreasing": ("2,1.5", "0.5,1.5", ["energy_mev does not increase", "line 3"]),
    "negative": ("2,1.5", "2,-1.5", ["fission is negative", "line 3"]),
    "nothing": ("1,2\n2,1.5\n", "", ["0 throughout"]),
    "wrong unit": ("energy_mev", "energy_kev", ["unit of 'energy_kev' is wrong"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), SPECTRUM_CASES.values(), ids=SPECTRUM_CASES)
def test_bad_spectrum(edit: Edit, old: str, new: str, fragments: list[str]) -> None:
    edit("spectrum.csv", old, new)
    keys = 'low_energy_spectrum = "vogel-engel"\nspectrum_file = "spectrum.csv"'
    message = refusal(edit("si.toml", "[target]", f"{keys}\n[target]"))
    assert not [f for f in fragments if f not in message], message


@pytest.mark.parametrize("text", ["", "# nothing\n", "low_ev,high_ev,excess,sigma\n"])
def test_empty_table(folder: Path, text: str) -> None:
    (folder / "counts.csv").write_text(text)
    assert "empty table" in refusal(folder / "si.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("100,1", "90,0.9", "ends at 90 eV, before the bins at 100 eV: its last value, 0.9"),
        ("40,0.5", "55,0.5", "begins at 55 eV, above 50 eV where the bins begin: its first value"),
    ],
)
def test_short_efficiency_is_not_extended_silently(
    edit: Edit, caplog: pytest.LogCaptureFixture, old: str, new: str, words: str
) -> None:
    load_experiment(edit("efficiency.csv", old, new))
    (message,) = caplog.messages
    assert f"efficiency of detector 'A' {words}" in message


def test_no_detectors(edit: Edit) -> None:
    path = edit("si.toml", "title", "detectors = []\ntitle")
    text = path.read_text()
    start, end = text.index("[[detectors]]"), text.index("[observation]")
    path.write_text(text[:start] + text[end:])
    assert "[] should be one or more" in refusal(path)


@pytest.mark.parametrize("name", ["si.toml", "counts.csv"])
def test_not_utf8(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(b"# first line\n# R\xf6ntgen\n" + path.read_bytes())
    message = refusal(folder / "si.toml")
    assert "UTF-8" in message
    assert f"{name}, line 2" in message


def test_endless_nesting(folder: Path) -> None:
    (folder / "si.toml").write_text("a = " + "[" * 100_000)
    assert "not valid TOML" in refusal(folder / "si.toml")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
def test_link_out_of_the_folder(edit: Edit, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "counts.csv"
    outside.write_text("low_ev,high_ev,excess,sigma\n50,60,10,4\n")
    path = edit("si.toml", '"counts.csv"', '"link.csv"')
    (path.parent / "link.csv").symlink_to(outside)
    assert "inside the folder" in refusal(path)


def test_toml_is_data_only(edit: Edit) -> None:
    path = edit("si.toml", '"counts.csv"', '"$HOME/{__import__}"')
    assert "$HOME/{__import__}" in refusal(path)


def test_missing_toml(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "absent.toml")


def test_folder_in_place_of_toml(tmp_path: Path) -> None:
    assert "unknown experiment" in refusal(tmp_path)


def test_unknown_experiment_suggests() -> None:
    assert "did you mean 'conus-plus'?" in refusal("conus-pls")


def test_read_table_names_file_and_line(folder: Path) -> None:
    path = folder / "counts.csv"
    path.write_text("a,b\n1,2\n\n# between\n3,x\n")
    with pytest.raises(InputError, match=r"b is 'x' \(.*counts\.csv, line 5\)"):
        read_table(path, ("a", "b"))
