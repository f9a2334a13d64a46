"""Files of arbitrary points: read in pieces, evaluated, written in pieces."""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError
from fastscan.likelihoods import Chi2Function
from fastscan.scan.files import check_free, write_failure

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
        ``.npy`` of shape (points, columns), ``.csv`` with a line of names, or ``.parquet``.
    columns : sequence of str, optional
        Names of the columns of a ``.npy``, which has none of its own.

    Raises
    ------
    InputError
        Missing, of another format, empty, or without names.
    """
    path = Path(path)
    readers: dict[str, Any] = {".npy": _Npy, ".csv": _Csv, ".parquet": _Parquet}
    if path.suffix not in readers:
        raise InputError(
            f"unknown format {path.suffix!r} of points",
            where=str(path),
            hint=f"give one of: {', '.join(POINT_FORMATS)}",
        )
    if not path.is_file():
        raise InputError("no such file of points", where=str(path), hint="check the name")
    source: PointSource = readers[path.suffix](path, tuple(columns or ()))
    return source


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
        Unknown format, a point that is not finite, or an output that can not be written.
    RunError
        The disk is full.
    """
    path = Path(out)
    check_free(path, overwrite=overwrite)
    writers: dict[str, Any] = {".npy": _write_npy, ".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix not in writers:
        raise InputError(
            f"unknown format {path.suffix!r} of results",
            where=str(path),
            hint=f"end its name with one of: {', '.join(POINT_FORMATS)}",
        )
    partial = path.with_name(f".{path.name}-{uuid.uuid4().hex}.partial")
    try:
        found = None
        if path.suffix != ".npy":
            with writers[path.suffix](partial, [*source.columns, "chi2"], source.count) as write:
                found = _evaluate(chi2, source, write, progress, flag=False)
        if found is None:
            columns = [*source.columns, *([] if path.suffix == ".npy" else [_FLAG]), "chi2"]
            with writers[path.suffix](partial, columns, source.count) as write:
                found = _evaluate(chi2, source, write, progress, flag=True)
        os.replace(partial, path)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        partial.unlink(missing_ok=True)
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


class _Npy:
    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        try:
            self._array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(
                "not an array of numbers", where=str(path), hint="write it with numpy.save"
            ) from error
        shape = self._array.shape
        if len(shape) != 2 or self._array.dtype.kind not in "fiu" or shape[1] != len(columns):
            raise InputError(
                f"array of shape {shape} and type {self._array.dtype}, {len(columns)} names",
                where=str(path),
                hint="give one row a point, and --columns with a name for each column",
            )
        self.columns, self.count = columns, shape[0]

    def pieces(self) -> Iterator[FloatArray]:
        for start in range(0, self.count, _PIECE):
            yield np.asarray(self._array[start : start + _PIECE], dtype=float)


class _Csv:
    count = None

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._path = path
        with path.open(encoding="utf-8", newline="") as file:
            head = next((line for line in file if line.strip() and line[0] != "#"), "")
        self.columns = tuple(name.strip() for name in head.split(","))
        if columns and columns != self.columns:
            raise InputError(
                f"--columns differ from the names in the file: {', '.join(self.columns)}",
                where=str(path),
                hint="leave --columns out",
            )

    def pieces(self) -> Iterator[FloatArray]:
        with self._path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(line for line in file if line.strip() and line[0] != "#")
            next(rows, None)
            first = 1
            while lines := list(islice(rows, _PIECE)):
                try:
                    piece = np.array(lines, dtype=float)
                    # Python takes 1_0 for ten; in a table it is a slip.
                    if "_" in ",".join(map(",".join, lines)):
                        raise ValueError
                    if piece.shape != (len(lines), len(self.columns)):
                        raise ValueError
                except ValueError:
                    number = first + _first_bad(lines, len(self.columns))
                    raise InputError(
                        f"line is not {len(self.columns)} numbers",
                        where=f"{self._path}, point {number}",
                        hint="hint or remove it",
                    ) from None
                first += len(lines)
                yield piece


class _Parquet:
    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        parquet = _pyarrow()
        try:
            self._file = parquet.ParquetFile(path)
        except Exception as error:  # pyarrow raises many kinds for a file that is none of its own
            raise InputError(
                "not a parquet file", where=str(path), hint="write it again"
            ) from error
        self.columns = tuple(columns or self._file.schema_arrow.names)
        missing = set(self.columns) - set(self._file.schema_arrow.names)
        if missing:
            raise InputError(
                f"no column {min(missing)!r}",
                where=str(path),
                hint=f"it has: {', '.join(self._file.schema_arrow.names)}",
            )
        self.count = self._file.metadata.num_rows

    def pieces(self) -> Iterator[FloatArray]:
        for batch in self._file.iter_batches(_PIECE, columns=list(self.columns)):
            columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in self.columns]
            yield np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)


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
    parquet = _pyarrow()
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


def _pyarrow() -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            "parquet files need pyarrow",
            where="parquet",
            hint="pip install 'fastscan[parquet]', or use .npy or .csv",
        ) from None
    return parquet


def _first_bad(lines: list[list[str]], columns: int) -> int:
    for i, line in enumerate(lines):
        try:
            if "_" in ",".join(line) or len([float(word) for word in line]) != columns:
                return i
        except ValueError:
            return i
    return 0
