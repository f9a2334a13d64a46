"""A scan that is killed at any moment resumes, and ends as if nothing had happened."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from scan_driver import Driver
from scan_helpers import contents, identity, refusal

import fastscan
from fastscan import Axis, Likelihood, ScanResult, StoreError, load_experiment, run_scan
from fastscan.scan import executors

# 60 x 50 points of the driver: three blocks, the last one cut.
JOB = {"block_points": 1100}
BLOCKS = 3
# What gets its final name in each: the chunk of chi2, four summaries and the seals.
STEPS = 6


@pytest.fixture(scope="module")
def driver(vector, tmp_path_factory):
    with Driver(vector, tmp_path_factory.mktemp("driver")) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(driver, tmp_path_factory):
    """Files of a scan that nothing interrupted, and how long it took."""
    out = tmp_path_factory.mktemp("undisturbed") / "x.zarr"
    report = driver.scan(out, workers=1, **JOB)
    assert report["error"] is None
    return contents(out), report["commits"], report["seconds"]


def done_blocks(store: Path) -> dict[str, tuple[int, int, int]]:
    """Identity of the chunks of chi2 whose block says that it is done."""
    if not store.exists():
        return {}
    status = zarr.open_array(store / "block_status", mode="r")[...]
    done = [f"chi2/c/{i}/{j}" for i, j in np.argwhere(status == 1)]
    found = identity(store, "chi2/c/*/*")
    return {name: found[name] for name in done}


def finish(driver, out: Path, files: dict[str, bytes]) -> None:
    """Resume, and compare with an undisturbed scan."""
    before = done_blocks(out)
    report = driver.scan(out, resume=True, **JOB)
    assert report["error"] is None
    assert not report["killed"]
    assert contents(out) == files
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    after = identity(out, "chi2/c/*/*")
    assert {name: after[name] for name in before} == before


def test_killed_before_every_single_step(driver, undisturbed, tmp_path):
    """SIGKILL just before something on disk gets its final name: all that do but the alike."""
    files, commits, _ = undisturbed
    made = commits - STEPS * BLOCKS
    steps = [1, made // 2, *range(made - 1, commits + 1)]
    found_done = []
    for step in steps:
        out = tmp_path / f"{step}" / "x.zarr"
        out.parent.mkdir()
        report = driver.scan(out, workers=1, kill_at=(step, "before"), **JOB)
        assert report["killed"]
        found_done.append(len(done_blocks(out)))
        assert out.exists() == (step > made)
        finish(driver, out, files)
        shutil.rmtree(out.parent)
    assert found_done == [max(0, step - made - 1) // STEPS for step in steps]


@pytest.mark.parametrize("seed", range(3))
def test_killed_and_resumed_again_and_again(driver, undisturbed, tmp_path, seed):
    """SIGKILL right after a random step, with two threads at work, until it is done."""
    files, commits, _ = undisturbed
    rng = np.random.default_rng([20260101, seed])
    out = tmp_path / "x.zarr"
    kills = 0
    while True:
        # A store that is there needs the steps of its blocks alone.
        step = int(rng.integers(1, 2 * STEPS if out.exists() else commits))
        report = driver.scan(out, resume=True, workers=2, kill_at=(step, "after"), **JOB)
        if not report["killed"]:
            break
        kills += 1
    assert kills >= 2
    finish(driver, out, files)


@pytest.mark.parametrize("seed", range(3))
def test_killed_after_a_random_time(driver, undisturbed, tmp_path, seed):
    """SIGKILL wherever it hits, not only where something is renamed."""
    files, _, seconds = undisturbed
    delays = np.random.default_rng([20260102, seed]).uniform(0.0, 0.8 * seconds, 3)
    out = tmp_path / "x.zarr"
    for delay in delays:
        driver.scan(out, resume=True, workers=2, kill_after_s=float(delay), **JOB)
    finish(driver, out, files)


def test_killed_in_processes_mode(driver, undisturbed, tmp_path):
    """The worker processes end with their parent; what they still wrote does no harm."""
    files, _, _ = undisturbed
    out = tmp_path / "x.zarr"
    report = driver.scan(out, scheduler="processes", workers=1, kill_after_blocks=1, **JOB)
    assert report["killed"]
    assert report["children"] >= 1
    assert report["orphans"] == 0
    assert 1 <= len(done_blocks(out)) < BLOCKS
    finish(driver, out, files)


@pytest.fixture
def store(vector, axes, tmp_path):
    out = tmp_path / "x.zarr"
    run_scan(vector, axes, out=out, block_points=100)
    return out


def undo(store: Path, *blocks: int) -> None:
    """Make blocks as if they had never been computed."""
    for number in blocks:
        for name in ("chi2", "block_status", "block_chi2_min", "block_best_index"):
            (store / name / "c" / str(number) / "0").unlink()


def test_resume_of_a_complete_scan_does_nothing(vector, axes, store, monkeypatch):
    before = identity(store)
    seen = []
    result = run_scan(
        vector, axes, out=store, resume=True, progress=lambda *count: seen.append(count)
    )
    assert seen == [(10, 10)]
    assert identity(store) == before
    assert result.shape == (37, 23)


def test_resume_computes_missing_blocks_only(vector, axes, store):
    files, before = contents(store), identity(store, "**/c/*/*")
    undo(store, 0, 4, 9)
    seen = []
    run_scan(vector, axes, out=store, resume=True, progress=lambda *count: seen.append(count))
    assert seen == [(7, 10), (8, 10), (9, 10), (10, 10)]
    assert contents(store) == files
    after = identity(store, "**/c/*/*")
    changed = {name for name in after if after[name] != before[name]}
    assert {name.split("/")[2] for name in changed} == {"0", "4", "9"}


def test_resume_keeps_the_blocks_it_finds(vector, axes, store):
    files = contents(store)
    undo(store, 3)
    run_scan(vector, axes, out=store, resume=True, block_points=7, workers=1)
    assert contents(store) == files


def test_resume_of_nothing_begins(vector, axes, store, tmp_path):
    out = tmp_path / "y.zarr"
    run_scan(vector, axes, out=out, resume=True, block_points=100)
    assert contents(out) == contents(store)


def test_resume_removes_what_killed_writes_left(vector, axes, store):
    files = contents(store)
    undo(store, 2)
    (store / "chi2" / "c" / "2" / f"0.{'0' * 32}.partial").write_bytes(b"half of a chunk")
    run_scan(vector, axes, out=store, resume=True)
    assert contents(store) == files
    assert list(store.parent.iterdir()) == [store]


@pytest.mark.parametrize("name", ["x.zarr", "a[1].zarr", "a b.zarr", "a*.zarr", "{a}.zarr"])
@pytest.mark.parametrize("resume", [False, True])
def test_leftovers_of_a_store_that_never_came_to_be_are_removed(
    vector, axes, tmp_path, name, resume
):
    out = tmp_path / name
    (tmp_path / f".{name}-{'0' * 32}.partial" / "chi2").mkdir(parents=True)
    run_scan(vector, axes, out=out, resume=resume)
    assert list(tmp_path.iterdir()) == [out]


def test_what_other_scans_are_making_is_left_alone(vector, axes, tmp_path):
    out = tmp_path / "x"
    others = [tmp_path / f".x-y-{'0' * 32}.partial", tmp_path / ".x-notes.partial"]
    for other in others:
        other.mkdir()
    run_scan(vector, axes, out=out)
    run_scan(vector, axes, out=out, resume=True)
    assert sorted(tmp_path.iterdir()) == sorted([out, *others])


def _other_axes(axes):
    return [axes[0], Axis("g", 0.0, 2e-4, 23)]


OTHERS = {
    "axes": lambda axes: (fastscan.likelihood("vector"), _other_axes(axes), {}),
    "channels": lambda axes: (fastscan.likelihood("vector", channels="cevns"), axes, {}),
    "experiment": lambda axes: (fastscan.likelihood("vector", "conus-plus-c25"), axes, {}),
    "model": lambda axes: (fastscan.likelihood("scalar"), axes, {}),
    "options": lambda axes: (fastscan.likelihood("vector", charges="universal"), axes, {}),
    "parameters": lambda axes: (fastscan.likelihood("vector"), axes, {"sin2_theta_w": 0.25}),
    "sigma_alpha": lambda axes: (fastscan.likelihood("vector", sigma_alpha=0.1), axes, {}),
}


@pytest.mark.parametrize("entry", OTHERS)
def test_resume_of_another_scan_is_refused(axes, store, entry):
    before = identity(store)
    likelihood, other_axes, given = OTHERS[entry](axes)
    message = refusal(StoreError, run_scan, likelihood, other_axes, given, out=store, resume=True)
    if entry == "experiment":
        # Its source or its tensors differ as well.
        assert "differ" in message
    else:
        verb = "differ" if entry.endswith("s") else "differs"
        assert f"its {entry} {verb} (" in message
    assert str(store) in message
    assert identity(store) == before


def test_a_refused_scan_does_not_disturb_one_that_runs(vector, axes, store):
    """What looks like a leftover may be the write of another process at this moment."""
    (store / "chi2" / "c" / "2" / f"0.{'0' * 32}.partial").write_bytes(b"half of a chunk")
    before = identity(store)
    refusal(StoreError, run_scan, vector, axes, out=store)
    refusal(StoreError, run_scan, vector, _other_axes(axes), out=store, resume=True)
    assert identity(store) == before


def test_a_foreign_zarr_group_is_left_alone(vector, axes, tmp_path):
    out = tmp_path / "x.zarr"
    zarr.open_group(out, mode="w", attributes={"kind": "thesis"})
    (out / "notes.partial").write_text("precious")
    before = identity(out)
    for resume in (False, True):
        refusal(StoreError, run_scan, vector, axes, out=out, resume=resume)
        assert identity(out) == before


def test_resume_with_other_data_is_refused(vector, axes, store):
    before = identity(store)
    other = Likelihood(vector.model, vector.experiment, vector.response)
    other.data = other.data + 1.0
    message = refusal(StoreError, run_scan, other, axes, out=store, resume=True)
    assert "its observation_sha256 differs" in message
    weighted = Likelihood(
        vector.model,
        vector.experiment,
        vector.response,
        flux_weights=np.ones(vector.response.energy_bin_edges_mev.size - 1),
    )
    message = refusal(StoreError, run_scan, weighted, axes, out=store, resume=True)
    assert "its flux_weights differ (" in message
    assert identity(store) == before


def test_words_of_an_experiment_that_change_no_number_do_not_matter(vector, axes, store):
    experiment = load_experiment("conus-plus").model_copy(update={"title": "Other words"})
    likelihood = Likelihood(vector.model, experiment, vector.response)
    run_scan(likelihood, axes, out=store, resume=True)


def test_an_existing_output_is_refused(vector, axes, store):
    before = identity(store)
    message = refusal(StoreError, run_scan, vector, axes, out=store)
    assert str(store) in message
    assert "resume" in message
    assert identity(store) == before


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_what_is_no_scan_is_left_alone(vector, axes, tmp_path, kind, resume):
    out = tmp_path / "x.zarr"
    if kind == "file":
        out.write_text("thesis")
    elif kind == "folder":
        out.mkdir()
        (out / "thesis.partial").write_text("precious")
    else:
        out.symlink_to(tmp_path / "nowhere")
    before = identity(tmp_path)
    message = refusal(StoreError, run_scan, vector, axes, out=out, resume=resume)
    assert str(out) in message
    assert "delete" not in message
    assert identity(tmp_path) == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_scan_that_is_not_complete_says_how_far_it_is(store):
    undo(store, 1, 7, 8)
    message = refusal(StoreError, ScanResult.open, store)
    assert "7 of 10 blocks" in message
    assert "resume" in message


def test_a_failing_progress_callback_stops_a_scan_that_resumes(vector, axes, store, tmp_path):
    """As Ctrl-C does: what is done stays, nothing is hidden."""

    def interrupt(done, total):
        if done == 4:
            raise KeyboardInterrupt

    out = tmp_path / "y.zarr"
    with pytest.raises(KeyboardInterrupt):
        run_scan(vector, axes, out=out, block_points=100, workers=1, progress=interrupt)
    refusal(StoreError, ScanResult.open, out)
    run_scan(vector, axes, out=out, resume=True)
    assert contents(out) == contents(store)


def test_batches_resume_as_well(vector, axes, store, monkeypatch):
    files = contents(store)
    monkeypatch.setattr(executors, "_BATCH", 2)
    undo(store, 0, 1, 2, 5, 9)
    run_scan(vector, axes, out=store, resume=True)
    assert contents(store) == files


def test_a_second_writer_is_refused(vector, tmp_path):
    """Two processes that resume one store at once: one works, the other is told."""
    axes = [Axis("mass_mev", 0.1, 10.0, 6, "log"), Axis("g", 0.0, 1e-4, 5)]
    out = tmp_path / "x.zarr"
    refused = []

    def try_too(done, total):
        if done == 1:
            refused.append(
                refusal(StoreError, run_scan, vector, axes, out=out, resume=True, workers=1)
            )

    run_scan(vector, axes, out=out, block_points=5, workers=1, progress=try_too)
    assert "another process is writing this scan" in refused[0]
