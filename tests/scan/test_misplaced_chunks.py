"""A chunk belongs to its content, its array, its place and its run; `Contents.survey` tells."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import xarray
import zarr
from scan_helpers import contents, refusal

from fastscan import Axis, ScanResult, StoreError, run_scan
from fastscan.scan.construction import ConstructionResult, run_construction
from fastscan.scan.construction_store import CONSTRUCTION
from fastscan.scan.store import scan_layout
from fastscan.storage.contents import Contents

ARRAYS = ("chi2", "block_chi2_min", "block_best_index", "block_alpha_hat", "block_seal")
AXES = [Axis("mass_mev", 0.1, 10.0, 12, "log"), Axis("g", 1e-6, 1e-4, 40, "log")]


@pytest.fixture(scope="module")
def whole(vector, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "x.zarr"
    run_scan(vector, AXES, out=out, block_points=80)
    return out


@pytest.fixture(scope="module")
def other(vector, tmp_path_factory):
    """Another run over the same grid: all it differs in is a parameter."""
    out = tmp_path_factory.mktemp("other") / "x.zarr"
    run_scan(vector, AXES, {"sin2_theta_w": 0.25}, out=out, block_points=80)
    return out


@pytest.fixture
def store(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "x.zarr")


def chunk(store, name, block):
    return store.joinpath(name, "c", str(block), "0", *(["0"] if name == "block_seal" else []))


def survey(store):
    return Contents.open(store, scan_layout()).survey()


def read_everything(store):
    result = ScanResult.open(store)
    return result.values, result.best_fit, result.coordinates


def check_noticed(store, vector, whole, *foreign):
    """Refused by readers, counted, and made again."""
    message = refusal(StoreError, read_everything, store)
    assert "resume" in message
    found = survey(store)
    assert (found.missing, found.damaged) == ([], [])
    assert set(foreign) <= set(found.foreign)
    assert found.done < found.blocks == 6
    run_scan(vector, AXES, out=store, resume=True)
    assert contents(store) == contents(whole)


def test_a_sound_store(whole):
    found = survey(whole)
    assert found.sound
    assert found.to_dict() == {
        "blocks": 6,
        "done": 6,
        "missing": 0,
        "damaged": 0,
        "foreign": 0,
        "strays": 0,
    }


@pytest.mark.parametrize("name", ARRAYS)
def test_a_chunk_copied_to_another_place(vector, whole, store, name):
    shutil.copy(chunk(store, name, 1), chunk(store, name, 4))
    sealed = "chi2" if name == "block_seal" else name
    check_noticed(store, vector, whole, f"{sealed}/c/4/0")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_chunk_of_another_run(vector, whole, other, store, name):
    shutil.copy(chunk(other, name, 2), chunk(store, name, 2))
    sealed = "chi2" if name == "block_seal" else name
    check_noticed(store, vector, whole, f"{sealed}/c/2/0")


def test_a_whole_block_of_another_run(vector, whole, other, store):
    """With its own seals and status, so that all that is wrong is the run."""
    for name in (*ARRAYS, "block_status"):
        shutil.copy(chunk(other, name, 2), chunk(store, name, 2))
    check_noticed(store, vector, whole, "chi2/c/2/0")


def test_a_whole_block_in_another_place(vector, whole, store):
    for name in (*ARRAYS, "block_status"):
        shutil.copy(chunk(store, name, 0), chunk(store, name, 5))
    check_noticed(store, vector, whole, "chi2/c/5/0")


def test_an_array_swapped_with_its_neighbour(vector, whole, store):
    (store / "block_alpha_hat" / "c").rename(store / "kept")
    (store / "block_chi2_min" / "c").rename(store / "block_alpha_hat" / "c")
    (store / "kept").rename(store / "block_chi2_min" / "c")
    check_noticed(store, vector, whole, "block_alpha_hat/c/0/0", "block_chi2_min/c/5/0")


def test_an_axis_in_place_of_another(vector, whole, tmp_path):
    """Of the same length, whole, and finite."""
    axes = [Axis("mass_mev", 0.1, 10.0, 12, "log"), Axis("g", 1e-6, 1e-4, 12, "log")]
    store = tmp_path / "x.zarr"
    run_scan(vector, axes, out=store)
    good = contents(store)
    shutil.copy(store / "g" / "c" / "0", store / "mass_mev" / "c" / "0")
    assert "mass_mev" in refusal(StoreError, read_everything, store)
    assert survey(store).damaged == ["mass_mev/c/0"]
    run_scan(vector, axes, out=store, resume=True)
    assert contents(store) == good


def test_a_document_of_an_array(vector, whole, store):
    """Readers go by the sealed copy in the root; other programs may not, so it is mended."""
    (store / "chi2" / "zarr.json").write_text("{}")
    (store / "block_seal" / "zarr.json").unlink()
    found = survey(store)
    assert (found.damaged, found.missing) == (["chi2/zarr.json"], ["block_seal/zarr.json"])
    run_scan(vector, AXES, out=store, resume=True)
    assert contents(store) == contents(whole)


def test_metadata_of_an_older_zarr_beside_it(store):
    """Not a word of zarr's own about it (which would be an error here), and it is counted."""
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    assert survey(store).strays == [".zgroup"]


def test_each_kind_of_fault_is_counted(store):
    chunk(store, "chi2", 0).unlink()
    chunk(store, "block_seal", 1).unlink()
    with chunk(store, "block_chi2_min", 2).open("ab") as file:
        file.write(b"x")
    shutil.copy(chunk(store, "chi2", 0 + 4), chunk(store, "chi2", 3))
    (store / "notes.txt").write_text("mine")
    (store / "chi2" / "c" / "9").mkdir()
    shutil.copy(chunk(store, "chi2", 4), store / "chi2" / "c" / "9" / "0")
    found = survey(store)
    assert found.missing == ["chi2/c/0/0", "block_seal/c/1/0/0"]
    assert found.damaged == ["block_chi2_min/c/2/0"]
    assert found.foreign == ["chi2/c/3/0"]
    assert found.strays == ["chi2/c/9/0", "notes.txt"]
    assert found.done == 2
    assert not found.sound


def test_a_store_that_is_not_finished(vector, store):
    """Blocks that nobody made are none that are missing."""
    for name in (*ARRAYS, "block_status"):
        chunk(store, name, 3).unlink()
    chunk(store, "block_status", 5).unlink()
    found = survey(store)
    assert found.sound
    assert (found.done, found.blocks) == (4, 6)
    seen = []
    run_scan(vector, AXES, out=store, resume=True, progress=lambda *count: seen.append(count))
    assert seen == [(4, 6), (5, 6), (6, 6)]


def test_equal_runs_are_interchangeable(vector, whole, store, tmp_path):
    """The identity of a run is all that its numbers depend on: no time, no machine."""
    again = tmp_path / "again.zarr"
    run_scan(vector, AXES, out=again, block_points=80, workers=1)
    shutil.copy(chunk(again, "chi2", 1), chunk(store, "chi2", 1))
    assert survey(store).sound


def test_zarr_and_xarray_read_a_store_and_notice_damage(whole, store):
    chi2 = ScanResult.open(whole).chi2
    np.testing.assert_array_equal(zarr.open_array(whole / "chi2", mode="r")[...], chi2)
    with xarray.open_zarr(whole) as dataset:
        np.testing.assert_array_equal(dataset["chi2"].values, chi2)
    content = bytearray(chunk(store, "chi2", 2).read_bytes())
    content[3] ^= 1
    chunk(store, "chi2", 2).write_bytes(content)
    with xarray.open_zarr(store) as dataset, pytest.raises(Exception, match="checksum"):
        dataset["chi2"].load()


# --- constructions --------------------------------------------------------------------------------


PLANE = [Axis("mass_mev", 0.5, 5.0, 3, "log"), Axis("g", 1e-6, 1e-4, 3, "log")]


@pytest.fixture(scope="module")
def construction(vector, tmp_path_factory):
    out = tmp_path_factory.mktemp("construction") / "x.zarr"
    run_construction(vector, PLANE, out=out, toys=10, precision=0.9, workers=1)
    return out


@pytest.mark.parametrize("name", ["statistic", "critical_value", "critical_error", "toys"])
def test_a_row_of_a_construction_in_another_place(vector, construction, tmp_path, name):
    store = shutil.copytree(construction, tmp_path / "x.zarr")
    rows = zarr.open_array(store / name, mode="r")[...]
    shutil.copy(chunk(store, name, 0), chunk(store, name, 2))
    found = Contents.open(store, CONSTRUCTION).survey()
    # Rows with as many toys each are the same to the last bit.
    assert found.foreign == ([] if (rows[0] == rows[2]).all() else [f"{name}/c/2/0"])
    if found.foreign:
        refusal(StoreError, getattr, ConstructionResult.open(store), name)
    run_construction(vector, PLANE, out=store, toys=10, precision=0.9, workers=1, resume=True)
    assert contents(store) == contents(construction)


# --- stores of format version 1 -------------------------------------------------------------------


@pytest.fixture
def first_version(store):
    """As fastscan wrote it before chunks were sealed."""
    shutil.rmtree(store / "block_seal")
    path = store / "zarr.json"
    root = json.loads(path.read_text())
    del root["consolidated_metadata"]["metadata"]["block_seal"]
    attributes = root["attributes"]
    attributes["format_version"] = 1
    del attributes["coordinates_sha256"], attributes["metadata_sha256"]
    digest = hashlib.sha256(json.dumps(root, sort_keys=True).encode()).hexdigest()
    attributes["metadata_sha256"] = digest
    path.write_text(json.dumps(root))
    return store


def test_the_first_version_is_read(whole, first_version):
    for old, new in zip(read_everything(first_version), read_everything(whole), strict=True):
        np.testing.assert_equal(old, new)
    found = survey(first_version)
    assert found.sound
    assert found.to_dict()["foreign"] is None


def test_the_first_version_is_finished_as_it_began(vector, first_version):
    before = contents(first_version)
    chunk(first_version, "block_status", 1).unlink()
    chunk(first_version, "chi2", 4).write_bytes(b"damaged")
    assert survey(first_version).damaged == ["chi2/c/4/0"]
    run_scan(vector, AXES, out=first_version, resume=True)
    assert contents(first_version) == before


@pytest.mark.parametrize("version", [0, 3, None, "2"])
def test_other_versions_are_refused(vector, store, version):
    path = store / "zarr.json"
    root = json.loads(path.read_text())
    root["attributes"]["format_version"] = version
    path.write_text(json.dumps(root))
    for call in (
        lambda: ScanResult.open(store),
        lambda: run_scan(vector, AXES, out=store, resume=True),
    ):
        message = refusal(StoreError, call)
        assert f"format version {version}" in message
        assert "reads 1 to 2" in message
