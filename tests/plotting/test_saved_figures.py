"""Figures as files: the same bytes every time, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from fastscan import InputError, ScanResult, StoreError
from fastscan.plotting import new_figure, plot_scan, save_figure, scan_figure

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture
def figure() -> Figure:
    return new_figure()


def test_same_scan_gives_the_same_bytes(plane: ScanResult, tmp_path: Path) -> None:
    here = [plot_scan(plane, tmp_path / f"here.{suffix}") for suffix in STARTS]
    there = [tmp_path / f"there.{suffix}" for suffix in STARTS]
    # Another process, another second, another order of hashes.
    code = (
        "import sys\nfrom fastscan import ScanResult\nfrom fastscan.plotting import plot_scan\n"
        "for path in sys.argv[2:]: plot_scan(ScanResult.open(sys.argv[1]), path)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    arguments = [str(plane.path), *map(str, there)]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    for suffix, first, second in zip(STARTS, here, there, strict=True):
        assert first.read_bytes().startswith(STARTS[suffix])
        assert first.read_bytes() == second.read_bytes()


def test_saving_does_not_change_a_figure(plane: ScanResult, tmp_path: Path) -> None:
    figure = scan_figure(plane)
    files = [save_figure(figure, tmp_path / name) for name in ("a.png", "b.pdf", "c.png", "d.pdf")]
    first, second, third, fourth = (path.read_bytes() for path in files)
    assert (first, second) == (third, fourth)


def test_file_says_where_it_comes_from_and_not_when(plane: ScanResult, tmp_path: Path) -> None:
    content = plot_scan(plane, tmp_path / "a.png").read_bytes()
    assert plane.header["tensors_sha256"].encode() in content
    assert b"charges: b-l" in content
    pdf = plot_scan(plane, tmp_path / "a.pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"ModDate" not in pdf
    assert b"dc:date" not in plot_scan(plane, tmp_path / "a.svg").read_bytes()


def test_fonts_are_embedded_as_truetype(plane: ScanResult, tmp_path: Path) -> None:
    content = plot_scan(plane, tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_existing_file_is_kept_unless_told(figure: Figure, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(StoreError, match="exists and is not overwritten") as error:
        save_figure(figure, path)
    assert "\n" not in str(error.value)
    assert path.read_text() == "mine"
    save_figure(figure, path, overwrite=True)
    assert path.read_bytes().startswith(STARTS["png"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.eps", ".png", "a.PDFX"])
def test_unknown_formats(figure: Figure, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"unknown format .* of a figure.*\.pdf, \.png, \.svg"):
        save_figure(figure, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_capital_suffix_is_the_same_format(figure: Figure, tmp_path: Path) -> None:
    assert save_figure(figure, tmp_path / "a.PDF").read_bytes().startswith(STARTS["pdf"])


def test_places_that_can_not_be_written(figure: Figure, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "a.png", tmp_path / "file" / "a.png"):
        with pytest.raises(InputError, match="can not be written") as error:
            save_figure(figure, path)
        assert "\n" not in str(error.value)
    folder = tmp_path / "folder.png"
    folder.mkdir()
    with pytest.raises(InputError, match="can not be written"):
        save_figure(figure, folder, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.png"]


def test_interrupted_write_leaves_nothing(
    figure: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_figure(figure, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
