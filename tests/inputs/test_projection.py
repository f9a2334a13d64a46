"""Scaled experiments follow the conventions that the module states."""

import numpy as np
import pytest

from fastscan import InputError, load_experiment
from fastscan.inputs.projection import project, with_counts


@pytest.fixture(scope="module")
def now():
    return load_experiment("conus-plus")


def test_nothing_scaled_is_the_experiment_itself(now):
    assert project(now) is now
    assert project(now, exposure=1, background=1, threshold_ev=160) is now


def test_variance_goes_as_background_over_exposure(now):
    scaled = project(now, exposure=8.0, background=2.0)
    assert scaled.observation.sigma == pytest.approx(now.observation.sigma / 2, rel=1e-15)
    assert scaled.observation.unit == now.observation.unit
    assert scaled.observation.counts.tolist() == [0.0] * 19


def test_tensors_are_the_same_without_a_new_threshold(now):
    assert project(now, exposure=10.0).tensor_inputs() == now.tensor_inputs()


def test_lower_threshold_adds_bins_that_all_detectors_reach(now):
    low = project(now, threshold_ev=120.0)
    assert low.observation.edges_ev.tolist() == [*range(120, 360, 10)]
    assert {detector.threshold_ev for detector in low.detectors} == {120.0}


def test_variance_is_carried_by_contributing_exposure(now):
    """C3 alone saw the first bin, C3 and C5 the second: the others come to their help."""
    exposure = np.array([0.95 * 117, 0.94 * 110, 0.94 * 119])
    low = project(now, threshold_ev=120.0).observation.sigma
    seen = now.observation.sigma
    first = seen[0] * np.sqrt(exposure[1] / exposure.sum())
    second = seen[1] * np.sqrt(exposure[1:].sum() / exposure.sum())
    assert low[:5] == pytest.approx(first, rel=1e-12)
    assert low[5] == pytest.approx(second, rel=1e-12)
    assert low[6:].tolist() == seen[2:].tolist()


def test_total_counts_grow_with_the_exposure_that_sees_a_bin(now):
    total = now.with_changes({"observation.normalisation": "total"})
    low = project(total, threshold_ev=150.0).observation.sigma
    exposure = np.array([0.95 * 117, 0.94 * 110, 0.94 * 119])
    factor = np.sqrt(exposure.sum() / exposure[1])
    assert low[:2] == pytest.approx(now.observation.sigma[0] * factor, rel=1e-12)


def test_counts_are_kept_to_the_last_digit(now):
    counts = np.random.default_rng(1).normal(size=19)
    seen = with_counts(now, counts)
    assert seen.observation.counts.tolist() == counts.tolist()
    assert seen.observation.sigma.tolist() == now.observation.sigma.tolist()
    assert seen.observation.file.sha256 != now.observation.file.sha256
    assert seen.tensor_inputs() == now.tensor_inputs()


def test_bins_left_out_stay_out(now):
    some = now.with_changes({"observation.start_ev": 180.0, "observation.stop_ev": 300.0})
    seen = with_counts(some, np.zeros(12))
    assert seen.observation.edges_ev.tolist() == some.observation.edges_ev.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exposure": 0.0}, "exposure of 0 times the present one"),
        ({"background": float("nan")}, "background of nan"),
        ({"exposure": float("inf")}, "exposure of inf"),
        ({"threshold_ev": 125.0}, "not below 160 eV by a whole number of bins of 10 eV"),
        ({"threshold_ev": 180.0}, "not below 160 eV"),
        ({"threshold_ev": 0.0}, "not below 160 eV"),
        ({"threshold_ev": float("nan")}, "not below 160 eV"),
    ],
)
def test_impossible_projections_are_refused(now, arguments, message):
    with pytest.raises(InputError, match=message):
        project(now, **arguments)


def test_counts_of_another_number_of_bins_are_refused(now):
    with pytest.raises(InputError, match=r"counts of shape \(3,\) for 19 bins"):
        with_counts(now, [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="a count is not finite"):
        with_counts(now, np.full(19, np.nan))
