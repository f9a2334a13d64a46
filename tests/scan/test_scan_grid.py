"""Chi2 on a grid is the chi2 of its points, to the bit however the grid is cut."""

from itertools import pairwise

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_helpers import refusal

import fastscan
from fastscan import Axis, InputError, Likelihood, model_names, run_scan, scan_in_memory
from fastscan.scan import Grid

# Ranges that reach from no effect at all to one that swamps the data.
RANGES = {
    "sin2_theta_w": Axis("sin2_theta_w", 0.0, 1.0, 9),
    "mass_mev": Axis("mass_mev", 1e-3, 1e5, 15, "log"),
    "g": Axis("g", 1e-9, 1.0, 40, "log"),
    "mu_nu": Axis("mu_nu", 0.0, 1e-8, 12),
    "eps": Axis("eps", -2.0, 2.0, 13),
    "q": Axis("q", -1e-8, 1e-8, 13),
    "r2": Axis("r2", -1e-29, 1e-29, 13),
    "mass_n_mev": Axis("mass_n_mev", 1e-2, 30.0, 15, "log"),
    "d": Axis("d", 0.0, 1e-8, 12),
    "dm2_ev2": Axis("dm2_ev2", 1e-3, 1e3, 15, "log"),
    "sin2_2theta": Axis("sin2_2theta", 0.0, 1.0, 9),
    "r_n_fm": Axis("r_n_fm", 3.5, 6.0, 12),
}
TWO = [Axis("mass_mev", 0.01, 1e3, 30, "log"), Axis("g", 1e-7, 1e-3, 50, "log")]
THREE = [
    Axis("mass_mev", 0.01, 1e3, 11, "log"),
    Axis("sin2_theta_w", 0.1, 0.4, 7),
    Axis("g", 0.0, 1e-4, 13),
]


def axis_of(name):
    known = RANGES.get(name) or RANGES[name.partition("_")[0]]
    return Axis(name, known.start, known.stop, known.points, known.spacing)


def chi2_at(likelihood, axes, index, given=None):
    point = {axis.name: axis.values[i] for axis, i in zip(axes, index, strict=True)}
    return likelihood.predict(**point, **(given or {})).chi2


def random_indices(rng, axes, count):
    return zip(*(rng.integers(0, axis.points, count) for axis in axes), strict=True)


def cut(rng, shape):
    ends = [np.sort(rng.choice(n + 1, 2, replace=False)) for n in shape]
    return tuple(slice(int(a), int(b)) for a, b in ends)


@pytest.fixture(scope="module")
def whole(vector):
    grid = Grid(vector, THREE)
    return grid, grid.evaluate((slice(None),) * 3)


@pytest.mark.parametrize("channels", ["both", "cevns", "eves"])
@pytest.mark.parametrize("model", model_names())
def test_any_two_parameters_of_any_model(model, channels, rng):
    likelihood = fastscan.likelihood(model, channels=channels)
    axes = [axis_of(p.name) for p in likelihood.model.parameters if likelihood.felt(p.name)]
    pairs = list(pairwise(axes)) or [(axis,) for axis in axes]
    for pair in pairs:
        given = {p.name: 1.0 for p in likelihood.model.parameters if p.kind == "shape"}
        given = {k: v for k, v in given.items() if k not in [axis.name for axis in pair]}
        grid = Grid(likelihood, pair, given)
        chi2 = grid.evaluate((slice(None),) * len(pair))
        for index in random_indices(rng, grid.axes, 12):
            expected = chi2_at(likelihood, grid.axes, index, given)
            assert chi2[index] == pytest.approx(expected, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("charges", ["b-l", "l_e-l_mu", "1,1,-1/3,-1/3"])
def test_two_axes_at_random_points(charges, rng):
    likelihood = fastscan.likelihood("vector", charges=charges)
    chi2 = scan_in_memory(likelihood, TWO).values
    for index in random_indices(rng, TWO, 100):
        expected = chi2_at(likelihood, TWO, index)
        assert chi2[index] == pytest.approx(expected, rel=1e-9, abs=0.0)


def test_three_axes_at_random_points(vector, whole, rng):
    grid, chi2 = whole
    assert chi2.shape == (11, 7, 13)
    for index in random_indices(rng, grid.axes, 100):
        expected = chi2_at(vector, grid.axes, index)
        assert chi2[index] == pytest.approx(expected, rel=1e-9, abs=0.0)


def test_the_exact_chi2_of_the_predicted_counts(vector, rng):
    """50 digits, where counts cancel the data as well as where they exceed it by far."""
    axes = [TWO[0], Axis("g", 1e-7, 10.0, 80, "log")]
    chi2 = scan_in_memory(vector, axes).values
    for index in random_indices(rng, axes, 40):
        point = {axis.name: axis.values[i] for axis, i in zip(axes, index, strict=True)}
        counts = vector.predict(**point).total
        exact = naive.chi2_exact(counts, vector.data, vector.sigma, vector.sigma_alpha)
        assert chi2[index] == pytest.approx(exact, rel=1e-9, abs=0.0)


def test_the_chi2_of_the_slow_integrals(vector):
    predictors = [naive.Predictor(vector.experiment, channel) for channel in ("cevns", "eves")]
    axes = [Axis("mass_mev", 0.01, 100.0, 3, "log"), Axis("g", 0.0, 1e-4, 3)]
    chi2 = scan_in_memory(vector, axes).values
    for index in ((0, 0), (0, 1), (1, 1), (2, 2)):
        point = {axis.name: float(axis.values[i]) for axis, i in zip(axes, index, strict=True)}
        counts = sum(predictor.counts("vector", point) for predictor in predictors)
        expected = naive.chi2(counts, vector.data, vector.sigma, vector.sigma_alpha)
        assert chi2[index] == pytest.approx(expected, rel=1e-9, abs=0.0)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_part_is_the_whole_to_the_bit(whole, seed):
    grid, chi2 = whole
    part = cut(np.random.default_rng(seed), grid.shape)
    np.testing.assert_array_equal(grid.evaluate(part), chi2[part], strict=True)


@pytest.mark.parametrize("names", [["g"], ["mass_mev"], ["g", "sin2_theta_w"]])
def test_any_part_of_other_grids_is_the_whole_to_the_bit(vector, names, rng):
    axes = [Axis(name, *{"g": (0.0, 1e-3)}.get(name, (0.1, 0.9)), 101) for name in names]
    grid = Grid(vector, axes, {} if "mass_mev" in names else {"mass_mev": 2.0})
    chi2 = grid.evaluate((slice(None),) * len(names))
    for _ in range(20):
        part = cut(rng, grid.shape)
        np.testing.assert_array_equal(grid.evaluate(part), chi2[part], strict=True)


@pytest.mark.parametrize("block_points", [12, 13, 50, 91, 1000, 10**9])
@pytest.mark.parametrize("workers", [1, 2])
def test_in_memory_to_the_bit_for_any_block(vector, whole, block_points, workers):
    chi2 = scan_in_memory(vector, THREE, workers=workers, block_points=block_points).values
    np.testing.assert_array_equal(chi2, whole[1], strict=True)


def test_in_memory_to_the_bit_for_tiny_blocks(vector):
    axes = [Axis(axis.name, axis.start, axis.stop, 4, axis.spacing) for axis in THREE]
    chi2 = scan_in_memory(vector, axes).values
    for block_points in (1, 2, 3):
        tiny = scan_in_memory(vector, axes, block_points=block_points).values
        np.testing.assert_array_equal(tiny, chi2, strict=True)


def test_grids_keep_masses_first_and_results_the_order_asked_for(vector, tmp_path):
    mass, angle, coupling = THREE
    for given_order, order in (
        ([coupling, mass], ["mass_mev", "g"]),
        ([mass, coupling], ["mass_mev", "g"]),
        ([coupling, angle], ["g", "sin2_theta_w"]),
        ([angle, coupling], ["sin2_theta_w", "g"]),
        ([coupling, angle, mass], ["mass_mev", "g", "sin2_theta_w"]),
    ):
        given = {} if mass in given_order else {"mass_mev": 1.0}
        assert [axis.name for axis in Grid(vector, given_order, given).axes] == order
    found = scan_in_memory(vector, [coupling, mass])
    assert found.chi2.dims == found.names == ("g", "mass_mev")
    np.testing.assert_array_equal(found, scan_in_memory(vector, [mass, coupling]).values.T)
    assert found.chi2.coords["mass_mev"].attrs == {"units": "MeV"}
    point = {"g": float(coupling.values[2]), "mass_mev": float(mass.values[1])}
    expected = vector.predict(**point).chi2
    assert float(found.chi2.sel(point)) == pytest.approx(expected, rel=1e-12)
    stored = run_scan(vector, [coupling, mass], out=tmp_path / "x.zarr")
    assert stored.chi2.identical(found.chi2)
    assert [axis["name"] for axis in stored.header["axes"]] == ["g", "mass_mev"]
    assert list(stored.best_fit.point) == ["g", "mass_mev"]
    assert stored.best_fit == found.best_fit
    np.testing.assert_allclose(
        scan_in_memory(vector, [coupling, angle], {"mass_mev": 1.0}).values,
        scan_in_memory(vector, [angle, coupling], {"mass_mev": 1.0}).values.T,
        rtol=1e-12,
    )


def test_a_coupling_alone(vector):
    axis = Axis("g", 0.0, 1e-3, 41)
    chi2 = scan_in_memory(vector, [axis], {"mass_mev": 3.0}).values
    expected = [vector.predict(g=g, mass_mev=3.0).chi2 for g in axis.values]
    np.testing.assert_allclose(chi2, expected, rtol=1e-12)


def test_a_mass_alone(vector):
    axis = Axis("mass_mev", 0.0, 20.0, 41)
    chi2 = scan_in_memory(vector, [axis], {"g": 1e-5}).values
    expected = [vector.predict(g=1e-5, mass_mev=mass).chi2 for mass in axis.values]
    np.testing.assert_allclose(chi2, expected, rtol=1e-12)
    assert np.ptp(chi2) > 1.0


@pytest.mark.parametrize("one", range(8))
def test_axes_of_one_point(vector, one):
    axes = [
        Axis(axis.name, axis.start, axis.stop, 1 if one >> i & 1 else axis.points, axis.spacing)
        for i, axis in enumerate(THREE)
    ]
    chi2 = scan_in_memory(vector, axes).values
    assert chi2.shape == tuple(axis.points for axis in axes)
    for index in ((0, 0, 0), tuple(n - 1 for n in chi2.shape)):
        assert chi2[index] == pytest.approx(chi2_at(vector, axes, index), rel=1e-12)


def test_where_there_is_no_new_physics_the_mass_does_not_matter(vector):
    chi2 = scan_in_memory(vector, [TWO[0], Axis("g", 0.0, 1e-5, 2)]).values
    assert (chi2[:, 0] == chi2[0, 0]).all()
    assert chi2[0, 0] == pytest.approx(fastscan.likelihood("sm").predict().chi2, rel=1e-12)


def test_flux_weights_and_sigma_alpha_are_those_of_the_likelihood(vector, rng):
    weights = rng.uniform(0.5, 1.5, vector.response.energy_bin_edges_mev.size - 1)
    other = Likelihood(
        vector.model, vector.experiment, vector.response, sigma_alpha=0.05, flux_weights=weights
    )
    chi2 = scan_in_memory(other, TWO).values
    assert not np.isclose(chi2, scan_in_memory(vector, TWO).values, rtol=1e-6).any()
    for index in random_indices(rng, TWO, 20):
        assert chi2[index] == pytest.approx(chi2_at(other, TWO, index), rel=1e-9)


def test_into_an_array_that_is_there(whole):
    grid, chi2 = whole
    out = np.full(grid.shape, np.nan)
    assert grid.evaluate((slice(None),) * 3, out) is out
    np.testing.assert_array_equal(out, chi2)
    part = (slice(2, 5), slice(None), slice(None))
    out[...] = np.nan
    grid.evaluate(part, out[part])
    np.testing.assert_array_equal(out[part], chi2[part])
    assert np.isnan(out[:2]).all()
    assert np.isnan(out[5:]).all()


@pytest.mark.parametrize("index", [(0, 0, 0), (10, 6, 12), (3, 2, 5)])
def test_alpha_hat(vector, whole, index):
    grid, _ = whole
    point = {axis.name: axis.values[i] for axis, i in zip(grid.axes, index, strict=True)}
    expected = vector.predict(**point).alpha_hat
    assert grid.alpha_hat(index) == pytest.approx(expected, rel=1e-9, abs=1e-12)


# From couplings whose counts just fit a double to those whose powers do not.
@pytest.mark.parametrize("g", [3.72e33, 5.7e33, 1e34, 1e38, 1e40, 1e60, 1e100, 1e200, 1e308])
def test_overflow_is_refused(vector, g):
    axes = [Axis("g", g / 3, g, 5)]
    grid = Grid(vector, axes, {"mass_mev": 1.0})
    message = refusal(InputError, grid.evaluate, (slice(None),))
    assert "overflow" in message
    assert refusal(InputError, scan_in_memory, vector, axes, {"mass_mev": 1.0}) == message
    both = [Axis("mass_mev", 0.1, 1.0, 3), Axis("g", 0.0, g, 50)]
    assert "overflow" in refusal(InputError, scan_in_memory, vector, both, block_points=7)


def test_large_couplings_that_do_not_overflow_are_kept(vector):
    chi2 = scan_in_memory(vector, [Axis("g", 1e-3, 1e30, 300, "log")], {"mass_mev": 1.0}).values
    # The normalisation shrinks the counts until they fit as well as they can.
    assert chi2[-1] == pytest.approx(vector.predict(g=1e30, mass_mev=1.0).chi2, rel=1e-9)
    assert np.ptp(chi2[-100:]) < 1e-9 * chi2[-1]


def test_more_points_than_memory_are_refused(vector):
    axes = [
        Axis("mass_mev", 1.0, 2.0, 100_000),
        Axis("g", 1.0, 2.0, 100_000),
        Axis("sin2_theta_w", 0.0, 1.0, 1000),
    ]
    assert "1e+13 points" in refusal(InputError, scan_in_memory, vector, axes)


BAD_AXES = {
    "none": ([], {}, "name one of: mass_mev, g, sin2_theta_w"),
    "unknown": ([Axis("mass", 1, 2, 3)], {}, "'mass_mev'"),
    "twice": ([Axis("g", 1, 2, 3), Axis("g", 1, 2, 3)], {}, "leave one out"),
    "scanned and set": ([Axis("g", 1, 2, 3)], {"g": 1.0}, "leave one out"),
    "out of range": ([Axis("g", -1, 2, 3)], {}, "from 0"),
    "out of range above": ([Axis("sin2_theta_w", 0, 2, 3)], {}, "from 0 to 1"),
    "negative mass": ([Axis("mass_mev", -1, 2, 3)], {}, "from 0"),
    "unknown set": ([Axis("g", 1, 2, 3)], {"mass": 1.0}, "'mass_mev'"),
    "set out of range": ([Axis("g", 1, 2, 3)], {"mass_mev": -1.0}, "from 0"),
    "set to NaN": ([Axis("g", 1, 2, 3)], {"mass_mev": float("nan")}, "finite"),
}


@pytest.mark.parametrize("case", BAD_AXES)
def test_bad_axes_are_refused(vector, case, tmp_path):
    axes, given, hint = BAD_AXES[case]
    assert hint in refusal(InputError, scan_in_memory, vector, axes, given)
    out = tmp_path / "x.zarr"
    assert hint in refusal(InputError, fastscan.run_scan, vector, axes, given, out=out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["workers", "block_points"])
@pytest.mark.parametrize("count", [0, -3])
def test_bad_counts_are_refused(vector, what, count, tmp_path):
    hint = "give at least 1"
    assert hint in refusal(InputError, scan_in_memory, vector, TWO, **{what: count})
    out = tmp_path / "x.zarr"
    assert hint in refusal(InputError, fastscan.run_scan, vector, TWO, out=out, **{what: count})
    assert list(tmp_path.iterdir()) == []
