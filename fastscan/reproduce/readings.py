"""Readings of the two papers: what they leave open, each way it can be taken as an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastscan.exceptions import unknown_name
from fastscan.inputs import Experiment, load_experiment
from fastscan.likelihoods import Likelihood, Limit
from fastscan.models import get_model
from fastscan.tensors import Response, load_response

__all__ = [
    "MODEL_OF",
    "PAPERS",
    "READINGS",
    "Analyses",
    "Reading",
    "check_papers",
    "load_reading",
    "readings_of",
]

PAPERS: Mapping[str, str] = {"c25": "arXiv:2501.12441", "a25": "arXiv:2501.10355"}

# The model that each published quantity is a parameter of.
MODEL_OF: Mapping[str, str] = {
    "sin2_theta_w": "sm",
    "mu_nu": "magnetic-moment",
    **{f"q_{flavour}": "millicharge" for flavour in ("ee", "emu", "etau")},
    **{f"r2_{flavour}": "charge-radius" for flavour in ("ee", "emu", "etau")},
}

_FREE: Mapping[str, object] = {"target.electron_binding": "free"}


@dataclass(frozen=True)
class Reading:
    """One way to take a paper.

    Attributes
    ----------
    name, title : str
        ``name`` is also that of its experiment.
    paper : str
        Key of `PAPERS`.
    base : str
        The shipped experiment it starts from.
    changes : mapping
        For `Experiment.with_changes`.
    """

    name: str
    title: str
    paper: str
    base: str
    changes: Mapping[str, object] = field(default_factory=dict)

    @property
    def experiment(self) -> Experiment:
        """The experiment, under the name of the reading."""
        experiment = load_experiment(self.base)
        if not self.changes:
            return experiment
        title = f"{experiment.title}, free electrons"
        return experiment.with_changes({**self.changes, "name": self.name, "title": title})


READINGS: tuple[Reading, ...] = (
    Reading("conus-plus", "Gaussian resolution; electrons bound in shells", "c25", "conus-plus"),
    Reading(
        "conus-plus-free",
        "Gaussian resolution; all 32 electrons free",
        "c25",
        "conus-plus",
        _FREE,
    ),
    Reading(
        "conus-plus-c25",
        "no resolution, captures on top of the quoted flux; electrons bound in shells",
        "c25",
        "conus-plus-c25",
    ),
    Reading(
        "conus-plus-c25-free",
        "no resolution, captures on top of the quoted flux; all 32 electrons free",
        "c25",
        "conus-plus-c25",
        _FREE,
    ),
    Reading("conus-plus-a25", "one bin, normalised to 356 events", "a25", "conus-plus-a25"),
)


def check_papers(papers: Iterable[str]) -> None:
    """Refuse anything that is no key of `PAPERS`.

    Raises
    ------
    InputError
        Unknown paper.
    """
    for paper in papers:
        if paper not in PAPERS:
            raise unknown_name("paper", paper, PAPERS)


def readings_of(paper: str) -> tuple[Reading, ...]:
    """Readings of one paper, a key of `PAPERS`."""
    return tuple(reading for reading in READINGS if reading.paper == paper)


def load_reading(name: str) -> Experiment:
    """Experiment of a reading.

    Raises
    ------
    InputError
        Unknown reading.

    Examples
    --------
    >>> load_reading("conus-plus-free").target.electron_binding
    'free'
    """
    for reading in READINGS:
        if reading.name == name:
            return reading.experiment
    raise unknown_name("reading", name, [reading.name for reading in READINGS])


class Analyses:
    """Likelihoods and limits; experiments, tensors and limits of readings are made once.

    Parameters
    ----------
    tables : path, optional
        Folder of the tensor stores.
    """

    def __init__(self, tables: str | Path | None = None) -> None:
        self._tables = tables
        self._experiments: dict[str, Experiment] = {}
        self._responses: list[tuple[Experiment, Response]] = []
        self._limits: dict[tuple[str, str, str, float], Limit] = {}

    def experiment(self, reading: str) -> Experiment:
        """Experiment of a reading."""
        if reading not in self._experiments:
            self._experiments[reading] = load_reading(reading)
        return self._experiments[reading]

    def response(self, experiment: Experiment) -> Response:
        """Tensors of an experiment."""
        for known, response in self._responses:
            if known is experiment:
                return response
        response = load_response(experiment, self._tables)
        self._responses.append((experiment, response))
        return response

    def likelihood(
        self,
        model: str,
        experiment: Experiment,
        *,
        channels: str = "both",
        sigma_alpha: float | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Likelihood:
        """Likelihood of a model, by name, in an experiment."""
        return Likelihood(
            get_model(model, **(options or {})),
            experiment,
            self.response(experiment),
            channels=channels,
            sigma_alpha=sigma_alpha,
        )

    def of(self, reading: str, quantity: str, channels: str) -> Likelihood:
        """Likelihood of a published quantity under a reading."""
        return self.likelihood(MODEL_OF[quantity], self.experiment(reading), channels=channels)

    def limit(self, reading: str, quantity: str, channels: str, cl: float = 0.90) -> Limit:
        """Limit on a published quantity under a reading."""
        key = reading, quantity, channels, cl
        if key not in self._limits:
            self._limits[key] = self.of(reading, quantity, channels).limit(quantity, cl=cl)
        return self._limits[key]
