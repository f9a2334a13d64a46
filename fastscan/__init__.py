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
    from fastscan.inference.cls import cls_limit
    from fastscan.inference.coverage import coverage
    from fastscan.inference.feldman_cousins import feldman_cousins
    from fastscan.inference.goodness import best_fit
    from fastscan.inference.impacts import find_impacts
    from fastscan.inference.posterior import credible_intervals, posterior
    from fastscan.inference.sensitivity import expected_limit, signal_significance
    from fastscan.inference.toys import ToyFits, draw_toys
    from fastscan.inputs import Experiment, experiment_names, load_experiment
    from fastscan.likelihoods import Chi2Function, Likelihood, Limit, Prediction, likelihood
    from fastscan.models import Model, get_model, model_names, register
    from fastscan.scan import Axis, ScanResult, run_scan, scan_in_memory
    from fastscan.scan.construction import run_construction
    from fastscan.tensors import Response, load_response

__version__ = metadata.version("fastscan")

_HOMES = {
    "exceptions": ("FastscanError", "InputError", "RunError", "StoreError"),
    "inputs": ("Experiment", "experiment_names", "load_experiment"),
    "models": ("Model", "get_model", "model_names", "register"),
    "scan": ("Axis", "ScanResult", "run_scan", "scan_in_memory"),
    "scan.construction": ("run_construction",),
    "likelihoods": ("Chi2Function", "Likelihood", "Limit", "Prediction", "likelihood"),
    "inference.cls": ("cls_limit",),
    "inference.coverage": ("coverage",),
    "inference.feldman_cousins": ("feldman_cousins",),
    "inference.goodness": ("best_fit",),
    "inference.impacts": ("find_impacts",),
    "inference.posterior": ("credible_intervals", "posterior"),
    "inference.sensitivity": ("expected_limit", "signal_significance"),
    "inference.toys": ("ToyFits", "draw_toys"),
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
    "register",
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
