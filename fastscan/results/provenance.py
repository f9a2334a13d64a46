"""What a result is of: model, experiment, channels, constraints, data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from fastscan.counts import Constraint
from fastscan.exceptions import InputError
from fastscan.models import Model, get_model, recorded_model

__all__ = ["Provenance", "with_unit"]


@dataclass(frozen=True, eq=False)
class Provenance:
    """What was analysed; parameters that were held are told by each result.

    Attributes
    ----------
    model_name : str
    options : dict
        Of the model.
    experiment : str
        Its name; of several that are fitted together, that of the fit.
    experiment_title, experiment_source : str
        Its own words, and where it is from.
    channels : {"both", "cevns", "eves"}
    constraints : tuple of Constraint
        External measurements of parameters.
    data : str
        Where the counts come from; empty where they are those of the experiment.
    model : Model or None
        None if this version does not have it.
    """

    model_name: str
    options: Mapping[str, object]
    experiment: str
    channels: str
    experiment_title: str = ""
    experiment_source: str = ""
    constraints: tuple[Constraint, ...] = ()
    data: str = ""
    model: Model | None = None

    @classmethod
    def of_header(cls, header: Mapping[str, Any]) -> Provenance:
        """That of a scan, from the header of its store."""
        try:
            model = recorded_model(header)
        except (InputError, TypeError):
            model = None
        return cls(
            header["model"],
            header["options"],
            header["experiment"],
            header["channels"],
            experiment_source=header["experiment_source"],
            constraints=tuple(Constraint(**c) for c in header.get("constraints", ())),
            data=header.get("data", ""),
            model=model,
        )

    def known_model(self) -> Model:
        """The model.

        Raises
        ------
        InputError
            This version does not have it.
        """
        return self.model or get_model(self.model_name, **self.options)

    def unit(self, name: str) -> str:
        """Unit of a parameter; that of a pure number where the model is not known."""
        return "1" if self.model is None else self.model.parameter(name).unit

    def to_dict(self) -> dict[str, Any]:
        """For the JSON of every result."""
        about: dict[str, Any] = {
            "model": self.model_name,
            "options": dict(self.options),
            "experiment": self.experiment,
            "channels": self.channels,
        }
        if self.constraints:
            about["constraints"] = [asdict(constraint) for constraint in self.constraints]
        if self.data:
            about["data"] = self.data
        return about

    def attributes(self) -> dict[str, str]:
        """For the attributes of a dataset: text alone."""
        about = {**self.to_dict(), "fastscan_version": version("fastscan")}
        about["options"] = ", ".join(f"{k} = {v}" for k, v in self.options.items())
        if self.constraints:
            about["constraints"] = "; ".join(self._measured())
        return about

    def held_words(self, held: Mapping[str, float]) -> str:
        """Parameters with their values and units."""
        return ", ".join(
            f"{name} = {with_unit(f'{value:.10g}', self.unit(name))}"
            for name, value in held.items()
        )

    def words(self, held: Mapping[str, float], profiled: Sequence[str] = ()) -> str:
        """Model, experiment and channels, and the parameters that were not free."""
        chosen = ", ".join(f"{name} = {value}" for name, value in self.options.items())
        model = f"{self.model_name}{f' ({chosen})' if chosen else ''}"
        parts = [
            f"{model}, {self.experiment}, channels {self.channels}",
            f"held: {self.held_words(held) or 'nothing'}",
        ]
        if profiled:
            parts.append(f"profiled: {', '.join(profiled)}")
        parts += [f"constrained: {words}" for words in self._measured()]
        if self.data:
            parts.append(f"data: {self.data}")
        return "; ".join(parts)

    def _measured(self) -> list[str]:
        return [f"{c.name} = {c.value:.10g} +- {c.sigma:.4g}" for c in self.constraints]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Provenance):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.model_name, self.experiment, self.channels))


def with_unit(number: str, unit: str) -> str:
    """A number and its unit; a pure number has none."""
    return number if unit == "1" else f"{number} {unit}"
