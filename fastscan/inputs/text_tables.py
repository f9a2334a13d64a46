"""Tables as text: decoded, split into cells and numbered, one row after another."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from fastscan.exceptions import InputError

__all__ = ["TextTable", "decode", "empty_table", "is_comment", "number", "text_lines"]

# A longer line is no row of a table; reading it whole could fill the memory.
_LONGEST_LINE = 1_000_000
_MARK = b"\xef\xbb\xbf"
_SEPARATORS = (",", ";", "\t")
_BLANK = " "


class TextTable:
    """A table with a row of names, read row by row.

    Cells are separated by commas, semicolons, tabs or blanks, as in the row of names, and may be
    quoted. Empty lines and lines that start with ``#`` are passed over, wherever they stand.

    Parameters
    ----------
    file : binary file
        At its start.
    label : str
        For messages.

    Attributes
    ----------
    label : str
    names : list of str
    names_line : int
        Where they stand.

    Raises
    ------
    InputError
        No row of names, or see `rows`.
    """

    def __init__(self, file: BinaryIO, label: str) -> None:
        self.label = label
        lines = text_lines(file, label)
        above = 0
        for line in lines:
            if line.strip() and not is_comment(line):
                self._separator = _separator(line)
                cells = self._cells(chain([line], lines))
                break
            above += 1
        else:
            raise empty_table(label)
        self._above, self._rows = above, cells
        number_of_names, names = next(cells, (0, []))
        if not names:
            raise empty_table(label)
        self.names_line = above + number_of_names
        self.names = [name.strip() for name in names]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number of the line and cells of each row, which may end with blanks; once.

        Raises
        ------
        InputError
            A line is not UTF-8, holds NUL bytes, an open quote or another number of cells than
            there are names.
        """
        width, above = len(self.names), self._above
        for line, cells in self._rows:
            if len(cells) != width:
                raise InputError(
                    f"{len(cells)} values under {width} columns",
                    where=f"{self.label}, line {above + line}",
                    hint="separate values like the names above them, decimals by points",
                )
            yield above + line, cells

    def _cells(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        blanks = self._separator == _BLANK
        reader = csv.reader(
            ("" if is_comment(line) else _plain(line) if blanks else line for line in lines),
            delimiter=self._separator,
            skipinitialspace=True,
            strict=True,
        )
        read = 0
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise self._quote(read + 1) from error
            if cells is None:
                return
            read += 1
            if reader.line_num != read:
                raise self._quote(read)
            if any(cells):
                yield read, cells

    def _quote(self, line: int) -> InputError:
        return InputError(
            "a quote is not closed, or text follows it",
            where=f"{self.label}, line {self._above + line}",
            hint='write "…" around a whole value, and "" for a quote inside',
        )


def text_lines(file: BinaryIO, label: str) -> Iterator[str]:
    """Lines of a UTF-8 text file, with or without a byte order mark, without their ends.

    Raises
    ------
    InputError
        A line is not UTF-8, holds NUL bytes or has no end.
    """
    count = 0
    while content := file.readline(_LONGEST_LINE):
        if count == 0:
            content = content.removeprefix(_MARK)
        if len(content) == _LONGEST_LINE:
            raise InputError(
                f"a line of more than {_LONGEST_LINE} characters",
                where=f"{label}, line {count + 1}",
                hint="give a table of text, one row a line",
            )
        content = content.removesuffix(b"\n").removesuffix(b"\r")
        # A carriage return alone ends a line, too.
        for piece in content.split(b"\r") if b"\r" in content else (content,):
            count += 1
            try:
                line = piece.decode()
            except UnicodeDecodeError as error:
                raise _not_text(f"{label}, line {count}") from error
            if "\0" in line:
                raise InputError(
                    "NUL bytes, as UTF-16 and binary files have",
                    where=f"{label}, line {count}",
                    hint="save it as UTF-8",
                )
            yield line


def decode(content: bytes, label: str) -> str:
    """UTF-8 text of a file, with or without a byte order mark."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _not_text(f"{label}, line {line}") from error


def is_comment(line: str) -> bool:
    """Whether a line is one of words alone."""
    return "#" in line and line.lstrip().startswith("#")


def number(cell: str, column: str, where: str) -> float:
    """The finite number in a cell.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        # Python takes 1_0 for ten, and digits of any script; in a table both are slips.
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{column} is {cell!r}", where=where, hint="give a finite number, decimals by a point"
        )
    return value


def _separator(names: str) -> str:
    """The first of the separators outside quotes in the row of names; blanks if there is none."""
    outside = "".join(names.split('"')[::2])
    return next((character for character in outside if character in _SEPARATORS), _BLANK)


def _plain(line: str) -> str:
    return line.replace("\t", _BLANK).strip()


def _not_text(where: str) -> InputError:
    return InputError("not a UTF-8 text file", where=where, hint="save it as UTF-8")


def empty_table(label: str) -> InputError:
    """The error for a table of no rows."""
    return InputError(
        "empty table", where=label, hint="give a row of names and at least one row of values"
    )
