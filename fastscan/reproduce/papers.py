"""Everything of one paper, or of both, into one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fastscan.exceptions import unknown_name
from fastscan.inputs import Overlay
from fastscan.reproduce.comparison import run_comparison
from fastscan.reproduce.output import Progress
from fastscan.reproduce.readings import PAPERS, check_papers
from fastscan.reproduce.sensitivity import run_sensitivity
from fastscan.reproduce.settings import settings_json
from fastscan.storage.outputs import make_folder, write_text
from fastscan.storage.paths import local_path
from fastscan.storage.replacement import check_free

__all__ = ["chosen_papers", "run_papers"]

Part = Callable[..., list[Path]]

# Models whose plane A25 shows; all others are those of C25.
_A25_MODELS = ("nsi",)

_TABLES = ("comparison.csv", "comparison.md", "sensitivity.csv", "sensitivity.md", "settings.json")


def chosen_papers(word: str) -> tuple[str, ...]:
    """Keys of `fastscan.reproduce.readings.PAPERS` that ``c25``, ``a25`` or ``all`` stands for.

    Raises
    ------
    InputError
        Another word.
    """
    if word == "all":
        return tuple(PAPERS)
    if word not in PAPERS:
        raise unknown_name("paper", word, [*PAPERS, "all"], where="fastscan reproduce")
    return (word,)


def run_papers(
    papers: Sequence[str],
    out: str | Path,
    *,
    tables: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    overlays: Sequence[Overlay] = (),
) -> list[Path]:
    """Write the figures and tables of some papers, published against ours, and all settings.

    Parameters
    ----------
    papers : sequence of str
        Keys of `fastscan.reproduce.readings.PAPERS`. The figures and tables of each are written to
        a folder of that name; with C25 comes the sensitivity of its limits.
    out : path
        Folder, made if it is not there.
    tables : path, optional
        Folder of the tensor stores, which are built on first use.
    overwrite : bool
        Replace what is there.
    progress : callable, optional
        Called with what is under way and the fraction done.
    overlays : sequence of Overlay
        Curves of others for the planes; each names its model where there are several.

    Returns
    -------
    list of pathlib.Path
        Everything written, in order.

    Raises
    ------
    StoreError
        An output exists and may not be replaced; nothing was written.
    InputError
        Unknown paper, or the folder can not be written.
    RunError
        The disk is full.
    """
    check_papers(papers)
    folder = local_path(out)
    for name in papers:
        # A folder stays; what is in it is checked file by file.
        if not (overwrite and (folder / name).is_dir()):
            check_free(folder / name, overwrite=overwrite)
    for name in _TABLES:
        check_free(folder / name, overwrite=overwrite)

    parts: list[tuple[str, float, Path, Part]] = []
    for paper in papers:
        own = [
            o for o in overlays if len(papers) == 1 or (o.model in _A25_MODELS) == (paper == "a25")
        ]
        weight, run = _figures(paper)
        parts.append((paper.upper(), weight, folder / paper, partial(run, overlays=own)))
    parts.append(("comparison", 1.0, folder, partial(run_comparison, papers=papers)))
    if "c25" in papers:
        parts.append(("sensitivity", 2.0, folder, run_sensitivity))

    whole = sum(weight for _, weight, _, _ in parts)
    paths: list[Path] = []
    done = 0.0
    for title, weight, target, run in parts:
        make_folder(target)
        tick = _scaled(progress, title, done / whole, weight / whole)
        paths += run(target, tables=tables, overwrite=overwrite, progress=tick)
        done += weight
    settings = folder / "settings.json"
    write_text(settings, settings_json(papers, folder, paths, overlays), overwrite=overwrite)
    if progress is not None:
        progress("done", 1.0)
    return [*paths, settings]


def _figures(paper: str) -> tuple[float, Part]:
    """Share of the work, and what does it."""
    # Imported late: drawing takes long to import, and a mistake in an argument is found before.
    if paper == "c25":
        from fastscan.reproduce.c25 import run_c25

        return 6.0, run_c25
    from fastscan.reproduce.a25 import run_a25

    return 1.0, run_a25


def _scaled(progress: Progress | None, title: str, start: float, share: float) -> Progress | None:
    """Progress of a part as progress of the whole."""
    if progress is None:
        return None

    def tick(label: str, fraction: float) -> None:
        progress(f"{title}, {label}", start + share * fraction)

    return tick
