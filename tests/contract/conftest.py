"""The likelihoods that every question is asked of, and their slow twins."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pytest
from counted import ccd

from fastscan.likelihoods import Likelihood, form, likelihood
from fastscan.likelihoods.form import Chi2Form, Fitted, GridForm, Strategy
from fastscan.likelihoods.linear import LinearForm


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
KINDS = ("closed", "linear", "joint", "covariance", "counted", "mixed")


@cache
def made(kind: str, model: str) -> Likelihood:
    """A likelihood of each kind."""
    if kind in ("counted", "mixed"):
        folder = Path(tempfile.mkdtemp(prefix="fastscan-"))
        counted = likelihood(model, ccd(folder, pulls=CCD_PULLS))
        return counted if kind == "counted" else likelihood(model, "conus-plus") + counted
    if kind == "closed":
        return likelihood(model, "conus-plus")
    if kind in ("linear", "covariance"):
        return likelihood(model, "conus-plus-shapes")
    # A made-up second detector: the same plant, other counts and errors.
    first = likelihood(model, "conus-plus-budget")
    experiment = first.experiment.with_changes({"name": "second", "observation.stop_ev": 300.0})
    second = likelihood(model, experiment)
    second = second.observing(1.1 * second.data)
    return Likelihood.joined([first, second], shared=["flux"])


# A quenching that is not known, beside the normalisation and the background's size and slope.
CCD_PULLS = """
[[systematics.pulls]]
name = "quenching"
kind = "setting"
settings = { "target.quenching.k" = 0.01 }
"""


class Twin:
    """Chi2 from the counts alone, each point by itself, pulls by their covariance.

    Of counts, by an independent minimiser.
    """

    def __init__(self, likelihood: Likelihood, names: tuple[str, ...], held: dict[str, float]):
        self.counts = likelihood.counts(names, held)
        self.counted = bool(self.counts.poisson.any())

    def __call__(self, *point: float) -> float:
        layers = self.counts.layers([point])[0]
        if self.counted:
            return self._fit(layers)[0]
        return naive.pulled_chi2(layers, self.counts.seen)

    def log_marginal(self, *point: float) -> float:
        layers = self.counts.layers([point])[0]
        if not self.counted:
            return naive.pulled_log_marginal(layers, self.counts.seen)
        # Laplace's approximation.
        unit, events = self.counts.sigma, self.counts.poisson
        chi2, pulls = self._fit(layers)
        expected = (layers[0] + pulls @ layers[1:]) * unit
        seen = self.counts.seen * unit
        weights = np.where(events, seen / expected**2 * unit**2, 1.0)
        hessian = np.eye(len(pulls)) + (layers[1:] * weights) @ layers[1:].T
        return -0.5 * chi2 - 0.5 * float(np.linalg.slogdet(hessian)[1])

    def fit_vector(self, point: tuple[float, ...], vector: np.ndarray) -> float:
        """Chi2 of a data vector, whose auxiliary measurements are from the pulls' centre."""
        bins = self.counts.seen.size
        measured = vector[bins:] - self.counts.centre
        return self._fit(self.counts.layers([point])[0], vector[:bins], measured)[0]

    def _fit(self, layers, seen=None, measured=None):
        counts = self.counts
        unit = np.where(counts.poisson, counts.sigma, 1.0)
        seen = counts.seen if seen is None else seen
        return naive.counted_chi2(
            layers * unit,
            seen * unit,
            counts.floors,
            (),
            measured,
            ~counts.poisson,
            # Convex: one start is enough, and others are tried where minimisers are compared.
            more_starts=0,
        )

    def many(self, points: Any) -> np.ndarray:
        return np.array([self(*point) for point in points])


@pytest.fixture(params=CASES, ids=[case.model for case in CASES])
def case(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


class CovarianceForm(LinearForm):
    """A strategy of this file: pulls are worth a covariance of the bins, in plain numpy.

    Where chi2 is along a line, and fits of toys, are those of linear pulls.
    """

    def fit(self, layers: np.ndarray) -> Fitted:
        rest, changes = self.counts.seen - layers[0], layers[1:]
        weighed = np.linalg.solve(np.eye(rest.size) + changes.T @ changes, rest)
        pulls = changes @ weighed
        change = float((pulls @ changes) @ self.counts.unit)
        total = float(layers[0] @ self.counts.unit)
        return Fitted(float(rest @ weighed), pulls, change / total if total else 0.0)

    def values(self, points: np.ndarray) -> np.ndarray:
        return np.array([self.fit(layers).chi2 for layers in self.counts.layers(points)])

    def grid(self, columns: Mapping[str, np.ndarray]) -> GridForm:
        return PointByPoint(self, columns)


class PointByPoint(GridForm):
    """A grid of a form, each point by itself."""

    default_block_points = 1000

    def __init__(self, form: Chi2Form, columns: Mapping[str, np.ndarray]) -> None:
        self._form, self._columns = form, [columns[name] for name in form.counts.names]
        self.shape = tuple(column.size for column in self._columns)

    def evaluate(self, slices: Sequence[slice], out: np.ndarray) -> None:
        parts = [column[own] for column, own in zip(self._columns, slices, strict=True)]
        points = np.stack(np.meshgrid(*parts, indexing="ij"), axis=-1).reshape(-1, len(parts))
        out.reshape(-1)[:] = self._form.values(points)


@pytest.fixture
def asked(kind, case, tables, monkeypatch):
    """The likelihood of a kind and a case."""
    if kind == "covariance":
        own = {"covariance": Strategy(lambda counts: True, lambda: CovarianceForm)}
        monkeypatch.setattr(form, "STRATEGIES", own | form.STRATEGIES)
    return made(kind, case.model)


@pytest.fixture
def twin(asked, case):
    """Chi2 of the parameter of interest, the others held."""
    return Twin(asked, (case.poi,), case.held)
