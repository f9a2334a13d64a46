"""Planes, lines and boundaries with pulls, against least squares at every point, and iminuit."""

import numpy as np
import pytest
from iminuit import Minuit
from scipy.optimize import brentq

from fastscan.likelihoods import delta_chi2
from fastscan.likelihoods.layers import Layers
from fastscan.likelihoods.linear import fitted_pulls
from fastscan.scan import Axis, Grid, find_boundary, run_scan, scan_in_memory

UPPER_BINS = """
extends = "conus-plus"
name = "upper-bins"
[observation]
start_ev = 200.0
stop_ev = 350.0
[[systematics.pulls]]
name = "slope"
kind = "normalisation"
channel = "eves"
sigma = 0.3
"""
MASS = Axis("mass_mev", 0.01, 1e3, 180, "log")
PLANES = {
    "sensitive": ("vector", {}, [MASS, Axis("g", 1e-7, 1e-4, 190, "log")]),
    "huge signals": ("vector", {}, [MASS, Axis("g", 1e-8, 1.0, 240, "log")]),
    "linear": ("vector", {}, [Axis("mass_mev", 0.0, 90.0, 200), Axis("g", 0.0, 1e-4, 300)]),
    "from zero": (
        "scalar",
        {},
        [Axis("mass_mev", 1.0, 1e3, 150, "log"), Axis("g", 0.0, 1e-4, 150)],
    ),
    "signed": (
        "electromagnetic",
        {},
        [Axis("q_ee", -1e-11, 2e-11, 150), Axis("r2_ee", -2e-31, 1e-31, 160)],
    ),
    "mixed": (
        "vector",
        {"mass_mev": 3.0},
        [Axis("sin2_theta_w", 0.0, 1.0, 130), Axis("g", 1e-8, 1e-3, 200, "log")],
    ),
    "cube": (
        "millicharge",
        {},
        [
            Axis("q_ee", -3e-12, 3e-12, 40),
            Axis("q_emu", -3e-12, 9e-12, 45),
            Axis("q_etau", 0.0, 3e-12, 50),
        ],
    ),
    "masses": ("vector", {"g": 2e-5}, [Axis("mass_mev", 1e-3, 1e4, 4000, "log")]),
}


@pytest.fixture(scope="module")
def likelihoods(make, tmp_path_factory):
    path = tmp_path_factory.mktemp("joint") / "upper-bins.toml"
    path.write_text(UPPER_BINS)

    def made(model, kind):
        shapes = make(model, "conus-plus-shapes")
        if kind != "joint":
            return shapes
        # Made-up counts: the same ones twice are no two measurements.
        upper = make(model, path)
        return shapes + upper.observing(1.1 * upper.data)

    return made


def rounding(counts, points, chi2):
    """What rounding of terms as large as these does to least squares, point by point."""
    errors = []
    for layers, value in zip(counts.layers(points), chi2, strict=True):
        pulls, _ = fitted_pulls(layers, counts.seen, counts.centre)
        terms = np.abs(layers[1:]).max(axis=1) * np.abs(pulls + counts.centre)
        errors.append(4e-15 * (terms.sum() + np.abs(counts.seen).max()) * np.sqrt(value))
    return np.array(errors)


@pytest.mark.parametrize("kind", ["shapes", "joint"])
@pytest.mark.parametrize("name", PLANES)
def test_grids_are_least_squares_at_every_point(likelihoods, rng, name, kind):
    model, given, axes = PLANES[name]
    grid = Grid(likelihoods(model, kind), axes, given)
    chi2 = grid.evaluate(tuple(slice(0, n) for n in grid.shape))
    index = tuple(rng.integers(n, size=150) for n in grid.shape)
    points = np.stack([a.values[i] for a, i in zip(grid.axes, index, strict=True)], axis=1)
    exact = grid.form.values(points)
    assert grid.error == 1e-10
    allowed = grid.error * (1.0 + exact) + rounding(grid.form.counts, points, exact)
    assert (np.abs(chi2[index] - exact) <= allowed).all()


@pytest.mark.parametrize("name", ["sensitive", "cube"])
def test_bits_do_not_depend_on_blocks_and_workers(likelihoods, name):
    model, given, axes = PLANES[name]
    likelihood = likelihoods(model, "shapes")
    grid = Grid(likelihood, axes, given)
    whole = grid.evaluate(tuple(slice(0, n) for n in grid.shape))
    for workers, block_points in ((1, 700), (2, 9999)):
        found = scan_in_memory(likelihood, axes, given, workers=workers, block_points=block_points)
        np.testing.assert_array_equal(found, whole)


def test_processes_make_the_same_tables(likelihoods, tmp_path):
    likelihood, axes = likelihoods("vector", "shapes"), PLANES["sensitive"][2]
    result = run_scan(
        likelihood, axes, out=tmp_path / "p", scheduler="processes", workers=2, block_points=9000
    )
    np.testing.assert_array_equal(result.chi2, scan_in_memory(likelihood, axes))
    assert result.header["chi2_error"] == 1e-10


def test_reductions_are_those_of_the_values(likelihoods):
    grid = Grid(likelihoods("vector", "joint"), PLANES["sensitive"][2])
    block = (slice(3, 180), slice(1, 187))
    chi2 = grid.evaluate(block)
    level = float(np.median(chi2))
    np.testing.assert_array_equal(grid.minima(block), chi2.min(axis=1))
    assert grid.inside(block, level) == (chi2 <= level).sum()
    first, last = grid.spans(block, level)
    for row, a, b in zip(chi2, first, last, strict=True):
        inside = np.flatnonzero(row <= level)
        assert (a, b) == ((inside[0], inside[-1]) if inside.size else (186, -1))


@pytest.mark.parametrize("kind", ["shapes", "joint"])
@pytest.mark.parametrize("name", ["sensitive", "signed", "mixed"])
def test_points_are_fits_of_iminuit(likelihoods, rng, name, kind):
    model, given, axes = PLANES[name]
    grid = Grid(likelihoods(model, kind), axes, given)
    for _ in range(4):
        index = tuple(int(rng.integers(n)) for n in grid.shape)
        chi2 = float(grid.evaluate(tuple(slice(i, i + 1) for i in index)).item())
        assert chi2 == pytest.approx(fitted_chi2(grid, list(grid.point(index).values())), abs=1e-6)


def fitted_chi2(grid, point):
    """Chi2 at a point, its pulls fitted by iminuit."""
    counts = grid.form.counts
    layers = counts.layers([point])[0]

    def chi2(beta):
        rest = layers[0] + beta @ layers[1:] - counts.seen
        return rest @ rest + beta @ beta

    def gradient(beta):
        return 2.0 * (layers[1:] @ (layers[0] + beta @ layers[1:] - counts.seen) + beta)

    fit = Minuit(chi2, np.zeros(len(layers) - 1), grad=gradient)
    fit.tol, fit.strategy = 1e-5, 2
    fit.migrad()
    assert fit.valid
    return fit.fval


@pytest.mark.parametrize("kind", ["shapes", "joint"])
@pytest.mark.parametrize(
    ("model", "axis", "poi", "given", "box"),
    [
        ("vector", Axis("mass_mev", 0.02, 300.0, 7, "log"), "g", {}, (0.0, 1e-2)),
        ("vector", Axis("g", 1e-7, 1e-4, 6, "log"), "sin2_theta_w", {"mass_mev": 2.0}, (0.0, 1.0)),
        ("electromagnetic", Axis("r2_ee", -1e-31, 1e-31, 6), "q_ee", {}, (-4e-11, 4e-11)),
    ],
)
def test_boundaries_have_all_pieces_and_exact_ends(likelihoods, model, axis, poi, given, box, kind):
    likelihood = likelihoods(model, kind)
    boundary = find_boundary(likelihood, axis, poi, given)
    samples = Axis(poi, *box, 1500)
    grid = Grid(likelihood, [axis, samples], given)
    for i, value in enumerate(axis.values):
        points = np.stack([np.full(1500, value), samples.values], axis=1)
        inside = grid.form.values(points) <= boundary.level
        pieces = boundary.allowed[i][~np.isnan(boundary.allowed[i, :, 0])]
        found = [(low <= samples.values) & (samples.values <= high) for low, high in pieces]
        np.testing.assert_array_equal(np.any([*found, np.zeros(1500, bool)], axis=0), inside)
        ends = pieces[np.isfinite(pieces) & (pieces > box[0]) & (pieces < box[1])]
        chi2 = grid.form.values(np.stack([np.full(ends.size, value), ends], axis=1))
        assert chi2 == pytest.approx(boundary.level, rel=1e-9)
    lowest = grid.evaluate((slice(0, axis.points), slice(0, 1500))).min()
    assert boundary.chi2_min <= lowest * (1.0 + 1e-9)
    assert boundary.level == boundary.chi2_min + delta_chi2(0.9, 2)


def test_an_end_is_where_iminuit_finds_it(likelihoods):
    likelihood = likelihoods("vector", "shapes")
    axis = Axis("mass_mev", 5.0, 50.0, 2, "log")
    boundary = find_boundary(likelihood, axis, "g")
    grid = Grid(likelihood, [axis, Axis("g", 0.0, 1e-3, 2)])
    for mass, pieces in zip(axis.values, boundary.allowed, strict=True):
        end = np.nanmax(pieces)

        def rise(g, mass=mass):
            return fitted_chi2(grid, [mass, g]) - boundary.level

        assert end == pytest.approx(brentq(rise, 0.8 * end, 1.3 * end, rtol=1e-8), rel=1e-4)


def test_coefficients_of_many_masses_are_those_of_each(likelihoods):
    counts = likelihoods("vector", "joint").counts(("mass_mev", "g"))
    masses = np.geomspace(1e-3, 1e4, 900)
    found = Layers(counts, {"mass_mev": masses}).coefficients({"mass_mev": masses[::90]})
    exact = counts.coefficients({"mass_mev": masses[::90]})
    # Settings are differences of two predictions: of the size of the counts, not of their own.
    size = np.abs(exact).max(axis=1, keepdims=True)
    assert (np.abs(found - exact) <= 1e-12 * size).all()
    assert not (found == exact).all()


def test_a_few_points_are_computed(likelihoods):
    grid = Grid(likelihoods("vector", "shapes"), [Axis("g", 0.0, 1e-4, 30)], {"mass_mev": 10.0})
    assert grid.error == 0.0
