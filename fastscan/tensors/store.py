"""Tensor stores: zarr directories named by the sha256 of their header, immutable once in place."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import zarr

from fastscan.exceptions import RunError, StoreError
from fastscan.inputs import Experiment
from fastscan.storage.checksums import (
    array_sha256,
    differing_metadata,
    metadata_intact,
    read_metadata,
    seal_metadata,
)
from fastscan.storage.folders import born, remove_unborn
from fastscan.storage.locks import hold
from fastscan.storage.outputs import check_writable
from fastscan.storage.paths import local_path, taken
from fastscan.tensors.header import canonical_header, header_name
from fastscan.tensors.response import CHANNELS, ChannelResponse, Response

__all__ = [
    "load_response",
    "read_store",
    "store_path",
    "survey_store",
    "tables_directory",
    "write_store",
]

_HINT = "choose another folder with --tables or FASTSCAN_TABLES"
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
        return local_path(directory)
    from_environment = os.environ.get("FASTSCAN_TABLES")
    if from_environment:
        return local_path(from_environment, where=f"FASTSCAN_TABLES={from_environment}")
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
    if taken(path):
        return read_store(path)
    with _alone(path):
        # Another process may have built them while this one waited.
        if taken(path):
            return read_store(path)
        response = build_response(experiment, progress)
        _write(response, path)
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
    with _alone(path):
        _write(response, path)
    return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only builder of a store, after others if need be."""
    check_writable(path.parent, hint=_HINT)
    try:
        with hold(path, "tensor store", wait=True) as alone:
            if alone:
                remove_unborn(path)
            yield
    except OSError as error:
        raise RunError(
            f"tensor store could not be written: {error.strerror or error}",
            where=str(path),
            hint=f"free some space, or {_HINT}",
        ) from error


def _write(response: Response, path: Path) -> None:
    try:
        with born(path) as partial:
            _write_arrays(response, partial)
    except OSError:
        # A builder that the lock does not keep away was faster; the two are interchangeable.
        if not path.is_dir():
            raise


def read_store(path: str | Path) -> Response:
    """Read a tensor store and verify its name and its checksum.

    Raises
    ------
    StoreError
        Missing, not a tensor store, incomplete, or changed since it was written.
    """
    path = local_path(path)
    if not taken(path):
        raise StoreError("no tensor store there", where=str(path), hint="run: fastscan build")
    if not (path / "zarr.json").is_file():
        raise _damaged(path, "it is no folder with metadata in it")
    try:
        root = read_metadata(path)
        group = zarr.open_group(path, mode="r", zarr_format=3)
        attributes = dict(group.attrs)
    except Exception as error:  # zarr raises whatever the broken metadata makes it stumble over
        raise _damaged(path, "its metadata can not be read") from error
    if attributes.get("kind") != KIND:
        raise StoreError(
            "not a tensor store of fastscan",
            where=str(path),
            hint="move it away, or name another folder with --tables",
        )
    # Stores of earlier versions have no sealed metadata, and are held by their checksum alone.
    if "metadata_sha256" in attributes and (
        not metadata_intact(root) or differing_metadata(path, root)
    ):
        raise _damaged(path, "its metadata were changed")
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


def survey_store(path: Path) -> dict[str, list[str]]:
    """Names of the arrays of a tensor store that are not as they were written.

    Returns
    -------
    dict
        ``missing``, ``damaged`` (they can not be read), and ``foreign`` (whole, but of another
        array or another store; in stores of earlier versions that can not be told).
    """
    found: dict[str, list[str]] = {"missing": [], "damaged": [], "foreign": []}
    attributes = read_metadata(path).get("attributes", {})
    sums = attributes.get("array_sha256", {})
    for name in _names():
        if not any(file.is_file() for file in (path / name / "c").rglob("*")):
            found["missing"].append(name)
            continue
        try:
            values = np.asarray(zarr.open_array(path / name, mode="r", zarr_format=3)[...])
        except Exception:  # zarr raises whatever a damaged chunk makes it stumble over
            found["damaged"].append(name)
            continue
        if name in sums and array_sha256(name, values) != sums[name]:
            found["foreign"].append(name)
    return found


def _names() -> list[str]:
    channels = [f"{channel}/{name}" for channel in CHANNELS for name in ChannelResponse.ARRAYS]
    return [*_TOP_ARRAYS, *channels]


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
        if response.quantity == "fluence":
            unit = unit.replace(" s-1", "").removesuffix(" s")
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
            "array_sha256": {
                name: array_sha256(name, array) for name, (array, _) in _arrays(response).items()
            },
        }
    )
    seal_metadata(path)
