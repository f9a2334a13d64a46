"""A store is replaced if fastscan made all of it and nobody is at it; anything else stays."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from fastscan import StoreError
from fastscan.storage.creation import create_store
from fastscan.storage.layout import Coordinate, Layout, Values
from fastscan.storage.locks import hold
from fastscan.storage.plan import Plan
from fastscan.storage.replacement import remove_store
from fastscan.storage.writer import BlockWriter

HEIGHTS = Layout(
    kind="heights",
    noun="map",
    made_by="surveyors",
    format_version=2,
    points={"height": Values("float64", np.nan, "height")},
    blocks={"highest": Values("float64", np.nan, "highest of the block")},
)
PLAN = Plan((4, 6), (2, 6))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of which one block of two is done."""
    path = tmp_path / "x.zarr"
    coordinates = [
        Coordinate("north", np.arange(4.0), "m", "to the north"),
        Coordinate("east", np.arange(6.0), "m", "to the east"),
    ]
    create_store(path, HEIGHTS, {"who": "a surveyor"}, coordinates, PLAN)
    writer = BlockWriter.open(path, HEIGHTS, PLAN)
    writer.write((0, 0), {"height": np.ones((2, 6)), "highest": 1.0})
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_kept(folder: Path, path: Path, *words: str) -> None:
    before = files(folder)
    with pytest.raises(StoreError) as caught:
        remove_store(path, HEIGHTS)
    for word in (*words, str(path)):
        assert word in str(caught.value)
    assert caught.value.hint
    assert files(folder) == before


def test_an_unfinished_store_is_removed_whole(store: Path, tmp_path: Path) -> None:
    remove_store(store, HEIGHTS)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_lost_chunks_is_removed(store: Path, tmp_path: Path) -> None:
    (store / "height" / "c" / "0" / "0").write_bytes(b"damaged")
    (store / "north" / "c" / "0").unlink()
    (store / "height" / "c" / "0" / f"0.{'0' * 32}.partial").write_bytes(b"half")
    remove_store(store, HEIGHTS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["notes.txt", "height/notes.txt", "height/c/7/0", "height/c/0/0/0", "mine/zarr.json"]
)
def test_a_store_with_something_else_in_it_is_kept(store: Path, tmp_path: Path, name: str) -> None:
    if name == "height/c/0/0/0":
        (store / "height/c/0/0").unlink()
    (store / name).parent.mkdir(parents=True, exist_ok=True)
    (store / name).write_text("years of work")
    check_kept(tmp_path, store, name)


def test_a_store_that_is_in_use_is_kept(store: Path, tmp_path: Path) -> None:
    with hold(store, "map"):
        check_kept(tmp_path, store, "another process is writing this map")


def test_a_store_of_another_kind_is_kept(store: Path, tmp_path: Path) -> None:
    root: dict[str, Any] = json.loads((store / "zarr.json").read_text())
    root["attributes"]["kind"] = "depths"
    (store / "zarr.json").write_text(json.dumps(root))
    check_kept(tmp_path, store, "not a map of fastscan")


def test_a_store_with_changed_metadata_is_kept(store: Path, tmp_path: Path) -> None:
    root: dict[str, Any] = json.loads((store / "zarr.json").read_text())
    root["attributes"]["header"]["who"] = "somebody else"
    (store / "zarr.json").write_text(json.dumps(root))
    check_kept(tmp_path, store, "metadata were changed")


def test_what_fastscan_never_made_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "folder.zarr"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    group = tmp_path / "group.zarr"
    zarr.open_group(group, mode="w").create_array("a", data=np.ones(3))
    file = tmp_path / "file.zarr"
    file.write_text("years of work")
    for path in (folder, group, file):
        check_kept(tmp_path, path)


def test_a_link_to_a_store_is_kept(store: Path, tmp_path: Path) -> None:
    elsewhere = shutil.move(store, tmp_path / "elsewhere.zarr")
    store.symlink_to(elsewhere)
    check_kept(tmp_path, store, "link")
    assert store.is_symlink()
