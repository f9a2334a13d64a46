"""Planes and boundaries of models whose kinematics, or flux, depend on a shape parameter."""

import pickle

import numpy as np
import pytest

from fastscan import Axis, Chi2Function, run_scan, scan_in_memory
from fastscan.scan import find_boundary

PLANES = {
    "dipole-portal": [Axis("mass_n_mev", 0.03, 30.0, 13, "log"), Axis("d", 1e-11, 1e-6, 6, "log")],
    "sterile": [Axis("dm2_ev2", 0.01, 1e3, 13, "log"), Axis("sin2_2theta", 0.01, 1.0, 6, "log")],
}


@pytest.mark.parametrize("model", PLANES)
def test_a_plane_is_its_points(make, model):
    axes = PLANES[model]
    likelihood = make(model)
    plane = np.asarray(scan_in_memory(likelihood, axes).chi2)
    points = np.stack(np.meshgrid(*(a.values for a in axes), indexing="ij"), axis=-1)
    found = Chi2Function(likelihood, [a.name for a in axes])(points.reshape(-1, 2))
    assert np.isfinite(plane).all()
    np.testing.assert_allclose(plane.ravel(), found, rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "scheduler"), [(m, "threads") for m in PLANES] + [("sterile", "processes")]
)
def test_a_stored_plane_of_any_blocks_is_the_same(make, tmp_path, model, scheduler):
    axes = PLANES[model]
    memory = np.asarray(scan_in_memory(make(model), axes).chi2)
    out = tmp_path / "plane.zarr"
    stored = run_scan(make(model), axes, out=out, block_points=10, scheduler=scheduler, workers=2)
    np.testing.assert_array_equal(np.asarray(stored.chi2), memory)


@pytest.mark.parametrize("model", PLANES)
def test_a_copy_of_another_process_counts_the_same(make, model):
    likelihood = make(model)
    (shape, coupling) = (a.name for a in PLANES[model])
    counts = likelihood.counts((shape, coupling))
    copy = pickle.loads(pickle.dumps(counts))
    at = {shape: np.array([0.7, 3.0])}
    np.testing.assert_array_equal(copy.nominal(at), counts.nominal(at))


def test_beyond_the_end_of_the_flux_a_plane_is_flat(make):
    axes = PLANES["dipole-portal"]
    plane = np.asarray(scan_in_memory(make("dipole-portal"), axes).chi2)
    beyond = axes[0].values > 10.0
    assert beyond.sum() == 2
    assert np.ptp(plane[beyond]) < 1e-12 * plane[beyond].max()


def test_the_boundary_leaves_where_the_flux_ends(make):
    axis = Axis("mass_n_mev", 0.1, 30.0, 30, "log")
    boundary = find_boundary(make("dipole-portal"), axis, "d", tolerance=1e-2)
    excluded = np.array([bool(boundary.excluded(i)) for i in range(boundary.values.size)])
    seen = boundary.values < 9.99
    assert excluded[seen].all()
    assert not excluded[boundary.values >= 10.0].any()
