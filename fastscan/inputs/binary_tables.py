"""Tables as numpy arrays and parquet: opened, checked, and read in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError

__all__ = ["BINARY_TABLES", "BinaryTable", "NpyTable", "ParquetTable", "parquet_module"]

FloatArray = NDArray[np.float64]

_MAGIC = b"\x93NUMPY"


class BinaryTable(Protocol):
    """Columns with names and a number of rows that are known before they are read.

    Attributes
    ----------
    names : tuple of str
        Empty if the file does not name its columns.
    width, count : int
        Number of columns and of rows.
    """

    names: tuple[str, ...]
    width: int
    count: int

    def check(self, columns: Sequence[str]) -> None:
        """Check that columns can be read as numbers.

        Raises
        ------
        InputError
            One is missing or does not hold numbers, or there are no names to find it by.
        """

    def pieces(self, columns: Sequence[str], rows: int) -> Iterator[FloatArray]:
        """Columns that were checked, so many rows at a time, each of shape (rows, columns).

        Raises
        ------
        InputError
            A value is missing, or the file is damaged.
        """

    def texts(self, column: str) -> list[str]:
        """A column of text, whole.

        Raises
        ------
        InputError
            It is missing or not text.
        """


class NpyTable:
    """A ``.npy`` file: a matrix, or a structured array with named columns.

    Parameters
    ----------
    source : path or bytes
        A file, which is mapped into memory, or its content.
    label : str
        For messages.

    Raises
    ------
    InputError
        Not such a file, damaged, of another dimension or not of numbers.
    """

    def __init__(self, source: Path | bytes, label: str) -> None:
        self._label = label
        array = self._array = _array(source, label)
        fields = array.dtype.names
        self.names: tuple[str, ...] = fields or ()
        if array.ndim != (1 if fields else 2):
            raise InputError(
                f"array of shape {array.shape}",
                where=label,
                hint="give one row for each point and one column for each quantity",
            )
        self.count = int(array.shape[0])
        self.width = len(fields) if fields else int(array.shape[1])

    def check(self, columns: Sequence[str]) -> None:
        """See `BinaryTable`; an array without names must have as many columns."""
        if not self.names:
            if len(columns) != self.width:
                raise InputError(
                    f"array of shape {self._array.shape}, {len(columns)} names",
                    where=self._label,
                    hint="give one row a point, and --columns with a name for each column",
                )
            self._check_type(self._array.dtype, "array")
            return
        for column in columns:
            _check_name(column, self.names, self._label)
            self._check_type(self._array.dtype[column], f"column {column!r}")

    def pieces(self, columns: Sequence[str], rows: int) -> Iterator[FloatArray]:
        """See `BinaryTable`."""
        for start in range(0, self.count, rows):
            part = self._array[start : start + rows]
            if self.names:
                yield np.stack([part[column].astype(float) for column in columns], axis=1)
            else:
                yield np.asarray(part, dtype=float)

    def texts(self, column: str) -> list[str]:
        """See `BinaryTable`."""
        _check_name(column, self.names, self._label)
        if self._array.dtype[column].kind != "U":
            raise InputError(f"column {column!r} is not text", where=self._label, hint="write text")
        return [str(value) for value in self._array[column]]

    def _check_type(self, dtype: np.dtype[Any], what: str) -> None:
        if dtype.kind not in "fiu" or dtype.shape:
            raise InputError(
                f"{what} of type {dtype} does not hold numbers",
                where=self._label,
                hint="write it as numpy.save of floats or integers",
            )


class ParquetTable:
    """A parquet file whose columns are numbers.

    Parameters
    ----------
    source : path or bytes
    label : str
        For messages.

    Raises
    ------
    InputError
        Not such a file, or pyarrow is not there.
    """

    def __init__(self, source: Path | bytes, label: str) -> None:
        parquet = parquet_module()
        self._label = label
        try:
            content = BytesIO(source) if isinstance(source, bytes) else source
            self._file = parquet.ParquetFile(content)
            self._schema = self._file.schema_arrow
            self.names: tuple[str, ...] = tuple(self._schema.names)
            self.count = int(self._file.metadata.num_rows)
        except Exception as error:  # pyarrow raises many kinds for a file that is none of its own
            raise InputError("not a parquet file", where=label, hint="write it again") from error
        self.width = len(self.names)

    def check(self, columns: Sequence[str]) -> None:
        """See `BinaryTable`."""
        import pyarrow

        types = pyarrow.types
        for column in columns:
            kind = self._kind(column)
            if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
                raise InputError(
                    f"column {column!r} of type {kind} does not hold numbers",
                    where=self._label,
                    hint="write it as floats or integers",
                )

    def pieces(self, columns: Sequence[str], rows: int) -> Iterator[FloatArray]:
        """See `BinaryTable`."""
        done = 0
        for batch in self._batches(columns, rows):
            values = []
            for column in columns:
                cells = batch.column(column)
                if cells.null_count:
                    row = done + 1 + cells.is_null().to_pylist().index(True)
                    raise InputError(
                        f"column {column!r} has no value",
                        where=f"{self._label}, row {row}",
                        hint="leave the row out",
                    )
                values.append(np.asarray(cells.to_numpy(zero_copy_only=False), dtype=float))
            done += batch.num_rows
            yield np.stack(values, axis=1)

    def texts(self, column: str) -> list[str]:
        """See `BinaryTable`."""
        import pyarrow

        kind = self._kind(column)
        if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            raise InputError(f"column {column!r} is not text", where=self._label, hint="write text")
        return [
            "" if value is None else value
            for batch in self._batches([column], max(self.count, 1))
            for value in batch.column(column).to_pylist()
        ]

    def _kind(self, column: str) -> Any:
        import pyarrow

        _check_name(column, self.names, self._label)
        kind = self._schema.field(column).type
        return kind.value_type if pyarrow.types.is_dictionary(kind) else kind

    def _batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        import pyarrow

        try:
            for batch in self._file.iter_batches(rows, columns=list(columns)):
                arrays = [
                    cells.dictionary_decode() if pyarrow.types.is_dictionary(cells.type) else cells
                    for cells in (batch.column(column) for column in columns)
                ]
                yield pyarrow.record_batch(arrays, names=list(columns))
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(
                "damaged parquet file", where=self._label, hint="write it again"
            ) from error


# By suffix, in lower case; every other one is that of a table of text.
BINARY_TABLES: Mapping[str, type[NpyTable | ParquetTable]] = {
    ".npy": NpyTable,
    ".parquet": ParquetTable,
}


def parquet_module() -> Any:
    """The part of pyarrow that reads and writes parquet.

    Raises
    ------
    InputError
        It is not there.
    """
    try:
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            "parquet files need pyarrow",
            where="parquet",
            hint="pip install 'fastscan[parquet]', or use .npy or .csv",
        ) from None
    return parquet


def _array(source: Path | bytes, label: str) -> NDArray[Any]:
    """The array, if the file is exactly as long as its header says."""
    array: NDArray[Any]
    try:
        if isinstance(source, bytes):
            start, size = source[: len(_MAGIC)], len(source)
        else:
            with source.open("rb") as file:
                start = file.read(len(_MAGIC))
            size = source.stat().st_size
        if start != _MAGIC:
            raise ValueError("a zip or a pickle, which numpy would open, too")
        if isinstance(source, bytes):
            stream = BytesIO(source)
            array = np.load(stream, allow_pickle=False)
            end = stream.tell()
        else:
            array = mapped = np.load(source, mmap_mode="r", allow_pickle=False)
            end = mapped.offset + mapped.nbytes
    except Exception as error:  # numpy evaluates the header, and raises what its text makes it
        raise InputError(
            "not an array of numbers", where=label, hint="write it with numpy.save"
        ) from error
    if end != size:
        raise InputError(
            f"file of {size} bytes whose header says {end}",
            where=label,
            hint="it is damaged: write it again with numpy.save",
        )
    return array


def _check_name(column: str, names: Sequence[str], label: str) -> None:
    if names.count(column) != 1:
        missing = column not in names
        raise InputError(
            f"no column {column!r}" if missing else f"column {column!r} is there twice",
            where=label,
            hint=f"it has: {', '.join(names)}" if missing else "keep one",
        )
