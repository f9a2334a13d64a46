"""Files appear whole, replace nothing unasked, and nothing but files when asked."""

import os
from pathlib import Path

import pytest
from racing import race

from fastscan import InputError, StoreError
from fastscan.storage.outputs import write_text, written
from fastscan.storage.replacement import check_free


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_text(path, "one")
    with pytest.raises(StoreError, match="exists and is not overwritten"):
        write_text(path, "two")
    assert path.read_text() == "one"
    write_text(path, "two", overwrite=True)
    assert path.read_text() == "two"
    assert names(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("kind", ["folder", "link", "dangling link", "pipe"])
def test_nothing_but_a_file_is_replaced(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "x.csv", tmp_path / "target"
    target.write_text("mine")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if kind == "link" else tmp_path / "nowhere")
    before = os.lstat(path)
    for call in (
        lambda: check_free(path, overwrite=True),
        lambda: write_text(path, "other", overwrite=True),
    ):
        with pytest.raises(StoreError, match="never replaced") as caught:
            call()
        assert str(path) in str(caught.value)
    assert os.path.samestat(os.lstat(path), before)
    assert target.read_text() == "mine"
    assert names(tmp_path) == ["target", "x.csv"]


def test_what_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with written(path) as partial:
        partial.write_text("ours")
        with pytest.raises(StoreError, match="another process is writing this file"):
            write_text(path, "theirs")
    assert path.read_text() == "ours"


def write_own_name(path: Path, folder: Path) -> None:
    (folder / f"{os.getpid()}").touch()
    write_text(path, f"{os.getpid()}\n" * 100_000)


def test_writers_at_the_same_moment(tmp_path: Path) -> None:
    """One of them writes the file, whole; all others are refused."""
    folder = tmp_path / "racers"
    folder.mkdir()
    rounds = [{"path": tmp_path / f"{n}.csv", "folder": folder} for n in range(20)]
    for one, outcome in zip(
        rounds, race(write_own_name, rounds, racers=3, folder=tmp_path), strict=True
    ):
        assert outcome.count("ok") == 1
        assert all(words == "ok" or words.startswith("StoreError: ") for words in outcome)
        assert len(set(one["path"].read_text().splitlines())) == 1
    assert len(names(tmp_path)) == len(rounds) + 1


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    left = [f".x.csv-{'0' * 32}.partial", ".x.csv.lock"]
    others = [f".y.csv-{'0' * 32}.partial", ".x.csv-notes.partial"]
    for name in (*left, *others):
        (tmp_path / name).write_text("half")
    write_text(tmp_path / "x.csv", "whole")
    assert names(tmp_path) == sorted([*others, "x.csv"])


def test_the_lock_of_a_writer_killed_after_its_last_step_is_removed(tmp_path: Path) -> None:
    """The file is whole, so nobody writes it again: who is refused takes the lock away."""
    for name in ("x.csv", ".x.csv.lock", ".y.csv.lock"):
        (tmp_path / name).write_text("whole")
    with pytest.raises(StoreError, match="not overwritten"):
        write_text(tmp_path / "x.csv", "other")
    assert names(tmp_path) == [".y.csv.lock", "x.csv"]


@pytest.mark.parametrize("name", ["none/x.csv", "file/x.csv", "x" * 300])
def test_places_that_can_not_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="output") as caught:
        write_text(tmp_path / name, "text")
    assert caught.value.hint
    assert names(tmp_path) == ["file"]
