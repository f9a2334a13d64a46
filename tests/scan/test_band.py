"""Reach of a coupling inside a confidence region, against the array of all points."""

import numpy as np
import pytest

import fastscan
from fastscan import Axis, InputError, scan_in_memory
from fastscan.likelihoods import delta_chi2
from fastscan.scan import contour_band

AXES = {
    "millicharge": [
        Axis("q_ee", -3e-12, 3e-12, 31),
        Axis("q_emu", -3e-12, 3e-12, 25),
        Axis("q_etau", -3e-12, 3e-12, 90),
    ],
    "vector": [
        Axis("mass_mev", 0.1, 50.0, 23, "log"),
        Axis("sin2_theta_w", 0.1, 0.4, 11),
        Axis("g", 1e-7, 1e-4, 150, "log"),
    ],
}
CASES = [
    ("millicharge", ["q_ee"], "q_etau"),
    ("millicharge", ["q_emu"], "q_ee"),
    ("millicharge", ["q_etau", "q_ee"], "q_emu"),
    ("vector", ["mass_mev"], "g"),
    ("vector", ["mass_mev", "g"], "sin2_theta_w"),
]


@pytest.fixture(scope="module")
def likelihoods(tables):
    return {name: fastscan.likelihood(name) for name in AXES}


@pytest.mark.parametrize(("model", "keep", "coupling"), CASES)
@pytest.mark.parametrize("cl", [0.5, 0.9])
def test_band_is_that_of_the_array(likelihoods, model, keep, coupling, cl):
    axes = AXES[model]
    names = [axis.name for axis in axes]
    band = contour_band(likelihoods[model], axes, keep, coupling, cl=cl)
    # The coupling innermost, as there: another order of sums is another rounding.
    ordered = sorted(axes, key=lambda axis: axis.name == coupling)
    chi2 = scan_in_memory(likelihoods[model], ordered).values
    assert band.chi2_min <= chi2.min()
    assert band.level == band.chi2_min + delta_chi2(cl, len(keep) + 1)
    inside = chi2 <= band.level
    kept = [[axis.name for axis in ordered].index(name) for name in keep]
    others = tuple(i for i in range(2) if i not in kept)
    any_inside = inside.any(axis=others)
    if kept != sorted(kept):
        any_inside = any_inside.transpose(1, 0, 2)
    values = axes[names.index(coupling)].values
    low = np.where(any_inside, values, np.inf).min(axis=-1)
    high = np.where(any_inside, values, -np.inf).max(axis=-1)
    np.testing.assert_array_equal(np.where(np.isnan(band.low), np.inf, band.low), low)
    np.testing.assert_array_equal(np.where(np.isnan(band.high), -np.inf, band.high), high)
    assert np.isfinite(low).any()


@pytest.mark.parametrize(("keep", "coupling"), [(["mass_mev"], "g"), (["g"], "sin2_theta_w")])
def test_band_with_several_nuisances(make, keep, coupling):
    likelihood = make("vector", "conus-plus-shapes")
    axes = [
        Axis("mass_mev", 0.1, 50.0, 50, "log"),
        Axis("sin2_theta_w", 0.1, 0.4, 50),
        Axis("g", 1e-7, 1e-4, 60, "log"),
    ]
    band = contour_band(likelihood, axes, keep, coupling)
    ordered = sorted(axes, key=lambda axis: axis.name == coupling)
    chi2 = scan_in_memory(likelihood, ordered).values
    # The level is counted from the true minimum, which lies between points of the grid.
    assert chi2.min() - 0.5 < band.chi2_min <= chi2.min()
    inside = chi2 <= band.level
    others = tuple(i for i, axis in enumerate(ordered) if axis.name not in (*keep, coupling))
    reached = inside.any(axis=others)
    values = ordered[-1].values
    low = np.where(reached, values, np.inf).min(axis=-1)
    high = np.where(reached, values, -np.inf).max(axis=-1)
    np.testing.assert_array_equal(np.where(np.isnan(band.low), np.inf, band.low), low)
    np.testing.assert_array_equal(np.where(np.isnan(band.high), -np.inf, band.high), high)
    assert np.isfinite(low).any()
    assert band.header["chi2_error"] == 1e-10


def test_band_of_two_axes(likelihoods):
    axes = [AXES["vector"][0], AXES["vector"][2]]
    band = contour_band(likelihoods["vector"], axes, ["mass_mev"], "g", dof=1)
    chi2 = scan_in_memory(likelihoods["vector"], axes).values
    inside = chi2 <= chi2.min() + delta_chi2(0.9, 1)
    np.testing.assert_array_equal(band.high, [axes[1].values[row].max() for row in inside])


def test_band_does_not_depend_on_workers(likelihoods):
    model, keep, coupling = CASES[1]
    bands = [
        contour_band(likelihoods[model], AXES[model], keep, coupling, workers=n) for n in (1, 2)
    ]
    np.testing.assert_array_equal(bands[0].low, bands[1].low)
    np.testing.assert_array_equal(bands[0].high, bands[1].high)


def test_csv(likelihoods, tmp_path):
    axes = [Axis("q_ee", -1e-11, 3e-12, 9), *AXES["millicharge"][1:]]
    band = contour_band(likelihoods["millicharge"], axes, ["q_ee"], "q_etau")
    band.write(tmp_path / "b.csv")
    lines = (tmp_path / "b.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    assert rows[0] == ["q_ee", "q_etau_low", "q_etau_high"]
    assert rows[1] == ["-1e-11", "", ""]
    highest = [float(row[2]) if row[2] else np.nan for row in rows[1:]]
    np.testing.assert_allclose(highest, band.high, rtol=1e-11)
    with pytest.raises(InputError, match="exists"):
        band.write(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("keep", "coupling", "message"),
    [
        (["mass_mev"], "mass_mev", "kept or is no axis"),
        (["g"], "mass_mev", "not a coupling"),
        (["mass_mev"], "q_ee", "kept or is no axis"),
        (["q_ee"], "g", "q_ee is kept but is no axis"),
    ],
)
def test_bad_arguments(likelihoods, keep, coupling, message):
    with pytest.raises(InputError, match=message):
        contour_band(likelihoods["vector"], AXES["vector"], keep, coupling)
