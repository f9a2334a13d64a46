"""Curves of others under a plane."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.legend import Legend

from fastscan import InputError, ScanResult
from fastscan.cli import main
from fastscan.inputs import Overlay
from fastscan.plotting import draw_overlays, new_figure, scan_figure, style
from fastscan.scan import write_contour

TOP = "# label: other\n# source: arXiv:0000.00000\n"
LINE = f"{TOP}mass_mev,g\n0.1,1e-5\n10,1e-4\n"


def overlay(folder: Path, text: str, name: str = "curve.csv") -> Overlay:
    path = folder / name
    path.write_text(text)
    return Overlay.read(path)


def legends(axes: Axes) -> list[Legend]:
    return [artist for artist in axes.get_children() if isinstance(artist, Legend)]


def test_lines_and_regions_lie_below_and_are_named_below_the_axes(
    plane: ScanResult, tmp_path: Path
) -> None:
    line = overlay(tmp_path, LINE)
    region = overlay(
        tmp_path,
        "# label: beam dump\n# source: x\n# style: region\nmass_mev,g\n1,1e-6\n1,1e-5\n9,1e-6\n",
        "region.csv",
    )
    figure = scan_figure(plane, overlays=[line, region])
    (axes,) = figure.axes
    # The axes stay those of the scan.
    assert axes.get_xlim() == pytest.approx((1e-3, 1e4))
    assert axes.get_ylim() == pytest.approx((1e-7, 1e-1))
    drawn = {len(found.get_xdata()): found for found in axes.lines if len(found.get_xdata()) < 5}
    np.testing.assert_allclose(drawn[2].get_xydata(), [[0.1, 1e-5], [10.0, 1e-4]])
    # The outline of a region is closed.
    np.testing.assert_allclose(drawn[4].get_xydata()[0], drawn[4].get_xydata()[-1])
    border = max(axes.lines, key=lambda found: len(found.get_xdata()))
    assert max(found.get_zorder() for found in drawn.values()) < border.get_zorder()
    own, others = legends(axes)
    assert [text.get_text() for text in own.get_texts()] == [r"CE$\nu$NS"]
    assert own.get_title().get_text().startswith("excluded at 90 % C.L. (2 dof)")
    assert [text.get_text() for text in others.get_texts()] == ["other", "beam dump"]
    figure.draw_without_rendering()
    boxes = [legend.get_window_extent() for legend in (own, others)]
    frame = axes.get_window_extent()
    label = axes.xaxis.label.get_window_extent()
    assert boxes[0].y1 < label.y0 < frame.y0
    assert boxes[1].y1 < boxes[0].y0
    assert boxes[1].y0 >= 0.0
    # Room is made, not taken from the axes, which are 5.6 cm high without overlays.
    assert figure.get_figheight() * 2.54 > 7.2 + 1.5
    assert frame.height / figure.dpi * 2.54 == pytest.approx(5.6, abs=0.3)


def test_linear_axes_in_powers_of_ten(couplings: ScanResult, tmp_path: Path) -> None:
    found = overlay(tmp_path, f"{TOP}g,sin2_theta_w\n1e-5,0.1\n3e-5,0.3\n")
    (axes,) = scan_figure(couplings, overlays=[found]).axes
    (line,) = (found for found in axes.lines if len(found.get_xdata()) == 2)
    np.testing.assert_allclose(line.get_xydata(), [[1.0, 0.1], [3.0, 0.3]])


def test_contour_of_one_scan_is_an_overlay_of_another(plane: ScanResult, tmp_path: Path) -> None:
    write_contour(plane, tmp_path / "mine.csv")
    mine = Overlay.read(tmp_path / "mine.csv")
    assert mine.model == "vector"
    assert mine.label == "vector (b-l), cevns, conus-plus"
    (axes,) = scan_figure(plane, cl=0.95, overlays=[mine]).axes
    assert len(axes.lines) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LINE.replace("10,", "-10,"), r"mass_mev = -10 is out of range .*is the column in MeV\?"),
        (LINE.replace("10,", "0,"), "mass_mev = 0 has no place on a logarithmic axis"),
        (LINE.replace("0.1,", "1e6,").replace("10,", "1e7,"), "lies outside the plane"),
        (
            LINE.replace("# label", "# model: scalar\n# label"),
            "for model 'scalar' over .* 'vector'",
        ),
        (LINE.replace("other", r"$\nosuchword$"), "not valid mathtext"),
        (LINE.replace("mass_mev", "mass_kev"), "unit of 'mass_kev' is wrong"),
    ],
)
def test_curves_that_do_not_fit(
    plane: ScanResult, tmp_path: Path, text: str, expected: str
) -> None:
    found = overlay(tmp_path, text)
    with style(), pytest.raises(InputError, match=expected) as caught:
        draw_overlays(new_figure().add_subplot(), [found], plane)
    assert "curve.csv" in str(caught.value)


def test_one_axis_has_no_plane(line: ScanResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scan two parameters"):
        scan_figure(line, overlays=[overlay(tmp_path, LINE)])


def test_command_takes_several(
    plane: ScanResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay(tmp_path, LINE, "a.csv")
    overlay(tmp_path, LINE, "b.csv")
    arguments = ["plot", str(plane.path), "-o", str(tmp_path / "a.png"), "--quiet"]
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--overlay", files[0], "--overlay", files[1]])
    assert end.value.code == 0
    # The sources are in the figure's metadata.
    assert b"arXiv:0000.00000" in (tmp_path / "a.png").read_bytes()
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--force", "--overlay", str(tmp_path / "none.csv")])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("fastscan: no such file")
    assert error.count("\n") == 1
