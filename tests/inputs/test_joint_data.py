"""The same data twice in a joint fit are refused; parts of one file are not."""

from pathlib import Path

import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import check_distinct, load_experiment, load_experiments


def joint(folder: Path, *parts: str) -> Path:
    names = []
    for i, text in enumerate(parts):
        names.append(f"part{i}.toml")
        (folder / names[-1]).write_text(f'extends = "conus-plus"\n{text}')
    path = folder / "joint.toml"
    path.write_text(f"experiments = {names}\n".replace("'", '"'))
    return path


def test_the_same_file_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'part0' and 'part1' hold the same data") as caught:
        load_experiments(joint(tmp_path, "", "[systematics]\nsigma_alpha = 0.1"))
    assert "joint.toml, experiments" in str(caught.value)


def test_shipped_experiments_of_the_same_data(tmp_path: Path) -> None:
    path = tmp_path / "joint.toml"
    path.write_text('experiments = ["conus-plus", "conus-plus-budget"]\n')
    with pytest.raises(InputError, match="hold the same data"):
        load_experiments(path)


def test_bins_in_common(tmp_path: Path) -> None:
    low, high = "[observation]\nstop_ev = 260.0", "[observation]\nstart_ev = 250.0"
    with pytest.raises(InputError, match="hold the same data"):
        load_experiments(joint(tmp_path, low, high))


def test_a_file_cut_in_two(tmp_path: Path) -> None:
    low, high = "[observation]\nstop_ev = 250.0", "[observation]\nstart_ev = 250.0"
    _, parts = load_experiments(joint(tmp_path, low, high))
    assert [part.observation.counts.size for part in parts] == [9, 10]


def test_the_same_counts_in_another_file(tmp_path: Path) -> None:
    content = load_experiment("conus-plus").observation.file.content
    (tmp_path / "copy.csv").write_bytes(b"# a copy\n" + content)
    with pytest.raises(InputError, match="hold the same data"):
        load_experiments(joint(tmp_path, "", '[observation]\nfile = "copy.csv"'))


def test_different_data_are_distinct() -> None:
    check_distinct([load_experiment("conus-plus"), load_experiment("conus-plus-a25")])
