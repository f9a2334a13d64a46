"""Scans of an experiment with several nuisances."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.likelihoods import Chi2Function, Likelihood, likelihood
from fastscan.likelihoods.linear import LinearForm
from fastscan.scan import (
    Axis,
    Grid,
    find_boundary,
    marginalise,
    run_scan,
    scan_header,
    scan_in_memory,
)

TEXT = """
extends = "conus-plus"
name = "two-nuisances"
[[systematics.pulls]]
name = "flux"
kind = "normalisation"
sigma = {flux}
[[systematics.pulls]]
name = "electrons"
kind = "normalisation"
channel = "eves"
sigma = 0.5
"""
AXES = [Axis("mass_mev", 0.01, 10.0, 4, "log"), Axis("g", 1e-7, 1e-4, 300, "log")]


def scan(*arguments, **options):
    """Chi2 as a plain array."""
    return scan_in_memory(*arguments, **options).values


@pytest.fixture(scope="module")
def pulled(tmp_path_factory, tables):
    path = tmp_path_factory.mktemp("pulled") / "two-nuisances.toml"
    path.write_text(TEXT.format(flux=0.05))
    return likelihood("vector", load_experiment(path))


def test_points_are_those_of_predict(pulled):
    chi2 = scan(pulled, AXES)
    for i, j in ((0, 0), (1, 150), (3, 299)):
        point = {axis.name: float(axis.values[k]) for axis, k in zip(AXES, (i, j), strict=True)}
        assert chi2[i, j] == pytest.approx(pulled.predict(**point).chi2, rel=1e-11)


@pytest.mark.parametrize("block_points", [1, 37, 100_000])
@pytest.mark.parametrize("workers", [1, 2])
def test_values_do_not_depend_on_how_they_are_computed(pulled, block_points, workers):
    axes = [AXES[0], Axis("g", 1e-7, 1e-4, 30, "log")]
    whole = Grid(pulled, axes).evaluate((slice(None), slice(None)))
    found = scan(pulled, axes, workers=workers, block_points=block_points)
    np.testing.assert_array_equal(found, whole)


def test_one_normalisation_scans_as_in_closed_form(pulled, tables):
    """Through the least squares, the normalisation alone gives what the normal form does."""
    closed = likelihood("vector")
    both = (slice(None), slice(None))
    grid = LinearForm(closed.counts([axis.name for axis in AXES])).grid(
        {axis.name: axis.values for axis in AXES}
    )
    found = np.empty(grid.shape)
    grid.evaluate(both, found)
    np.testing.assert_allclose(found, Grid(closed, AXES).evaluate(both), rtol=1e-11)


def test_reductions_are_those_of_the_block(pulled):
    grid = Grid(pulled, AXES)
    both = (slice(0, 3), slice(10, 200))
    chi2 = grid.evaluate(both)
    level = float(np.median(chi2))
    np.testing.assert_array_equal(grid.minima(both), chi2.min(axis=1))
    assert grid.inside(both, level) == (chi2 <= level).sum()
    first, last = grid.spans(both, level)
    for i in range(3):
        inside = np.flatnonzero(chi2[i] <= level)
        assert (first[i], last[i]) == ((inside[0], inside[-1]) if inside.size else (190, -1))


def test_profile_of_a_scan(pulled):
    marginal = marginalise(pulled, AXES, ["mass_mev"])
    np.testing.assert_array_equal(marginal.values, scan(pulled, AXES).min(axis=1))


def test_a_stored_scan_names_the_nuisances(pulled, tmp_path):
    result = run_scan(pulled, AXES, out=tmp_path / "s.zarr")
    assert result.header["sigma_alpha"] is None
    assert result.header["nuisances"]["names"] == ["flux", "electrons"]
    assert result.best_fit.chi2 == scan(pulled, AXES).min()


def test_headers_tell_systematics_apart(pulled, tmp_path):
    path = tmp_path / "two-nuisances.toml"
    path.write_text(TEXT.format(flux=0.06))
    other = likelihood("vector", load_experiment(path))
    headers = [scan_header(each, Grid(each, AXES)) for each in (pulled, other)]
    assert headers[0] != headers[1]


def test_processes_give_the_same_bits(pulled, tmp_path):
    result = run_scan(
        pulled, AXES, out=tmp_path / "p.zarr", scheduler="processes", workers=2, block_points=300
    )
    np.testing.assert_array_equal(result.values, scan(pulled, AXES))


def test_the_boundary_is_where_chi2_has_its_level(pulled):
    found = find_boundary(pulled, AXES[0], "g")
    chi2 = Chi2Function(pulled, ["mass_mev", "g"])
    for mass, pieces in zip(found.values, found.allowed, strict=True):
        ends = [end for end in pieces.ravel() if np.isfinite(end) and end > 0.0]
        assert ends
        assert chi2([[mass, end] for end in ends]) == pytest.approx(found.level, rel=1e-9)


def test_overflowing_counts_are_refused(pulled: Likelihood):
    with pytest.raises(InputError, match="overflow"):
        scan(pulled, [AXES[0], Axis("g", 1e-3, 1e150, 3, "log")])
