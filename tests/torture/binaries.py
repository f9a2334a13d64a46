"""Points as .npy and .parquet, in all shapes and types that the formats know."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Make = Callable[[Sequence[str], Any, np.random.Generator], bytes]


def _npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def _as(kind: Any) -> Make:
    return lambda names, points, random: _npy(np.asarray(points).astype(kind))


def _lying(text: str) -> Make:
    """A header that promises something else than what follows."""

    def make(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
        rows, columns = points.shape
        header = text.format(rows=rows, columns=columns).encode().ljust(117) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + points.tobytes()

    return make


def _zip(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("points.npy", _npy(points))
    return file.getvalue()


def _spoilt(value: float) -> Make:
    def make(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
        spoilt = np.array(points)
        spoilt[int(random.integers(len(spoilt))), int(random.integers(2))] = value
        return _npy(spoilt)

    return make


def _structured(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
    return _npy(np.array([tuple(row) for row in points], dtype=[(name, "f8") for name in names]))


NPY: dict[str, Make] = {
    "plain": lambda names, points, random: _npy(points),
    "float32": _as("f4"),
    "float16": _as("f2"),
    "long double": _as("g"),
    "big-endian": _as(">f8"),
    "int64": _as("i8"),
    "uint8": _as("u1"),
    "bool": _as("?"),
    "complex": _as("c16"),
    "text": _as("U20"),
    "bytes": _as("S20"),
    "dates": lambda names, points, random: _npy(np.zeros((3, 2), dtype="M8[s]")),
    "objects": lambda names, points, random: _npy(points.astype(object), allow_pickle=True),
    "structured": _structured,
    "Fortran order": lambda names, points, random: _npy(np.asfortranarray(points)),
    "no dimension": lambda names, points, random: _npy(np.float64(1.0)),
    "one dimension": lambda names, points, random: _npy(points[:, 0]),
    "three dimensions": lambda names, points, random: _npy(points[None]),
    "transposed": lambda names, points, random: _npy(points.T.copy()),
    "no rows": lambda names, points, random: _npy(points[:0]),
    "no columns": lambda names, points, random: _npy(points[:, :0]),
    "NaN": _spoilt(np.nan),
    "infinity": _spoilt(np.inf),
    "huge": _spoilt(1e308),
    "tiny": _spoilt(5e-324),
    "negative": _spoilt(-1.0),
    "zero": _spoilt(0.0),
    "zip": _zip,
    "header: too many rows": _lying(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}0, {columns}), }}"
    ),
    "header: immense": _lying(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}000000000000, {columns}), }}"
    ),
    "header: negative": _lying(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': (-{rows}, {columns}), }}"
    ),
    "header: too few rows": _lying(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': (1, {columns}), }}"
    ),
    "header: other type": _lying(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    ),
    "header: text": _lying("{{'descr': 'x', 'fortran_order': 7, 'shape': '{rows}{columns}', }}"),
    "header: no dictionary": _lying("[{rows}, {columns}]"),
    "header: code": _lying("__import__('os').getpid() #{rows}{columns}"),
    "header: key missing": _lying("{{'descr': '<f8', 'shape': ({rows}, {columns}), }}"),
    "header: nested": _lying("[" * 100),
    "text file": lambda names, points, random: ",".join(names).encode() + b"\n1,2\n",
}


def _parquet(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow
    from pyarrow import parquet

    file = io.BytesIO()
    names, arrays = list(columns), list(columns.values())
    parquet.write_table(
        pyarrow.Table.from_arrays(list(map(pyarrow.array, arrays)), names), file, **options
    )
    return file.getvalue()


def _columns(change: Callable[[Any], Any]) -> Make:
    """The first column changed."""

    def make(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
        first, second = points[:, 0].copy(), points[:, 1].copy()
        return _parquet({names[0]: change(first), names[1]: second})

    return make


def _typed(kind: str) -> Make:
    """The first column of another type, as far as it can be."""

    def change(values: Any) -> Any:
        import pyarrow

        makers: dict[str, Callable[[], Any]] = {
            "decimal": lambda: pyarrow.array([1] * len(values)).cast(pyarrow.decimal128(38, 2)),
            "dictionary": lambda: pyarrow.array(values).dictionary_encode(),
            "struct": lambda: pyarrow.array([{"x": float(v)} for v in values]),
            "null": lambda: pyarrow.nulls(len(values)),
            "time": lambda: pyarrow.array(range(len(values))).cast(pyarrow.timestamp("s")),
            "duration": lambda: pyarrow.array(range(len(values))).cast(pyarrow.duration("s")),
            "map": lambda: pyarrow.array(
                [[("x", 1.0)]] * len(values), pyarrow.map_(pyarrow.string(), pyarrow.float64())
            ),
        }
        return makers[kind]()

    return _columns(change)


def _with_nulls(values: Any) -> list[Any]:
    return [None, *map(float, values[1:])]


def _renamed(name: str) -> Make:
    return lambda _, points, random: _parquet({name: points[:, 0], "x": points[:, 1]})


def _twice(names: Sequence[str], points: Any, random: np.random.Generator) -> bytes:
    import pyarrow
    from pyarrow import parquet

    file = io.BytesIO()
    arrays = [pyarrow.array(points[:, 0])] * 2
    parquet.write_table(pyarrow.Table.from_arrays(arrays, [names[0]] * 2), file)
    return file.getvalue()


def _value(value: float) -> Make:
    def change(values: Any) -> Any:
        values[len(values) // 2] = value
        return values

    return _columns(change)


PARQUET: dict[str, Make] = {
    "plain": _columns(lambda values: values),
    "float32": _columns(lambda values: values.astype("f4")),
    "float16": _columns(lambda values: values.astype("f2")),
    "int64": _columns(lambda values: values.astype("i8")),
    "uint8": _columns(lambda values: values.astype("u1")),
    "bool": _columns(lambda values: values > 0),
    "text": _columns(lambda values: [repr(float(v)) for v in values]),
    "bytes": _columns(lambda values: [b"1"] * len(values)),
    "lists": _columns(lambda values: [[float(v)] for v in values]),
    "nulls": _columns(_with_nulls),
    "nulls of text": _columns(lambda values: [None] + ["x"] * (len(values) - 1)),
    **{kind: _typed(kind) for kind in (
        "decimal", "dictionary", "struct", "null", "time", "duration", "map",
    )},
    "NaN": _value(np.nan),
    "infinity": _value(np.inf),
    "huge": _value(1e308),
    "negative": _value(-1.0),
    "zero": _value(0.0),
    "no rows": lambda names, points, random: _parquet(
        {name: points[:0, i] for i, name in enumerate(names)}
    ),
    "no columns": lambda names, points, random: _parquet({}),
    "column missing": lambda names, points, random: _parquet({names[0]: points[:, 0]}),
    "column too many": lambda names, points, random: _parquet(
        {names[0]: points[:, 0], names[1]: points[:, 1], "x": points[:, 1]}
    ),
    "name with markup": _renamed("[red]x[/red]"),
    "name with escape": _renamed("\x1b[31mg"),
    "empty name": _renamed(""),
    "column twice": _twice,
    "small groups": lambda names, points, random: _parquet(
        {name: points[:, i] for i, name in enumerate(names)}, row_group_size=1
    ),
    "brotli": lambda names, points, random: _parquet(
        {name: points[:, i] for i, name in enumerate(names)}, compression="brotli"
    ),
}  # fmt: skip
