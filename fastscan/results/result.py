"""What every result can do, whatever it is of."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastscan.results.plain import alike, plain
from fastscan.results.provenance import Provenance
from fastscan.text import for_html, for_terminal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from xarray import Dataset

__all__ = ["FORMATS", "Column", "Result", "Table", "check_result_path"]

# Letters of a repr, and rows of a table in a notebook.
_MOST_LETTERS = 700
_MOST_ROWS = 24
FORMATS = (".csv", ".json", ".nc")


class Column(NamedTuple):
    """A named array of a result.

    Attributes
    ----------
    dims : tuple of str
        Names of its dimensions.
    values : array
    unit, words : str
        Unit ("1" for pure numbers), and what it is.
    """

    dims: tuple[str, ...]
    values: Any
    unit: str = "1"
    words: str = ""


class Table(NamedTuple):
    """A result as rows: lines that say what the numbers are, names of columns, rows."""

    about: dict[str, object]
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


class Result(ABC):
    """A result: its contents as JSON, dataset, table, file, figure and page.

    A subclass states its contents (`_entries`, `_columns`) and one line (`headline`); parameters
    that were held are its ``parameters``, those that were profiled its ``profiled``.

    Attributes
    ----------
    provenance : Provenance
    parameters : dict of float
        Parameters that were held.
    profiled : sequence of str
        Parameters that chi2 was minimised over.
    warnings : sequence of str
        What may mislead.
    """

    provenance: Provenance
    if TYPE_CHECKING:

        @property
        def parameters(self) -> Mapping[str, float]:
            """Parameters that were held."""

        @property
        def profiled(self) -> Sequence[str]:
            """Parameters that chi2 was minimised over."""

        @property
        def warnings(self) -> Sequence[str]:
            """What may mislead."""

    @property
    @abstractmethod
    def headline(self) -> str:
        """The result in one line."""

    @abstractmethod
    def _entries(self) -> dict[str, Any]:
        """What JSON holds beside provenance and warnings."""

    @abstractmethod
    def _columns(self) -> dict[str, Column]:
        """Arrays by name; the dimensions of the first one are those of the table."""

    @property
    def held(self) -> Mapping[str, float]:
        """Parameters that were not free."""
        return self.parameters

    @property
    def words(self) -> str:
        """What was analysed, what was held at which value, what was profiled."""
        return self.provenance.words(self.held, self.profiled)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON holds it: no NaN, no infinity; an end that is not there is None."""
        entries = {**self.provenance.to_dict(), **self._entries()}
        found: dict[str, Any] = plain({**entries, "warnings": list(self.warnings)})
        return found

    def to_dataset(self) -> Dataset:
        """A dataset of xarray: dimensions named, in the order asked for, units and provenance."""
        from xarray import Dataset

        variables = {
            name: (dims, values, {"units": unit, **({"long_name": words} if words else {})})
            for name, (dims, values, unit, words) in self._columns().items()
        }
        return Dataset(variables, attrs=self._attributes())

    def write(self, path: str | Path, *, force: bool = False) -> Path:
        """Write it as .json, as the table .csv, or as the dataset .nc.

        Parameters
        ----------
        path : path
        force : bool
            Replace a file that exists.

        Raises
        ------
        InputError
            Another suffix, or a folder that can not be written.
        StoreError
            The file exists.
        """
        from fastscan.storage.outputs import write_bytes

        path = check_result_path(path, force=force)
        write_bytes(path, self._file(path.suffix.lower()), overwrite=force)
        return path

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw it, by default into a figure of its own, and return the axes.

        Parameters
        ----------
        ax : Axes, optional
            Of the caller's figure, of which nothing but these axes is changed.
        **options
            Of the painter, as ``title``, in place of the caption.
        """
        # Looked up by name: figures stand above results.
        painters = import_module("fastscan.plotting.painters")
        axes: Axes = painters.paint(self, ax, **options)
        return axes

    def table(self) -> Table:
        """The contents as rows, as in a CSV file."""
        columns = self._columns()
        dims = next(iter(columns.values())).dims
        sizes: dict[str, int] = {}
        for column in columns.values():
            sizes |= zip(column.dims, np.shape(column.values), strict=True)
        fits = {name: c for name, c in columns.items() if c.dims and set(c.dims) <= set(dims)}
        # Coordinates stand first, in the order of the dimensions.
        shown = {name: fits[name] for name in (*(d for d in dims if d in fits), *fits)}

        shape = tuple(sizes[d] for d in dims)
        arrays = []
        for column in shown.values():
            # Dimensions that a column lacks have one point each.
            values = np.asarray(column.values)
            own = [sizes[d] if d in column.dims else 1 for d in dims]
            order = np.argsort([dims.index(d) for d in column.dims])
            arrays.append(np.broadcast_to(values.transpose(order).reshape(own), shape))
        flat = zip(*(array.flat for array in arrays), strict=True)
        # A cell without a number is empty.
        rows = (["" if c != c else c for c in (cell.item() for cell in cells)] for cells in flat)
        return Table(self._about(), list(shown), rows)

    @property
    def _told(self) -> Sequence[str]:
        """Warnings that are shown beside it; none where they take work."""
        return self.warnings

    def _page(self) -> Table:
        """The table that a notebook shows."""
        return self.table()

    def _about(self) -> dict[str, object]:
        """Lines on top of a table."""
        return {
            "content": self.headline,
            "analysis": self.words,
            **{f"warning {i + 1}": words for i, words in enumerate(self._told)},
            "made by": f"fastscan {self.provenance.attributes()['fastscan_version']}",
        }

    def _attributes(self) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "title": self.headline,
            **self.provenance.attributes(),
            "held": self.provenance.held_words(self.held),
            "profiled": ", ".join(self.profiled),
        }
        if self._told:
            attributes["warnings"] = "; ".join(self._told)
        return attributes

    def _file(self, suffix: str) -> bytes:
        from fastscan.storage.tables import table_text

        if suffix == ".json":
            text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
            return f"{text}\n".encode()
        if suffix == ".csv":
            return table_text(*self.table()).encode()
        return bytes(self.to_dataset().to_netcdf(engine="scipy"))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Result):
            return NotImplemented
        return self.provenance == other.provenance and alike(self._state(), other._state())

    # Contents may be arrays.
    __hash__ = None  # type: ignore[assignment]

    def _state(self) -> dict[str, Any]:
        """What makes two results equal."""
        if is_dataclass(type(self)):
            names = [one.name for one in fields(type(self)) if one.compare]  # type: ignore[arg-type]
            return {name: getattr(self, name) for name in names}
        arrays = {name: tuple(column[:3]) for name, column in self._columns().items()}
        return {"entries": self._entries(), "columns": arrays}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}: {self.headline}", self.words]
        lines += [f"warning: {words}" for words in self._told]
        return _short(for_terminal("\n".join(lines), keep="\n"))

    def _repr_html_(self) -> str:
        _, columns, rows = self._page()
        shown = list(islice(rows, _MOST_ROWS + 1))
        head = "".join(f"<th>{for_html(name)}</th>" for name in columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{for_html(_cell(cell))}</td>' for cell in row)}</tr>"
            for row in shown[:_MOST_ROWS]
        )
        more = "<p>…</p>" if len(shown) > _MOST_ROWS else ""
        warned = "".join(f"<p>warning: {for_html(words)}</p>" for words in self._told)
        return (
            f"<div><strong>{for_html(type(self).__name__)}</strong> "
            f"{for_html(_short(self.headline))}<p>{for_html(self.words)}</p>{warned}"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</div>"
        )


def check_result_path(path: str | Path, *, force: bool = False) -> Path:
    """Check, before any work, that a result may get this name.

    Raises
    ------
    InputError
        The suffix is not that of a known format.
    StoreError
        The file exists and may not be replaced.
    """
    from fastscan.storage.replacement import check_format

    return check_format(path, FORMATS, "a result", overwrite=force)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 2]} …"
