"""Where the project's own data files are, and whether they are still the ones that were shipped."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from fastscan.exceptions import InputError, unknown_name

__all__ = ["MANIFEST_NAME", "ManifestEntry", "data_directory", "read_manifest", "read_shipped"]

MANIFEST_NAME = "manifest.json"


class ManifestEntry(BaseModel):
    """What the manifest says of one data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    units: dict[str, str]
    source: str
    description: str


_MANIFEST = TypeAdapter(dict[str, ManifestEntry])


@cache
def data_directory() -> Path:
    """Folder of the shipped data files.

    Returns
    -------
    pathlib.Path
        ``fastscan/_data`` when installed from a wheel, ``data`` of the checkout otherwise.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def read_manifest() -> dict[str, ManifestEntry]:
    """Entries of the manifest, by path below the data folder.

    Raises
    ------
    InputError
        If the manifest is missing or damaged.
    """
    path = data_directory() / MANIFEST_NAME
    try:
        return dict(_validated(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise InputError(
            "the list of shipped data files can not be read",
            where=str(path),
            hint="reinstall fastscan or restore the file",
        ) from error


@lru_cache(maxsize=1)
def _validated(text: bytes) -> dict[str, ManifestEntry]:
    return _MANIFEST.validate_json(text)


def read_shipped(name: str) -> tuple[Path, bytes]:
    """Path and verified content of a shipped data file.

    Parameters
    ----------
    name : str
        Path below the data folder, as the manifest lists it.

    Raises
    ------
    InputError
        If the manifest does not list the file, or its content is not the listed one.
    """
    manifest = read_manifest()
    if name not in manifest:
        raise unknown_name("shipped file", name, manifest)
    path = data_directory() / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            "shipped file is missing", where=str(path), hint="reinstall fastscan or restore it"
        ) from error
    if hashlib.sha256(content).hexdigest() != manifest[name].sha256:
        raise InputError(
            "shipped file is not the one in the manifest (sha256 differs)",
            where=str(path),
            hint="restore it; use a copy of your own for other numbers",
        )
    return path, content
