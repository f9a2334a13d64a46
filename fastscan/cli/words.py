"""Words that results share: what was analysed, what was held at which value, which scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastscan.inference.sensitivity import Scenario
    from fastscan.likelihoods import Likelihood
    from fastscan.models import Model

__all__ = [
    "FLUX_UNITS",
    "about_header",
    "about_likelihood",
    "analysed",
    "held_words",
    "scenario_label",
]

# Ends of JSON keys, by what the sources of an experiment give.
FLUX_UNITS = {"flux": "per_cm2_s", "fluence": "per_cm2"}


def about_likelihood(
    likelihood: Likelihood, held: Mapping[str, float], profiled: Sequence[str] = ()
) -> str:
    """Model, experiment and channels of an analysis, and the parameters that were not free."""
    model = likelihood.model
    words = held_words(model, held)
    extra = [
        f"constrained: {c.name} = {c.value:.10g} +- {c.sigma:.4g}" for c in likelihood.constraints
    ]
    if likelihood.data_source:
        extra.append(f"data: {likelihood.data_source}")
    return _about(
        model.name,
        model.options(),
        likelihood.experiment.name,
        likelihood.channels,
        words,
        profiled,
        extra,
    )


def analysed(likelihood: Likelihood) -> dict[str, Any]:
    """What was analysed, for the JSON of every result."""
    about: dict[str, Any] = {
        "model": likelihood.model.name,
        "options": likelihood.model.options(),
        "experiment": likelihood.experiment.name,
        "channels": likelihood.channels,
    }
    if likelihood.constraints:
        about["constraints"] = [asdict(constraint) for constraint in likelihood.constraints]
    if likelihood.data_source:
        about["data"] = likelihood.data_source
    return about


def about_header(header: Mapping[str, Any]) -> str:
    """The same of a scan, from its header."""
    from fastscan.exceptions import InputError
    from fastscan.models import recorded_model

    held = header["parameters"]
    extra = [
        f"constrained: {c['name']} = {c['value']:.10g} +- {c['sigma']:.4g}"
        for c in header.get("constraints", ())
    ]
    if "data" in header:
        extra.append(f"data: {header['data']}")
    try:
        words = held_words(recorded_model(header), held)
    except InputError:
        # A model that is not known here; its units are not either.
        words = ", ".join(f"{name} = {value:.10g}" for name, value in held.items())
    return _about(
        header["model"],
        header["options"],
        header["experiment"],
        header["channels"],
        words,
        header.get("profiled", ()),
        extra,
    )


def held_words(model: Model, held: Mapping[str, float]) -> str:
    """Parameters with their values and units."""
    units = {name: model.parameter(name).unit for name in held}
    return ", ".join(
        f"{name} = {value:.10g}{'' if units[name] == '1' else f' {units[name]}'}"
        for name, value in held.items()
    )


def scenario_label(scenario: Scenario) -> str:
    """Exposure, background and threshold of a scenario, the latter two where they were changed."""
    words = [f"{scenario.exposure:g} × data"]
    if scenario.background != 1.0:
        words.append(f"{scenario.background:g} × background")
    if scenario.threshold_ev is not None:
        words.append(f"{scenario.threshold_ev:g} eV")
    return ", ".join(words)


def _about(
    model: str,
    options: Mapping[str, object],
    experiment: str,
    channels: str,
    held: str,
    profiled: Sequence[str],
    extra: Sequence[str],
) -> str:
    chosen = ", ".join(f"{name} = {value}" for name, value in options.items())
    words = [
        f"{model}{f' ({chosen})' if chosen else ''}, {experiment}, channels {channels}",
        f"held: {held or 'nothing'}",
    ]
    if profiled:
        words.append(f"profiled: {', '.join(profiled)}")
    return "; ".join([*words, *extra])
