"""CSV tables for every purpose, and what may happen to them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from torture import hostile
from torture.attack import pick

Rows = list[list[str]]
Change = Callable[[Rows, np.random.Generator], Rows]

_PREDICT = "predict sm --json --experiment {here}/"
# File, and the command that reads it.
PURPOSES = {
    "counts": ("conus_plus_2025_excess.csv", f"{_PREDICT}x.toml"),
    "isotopes": ("ge_isotopes.csv", f"{_PREDICT}x.toml"),
    "shells": ("ge_shells.csv", f"{_PREDICT}x.toml"),
    "efficiency": ("efficiency.csv", f"{_PREDICT}x.toml"),
    "uncertainty of the efficiency": ("relative.csv", "fit sm --experiment {here}/pulls.toml"),
    "template": ("template.csv", "fit sm --experiment {here}/pulls.toml"),
    "covariance of the flux": ("covariance.csv", "fit sm --experiment {here}/pulls.toml"),
    "flux weights": ("weights.csv", "predict sm --json --flux-weights {here}/weights.csv"),
    "overlay": (
        "overlay.csv",
        "plot {folder}/plane.zarr --overlay {here}/overlay.csv -o {here}/x.png",
    ),
}


def write_side_tables(folder: Path) -> None:
    """Write the tables that are not shipped."""
    edges = [160.0 + 10.0 * i for i in range(20)]
    bins = [(f"{low:g}", f"{high:g}") for low, high in itertools.pairwise(edges)]
    energies = [0.25 * i for i in range(41)]
    width = [(f"{low:g}", f"{high:g}") for low, high in itertools.pairwise(energies)]
    lows = [low for low, _ in width]
    texts = {
        "efficiency.csv": [["energy_ev", "efficiency"], ["100", "0.9"], ["400", "1"]],
        "relative.csv": [["low_ev", "high_ev", "relative_sigma"], *([*b, "0.02"] for b in bins)],
        "template.csv": [["low_ev", "high_ev", "counts"], *([*b, "0.3"] for b in bins)],
        "covariance.csv": [
            ["low_mev", "high_mev", *lows],
            *([*b, *("1e-4" if low == b[0] else "0" for low in lows)] for b in width),
        ],
        "weights.csv": [["low_mev", "high_mev", "weight"], *([*b, "1.01"] for b in width)],
        "overlay.csv": [["mass_mev", "g"], ["0.2", "1e-5"], ["1", "2e-5"], ["5", "4e-5"]],
    }
    for name, rows in texts.items():
        head = "# label: others\n# source: a paper\n" if name == "overlay.csv" else ""
        (folder / name).write_text(head + _join(rows), encoding="utf-8")


def _join(rows: Rows, separator: str = ",") -> str:
    return "".join(f"{separator.join(row)}\n" for row in rows)


def change(content: bytes, way: str, random: np.random.Generator) -> bytes:
    """Change a table in a named way."""
    for changes in (hostile.BYTES, hostile.ENCODINGS, hostile.NEUTRAL):
        if way in changes:
            return changes[way](content, random)
    lines = content.decode().splitlines()
    head = "".join(f"{line}\n" for line in lines if line.startswith("#"))
    rows = [line.split(",") for line in lines if line.strip() and not line.startswith("#")]
    if way in NEUTRAL:
        return (head + NEUTRAL[way](rows, random)).encode()
    return (head + _join(CHANGES[way](rows, random))).encode(errors="surrogatepass")


def _cell(rows: Rows, random: np.random.Generator, first: int) -> tuple[int, int]:
    row = int(random.integers(min(first, len(rows) - 1), len(rows)))
    return row, int(random.integers(len(rows[row])))


def _replace_cells(rows: Rows, random: np.random.Generator) -> Rows:
    for _ in range(int(random.integers(1, 4))):
        row, column = _cell(rows, random, 1)
        rows[row][column] = hostile.cell(rows[row][column], random)
    return rows


def _scale_cell(rows: Rows, random: np.random.Generator) -> Rows:
    row, column = _cell(rows, random, 1)
    rows[row][column] = hostile.scaled(rows[row][column], random)
    return rows


def _scale_column(rows: Rows, random: np.random.Generator) -> Rows:
    column = int(random.integers(len(rows[0])))
    factor = pick(random, (-1.0, 0.0, 1e-6, 1e-3, 0.01, 0.5, 2.0, 100.0, 1e3, 1e6, 1e300))
    for row in rows[1:]:
        if column < len(row) and row[column].replace(".", "").replace("-", "").isdigit():
            row[column] = repr(float(row[column]) * factor)
    return rows


def _rename(rows: Rows, random: np.random.Generator) -> Rows:
    column = int(random.integers(len(rows[0])))
    rows[0][column] = hostile.misspelt(rows[0][column], random)
    return rows


def _drop_row(rows: Rows, random: np.random.Generator) -> Rows:
    del rows[int(random.integers(len(rows)))]
    return rows


def _double_row(rows: Rows, random: np.random.Generator) -> Rows:
    at = int(random.integers(len(rows)))
    return [*rows[:at], rows[at], *rows[at:]]


def _shuffle(rows: Rows, random: np.random.Generator) -> Rows:
    return [rows[0], *(rows[1 + int(i)] for i in random.permutation(len(rows) - 1))]


def _drop_column(rows: Rows, random: np.random.Generator) -> Rows:
    at = int(random.integers(len(rows[0])))
    return [row[:at] + row[at + 1 :] for row in rows]


def _double_column(rows: Rows, random: np.random.Generator) -> Rows:
    at = int(random.integers(len(rows[0])))
    return [[*row[:at], row[at], *row[at:]] for row in rows]


def _swap_columns(rows: Rows, random: np.random.Generator) -> Rows:
    order = random.permutation(len(rows[0]))
    return [rows[0], *([row[i] for i in order] for row in rows[1:])]


def _ragged(rows: Rows, random: np.random.Generator) -> Rows:
    at = int(random.integers(len(rows)))
    rows[at] = pick(random, (rows[at][:-1], [*rows[at], "1"], [*rows[at], ""], [""], rows[at] * 50))
    return rows


def _many_rows(rows: Rows, _: np.random.Generator) -> Rows:
    return [rows[0], *(rows[1:] * (20_000 // len(rows)))]


CHANGES: dict[str, Change] = {
    "cells": _replace_cells,
    "cell scaled": _scale_cell,
    "column scaled": _scale_column,
    "column renamed": _rename,
    "row missing": _drop_row,
    "row twice": _double_row,
    "rows shuffled": _shuffle,
    "column missing": _drop_column,
    "column twice": _double_column,
    "columns swapped": _swap_columns,
    "ragged": _ragged,
    "many rows": _many_rows,
    "header alone": lambda rows, _: rows[:1],
    "no header": lambda rows, _: rows[1:],
}
NEUTRAL: dict[str, Callable[[Rows, np.random.Generator], str]] = {
    "quotes": lambda rows, _: _join([[f'"{cell}"' for cell in row] for row in rows]),
    "blanks": lambda rows, _: _join([[f" {cell} " for cell in row] for row in rows]),
    "semicolons": lambda rows, _: _join(rows, ";"),
    "tabs": lambda rows, _: _join(rows, "\t"),
    "blanks as separators": lambda rows, _: _join(rows, "  "),
    "comments between": lambda rows, _: "".join(_join([row]) + "  # so\n" for row in rows),
    "blank lines": lambda rows, _: "".join(_join([row]) + "\n" for row in rows),
}
