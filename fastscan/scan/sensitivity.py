"""Expected limits of scaled experiments, along another parameter or alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastscan.exceptions import InputError
from fastscan.inference.sensitivity import expected_limits, scaled
from fastscan.likelihoods.likelihood import Likelihood
from fastscan.results import Expected, Scenario, Sensitivity
from fastscan.scan.axes import Axis

__all__ = ["find_sensitivity"]


def find_sensitivity(
    likelihood: Likelihood,
    poi: str,
    given: Mapping[str, float] | None = None,
    *,
    axis: Axis | None = None,
    scenarios: Sequence[Scenario] = (Scenario(),),
    profiled: Sequence[str] | None = None,
    cl: float = 0.90,
    toys: int = 1000,
    seed: int = 0,
    tables: str | Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Sensitivity:
    """Limits on a parameter that scaled experiments are expected to set.

    Parameters
    ----------
    likelihood : Likelihood
        Of the present experiment, whose counts set the observed limits.
    poi, given, profiled, cl, toys, seed
        As for `fastscan.inference.sensitivity.expected_limit`.
    axis : Axis, optional
        Values of another parameter, as masses.
    scenarios : sequence of Scenario
    tables : path, optional
        Directory of the tensor stores: another threshold needs others.
    progress : callable, optional
        Called with a word on what is under way and the fraction done.

    Raises
    ------
    InputError
        As `fastscan.inference.sensitivity.expected_limit` and `scaled`; no scenario.
    """
    given = dict(given or {})
    if not scenarios:
        raise InputError("no scenario", where="--exposure", hint="give at least one")

    def tick(word: str, done: float) -> None:
        if progress is not None:
            progress(word, done)

    own = [scaled(likelihood, scenario, tables, progress) for scenario in scenarios]
    points: list[tuple[Expected, ...]] = []
    for i, each in enumerate(own):

        def advance(done: float, total: float, i: int = i) -> None:
            tick(scenarios[i].label, (i + done / total) / len(scenarios))

        found = expected_limits(
            each,
            poi,
            None if axis is None else axis.name,
            [] if axis is None else axis.values,
            given,
            profiled=profiled,
            cl=cl,
            toys=toys,
            seed=seed,
            observed=each is likelihood,
            progress=advance,
        )
        points.append(tuple(found))
    names = points[0][0].profiled
    along = () if axis is None else (axis.name,)
    return Sensitivity(
        axis=None if axis is None else axis.to_dict(),
        scenarios=tuple(scenarios),
        points=tuple(points),
        given=given,
        parameters=likelihood.parameters(given, (poi, *names, *along)),
        provenance=likelihood.provenance,
        # Of the counts seen only a scenario that changes nothing knows.
        warnings=likelihood.doubts() if likelihood in own else (),
    )
