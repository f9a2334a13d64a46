"""What the reproductions share: a folder with its files, tables with their origin, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fastscan.exceptions import InputError, StoreError
from fastscan.inputs import Overlay
from fastscan.likelihoods import Likelihood
from fastscan.plotting import save_figure
from fastscan.scan import Axis, ScanResult, run_scan
from fastscan.scan.store import scan_layout
from fastscan.storage.outputs import make_folder, write_text
from fastscan.storage.paths import local_path, taken
from fastscan.storage.replacement import check_free, check_replaceable, remove_store
from fastscan.storage.tables import table_text

__all__ = [
    "Output",
    "Progress",
    "Ticker",
    "check_outputs",
    "figure_names",
    "origin",
    "overlays_by_model",
    "scan_plane",
]

Progress = Callable[[str, float], None]

# What a figure is written as: for the page, and for a look.
FIGURE_SUFFIXES = (".pdf", ".png")


class Ticker:
    """Turns progress of equal parts into progress of the whole."""

    def __init__(self, progress: Progress | None, parts: int) -> None:
        self._progress, self._parts = progress, parts
        self._part, self._label = -1, ""

    def start(self, label: str) -> None:
        """Begin the next part."""
        self._part, self._label = self._part + 1, label
        self.advance(0.0)

    def advance(self, fraction: float) -> None:
        """Report the fraction done of this part."""
        if self._progress is not None:
            self._progress(self._label, (self._part + fraction) / self._parts)


class Output:
    """Files of one folder, each written whole, in order.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    names : iterable of str
        Everything that is going to be written; checked before any work.
    overwrite : bool

    Attributes
    ----------
    paths : list of Path
        What has been written.

    Raises
    ------
    StoreError
        One of the files exists and may not be replaced.
    InputError
        The folder can not be made.
    """

    def __init__(self, folder: str | Path, names: Iterable[str], *, overwrite: bool) -> None:
        self.folder, self.overwrite = local_path(folder), overwrite
        self.paths: list[Path] = []
        self._names = tuple(names)
        check_outputs((self.folder / name for name in self._names), overwrite=overwrite)
        make_folder(self.folder)

    def path(self, name: str) -> Path:
        """Path of an announced file, taken down as written."""
        assert name in self._names, name
        path = self.folder / name
        self.paths.append(path)
        return path

    def figure(self, name: str, figure: Figure, about: Mapping[str, Any]) -> None:
        """Write a figure in every format, with what it shows in the metadata."""
        description = "; ".join(f"{key}: {value}" for key, value in about.items())
        for suffix in FIGURE_SUFFIXES:
            path = self.path(name + suffix)
            save_figure(figure, path, description=description, overwrite=self.overwrite)

    def table(
        self,
        name: str,
        about: Mapping[str, Any],
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
    ) -> None:
        """Write a CSV table; comment lines at its top say what the numbers are."""
        self.text(name, table_text(about, columns, rows))

    def text(self, name: str, text: str) -> None:
        """Write a text file."""
        write_text(self.path(name), text, overwrite=self.overwrite)


def figure_names(*names: str) -> list[str]:
    """Names of the files of some figures."""
    return [name + suffix for name in names for suffix in FIGURE_SUFFIXES]


def origin(content: str, likelihood: Likelihood) -> dict[str, Any]:
    """Where numbers of a likelihood come from, for the top of a table."""
    from fastscan import __version__

    experiment = likelihood.experiment
    return {
        "content": content,
        "experiment": f"{experiment.name} ({experiment.source})",
        "sigma_alpha": f"{likelihood.sigma_alpha:g}",
        "tensors sha256": likelihood.response.name,
        "made by": f"fastscan {__version__}",
    }


def overlays_by_model(
    overlays: Iterable[Overlay], models: Sequence[str]
) -> dict[str, list[Overlay]]:
    """Sort curves of others to the planes they belong to; an entry for every model.

    Raises
    ------
    InputError
        A curve names another model, or none where there are several planes.
    """
    sorted_overlays: dict[str, list[Overlay]] = {model: [] for model in models}
    for overlay in overlays:
        model = overlay.model or (models[0] if len(models) == 1 else "")
        if model not in sorted_overlays:
            what = f"for model {model!r}" if model else "for a model that it does not name"
            known = " or ".join(f"'# model: {name}'" for name in models)
            raise InputError(
                f"curve {what}, which has no plane here",
                where=str(overlay.path),
                hint=f"write {known} on top of it",
            )
        sorted_overlays[model].append(overlay)
    return sorted_overlays


def check_outputs(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Check, before any work, that files and scans may get these names.

    Raises
    ------
    StoreError
        Something is there and may not be replaced.
    """
    for path in paths:
        if overwrite and path.suffix == ".zarr":
            if taken(path):
                check_replaceable(path, scan_layout())
        else:
            check_free(path, overwrite=overwrite)


def scan_plane(
    likelihood: Likelihood, axes: Sequence[Axis], path: Path, ticker: Ticker
) -> ScanResult:
    """Scan a plane; what an earlier run has done of the very same scan is kept.

    Raises
    ------
    StoreError
        Something that may not be replaced has this name.
    """

    def progress(done: int, total: int) -> None:
        ticker.advance(done / total)

    if taken(path):
        try:
            result = run_scan(likelihood, axes, out=path, resume=True, progress=progress)
            # Reading verifies the checksums.
            result.values  # noqa: B018
            return result
        except StoreError:
            # Another scan, or one that can not be finished.
            remove_store(path, scan_layout())
    return run_scan(likelihood, axes, out=path, progress=progress)
