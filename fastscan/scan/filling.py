"""Fill a store block by block: made or resumed, one process at a time, under any scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastscan.exceptions import RunError, StoreError
from fastscan.models import Parameter
from fastscan.scan import block_store
from fastscan.scan.axes import Axis
from fastscan.scan.executors import Index, executor
from fastscan.scan.plan import Plan

__all__ = ["Progress", "fill_store"]

Progress = Callable[[int, int], None]

# Entries of a header that are named by plural words.
_PLURAL = ("axes", "channels", "flux_weights", "nuisances", "options", "parameters", "toys")


def fill_store(
    path: Path,
    layout: block_store.Layout,
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
    path, layout, header, axes, parameters, plan
        See `block_store.create_store`; a store that is resumed keeps its own plan.
    task : callable
        Computes and writes one block, given what all blocks share and its index.
    make_shared : callable
        Gives that for a plan.
    scheduler, workers, resume, progress
        As for `fastscan.scan.run_scan`.

    Raises
    ------
    InputError
        Bad scheduler or worker number; the folder can not be written.
    StoreError
        The output exists, or is not the one to resume.
    RunError
        The disk filled up, a worker died or the store was lost; finished blocks are kept.
    """
    with executor(scheduler, workers) as run:
        continued = resume and block_store.exists(path)
        if continued:
            plan = _plan_of_same(path, layout, header)
        else:
            block_store.create_store(path, layout, header, axes, parameters, plan)
        with block_store.writer(path, layout):
            if continued:
                block_store.remove_leftovers(path)
            # Of what was finished, a block that lost something since is made again.
            finished = block_store.Contents.open(path, layout).finished()
            pending = (i for i in plan.indices() if not finished[i])
            done = int(finished.sum())

            def tick(blocks: int = 1) -> None:
                nonlocal done
                done += blocks
                if progress is not None:
                    progress(done, plan.blocks)

            tick(0)
            try:
                run(task, make_shared(plan), pending, tick)
            except RunError as error:
                raise RunError(error.what, where=str(path), hint=error.hint) from error
    try:
        block_store.Contents.open(path, layout).block_status()
    except StoreError as error:
        # It was in order when the run began.
        raise RunError(
            f"{layout.noun} lost its store while it ran: {error.what}",
            where=str(path),
            hint="keep others away from this folder and run the command again",
        ) from error


def _plan_of_same(path: Path, layout: block_store.Layout, header: Mapping[str, Any]) -> Plan:
    contents = block_store.Contents.open(path, layout)
    differing = block_store.differing_entry(contents.header, dict(header))
    if differing is not None:
        raise StoreError(
            f"{layout.noun} to resume is another one: its {differing} "
            f"differ{'' if differing in _PLURAL else 's'}",
            where=str(path),
            hint="repeat the command it was made with, or name another with --out",
        )
    return contents.plan
