"""``fastscan inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import example_command, json_option, tables_option
from fastscan.cli.output import print_json, say

if TYPE_CHECKING:
    from fastscan.tensors import Response


@example_command("inspect", "fastscan inspect conus-plus")
@click.argument("what", metavar="[STORE|NAME|FILE.toml]", default="conus-plus")
@tables_option
@json_option
def command(what: str, tables: str | None, as_json: bool) -> None:
    """Show what a tensor store or a scan holds: dimensions, size, provenance, error estimate.

    STORE is a folder; NAME or FILE.toml stand for the tensor store of that experiment. The checksum
    is verified.
    """
    from fastscan.scan.construction_store import is_construction

    path = Path(what)
    if path.is_dir() and is_construction(path):
        about = _construction(path)
    elif path.is_dir():
        about = _scan(path) if _is_scan(path) else _tensors(path)
    else:
        from fastscan.inputs import load_experiment
        from fastscan.tensors import load_response, store_path
        from fastscan.tensors.flux import flux_parts

        experiment = load_experiment(what)
        load_response(experiment, tables)
        about = _tensors(store_path(experiment, tables))
        about["flux_parts_per_cm2_s"] = flux_parts(experiment.reactor)
    if as_json:
        print_json(about)
        return
    from rich.pretty import pretty_repr

    for key, value in about.items():
        text = value if isinstance(value, str) else pretty_repr(value, max_width=96, max_length=12)
        indented = text.replace("\n", "\n  ")
        say(f"{key}: {indented}" if "\n" not in text else f"{key}:\n  {indented}")


def _is_scan(path: Path) -> bool:
    from fastscan.exceptions import StoreError
    from fastscan.scan.block_store import Contents
    from fastscan.scan.store import scan_layout

    try:
        Contents.open(path, scan_layout())
    except StoreError as error:
        return error.what != "not a scan of fastscan"
    return True


def _scan(path: Path) -> dict[str, Any]:
    from fastscan.scan import ScanResult

    result = ScanResult.open(path)
    best = result.best_fit
    return {
        "kind": "scan",
        "store": str(path),
        "shape": dict(zip(result.names, result.shape, strict=True)),
        "size_bytes": _size(path),
        "best_fit": {**best.point, "chi2": best.chi2, "alpha_hat": best.alpha_hat},
        "header": result.header,
    }


def _construction(path: Path) -> dict[str, Any]:
    from fastscan.scan.construction import ConstructionResult

    result = ConstructionResult.open(path)
    error = (result.critical_error / result.critical_value).max()
    return {
        "kind": "Feldman-Cousins construction",
        "store": str(path),
        "shape": dict(zip(result.names, result.shape, strict=True)),
        "size_bytes": _size(path),
        "toys": int(result.toys.sum()),
        "largest_relative_error": float(error),
        "best_fit": {**result.best_fit.point, "chi2": result.best_fit.chi2},
        "header": result.header,
    }


def _tensors(path: Path) -> dict[str, Any]:
    from fastscan.tensors import read_store

    response: Response = read_store(path)
    return {
        "kind": "response tensors",
        "store": str(path),
        "sha256": response.name,
        "observed_bins": len(response.edges_ev) - 1,
        "range_ev": [float(response.edges_ev[0]), float(response.edges_ev[-1])],
        "energy_bins": len(response.energy_bin_edges_mev) - 1,
        "flux_per_cm2_s": float(response.bin_flux_per_cm2_s.sum()),
        "channels": {
            name: {
                "recoil_nodes": int(channel.recoil_energy_mev.size),
                "recoil_panels": channel.panels,
                "flux_moments": list(channel.flux_moments.shape),
                "response": list(channel.response.shape),
                "error_estimate": channel.error_estimate,
            }
            for name, channel in response.channels.items()
        },
        "size_bytes": response.size_bytes,
        "stored_bytes": _size(path),
        "header": response.header,
    }


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
