"""Hostile files: experiments, their tables, and points."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from torture import hostile, tables
from torture.attack import Attack, Outcome, difference, misspoken, pick, tree
from torture.binaries import NPY, PARQUET
from torture.commands import Said, run, succeed

_DATA = Path(__file__).resolve().parents[2] / "data"
_SHIPPED = re.compile(r'"shipped:([\w.]+)"')
_LINE = re.compile(r"^(\s*)([\w.\"-]+)(\s*=\s*)([^#\n]*?)(\s*(?:#.*)?)$")
_EXPERIMENTS = {
    "conus-plus": 0.6, "conus-plus-budget": 0.2, "conus-plus-a25": 0.15, "conus-plus-shapes": 0.05,
}  # fmt: skip
_QUESTIONS = (
    *["predict sm --json --experiment"] * 6,
    "predict vector --set mass_mev=1 --set g=1e-5 --experiment",
    "fit sm --experiment",
    "limit sm --poi sin2_theta_w --json --experiment",
    "inspect",
)
# Where names are printed and drawn.
_DRAWN = (
    "predict sm --experiment",
    "inspect",
    "fit sm -o x.png --experiment",
    "fit sm -o x.svg --experiment",
    "impacts sm --poi sin2_theta_w -o x.pdf --experiment",
)
PULLS = """\
extends = "conus-plus"
name = "mine"

[[systematics.pulls]]
name = "efficiency [of all]"
kind = "efficiency"
file = "relative.csv"

[[systematics.pulls]]
name = "template"
kind = "template"
file = "template.csv"

[[systematics.pulls]]
name = "spectrum"
kind = "flux-shape"
covariance = "covariance.csv"

[[systematics.correlations]]
names = ["template", "spectrum"]
rho = 0.1
"""


class Files(Attack):
    """What attacks by files share."""

    limit_s = 60.0

    def __enter__(self) -> Files:
        self.here = self.folder / "case"
        self.stores = self.folder / "tables"
        self.stores.mkdir(exist_ok=True)
        self.prepare()
        self._known = {path.name for path in self.stores.iterdir()}
        return self

    def prepare(self) -> None:
        """Make what is used again and again."""
        for name in _EXPERIMENTS:
            succeed("build", name)

    def ask(self, *words: str) -> tuple[Said, str]:
        """Run a command in the folder of the case; what it said, and what was wrong with it."""
        before = tree(self.here)
        said = run(*words)
        failed = said.code != 0
        fault = misspoken(said.stderr, said.stdout, failed=failed)
        if not fault and said.code not in (0, 2):
            fault = f"code {said.code}: {said.stderr}"
        if not fault and failed:
            fault = difference(tree(self.here), before)
        if not fault and any(path.name.startswith(".") for path in self.stores.iterdir()):
            fault = "left over among the tensors"
        return said, fault

    def clear(self) -> None:
        """Forget the case."""
        shutil.rmtree(self.here, ignore_errors=True)
        for path in self.stores.iterdir():
            if path.name not in self._known:
                shutil.rmtree(path)

    def end(self, group: tuple[str, ...], said: Said, fault: str) -> Outcome:
        """The outcome of a case."""
        return Outcome(group, "refused" if said.code else "read", fault)


def odd_numbers(text: str) -> str:
    """What is wrong with printed JSON: no JSON, or a count that is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return f"not JSON: {text[:200]!r}"
    for key in ("cevns", "eves", "total", "chi2", "chi2_min"):
        if key in found:
            values = np.atleast_1d(np.array(found[key], dtype=float))
            if not np.isfinite(values).all():
                return f"{key} is {found[key]!r:.200}"
            if key != "chi2_min" and (values < 0.0).any():
                return f"{key} is negative: {found[key]!r:.200}"
    return ""


def own_copy(text: str, folder: Path) -> str:
    """The text of an experiment, the shipped tables it names as files beside it."""
    for name in set(_SHIPPED.findall(text)):
        shutil.copy(_DATA / name, folder / name)
    return _SHIPPED.sub(r'"\1"', text)


class ExperimentFiles(Files):
    """TOML files of experiments, changed in a line, a key, a value or a byte.

    A command refuses each in one line with code 2 and writes nothing, or prints counts that are
    finite numbers; those of the unchanged file if the change has no meaning.
    """

    name = "experiment-files"
    cases = 4_000

    def prepare(self) -> None:
        super().prepare()
        self.texts = {name: succeed("experiments", "--show", name).stdout for name in _EXPERIMENTS}
        self.texts["with pulls"] = PULLS

    def case(self, number: int) -> Outcome:
        random = self.random(number)
        ways = (*LINES, *LINES, *hostile.BYTES, *hostile.ENCODINGS, *hostile.NEUTRAL)
        way = ways[number % len(ways)]
        weights = np.array([*_EXPERIMENTS.values(), 0.15])
        base = str(random.choice(list(self.texts), p=weights / weights.sum()))
        question = pick(random, _DRAWN if way == "text" else _QUESTIONS)
        self.here.mkdir()
        try:
            text = own_copy(self.texts[base], self.here)
            tables.write_side_tables(self.here)
            content = change_toml(text.encode(), way, random)
            path = self.here / "x.toml"
            path.write_bytes(content)
            fault = _loads(path)
            words = [*question.replace("x.", f"{self.here}/x.").split(), str(path)]
            said, spoken = self.ask(*words)
            fault = fault or spoken
            if not fault and said.code == 0 and "--json" in question:
                fault = odd_numbers(said.stdout)
            if not fault and way in hostile.NEUTRAL:
                path.write_text(text, encoding="utf-8")
                if run(*words) != said:
                    fault = f"changed by {way}: code {said.code} {said.stderr}"
            return self.end((base, way), said, fault)
        finally:
            self.clear()


def _loads(path: Path) -> str:
    """What is wrong with how the Python API reads an experiment."""
    import fastscan

    try:
        fastscan.load_experiment(path)
    except fastscan.InputError as error:
        return "" if len(str(error).splitlines()) == 1 else f"not one line: {error}"
    except Exception as error:
        return f"load_experiment: {type(error).__name__}: {error}"
    return ""


def change_toml(content: bytes, way: str, random: np.random.Generator) -> bytes:
    """Change the text of an experiment."""
    for changes in (hostile.BYTES, hostile.ENCODINGS, hostile.NEUTRAL):
        if way in changes:
            return changes[way](content, random)
    lines = content.decode().splitlines()
    settings = [i for i, line in enumerate(lines) if _LINE.match(line)]
    headers = [i for i, line in enumerate(lines) if line.startswith("[")]
    at = pick(random, settings)
    found = _LINE.match(lines[at])
    assert found is not None
    blanks, key, equals, value, rest = found.groups()
    if way == "value":
        lines[at] = f"{blanks}{key}{equals}{hostile.toml_value(value, random)}{rest}"
    elif way in ("value scaled", "text"):
        alike = [i for i in settings if _is_number(lines[i]) == (way == "value scaled")]
        at = pick(random, alike or settings)
        start, equals, value = lines[at].partition("=")
        text = json.dumps(pick(random, hostile.TEXTS), ensure_ascii=bool(random.integers(2)))
        new = text if way == "text" else hostile.scaled(value.partition("#")[0], random)
        lines[at] = f"{start}{equals} {new}"
    elif way == "key":
        lines[at] = f"{blanks}{hostile.misspelt(key, random)}{equals}{value}{rest}"
    elif way == "key quoted":
        lines[at] = f"{blanks}{json.dumps(pick(random, hostile.TEXTS))}{equals}{value}{rest}"
    elif way == "line deleted":
        del lines[at]
    elif way == "line doubled":
        lines.insert(at, lines[at])
    elif way == "line moved":
        line = lines.pop(at)
        lines.insert(int(random.integers(len(lines) + 1)), line)
    elif way == "line added":
        value = hostile.toml_value(value, random)
        lines.insert(int(random.integers(len(lines) + 1)), f"{key}{equals}{value}")
    elif headers:
        at = pick(random, headers)
        name = lines[at].strip("[] ")
        other = hostile.misspelt(name, random)
        new = (f"[{name}]", f"[[{name}]]", f"[{other}]", "", f"[{name}", f"[{name}.{other}]")
        lines[at] = pick(random, new)
    return "\n".join([*lines, ""]).encode(errors="surrogatepass")


LINES = (
    "value", "value scaled", "text", "key", "key quoted", "line deleted", "line doubled",
    "line moved", "line added", "header",
)  # fmt: skip


def _is_number(line: str) -> bool:
    """Whether a line sets a number."""
    try:
        float(line.partition("=")[2].partition("#")[0])
    except ValueError:
        return False
    return True


class TableFiles(Files):
    """CSV tables of every purpose, changed in a cell, a row, a column, a separator or a byte.

    A command refuses each in one line with code 2 and writes nothing, or prints counts that are
    finite numbers; those of the unchanged table if the change has no meaning.
    """

    name = "table-files"
    cases = 4_000

    def prepare(self) -> None:
        super().prepare()
        plane = "--axis mass_mev=0.1:10:6:log --axis g=1e-6:1e-4:10:log --quiet"
        out = self.folder / "plane.zarr"
        if not out.exists():
            succeed(*f"scan vector {plane} --out {out}".split())
        shown = succeed("experiments", "--show", "conus-plus").stdout
        self.text = shown.replace("[[detectors]]", '[[detectors]]\nefficiency = "efficiency.csv"')

    def case(self, number: int) -> Outcome:
        random = self.random(number)
        ways = (*tables.CHANGES, *tables.CHANGES, *hostile.BYTES, *hostile.ENCODINGS, *NEUTRAL)
        purposes = tuple(tables.PURPOSES)
        purpose = purposes[number % len(purposes)]
        way = ways[number // len(purposes) % len(ways)]
        self.here.mkdir()
        try:
            (self.here / "x.toml").write_text(own_copy(self.text, self.here), encoding="utf-8")
            (self.here / "pulls.toml").write_text(PULLS, encoding="utf-8")
            tables.write_side_tables(self.here)
            file, question = tables.PURPOSES[purpose]
            path = self.here / file
            before = path.read_bytes()
            path.write_bytes(tables.change(before, way, random))
            words = question.format(here=self.here, folder=self.folder).split()
            said, fault = self.ask(*words)
            if not fault and said.code == 0 and "--json" in words:
                fault = odd_numbers(said.stdout)
            if not fault and way in NEUTRAL and purpose != "overlay":
                path.write_bytes(before)
                if run(*words) != said:
                    fault = f"changed by {way}: code {said.code} {said.stderr}"
            return self.end((purpose, way), said, fault)
        finally:
            self.clear()


NEUTRAL = (*hostile.NEUTRAL, *tables.NEUTRAL)


class PointFiles(Files):
    """Points to evaluate, as .csv, .npy and .parquet, changed in all ways of their formats.

    The command refuses each in one line with code 2 and writes nothing, or writes chi2 of every
    point, and none is NaN; those of the unchanged file if the change has no meaning.
    """

    name = "point-files"
    cases = 4_000

    def prepare(self) -> None:
        super().prepare()
        values = np.random.default_rng(1)
        self.points = {
            "electromagnetic": (
                ("q_ee", "r2_ee"),
                values.normal(size=(20, 2)) * [1e-12, 1e-32],
            ),
            "vector": (
                ("mass_mev", "g"),
                10.0 ** values.uniform([-1.0, -6.0], [1.0, -4.0], size=(20, 2)),
            ),
        }

    def case(self, number: int) -> Outcome:
        random = self.random(number)
        kinds = {"csv": (*tables.CHANGES, *hostile.BYTES, *hostile.ENCODINGS, *NEUTRAL)}
        kinds |= {"npy": (*NPY, *hostile.BYTES), "parquet": (*PARQUET, *hostile.BYTES)}
        kind = tuple(kinds)[number % 3]
        way = kinds[kind][number // 3 % len(kinds[kind])]
        model = pick(random, self.points)
        names, points = self.points[model]
        self.here.mkdir()
        try:
            path = self.here / f"x.{kind}"
            path.write_bytes(_points_file(kind, way, names, points, random))
            out = self.here / f"out.{pick(random, ('csv', 'npy', 'parquet'))}"
            words = ["evaluate", model, str(path), "-o", str(out), "--json"]
            if kind == "npy":
                words += ["--columns", ",".join(names)]
            said, fault = self.ask(*words)
            told = json.loads(said.stdout) if not fault and said.code == 0 else {}
            if told and way == "negative" and model == "vector" and not told["out_of_range"]:
                fault = "a negative mass or coupling was taken"
            if told:
                fault = fault or _odd_results(out, told)
                if not fault and kind == "csv" and way in NEUTRAL:
                    fault = self._moved(out, model, names, points)
            if not fault and said.code and kind == "csv" and way in NEUTRAL:
                fault = f"refused: {said.stderr}"
            return self.end((kind, way), said, fault)
        finally:
            self.clear()

    def _moved(self, out: Path, model: str, names: tuple[str, ...], points: Any) -> str:
        """Whether results differ from those of the unchanged file."""
        import fastscan

        function = fastscan.Chi2Function(fastscan.likelihood(model), list(names))
        return "" if np.array_equal(_chi2(out), function(points)) else "other chi2"


def _points_file(
    kind: str, way: str, names: tuple[str, ...], points: Any, random: np.random.Generator
) -> bytes:
    if kind == "csv":
        rows = "\n".join(",".join(map(repr, map(float, row))) for row in points)
        return tables.change(f"{','.join(names)}\n{rows}\n".encode(), way, random)
    makers = NPY if kind == "npy" else PARQUET
    if way in makers:
        return makers[way](names, points, random)
    plain = makers["plain"](names, points, random)
    return hostile.BYTES[way](plain, random)


def _chi2(out: Path) -> Any:
    if out.suffix == ".npy":
        return np.load(out)
    if out.suffix == ".csv":
        lines = [line for line in out.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
        return np.array([float(line.rpartition(",")[2]) for line in lines[1:]])
    from pyarrow import parquet

    table = parquet.read_table(out)
    return table.column(table.num_columns - 1).to_numpy()


def _odd_results(out: Path, said: dict[str, Any]) -> str:
    if not out.is_file():
        return "no output"
    chi2 = _chi2(out)
    if len(chi2) != said["points"]:
        return f"{len(chi2)} values of {said['points']} points"
    if any(math.isnan(value) for value in chi2):
        return "chi2 is NaN"
    return "" if (chi2 >= 0.0).all() else "chi2 is negative"
