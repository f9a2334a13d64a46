"""Experiment: everything a prediction and its comparison with data need, from one TOML file."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs.backgrounds import Background
from fastscan.inputs.detector import Detector, Ionisation
from fastscan.inputs.effect import check_effect, unread_reason
from fastscan.inputs.materials import elements_of
from fastscan.inputs.observation import Observation
from fastscan.inputs.quantities import leaves, unusual_values
from fastscan.inputs.reactor import Reactor
from fastscan.inputs.schema import Model, Name, problem, validated
from fastscan.inputs.settings import (
    change,
    described,
    differing,
    flat,
    full_key,
    given,
    merged,
    read_settings,
)
from fastscan.inputs.shipped import read_manifest, read_shipped
from fastscan.inputs.sources import AnySource, Component, Source, components_of
from fastscan.inputs.systematics import Pull, Systematics
from fastscan.inputs.tables import FloatArray, read_bytes, read_only
from fastscan.inputs.target import Target
from fastscan.storage.paths import local_path

__all__ = ["Experiment", "Systematics", "experiment_names", "load_experiment"]

# What an experiment says of itself is not inherited: it would no longer be true.
_OWN_WORDS = ("name", "title", "description", "source")
_log = logging.getLogger(__name__)


class Experiment(Model):
    """Sources, target, detectors and data of one experiment.

    ``reactor`` is the short form of ``sources`` for one reactor; `every_source` gives them in
    either form.
    ``unusual`` lists the dotted keys of values that are out of their usual range on purpose, such
    as ``systematics.sigma_alpha`` or ``detectors.0.mass_kg``.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    title: str = ""
    description: str = ""
    source: str = ""
    unusual: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    reactor: Reactor | None = None
    sources: Annotated[tuple[AnySource, ...], Field(strict=False)] = ()
    target: Target
    ionisation: Ionisation
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1, strict=False)]
    observation: Observation
    backgrounds: Annotated[tuple[Background, ...], Field(strict=False)] = ()
    systematics: Systematics

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_sources()
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
        if (
            self.ionisation.resolution == "gaussian"
            and self.ionisation.electronic_noise_ev == 0.0
            and any(detector.electronic_noise_ev is None for detector in self.detectors)
        ):
            raise problem(
                "missing key 'electronic_noise_ev' of [ionisation]",
                "resolution = 'gaussian' needs it, unless every detector has its own",
            )
        for pull in self.systematics.pulls:
            self._check_pull(pull)
        self._check_backgrounds()
        for key, error in self.unusual_values():
            if key not in self.unusual:
                where = f" ({error.where})" if error.where else ""
                raise problem(error.what + where, error.hint)
        return self

    def _check_sources(self) -> None:
        if (self.reactor is None) == (not self.sources):
            if self.reactor is None:
                raise problem("missing key 'reactor'", "add it, or [[sources]] of any kind")
            raise problem(
                "[reactor] and [[sources]] are both given",
                "write the reactor as one of them: [[sources]] with kind = 'reactor'",
            )
        kinds = {source.quantity for source in self.every_source}
        if len(kinds) > 1:
            raise problem(
                "some sources give a flux, others a fluence",
                "a fluence is of the whole exposure: give each source the same of the two",
            )
        if self.quantity == "flux":
            for detector in self.detectors:
                if detector.live_time_d is None:
                    raise problem(
                        f"missing key 'live_time_d' of detector {detector.name!r}",
                        "a flux needs it",
                    )
        elif self.observation.normalisation == "per-kg":
            raise problem(
                "observation.normalisation = 'per-kg' is per live time, and the sources give "
                "fluences",
                "write normalisation = 'total', with the counts of the whole exposure",
            )

    @property
    def every_source(self) -> tuple[Source, ...]:
        """The reactor, or the list of sources."""
        return self.sources if self.reactor is None else (self.reactor,)

    @property
    def quantity(self) -> str:
        """What the sources give: ``flux``, per cm**2 and s, or ``fluence``, per cm**2."""
        return self.every_source[0].quantity

    @property
    def components(self) -> tuple[Component, ...]:
        """Neutrinos by flavour and energy bins, summed over sources."""
        return components_of(self.every_source)

    @property
    def energy_bin_edges_mev(self) -> FloatArray:
        """Neutrino-energy bins that a flux can be reweighted in, shape (e + 1,).

        Raises
        ------
        InputError
            There are several components, each with bins of its own.
        """
        components = self.components
        if len(components) > 1:
            raise InputError(
                f"changes of the flux by energy are for one flavour, and the sources emit "
                f"{', '.join(component.flavour for component in components)}",
                where=self.name,
                hint="change settings of the sources instead",
            )
        return read_only(components[0].energy_bin_edges_mev)

    @property
    def exposures(self) -> FloatArray:
        """Of each detector: kilograms times days, or kilograms where fluences are given."""
        return read_only(
            [
                detector.mass_kg * (detector.live_time_d or 0.0)
                if self.quantity == "flux"
                else detector.mass_kg
                for detector in self.detectors
            ]
        )

    @property
    def distance_m(self) -> float:
        """From the sources to the detectors; 0 where they do not say, or not the same."""
        given = (getattr(source, "distance_m", None) for source in self.every_source)
        distances = {float(distance or 0.0) for distance in given}
        return distances.pop() if len(distances) == 1 else 0.0

    def source_keys(self) -> Iterable[tuple[str, Source]]:
        """Each source with its dotted key."""
        if self.reactor is not None:
            yield "reactor", self.reactor
        for i, source in enumerate(self.sources):
            yield f"sources.{i}", source

    def unusual_values(self) -> Iterable[tuple[str, InputError]]:
        """Dotted keys of values out of their usual range, and what is unusual about each."""
        yield from unusual_values(self)
        for i, pull in enumerate(self.systematics.pulls):
            yield from pull.unusual_values(f"systematics.pulls.{i}")

    def unread(self) -> dict[str, str]:
        """Keys and tables that change no count as the others are, and why.

        Returns
        -------
        dict
            Reason, which names the key that wins, by dotted key.
        """
        unread = {
            f"{name}.{key}": reason
            for name in ("target", "ionisation", "observation")
            for key, reason in getattr(self, name).unread().items()
        }
        for name, source in self.source_keys():
            unread |= {f"{name}.{key}": why for key, why in source.unread(name).items()}
        if self.quantity == "fluence":
            reason = "fluences are of the whole exposure"
            for i in range(len(self.detectors)):
                unread[f"detectors.{i}.live_time_d"] = reason
        noise = [detector.electronic_noise_ev is not None for detector in self.detectors]
        for i, own in enumerate(noise):
            if own and self.ionisation.resolution == "none":
                key = f"detectors.{i}.electronic_noise_ev"
                unread[key] = unread["ionisation.electronic_noise_ev"]
        if all(noise):
            unread.setdefault("ionisation.electronic_noise_ev", "every detector has its own")
        return unread

    def scaled_away(self) -> dict[str, str]:
        """Keys that are needed, but cancel in the unit of the counts, and why; as `unread`."""
        away = {}
        if self.observation.sm_expectation is not None:
            reason = "observation.sm_expectation is what all counts are scaled to"
            if len(self.every_source) == 1 and isinstance(self.every_source[0], Reactor):
                (key, _), *_ = self.source_keys()
                away = {f"{key}.{name}": reason for name in ("flux", "power")}
        elif self.observation.normalisation == "per-kg":
            reason = "counts of observation.normalisation = 'per-kg' are those of a kilogram"
        else:
            return {}
        if len(self.detectors) == 1:
            away |= dict.fromkeys(("detectors.0.mass_kg", "detectors.0.live_time_d"), reason)
        return away

    def cautions(self) -> tuple[str, ...]:
        """What is assumed where the settings leave it open, one line each."""
        lines = [line for source in self.every_source for line in source.cautions()]
        edges_ev = self.observation.edges_ev
        for detector in self.detectors:
            energy_ev, value = detector.efficiency_energy_ev, detector.efficiency_value
            if not energy_ev.size:
                continue
            table = f"efficiency of detector {detector.name!r}"
            start = max(detector.threshold_ev, float(edges_ev[0]))
            if energy_ev[0] > start:
                lines.append(
                    f"{table} begins at {energy_ev[0]:g} eV, above {start:g} eV where the bins "
                    f"begin: its first value, {value[0]:g}, is taken below"
                )
            if energy_ev[-1] < edges_ev[-1]:
                lines.append(
                    f"{table} ends at {energy_ev[-1]:g} eV, before the bins at "
                    f"{edges_ev[-1]:g} eV: its last value, {value[-1]:g}, is taken beyond"
                )
        return tuple(lines)

    def _check_backgrounds(self) -> None:
        if self.backgrounds and not self.observation.counted:
            raise problem(
                "backgrounds of an excess: they are subtracted from it already",
                "write observation.likelihood = 'poisson' and give counts, or leave them out",
            )
        every = [background.name for background in self.backgrounds]
        names = [name for b in self.backgrounds for name in b.nuisance_names()]
        for name in (*every, *names):
            if every.count(name) > 1 or [*self.systematics.names, *names].count(name) > 1:
                raise problem(f"two nuisances are called {name!r}", "give each its own name")
        for background in self.backgrounds:
            try:
                background.check(self.observation.edges_ev)
            except InputError as error:
                where = f" ({error.where})" if error.where else ""
                raise problem(
                    f"background {background.name!r}: {error.what}{where}", error.hint
                ) from error

    def _check_pull(self, pull: Pull) -> None:
        try:
            if pull.kind == "flux-shape":
                pull.flux_shapes(self.energy_bin_edges_mev)
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
        every, components = self.every_source, self.components
        sources: dict[str, Any]
        if len(every) == 1 and isinstance(every[0], Reactor):
            # A reactor alone is the same in either form.
            sources = {"reactor": every[0].tensor_inputs()}
        else:
            sources = {
                "quantity": self.quantity,
                "sources": [source.tensor_inputs() for source in every],
                "components": [
                    {
                        "flavour": component.flavour,
                        "energy_bin_edges_mev": list(component.energy_bin_edges_mev),
                    }
                    for component in components
                ],
            }
        return {
            **sources,
            "target": self.target.tensor_inputs(),
            "ionisation": self.ionisation.tensor_inputs(),
            "detectors": [
                detector.tensor_inputs(self.ionisation, self.quantity)
                for detector in self.detectors
            ],
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
            Unknown key, the first thing that is wrong with the changed experiment, or a change that
            changes no count because another key wins.

        Examples
        --------
        >>> conus = load_experiment("conus-plus")
        >>> conus.with_changes({"target.quenching.k": 0.17}).target.quenching
        Lindhard(model='lindhard', k=0.17)
        """
        changed = self._changed(changes)
        before = dict(flat(given(self)))
        own = {
            path: value
            for key, new in changes.items()
            if new is not None
            for path, value in flat(new, full_key(key))
            if path not in before or before[path] != value
        }
        check_effect(changed, own, changed.unread() | changed.scaled_away(), self.name)
        for line in changed.cautions():
            if line not in self.cautions():
                _log.warning("%s: %s", changed.name, line)
        return changed

    def _changed(self, changes: Mapping[str, object]) -> Experiment:
        settings: dict[str, Any] = given(self)
        for key, value in changes.items():
            short = key == "target.material" and value is not None
            change(settings, full_key(key), elements_of(str(value), key) if short else value)
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
        for key, step in pull.settings.items():
            changes[key] = self.number(key) + deviations * step
        try:
            return self._changed(changes)
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
        for part in full_key(key).split("."):
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

    def __repr__(self) -> str:
        return f"<Experiment {self.name}: {self.title}>"

    __str__ = __repr__

    def to_dict(self) -> dict[str, Any]:
        """All settings, defaults included, ready for JSON; each file by its name and sha256."""
        settings: dict[str, Any] = described(self)
        return settings


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
        own: dict[str, Any] = {}
        base = None
    else:
        path = local_path(name_or_path)
        if path.suffix != ".toml" and not path.is_file():
            raise unknown_name(
                "experiment", str(name_or_path), experiment_names(), where="nor is it a TOML file"
            )
        name, own = path.stem, read_settings(read_bytes(path), path)
        base = _base(own, path)
        settings = own if base is None else merged(base, own)
    experiment = validated(Experiment, {"name": name, **settings}, path)
    unread = experiment.unread()
    changed = dict(flat(own))
    if base is None and any(unread_reason(key, unread) for key in changed):
        # A copy of a shipped file holds what that experiment does not read; changes are its own.
        changed = differing(own, [_shipped_settings(n)[1] for n in experiment_names()])
    elif base is not None:
        changed = differing(own, [base])
        needed = {
            key
            for key, field, _ in leaves(experiment)
            if field.is_required() or key.endswith(".live_time_d")
        }
        away = experiment.scaled_away()
        unread |= {key: reason for key, reason in away.items() if key not in needed}
    check_effect(experiment, changed, unread, str(path))
    for line in (*experiment.cautions(), *_inherited_quenching(base, own)):
        _log.warning("%s: %s", experiment.name, line)
    return experiment


def _shipped_settings(name: str) -> tuple[Path, dict[str, Any]]:
    path, content = read_shipped(f"experiments/{name}.toml")
    own = read_settings(content, path)
    base = _base(own, path)
    return path, own if base is None else merged(base, own)


def _base(own: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """Settings of the experiment that ``extends`` names; the key is taken out."""
    if "extends" not in own:
        return None
    name = own.pop("extends")
    if name not in experiment_names():
        raise unknown_name("experiment", str(name), experiment_names(), where=f"{path}, extends")
    _, base = _shipped_settings(name)
    for key in _OWN_WORDS:
        base.pop(key, None)
    # Sources of one's own replace those of the base, in whichever form either writes them.
    for given_form, other in (("sources", "reactor"), ("reactor", "sources")):
        if given_form in own:
            base.pop(other, None)
    return base


def _inherited_quenching(base: dict[str, Any] | None, own: dict[str, Any]) -> Iterable[str]:
    """A word on nuclei of other elements than those that the quenching was written for."""
    target = own.get("target", {})
    if base is None or "elements" not in target or target.get("quenching"):
        return
    old, new = (
        ", ".join(element["symbol"] for element in elements)
        for elements in (base["target"]["elements"], target["elements"])
    )
    if old != new:
        quenching = base["target"]["quenching"]
        named = f".k = {quenching['k']:g}" if "k" in quenching else ""
        yield f"target.quenching{named} is that of {old}, and {new} recoils: give its own"
