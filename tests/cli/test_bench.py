"""``fastscan bench``: that it measures and tells, not how fast anything is."""

import json
import math

import numpy as np
import pytest

import fastscan
from fastscan import Axis
from fastscan.bench import Spread, in_turn, rate, ratio
from fastscan.bench.baselines import Baselines
from fastscan.bench.quadrature import PlainQuadrature

GRIDS = [
    f"{model}_{what}"
    for model in ("vector", "scalar", "millicharge")
    for what in (
        "fill",
        "grid",
        "grid_over_fill",
        "kernel_over_fill",
        "minimum_over_fill",
        "inside_over_fill",
        "scan_over_fresh_fill",
    )
]
PARTS = [
    "boundary",
    "help_over_imports",
    "imports",
    "limit",
    "limit_over_imports",
    "limit_profiled",
    "nuisances",
    "nuisances_plane",
    "nuisances_plane_over_fresh_fill",
    *(f"plane_{name}_over_scan" for name in ("numpy", "bins", "ratio")),
    "point_call",
    "point_list",
    "quadrature_over_grid",
    "quadrature_point",
    "tensor_build",
    *(
        f"toys_{case}{what}"
        for case in ("vector", "sm", "plane")
        for what in ("", "_fits", "_over_noise")
    ),
    "vector_coefficients",
    "zarr_raw",
    "zarr_scan_over_raw",
]


def test_json(run):
    outcome = run("bench", "--quick", "--json", "--workers", "1")
    assert outcome.err == ""
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert found["settings"]["quick"] is True
    assert found["settings"]["workers"] == 1
    assert found["machine"]["processors"] >= 1
    assert set(found["results"]) == {*GRIDS, *PARTS}
    for about in found["results"].values():
        assert set(about) == {"median", "low", "high", "unit", "what", "wanted"}
        assert 0.0 < about["low"] <= about["median"] <= about["high"] < math.inf


def test_no_workers(run):
    outcome = run("bench", "--quick", "--workers", "0")
    assert outcome.code == 2
    assert "--workers" in outcome.err


def test_tasks_run_in_turn_and_the_first_round_is_not_counted():
    order = []
    seconds = in_turn(3, {"a": lambda: order.append("a"), "b": lambda: order.append("b")})
    assert order == ["a", "b"] * 4
    assert [len(values) for values in seconds.values()] == [3, 3]


def test_short_tasks_are_repeated_within_bounds():
    assert len(in_turn(2, {"a": lambda: None}, at_least_s=60.0)["a"]) == 20


def test_ratios_are_those_of_neighbours():
    spread = ratio([2.0, 6.0, 12.0], [1.0, 2.0, 3.0])
    assert (spread.low, spread.median, spread.high) == (2.0, 3.0, 4.0)
    assert rate(6.0, [1.0, 2.0, 3.0]) == Spread(3.0, 2.0, 6.0)
    with pytest.raises(ValueError, match="argument 2"):
        ratio([1.0], [1.0, 2.0])


def test_plain_quadrature_computes_the_same_point():
    likelihood = fastscan.likelihood("vector", "conus-plus-a25")
    predicted = likelihood.predict(mass_mev=3.0, g=2e-5)
    plain = PlainQuadrature(likelihood)
    # Its flux is a table that is interpolated linearly.
    assert plain.counts(3.0, 2e-5) == pytest.approx(predicted.total, rel=1e-4)
    assert plain.chi2(3.0, 2e-5) == pytest.approx(predicted.chi2, rel=1e-3)


@pytest.mark.parametrize("name", ["numpy", "numba_bins", "numba_ratio"])
def test_other_code_computes_the_same_plane(name):
    likelihood = fastscan.likelihood("vector")
    axes = [Axis("mass_mev", 1e-2, 1e3, 20, "log"), Axis("g", 1e-8, 1e-2, 30, "log")]
    out = () if name == "numpy" else (np.empty((20, 30)),)
    found = getattr(Baselines(likelihood), name)(*(axis.values for axis in axes), *out)
    assert found == pytest.approx(np.asarray(fastscan.scan_in_memory(likelihood, axes)), rel=1e-12)
