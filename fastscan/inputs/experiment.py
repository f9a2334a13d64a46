"""Experiment: everything a prediction and its comparison with data need, from one TOML file."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs.detector import Detector, Ionisation
from fastscan.inputs.observation import Observation
from fastscan.inputs.reactor import Reactor
from fastscan.inputs.schema import Model, problem, validated
from fastscan.inputs.shipped import data_directory, read_manifest, read_shipped
from fastscan.inputs.systematics import Pull, Systematics
from fastscan.inputs.tables import SHIPPED_PREFIX, DataFile, decode, read_bytes
from fastscan.inputs.target import Target
from fastscan.storage.paths import local_path

__all__ = ["Experiment", "Systematics", "experiment_names", "load_experiment"]

# What an experiment says of itself is not inherited: it would no longer be true.
_OWN_WORDS = ("name", "title", "description", "source")
# A budget of uncertainties is one whole: half of another one beside it would count things twice.
_WHOLE = ("systematics",)


class Experiment(Model):
    """Reactor, target, detectors and data of one experiment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    title: str = ""
    description: str = ""
    source: str = ""
    reactor: Reactor
    target: Target
    ionisation: Ionisation
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1, strict=False)]
    observation: Observation
    systematics: Systematics

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        name, count = Counter(detector.name for detector in self.detectors).most_common(1)[0]
        if count > 1:
            raise problem(f"{count} detectors are called {name!r}", "give each its own name")
        lowest = min(detector.threshold_ev for detector in self.detectors)
        edges_ev = self.observation.edges_ev
        if edges_ev[1] <= lowest:
            raise problem(
                f"no detector contributes to the bin {edges_ev[0]:g} to {edges_ev[1]:g} eV: "
                f"the lowest threshold is {lowest:g} eV",
                "drop the bin or correct threshold_ev",
            )
        for detector in self.detectors:
            energy_ev = detector.efficiency_energy_ev
            if energy_ev.size and not (
                energy_ev[0] <= detector.threshold_ev and energy_ev[-1] >= edges_ev[-1]
            ):
                raise problem(
                    f"efficiency of detector {detector.name!r} is given from {energy_ev[0]:g} to "
                    f"{energy_ev[-1]:g} eV only",
                    f"let the table reach from {detector.threshold_ev:g} to {edges_ev[-1]:g} eV",
                )
        for pull in self.systematics.pulls:
            self._check_pull(pull)
        return self

    def _check_pull(self, pull: Pull) -> None:
        try:
            if pull.kind == "flux-shape":
                pull.flux_shapes(self.reactor.energy_bin_edges_mev)
            elif pull.kind in ("efficiency", "template"):
                pull.bin_changes(self.observation.edges_ev)
            for deviations in (-1.0, 1.0) if pull.settings else ():
                self.pulled(pull, deviations)
        except InputError as error:
            where = f" ({error.where})" if error.where else ""
            raise problem(f"pull {pull.name!r}: {error.what}{where}", error.hint) from error

    def tensor_inputs(self) -> dict[str, Any]:
        """Canonical description of everything the response tensors depend on.

        Returns
        -------
        dict
            Ready for JSON: numbers inline, each file by the sha256 of its bytes under its role.
            Equal for experiments of equal physics, whatever their names, observed counts and
            systematic uncertainty; settings without effect are left out.
        """
        return {
            "reactor": self.reactor.tensor_inputs(),
            "target": self.target.tensor_inputs(),
            "ionisation": self.ionisation.tensor_inputs(),
            "detectors": [detector.tensor_inputs(self.ionisation) for detector in self.detectors],
            "observation": self.observation.tensor_inputs(),
        }

    def with_changes(self, changes: Mapping[str, object]) -> Experiment:
        """Copy with some settings changed, checked like a TOML file.

        Parameters
        ----------
        changes : mapping of str to object
            Values by dotted key, entries of lists by number: ``{"reactor.energy_max_mev": 8.0,
            "detectors.0.threshold_ev": 190.0}``. None takes a key out, as if it had not been
            given. Files are referred to as in TOML, relative to the current folder.

        Raises
        ------
        InputError
            Unknown key, or the first thing that is wrong with the changed experiment.

        Examples
        --------
        >>> conus = load_experiment("conus-plus")
        >>> conus.with_changes({"target.quenching.k": 0.17}).target.quenching
        Quenching(model='lindhard', k=0.17)
        """
        settings: dict[str, Any] = _given(self)
        for key, value in changes.items():
            _change(settings, key, value)
        return validated(Experiment, settings, Path(self.name))

    def pulled(self, pull: Pull, deviations: float) -> Experiment:
        """Copy with the settings of a pull moved, and no other uncertainty than a normalisation.

        Counts are not scaled to a published expectation, which is that of unmoved settings.

        Parameters
        ----------
        pull : Pull
            Of kind ``setting``.
        deviations : float
            By how many standard deviations.

        Raises
        ------
        InputError
            A setting that is not there, is no number, or leaves its physical range.
        """
        changes: dict[str, object] = {"systematics": {"sigma_alpha": 1.0}}
        if self.observation.sm_expectation is not None:
            changes["observation.sm_expectation"] = None
        for key, change in pull.settings.items():
            changes[key] = self.number(key) + deviations * change
        try:
            return self.with_changes(changes)
        except InputError as error:
            keys = ", ".join(f"{key} = {changes[key]:g}" for key in pull.settings)
            raise InputError(
                f"{deviations:+g} standard deviations, {keys}, are not possible: {error.what}",
                where=error.where.removeprefix(f"{self.name}, "),
                hint=error.hint if error.hint != "correct the value" else "lower the change",
            ) from error

    def number(self, key: str) -> float:
        """Value of a numeric setting by its dotted key, such as ``target.quenching.k``.

        Raises
        ------
        InputError
            There is no such setting, or it is not a number.
        """
        value: Any = self
        for part in key.split("."):
            known: dict[str, Any] = {}
            if isinstance(value, Model):
                known = {name: getattr(value, name) for name in type(value).model_fields}
            elif isinstance(value, dict):
                known = value
            elif isinstance(value, tuple):
                known = {str(i): item for i, item in enumerate(value)}
            if part not in known:
                error = unknown_name("setting", part, known, where=key)
                raise InputError(error.what, where=key, hint=error.hint if known else "shorten it")
            value = known[part]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            what = "not given" if value is None else "not a number"
            raise InputError(f"setting is {what}", where=key, hint="name a number that is given")
        return float(value)

    def to_dict(self) -> dict[str, Any]:
        """All settings, defaults included, ready for JSON; each file by its name and sha256."""
        described: dict[str, Any] = _described(self)
        return described


def _given(value: Any) -> Any:
    """What was given to make a model: nested dicts and lists that may be changed."""
    if isinstance(value, Model):
        return {key: _given(getattr(value, key)) for key in value.model_fields_set}
    if isinstance(value, tuple):
        return [_given(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def _change(settings: dict[str, Any], key: str, value: object) -> None:
    parts = key.split(".")
    inner: Any = settings
    for depth, part in enumerate(parts):
        index: Any = int(part) if isinstance(inner, list) and part.isdecimal() else part
        if isinstance(inner, dict):
            # An unknown table is refused, and the right one suggested, with all other checks.
            inner.setdefault(part, {} if depth + 1 < len(parts) else None)
        elif not (isinstance(inner, list) and isinstance(index, int) and index < len(inner)):
            above = ".".join(parts[:depth])
            hint = f"set {above} itself"
            if isinstance(inner, list):
                hint = f"its entries are 0 to {len(inner) - 1}"
            raise InputError(f"there is nothing called {part!r} in {above!r}", where=key, hint=hint)
        if depth + 1 < len(parts):
            inner = inner[index]
        elif value is None and isinstance(inner, dict):
            del inner[part]
        else:
            inner[index] = value


def _described(value: Any) -> Any:
    if isinstance(value, Model):
        return {key: _described(getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, DataFile):
        shipped = value.path.is_relative_to(data_directory())
        name = value.path.relative_to(data_directory()).as_posix() if shipped else value.path.name
        return {"file": f"{SHIPPED_PREFIX if shipped else ''}{name}", "sha256": value.sha256}
    if isinstance(value, tuple):
        return [_described(item) for item in value]
    return dict(value) if isinstance(value, dict) else value


def experiment_names() -> tuple[str, ...]:
    """Names of the shipped experiments."""
    files = (Path(name) for name in read_manifest())
    return tuple(sorted(file.stem for file in files if file.parent.name == "experiments"))


def load_experiment(name_or_path: str | Path) -> Experiment:
    """Read and check an experiment.

    Parameters
    ----------
    name_or_path : str or path
        Name of a shipped experiment, or a TOML file. The file has the fields of `Experiment` as
        keys and tables. ``extends = "NAME"`` at its top starts from a shipped experiment: tables
        are merged key by key, lists and the table ``systematics`` are replaced.

    Returns
    -------
    Experiment

    Raises
    ------
    InputError
        If there is no such experiment, or on the first thing that is wrong with it.

    Examples
    --------
    >>> load_experiment("conus-plus").observation.unit
    'counts / kg / 119 d'
    """
    if str(name_or_path) in experiment_names():
        name = str(name_or_path)
        path, settings = _shipped_settings(name)
    else:
        path = local_path(name_or_path)
        if path.suffix != ".toml" and not path.is_file():
            raise unknown_name(
                "experiment", str(name_or_path), experiment_names(), where="nor is it a TOML file"
            )
        name, settings = path.stem, _settings(read_bytes(path), path)
    return validated(Experiment, {"name": name, **settings}, path)


def _shipped_settings(name: str) -> tuple[Path, dict[str, Any]]:
    path, content = read_shipped(f"experiments/{name}.toml")
    return path, _settings(content, path)


def _settings(content: bytes, path: Path) -> dict[str, Any]:
    own = parse_toml(content, path)
    if "extends" not in own:
        return own
    base_name = own.pop("extends")
    if base_name not in experiment_names():
        raise unknown_name(
            "experiment", str(base_name), experiment_names(), where=f"{path}, extends"
        )
    _, base = _shipped_settings(base_name)
    for key in _OWN_WORDS:
        base.pop(key, None)
    return _merged(base, own)


def parse_toml(content: bytes, path: Path) -> dict[str, Any]:
    text = decode(content, str(path)).replace("\r\n", "\n")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # huge integers, endless nesting
        what, _, position = str(error).partition(" (at ")
        where = f"{path}, {position.removesuffix(')')}" if position else str(path)
        raise InputError(f"not valid TOML: {what}", where=where) from error


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(base[key], value)
        for key, value in own.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict) and key not in _WHOLE
    }
    return base | own | both
