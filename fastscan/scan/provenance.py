"""The header of a scan, all that its values depend on; and results that have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache, cached_property
from importlib.metadata import version
from typing import Any

from fastscan.likelihoods import Likelihood
from fastscan.models import origin_entries
from fastscan.results import Column, Provenance, Result
from fastscan.scan.axes import Axis
from fastscan.scan.grid import Grid

__all__ = ["Scanned", "header_lines", "nuisance_lines", "scan_header"]


class Scanned(Result):
    """A result of a grid, which its header describes.

    Attributes
    ----------
    header : dict
        See `scan_header`.
    """

    header: dict[str, Any]

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        """Model, experiment, channels, constraints and data."""
        return Provenance.of_header(self.header)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters that were held."""
        held: dict[str, float] = self.header["parameters"]
        return held

    @property
    def profiled(self) -> tuple[str, ...]:
        """Parameters that chi2 was minimised over."""
        return tuple(self.header.get("profiled", ()))

    def _entries(self) -> dict[str, Any]:
        return {"parameters": self.parameters, "header": self.header}

    def _about(self) -> dict[str, object]:
        return {"content": self.headline, **header_lines(self.header)}

    def _axis_column(self, axis: Axis) -> Column:
        return Column((axis.name,), axis.values, self.provenance.unit(axis.name))


def scan_header(likelihood: Likelihood, grid: Grid) -> dict[str, Any]:
    """What was scanned, with which inputs: JSON-able, and equal for equal results.

    No date, no path and no machine: two runs of one command make the same store. ``axes`` are as
    the grid keeps them, with masses first; ``order`` is that of the names as they were asked for,
    where it is another one (see `fastscan.scan.result.ordered`).
    """
    nuisances: dict[str, Any] = {}
    if likelihood.sigma_alpha is None:
        nuisances["nuisances"] = {
            "names": list(likelihood.nuisance_names),
            "systematics": {e.name: e.to_dict()["systematics"] for e in likelihood.experiments},
        }
    names = tuple(axis.name for axis in grid.axes)
    changes: dict[str, Any] = {}
    if likelihood.constraints:
        changes["constraints"] = [asdict(constraint) for constraint in likelihood.constraints]
    if likelihood.data_source:
        changes["data"] = likelihood.data_source
    return {
        "model": likelihood.model.name,
        **origin_entries(likelihood.model),
        "options": likelihood.model.options(),
        "reference": likelihood.model.reference,
        "axes": [axis.to_dict() for axis in grid.axes],
        **({"order": list(grid.asked)} if grid.asked != names else {}),
        "parameters": grid.fixed,
        **({"profiled": list(grid.profiled)} if grid.profiled else {}),
        "channels": likelihood.channels,
        "experiment": likelihood.experiment.name,
        "experiment_source": likelihood.experiment.source,
        "sigma_alpha": likelihood.sigma_alpha,
        **nuisances,
        **changes,
        "flux_weights": [
            None if part.flux_weights is None else [float(w) for w in part.flux_weights]
            for part in likelihood.parts
        ],
        "observation_sha256": likelihood.observation_sha256,
        "tensors_sha256": " ".join(part.response.name for part in likelihood.parts),
        **({"chi2_error": grid.error} if grid.error > 0.0 else {}),
        "fastscan_version": _version(),
    }


@cache
def _version() -> str:
    # The package's metadata are a file, which takes a millisecond to read.
    return version("fastscan")


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
        **(
            {"model file": f"{header['model_file']}, sha256 {header['model_sha256']}"}
            if "model_sha256" in header
            else {}
        ),
        "equations": header["reference"],
        "channels": header["channels"],
        "experiment": f"{header['experiment']} ({header['experiment_source']})",
        **nuisance_lines(header),
        **{
            f"constraint of {c['name']}": f"{c['value']:.10g} +- {c['sigma']:.4g}"
            for c in header.get("constraints", ())
        },
        **({"data": header["data"]} if "data" in header else {}),
        "fixed parameters": fixed or "none",
        **({"profiled": ", ".join(header["profiled"])} if header.get("profiled") else {}),
        "axes": axes,
        **accuracy_lines(header),
        "tensors sha256": header["tensors_sha256"],
        "observation sha256": header["observation_sha256"],
        "made by": f"fastscan {header['fastscan_version']}",
    }


def accuracy_lines(header: Mapping[str, Any]) -> dict[str, str]:
    """How accurate chi2 is, where it was interpolated."""
    if "chi2_error" not in header:
        return {}
    return {"accuracy of chi2": f"{header['chi2_error']:g} (1 + chi2), interpolated"}


def nuisance_lines(header: Mapping[str, Any]) -> dict[str, str]:
    """The uncertainties of the prediction, for a table or a figure."""
    if header["sigma_alpha"] is not None:
        return {"sigma_alpha": f"{header['sigma_alpha']:g}"}
    return {"nuisances": ", ".join(header["nuisances"]["names"])}
