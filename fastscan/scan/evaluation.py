"""Files of arbitrary points: read in pieces, evaluated, written in pieces."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.inputs.binary_tables import BINARY_TABLES, BinaryTable, parquet_module
from fastscan.inputs.tables import reading
from fastscan.inputs.text_tables import TextTable, number
from fastscan.likelihoods import Chi2Function
from fastscan.storage.outputs import written
from fastscan.storage.paths import local_path
from fastscan.storage.replacement import check_format

__all__ = ["POINT_FORMATS", "Evaluated", "PointSource", "evaluate_points", "open_points"]

FloatArray = NDArray[np.float64]

POINT_FORMATS = (".npy", ".csv", ".parquet")
_FLAG = "out_of_range"
# Points held at a time: 14 MB for seven parameters.
_PIECE = 262_144


@dataclass(frozen=True)
class Evaluated:
    """How many points were evaluated.

    Attributes
    ----------
    points : int
    out_of_range : int
        Of these, points out of a parameter's range: chi2 is infinite there.
    overflowing : int
        Points in range whose counts overflow a double, as does chi2.
    """

    points: int
    out_of_range: int
    overflowing: int


class PointSource(Protocol):
    """A file of points: its columns, how many there are if that is known, and the points."""

    columns: tuple[str, ...]
    count: int | None

    def pieces(self) -> Iterator[FloatArray]:
        """Points in the file's order, shape (points, columns)."""


def open_points(path: str | Path, columns: Sequence[str] | None = None) -> PointSource:
    """Open a file of points.

    Parameters
    ----------
    path : path
        ``.npy`` of shape (points, columns) or structured, ``.parquet``, or a table of text with a
        line of names, as `fastscan.inputs.read_table` takes it.
    columns : sequence of str, optional
        Names of the columns of a ``.npy`` that has none of its own, or those to use of a file that
        has more.

    Raises
    ------
    InputError
        Missing, damaged, not a table of numbers, or without names.
    """
    path = local_path(path)
    names = tuple(columns or ())
    if path.suffix.lower() in BINARY_TABLES:
        return _Binary(path, names)
    return _Text(path, names)


def evaluate_points(
    chi2: Chi2Function,
    source: PointSource,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: Callable[[float, float], None] | None = None,
) -> Evaluated:
    """Evaluate all points of a file.

    A point out of a parameter's range has an infinite chi2, and so has one whose counts overflow a
    double. Where a point is out of range, the results have one more column before chi2,
    ``out_of_range``, which is 1 there and 0 elsewhere.

    Parameters
    ----------
    chi2 : Chi2Function
        Of the source's columns, in their order.
    source : PointSource
    out : path
        ``.npy`` holds chi2 alone; ``.csv`` and ``.parquet`` the points, flags if any, and chi2.
    overwrite : bool
        Replace a file that exists.
    progress : callable, optional
        Called with the number of points done and of all points, where that is known.

    Raises
    ------
    StoreError
        The output exists.
    InputError
        Unknown format, a point out of its range, or an output that can not be written.
    RunError
        The disk is full.
    """
    path = check_format(out, POINT_FORMATS, "results", overwrite=overwrite)
    writers: dict[str, Any] = {".npy": _write_npy, ".csv": _write_csv, ".parquet": _write_parquet}
    suffix = path.suffix.lower()
    found = None
    with written(path, overwrite=overwrite) as partial:
        if suffix != ".npy":
            with writers[suffix](partial, [*source.columns, "chi2"], source.count) as write:
                found = _evaluate(chi2, source, write, progress, flag=False)
        if found is None:
            columns = [*source.columns, *([] if suffix == ".npy" else [_FLAG]), "chi2"]
            with writers[suffix](partial, columns, source.count) as write:
                found = _evaluate(chi2, source, write, progress, flag=True)
    assert found is not None
    return found


def _evaluate(
    chi2: Chi2Function,
    source: PointSource,
    write: Callable[..., None],
    progress: Callable[[float, float], None] | None,
    *,
    flag: bool,
) -> Evaluated | None:
    """Evaluate all pieces; None at the first point that wants a flag where there are none."""
    done = outside = overflowing = 0
    for points in source.pieces():
        bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
        if bad.size:
            raise InputError(
                "point holds something that is not a finite number",
                where=f"point {done + int(bad[0]) + 1}",
                hint="correct or remove it",
            )
        out_of_range = ~chi2.in_range(points)
        if not flag and out_of_range.any():
            return None
        values = chi2(points)
        write(np.column_stack([points, *([out_of_range] if flag else []), values]))
        done += len(points)
        outside += int(out_of_range.sum())
        overflowing += int(np.isinf(values[~out_of_range]).sum())
        if progress is not None and source.count is not None:
            progress(done, source.count)
    return Evaluated(done, outside, overflowing)


class _Text:
    count: int | None = None

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path = path
        with reading(path), path.open("rb") as file:
            self.columns = tuple(TextTable(file, str(path)).names)
        if columns and columns != self.columns:
            raise InputError(
                f"--columns differ from the names in the file: {', '.join(self.columns)}",
                where=str(path),
                hint="leave --columns out",
            )

    def pieces(self) -> Iterator[FloatArray]:
        with reading(self._path), self._path.open("rb") as file:
            rows = TextTable(file, str(self._path)).rows()
            while piece := list(islice(rows, _PIECE)):
                yield self._numbers(piece)

    def _numbers(self, rows: list[tuple[int, list[str]]]) -> FloatArray:
        text = [cells for _, cells in rows]
        try:
            # As `number` reads each cell, but all at once.
            words = ",".join(map(",".join, text))
            if words.isascii() and "_" not in words:
                return np.array(text, dtype=float)
        except ValueError:
            pass
        return np.array(
            [
                [
                    number(cell, name, f"{self._path}, line {line}")
                    for name, cell in zip(self.columns, cells, strict=True)
                ]
                for line, cells in rows
            ]
        )


class _Binary:
    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        with reading(path):
            self._table: BinaryTable = BINARY_TABLES[path.suffix.lower()](path, str(path))
        self.columns = columns or self._table.names
        self.count: int | None = self._table.count
        self._table.check(self.columns)

    def pieces(self) -> Iterator[FloatArray]:
        return self._table.pieces(self.columns, _PIECE)


@contextmanager
def _write_npy(
    path: Path, columns: Sequence[str], count: int | None
) -> Iterator[Callable[[FloatArray], None]]:
    with path.open("wb") as file:
        done = 0

        def header(count: int) -> None:
            shape = {"descr": "<f8", "fortran_order": False, "shape": (count,)}
            np.lib.format.write_array_header_1_0(file, shape)

        # The header has the same length for any count, so that it can be written again at the end.
        header(count or 0)

        def write(rows: FloatArray) -> None:
            nonlocal done
            file.write(np.ascontiguousarray(rows[:, -1], dtype="<f8").data)
            done += len(rows)

        yield write
        file.seek(0)
        header(done)


@contextmanager
def _write_csv(
    path: Path, columns: Sequence[str], count: int | None
) -> Iterator[Callable[[FloatArray], None]]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        flag = columns.index(_FLAG) if _FLAG in columns else None

        def write(rows: FloatArray) -> None:
            # repr of a float reads back to the same bits.
            cells: list[list[float]] = rows.tolist()
            if flag is not None:
                for row in cells:
                    row[flag] = int(row[flag])
            writer.writerows(cells)

        yield write


@contextmanager
def _write_parquet(
    path: Path, columns: Sequence[str], count: int | None
) -> Iterator[Callable[[FloatArray], None]]:
    parquet = parquet_module()
    import pyarrow

    types = [pyarrow.uint8() if name == _FLAG else pyarrow.float64() for name in columns]
    schema = pyarrow.schema(list(zip(columns, types, strict=True)))
    with parquet.ParquetWriter(path, schema) as writer:

        def write(rows: FloatArray) -> None:
            own = [
                pyarrow.array(np.ascontiguousarray(column)).cast(of)
                for column, of in zip(rows.T, types, strict=True)
            ]
            writer.write_batch(pyarrow.record_batch(own, schema=schema))

        yield write
