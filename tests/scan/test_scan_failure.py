"""What goes wrong on the way ends in one line, keeps the finished blocks, and can be resumed."""

import errno
import os

import numpy as np
import pytest
import xarray
import zarr
from poisoned_models import die, fill_disk, poisoned, refuse_chunks
from scan_helpers import contents, identity, refusal

from fastscan import Axis, InputError, Likelihood, RunError, StoreError, run_scan

# Renames that finish a block: chi2, four summaries and the seals.
STEPS = 6


@pytest.fixture
def undisturbed(vector, axes, tmp_path_factory):
    """Files of a scan that went well."""
    out = tmp_path_factory.mktemp("undisturbed") / "x.zarr"
    run_scan(vector, axes, out=out, block_points=100)
    return contents(out)


def done_blocks(store):
    status = zarr.open_array(store / "block_status", mode="r")[...]
    return [f"chi2/c/{i}/{j}" for i, j in np.argwhere(status == 1)]


@pytest.fixture
def small_disk(monkeypatch):
    """Make renames of chunks fail from the n-th on."""
    monkeypatch.setattr(os, "replace", os.replace)  # brings it back afterwards
    return refuse_chunks


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("step", [0, 1, 3, 4])
def test_a_full_disk(vector, axes, tmp_path, small_disk, undisturbed, monkeypatch, workers, step):
    """No space is left in the seventh block, at any of its files."""
    out = tmp_path / "x.zarr"
    # The axes' chunks are written when the store is made.
    small_disk(range(len(axes) + 6 * STEPS + step, 10**9))
    message = refusal(RunError, run_scan, vector, axes, out=out, block_points=100, workers=workers)
    assert "the disk is full" in message
    assert str(out) in message
    assert "resume" in message
    assert RunError.exit_code == 1
    monkeypatch.undo()
    done = done_blocks(out)
    assert len(done) == 6 if workers == 1 else 5 <= len(done) <= 6
    before = identity(out)
    message = refusal(StoreError, run_scan, vector, axes, out=out)
    assert "resume" in message
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed
    after = identity(out)
    assert all(after[name] == before[name] for name in done)


def test_a_disk_that_is_full_from_the_start(vector, axes, tmp_path, monkeypatch):
    """It is the disk that fails, not the user's input; nothing is left."""
    out = tmp_path / "x.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", os.replace)
        refuse_chunks(range(10**9))
        message = refusal(RunError, run_scan, vector, axes, out=out)
    assert "the disk is full" in message
    assert str(out) in message
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_disk(vector, axes, tmp_path, monkeypatch, undisturbed):
    out = tmp_path / "x.zarr"
    replace = os.replace

    def broken(source, target, **options):
        if "chi2/c/5" in os.fspath(target):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", broken)
        message = refusal(RunError, run_scan, vector, axes, out=out, block_points=100, workers=1)
    assert "Input/output error" in message
    assert str(out) in message
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed


def test_a_grid_larger_than_the_disk_is_refused(vector, tmp_path):
    axes = [
        Axis("mass_mev", 1.0, 2.0, 100_000),
        Axis("g", 1.0, 2.0, 100_000),
        Axis("sin2_theta_w", 0.0, 1.0, 1000),
    ]
    message = refusal(InputError, run_scan, vector, axes, out=tmp_path / "x.zarr")
    assert "1e+13 points" in message
    assert "GB free" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("act", "why"), [(die, "a worker died"), (fill_disk, "the disk is full")])
def test_processes(vector, axes, tmp_path, undisturbed, act, why):
    """A worker process is killed, or finds no space, in the middle of ten blocks."""
    out = tmp_path / "x.zarr"
    model = poisoned(float(axes[0].values[17]), act)
    likelihood = Likelihood(model, vector.experiment, vector.response)
    seen = []
    message = refusal(
        RunError,
        run_scan,
        likelihood,
        axes,
        out=out,
        block_points=100,
        workers=1,
        scheduler="processes",
        progress=lambda done, total: seen.append(done),
    )
    assert why in message
    assert str(out) in message
    assert "resume" in message
    done = done_blocks(out)
    assert 4 <= len(done) <= 5
    # A block is a task of its own: what was done before was reported.
    assert seen == list(range(len(done) + 1))
    before = identity(out)
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == undisturbed
    after = identity(out)
    assert all(after[name] == before[name] for name in done)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("resume", [False, True])
def test_an_output_below_a_file_is_refused(vector, axes, tmp_path, resume):
    (tmp_path / "file").write_text("thesis")
    for out in (tmp_path / "file" / "x.zarr", tmp_path / "file" / "folder" / "x.zarr"):
        message = refusal(InputError, run_scan, vector, axes, out=out, resume=resume)
        assert str(out) in message
        assert "another" in message
    assert contents(tmp_path) == {"file": b"thesis"}


@pytest.mark.parametrize("name", ["x" * 300, "x\0y", "x" * 230])
def test_an_impossible_name_is_refused(vector, axes, tmp_path, name):
    message = refusal(InputError, run_scan, vector, axes, out=f"{tmp_path}/{name}")
    assert "another" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["", ".", "/", "..", "x.zarr/"])
def test_names_of_folders(vector, axes, tmp_path, monkeypatch, out):
    monkeypatch.chdir(tmp_path)
    if out == "x.zarr/":
        run_scan(vector, axes, out=out)
        assert [path.name for path in tmp_path.iterdir()] == ["x.zarr"]
    else:
        assert "exists" in refusal(StoreError, run_scan, vector, axes, out=out)
        assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_is_refused(vector, axes, tmp_path, monkeypatch):
    """Root may write anywhere, so the system's answer is made up."""

    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", forbidden)
        message = refusal(InputError, run_scan, vector, axes, out=tmp_path / "a" / "x.zarr")
    assert "Permission denied" in message
    assert list(tmp_path.iterdir()) == []


def test_an_incomplete_store_still_opens_in_xarray(vector, axes, tmp_path, small_disk, monkeypatch):
    """What is there so far can be looked at; what is not there is NaN."""
    out = tmp_path / "x.zarr"
    small_disk(range(len(axes) + 6 * STEPS, 10**9))
    refusal(RunError, run_scan, vector, axes, out=out, block_points=100, workers=1)
    monkeypatch.undo()
    with xarray.open_zarr(out) as dataset:
        done = dataset["block_status"].values == 1
        missing = np.isnan(dataset["chi2"].values).all(axis=1)
    assert done.sum() == 6
    np.testing.assert_array_equal(missing, ~np.repeat(done[:, 0], 4)[:37])
