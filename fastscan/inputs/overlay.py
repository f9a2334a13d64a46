"""Curves of others in a plane of two parameters, from CSV files with a few words on top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs.tables import DataFile
from fastscan.inputs.text_tables import TextTable, text_lines
from fastscan.storage.paths import local_path

__all__ = ["Overlay", "OverlayStyle"]

FloatArray = NDArray[np.float64]
OverlayStyle = Literal["line", "region"]

_STYLES = ("line", "region")
_WORDS = ("label", "source", "style", "model")
_WORD = re.compile(rf"\s*#\s*({'|'.join(_WORDS)})\s*:\s*(.*?)\s*")
_CELL = re.compile(r"(?P<name>[^\[\]]*?)\s*(?:\[(?P<unit>[^\[\]]*)\])?")
_PIECE = "line"
# Points that a piece needs to show.
_LEAST_POINTS = {"line": 2, "region": 3}


@dataclass(frozen=True)
class Overlay:
    """A limit curve or a region of other work, to lie under one's own.

    Its file starts with comment lines ``# label: …`` (for the legend, with mathtext between dollar
    signs) and ``# source: …``, and may have ``# style: line`` or ``region``, and ``# model: NAME``,
    for which it was made. Its columns are named after two parameters of a scan and are in their
    units, which may stand behind the names in brackets. A blank line, or a new number in a column
    ``line``, starts a new piece; a contour that fastscan has written is such a file.

    Attributes
    ----------
    path : pathlib.Path
    label, source : str
    style : {"line", "region"}
    model : str
        Name of a model; empty if the file does not say.
    """

    path: Path
    label: str
    source: str
    style: OverlayStyle
    model: str
    _file: DataFile

    @classmethod
    def read(cls, path: str | Path) -> Overlay:
        """Read a file; its columns are checked by `pieces`.

        Raises
        ------
        InputError
            It can not be read, or its comment lines lack a word or hold one twice.
        """
        file = DataFile.read(local_path(path))
        words = _words(text_lines(BytesIO(file.content), str(path)), str(path))
        for word in ("label", "source"):
            if not words.get(word):
                raise InputError(
                    f"comment line '# {word}:' is missing",
                    where=str(path),
                    hint=f"add it at the top, as in '# {word}: {_EXAMPLES[word]}'",
                )
        style = words.get("style", "line")
        if style not in _STYLES:
            raise unknown_name("style", style, _STYLES, where=f"{path}, '# style:'")
        # A contour of fastscan adds the model's options in brackets.
        model = words.get("model", "").partition(" ")[0]
        return cls(
            file.path, words["label"], words["source"], cast(OverlayStyle, style), model, file
        )

    def pieces(self, units: Mapping[str, str]) -> list[FloatArray]:
        """Points of each connected piece, shape (points, 2), in the order of ``units``.

        Parameters
        ----------
        units : mapping of str to str
            Names of the two parameters, and the unit that the numbers must be in.

        Raises
        ------
        InputError
            A column is missing, there twice or in another unit, a value is no finite number, or a
            piece has too few points.
        """
        columns = self._columns(units)
        extra = [_PIECE] if _PIECE in self._header() else []
        table = self._file.table((*columns, *extra))
        points = np.column_stack([table[column] for column in columns])
        blank = self._blank_lines()
        starts = [
            i
            for i, (before, after) in enumerate(pairwise(table.lines), start=1)
            if any(line in blank for line in range(before + 1, after))
            or (extra and table[_PIECE][i] != table[_PIECE][i - 1])
        ]
        pieces = np.split(points, starts)
        for first, piece in zip([0, *starts], pieces, strict=True):
            if len(piece) < _LEAST_POINTS[self.style]:
                raise InputError(
                    f"a {self.style} of {len(piece)} point{'s' * (len(piece) > 1)}",
                    where=f"{self.path}, line {table.lines[first]}",
                    hint=f"give {_LEAST_POINTS[self.style]} or more, with no blank line between",
                )
        return pieces

    def _columns(self, units: Mapping[str, str]) -> list[str]:
        """The header's own words for the parameters, units in brackets and all."""
        found = {}
        for cell in self._header():
            match = _CELL.fullmatch(cell)
            if match is None or match["name"] not in units:
                continue
            name, unit = match["name"], match["unit"]
            if name in found:
                raise InputError(
                    f"column {name!r} is there twice", where=str(self.path), hint="keep one"
                )
            if unit is not None and unit.strip() != units[name]:
                raise InputError(
                    f"column {name!r} is in {unit.strip()!r}, not in {units[name]!r}",
                    where=str(self.path),
                    hint=f"convert it and write {name} or '{name} [{units[name]}]'",
                )
            found[name] = cell
        return [found.get(name, name) for name in units]

    def _header(self) -> list[str]:
        return TextTable(BytesIO(self._file.content), str(self.path)).names

    def _blank_lines(self) -> set[int]:
        return {
            number
            for number, line in enumerate(
                text_lines(BytesIO(self._file.content), str(self.path)), start=1
            )
            if not line.strip(",; \t")
        }


_EXAMPLES = {"label": "COHERENT CsI", "source": "arXiv:2211.11905, fig. 5"}


def _words(lines: Iterable[str], path: str) -> dict[str, str]:
    words: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _WORD.fullmatch(line)
        if match is None:
            continue
        word, text = match.groups()
        if word in words:
            raise InputError(
                f"comment line '# {word}:' is there twice",
                where=f"{path}, line {number}",
                hint="keep one",
            )
        words[word] = text
    return words
