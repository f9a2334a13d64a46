"""Planes with profiled couplings, against brute force, and alike however they are cut."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import fastscan
from fastscan import Axis, InputError, ScanResult
from fastscan.likelihoods.profiled_grid import profiled_minima
from fastscan.scan import find_contour, marginalise
from fastscan.scan.origin import chi2_function

ELEMENTS = [Axis("q_ee", -3e-12, 3e-12, 13), Axis("q_emu", -2e-12, 3e-12, 11)]
PLANE = [Axis("mass_mev", 0.1, 100.0, 7, "log"), Axis("g", 1e-6, 1e-3, 9, "log")]


@pytest.fixture(scope="module")
def millicharge(tables):
    return fastscan.likelihood("millicharge")


@pytest.fixture(scope="module", params=["conus-plus", "conus-plus-shapes"])
def vector(request, tables):
    return fastscan.likelihood("vector", request.param)


def lowest(chi2, low, high, samples):
    """The minimum of a function between two ends, bracketed by samples, by Brent's method."""
    points = np.linspace(low, high, samples)
    values = chi2(points)
    best = int(values.argmin())
    bounds = points[max(best - 1, 0)], points[min(best + 1, samples - 1)]
    found = minimize_scalar(
        lambda x: float(chi2(np.array([x]))[0]),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-10 * (high - low)},
    )
    return min(found.fun, values[best])


def test_a_millicharge_plane_against_brute_force(millicharge):
    plane = millicharge.scan(ELEMENTS, profiled=["q_etau"])
    assert plane.header["profiled"] == ["q_etau"]
    assert "q_etau" not in plane.header["parameters"]
    for i, q_ee in enumerate(ELEMENTS[0].values):
        for j, q_emu in enumerate(ELEMENTS[1].values):
            chi2 = millicharge.chi2("q_etau", q_ee=q_ee, q_emu=q_emu)
            expected = lowest(lambda x, f=chi2: f(x[:, None]), -1e-11, 1e-11, 401)
            assert plane.values[i, j] == pytest.approx(expected, rel=1e-9)


def test_a_mass_and_a_coupling_against_brute_force(vector):
    plane = vector.scan(PLANE, profiled=["sin2_theta_w"])
    for i in range(0, 7, 2):
        for j in range(0, 9, 2):
            mass, g = PLANE[0].values[i], PLANE[1].values[j]
            chi2 = vector.chi2("sin2_theta_w", mass_mev=mass, g=g)
            expected = lowest(lambda x, f=chi2: f(x[:, None]), 0.0, 1.0, 101)
            assert plane.values[i, j] == pytest.approx(expected, rel=1e-8)


def test_two_profiled_couplings_against_profiles_along_both(tables):
    likelihood = fastscan.likelihood("electromagnetic")
    axis = Axis("q_ee", -1e-12, 1e-12, 5)
    line = likelihood.scan([axis], profiled=["r2_ee", "q_emu"])
    profile = likelihood.profile("q_ee", profiled=["r2_ee", "q_emu"])
    expected = [profile(value) for value in axis.values]
    np.testing.assert_allclose(line.values, expected, rtol=1e-8)


@pytest.mark.parametrize("block_points", [1, 4, 9, 10**6])
def test_blocks_and_workers_change_nothing(vector, block_points):
    asked = {"profiled": ["sin2_theta_w"]}
    whole = vector.scan(PLANE, workers=1, **asked)
    cut = vector.scan(PLANE, workers=2, block_points=block_points, **asked)
    np.testing.assert_array_equal(cut.values, whole.values)


def test_a_store_holds_the_same_and_knows_its_minimum(millicharge, tmp_path):
    memory = millicharge.scan(ELEMENTS, profiled=["q_etau"])
    path = tmp_path / "plane.zarr"
    millicharge.scan(ELEMENTS, profiled=["q_etau"], out=path, block_points=20)
    stored = ScanResult.open(path)
    np.testing.assert_array_equal(stored.values, memory.values)
    assert stored.profiled == ("q_etau",)
    assert stored.origin == ""
    assert stored.minimum.chi2 == pytest.approx(millicharge.limit("q_ee").chi2_min, abs=1e-8)
    assert stored.best_fit.alpha_hat == pytest.approx(memory.best_fit.alpha_hat, abs=1e-12)


def test_a_lost_block_is_made_again_with_the_same_bits(millicharge, tmp_path):
    path = tmp_path / "plane.zarr"
    asked = {"profiled": ["q_etau"], "out": path, "block_points": 20}
    whole = np.array(millicharge.scan(ELEMENTS, **asked).values)
    chunk = next(file for file in (path / "chi2" / "c").rglob("*") if file.is_file())
    chunk.unlink()
    again = millicharge.scan(ELEMENTS, resume=True, **asked)
    np.testing.assert_array_equal(again.values, whole)
    with pytest.raises(InputError, match="its parameters differ"):
        millicharge.scan(ELEMENTS, {"q_etau": 0.0}, out=path, block_points=20, resume=True)


def test_vertices_of_contours_are_at_the_level(millicharge):
    plane = millicharge.scan(ELEMENTS, profiled=["q_etau"])
    contour = find_contour(plane)
    chi2 = chi2_function(millicharge, plane.names, plane.header)
    for line in contour.lines:
        assert np.abs(chi2(line) - contour.level).max() < 0.02


def test_a_marginal_with_a_profiled_coupling_is_below_that_of_an_axis(millicharge):
    axes = [*ELEMENTS, Axis("q_etau", -3e-12, 3e-12, 61)]
    by_axis = marginalise(millicharge, axes, ["q_ee"])
    by_descents = marginalise(millicharge, ELEMENTS, ["q_ee"], profiled=["q_etau"])
    assert (by_descents.values <= by_axis.values + 1e-9).all()
    assert by_descents.values == pytest.approx(by_axis.values, abs=0.05)


def test_a_construction_with_a_profiled_coupling_has_the_statistic_of_the_plane(tables, tmp_path):
    likelihood = fastscan.likelihood("vector", "conus-plus-shapes")
    asked = {"mass_mev": (5.0, 20.0, 2), "g": (1e-5, 6e-5, 2), "profiled": ["sin2_theta_w"]}
    options = {"method": "feldman-cousins", "toys": 128, "precision": 0.5}
    found = likelihood.scan(out=tmp_path / "fc.zarr", **asked, **options)
    plane = likelihood.scan(**asked)
    expected = plane.values - found.header["best_fit"]["chi2"]
    np.testing.assert_allclose(found.statistic, expected, rtol=1e-6, atol=1e-8)
    assert found.header["profiled"] == ["sin2_theta_w"]
    # Of two parameters; less where the bound of the coupling is near.
    assert (found.critical_value < 6.0).all()


def test_a_constrained_parameter_can_be_profiled(vector):
    measured = vector.constrained("sin2_theta_w", 0.24, 0.01)
    line = measured.scan(g=(1e-6, 1e-4, 4, "log"), mass_mev=10.0, profiled=["sin2_theta_w"])
    profile = measured.profile("g", mass_mev=10.0)
    expected = [profile(value) for value in line.coordinates["g"]]
    np.testing.assert_allclose(line.values, expected, rtol=1e-8)


def test_couplings_that_enter_alike_are_one(millicharge):
    form = millicharge.form(["q_ee", "q_emu", "q_etau"])
    chi2, points = profiled_minima(form, {"q_ee": np.array([1e-12, 2e-12])})
    expected = [millicharge.profile("q_ee")(value) for value in (1e-12, 2e-12)]
    np.testing.assert_allclose(chi2, expected, rtol=1e-9)
    assert (points[:, 2] == 0.0).all()


@pytest.mark.parametrize(
    ("profiled", "message"),
    [
        (["mass_mev"], "mass_mev is a mass, which a grid can not profile"),
        (["g"], "g is both profiled and the parameter of interest"),
        (["sin2_theta_w", "sin2_theta_w"], "sin2_theta_w is profiled twice"),
        (["q"], "unknown parameter 'q'"),
    ],
)
def test_what_can_not_be_profiled(vector, profiled, message):
    with pytest.raises(InputError, match=message):
        vector.scan([Axis("g", 1e-6, 1e-4, 3)], profiled=profiled)


def test_an_axis_is_not_profiled(vector):
    with pytest.raises(InputError, match="g is both profiled and scanned"):
        vector.scan(PLANE, profiled=["g"])
