"""Where blocks run: threads or processes of this machine, or a dask cluster that runs already."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import dask.multiprocessing
import dask.threaded
from dask.callbacks import Callback

from fastscan.exceptions import InputError, RunError

__all__ = ["Executor", "Index", "Task", "check_stopped", "default_workers", "executor"]

Index = tuple[int, ...]
# What is done with one block, given the shared state it needs and its index.
Task = Callable[[Any, Index], None]
# Runs a task on a shared state for many blocks, and calls back after each.
Executor = Callable[[Task, Any, Iterable[Index], Callable[[], None]], None]

# A graph of this many tasks is handed over at a time, so that the number of blocks is no limit.
_BATCH = 2048
_CONNECT_SECONDS = 3.0
_POLL_SECONDS = 1.0
_LONELY_SECONDS = 10.0
_GRACE_SECONDS = 3.0


def default_workers() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def executor(scheduler: str, workers: int | None = None) -> Iterator[Executor]:
    """Open a scheduler by name.

    Parameters
    ----------
    scheduler : str
        ``threads``, ``processes``, or the address ``tcp://HOST:PORT`` of a dask scheduler.
    workers : int, optional
        Threads or processes; all processors by default. A cluster has its own.

    Raises
    ------
    InputError
        Unknown scheduler, no worker, or nobody answers at the address.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers", where="--workers", hint="give at least 1")
    if scheduler in ("threads", "processes"):
        yield partial(_run_local, scheduler, workers or default_workers())
    elif scheduler.startswith("tcp://"):
        with _connect(scheduler) as client:
            yield partial(_run_cluster, client)
    else:
        raise InputError(
            f"unknown scheduler {scheduler!r}",
            where="--scheduler",
            hint="write threads, processes or the address of one that runs, as tcp://host:8786",
        )


def _run_local(
    scheduler: str,
    workers: int,
    task: Task,
    shared: Any,
    blocks: Iterable[Index],
    tick: Callable[[], None],
) -> None:
    stop = threading.Event()
    if scheduler == "threads":
        # A pool of our own, to wait for: after an error nothing goes on behind the caller's back.
        pool: Any = ThreadPoolExecutor(workers)
        task = partial(_run_stoppable, stop, task)
        get: Any = dask.threaded.get
        end = stop.set
    else:
        context = dask.multiprocessing.get_context()
        ended, ending = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(workers, context, _begin_worker, (ended,))
        # One block at a time: they are large, and a worker that waits is a processor wasted.
        get = partial(dask.multiprocessing.get, chunksize=1)
        end = partial(ending.send, None)
    try:
        with Callback(posttask=lambda *_: tick()):
            for batch in _batches(blocks):
                graph = {("block", *index): (partial(task, shared, index),) for index in batch}
                get(graph, list(graph), pool=pool)
    except BrokenProcessPool as error:
        raise _dead_worker() from error
    except KeyboardInterrupt:
        end()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if scheduler == "processes":
            ended.close()
            ending.close()


# Set where blocks in hand are to be dropped: in a thread of a pool, and in a worker process.
_thread = threading.local()
_STOP = threading.Event()


def _run_stoppable(stop: threading.Event, task: Task, shared: Any, index: Index) -> None:
    _thread.stop = stop
    task(shared, index)


def check_stopped() -> None:
    """Drop the block in hand if the run was interrupted; long blocks call this between their parts.

    Raises
    ------
    CancelledError
        Nobody waits for the block any more.
    """
    if _STOP.is_set() or (hasattr(_thread, "stop") and _thread.stop.is_set()):
        raise CancelledError


def _begin_worker(ended: Connection) -> None:
    """Make a worker process end with its parent, and drop its block when it is told to.

    Signals that reach all processes, as Ctrl-C does, are the parent's to answer; the pool would
    take a worker that ends by itself for a failure. One that is still there a while after SIGTERM
    ends all the same: the pool itself ends workers so.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _end_soon())
    parent = multiprocessing.parent_process()
    gone = [] if parent is None else [parent.sentinel]

    def watch() -> None:
        if ended in multiprocessing.connection.wait([ended, *gone]):
            _STOP.set()
            multiprocessing.connection.wait(gone)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _end_soon() -> None:
    _STOP.set()
    timer = threading.Timer(_GRACE_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _run_cluster(
    client: Any, task: Task, shared: Any, blocks: Iterable[Index], tick: Callable[[], None]
) -> None:
    from distributed.client import FutureCancelledError

    try:
        # Sent once to every worker, not with every block.
        everywhere = client.scatter(shared, broadcast=True, hash=False)
        for batch in _batches(blocks):
            futures = [client.submit(task, everywhere, index, pure=False) for index in batch]
            _await_all(client, futures, tick)
    except (FutureCancelledError, CancelledError, OSError) as error:
        raise _dead_worker() from error


def _await_all(client: Any, futures: list[Any], tick: Callable[[], None]) -> None:
    """Wait for futures without gathering results: a worker that holds one may be gone by then."""
    from distributed import KilledWorker, as_completed

    over = threading.Event()
    watch = threading.Thread(target=_cancel_if_lonely, args=(client, futures, over), daemon=True)
    watch.start()
    try:
        for future in as_completed(futures, loop=client.loop):
            if future.status == "error":
                error = future.exception()
                raise _dead_worker() if isinstance(error, KilledWorker) else error
            if future.status != "finished":
                raise _dead_worker()
            tick()
    finally:
        over.set()
        watch.join()


def _cancel_if_lonely(client: Any, futures: list[Any], over: threading.Event) -> None:
    """End the wait for workers that are gone for good; one that is started again comes back."""
    lonely = 0.0
    while not over.wait(_POLL_SECONDS):
        lonely = 0.0 if client.scheduler_info()["workers"] else lonely + _POLL_SECONDS
        if lonely > _LONELY_SECONDS:
            client.cancel(futures, force=True)
            return


@contextmanager
def _connect(address: str) -> Iterator[Any]:
    from distributed import Client

    where = f"--scheduler {address}"
    try:
        parts = urlsplit(address)
        # Dask tries for a long time; a port nobody listens on says so at once.
        with socket.create_connection((parts.hostname, parts.port or 0), _CONNECT_SECONDS):
            pass
        # A thread of its own has no event loop yet, which a notebook's main thread has.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _shake_hands(address)).result()
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            "no dask scheduler answers", where=where, hint="start one with: dask scheduler"
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise InputError(
                "the dask scheduler has no workers",
                where=where,
                hint=f"start some with: dask worker {address}",
            )
        yield client


async def _shake_hands(address: str) -> None:
    """Fail soon where something listens that does not speak dask's protocol."""
    from distributed.comm.core import connect

    comm = await asyncio.wait_for(connect(address, timeout=_CONNECT_SECONDS), _CONNECT_SECONDS)
    await comm.close()


def _dead_worker() -> RunError:
    return RunError(
        "scan stopped: a worker died",
        hint="finished blocks are kept: run the same command with --resume",
    )


def _batches(blocks: Iterable[Index]) -> Iterator[Sequence[Index]]:
    iterator = iter(blocks)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
