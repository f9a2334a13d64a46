"""Fill a store block by block: made or resumed, one process at a time, under any scheduler."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastscan.exceptions import InputError, Interrupted, RunError, StoreError
from fastscan.models import Parameter
from fastscan.scan.axes import Axis
from fastscan.scan.executors import Index, executor
from fastscan.storage.contents import Contents
from fastscan.storage.creation import create_store
from fastscan.storage.folders import remove_unborn
from fastscan.storage.layout import BLOCK_DONE, Coordinate, Layout
from fastscan.storage.locks import hold
from fastscan.storage.outputs import write_failure
from fastscan.storage.paths import taken
from fastscan.storage.plan import Plan
from fastscan.storage.writer import prepare_resumption

__all__ = ["Progress", "fill_store"]

Progress = Callable[[int, int], None]

# Entries of a header that are named by plural words.
_PLURAL = ("axes", "channels", "flux_weights", "nuisances", "options", "parameters", "toys")
_HINT = "name another with --out"


def fill_store(
    path: Path,
    layout: Layout,
    header: Mapping[str, Any],
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    plan: Plan,
    task: Callable[[Any, Index], None],
    make_shared: Callable[[Plan], Any],
    *,
    scheduler: str,
    workers: int | None,
    resume: bool,
    progress: Progress | None,
) -> None:
    """Make a store, or go on with one of the same header, and compute what it lacks.

    Parameters
    ----------
    path, layout, header, plan
        See `fastscan.storage.creation.create_store`; a store that is resumed keeps its own plan.
    axes, parameters
        Of the grid, and what they are.
    task : callable
        Computes and writes one block, given what all blocks share and its index.
    make_shared : callable
        Gives that for a plan.
    scheduler, workers, resume, progress
        As for `fastscan.scan.run_scan`.

    Raises
    ------
    InputError
        Bad scheduler or worker number; the folder can not be written; a model without a text.
    StoreError
        The output exists, is written by another process, or is not the one to resume.
    RunError
        The disk filled up, a worker died or the store was lost; finished blocks are kept.
    Interrupted
        By Ctrl-C, with what is done; finished blocks are kept.
    """
    if header.get("model_sha256") == "":
        raise InputError(
            f"the text of model {header['model']} can not be read, so a store could not name it",
            where=str(path),
            hint="put the model into a file",
        )
    coordinates = [
        Coordinate(axis.name, axis.values, parameter.unit, parameter.description)
        for axis, parameter in zip(axes, parameters, strict=True)
    ]
    with executor(scheduler, workers) as run:
        taken(path)
        try:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
            with hold(path, layout.noun) as alone:
                if resume and taken(path):
                    plan = _plan_of_same(path, layout, header)
                    prepare_resumption(path, coordinates)
                else:
                    if alone:
                        remove_unborn(path)
                    create_store(path, layout, header, coordinates, plan)
                _fill(path, layout, plan, task, make_shared, run, progress)
        except OSError as error:
            raise write_failure(path, error, hint=_HINT) from error
    try:
        Contents.open(path, layout).block_status()
    except StoreError as error:
        # It was in order when the run began.
        raise RunError(
            f"{layout.noun} lost its store while it ran: {error.what}",
            where=str(path),
            hint="keep others away from this folder and run the command again",
        ) from error


def _fill(
    path: Path,
    layout: Layout,
    plan: Plan,
    task: Callable[[Any, Index], None],
    make_shared: Callable[[Plan], Any],
    run: Callable[..., None],
    progress: Progress | None,
) -> None:
    """Compute the blocks that are not there, or that lost something since they were done."""
    finished = Contents.open(path, layout).finished()
    pending = (i for i in plan.indices() if not finished[i])
    done = int(finished.sum())

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, plan.blocks)

    if progress is not None:
        progress(done, plan.blocks)
    try:
        run(task, make_shared(plan), pending, tick)
    except RunError as error:
        raise RunError(error.what, where=str(path), hint=error.hint) from error
    except KeyboardInterrupt as error:
        # Blocks that were in hand may have been finished since the last tick.
        done = int((Contents.open(path, layout).block_status() == BLOCK_DONE).sum())
        raise Interrupted(
            f"{layout.noun} {path} has {done} of {plan.blocks} {layout.blocks_noun}"
        ) from error


def _plan_of_same(path: Path, layout: Layout, header: Mapping[str, Any]) -> Plan:
    contents = Contents.open(path, layout)
    differing = _differing_entry(contents.header, dict(header))
    if differing is not None:
        raise StoreError(
            f"{layout.noun} to resume is another one: its {differing} "
            f"differ{'' if differing in _PLURAL else 's'}",
            where=str(path),
            hint="repeat the command it was made with, or name another with --out",
        )
    return contents.plan


def _differing_entry(left: dict[str, Any], right: dict[str, Any]) -> str | None:
    """Name of the first entry in which two headers differ, or None."""
    for key in sorted({*left, *right}):
        if json.dumps(left.get(key), sort_keys=True) != json.dumps(right.get(key), sort_keys=True):
            return key
    return None
