"""The shipped data files are the ones in the manifest."""

import shutil
from pathlib import Path

import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import data_directory, load_experiment, manifest, shipped


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the data folder that is used in its place."""
    folder = tmp_path / "data"
    shutil.copytree(data_directory(), folder)
    monkeypatch.setattr(shipped, "data_directory", lambda: folder)
    monkeypatch.setattr(manifest, "data_directory", lambda: folder)
    return folder


def test_data_files_agree_with_manifest() -> None:
    assert manifest.differences() == []


def test_every_entry_states_its_units() -> None:
    assert all(entry.units for entry in shipped.read_manifest().values())


def test_changed_file_is_noticed(copy: Path) -> None:
    (copy / "ge_shells.csv").write_text("shell,electrons,binding_ev\nall,32,0\n")
    assert manifest.differences() == ["ge_shells.csv: content differs from the listed sha256"]


def test_changed_file_is_refused(copy: Path) -> None:
    (copy / "ge_shells.csv").write_text("shell,electrons,binding_ev\nall,32,0\n")
    with pytest.raises(InputError, match=r"sha256 differs.*ge_shells"):
        load_experiment("conus-plus")


def test_changed_experiment_is_refused(copy: Path) -> None:
    path = copy / "experiments" / "conus-plus.toml"
    path.write_text(path.read_text().replace("0.162", "0.2"))
    with pytest.raises(InputError, match="sha256 differs"):
        load_experiment("conus-plus-c25")


def test_missing_file_is_refused(copy: Path) -> None:
    (copy / "huber_mueller.csv").unlink()
    with pytest.raises(InputError, match=r"missing \(.*huber_mueller\.csv\)"):
        load_experiment("conus-plus")


@pytest.mark.parametrize("text", ["{", "[]", '{"ge_isotopes.csv": 1}'])
def test_damaged_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(InputError, match="list of shipped data files"):
        load_experiment("conus-plus")


def test_write_adds_a_file_that_still_lacks_its_texts(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "kr_isotopes.csv").write_text("mass_number\n40\n")
    assert manifest.main(["--write"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "kr_isotopes.csv: says no description",
        "kr_isotopes.csv: says no source",
    ]


def test_write_accepts_changes(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copy / "ge_shells.csv").open("a") as file:
        file.write("# checked\n")
    assert manifest.main(["--write"]) == 0
    assert "agree" in capsys.readouterr().out
