"""Scans stored in single precision: the double-precision values, rounded once."""

import numpy as np
import pytest
import xarray
from scan_helpers import contents, identity, refusal

from fastscan import Axis, InputError, ScanResult, StoreError, run_scan
from fastscan.scan import contour_lines, write_contour

AXES = [Axis("mass_mev", 0.1, 10.0, 31, "log"), Axis("g", 1e-6, 1e-4, 40, "log")]


@pytest.fixture(scope="module")
def both(vector, tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision")
    return {
        dtype: run_scan(vector, AXES, out=folder / f"{dtype}.zarr", dtype=dtype, block_points=100)
        for dtype in ("float64", "float32")
    }


def test_values_are_rounded_once(both):
    double, single = both["float64"].values, both["float32"].values
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, double.astype(np.float32))


def test_the_stated_error(both):
    double, single = both["float64"].values, both["float32"].values
    assert (np.abs(single.astype(float) - double) <= 6e-8 * double).all()


def test_the_best_fit_stays_in_double_precision(both):
    assert both["float32"].best_fit == both["float64"].best_fit


def test_the_error_is_stated_in_the_store(both):
    with xarray.open_zarr(both["float32"].path) as opened:
        assert "relative error at most 6e-8" in opened["chi2"].attrs["precision"]
    assert both["float32"].header["dtype"] == "float32"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_bit_identical_for_any_worker(vector, both, tmp_path, workers, scheduler):
    out = tmp_path / "x.zarr"
    arguments = {"workers": workers, "scheduler": scheduler, "block_points": 100}
    run_scan(vector, AXES, out=out, dtype="float32", **arguments)
    assert contents(out) == contents(both["float32"].path)


def test_resume(vector, both, tmp_path):
    out = tmp_path / "x.zarr"

    def interrupt(done, total):
        if done == 4:
            raise KeyboardInterrupt

    arguments = {"out": out, "dtype": "float32", "block_points": 100, "workers": 1}
    with pytest.raises(KeyboardInterrupt):
        run_scan(vector, AXES, progress=interrupt, **arguments)
    run_scan(vector, AXES, resume=True, **arguments)
    assert contents(out) == contents(both["float32"].path)


@pytest.mark.parametrize(("made", "asked"), [("float64", "float32"), ("float32", "float64")])
def test_resume_in_another_precision_is_refused(vector, both, made, asked):
    store = both[made].path
    before = identity(store)
    arguments = {"out": store, "resume": True, "dtype": asked}
    assert "its dtype differs" in refusal(StoreError, run_scan, vector, AXES, **arguments)
    assert identity(store) == before


def test_contours_are_the_same_to_the_stated_error(both, tmp_path):
    level = both["float64"].best_fit.chi2 + 4.605
    lines = {dtype: contour_lines(ScanResult.open(r.path), level) for dtype, r in both.items()}
    for one, other in zip(lines["float64"], lines["float32"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert write_contour(both["float32"], tmp_path / "c.csv").lines


def test_half_the_space(both):
    sizes = {
        dtype: sum(len(content) for name, content in contents(r.path).items() if "chi2/c" in name)
        for dtype, r in both.items()
    }
    assert sizes["float32"] < 0.65 * sizes["float64"]


@pytest.mark.parametrize("dtype", ["float16", "int32", "<f4", ""])
def test_other_types_are_refused(vector, tmp_path, dtype):
    arguments = {"out": tmp_path / "x.zarr", "dtype": dtype}
    assert "float32" in refusal(InputError, run_scan, vector, AXES, **arguments)
    assert list(tmp_path.iterdir()) == []
