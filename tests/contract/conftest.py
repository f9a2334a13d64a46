"""The likelihoods that every question is asked of, and their slow twins."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import naive
import numpy as np
import pytest

from fastscan.likelihoods import Likelihood, likelihood


@dataclass(frozen=True)
class Case:
    """A model, one parameter of it, and where its limits are looked for."""

    model: str
    poi: str
    given: tuple[tuple[str, float], ...]
    # Far enough on both sides that chi2 is above every level that is asked for.
    low: float
    high: float
    second: str
    second_range: tuple[float, float]

    @property
    def held(self) -> dict[str, float]:
        return dict(self.given)


CASES = (
    Case("sm", "sin2_theta_w", (), 0.0, 1.0, "", (0.0, 0.0)),
    Case("vector", "g", (("mass_mev", 10.0),), 0.0, 6e-5, "sin2_theta_w", (0.15, 0.35)),
    Case(
        "millicharge", "q_ee", (("q_emu", 0.0), ("q_etau", 0.0)), -4e-12, 4e-12,
        "sin2_theta_w", (0.15, 0.35),
    ),
)  # fmt: skip
KINDS = ("closed", "linear", "joint")


@cache
def made(kind: str, model: str) -> Likelihood:
    """A likelihood of each kind."""
    if kind == "closed":
        return likelihood(model, "conus-plus")
    if kind == "linear":
        return likelihood(model, "conus-plus-shapes")
    # A made-up second detector: the same plant, other counts and errors.
    first = likelihood(model, "conus-plus-budget")
    experiment = first.experiment.with_changes({"name": "second", "observation.stop_ev": 300.0})
    second = likelihood(model, experiment)
    second = second.observing(1.1 * second.data)
    return Likelihood.joined([first, second], shared=["flux"])


class Twin:
    """Chi2 from the counts alone, each point by itself, pulls by their covariance."""

    def __init__(self, likelihood: Likelihood, names: tuple[str, ...], held: dict[str, float]):
        self.counts = likelihood.counts(names, held)

    def __call__(self, *point: float) -> float:
        return naive.pulled_chi2(self.counts.layers([point])[0], self.counts.seen)

    def log_marginal(self, *point: float) -> float:
        return naive.pulled_log_marginal(self.counts.layers([point])[0], self.counts.seen)

    def many(self, points: Any) -> np.ndarray:
        return np.array([self(*point) for point in points])


@pytest.fixture(params=CASES, ids=[case.model for case in CASES])
def case(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def asked(kind, case, tables):
    """The likelihood of a kind and a case."""
    return made(kind, case.model)


@pytest.fixture
def twin(asked, case):
    """Chi2 of the parameter of interest, the others held."""
    return Twin(asked, (case.poi,), case.held)
