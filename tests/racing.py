"""Several processes that do the same thing at the same moment, again and again; see `race`.

As a script it reads a pickle and answers with one line of JSON for each round. Imports and
compilation are done once: every racer is a fork of that process, which has a single thread.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# A racer that takes longer is killed, and its outcome is empty.
RACER_SECONDS = 60


def race(
    call: Callable[..., Any],
    rounds: Sequence[dict[str, Any]],
    *,
    racers: int,
    folder: Path,
    warm: Callable[[], Any] | None = None,
) -> list[list[str]]:
    """Outcome of each racer in each round: ``ok``, or the text of its error.

    All racers of a round make the same call with the keywords of the round. ``warm`` is called once
    before, and must not start threads.
    """
    path = folder / "race.pickle"
    path.write_bytes(pickle.dumps((call, list(rounds), racers, warm)))
    done = subprocess.run(
        [sys.executable, __file__, str(path)],
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            # Where the module of the call is found.
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    path.unlink()
    return [json.loads(line) for line in done.stdout.splitlines()]


def _main(path: str) -> None:
    call, rounds, racers, warm = pickle.loads(Path(path).read_bytes())
    if warm is not None:
        warm()
    for keywords in rounds:
        sys.stdout.write(f"{json.dumps(_round(call, keywords, racers))}\n")


def _round(call: Callable[..., Any], keywords: dict[str, Any], racers: int) -> list[str]:
    gate, opener = os.pipe()
    pipes = []
    for _ in range(racers):
        receive, send = os.pipe()
        if os.fork() == 0:
            os.close(opener)
            _racer(call, keywords, gate, send)
        os.close(send)
        pipes.append(receive)
    os.close(gate)
    os.close(opener)
    outcomes = []
    for receive in pipes:
        with os.fdopen(receive) as pipe:
            outcomes.append(pipe.read())
    for _ in range(racers):
        os.wait()
    return outcomes


def _racer(call: Callable[..., Any], keywords: dict[str, Any], gate: int, send: int) -> None:
    signal.alarm(RACER_SECONDS)
    os.read(gate, 1)  # returns when the other end is closed
    try:
        call(**keywords)
        outcome = "ok"
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    os.write(send, outcome.encode())
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])
