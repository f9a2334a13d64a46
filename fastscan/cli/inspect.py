"""``fastscan inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastscan.cli.common import example_command, json_option, tables_option
from fastscan.cli.output import print_json, progress_bar, say

if TYPE_CHECKING:
    from fastscan.exceptions import StoreError
    from fastscan.storage.contents import Contents
    from fastscan.storage.layout import Layout
    from fastscan.tensors import Response

    # What a store holds, and what is wrong with it.
    Findings = tuple[dict[str, Any], StoreError | None]


@example_command("inspect", "fastscan inspect conus-plus")
@click.argument("what", metavar="[STORE|NAME|FILE.toml]", default="conus-plus")
@tables_option
@json_option
def command(what: str, tables: str | None, as_json: bool) -> None:
    """Show what a tensor store or a scan holds: dimensions, size, provenance, error estimate.

    STORE is a folder; NAME or FILE.toml stand for the tensor store of that experiment. Every chunk
    is verified, of scans that are not finished, too: those that are missing, damaged (not as they
    were written) or foreign (of another place or another run) are counted, and make the exit code
    2. Files that are no part of the store are counted as strays.
    """
    from fastscan.scan.construction_store import CONSTRUCTION
    from fastscan.scan.store import scan_layout
    from fastscan.storage.contents import kind_of
    from fastscan.storage.paths import local_path

    path, parts = local_path(what), {}
    if not path.is_dir():
        from fastscan.inputs import load_experiment
        from fastscan.tensors import load_response, store_path
        from fastscan.tensors.emission import flux_parts

        experiment = load_experiment(what)
        path = store_path(experiment, tables)
        if not path.is_dir():
            load_response(experiment, tables)
        parts = flux_parts(experiment)
    kind = kind_of(path)
    if kind == CONSTRUCTION.kind:
        about, fault = _blocks(path, CONSTRUCTION)
    elif kind == scan_layout().kind:
        about, fault = _blocks(path, scan_layout())
    else:
        about, fault = _tensors(path)
    if parts:
        from fastscan.tensors import FLUX_UNITS

        quantity = "flux" if "flux_per_cm2_s" in about else "fluence"
        about[f"{quantity}_parts_{FLUX_UNITS[quantity]}"] = parts
    if as_json:
        print_json(about)
    else:
        _print(about)
    if fault is not None:
        raise fault


def _print(about: dict[str, Any]) -> None:
    from rich.pretty import pretty_repr

    for key, value in about.items():
        text = value if isinstance(value, str) else pretty_repr(value, max_width=96, max_length=12)
        indented = text.replace("\n", "\n  ")
        say(f"{key}: {indented}" if "\n" not in text else f"{key}:\n  {indented}")


def _blocks(path: Path, layout: Layout) -> Findings:
    """Of a scan or a construction, finished or not."""
    from fastscan.storage.contents import Contents

    contents = Contents.open(path, layout)
    with progress_bar("verifying", quiet=False) as advance:
        survey = contents.survey(
            lambda done, total: advance(done, total, f"{done} of {total} {layout.blocks_noun}")
        )
    about = {
        "kind": "Feldman-Cousins construction" if "critical_value" in layout.points else "scan",
        "store": str(path),
        "shape": dict(zip(contents.names, contents.plan.shape, strict=True)),
        "size_bytes": _size(path),
        "chunks": survey.to_dict(),
    }
    faults = {n: getattr(survey, n) for n in ("missing", "damaged", "foreign", "strays")}
    about |= {name: files for name, files in faults.items() if files}
    if survey.sound and survey.done == survey.blocks:
        about |= _results(contents)
    fault = None
    if not survey.sound:
        hint = "run its command with --resume, which makes damaged blocks again"
        fault = _lost(layout.noun, path, faults, hint)
    return {**about, "header": contents.header}, fault


def _results(contents: Contents) -> dict[str, Any]:
    """Of a store that is finished and sound."""
    if "critical_value" not in contents.layout.points:
        from fastscan.scan.result import StoredScan

        best = StoredScan(contents).best_fit
        return {"best_fit": {**best.point, "chi2": best.chi2, "alpha_hat": best.alpha_hat}}
    from fastscan.scan.construction import ConstructionResult

    result = ConstructionResult(contents)
    return {
        "least_effective_toys": int(result.toys.min()),
        "largest_relative_error": float((result.critical_error / result.critical_value).max()),
        "best_fit": {**result.best_fit.point, "chi2": result.best_fit.chi2},
    }


def _tensors(path: Path) -> Findings:
    from fastscan.exceptions import StoreError
    from fastscan.storage.contents import kind_of
    from fastscan.tensors import read_store, survey_store
    from fastscan.tensors.store import KIND

    try:
        response = read_store(path)
    except StoreError as error:
        faults = survey_store(path) if kind_of(path) == KIND else {}
        if not any(faults.values()):
            raise
        about = {"kind": "response tensors", "store": str(path), "chunks": _counts(faults)}
        about |= {name: arrays for name, arrays in faults.items() if arrays}
        return about, _lost("tensor store", path, faults, error.hint)
    return {**_response(path, response), "chunks": _counts(survey_store(path))}, None


def _response(path: Path, response: Response) -> dict[str, Any]:
    from fastscan.tensors import FLUX_UNITS

    return {
        "kind": "response tensors",
        "store": str(path),
        "sha256": response.name,
        "observed_bins": len(response.edges_ev) - 1,
        "range_ev": [float(response.edges_ev[0]), float(response.edges_ev[-1])],
        "energy_bins": int(response.bin_flux_per_cm2_s.size),
        "flavours": list(response.flavours),
        f"{response.quantity}_{FLUX_UNITS[response.quantity]}": float(
            response.bin_flux_per_cm2_s.sum()
        ),
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


def _counts(faults: dict[str, list[str]]) -> dict[str, int]:
    return {name: len(arrays) for name, arrays in faults.items()}


def _lost(noun: str, path: Path, faults: dict[str, list[str]], hint: str) -> StoreError:
    from fastscan.exceptions import StoreError

    words = [f"{len(faults[n])} {n}" for n in ("missing", "damaged", "foreign") if faults[n]]
    return StoreError(f"damaged {noun}: chunks {', '.join(words)}", where=str(path), hint=hint)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
