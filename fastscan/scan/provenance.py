"""The header of a scan: all that its values depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from fastscan.scan.grid import Grid
from fastscan.statistics import Likelihood

__all__ = ["header_lines", "nuisance_lines", "scan_header"]


def scan_header(likelihood: Likelihood, grid: Grid) -> dict[str, Any]:
    """What was scanned, with which inputs: JSON-able, and equal for equal results.

    No date, no path and no machine: two runs of one command make the same store.
    """
    edges_ev = [experiment.observation.edges_ev for experiment in likelihood.experiments]
    nuisances: dict[str, Any] = {}
    if not likelihood.one_normalisation:
        nuisances["nuisances"] = {
            "names": list(likelihood.nuisance_names),
            "systematics": {e.name: e.to_dict()["systematics"] for e in likelihood.experiments},
        }
    return {
        "model": likelihood.model.name,
        "options": likelihood.model.options(),
        "reference": likelihood.model.reference,
        "axes": [axis.to_dict() for axis in grid.axes],
        "parameters": grid.fixed,
        "channels": likelihood.channels,
        "experiment": likelihood.experiment.name,
        "experiment_source": likelihood.experiment.source,
        "sigma_alpha": likelihood.sigma_alpha if likelihood.one_normalisation else None,
        **nuisances,
        "flux_weights": [
            None if weights is None else [float(w) for w in weights]
            for weights in likelihood.every_flux_weights
        ],
        "observation_sha256": _digest(likelihood.data, likelihood.sigma, *edges_ev),
        "tensors_sha256": " ".join(response.name for response in likelihood.responses),
        "fastscan_version": version("fastscan"),
    }


def header_lines(header: Mapping[str, Any]) -> dict[str, str]:
    """The header as lines at the top of a table."""
    fixed = ", ".join(f"{name} = {value:.6g}" for name, value in header["parameters"].items())
    options = ", ".join(f"{name} = {value}" for name, value in header["options"].items())
    axes = "; ".join(
        f"{a['name']} = {a['start']:g}:{a['stop']:g}:{a['points']}:{a['spacing']}"
        for a in header["axes"]
    )
    return {
        "model": header["model"] + (f" ({options})" if options else ""),
        "equations": header["reference"],
        "channels": header["channels"],
        "experiment": f"{header['experiment']} ({header['experiment_source']})",
        **nuisance_lines(header),
        "fixed parameters": fixed or "none",
        "axes": axes,
        "tensors sha256": header["tensors_sha256"],
        "observation sha256": header["observation_sha256"],
        "made by": f"fastscan {header['fastscan_version']}",
    }


def nuisance_lines(header: Mapping[str, Any]) -> dict[str, str]:
    """The uncertainties of the prediction, for a table or a figure."""
    if header["sigma_alpha"] is not None:
        return {"sigma_alpha": f"{header['sigma_alpha']:g}"}
    return {"nuisances": ", ".join(header["nuisances"]["names"])}


def _digest(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()
