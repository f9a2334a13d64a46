"""Exact boundaries: on the level, equal to the limits, and what contours converge to."""

import numpy as np
import pytest

import fastscan
from fastscan import Axis, Chi2Function, InputError
from fastscan.scan import contour_lines, find_boundary, run_scan

CASES = {
    "vector": ("g", Axis("mass_mev", 1e-3, 1e4, 60, "log")),
    "scalar": ("g", Axis("mass_mev", 1e-3, 1e4, 60, "log")),
    "electromagnetic": ("q_ee", Axis("r2_ee", -1e-30, 5e-31, 41)),
    "charge-radius": ("r2_emu", Axis("r2_ee", -1e-30, 5e-31, 41)),
    "nsi": ("eps_d_ee", Axis("eps_u_ee", -1.0, 1.0, 41)),
}


@pytest.fixture(scope="module")
def likelihoods(tables):
    return {name: fastscan.likelihood(name) for name in CASES}


@pytest.mark.parametrize("model", CASES)
def test_every_end_lies_on_the_level(likelihoods, model):
    poi, axis = CASES[model]
    boundary = find_boundary(likelihoods[model], axis, poi)
    chi2 = Chi2Function(likelihoods[model], [axis.name, poi])
    ends = 0
    for value, pieces in zip(boundary.values, boundary.allowed, strict=True):
        for end in pieces[np.isfinite(pieces) & (pieces != 0.0)]:
            assert chi2([value, end]) == pytest.approx(boundary.level, abs=1e-9)
            ends += 1
    assert ends >= 40


@pytest.mark.parametrize("model", CASES)
def test_inside_is_below_the_level_and_outside_above(likelihoods, model, rng):
    poi, axis = CASES[model]
    boundary = find_boundary(likelihoods[model], axis, poi)
    chi2 = Chi2Function(likelihoods[model], [axis.name, poi])
    ends = boundary.allowed[np.isfinite(boundary.allowed) & (boundary.allowed != 0.0)]
    low = 0.0 if poi == "g" else ends.min() * 1.5
    for i in range(0, boundary.values.size, 3):
        for value in rng.uniform(low, np.abs(ends).max() * 1.5, 20):
            allowed = any(a <= value <= b for a, b in boundary.allowed[i])
            assert allowed == (chi2([boundary.values[i], value]) <= boundary.level)
            excluded = any(a <= value <= b for a, b in boundary.excluded(i))
            assert excluded != allowed


def test_lowest_chi2_of_the_plane(likelihoods):
    poi, axis = CASES["vector"]
    boundary = find_boundary(likelihoods["vector"], axis, poi)
    limit = likelihoods["vector"].limit("g", profiled=["mass_mev"])
    assert boundary.chi2_min == pytest.approx(limit.chi2_min, abs=1e-9)


def test_disjoint_pieces(likelihoods):
    poi, axis = CASES["nsi"]
    boundary = find_boundary(likelihoods["nsi"], axis, poi)
    middle = boundary.values.size // 2
    assert len(boundary.excluded(middle)) == 3
    assert boundary.excluded(middle)[0][0] == -np.inf
    assert boundary.excluded(middle)[-1][1] == np.inf


def test_adaptive_points_make_the_boundary_straight_between_them(likelihoods):
    poi, axis = CASES["vector"]
    coarse = Axis(axis.name, axis.start, axis.stop, 5, "log")
    boundary = find_boundary(likelihoods["vector"], coarse, poi, tolerance=1e-3)
    fine = find_boundary(
        likelihoods["vector"], Axis(axis.name, axis.start, axis.stop, 999, "log"), poi
    )
    joined = np.exp(
        np.interp(np.log(fine.values), np.log(boundary.values), np.log(boundary.allowed[:, 0, 1]))
    )
    np.testing.assert_allclose(joined, fine.allowed[:, 0, 1], rtol=2e-3)
    assert boundary.values.size < 600


def test_contours_of_grids_converge_to_it(likelihoods, tmp_path):
    errors = []
    for points in (41, 161):
        axes = [Axis("mass_mev", 0.01, 1e3, points, "log"), Axis("g", 1e-7, 1e-2, points, "log")]
        result = run_scan(likelihoods["vector"], axes, out=tmp_path / f"{points}.zarr")
        boundary = find_boundary(likelihoods["vector"], axes[0], "g", tolerance=1e-5)
        (line,) = contour_lines(result, boundary.level)
        exact = np.interp(
            np.log(line[:, 0]), np.log(boundary.values), np.log(boundary.allowed[:, 0, 1])
        )
        errors.append(np.abs(np.log(line[:, 1]) - exact).max())
    # Linear interpolation: four times the points leave a sixteenth of the error.
    assert errors[1] < errors[0] / 8


def test_result_does_not_depend_on_workers(likelihoods):
    poi, axis = CASES["electromagnetic"]
    one, two = (find_boundary(likelihoods["electromagnetic"], axis, poi, workers=n) for n in (1, 2))
    np.testing.assert_array_equal(one.allowed, two.allowed)


PROFILES = {
    "millicharge": (Axis("q_ee", -3e-12, 3e-12, 7), "q_emu", "q_etau"),
    "electromagnetic": (Axis("q_ee", -3e-12, 3e-12, 7), "q_emu", "q_etau"),
    "charge-radius": (Axis("r2_ee", -8e-31, 5e-31, 7), "r2_etau", "r2_emu"),
}


@pytest.mark.parametrize("model", PROFILES)
def test_profiled_boundary_is_that_of_the_minimised_cube(model):
    axis, poi, other = PROFILES[model]
    likelihood = fastscan.likelihood(model)
    boundary = find_boundary(likelihood, axis, poi, profiled=[other])
    chi2 = Chi2Function(likelihood, [axis.name, poi, other])
    reach = np.nanmax(boundary.allowed)
    partner = np.linspace(0.0, 2.0 * reach, 4001)
    for value, pieces in zip(boundary.values, boundary.allowed, strict=True):
        low, high = pieces[0]
        if np.isnan(low):
            low, high = 0.0, -1.0
        for coupling in np.linspace(-1.2 * reach, 1.2 * reach, 13):
            points = [[value, coupling, x] for x in partner]
            minimum = chi2(np.array(points)).min()
            if abs(minimum - boundary.level) > 0.01:
                assert (low <= coupling <= high) == (minimum <= boundary.level)


def test_profiling_changes_neither_level_nor_outermost_bound():
    axis, poi, other = PROFILES["millicharge"]
    likelihood = fastscan.likelihood("millicharge")
    held = find_boundary(likelihood, axis, poi)
    profiled = find_boundary(likelihood, axis, poi, profiled=[other])
    assert profiled.level == held.level
    outermost = np.fmax.reduce(held.allowed[:, :, 1], axis=1)
    np.testing.assert_array_equal(profiled.allowed[:, 0, 1], outermost)
    assert profiled.header["profiled"] == [other]
    assert other not in profiled.header["parameters"]


@pytest.mark.parametrize(
    ("poi", "profiled", "message"),
    [
        ("q_ee", ["q_etau"], "does not enter as a square beside q_ee's"),
        ("q_emu", ["sin2_theta_w"], "can not be profiled exactly"),
        ("q_emu", ["q_emu"], "both profiled and the parameter of interest"),
        ("q_etau", ["q_emu", "q_emu"], "profiled twice"),
        ("q_etau", ["mass"], "unknown parameter 'mass'"),
        ("q_etau", ["r2_etau"], "both profiled and the axis"),
    ],
)
def test_what_can_not_be_profiled_is_refused(likelihoods, poi, profiled, message):
    axis = Axis("r2_etau", -1e-30, 1e-30, 3)
    with pytest.raises(InputError, match=message):
        find_boundary(likelihoods["electromagnetic"], axis, poi, profiled=profiled)


def test_csv(likelihoods, tmp_path):
    poi, axis = CASES["vector"]
    boundary = find_boundary(likelihoods["vector"], axis, poi)
    boundary.write(tmp_path / "b.csv")
    lines = (tmp_path / "b.csv").read_text().splitlines()
    assert "mass_mev,piece,g_low,g_high" in lines
    assert lines[-1].endswith(",inf")
    with pytest.raises(InputError, match="exists"):
        boundary.write(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"poi": "mass_mev"}, "not a coupling"),
        ({"poi": "q"}, "unknown parameter 'q'"),
        ({"tolerance": 0.0}, "tolerance 0 is not between 0 and 1"),
        ({"cl": 1.0}, "not between 0 and 1"),
        ({"dof": 0}, "0 degrees of freedom"),
    ],
)
def test_bad_arguments(likelihoods, arguments, message):
    poi, axis = CASES["vector"]
    with pytest.raises(InputError, match=message):
        find_boundary(likelihoods["vector"], axis, **{"poi": poi} | arguments)
