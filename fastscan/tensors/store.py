"""Tensor stores: zarr directories named by the sha256 of their header, immutable once in place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import zarr

from fastscan.exceptions import InputError, RunError, StoreError
from fastscan.inputs import Experiment
from fastscan.tensors.header import canonical_header, header_name
from fastscan.tensors.response import CHANNELS, ChannelResponse, Response

__all__ = [
    "load_response",
    "read_store",
    "store_path",
    "tables_directory",
    "write_store",
]

KIND = "fastscan response tensors"
_TOP_ARRAYS: dict[str, tuple[str, ...]] = {
    "energy_bin_edges_mev": ("energy_bin_edge",),
    "edges_ev": ("observed_bin_edge",),
    "bin_flux_per_cm2_s": ("energy_bin",),
}
_UNITS = {
    "energy_bin_edges_mev": "MeV",
    "edges_ev": "eV_ee",
    "bin_flux_per_cm2_s": "cm-2 s-1",
    "recoil_energy_mev": "MeV",
    "target_mass_mev": "MeV",
    "protons": "1",
    "neutrons": "1",
    "form_factor_squared": "1",
    "flux_moments": "cm-2 s-1 MeV-n",
    "response": "counts MeV3 cm2 s",
}


def tables_directory(directory: str | Path | None = None) -> Path:
    """Where tensor stores live.

    ``directory``, else the environment variable FASTSCAN_TABLES, else ``tables/`` of the checkout
    the package runs from, else the user's cache directory.
    """
    if directory is not None:
        return Path(directory)
    from_environment = os.environ.get("FASTSCAN_TABLES")
    if from_environment:
        return Path(from_environment)
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "tables").is_dir():
        return checkout / "tables"
    return Path(platformdirs.user_cache_dir("fastscan", appauthor=False)) / "tables"


def store_path(experiment: Experiment, tables: str | Path | None = None) -> Path:
    """Path of an experiment's tensor store, built or not."""
    return tables_directory(tables) / f"{header_name(canonical_header(experiment))}.zarr"


def load_response(
    experiment: Experiment,
    tables: str | Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Response:
    """Read an experiment's tensors, building and storing them on first use.

    Parameters
    ----------
    experiment : Experiment
        What the tensors are for.
    tables : path, optional
        Directory of the stores, see `tables_directory`.
    progress : callable, optional
        Called with a label and the fraction done while tensors are built.

    Returns
    -------
    Response
        The tensors, their checksum verified.

    Raises
    ------
    StoreError
        The store is there but damaged, half-written or not one of ours.
    InputError
        The directory can not be written.
    RunError
        The disk is full.
    """
    path = store_path(experiment, tables)
    if os.path.lexists(path):
        return read_store(path)
    _check_writable(path.parent)
    response = build_response(experiment, progress)
    write_store(response, path.parent)
    return response


def build_response(
    experiment: Experiment, progress: Callable[[str, float], None] | None = None
) -> Response:
    """`fastscan.tensors.build.build_response`; what it needs is imported when it is called."""
    from fastscan.tensors.build import build_response as build

    return build(experiment, progress)


def write_store(response: Response, directory: Path) -> Path:
    """Write a store under its name; a store that another process finished first is kept.

    The store is complete before it gets its name, so that a reader never sees half of one.
    """
    path = directory / f"{response.name}.zarr"
    partial = directory / f".{response.name[:16]}-{uuid.uuid4().hex}.partial"
    _check_writable(directory)
    try:
        _write_arrays(response, partial)
        try:
            partial.rename(path)
        except OSError:
            # Another builder of the same tensors was faster; the two are interchangeable.
            if not path.is_dir():
                raise
    except OSError as error:
        raise RunError(
            f"tensor store could not be written: {error.strerror or error}",
            where=str(path),
            hint="free some space or choose another folder with --tables",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def read_store(path: str | Path) -> Response:
    """Read a tensor store and verify its name and its checksum.

    Raises
    ------
    StoreError
        Missing, not a tensor store, incomplete, or changed since it was written.
    """
    path = Path(path)
    if not os.path.lexists(path):
        raise StoreError("no tensor store there", where=str(path), hint="run: fastscan build")
    if not (path / "zarr.json").is_file():
        raise _damaged(path, "it is no folder with metadata in it")
    try:
        group = zarr.open_group(path, mode="r")
        attributes = dict(group.attrs)
    except Exception as error:  # zarr raises whatever the broken metadata makes it stumble over
        raise _damaged(path, "its metadata can not be read") from error
    if attributes.get("kind") != KIND:
        raise StoreError(
            "not a tensor store of fastscan",
            where=str(path),
            hint="move it away, or name another folder with --tables",
        )
    try:
        header = attributes["header"]
        assert isinstance(header, dict)
        top = {name: np.asarray(group[name][...]) for name in _TOP_ARRAYS}  # type: ignore[index]
        channels = {}
        for channel in CHANNELS:
            arrays = {
                name: np.asarray(group[f"{channel}/{name}"][...])  # type: ignore[index]
                for name in ChannelResponse.ARRAYS
            }
            about = attributes["quadrature"][channel]  # type: ignore[index, call-overload]
            channels[channel] = ChannelResponse(
                **arrays,
                error_estimate=float(about["error_estimate"]),  # type: ignore[index, call-overload, arg-type]
                panels=int(about["panels"]),  # type: ignore[index, call-overload, arg-type]
            )
        response = Response(header=header, name=header_name(header), channels=channels, **top)
    except Exception as error:
        raise _damaged(path, "an array is missing or can not be read") from error
    if path.name != f"{response.name}.zarr":
        raise _damaged(path, "its name is not the checksum of its header")
    if attributes.get("checksum") != _checksum(response):
        raise _damaged(path, "its checksum does not match its contents")
    return response


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"damaged tensor store: {why}",
        where=str(path),
        hint="delete it, the store is built again when next needed",
    )


def _arrays(response: Response) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    found: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {
        name: (getattr(response, name), dims) for name, dims in _TOP_ARRAYS.items()
    }
    for channel in CHANNELS:
        for name, dims in ChannelResponse.ARRAYS.items():
            named = tuple(f"{channel}_{d}" if d == "recoil_node" else d for d in dims)
            found[f"{channel}/{name}"] = (getattr(response.channels[channel], name), named)
    return found


def _quadrature(response: Response) -> dict[str, Any]:
    return {
        name: {"error_estimate": channel.error_estimate, "panels": channel.panels}
        for name, channel in response.channels.items()
    }


def _checksum(response: Response) -> str:
    digest = hashlib.sha256(json.dumps(_quadrature(response), sort_keys=True).encode())
    for name, (array, _) in sorted(_arrays(response).items()):
        digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _write_arrays(response: Response, path: Path) -> None:
    group = zarr.open_group(path, mode="w-", zarr_format=3)
    for name, (array, dims) in _arrays(response).items():
        unit = _UNITS[name.rpartition("/")[2]]
        group.create_array(
            name,
            data=np.ascontiguousarray(array),
            chunks=array.shape,
            dimension_names=dims,
            attributes={"units": unit},
        )
    group.attrs.update(
        {
            "kind": KIND,
            "header": response.header,
            "quadrature": _quadrature(response),
            "checksum": _checksum(response),
        }
    )


def _check_writable(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".{uuid.uuid4().hex}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"folder can not be written: {error.strerror or error}",
            where=str(directory),
            hint="choose another with --tables or FASTSCAN_TABLES",
        ) from error
