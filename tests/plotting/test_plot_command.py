"""``fastscan plot``."""

from pathlib import Path

import pytest

from fastscan import ScanResult
from fastscan.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    code = end.value.code
    assert isinstance(code, int)
    return code


def test_writes_beside_the_scan_by_default(
    plane: ScanResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "bl.zarr"
    store.symlink_to(plane.path)
    assert run("plot", str(store)) == 0
    assert (tmp_path / "bl.png").read_bytes().startswith(b"\x89PNG")
    assert str(tmp_path / "bl.png") in capsys.readouterr().out
    assert run("plot", f"{store}/") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--force" in error
    assert run("plot", str(store), "--force", "--quiet") == 0
    assert capsys.readouterr().out == ""


def test_scan_named_by_a_dot(plane: ScanResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plane.path)
    picture = plane.path.with_suffix(".png")
    assert run("plot", ".") == 0
    assert picture.is_file()
    picture.unlink()


def test_level_and_file(plane: ScanResult, tmp_path: Path) -> None:
    out = tmp_path / "a.pdf"
    assert run("plot", str(plane.path), "--cl", "0.95", "--dof", "1", "-o", str(out)) == 0
    assert out.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["none.zarr"], "no scan there"),
        (["SCAN", "-o", "a.jpg"], " of a figure"),
        (["SCAN", "--cl", "90", "-o", "a.png"], "confidence level 90"),
        (["SCAN", "--dof", "0", "-o", "a.png"], "0 degrees of freedom"),
        (["SCAN", "-o", "none/a.png"], "can not be written"),
    ],
)
def test_mistakes_are_one_line(
    plane: ScanResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("plot", *(str(plane.path) if a == "SCAN" else a for a in arguments)) == 2
    error = capsys.readouterr().err
    assert error.startswith("fastscan: ")
    assert error.count("\n") == 1
    assert expected in error
    assert list(tmp_path.iterdir()) == []
