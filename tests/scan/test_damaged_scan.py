"""A store that was changed after it was written is an error, never another number."""

import json
import shutil

import numpy as np
import pytest
import zarr
from scan_helpers import contents, refusal

from fastscan import Axis, RunError, ScanResult, StoreError, run_scan
from fastscan.scan import write_contour

ARRAYS = (
    "chi2",
    "block_chi2_min",
    "block_best_index",
    "block_alpha_hat",
    "block_status",
    "mass_mev",
    "g",
)


@pytest.fixture(scope="module")
def wholesome(vector, tmp_path_factory):
    """A complete scan of six blocks whose best fit is inside the range."""
    axes = [Axis("mass_mev", 0.1, 10.0, 12, "log"), Axis("g", 1e-6, 1e-4, 40, "log")]
    out = tmp_path_factory.mktemp("wholesome") / "x.zarr"
    run_scan(vector, axes, out=out, block_points=80)
    return axes, out


@pytest.fixture
def store(wholesome, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(wholesome[1], tmp_path / "x.zarr")


def use(path):
    """Read everything there is in a result."""
    result = ScanResult.open(path)
    return result.values, result.best_fit, result.coordinates, result.units, result.header


def check_refused(path):
    message = refusal(StoreError, use, path)
    assert str(path) in message
    return message


def chunks(store, name):
    return sorted(path for path in (store / name / "c").rglob("*") if path.is_file())


def edit(store, change):
    """Change the metadata of the store, and of its arrays where they are consolidated."""
    path = store / "zarr.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_the_copy_is_wholesome(store):
    chi2, best, *_ = use(store)
    assert best.chi2 == chi2.min()


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("how", ["deleted", "emptied", "cut", "longer", "swapped"])
def test_a_broken_chunk(store, name, how, rng):
    files = chunks(store, name)
    victim = files[int(rng.integers(len(files)))]
    content = victim.read_bytes()
    if how == "deleted":
        victim.unlink()
    elif how == "emptied":
        victim.write_bytes(b"")
    elif how == "cut":
        victim.write_bytes(content[:-1])
    elif how == "longer":
        victim.write_bytes(content + b"\0")
    else:
        other = "g" if name == "mass_mev" else "mass_mev"
        victim.write_bytes(chunks(store, other)[0].read_bytes())
    check_refused(store)


@pytest.mark.parametrize("name", [name for name in ARRAYS if name not in ("mass_mev", "g")])
def test_a_damaged_block_is_repaired_as_the_message_says(vector, wholesome, store, name):
    """Resuming makes a block again of which any piece can not be read."""
    axes, whole = wholesome
    victim = chunks(store, name)[3]
    victim.write_bytes(victim.read_bytes()[:-1])
    assert "--resume" in check_refused(store)
    run_scan(vector, axes, out=store, resume=True)
    assert contents(store) == contents(whole)


@pytest.mark.parametrize("name", ARRAYS)
def test_any_flipped_bit(store, name, rng):
    for _ in range(12):
        files = chunks(store, name)
        victim = files[int(rng.integers(len(files)))]
        content = victim.read_bytes()
        changed = bytearray(content)
        changed[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        victim.write_bytes(changed)
        check_refused(store)
        victim.write_bytes(content)
    use(store)


def test_the_chunk_of_the_best_fit_is_read_with_its_summary(store):
    """What says where the best fit is, is checked against nothing but its own checksum."""
    result = ScanResult.open(store)
    for path in chunks(store, "block_best_index"):
        path.unlink()
    refusal(StoreError, lambda: result.best_fit)
    for path in chunks(store, "chi2")[:1]:
        path.unlink()
    refusal(StoreError, lambda: result.values)


def _set(document, value, *keys):
    for key in keys[:-1]:
        document = document[key]
    document[keys[-1]] = value


def array_of(document, name):
    return document["consolidated_metadata"]["metadata"][name]


EDITS = {
    "no attributes": lambda d: d.pop("attributes"),
    "attributes are a list": lambda d: _set(d, [], "attributes"),
    "no header": lambda d: d["attributes"].pop("header"),
    "header is text": lambda d: _set(d, "vector", "attributes", "header"),
    "header is empty": lambda d: _set(d, {}, "attributes", "header"),
    "sigma_alpha": lambda d: _set(d, 0.1, "attributes", "header", "sigma_alpha"),
    "model": lambda d: _set(d, "scalar", "attributes", "header", "model"),
    "no axes": lambda d: d["attributes"]["header"].pop("axes"),
    "another axis": lambda d: _set(d, "mass", "attributes", "header", "axes", 0, "name"),
    "one axis less": lambda d: d["attributes"]["header"]["axes"].pop(),
    "axis becomes linear": lambda d: _set(
        d, "linear", "attributes", "header", "axes", 0, "spacing"
    ),
    "no block shape": lambda d: d["attributes"].pop("block_shape"),
    "other block shape": lambda d: _set(d, [3, 40], "attributes", "block_shape"),
    "block shape of text": lambda d: _set(d, ["a", "b"], "attributes", "block_shape"),
    "block shape of zeros": lambda d: _set(d, [0, 0], "attributes", "block_shape"),
    "no chi2": lambda d: d["consolidated_metadata"]["metadata"].pop("chi2"),
    "no status": lambda d: d["consolidated_metadata"]["metadata"].pop("block_status"),
    "no coordinate": lambda d: d["consolidated_metadata"]["metadata"].pop("g"),
    "no unit": lambda d: _set(array_of(d, "g"), {}, "attributes"),
    "chi2 larger": lambda d: _set(array_of(d, "chi2"), [13, 40], "shape"),
    "chi2 smaller": lambda d: _set(array_of(d, "chi2"), [11, 40], "shape"),
    "chi2 of integers": lambda d: _set(array_of(d, "chi2"), "int64", "data_type"),
    "chi2 of halves": lambda d: _set(array_of(d, "chi2"), "float32", "data_type"),
    "chi2 of another type": lambda d: _set(array_of(d, "chi2"), "complex", "data_type"),
    "chi2 without checksum": lambda d: array_of(d, "chi2")["codecs"].pop(),
    "chi2 in other chunks": lambda d: _set(
        array_of(d, "chi2"), [6, 40], "chunk_grid", "configuration", "chunk_shape"
    ),
    "chi2 is a group": lambda d: _set(array_of(d, "chi2"), "group", "node_type"),
    "status larger": lambda d: _set(array_of(d, "block_status"), [7, 1], "shape"),
    "status smaller": lambda d: _set(array_of(d, "block_status"), [5, 1], "shape"),
    "coordinate smaller": lambda d: _set(array_of(d, "g"), [39], "shape"),
    "zarr version 2": lambda d: _set(d, 2, "zarr_format"),
}


@pytest.mark.parametrize("name", EDITS)
def test_edited_metadata(store, name):
    edit(store, EDITS[name])
    check_refused(store)


@pytest.mark.parametrize("name", EDITS)
def test_edited_metadata_is_refused_on_resume(vector, wholesome, store, name):
    edit(store, EDITS[name])
    shutil.rmtree(store / "block_status" / "c" / "1")
    message = refusal(StoreError, run_scan, vector, wholesome[0], out=store, resume=True, workers=1)
    assert str(store) in message


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", "\xff"])
def test_metadata_that_is_no_metadata(store, text):
    (store / "zarr.json").write_text(text, encoding="latin-1")
    check_refused(store)


def test_metadata_cut_short(store):
    path = store / "zarr.json"
    text = path.read_text()
    for end in (1, len(text) // 3, len(text) - 2):
        path.write_text(text[:end])
        check_refused(store)


def test_a_store_of_another_format_version(store):
    edit(store, lambda d: _set(d, 99, "attributes", "format_version"))
    message = check_refused(store)
    assert "version 99" in message
    assert "delete" not in message


def test_a_store_of_another_kind(store):
    edit(store, lambda d: _set(d, "fastscan response tensors", "attributes", "kind"))
    message = check_refused(store)
    assert "not a scan of fastscan" in message
    assert "delete" not in message


@pytest.mark.parametrize(
    "kind", ["missing", "file", "folder", "array", "group", "version 2", "link to nothing"]
)
def test_what_was_never_a_scan(tmp_path, kind):
    path = tmp_path / "x.zarr"
    if kind == "file":
        path.write_text("thesis")
    elif kind == "folder":
        path.mkdir()
        (path / "thesis.txt").write_text("precious")
    elif kind == "array":
        zarr.create_array(path, shape=(3,), dtype="float64")
    elif kind == "group":
        zarr.open_group(path, mode="w")
    elif kind == "version 2":
        zarr.open_group(path, mode="w", zarr_format=2)
    elif kind == "link to nothing":
        path.symlink_to(tmp_path / "nowhere")
    # Whatever it is, nobody is told to delete it.
    assert "delete" not in check_refused(path)


def test_resume_does_not_trust_a_damaged_status(vector, wholesome, store):
    axes, whole = wholesome
    chunks(store, "block_status")[2].write_bytes(b"\x01")
    assert "block_status" in check_refused(store)
    run_scan(vector, axes, out=store, resume=True, workers=1)
    assert contents(store) == contents(whole)


def test_a_chunk_that_vanished_after_it_was_done(vector, wholesome, store):
    """A status that says done without the block: resuming makes the block again."""
    axes, whole = wholesome
    chunks(store, "chi2")[3].unlink()
    assert "chi2" in check_refused(store)
    run_scan(vector, axes, out=store, resume=True)
    assert contents(store) == contents(whole)


def test_a_contour_of_a_damaged_scan_writes_nothing(store, tmp_path):
    result = ScanResult.open(store)
    victim = chunks(store, "chi2")[0]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    refusal(StoreError, write_contour, result, tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == [store]


def test_a_store_that_vanishes_in_mid_scan(vector, wholesome, tmp_path):
    out = tmp_path / "x.zarr"

    def remove(done, total):
        if done == 2:
            shutil.rmtree(out)

    message = refusal(
        RunError,
        run_scan,
        vector,
        wholesome[0],
        out=out,
        block_points=80,
        workers=1,
        progress=remove,
    )
    assert str(out) in message


def test_results_are_read_once(store):
    """What was read stays, even where the store goes."""
    result = ScanResult.open(store)
    chi2, best = result.chi2, result.best_fit
    shutil.rmtree(store)
    assert result.chi2 is chi2
    assert result.best_fit == best
    assert np.isfinite(chi2).all()


def test_a_reader_sends_to_the_command_that_made_the_scan(store, capsys, tmp_path):
    """--force replaces a contour; a damaged block comes back by the --resume of the scan."""
    from fastscan.cli import main

    next(path for path in store.glob("chi2/c/**/*") if path.is_file()).unlink()
    with pytest.raises(SystemExit) as end:
        main(["contour", str(store), "-o", str(tmp_path / "c.csv")])
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "--resume" in told
    assert "--force" not in told
