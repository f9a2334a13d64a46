"""Checksums that bind: metadata to themselves, an array to its name, a chunk to its place.

A store's metadata, those of its arrays included, are consolidated in its root document and sealed
with their sha256. That is the store's identity: two runs have the same one only if everything their
numbers depend on is the same, and then their chunks are equal to the last bit.

A chunk ends in the crc32c of its content, which zarr and xarray verify as they read it. Its seal
ties that crc32c to the identity of the store, the name of the array and the index of the chunk, so
that a chunk copied from elsewhere is known, and no byte of it has to be read for that but the last
four. Seals are an array of their own: any reader of zarr reads the store without fastscan.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

__all__ = [
    "array_sha256",
    "chunk_file",
    "chunk_seal",
    "differing_metadata",
    "metadata_intact",
    "read_metadata",
    "restore_metadata",
    "seal_metadata",
]

_METADATA = "zarr.json"


def chunk_file(store: Path, name: str, index: Sequence[int]) -> Path:
    """The file of a chunk."""
    return store.joinpath(name, "c", *map(str, index))


def chunk_seal(store: Path, identity: str, name: str, index: Sequence[int]) -> int:
    """The seal of a chunk that ends in its crc32c.

    Parameters
    ----------
    store : Path
    identity : str
        Sha256 of the store's metadata.
    name : str
        Of the array.
    index : sequence of int
        Of the chunk.

    Raises
    ------
    OSError
        It is not there, or is no chunk.
    """
    with chunk_file(store, name, index).open("rb") as file:
        size = file.seek(-4, 2) + 4
        crc = file.read()
    place = f"{identity}/{name}/{'/'.join(map(str, index))}/{size}/"
    digest = hashlib.blake2b(place.encode() + crc, digest_size=8).digest()
    return int.from_bytes(digest, "little")


def array_sha256(name: str, values: np.ndarray) -> str:
    """Sha256 of an array and its name."""
    digest = hashlib.sha256(f"{name}{values.shape}{values.dtype.str}".encode())
    digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def seal_metadata(store: Path) -> None:
    """Consolidate the metadata of a store and seal them; nothing may change them any more."""
    with warnings.catch_warnings():
        # Consolidated metadata lets xarray open the store without a warning; zarr says that
        # version 3 of the format does not standardise it yet.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(store)
    root = read_metadata(store)
    root["attributes"]["metadata_sha256"] = _digest(root)
    (store / _METADATA).write_text(json.dumps(root, indent=2), encoding="utf-8")


def read_metadata(store: Path) -> dict[str, Any]:
    """The root document of a store.

    Raises
    ------
    OSError, ValueError
        It can not be read, or is none.
    """
    root = json.loads((store / _METADATA).read_text(encoding="utf-8"))
    if not isinstance(root, dict) or not isinstance(root.get("attributes", {}), dict):
        raise ValueError("no metadata of zarr")
    return root


def metadata_intact(root: dict[str, Any]) -> bool:
    """Whether a root document is as it was sealed."""
    return bool(root["attributes"].get("metadata_sha256") == _digest(root))


def differing_metadata(store: Path, root: dict[str, Any]) -> list[str]:
    """Names of the arrays whose own document is not the one in the sealed root."""
    return [
        name
        for name, sealed in root["consolidated_metadata"]["metadata"].items()
        if sealed["node_type"] == "array" and _own(store, name) != sealed
    ]


def restore_metadata(store: Path, root: dict[str, Any]) -> None:
    """Write the documents of arrays again, where they are not those in the sealed root."""
    for name in differing_metadata(store, root):
        path = store / name / _METADATA
        path.parent.mkdir(parents=True, exist_ok=True)
        document = root["consolidated_metadata"]["metadata"][name]
        path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def _own(store: Path, name: str) -> Any:
    try:
        return json.loads((store / name / _METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _digest(root: dict[str, Any]) -> str:
    """Sha256 of a root document, its own digest left out."""
    attributes = {k: v for k, v in root["attributes"].items() if k != "metadata_sha256"}
    text = json.dumps({**root, "attributes": attributes}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
