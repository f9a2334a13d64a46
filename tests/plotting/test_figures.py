"""What the figures show, read from the figure objects."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch

from fastscan import InputError, ScanResult
from fastscan.plotting import (
    COLUMN_WIDTH_CM,
    allowed_figure,
    exclusion_figure,
    profile_figure,
    scan_figure,
)
from fastscan.plotting.region import best_fit_is_located, free_corner
from fastscan.plotting.style import curve_styles, tint
from fastscan.scan import find_contour

Make = Callable[..., ScanResult]


def only_axes(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def words(axes: Axes) -> list[str]:
    (legend,) = filter(None, [axes.get_legend(), *axes.get_figure().legends])
    return [legend.get_title().get_text(), *(text.get_text() for text in legend.get_texts())]


def regions(axes: Axes) -> list[PathPatch]:
    return [patch for patch in axes.patches if isinstance(patch, PathPatch)]


def markers(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() != "None"]


def test_plane_has_axes_labels_and_limits_of_the_scan(plane: ScanResult) -> None:
    axes = only_axes(scan_figure(plane))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "$M$ [MeV]"
    assert axes.get_ylabel() == "$g$"
    assert axes.get_xlim() == pytest.approx((1e-3, 1e4))
    assert axes.get_ylim() == pytest.approx((1e-7, 1e-1))
    assert axes.get_title(loc="left").splitlines() == [
        "light vector mediator ($B-L$), CONUS+ 2025,",
        r"CE$\nu$NS",
        r"held: $\sin^2\theta_W$ = 0.23857",
        "Wilks, 2 dof, 90 % C.L.",
    ]
    cut = "cut off by the edge: $M$, $g$"
    assert words(axes) == ["excluded at 90 % C.L. (2 dof)", r"CE$\nu$NS"]
    assert cut in [text.get_text() for text in axes.texts]
    # The data do not single out a mass and a coupling.
    assert markers(axes) == []


def test_plane_shades_what_is_excluded_and_nothing_else(plane: ScanResult) -> None:
    (region,) = regions(only_axes(scan_figure(plane)))
    level = plane.best_fit.chi2 + 4.605170186
    mass, coupling = (plane.coordinates[name] for name in ("mass_mev", "g"))
    for i in range(1, mass.size - 1, 7):
        for j in range(1, coupling.size - 1, 7):
            inside = region.get_path().contains_point((mass[i], coupling[j]))
            assert inside == (plane.values[i, j] > level)


@pytest.mark.parametrize(("cl", "dof", "rise"), [(0.90, 2, 4.60517), (0.95, 1, 3.84146)])
def test_border_is_the_contour(plane: ScanResult, cl: float, dof: int, rise: float) -> None:
    axes = only_axes(scan_figure(plane, cl=cl, dof=dof))
    found = find_contour(plane, cl, dof)
    assert found.level == pytest.approx(plane.minimum.chi2 + rise, abs=1e-4)
    (drawn,) = axes.lines
    np.testing.assert_array_equal(drawn.get_xydata(), found.lines[0])
    assert words(axes)[0].startswith(f"excluded at {100 * cl:g} % C.L. ({dof} dof)")


def test_several_curves_share_a_plane_and_the_larger_region_lies_below(
    plane: ScanResult, make_scan: Make
) -> None:
    both = make_scan("vector", "mass_mev=1e-2:1e4:50:log", "g=1e-7:1e-1:50:log")
    axes = only_axes(exclusion_figure({"one": plane, "two": both}, title="B-L"))
    assert axes.get_xlim() == pytest.approx((1e-3, 1e4))
    assert axes.get_title(loc="left") == "B-L"
    assert words(axes)[1:] == ["one", "two"]
    looks = curve_styles(2)
    assert looks[0] != looks[1]
    assert [line.get_color() for line in axes.lines] == [look["color"] for look in looks]
    # Of the two the one with electrons excludes more.
    lower, upper = (patch.get_facecolor()[:3] for patch in regions(axes))
    assert lower == pytest.approx(tint(looks[1]["color"]))
    assert upper == pytest.approx(tint(looks[0]["color"]))


def test_two_couplings_give_allowed_regions(couplings: ScanResult) -> None:
    axes = only_axes(scan_figure(couplings))
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    # The power of ten stands once, in the label.
    assert axes.get_xlabel() == "$g$ [$10^{-5}$]"
    assert axes.get_xlim() == pytest.approx((0.0, 4.0))
    assert axes.get_ylabel() == r"$\sin^2\theta_W$"
    assert axes.get_ylim() == pytest.approx((0.0, 0.6))
    assert axes.get_title(loc="left").splitlines() == [
        "light vector mediator (universal charges),",
        r"CONUS+ 2025, CE$\nu$NS",
        "held: $M$ = 10 MeV",
        "Wilks, 2 dof, 68.27, 90 % C.L.",
    ]
    assert words(axes)[0].startswith("allowed (2 dof)")
    assert words(axes)[1:] == ["68.3 % C.L.", "90 % C.L.", "Standard Model"]
    point = couplings.best_fit.point
    inner, outer = regions(axes)
    x, y = point["g"] * 1e5, point["sin2_theta_w"]
    assert inner.get_path().contains_point((x, y))
    assert not outer.get_path().contains_point((x, y))


def test_best_fit_is_marked_where_there_is_one(
    located: ScanResult, couplings: ScanResult, plane: ScanResult
) -> None:
    assert best_fit_is_located(located, 2)
    assert not best_fit_is_located(couplings, 2)
    assert not best_fit_is_located(plane, 2)
    axes = only_axes(allowed_figure(located))
    assert words(axes)[-1] == "best fit"
    (marker,) = markers(axes)
    point = located.minimum.point
    np.testing.assert_allclose(
        marker.get_xydata(), [[point["g"] * 1e5, point["sin2_theta_w"]]], rtol=1e-12
    )


def test_standard_model_is_marked_where_the_axes_reach_it(
    couplings: ScanResult, located: ScanResult
) -> None:
    (marker,) = markers(only_axes(scan_figure(couplings)))
    np.testing.assert_allclose(marker.get_xydata(), [[0.0, 0.23857]])
    # There g starts above zero.
    assert "Standard Model" not in words(only_axes(scan_figure(located)))


def test_profile_has_both_levels(line: ScanResult) -> None:
    axes = only_axes(scan_figure(line))
    assert axes.get_xlabel() == r"$\sin^2\theta_W$"
    assert axes.get_ylabel() == r"$\Delta\chi^2$"
    assert axes.get_xlim() == pytest.approx((0.0, 1.0))
    assert axes.get_ylim() == (0.0, 7.0)
    one_sigma, ninety, curve = axes.lines
    assert one_sigma.get_ydata() == pytest.approx([1.0, 1.0], abs=1e-3)
    assert ninety.get_ydata() == pytest.approx([2.7055, 2.7055], abs=1e-4)
    assert [text.get_text() for text in axes.texts] == [r"$1\sigma$", "90 % C.L."]
    np.testing.assert_allclose(
        curve.get_xydata(),
        np.column_stack([line.coordinates["sin2_theta_w"], line.values - line.minimum.chi2]),
    )


def test_figures_are_a_column_wide_and_leave_matplotlib_as_it_was(plane: ScanResult) -> None:
    before = dict(mpl.rcParams)
    figure = scan_figure(plane)
    assert dict(mpl.rcParams) == before
    assert figure.get_size_inches()[0] == pytest.approx(COLUMN_WIDTH_CM / 2.54)
    axes = only_axes(figure)
    assert axes.xaxis.label.get_fontfamily() == ["STIXGeneral"]
    # No smaller than a journal prints its captions.
    assert axes.xaxis.get_ticklabels()[0].get_fontsize() >= 8.0


def test_nothing_reaches_out_of_the_figure_and_labels_do_not_meet(
    plane: ScanResult, couplings: ScanResult, line: ScanResult
) -> None:
    for result in (plane, couplings, line):
        figure = scan_figure(result)
        figure.draw_without_rendering()
        box = only_axes(figure).get_tightbbox()
        assert box is not None
        width, height = figure.bbox.size
        assert box.x0 >= 0.0
        assert box.y0 >= 0.0
        assert box.x1 <= width
        assert box.y1 <= height
        labels = [
            text.get_window_extent()
            for text in only_axes(figure).get_xticklabels()
            if text.get_text()
        ]
        assert all(a.x1 < b.x0 for a, b in pairwise(labels))


def test_legend_goes_where_it_hides_no_border() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[6:, :4] = True
    assert free_corner([mask], (0.5, 0.3)) == "upper right"
    mask[:] = True
    mask[:3, 2:4] = False
    mask[7:, :] = False
    assert free_corner([mask], (0.3, 0.3)) == "lower right"
    assert free_corner([mask], (0.4, 0.4)) == "upper left"
    mask[:4, 8] = False
    assert free_corner([mask], (0.4, 0.4)) is None


def test_legend_goes_below_the_axes_where_all_corners_are_taken(make_scan: Make) -> None:
    scan = make_scan("millicharge", "q_ee=-3e-12:3e-12:50", "q_emu=-3e-12:3e-12:50")
    figure = scan_figure(scan)
    assert only_axes(figure).get_legend() is None
    (legend,) = figure.legends
    figure.draw_without_rendering()
    box = only_axes(figure).get_tightbbox()
    assert box is not None
    assert 0.0 <= legend.get_window_extent().y1 <= box.y0


def test_more_than_two_axes_are_refused_with_a_way_out(make_scan: Make) -> None:
    cube = make_scan("vector", "mass_mev=1:10:3", "g=1e-6:1e-5:3", "sin2_theta_w=0.2:0.3:3")
    with pytest.raises(InputError, match=r"3 axes .* hold the others with NAME=VALUE"):
        scan_figure(cube)


def test_planes_that_can_not_be_drawn(
    plane: ScanResult, line: ScanResult, couplings: ScanResult, make_scan: Make
) -> None:
    with pytest.raises(InputError, match="no scan to draw"):
        exclusion_figure({})
    with pytest.raises(InputError, match="no scan to draw"):
        profile_figure({})
    with pytest.raises(InputError, match="scan two parameters"):
        exclusion_figure({"a": line})
    with pytest.raises(InputError, match="scan one parameter"):
        profile_figure({"a": plane})
    with pytest.raises(InputError, match="do not fit one axis"):
        exclusion_figure({"a": plane, "b": couplings})
    with pytest.raises(InputError, match="confidence level 90"):
        scan_figure(plane, cl=90.0)
    nothing = make_scan("vector", "mass_mev=100:1000:3:log", "g=1e-9:1e-8:3:log")
    with pytest.raises(InputError, match=r"does not cross .* scan a wider range"):
        scan_figure(nothing)
    with pytest.raises(InputError, match="with at least two points"):
        scan_figure(make_scan("vector", "mass_mev=100:100:1", "g=1e-9:1e-8:3:log"))


def test_scan_without_its_files(plane: ScanResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scan there"):
        ScanResult.open(tmp_path / "none.zarr")
