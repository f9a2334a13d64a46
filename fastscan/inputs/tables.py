"""CSV tables: read once, hashed, checked, and every failure named by file and line."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.shipped import read_shipped
from fastscan.storage.paths import local_path

__all__ = ["DataFile", "FloatArray", "IntArray", "Table", "read_bytes", "read_csv", "read_only"]

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
    """Columns of a CSV file, with the line each row came from.

    Attributes
    ----------
    label : str
        File name, for messages.
    lines : tuple of int
        Line number of each row.
    numbers : mapping of str to ndarray, shape (rows,)
        Numeric columns, read-only.
    texts : mapping of str to list of str
        Text columns.
    """

    label: str
    lines: tuple[int, ...]
    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, list[str]]

    def __getitem__(self, column: str) -> FloatArray:
        return self.numbers[column]

    def require(self, holds: NDArray[np.bool_], what: str, hint: str = "correct the row") -> None:
        """Raise an `InputError` that names the first line where the condition does not hold."""
        if not holds.all():
            line = self.lines[int(np.argmin(holds))]
            raise InputError(what, where=f"{self.label}, line {line}", hint=hint)

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
        """Parse the content as CSV; see `read_csv`."""
        return _parse(self.content, str(self.path), tuple(columns), tuple(text_columns))


def read_bytes(path: Path) -> bytes:
    """Content of a file; an `InputError` in place of any `OSError`."""
    try:
        # Reading from a pipe or a terminal could wait for ever.
        if path.is_fifo() or path.is_socket() or path.is_char_device():
            raise InputError("not a regular file", where=str(path), hint="name a file on disk")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), hint="check the name and the folder"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"can not be read: {reason}", where=str(path), hint="check name and permissions"
        ) from error


def read_csv(
    path: str | Path, columns: Sequence[str], *, text_columns: Sequence[str] = ()
) -> dict[str, FloatArray | list[str]]:
    """Read columns of a CSV file with a header row; lines that start with ``#`` are comments.

    Parameters
    ----------
    path : str or path
        The file, UTF-8.
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


def decode(content: bytes, label: str) -> str:
    """UTF-8 text of a file, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "not a UTF-8 text file", where=f"{label}, line {line}", hint="save it as UTF-8"
        ) from error


# The same few tables are asked for many times; content and label are all the answer depends on.
@lru_cache(maxsize=64)
def _parse(
    content: bytes, label: str, columns: tuple[str, ...], text_columns: tuple[str, ...]
) -> Table:
    reader = csv.reader(
        "" if line.lstrip().startswith("#") else line
        for line in decode(content, label).splitlines()
    )
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise InputError(str(error), where=f"{label}, line {reader.line_num}") from error
    if len(rows) < 2:
        raise InputError(
            "empty table", where=label, hint="give a header row and at least one row of values"
        )
    header_line, header = rows.pop(0)
    wanted = tuple(dict.fromkeys((*columns, *text_columns)))
    for column in wanted:
        _check_column(column, header, f"{label}, line {header_line}")
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(
                f"{len(cells)} values under {len(header)} columns",
                where=f"{label}, line {line}",
                hint="separate values by commas, decimals by points",
            )
    lines = tuple(line for line, _ in rows)
    cells_of = {name: [cells[header.index(name)] for _, cells in rows] for name in wanted}
    texts = {name: cells_of[name] for name in text_columns}
    numbers = {
        name: read_only(
            [
                _number(cell, name, f"{label}, line {line}")
                for line, cell in zip(lines, cells_of[name], strict=True)
            ]
        )
        for name in wanted
        if name not in texts
    }
    return Table(label, lines, numbers, texts)


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


def _number(cell: str, column: str, where: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"{column} is {cell!r}", where=where, hint="give a finite number, decimals by a point"
        )
    return number
