"""A folder with inputs, the commands that write, and what they write when nothing disturbs them."""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from torture.attack import Tree, tree

LIMIT_S = 120.0
_PLANE = "--axis mass_mev=0.1:10:9:log --axis g=1e-6:1e-4:11:log"
_SMALL_PLANE = "--axis mass_mev=0.5:5:3:log --axis g=1e-6:1e-4:4:log"
_TOYS = "--method feldman-cousins --toys 2048 --precision 0.5"


@dataclass(frozen=True)
class Command:
    """A command that writes.

    name
        On the page.
    words
        As typed.
    again
        Words that are added when it is repeated after a disaster.
    cold
        It begins without response tensors.
    store
        Folder that it fills block by block.
    slow
        It takes seconds, so it is attacked less often.
    """

    name: str
    words: str
    again: str = ""
    cold: bool = False
    store: str = ""
    slow: bool = False

    def line(self, *, again: bool = False) -> list[str]:
        """Words of the command line."""
        return f"{self.words} {self.again if again else ''}".split()


def _scan(name: str, words: str, **more: Any) -> Command:
    return Command(name, f"scan vector {words} --out x.zarr", "--resume", store="x.zarr", **more)


COMMANDS = (
    Command("build", "build conus-plus", cold=True),
    _scan("scan", f"{_PLANE} --block-points 22 --workers 2"),
    _scan("scan, tensors too", f"{_PLANE} --block-points 33 --workers 1", cold=True),
    _scan("scan, float32", f"{_PLANE} --block-points 22 --dtype float32 --workers 2"),
    _scan(
        "scan, processes",
        f"{_PLANE} --block-points 33 --scheduler processes --workers 2",
        slow=True,
    ),
    _scan("scan, Feldman-Cousins", f"{_SMALL_PLANE} {_TOYS} --workers 2"),
    Command("contour", "contour plane.zarr -o x.csv"),
    Command("contour, Feldman-Cousins", "contour toys.zarr -o x.csv"),
    Command("plot, png", "plot plane.zarr -o x.png"),
    Command("plot, pdf", "plot toys.zarr -o x.pdf"),
    Command("plot, svg, replaced", "plot plane.zarr -o there.svg --force"),
    Command("evaluate, csv", "evaluate electromagnetic points.csv -o x.csv"),
    Command("evaluate, npy", "evaluate electromagnetic points.npy --columns q_ee,r2_ee -o x.npy"),
    Command("evaluate, parquet", "evaluate electromagnetic points.parquet -o x.parquet"),
    Command("evaluate, replaced", "evaluate electromagnetic points.csv -o there.csv --force"),
    Command("boundary", "boundary vector --axis mass_mev=0.1:10:5:log -o x.csv"),
    Command(
        "marginal",
        "marginal millicharge --axis q_ee=-3e-12:3e-12:9 --axis q_emu=-3e-12:3e-12:9 "
        "--keep q_ee --method bayes -o x.csv",
    ),
    Command("posterior", "posterior vector --poi g --set mass_mev=10 --prior flat-g2 -o x.png"),
    Command("fit", "fit vector --set mass_mev=10 --free g -o x.png"),
    Command("predict", "predict vector --set mass_mev=1 --set g=1e-5 -o x.csv"),
    Command("impacts", "impacts sm --poi sin2_theta_w --experiment conus-plus-budget -o x.png"),
    Command(
        "sensitivity",
        "sensitivity vector --poi g --axis mass_mev=1:10:2:log --toys 20 -o x.png",
    ),
    Command("coverage", "coverage magnetic-moment --toys 20 -o x.csv", slow=True),
    Command("quickstart", "quickstart -o x --force", slow=True),
    Command("reproduce", "reproduce a25 -o x --force", slow=True),
)
# Of one round of cases, each slow command is attacked once, the others this often.
_OFTEN = 3
ROUND = tuple(
    command for again in range(_OFTEN) for command in COMMANDS if not (command.slow and again)
)


@dataclass(frozen=True)
class Reference:
    """What a command does when nothing disturbs it."""

    tree: Tree
    steps: int
    seconds: float


class Server:
    """The process that runs commands, see `torture.server`."""

    def __init__(self) -> None:
        paths = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "MPLBACKEND": "Agg",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate(timeout=20)

    def run(self, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
        """Run jobs at once; see `torture.server` for what a job and its report are."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        complete = [{"limit_s": LIMIT_S, **job} for job in jobs]
        self._process.stdin.write(json.dumps(complete).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], 2 * LIMIT_S)
        assert ready, f"no answer to {jobs}"
        reports: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return reports


@cache
def _server() -> Server:
    server = Server()
    atexit.register(server.close)
    return server


class Workshop:
    """Inputs for all commands in a folder of which every case gets a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._references: dict[Command, Reference] = {}

    @property
    def server(self) -> Server:
        """Runs commands; one in each process."""
        return _server()

    @cached_property
    def inputs(self) -> Path:
        """The folder that is copied: tensors, a scan, a construction, points, and old outputs."""
        folder = self.folder / "inputs"
        if folder.exists():
            return folder
        folder.mkdir()
        self._make(folder, "build conus-plus conus-plus-budget conus-plus-a25")
        self._make(folder, f"scan vector {_PLANE} --block-points 33 --out plane.zarr")
        self._make(folder, f"scan vector {_SMALL_PLANE} {_TOYS} --out toys.zarr")
        points = np.random.default_rng(1).normal(size=(300, 2)) * [1e-12, 1e-32]
        np.save(folder / "points.npy", points)
        table = "\n".join(",".join(map(repr, map(float, row))) for row in points)
        (folder / "points.csv").write_text(f"q_ee,r2_ee\n{table}\n", encoding="utf-8")
        import pyarrow
        from pyarrow import parquet

        columns = {"q_ee": points[:, 0], "r2_ee": points[:, 1]}
        parquet.write_table(pyarrow.table(columns), folder / "points.parquet")
        self._make(folder, "contour plane.zarr -o there.csv")
        self._make(folder, "plot toys.zarr -o there.svg")
        return folder

    def _make(self, folder: Path, words: str) -> None:
        report = self.server.run({"words": words.split(), "folder": str(folder)})[0]
        assert report["code"] == 0, f"{words}: {report}"

    def copy(self, command: Command, folder: Path) -> Path:
        """A folder in which a command can start."""
        kept = None if not command.cold else shutil.ignore_patterns("tables")
        shutil.copytree(self.inputs, folder, ignore=kept, dirs_exist_ok=True)
        return folder

    def reference(self, command: Command) -> Reference:
        """What a command makes of a copy when nothing disturbs it."""
        if command not in self._references:
            # Longer than the name of a case, lest a name of a folder gets into an output unseen.
            folder = self.copy(command, self.folder / "undisturbed")
            report = self.server.run({"words": command.line(), "folder": str(folder)})[0]
            assert report["code"] == 0, f"{command.words}: {report}"
            made = Reference(tree(folder), report["steps"], report["seconds"])
            self._references[command] = made
            shutil.rmtree(folder)
        return self._references[command]
