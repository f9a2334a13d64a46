"""Stores are immutable and complete or not there; damage is an error, never other numbers."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys

import numpy as np
import pytest
import zarr

from fastscan.exceptions import InputError, RunError, StoreError
from fastscan.inputs import load_experiment
from fastscan.tensors import (
    ChannelResponse,
    load_response,
    read_store,
    store,
    store_path,
    tables_directory,
    write_store,
)

TOP = ("energy_bin_edges_mev", "edges_ev", "bin_flux_per_cm2_s")


@pytest.fixture(scope="module")
def experiment():
    return load_experiment("conus-plus-a25")


@pytest.fixture(scope="module")
def pristine(experiment, tmp_path_factory):
    """A good store that no test changes, and its tensors."""
    folder = tmp_path_factory.mktemp("pristine")
    response = load_response(experiment, folder)
    return folder, response


@pytest.fixture
def stocked(pristine, tmp_path):
    """A folder of its own with a good store in it."""
    folder = tmp_path / "tables"
    shutil.copytree(pristine[0], folder)
    return folder


@pytest.fixture
def good(stocked, experiment):
    """Path of that store."""
    return store_path(experiment, stocked)


def assert_identical(one, other):
    assert one.header == other.header
    assert one.name == other.name
    for name in TOP:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert list(one.channels) == list(other.channels)
    for channel, tensors in one.channels.items():
        for name in ChannelResponse.ARRAYS:
            left, right = getattr(tensors, name), getattr(other.channels[channel], name)
            assert left.dtype == right.dtype == np.float64
            np.testing.assert_array_equal(left, right)
        assert tensors.error_estimate == other.channels[channel].error_estimate
        assert tensors.panels == other.channels[channel].panels


def content(folder):
    """Every file below a folder with its bytes."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- good stores ----------------------------------------------------------------------------------


def test_round_trip_is_bit_identical(pristine, good):
    assert_identical(read_store(good), pristine[1])


def test_second_load_reads_and_does_not_build(experiment, stocked, monkeypatch):
    def build(*_):
        raise AssertionError("built again")

    before = content(stocked)
    monkeypatch.setattr(store, "build_response", build)
    load_response(experiment, stocked)
    assert content(stocked) == before


def test_only_the_store_is_left(experiment, pristine):
    assert [path.name for path in pristine[0].iterdir()] == [store_path(experiment).name]


def test_missing_folders_are_made(experiment, pristine, tmp_path):
    response = load_response(experiment, tmp_path / "not" / "yet")
    assert_identical(response, pristine[1])


def test_store_is_self_describing(good):
    group = zarr.open_group(good, mode="r")
    assert group.attrs["kind"] == "fastscan response tensors"
    moments = group["cevns/flux_moments"]
    assert moments.metadata.dimension_names == ("moment", "energy_bin", "cevns_recoil_node")
    assert moments.attrs["units"] == "cm-2 s-1 MeV-n"


def test_writing_again_keeps_the_first_store(pristine, stocked, good):
    before = content(stocked)
    assert write_store(pristine[1], stocked) == good
    assert content(stocked) == before


def test_half_written_stores_of_killed_builders_do_not_matter(experiment, pristine, tmp_path):
    name = store_path(experiment).name
    left = tmp_path / f".{name[:16]}-0123456789abcdef.partial"
    left.mkdir()
    (left / "zarr.json").write_text("{", encoding="utf-8")
    assert_identical(load_response(experiment, tmp_path), pristine[1])


BUILDER = """
import sys, time
from pathlib import Path
from fastscan.inputs import load_experiment
from fastscan.tensors import load_response
folder, me, other = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
experiment = load_experiment("conus-plus-a25")
me.touch()
while not other.exists():
    time.sleep(0.001)
print(load_response(experiment, folder).name)
"""


def test_two_builders_at_once(experiment, pristine, tmp_path):
    folder = tmp_path / "tables"
    flags = tmp_path / "one", tmp_path / "two"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", BUILDER, folder, *order],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for order in (flags, flags[::-1])
    ]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert out.strip() == pristine[1].name
    assert [path.name for path in folder.iterdir()] == [store_path(experiment).name]
    assert_identical(read_store(store_path(experiment, folder)), pristine[1])


def test_slower_builder_keeps_the_store_of_the_faster(experiment, pristine, tmp_path, monkeypatch):
    # Another process finishes between this one's look at the folder and its own rename.
    path = store_path(experiment, tmp_path)
    build = store.build_response

    def slow(*arguments):
        response = build(*arguments)
        shutil.copytree(store_path(experiment, pristine[0]), path)
        return response

    monkeypatch.setattr(store, "build_response", slow)
    load_response(experiment, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert content(path) == content(store_path(experiment, pristine[0]))


# --- where ----------------------------------------------------------------------------------------


def test_given_folder_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTSCAN_TABLES", str(tmp_path / "environment"))
    assert tables_directory(tmp_path / "given") == tmp_path / "given"


def test_environment_comes_second(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTSCAN_TABLES", str(tmp_path))
    assert tables_directory() == tmp_path


def test_tables_of_the_checkout_come_third(monkeypatch):
    monkeypatch.delenv("FASTSCAN_TABLES")
    folder = tables_directory()
    assert folder.name == "tables"
    assert (folder.parent / "pyproject.toml").is_file()


# --- damage ---------------------------------------------------------------------------------------

CHUNK = "cevns/response/c/0/0"


def edited(file, change):
    """Damage: change the parsed JSON of one of the store's files."""

    def damage(path):
        parsed = json.loads((path / file).read_text(encoding="utf-8"))
        change(parsed)
        (path / file).write_text(json.dumps(parsed), encoding="utf-8")

    return damage


def attributes(change):
    return edited("zarr.json", lambda parsed: change(parsed["attributes"]))


def flipped(where):
    def damage(path):
        data = bytearray((path / CHUNK).read_bytes())
        data[int(where * (len(data) - 1))] ^= 1
        (path / CHUNK).write_bytes(data)

    return damage


def replaced_by(make):
    def damage(path):
        shutil.rmtree(path)
        make(path)

    return damage


def another_store(path):
    zarr.open_group(path, mode="w").create_array("a", data=np.ones(3))


def set_header(key, value):
    return attributes(lambda a: a["header"].__setitem__(key, value))


DAMAGE = {
    "truncated chunk": lambda p: (p / CHUNK).write_bytes((p / CHUNK).read_bytes()[:-20]),
    "emptied chunk": lambda p: (p / CHUNK).write_bytes(b""),
    "missing chunk": lambda p: (p / CHUNK).unlink(),
    **{f"flipped bit at {where:.0%}": flipped(where) for where in (0.0, 0.2, 0.5, 0.8, 1.0)},
    "missing array": lambda p: shutil.rmtree(p / "cevns/response"),
    "missing flux": lambda p: shutil.rmtree(p / "bin_flux_per_cm2_s"),
    "missing channel": lambda p: shutil.rmtree(p / "eves"),
    "changed shape": edited("cevns/response/zarr.json", lambda j: j.update(shape=[1, 1])),
    "absurd shape": edited("cevns/response/zarr.json", lambda j: j.update(shape=[10**9, 10**9])),
    "changed fill value": edited("eves/protons/zarr.json", lambda j: j.update(fill_value=1.0)),
    "changed data type": edited(
        "cevns/response/zarr.json", lambda j: j.update(data_type="float32")
    ),
    "edited header": set_header("data_version", 0),
    "edited input": attributes(
        lambda a: a["header"]["inputs"]["reactor"].update(captures_per_fission=0.0)
    ),
    "header of another kind": attributes(lambda a: a.update(header=[1])),
    "no header": attributes(lambda a: a.pop("header")),
    "no checksum": attributes(lambda a: a.pop("checksum")),
    "null checksum": attributes(lambda a: a.update(checksum=None)),
    "wrong checksum": attributes(lambda a: a.update(checksum="0" * 64)),
    "no quadrature": attributes(lambda a: a.pop("quadrature")),
    "flattering error estimate": attributes(
        lambda a: a["quadrature"]["cevns"].update(error_estimate=0.0)
    ),
    "no attributes": edited("zarr.json", lambda j: j.pop("attributes")),
    "attributes of another kind": edited("zarr.json", lambda j: j.update(attributes=[1])),
    "another kind of store": attributes(lambda a: a.update(kind="fastscan scan")),
    "missing metadata": lambda p: (p / "zarr.json").unlink(),
    "truncated metadata": lambda p: (p / "zarr.json").write_text("{", encoding="utf-8"),
    "binary metadata": lambda p: (p / "zarr.json").write_bytes(b"\xff\xfe"),
    "foreign group": replaced_by(another_store),
    "foreign array": replaced_by(lambda p: zarr.create_array(p, data=np.ones(3))),
    "empty folder": replaced_by(lambda p: p.mkdir()),
    "file": replaced_by(lambda p: p.write_text("a file", encoding="utf-8")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage(experiment, stocked, good, kind):
    DAMAGE[kind](good)
    before = content(stocked)
    with pytest.raises(StoreError) as caught:
        load_response(experiment, stocked)
    text = str(caught.value)
    assert "\n" not in text
    assert str(good) in text
    assert caught.value.hint
    assert caught.value.exit_code == 2
    # Neither repaired nor removed.
    assert content(stocked) == before
    assert good.exists()


def test_renamed_store(good):
    other = good.rename(good.with_name(f"{'0' * 64}.zarr"))
    with pytest.raises(StoreError, match="name"):
        read_store(other)


def test_store_of_another_experiment_under_the_name(experiment, stocked, good, tmp_path):
    other = load_experiment("conus-plus-c25")
    load_response(other, tmp_path / "other")
    shutil.rmtree(good)
    shutil.copytree(store_path(other, tmp_path / "other"), good)
    with pytest.raises(StoreError, match="name"):
        load_response(experiment, stocked)


def test_a_file_in_place_of_a_store_is_not_called_missing(good):
    # "run: fastscan build" would stop at the same file again.
    DAMAGE["file"](good)
    with pytest.raises(StoreError) as caught:
        read_store(good)
    assert "fastscan build" not in str(caught.value)


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match=r"fastscan build"):
        read_store(tmp_path / "none.zarr")


# --- folders and disks ----------------------------------------------------------------------------


def test_folder_below_a_file(experiment, tmp_path, monkeypatch):
    def build(*_):
        raise AssertionError("built although it could not be stored")

    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(store, "build_response", build)
    with pytest.raises(InputError, match="can not be written") as caught:
        load_response(experiment, tmp_path / "file" / "tables")
    assert "--tables" in caught.value.hint


def test_folder_without_permission(experiment, tmp_path, monkeypatch):
    def touch(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pathlib.Path.touch", touch)
    with pytest.raises(InputError, match="Permission denied"):
        load_response(experiment, tmp_path)


def test_full_disk_from_the_start(pristine, tmp_path, monkeypatch):
    def open_group(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store.zarr, "open_group", open_group)
    with pytest.raises(RunError, match="No space left"):
        write_store(pristine[1], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_half_way(pristine, tmp_path, monkeypatch):
    create, calls = zarr.Group.create_array, []

    def create_array(self, name, **arguments):
        calls.append(name)
        if len(calls) == 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return create(self, name, **arguments)

    monkeypatch.setattr(zarr.Group, "create_array", create_array)
    with pytest.raises(RunError) as caught:
        write_store(pristine[1], tmp_path)
    assert len(calls) == 8
    assert "No space left" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_file_that_can_not_grow(pristine, tmp_path):
    # The operating system itself refuses the write, from within the library.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(RunError, match="File too large"):
            write_store(pristine[1], tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_after_a_full_disk_the_next_run_builds(experiment, pristine, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(
            zarr.Group, "create_array", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
        )
        with pytest.raises(RunError):
            load_response(experiment, tmp_path)
    assert_identical(load_response(experiment, tmp_path), pristine[1])
