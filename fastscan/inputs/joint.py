"""Several experiments fitted together, from one TOML file that names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from fastscan.exceptions import InputError
from fastscan.inputs.experiment import (
    Experiment,
    experiment_names,
    load_experiment,
)
from fastscan.inputs.schema import Model, Name, problem, validated
from fastscan.inputs.settings import parse_toml
from fastscan.inputs.tables import read_bytes
from fastscan.storage.paths import local_path

__all__ = ["JointExperiment", "check_distinct", "load_experiments"]


class JointExperiment(Model):
    """Experiments whose data are fitted together.

    ``shared`` names nuisances that are one and the same in all experiments that have them, as the
    flux of a reactor that two detectors see; all others belong to each experiment alone.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    title: str = ""
    description: str = ""
    source: str = ""
    experiments: Annotated[tuple[Name, ...], Field(strict=False)]
    shared: Annotated[tuple[Name, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(self.experiments) < 2:
            raise problem("experiments names fewer than two", 'name them: ["conus-plus", "x.toml"]')
        for key in ("experiments", "shared"):
            for name, count in Counter(getattr(self, key)).items():
                if count > 1:
                    raise problem(f"{key} names {name!r} {count} times", "name it once")
        return self


def load_experiments(
    name_or_path: str | Path,
) -> tuple[Experiment | JointExperiment, list[Experiment]]:
    """Read one experiment, or a file that names several to be fitted together.

    Parameters
    ----------
    name_or_path : str or path
        As for `load_experiment`, or a TOML file with the fields of `JointExperiment`: shipped
        names and TOML files, these relative to its own folder.

    Returns
    -------
    Experiment or JointExperiment
        What was named.
    list of Experiment
        Those it consists of.

    Raises
    ------
    InputError
        There is no such experiment, something is wrong with one, or two have the same name or
        the same data.
    """
    path = local_path(name_or_path)
    if str(name_or_path) in experiment_names() or not path.is_file():
        single = load_experiment(name_or_path)
        return single, [single]
    settings = parse_toml(read_bytes(path), path)
    if "experiments" not in settings:
        single = load_experiment(path)
        return single, [single]
    for key in ("experiments", "shared"):
        if not isinstance(settings.get(key, []), list):
            raise InputError(f"{key} is no list", where=str(path), hint=f'write {key} = ["a", "b"]')
    joint = validated(JointExperiment, {"name": path.stem, **settings}, path)
    parts = []
    for name in joint.experiments:
        file = path.parent / name
        own = name not in experiment_names()
        if own and file.is_file() and "experiments" in parse_toml(read_bytes(file), file):
            raise InputError(
                f"{name} names several experiments itself",
                where=f"{path}, experiments",
                hint="name each of them here",
            )
        parts.append(load_experiment(file if own else name))
    name, count = Counter(part.name for part in parts).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} of the experiments are called {name!r}",
            where=f"{path}, experiments",
            hint="give each its own name = '…'",
        )
    check_distinct(parts, where=f"{path}, experiments")
    return joint, parts


def check_distinct(experiments: Sequence[Experiment], where: str = "") -> None:
    """Refuse the same data twice: a fit would count them as two measurements.

    Parameters
    ----------
    experiments : sequence of Experiment
        Those of a joint fit. Two may share a file of counts if they use different bins of it.
    where : str, optional
        What names them.

    Raises
    ------
    InputError
        Two have a bin of the same file in common, or the same counts throughout.
    """
    for one, other in combinations(experiments, 2):
        a, b = one.observation, other.observation
        overlap = a.edges_ev[0] < b.edges_ev[-1] and b.edges_ev[0] < a.edges_ev[-1]
        if (a.file.sha256 == b.file.sha256 and overlap) or a.same_data(b):
            raise InputError(
                f"{one.name!r} and {other.name!r} hold the same data",
                where=where,
                hint="name one of them, or cut their bins with start_ev and stop_ev",
            )
