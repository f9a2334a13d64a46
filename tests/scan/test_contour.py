"""Contours of a scan: where chi2 has a value, and a file that says which."""

import csv
import errno
import os
from itertools import pairwise

import numpy as np
import pytest
from scan_helpers import contents, refusal

import fastscan
from fastscan import Axis, Chi2Function, InputError, Likelihood, RunError, StoreError, run_scan
from fastscan.scan import ScanResult, contour_lines, find_contour, write_contour

COUPLING = ("g", 1e-6, 1e-3)
MASS = ("mass_mev", 0.1, 300.0)


def scan(likelihood, folder, points):
    axes = [Axis(*MASS, points, "log"), Axis(*COUPLING, points, "log")]
    return run_scan(likelihood, axes, out=folder / f"{points}.zarr")


@pytest.fixture(scope="module")
def result(vector, tmp_path_factory):
    return scan(vector, tmp_path_factory.mktemp("contour"), 65)


def outer_root(likelihood, mass, level):
    """The largest coupling that is allowed at a mass, by root finding."""
    profile = likelihood.profile("g", {"mass_mev": float(mass)})
    lowest = profile.pieces(1.0).best.chi2
    return profile.pieces(level - lowest).intervals[-1][1]


@pytest.mark.parametrize("channels", ["both", "cevns"])
def test_contours_converge_to_the_roots(channels, tmp_path):
    """Interpolated linearly in the logarithms: the error falls with the square of the step.

    With 257 points over 3.5 decades of mass and 3 of the coupling it is below 5e-4 of the coupling.
    """
    likelihood = fastscan.likelihood("vector", channels=channels)
    level = likelihood.predict(mass_mev=1.0).chi2 + 4.0
    masses = Axis(*MASS, 17, "log").values
    roots = np.array([outer_root(likelihood, mass, level) for mass in masses])
    errors = []
    for points in (33, 65, 129, 257):
        lines = contour_lines(scan(likelihood, tmp_path, points), level)
        vertices = np.concatenate(lines)
        found = []
        for mass in masses:
            # Every grid holds the masses, so lines have vertices there; the outermost one counts.
            at_mass = np.isclose(vertices[:, 0], mass, rtol=1e-9)
            found.append(vertices[at_mass, 1].max())
        errors.append(np.abs(np.log(found / roots)))
    worst = [error.max() for error in errors]
    assert worst[-1] < 5e-4
    assert worst[0] / worst[-1] == pytest.approx(64.0, rel=0.15)
    for coarse, fine in pairwise(worst):
        assert 3.3 < coarse / fine < 4.8


@pytest.mark.parametrize("spacing", ["log", "linear"])
def test_chi2_has_the_level_all_along(vector, tmp_path, spacing):
    """On lines of either axis; the deviation, too, falls with the square of the step."""
    level = vector.predict(mass_mev=1.0).chi2 + 2.0
    deviations = []
    for points in (41, 81, 161):
        axes = [
            Axis("mass_mev", 1.0, 40.0, points, spacing),
            Axis("g", 1e-6, 6e-5, points, spacing),
        ]
        result = run_scan(vector, axes, out=tmp_path / f"{points}.zarr")
        vertices = np.concatenate(contour_lines(result, level))
        sample = vertices[:: max(1, len(vertices) // 60)]
        chi2 = [vector.predict(mass_mev=mass, g=g).chi2 for mass, g in sample]
        deviations.append(np.sqrt(np.mean((np.array(chi2) - level) ** 2)))
    for coarse, fine in pairwise(deviations):
        assert 2.8 < coarse / fine < 5.5
    assert deviations[-1] < 0.005


def test_lines_lie_on_the_grid_and_inside(result):
    for line in contour_lines(result, result.best_fit.chi2 + 4.605):
        assert line.shape[1] == 2
        on_mass = np.isclose(line[:, :1], result.coordinates["mass_mev"], rtol=1e-9).any(axis=1)
        on_coupling = np.isclose(line[:, 1:], result.coordinates["g"], rtol=1e-9).any(axis=1)
        assert (on_mass | on_coupling).all()
        for column, (_, low, high) in enumerate((MASS, COUPLING)):
            assert (line[:, column] >= low * (1 - 1e-12)).all()
            assert (line[:, column] <= high * (1 + 1e-12)).all()


def test_a_vertex_divides_its_edge_as_the_levels_do(vector, tmp_path):
    """Two by two points: by hand."""
    axes = [Axis("mass_mev", 1.0, 4.0, 2, "log"), Axis("g", 0.0, 1e-4, 2)]
    result = run_scan(vector, axes, out=tmp_path / "x.zarr")
    chi2 = result.values
    level = float(chi2[0, 0] + 0.25 * (chi2[1, 1] - chi2[0, 0]))
    (line,) = contour_lines(result, level)
    share = (level - chi2[:, 0]) / (chi2[:, 1] - chi2[:, 0])
    expected = np.column_stack([[1.0, 4.0], 1e-4 * share])
    np.testing.assert_allclose(np.sort(line, axis=0), expected, rtol=1e-9)


def test_axes_in_the_order_of_the_scan(vector, tmp_path):
    """A scan of two couplings, the second of which is not logarithmic."""
    axes = [Axis("g", 1e-6, 1e-3, 60, "log"), Axis("sin2_theta_w", 0.1, 0.4, 50)]
    result = run_scan(vector, axes, {"mass_mev": 1.0}, out=tmp_path / "x.zarr")
    level = result.best_fit.chi2 + 4.605
    vertices = np.concatenate(contour_lines(result, level))
    for g, angle in vertices[::10]:
        chi2 = vector.predict(g=g, sin2_theta_w=angle, mass_mev=1.0).chi2
        assert chi2 == pytest.approx(level, abs=0.1)


def read(path):
    """Header entries, names of the columns and the rows of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    rest = list(csv.reader(lines[len(comments) :]))
    header = dict(line.removeprefix("# ").split(": ", 1) for line in comments)
    return header, rest[0], np.array(rest[1:], dtype=float)


def test_the_file_says_what_it_holds(vector, result, tmp_path):
    path = tmp_path / "x.csv"
    contour = write_contour(result, path)
    header, columns, rows = read(path)
    best, lowest = result.best_fit, result.minimum
    assert columns == ["line", "mass_mev", "g"]
    assert header["content"].endswith("90 % C.L., 2 degrees of freedom")
    assert header["model"] == "vector (charges = b-l)"
    assert header["equations"] == vector.model.reference
    assert header["channels"] == "both"
    assert header["experiment"].startswith("conus-plus (arXiv:")
    assert header["sigma_alpha"] == "0.2"
    assert header["fixed parameters"] == "sin2_theta_w = 0.23857"
    assert header["axes"] == "mass_mev = 0.1:300:65:log; g = 1e-06:0.001:65:log"
    of_the_grid = header["best fit of the grid"]
    assert f"mass_mev = {best.point['mass_mev']:.6g}, g = {best.point['g']:.6g}" in of_the_grid
    assert f"chi2 = {best.chi2:.6g}, alpha = {best.alpha_hat:.6g}" in of_the_grid
    assert f"g = {lowest.point['g']:.5g}, chi2 = {lowest.chi2:.6g}" in header["best fit"]
    assert header["level"] == f"chi2 = {lowest.chi2 + 4.605170:.6g} (minimum + 4.60517)"
    assert header["accuracy"].startswith("chi2 at every vertex is within 0.00")
    assert header["touches"] == "mass_mev = 0.1 and 300, g = 1e-06"
    assert header["tensors sha256"] == vector.response.name
    assert header["observation sha256"] == result.header["observation_sha256"]
    assert fastscan.__version__ in "".join(header.values())
    assert "mass_mev [MeV], g [1]" in header["columns"]
    assert len(contour.lines) == len(np.unique(rows[:, 0]))
    for number, line in enumerate(contour.lines):
        np.testing.assert_allclose(rows[rows[:, 0] == number, 1:], line, rtol=1e-8)


@pytest.mark.parametrize(
    ("cl", "dof", "rise"), [(0.90, 1, 2.7055), (0.68, 2, 2.2789), (0.95, 2, 5.9915)]
)
def test_level_and_degrees_of_freedom(result, tmp_path, cl, dof, rise):
    path = tmp_path / "x.csv"
    contour = write_contour(result, path, cl=cl, dof=dof)
    header, _, rows = read(path)
    assert f"{100 * cl:g} % C.L., {dof} degrees of freedom" in header["content"]
    assert float(header["level"].split("+ ")[1].rstrip(")")) == pytest.approx(rise, rel=1e-4)
    assert contour.level == pytest.approx(result.minimum.chi2 + rise, abs=1e-4)
    assert len(rows) == sum(map(len, contour.lines))


def test_the_same_file_every_time(vector, result, tmp_path):
    again = scan(vector, tmp_path, 65)
    write_contour(result, tmp_path / "a.csv")
    write_contour(again, tmp_path / "b.csv")
    content = (tmp_path / "a.csv").read_bytes()
    assert (tmp_path / "b.csv").read_bytes() == content
    assert b"\r" not in content
    assert str(tmp_path).encode() not in content


def test_words_of_several_lines_stay_in_the_header(vector, tmp_path):
    """A source in a TOML may have any number of lines; a reader of the CSV must not meet them."""
    words = 'first\nsecond, "third"\r\n1,2,3'
    experiment = vector.experiment.model_copy(update={"source": words})
    likelihood = Likelihood(vector.model, experiment, vector.response)
    path = tmp_path / "x.csv"
    write_contour(scan(likelihood, tmp_path, 20), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("# ")]
    assert lines[len(comments)] == "line,mass_mev,g"
    assert all(line.count(",") == 2 for line in lines[len(comments) :])


BAD_SHAPES = {
    "one axis": [Axis("g", 0.0, 1e-4, 9)],
    "three axes": [
        Axis("mass_mev", 1.0, 2.0, 2),
        Axis("sin2_theta_w", 0.1, 0.3, 3),
        Axis("g", 0.0, 1e-4, 9),
    ],
    "one point": [Axis("mass_mev", 1.0, 1.0, 1), Axis("g", 0.0, 1e-4, 9)],
    "one point of the other": [Axis("mass_mev", 1.0, 2.0, 5), Axis("g", 1e-5, 1e-5, 1)],
}


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_scans_that_have_no_contour_are_refused(vector, tmp_path, case):
    given = {"mass_mev": 1.0} if case == "one axis" else None
    result = run_scan(vector, BAD_SHAPES[case], given, out=tmp_path / "x.zarr")
    path = tmp_path / "x.csv"
    shape = " x ".join(str(axis.points) for axis in BAD_SHAPES[case])
    for call in (
        lambda: contour_lines(result, 10.0),
        lambda: write_contour(result, path),
    ):
        message = refusal(InputError, call)
        assert f"shape {shape}" in message
        assert "two parameters" in message
    assert list(tmp_path.iterdir()) == [result.path]


def test_a_range_without_a_crossing_is_refused(vector, tmp_path):
    axes = [Axis("mass_mev", 1.0, 10.0, 5), Axis("g", 0.0, 1e-7, 5)]
    result = run_scan(vector, axes, out=tmp_path / "x.zarr")
    assert contour_lines(result, result.best_fit.chi2 + 4.0) == []
    message = refusal(InputError, write_contour, result, tmp_path / "x.csv")
    assert "does not cross" in message
    assert "wider range" in message
    assert list(tmp_path.iterdir()) == [result.path]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"cl": 0.0}, "(cl)"),
        ({"cl": 1.0}, "(cl)"),
        ({"cl": 90.0}, "(cl)"),
        ({"cl": -0.5}, "(cl)"),
        ({"cl": float("nan")}, "(cl)"),
        ({"dof": 0}, "(dof)"),
        ({"dof": -1}, "(dof)"),
    ],
)
def test_bad_levels_are_refused(result, tmp_path, options, where):
    assert where in refusal(InputError, write_contour, result, tmp_path / "x.csv", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_an_existing_file_is_not_overwritten_unasked(result, tmp_path, kind):
    path = tmp_path / "x.csv"
    if kind == "file":
        path.write_text("thesis")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    message = refusal(StoreError, write_contour, result, path)
    assert str(path) in message
    assert contents(tmp_path) == ({"x.csv": b"thesis"} if kind == "file" else {})
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_when_asked(result, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("thesis")
    assert len(write_contour(result, path, overwrite=True).lines) >= 1
    assert read(path)[1] == ["line", "mass_mev", "g"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["nowhere/x.csv", "file/x.csv", "x" * 300, "x\0.csv"])
def test_an_impossible_file_is_refused(result, tmp_path, name):
    (tmp_path / "file").write_text("thesis")
    message = refusal(InputError, write_contour, result, f"{tmp_path}/{name}")
    assert "-o" in message
    assert contents(tmp_path) == {"file": b"thesis"}


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, RunError), (errno.EIO, InputError)])
def test_nothing_half_written_stays(result, tmp_path, monkeypatch, number, kind):
    path = tmp_path / "x.csv"
    path.write_text("before")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        message = refusal(kind, write_contour, result, path, overwrite=True)
    assert str(path) in message
    assert contents(tmp_path) == {"x.csv": b"before"}


@pytest.mark.parametrize(
    ("model", "experiment", "axes"),
    [
        ("vector", "conus-plus", [Axis("mass_mev", 0.01, 1e3, 30, "log"),
                                  Axis("g", 1e-7, 1e-3, 30, "log")]),
        ("vector", "conus-plus", [Axis("g", 1e-7, 1e-3, 30, "log"),
                                  Axis("mass_mev", 0.01, 1e3, 30, "log")]),
        ("scalar", "conus-plus-budget", [Axis("mass_mev", 0.1, 100.0, 30, "log"),
                                         Axis("g", 1e-7, 1e-4, 30, "log")]),
        ("electromagnetic", "conus-plus", [Axis("q_ee", -4e-12, 4e-12, 30),
                                           Axis("r2_ee", -2e-31, 2e-31, 30)]),
    ],
)  # fmt: skip
def test_vertices_of_a_coarse_grid_lie_on_the_level(make, tmp_path, model, experiment, axes):
    likelihood = make(model, experiment)
    result = run_scan(likelihood, axes, out=tmp_path / "x.zarr")
    contour = find_contour(result)
    vertices = np.concatenate(contour.lines)
    for point in vertices[:: len(vertices) // 40]:
        chi2 = likelihood.predict(**dict(zip(result.names, point, strict=True))).chi2
        assert abs(chi2 - contour.level) < 0.02
    assert not any("interpolated" in words for words in contour.warnings)


def test_the_level_is_counted_from_a_minimum_outside_the_grid(make, tmp_path):
    likelihood = make("electromagnetic")
    axes = [Axis("q_ee", 1e-12, 4e-12, 30), Axis("r2_ee", -2e-31, 2e-31, 30)]
    result = run_scan(likelihood, axes, out=tmp_path / "x.zarr")
    best = likelihood.limit("q_ee", profiled=["r2_ee"]).chi2_min
    contour = find_contour(result)
    assert contour.level == pytest.approx(best + 4.605170, abs=1e-6)
    assert result.best_fit.chi2 > best + 0.1
    edges, outside = contour.warnings
    assert edges.startswith("the region is cut off by the edge of the grid: q_ee = 1e-12")
    assert "is outside the grid, whose lowest chi2 is 0.3" in outside
    touched = {(touch.parameter, touch.end) for touch in contour.touches}
    assert ("q_ee", "low") in touched
    assert ("q_ee", "high") not in touched


def test_a_grid_that_the_data_exclude_is_refused(make, tmp_path):
    axes = [Axis("q_ee", 4e-12, 6e-12, 9), Axis("r2_ee", -1e-31, 1e-31, 9)]
    result = run_scan(make("electromagnetic"), axes, out=tmp_path / "x.zarr")
    message = refusal(InputError, write_contour, result, tmp_path / "x.csv")
    assert "the data exclude the grid" in message
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("moved", ["experiment", "data"])
def test_without_its_likelihood_a_contour_is_interpolated_and_says_so(vector, tmp_path, moved):
    """An experiment that is not there, or one that by now has other counts."""
    if moved == "experiment":
        experiment = vector.experiment.model_copy(update={"name": "elsewhere"})
        likelihood = Likelihood(vector.model, experiment, vector.response)
    else:
        likelihood = vector.observing(1.01 * vector.data)
    axes = [Axis("mass_mev", 0.1, 300.0, 40, "log"), Axis("g", 1e-6, 1e-3, 40, "log")]
    run_scan(likelihood, axes, out=tmp_path / "x.zarr")
    result = ScanResult.open(tmp_path / "x.zarr")
    contour = find_contour(result)
    (words,) = (word for word in contour.warnings if "interpolated" in word)
    assert "the likelihood of the scan can not be made again" in words
    assert contour.level == pytest.approx(result.best_fit.chi2 + 4.605170, abs=1e-6)
    vertices = np.concatenate(contour.lines)
    chi2 = Chi2Function(likelihood, result.names)(vertices)
    worst = np.abs(chi2 - contour.level).max()
    estimated = float(words.split("within about ")[1].split()[0])
    assert 0.02 < worst < 2.0 * estimated
    assert estimated < 2.0 * worst
