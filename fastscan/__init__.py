"""fastscan: limits on neutrino physics from reactor CEvNS data, from precomputed response tensors.

>>> import fastscan
>>> likelihood = fastscan.likelihood("vector", charges="b-l")  # doctest: +SKIP
>>> likelihood.limit("g", {"mass_mev": 10.0}).intervals  # doctest: +SKIP
[(0.0, 1.959e-05)]

Names are imported when first used, so that ``import fastscan`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastscan.exceptions import FastscanError, InputError, RunError, StoreError
    from fastscan.inputs import Experiment, experiment_names, load_experiment
    from fastscan.models import Model, get_model, model_names
    from fastscan.scan import Axis, ScanResult, run_scan, scan_in_memory
    from fastscan.scan.construction import run_construction
    from fastscan.statistics import Chi2Function, Likelihood, Limit, Prediction, likelihood
    from fastscan.statistics.cls import cls_limit
    from fastscan.statistics.coverage import coverage
    from fastscan.statistics.feldman_cousins import feldman_cousins
    from fastscan.statistics.goodness import best_fit
    from fastscan.statistics.impacts import find_impacts
    from fastscan.statistics.posterior import credible_intervals, posterior
    from fastscan.statistics.sensitivity import expected_limit, signal_significance
    from fastscan.statistics.toys import ToyFits, draw_toys
    from fastscan.tensors import Response, load_response

__version__ = metadata.version("fastscan")

_HOMES = {
    "exceptions": ("FastscanError", "InputError", "RunError", "StoreError"),
    "inputs": ("Experiment", "experiment_names", "load_experiment"),
    "models": ("Model", "get_model", "model_names"),
    "scan": ("Axis", "ScanResult", "run_scan", "scan_in_memory"),
    "scan.construction": ("run_construction",),
    "statistics": ("Chi2Function", "Likelihood", "Limit", "Prediction", "likelihood"),
    "statistics.cls": ("cls_limit",),
    "statistics.coverage": ("coverage",),
    "statistics.feldman_cousins": ("feldman_cousins",),
    "statistics.goodness": ("best_fit",),
    "statistics.impacts": ("find_impacts",),
    "statistics.posterior": ("credible_intervals", "posterior"),
    "statistics.sensitivity": ("expected_limit", "signal_significance"),
    "statistics.toys": ("ToyFits", "draw_toys"),
    "tensors": ("Response", "load_response"),
}

__all__ = [
    "Axis",
    "Chi2Function",
    "Experiment",
    "FastscanError",
    "InputError",
    "Likelihood",
    "Limit",
    "Model",
    "Prediction",
    "Response",
    "RunError",
    "ScanResult",
    "StoreError",
    "ToyFits",
    "best_fit",
    "cls_limit",
    "coverage",
    "credible_intervals",
    "draw_toys",
    "expected_limit",
    "experiment_names",
    "feldman_cousins",
    "find_impacts",
    "get_model",
    "likelihood",
    "load_experiment",
    "load_response",
    "model_names",
    "posterior",
    "run_construction",
    "run_scan",
    "scan_in_memory",
    "signal_significance",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"fastscan.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'fastscan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
