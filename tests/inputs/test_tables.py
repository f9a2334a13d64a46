"""One reader of tables: every way to write the same one, and one line for all that is no table."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from fastscan import InputError
from fastscan.inputs import read_table
from fastscan.inputs.text_tables import TextTable

EXPECTED = {"energy_mev": [1.0, 2.5], "flux": [3e-5, 4.0]}


def read(folder: Path, content: bytes, name: str = "t.csv") -> dict[str, list[float]]:
    path = folder / name
    path.write_bytes(content)
    return {key: list(column) for key, column in read_table(path, tuple(EXPECTED)).items()}


def refused(folder: Path, content: bytes, name: str = "t.csv") -> str:
    with pytest.raises(InputError) as caught:
        read(folder, content, name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["t.csv", "T.CSV", "t.txt", "t.Dat", "t.tsv"])
@pytest.mark.parametrize(
    "text",
    [
        "energy_mev,flux\n1,3e-5\n2.5,4\n",
        "\ufeffenergy_mev,flux\n1,3e-5\n2.5,4\n",
        "energy_mev;flux\n1;3e-5\n2.5;4\n",
        "energy_mev\tflux\n1\t3e-5\n2.5\t4\n",
        "energy_mev  flux\n  1    3e-5\n2.5\t4  \n",
        '"energy_mev","flux"\n"1","3e-5"\n2.5,4\n',
        "energy_mev, flux\n1 , 3e-5\n2.5, 4\n",
        "  # words\n\nenergy_mev,flux\n# more\n1,3e-5\n\t# in between\n2.5,4\n# at the end",
        "energy_mev,flux\r\n1,3e-5\r\n2.5,4\r\n",
        "energy_mev,flux\r1,3e-5\r2.5,4\r",
        "flux,note,energy_mev\n3e-5,a;b,1\n4,,2.5\n",
    ],
)
def test_ways_to_write_one_table(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path, text.encode(), name) == EXPECTED


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("energy_mev,flux\n1,2\n# é\n".encode("latin-1"), "not a UTF-8 text file .*line 3"),
        ("energy_mev,flux\n1,2\n".encode("utf-16"), "not a UTF-8 text file .*line 1"),
        ("energy_mev,flux\n1,2\n".encode("utf-16-le"), "NUL bytes.*line 1"),
        (b"energy_mev,flux\n1,2\n3,\0\n", "NUL bytes.*line 3"),
        (b"energy_mev,flux\n1,1_0\n", "flux is '1_0' .*line 2"),
        ("energy_mev,flux\n1,٣\n".encode(), "flux is '٣' .*line 2"),
        (b"energy_mev,flux\n1;2\n", "1 values under 2 columns .*line 2"),
        (b"energy_mev;flux\n1,5;2\n", "energy_mev is '1,5' .*line 2.*decimals by a point"),
        (b'energy_mev,flux\n1,"2\n3,4\n5,6\n', "a quote is not closed.*line 2"),
        (b'energy_mev,flux\n1,"2"x\n', "a quote is not closed, or text follows it .*line 2"),
        (b"energy_mev flux\n1 2 3\n", "3 values under 2 columns .*line 2"),
        (b"# words\n", "empty table"),
        (b",,\n ,\n", "empty table"),
        (b"energy_mev,flux\n", "empty table"),
        (b"1" * 1_500_000, "a line of more than 1000000 characters .*line 1"),
    ],
)
def test_text_that_is_no_table(tmp_path: Path, content: bytes, expected: str) -> None:
    message = refused(tmp_path, content)
    assert re.search(expected, message), message


def test_rows_are_read_one_by_one() -> None:
    """Files of any length are read in pieces."""

    class Endless(io.RawIOBase):
        lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.lines += 1
            return b"1,2\n" if self.lines > 1 else b"a,b\n"

    file = Endless()
    rows = TextTable(file, "endless").rows()  # type: ignore[arg-type]
    assert [next(rows) for _ in range(3)] == [(2, ["1", "2"]), (3, ["1", "2"]), (4, ["1", "2"])]
    assert file.lines <= 5


def npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


def columns(**values: object) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(values), file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["f8", "f4", ">f8", "i8", "u1"])
def test_structured_arrays(tmp_path: Path, kind: str) -> None:
    rows = np.array([(1, 7), (2, 8)], dtype=[("flux", kind), ("energy_mev", "f8")])
    assert read(tmp_path, npy(rows), "T.NPY") == {"energy_mev": [7.0, 8.0], "flux": [1.0, 2.0]}


@pytest.mark.parametrize(
    "flux",
    [
        pyarrow.array([1, 2], pyarrow.int16()),
        pyarrow.array([1.0, 2.0], pyarrow.float32()),
        pyarrow.array([1, 2], pyarrow.uint64()),
        pyarrow.array([1.0, 2.0]).dictionary_encode(),
    ],
)
def test_parquet_columns_of_numbers(tmp_path: Path, flux: pyarrow.Array) -> None:
    found = read(tmp_path, columns(flux=flux, energy_mev=[7.0, 8.0]), "t.Parquet")
    assert found == {"energy_mev": [7.0, 8.0], "flux": [1.0, 2.0]}


def test_parquet_columns_of_text(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(columns(shell=["K", "L"], binding_ev=[1.0, 2.0]))
    found = read_table(tmp_path / "t.parquet", ("binding_ev",), text_columns=("shell",))
    assert found["shell"] == ["K", "L"]


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", npy(np.zeros((2, 2))))
    return file.getvalue()


TWO = np.array([(1.0, 2.0), (3.0, 4.0)], dtype=[("energy_mev", "f8"), ("flux", "f8")])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (zipped(), "not an array of numbers"),
        (b"", "not an array of numbers"),
        (npy(np.array([{}, {}], dtype=object), pickled=True), "not an array of numbers"),
        (npy(TWO).replace(b"flux", b"fl(x"), "no column 'flux'|column 'flux' is missing"),
        (npy(TWO).replace(b"'shape': (2,)", b"'shape': (2,\x84"), "not an array of numbers"),
        (npy(TWO).replace(b"'shape': (2,)", b"'shape': (9,)"), "not an array of numbers"),
        (npy(TWO).replace(b"'shape': (2,)", b"'shape': (1,)"), "whose header says"),
        (npy(TWO)[:-4], "not an array of numbers"),
        (npy(np.zeros(3)), "array of shape"),
        (npy(np.zeros((2, 2, 2))), "array of shape"),
        (npy(np.zeros((2, 2))), "array without names of its columns"),
        (npy(TWO.astype([("energy_mev", "c16"), ("flux", "f8")])), "does not hold numbers"),
        (npy(TWO.astype([("energy_mev", "?"), ("flux", "f8")])), "does not hold numbers"),
    ],
)
def test_arrays_that_are_no_table(tmp_path: Path, content: bytes, expected: str) -> None:
    message = refused(tmp_path, content, "t.npy")
    assert re.search(expected, message), message


@pytest.mark.parametrize(
    ("flux", "expected"),
    [
        (["a", "b"], "'flux' of type string does not hold numbers"),
        ([[1.0], [2.0]], "'flux' of type list.* does not hold numbers"),
        ([True, False], "'flux' of type bool does not hold numbers"),
        ([{"a": 1}, {"a": 2}], "does not hold numbers"),
        (pyarrow.array(["a", "b"]).dictionary_encode(), "does not hold numbers"),
        ([1.0, None], r"'flux' has no value \(.*row 2\)"),
        (pyarrow.array([1.0, None]).dictionary_encode(), r"'flux' has no value \(.*row 2\)"),
        ([1.0, float("nan")], r"flux is not a finite number \(.*row 2\)"),
    ],
)
def test_parquet_columns_that_are_no_numbers(tmp_path: Path, flux: object, expected: str) -> None:
    message = refused(tmp_path, columns(energy_mev=[1.0, 2.0], flux=flux), "t.parquet")
    assert re.search(expected, message), message


def test_damaged_parquet(tmp_path: Path) -> None:
    whole = columns(energy_mev=np.arange(1e4), flux=np.arange(1e4))
    assert "not a parquet file" in refused(tmp_path, whole[:-100], "t.parquet")
    hollow = whole[:100] + bytes(len(whole) - 2000) + whole[-1900:]
    assert "parquet file" in refused(tmp_path, hollow, "t.parquet")
