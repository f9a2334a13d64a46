"""A scan on disk: the same bits whoever computes it, and a store that says what it holds."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scan_helpers import contents, refusal

import fastscan
from fastscan import Axis, InputError, Likelihood, ScanResult, model_names, run_scan, scan_in_memory
from fastscan.scan import Grid, default_workers, scan_header


@pytest.fixture(scope="module")
def many(vector):
    axes = [
        Axis("mass_mev", 0.01, 1e3, 9, "log"),
        Axis("sin2_theta_w", 0.2, 0.3, 3),
        Axis("g", 1e-7, 1e-3, 17, "log"),
    ]
    return axes, scan_in_memory(vector, axes).values


@pytest.mark.parametrize(
    ("workers", "block_points"), [(1, 10**6), (1, 40), (2, 40), (5, 17), (None, 100)]
)
def test_same_bits_for_any_number_of_workers(vector, many, tmp_path, workers, block_points):
    axes, chi2 = many
    result = run_scan(
        vector, axes, out=tmp_path / "x.zarr", workers=workers, block_points=block_points
    )
    np.testing.assert_array_equal(result.values, chi2, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.zarr"]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(block_points=st.integers(8, 600), workers=st.integers(1, 3))
def test_same_bits_for_random_blocks(vector, many, tmp_path_factory, block_points, workers):
    axes, chi2 = many
    out = tmp_path_factory.mktemp("any") / "x.zarr"
    result = run_scan(vector, axes, out=out, workers=workers, block_points=block_points)
    np.testing.assert_array_equal(result.values, chi2, strict=True)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_stores_do_not_depend_on_who_made_them(vector, axes, tmp_path, scheduler, monkeypatch):
    """Every file: whatever the time, the workers, and the folder and name of the store."""
    run_scan(vector, axes, out=tmp_path / "a.zarr", block_points=100, workers=1)
    monkeypatch.chdir(tmp_path)
    seen = []
    run_scan(
        vector,
        axes,
        out="b.zarr",
        block_points=100,
        workers=2,
        scheduler=scheduler,
        progress=lambda done, total: seen.append((done, total)),
    )
    files = contents(tmp_path / "a.zarr")
    # Every block of chi2, its four summaries and seals, two axes, the description of each array and
    # of all.
    assert len(files) == 10 * 6 + 2 + 8 + 1
    assert contents(tmp_path / "b.zarr") == files
    assert seen == [(done, 10) for done in range(11)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]


@pytest.fixture
def result(vector, axes, tmp_path):
    return run_scan(vector, axes, out=tmp_path / "x.zarr", block_points=100)


def test_what_a_result_holds(vector, axes, result):
    np.testing.assert_array_equal(result.values, scan_in_memory(vector, axes).values, strict=True)
    assert result.names == ("mass_mev", "g")
    assert result.shape == (37, 23)
    assert result.units == {"mass_mev": "MeV", "g": "1"}
    for axis in axes:
        np.testing.assert_array_equal(result.coordinates[axis.name], axis.values, strict=True)
    again = ScanResult.open(str(result.path))
    np.testing.assert_array_equal(again.values, result.values, strict=True)
    header = {**scan_header(vector, Grid(vector, axes)), "dtype": "float64"}
    assert again.header == result.header == header
    assert again.best_fit == result.best_fit


def test_best_fit_is_the_lowest_point(vector, axes, result):
    i, j = np.unravel_index(result.values.argmin(), result.shape)
    best = result.best_fit
    assert best.point == {"mass_mev": axes[0].values[i], "g": axes[1].values[j]}
    assert best.chi2 == result.values[i, j]
    expected = vector.predict(**best.point)
    assert best.alpha_hat == pytest.approx(expected.alpha_hat, rel=1e-9, abs=1e-12)


def test_chi2_is_absolute(vector, axes, result):
    expected = vector.predict(mass_mev=axes[0].values[0], g=axes[1].values[-1]).chi2
    assert result.values[0, -1] == pytest.approx(expected, rel=1e-12)
    assert result.values.min() > 1.0


def test_best_fit_does_not_depend_on_the_blocks(vector, axes, result, tmp_path):
    for block_points in (1, 60, 200, 10**6):
        out = tmp_path / f"{block_points}.zarr"
        if block_points == 1:
            few = [Axis(a.name, a.start, a.stop, 4, a.spacing) for a in axes]
            whole = run_scan(vector, few, out=tmp_path / "few.zarr").best_fit
            assert run_scan(vector, few, out=out, block_points=1).best_fit == whole
        else:
            best = run_scan(vector, axes, out=out, block_points=block_points).best_fit
            assert best == result.best_fit


def test_among_equal_points_the_first_is_the_best_fit(vector, tmp_path):
    """With g = 0 alone all masses have the same chi2."""
    axes = [Axis("mass_mev", 1.0, 10.0, 12), Axis("g", 0.0, 0.0, 1)]
    result = run_scan(vector, axes, out=tmp_path / "x.zarr", block_points=5)
    assert result.best_fit.point == {"mass_mev": 1.0, "g": 0.0}


def test_xarray_opens_a_store_and_finds_names_and_units(axes, result):
    # Warnings are errors here.
    with xarray.open_zarr(result.path) as dataset:
        chi2 = dataset["chi2"]
        assert chi2.dims == ("mass_mev", "g")
        assert chi2.dtype == np.float64
        np.testing.assert_array_equal(chi2.values, result.values)
        assert set(dataset.coords) == {"mass_mev", "g"}
        assert chi2.attrs["units"] == "1"
        assert "absolute chi2" in chi2.attrs["long_name"]
        for axis in axes:
            coordinate = dataset[axis.name]
            assert coordinate.dims == (axis.name,)
            np.testing.assert_array_equal(coordinate.values, axis.values)
        assert dataset["mass_mev"].attrs == {"units": "MeV", "long_name": "mass of the mediator"}
        assert dataset["g"].attrs["units"] == "1"
        for name, variable in dataset.variables.items():
            assert variable.attrs["units"], name
            assert variable.attrs["long_name"], name
        middle = chi2.sel(mass_mev=1.0, g=5e-5, method="nearest")
        assert float(middle) == result.values[np.abs(np.log(axes[0].values)).argmin(), 11]
        best = result.best_fit
        loaded = chi2.load()
        at_best = loaded.isel(loaded.argmin(...))
        assert (float(at_best["mass_mev"]), float(at_best["g"])) == tuple(best.point.values())
        status = dataset["block_status"]
        assert status.dims == ("mass_mev_block", "g_block")
        assert status.dtype == np.uint8
        assert (status == 1).all()
        assert float(dataset["block_chi2_min"].min()) == best.chi2


@pytest.mark.parametrize("model", model_names())
def test_every_parameter_of_every_model_has_a_unit_and_a_long_name(model, tmp_path):
    likelihood = fastscan.likelihood(model)
    for parameter in filter(lambda p: likelihood.felt(p.name), likelihood.model.parameters):
        low = max(0.0, parameter.minimum)
        axis = Axis(parameter.name, low, min(low + 1.0, parameter.maximum), 2)
        shapes = [p for p in likelihood.model.parameters if p.kind == "shape"]
        given = {p.name: 1.0 for p in shapes if p.default is None and p is not parameter}
        out = tmp_path / f"{parameter.name}.zarr"
        result = run_scan(likelihood, [axis], given, out=out)
        with xarray.open_zarr(result.path) as dataset:
            attributes = dataset[parameter.name].attrs
        assert attributes == {"units": parameter.unit, "long_name": parameter.description}
        assert all(attributes.values())


def test_chunks_are_blocks(result):
    array = zarr.open_array(result.path / "chi2", mode="r")
    assert array.chunks == (4, 23)
    chunks = sorted(
        str(p.relative_to(result.path)) for p in result.path.glob("chi2/c/**/*") if p.is_file()
    )
    assert chunks == sorted(f"chi2/c/{i}/0" for i in range(10))


def test_header_says_where_a_scan_comes_from(vector, axes, tmp_path):
    likelihood = fastscan.likelihood(
        "vector", "conus-plus", channels="cevns", sigma_alpha=0.1, charges="l_e-l_mu"
    )
    result = run_scan(likelihood, axes, {"sin2_theta_w": 0.25}, out=tmp_path / "x.zarr")
    header = result.header
    assert header["model"] == "vector"
    assert header["options"] == {"charges": "l_e-l_mu"}
    assert header["axes"] == [axis.to_dict() for axis in axes]
    assert header["parameters"] == {"sin2_theta_w": 0.25}
    assert header["channels"] == "cevns"
    assert header["sigma_alpha"] == 0.1
    assert header["experiment"] == "conus-plus"
    assert "arXiv" in header["experiment_source"]
    assert header["tensors_sha256"] == likelihood.response.name
    assert header["fastscan_version"] == fastscan.__version__
    # It is plain JSON, and names no file, machine or time.
    text = json.dumps(header, allow_nan=False)
    assert str(tmp_path) not in text
    assert str(Path.home()) not in text


def test_header_changes_with_the_data(vector, axes):
    grid = Grid(vector, axes)
    header = scan_header(vector, grid)
    observation = vector.experiment.observation
    other = Likelihood(vector.model, vector.experiment, vector.response)
    assert scan_header(other, grid) == header
    other.data = observation.counts + 1.0
    assert scan_header(other, grid)["observation_sha256"] != header["observation_sha256"]


def test_more_blocks_than_one_graph(vector, axes, tmp_path, monkeypatch):
    monkeypatch.setattr("fastscan.scan.executors._BATCH", 3)
    seen = []
    result = run_scan(
        vector,
        axes,
        out=tmp_path / "x.zarr",
        block_points=100,
        progress=lambda done, total: seen.append((done, total)),
    )
    np.testing.assert_array_equal(result.values, scan_in_memory(vector, axes).values, strict=True)
    assert seen == [(done, 10) for done in range(11)]


def test_a_folder_is_made_for_the_output(vector, axes, tmp_path):
    out = tmp_path / "a" / "b" / "x.zarr"
    assert run_scan(vector, axes, out=out).path == out


@pytest.mark.parametrize("scheduler", ["thread", "", "process", "127.0.0.1:8786", "://", "foo://x"])
def test_an_unknown_scheduler_is_refused(vector, axes, tmp_path, scheduler):
    message = refusal(
        InputError, run_scan, vector, axes, out=tmp_path / "x.zarr", scheduler=scheduler
    )
    assert "scheduler" in message
    assert "tcp://" in message
    assert list(tmp_path.iterdir()) == []


def test_overflow_leaves_nothing_behind(vector, tmp_path):
    axes = [Axis("mass_mev", 0.1, 1.0, 30), Axis("g", 0.0, 1e40, 30)]
    message = refusal(InputError, run_scan, vector, axes, out=tmp_path / "x.zarr")
    assert "overflow" in message
    assert list(tmp_path.iterdir()) == []


def test_workers_by_default_are_the_processors_of_this_process(monkeypatch):
    assert default_workers() >= 1
    # macOS has no such call.
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert default_workers() >= 1
