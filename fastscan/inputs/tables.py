"""Tables: read once, hashed, checked, and every failure named by file and line."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.binary_tables import BINARY_TABLES, BinaryTable
from fastscan.inputs.shipped import read_shipped
from fastscan.inputs.text_tables import TextTable, decode, empty_table, number
from fastscan.storage.paths import local_path

__all__ = [
    "DataFile",
    "FloatArray",
    "IntArray",
    "Table",
    "decode",
    "read_bytes",
    "read_only",
    "read_table",
    "reading",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHIPPED_PREFIX = "shipped:"
ENERGY_UNITS = frozenset({"ev", "kev", "mev", "gev"})


def read_only(values: Any, dtype: type = np.float64) -> NDArray[Any]:
    """Copy of the values as an array that can not be written to."""
    array: NDArray[Any] = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a file, with the line each row came from.

    Attributes
    ----------
    label : str
        File name, for messages.
    lines : tuple of int
        Number of the line of each row; of the row itself in a binary file.
    numbers : mapping of str to ndarray, shape (rows,)
        Numeric columns, read-only.
    texts : mapping of str to list of str
        Text columns.
    place : str
        What ``lines`` counts, for messages.
    """

    label: str
    lines: tuple[int, ...]
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, list[str]]
    place: str = "line"

    def __getitem__(self, column: str) -> FloatArray:
        return self.numbers[column]

    def require(self, holds: NDArray[np.bool_], what: str, hint: str = "correct the row") -> None:
        """Raise an `InputError` that names the first line where the condition does not hold."""
        if not holds.all():
            line = self.lines[int(np.argmin(holds))]
            raise InputError(what, where=f"{self.label}, {self.place} {line}", hint=hint)

    def require_increasing(self, column: str) -> None:
        """Raise an `InputError` unless the column increases strictly from row to row."""
        steps = np.diff(self[column], prepend=-np.inf)
        self.require(steps > 0, f"{column} does not increase", "sort the rows, drop repeated ones")

    def require_sum(self, column: str, total: float, tolerance: float, hint: str) -> None:
        """Raise an `InputError` unless the column adds up."""
        found = math.fsum(self[column])
        if abs(found - total) > tolerance:
            raise InputError(
                f"{column} adds up to {found:.6g} instead of {total:g}",
                where=self.label,
                hint=hint,
            )


@dataclass(frozen=True)
class DataFile:
    """A data file as it was when it was read.

    Attributes
    ----------
    path : pathlib.Path
        Where it was read from.
    sha256 : str
        Hash of its bytes.
    content : bytes
        The bytes themselves; tables are parsed from these, so hash and numbers always agree.
    """

    path: Path
    sha256: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> DataFile:
        """Read a file; an `InputError` if that can not be done."""
        return cls._of(path, read_bytes(path))

    @classmethod
    def made(cls, name: str, text: str) -> DataFile:
        """A table that was computed: validated and hashed like a file, the name for messages."""
        return cls._of(Path(name), text.encode())

    @classmethod
    def shipped(cls, name: str) -> DataFile:
        """Read a shipped file and verify it against the manifest."""
        return cls._of(*read_shipped(name))

    @classmethod
    def refer(cls, reference: str, folder: Path) -> DataFile:
        """Read the file an experiment refers to.

        Parameters
        ----------
        reference : str
            ``shipped:NAME``, or a path relative to the folder that stays inside it.
        folder : pathlib.Path
            Folder of the experiment's TOML file.

        Raises
        ------
        InputError
            If the reference leads out of the folder or the file can not be read.
        """
        if reference.startswith(SHIPPED_PREFIX):
            return cls.shipped(reference.removeprefix(SHIPPED_PREFIX))
        try:
            path = (folder / reference).resolve()
            inside = path.is_relative_to(folder.resolve()) and ".." not in Path(reference).parts
        except (OSError, ValueError, RuntimeError):  # NUL bytes, endless links
            inside = False
        if not inside or Path(reference).is_absolute():
            raise InputError(
                f"{reference!r} is not a file inside the folder of the TOML file",
                hint="put the file beside the TOML file and give its relative path",
            )
        return cls.read(folder / local_path(reference))

    @classmethod
    def _of(cls, path: Path, content: bytes) -> DataFile:
        return cls(path, hashlib.sha256(content).hexdigest(), content)

    def table(self, columns: Sequence[str], text_columns: Sequence[str] = ()) -> Table:
        """Parse the content, see `read_table`."""
        return _parse(self.content, str(self.path), tuple(columns), tuple(text_columns))


def read_bytes(path: Path) -> bytes:
    """Content of a file; an `InputError` in place of any `OSError`."""
    with reading(path):
        return path.read_bytes()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Check that a file is one on disk, and turn any `OSError` of reading it into an `InputError`.

    Raises
    ------
    InputError
        It is missing, a pipe, a folder, or may not be read.
    """
    try:
        # Reading from a pipe or a terminal could wait for ever.
        if path.is_fifo() or path.is_socket() or path.is_char_device():
            raise InputError("not a regular file", where=str(path), hint="name a file on disk")
        yield
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), hint="check the name and the folder"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"can not be read: {reason}", where=str(path), hint="check name and permissions"
        ) from error


def read_table(
    path: str | Path, columns: Sequence[str], *, text_columns: Sequence[str] = ()
) -> dict[str, FloatArray | list[str]]:
    """Read columns of a table.

    Parameters
    ----------
    path : str or path
        Text, UTF-8, with a row of names, its cells separated by commas, semicolons, tabs or
        blanks; lines that start with ``#`` are comments. Or ``.npy``, a structured array, or
        ``.parquet``.
    columns : sequence of str
        Columns that must be there; others are ignored.
    text_columns : sequence of str, optional
        Columns returned as text; all others must hold finite numbers.

    Returns
    -------
    dict
        Read-only float arrays, shape (rows,), and lists of text, by column name.

    Raises
    ------
    InputError
        If the file can not be read, is not UTF-8, is empty, lacks a column or holds a value that
        is no finite number; the message names file and line.
    """
    table = DataFile.read(local_path(path)).table(columns, text_columns)
    return {**table.numbers, **{name: list(texts) for name, texts in table.texts.items()}}


# The same few tables are asked for many times; content and label are all the answer depends on.
@lru_cache(maxsize=64)
def _parse(
    content: bytes, label: str, columns: tuple[str, ...], text_columns: tuple[str, ...]
) -> Table:
    binary = BINARY_TABLES.get(Path(label).suffix.lower())
    if binary is not None:
        return _of_binary(binary(content, label), label, columns, text_columns)
    return _of_text(TextTable(BytesIO(content), label), label, columns, text_columns)


def _of_text(
    source: TextTable, label: str, columns: tuple[str, ...], text_columns: tuple[str, ...]
) -> Table:
    wanted = tuple(dict.fromkeys((*columns, *text_columns)))
    for column in wanted:
        _check_column(column, source.names, f"{label}, line {source.names_line}")
    rows = list(source.rows())
    if not rows:
        raise empty_table(label)
    lines = tuple(line for line, _ in rows)
    places = {name: source.names.index(name) for name in wanted}
    cells_of = {n: [cells[place].strip() for _, cells in rows] for n, place in places.items()}
    numbers = {
        name: read_only(
            [
                number(cell, name, f"{label}, line {line}")
                for line, cell in zip(lines, cells_of[name], strict=True)
            ]
        )
        for name in wanted
        if name not in text_columns
    }
    return Table(label, lines, numbers, {name: cells_of[name] for name in text_columns})


def _of_binary(
    source: BinaryTable, label: str, columns: tuple[str, ...], text_columns: tuple[str, ...]
) -> Table:
    names = tuple(dict.fromkeys(name for name in columns if name not in text_columns))
    if not source.names:
        raise InputError(
            "array without names of its columns",
            where=label,
            hint=f"write a table of text with the columns {', '.join((*names, *text_columns))}, "
            "or a structured array",
        )
    for column in (*names, *text_columns):
        _check_column(column, list(source.names), label)
    if not source.count:
        raise empty_table(label)
    source.check(names)
    values = np.concatenate([*source.pieces(names, source.count)]) if names else np.empty((0, 0))
    lines = tuple(range(1, source.count + 1))
    numbers = {name: read_only(values[:, i]) for i, name in enumerate(names)}
    table = Table(
        label, lines, numbers, {name: source.texts(name) for name in text_columns}, place="row"
    )
    for name in names:
        table.require(
            np.isfinite(table[name]), f"{name} is not a finite number", "correct the value"
        )
    return table


def _check_column(column: str, header: list[str], where: str) -> None:
    if header.count(column) == 1:
        return
    if column in header:
        raise InputError(f"column {column!r} is there twice", where=where, hint="keep one")
    quantity, _, unit = column.rpartition("_")
    for found in header:
        other_quantity, _, other_unit = found.lower().rpartition("_")
        if other_quantity == quantity and unit != other_unit and {unit, other_unit} <= ENERGY_UNITS:
            raise InputError(
                f"column {column!r} is missing: the unit of {found!r} is wrong",
                where=where,
                hint=f"convert the column to {unit} and name it {column!r}",
            )
    raise InputError(
        f"column {column!r} is missing",
        where=where,
        hint=f"columns found: {', '.join(header)}",
    )
