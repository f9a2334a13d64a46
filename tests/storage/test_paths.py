"""A URL is no path, and no path is taken for a URL."""

from pathlib import Path

import pytest

from fastscan import InputError
from fastscan.storage.paths import local_path, taken

URLS = [
    "s3://bucket/a.zarr",
    "gs://bucket/a.zarr",
    "https://host/a.zarr",
    "file:///tmp/a.zarr",
    "memory://a",
    "abfs://container@account/a.zarr",
    "simplecache::s3://bucket/a.zarr",
    "S3://bucket/a.zarr",
]
PATHS = ["a.zarr", "./a", "/tmp/a", "C:/a.zarr", "a:b", "s3", "a b", "../a", "ab::c", "", "a/b:c/d"]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize("form", [str, Path])
def test_urls(name: str, form: type) -> None:
    with pytest.raises(InputError, match="is a URL") as caught:
        local_path(form(name))
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    with pytest.raises(InputError, match=r"\(out\)"):
        local_path(name, where="--out")


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str) -> None:
    assert local_path(name) == Path(name)
    assert local_path(Path(name)) == Path(name)


def test_no_file_has_a_null_byte() -> None:
    with pytest.raises(InputError, match="impossible"):
        local_path("a\0b")


def test_names_that_are_taken(tmp_path: Path) -> None:
    assert not taken(tmp_path / "a")
    (tmp_path / "a").touch()
    assert taken(tmp_path / "a")
    assert not taken(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert taken(tmp_path / "link")
    with pytest.raises(InputError, match="impossible name"):
        taken(tmp_path / ("x" * 300))
