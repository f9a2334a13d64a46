"""Files of points: every format, in pieces, and one line for whatever is wrong with them."""

import errno
import os

import numpy as np
import pytest
from pyarrow import parquet

import fastscan
from fastscan import Chi2Function, InputError, RunError
from fastscan.scan import evaluate_points, evaluation, open_points

NAMES = ("q_ee", "r2_ee")


@pytest.fixture(scope="module")
def chi2(tables):
    return Chi2Function(fastscan.likelihood("electromagnetic"), NAMES)


@pytest.fixture
def values(rng):
    return rng.normal(size=(1000, 2)) * [1e-12, 1e-32]


@pytest.fixture
def files(tmp_path, values):
    np.save(tmp_path / "p.npy", values)
    rows = "".join(f"{a!r},{b!r}\n" for a, b in values.tolist())
    (tmp_path / "p.csv").write_text(f"# random\nq_ee,r2_ee\n{rows}")
    import pyarrow

    table = pyarrow.table({"r2_ee": values[:, 1], "q_ee": values[:, 0], "other": values[:, 0]})
    parquet.write_table(table, tmp_path / "p.parquet")
    return tmp_path


@pytest.mark.parametrize("out", ["o.npy", "o.csv", "o.parquet"])
@pytest.mark.parametrize("name", ["p.npy", "p.csv", "p.parquet"])
def test_every_format_gives_the_same_numbers(files, chi2, values, monkeypatch, name, out):
    monkeypatch.setattr(evaluation, "_PIECE", 300)
    source = open_points(files / name, None if name == "p.csv" else NAMES)
    assert evaluate_points(chi2, source, files / out).points == 1000
    if out == "o.npy":
        found = np.load(files / out)
    elif out == "o.csv":
        found = np.loadtxt(files / out, delimiter=",", skiprows=1)[:, 2]
    else:
        found = parquet.read_table(files / out)["chi2"].to_numpy()
    np.testing.assert_array_equal(found, chi2(values))
    assert not list(files.glob(".*"))


def test_csv_of_results_reads_back_exactly(files, chi2, values):
    evaluate_points(chi2, open_points(files / "p.csv"), files / "o.csv")
    again = np.loadtxt(files / "o.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(again[:, :2], values)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.csv", None, "no such file"),
        (
            "names.csv",
            "q_ee,q_mm\n1,2\n",
            "columns differ .*: q_ee, q_mm",
        ),
        ("bad.csv", "q_ee,r2_ee\n1,2\n3,x\n", "r2_ee is 'x' .*line 3"),
        ("short.csv", "q_ee,r2_ee\n1,2\n3\n", "1 values under 2 columns .*line 3"),
        ("nan.csv", "q_ee,r2_ee\n0,0\n0,nan\n", "point 2"),
        ("ten.csv", "q_ee,r2_ee\n0,0\n1,1\n0,1_0\n", "r2_ee is '1_0' .*line 4"),
        ("empty.csv", "# nothing\n", "empty table"),
        ("junk.npy", "junk", "not an array of numbers"),
        ("junk.parquet", "junk", "not a parquet file"),
    ],
)
def test_bad_files(tmp_path, chi2, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        evaluate_points(chi2, open_points(tmp_path / name, NAMES), tmp_path / "o.npy")
    assert not (tmp_path / "o.npy").exists()
    assert not list(tmp_path.glob(".*"))


def test_names_must_fit_the_array(files):
    with pytest.raises(InputError, match=r"array of shape \(1000, 2\).*columns"):
        open_points(files / "p.npy")


@pytest.mark.parametrize("name", ["P.CSV", "p.TXT", "p.dat"])
@pytest.mark.parametrize(
    "text", ["\ufeffq_ee,r2_ee\n1,2\n", '"q_ee";"r2_ee"\n1;2\n', " # words\nq_ee r2_ee\n 1  2\n"]
)
def test_text_is_read_as_everywhere_else(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    source = open_points(tmp_path / name)
    assert source.columns == NAMES
    np.testing.assert_array_equal(np.concatenate([*source.pieces()]), [[1.0, 2.0]])


def test_suffixes_in_upper_case(files, chi2, values):
    (files / "p.npy").rename(files / "P.NPY")
    assert (
        evaluate_points(chi2, open_points(files / "P.NPY", NAMES), files / "O.CSV").points == 1000
    )
    again = open_points(files / "O.CSV")
    np.testing.assert_array_equal(np.concatenate([*again.pieces()])[:, :2], values)


def test_structured_arrays_name_their_columns(tmp_path):
    rows = np.array([(2, 1.0), (4, 3.0)], dtype=[("r2_ee", "i4"), ("q_ee", "f4")])
    np.save(tmp_path / "p.npy", rows)
    source = open_points(tmp_path / "p.npy", NAMES)
    np.testing.assert_array_equal(np.concatenate([*source.pieces()]), [[1.0, 2.0], [3.0, 4.0]])


def test_an_unreadable_input_is_not_blamed_on_the_output(tmp_path):
    (tmp_path / "p.csv").mkdir()
    with pytest.raises(InputError, match=r"can not be read.*p\.csv"):
        open_points(tmp_path / "p.csv")


def test_missing_parquet_column(files):
    with pytest.raises(InputError, match="no column 'mu_nu'"):
        open_points(files / "p.parquet", ["mu_nu"])


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "p.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not an array of numbers"):
        open_points(tmp_path / "p.npy", NAMES)


def test_existing_output_is_kept(files, chi2):
    (files / "o.npy").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        evaluate_points(chi2, open_points(files / "p.csv"), files / "o.npy")
    assert (files / "o.npy").read_text() == "mine"


def test_full_disk(files, chi2, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunError, match="the disk is full"):
        evaluate_points(chi2, open_points(files / "p.csv"), files / "o.npy")
    assert not list(files.glob("o*"))
    assert not list(files.glob(".*"))


@pytest.mark.parametrize("out", ["o.npy", "o.csv", "o.parquet"])
def test_points_out_of_range_are_flagged_and_overflow_is_infinite(make, tmp_path, monkeypatch, out):
    """In a later piece than the first, so that what was written before has to get the flag, too."""
    monkeypatch.setattr(evaluation, "_PIECE", 2)
    rows = np.array([[1.0, 1e-5], [2.0, 1e-5], [-1.0, 1e-5], [1.0, 1e300], [1.0, -1e-5]])
    np.save(tmp_path / "p.npy", rows)
    chi2 = Chi2Function(make("vector"), ["mass_mev", "g"])
    source = open_points(tmp_path / "p.npy", ["mass_mev", "g"])
    found = evaluate_points(chi2, source, tmp_path / out)
    assert (found.points, found.out_of_range, found.overflowing) == (5, 2, 1)
    expected = [*chi2(rows[:2]), np.inf, np.inf, np.inf]
    if out == "o.npy":
        np.testing.assert_array_equal(np.load(tmp_path / out), expected)
        return
    if out == "o.csv":
        names = (tmp_path / out).read_text().splitlines()[0].split(",")
        table = np.loadtxt(tmp_path / out, delimiter=",", skiprows=1)
    else:
        read = parquet.read_table(tmp_path / out)
        names, table = read.column_names, np.column_stack([c.to_numpy() for c in read.columns])
    assert names == ["mass_mev", "g", "out_of_range", "chi2"]
    np.testing.assert_array_equal(table[:, 2], [0, 0, 1, 0, 1])
    np.testing.assert_array_equal(table[:, 3], expected)
