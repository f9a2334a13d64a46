"""Counts with pulls profiled: by the conditions of a minimum, closed forms, other minimisers."""

import math

import naive
import numpy as np
import pytest
from scipy.optimize import nnls

from fastscan.kernels.counted import counted_chi2


def problem(seen, floors, free, pulls, gaussian=None):
    """Constraint and data, each bin in units of one event."""
    normal = np.zeros(seen.size, bool) if gaussian is None else gaussian
    penalised = np.array([k not in free for k in range(pulls)], dtype=float)
    constraint = np.concatenate(
        [
            np.column_stack([np.zeros(pulls), np.diag(penalised)]),
            np.reshape(floors, (-1, 1 + pulls)),
            np.zeros((1, 1 + pulls)),
        ]
    )
    return constraint, np.stack([seen, np.ones(seen.size), (~normal).astype(float)])


def fit(layers, seen, floors=(), free=(), gaussian=None):
    layers = np.asarray(layers, dtype=float)
    pulls, bins = len(layers) - 1, layers.shape[1]
    given = problem(np.asarray(seen, dtype=float), floors, free, pulls, gaussian)
    chi2, x, y = np.empty(1), np.empty((1, pulls)), np.empty((1, bins))
    counted_chi2(layers[None], *given, chi2, x, y)
    return float(chi2[0]), x[0], y[0]


def random_case(seed):
    """A signal up to a hundred times its background, with pulls of every kind."""
    rng = np.random.default_rng(seed)
    bins, pulls = rng.integers(1, 12), rng.integers(1, 6)
    size = 10.0 ** rng.uniform(-1.0, 2.5, bins)
    signal = rng.uniform(0.1, 1.0, bins) * size * 10.0 ** rng.uniform(-1.0, 2.0)
    background = size * rng.uniform(0.01, 1.0, bins)
    changes, floors, free = np.zeros((pulls, bins)), [], []
    for k in range(pulls):
        kind, sigma = rng.integers(4), rng.uniform(0.05, 0.8)
        changes[k] = (
            sigma * signal,
            sigma * background,
            background * rng.uniform(0.3, 1.0, bins),
            signal * rng.uniform(-0.4, 0.4, bins),
        )[kind]
        if kind < 3:
            floor = np.zeros(1 + pulls)
            floor[0], floor[1 + k] = 1.0, 1.0 if kind == 2 else sigma
            floors.append(floor)
        if kind == 2:
            free.append(k)
    seen = rng.poisson(background + 0.3 * signal * rng.integers(0, 2)).astype(float)
    if rng.uniform() < 0.2:
        seen[:] = 0.0
    return np.concatenate([(background + signal)[None], changes]), seen, floors, free


def test_every_fit_fulfils_the_conditions_of_a_constrained_minimum():
    """Karush, Kuhn and Tucker: the gradient is made of the normals of bounds that hold."""
    for seed in range(400):
        layers, seen, floors, free = random_case(seed)
        _, x, expected = fit(layers, seen, floors, free)
        pulls = len(x)
        penalised = np.array([k not in free for k in range(pulls)], dtype=float)
        ratio = np.divide(seen, expected, out=np.zeros(seen.size), where=seen > 0.0)
        gradient = 2.0 * layers[1:] @ (1.0 - ratio) + 2.0 * penalised * x
        empty = seen == 0.0
        normals = np.concatenate([layers[1:, empty].T, np.reshape(floors, (-1, 1 + pulls))[:, 1:]])
        slacks = np.concatenate(
            [
                expected[empty] / np.abs(layers[:, empty]).max(axis=0),
                np.reshape(floors, (-1, 1 + pulls)) @ np.append(1.0, x),
            ]
        )
        assert slacks.min(initial=0.0) >= -1e-9
        curvature = np.where(
            empty, 1.0 / np.maximum(expected, 1e-3), ratio / np.maximum(expected, 1e-300)
        )
        unit = np.sqrt(layers[1:] ** 2 @ curvature + penalised)
        held = slacks < 1e-7
        left = np.linalg.norm(gradient / unit)
        if held.any():
            left = nnls((normals[held] / unit).T, gradient / unit)[1]
        assert left < 1e-3, seed


@pytest.mark.parametrize("seed", [3, 7, 12, 20, 33, 41])
def test_fits_are_those_of_another_minimiser(seed):
    layers, seen, floors, free = random_case(seed)
    seen = seen + 1.0  # away from bounds, of which the other one keeps clear by a little
    chi2, _, _ = fit(layers, seen, floors, free)
    assert chi2 == pytest.approx(naive.counted_chi2(layers, seen, floors, free)[0], rel=1e-7)


def test_no_pull_is_the_deviance():
    expected, seen = np.array([3.2, 0.4, 7.0]), np.array([2.0, 0.0, 11.0])
    chi2, _, _ = fit(expected[None], seen)
    assert chi2 == pytest.approx(naive.poisson_deviance(expected, seen), rel=1e-14)


def test_a_normalisation_of_one_bin_is_a_quadratic_equation():
    """mu = s (1 + sigma beta) + b: sigma s (1 - n / mu) + beta = 0."""
    s, b, sigma, n = 30.0, 4.0, 0.2, 20.0
    chi2, x, _ = fit([[s + b], [sigma * s]], [n], [[1.0, sigma]])
    t = sigma * s
    beta = (-(t * t + s + b) + math.sqrt((t * t + s + b) ** 2 - 4 * t * t * (s + b - n))) / (2 * t)
    mu = s + b + t * beta
    assert x[0] == pytest.approx(beta, rel=1e-12)
    assert chi2 == pytest.approx(2 * (mu - n + n * math.log(n / mu)) + beta**2, rel=1e-12)


def test_no_counts_anywhere_take_the_signal_to_its_floor():
    """2 (s + b) falls with the normalisation until 2 t = -2 beta, or the signal is gone."""
    chi2, x, _ = fit([[8.0], [0.5 * 6.0]], [0.0], [[1.0, 0.5]])
    assert x[0] == pytest.approx(-2.0)
    assert chi2 == pytest.approx(2.0 * 2.0 + 4.0)
    chi2, x, _ = fit([[8.0], [0.1 * 6.0]], [0.0], [[1.0, 0.1]])
    assert x[0] == pytest.approx(-0.6)


def test_a_free_background_without_counts_is_none():
    chi2, x, expected = fit([[9.0, 1.0], [7.0, 1.0]], [0.0, 0.0], [[1.0, 1.0]], free=[0])
    assert x[0] == pytest.approx(-1.0, abs=1e-12)
    np.testing.assert_allclose(expected, [2.0, 0.0], atol=1e-12)
    assert chi2 == pytest.approx(4.0)


def test_counts_where_none_can_be_are_infinitely_unlikely():
    chi2, x, _ = fit([[0.0, 3.0], [0.0, 0.6]], [1.0, 2.0], [[1.0, 0.2]])
    assert chi2 == math.inf
    assert x[0] == 0.0


def test_a_pull_may_be_all_that_counts_come_from():
    _, x, _ = fit([[0.0, 3.0], [0.5, 0.0]], [2.0, 3.0])
    # 2 (t beta - n + n ln(n / t beta)) + beta**2 is lowest at beta**2 + t beta - n = 0.
    beta = 0.5 * (-0.5 + math.sqrt(0.25 + 8.0))
    assert x[0] == pytest.approx(beta, rel=1e-9)


def test_many_counts_are_gaussian(rng):
    """With n of 1e10 chi2 is that of errors of the root of the expectation, to 1e-5."""
    expected = 1e10 * rng.uniform(0.5, 1.5, 6)
    changes = np.stack([1e-5 * expected, 2e-5 * expected * np.linspace(-1, 1, 6)])
    seen = np.round(expected + np.sqrt(expected) * rng.normal(size=6))
    root = np.sqrt(expected)
    exact = naive.pulled_chi2(
        np.concatenate([(expected / root)[None], changes / root]), seen / root
    )
    chi2, _, _ = fit(np.concatenate([expected[None], changes]), seen)
    assert chi2 == pytest.approx(exact, rel=1e-4)


def test_gaussian_bins_beside_counts_are_as_ever(rng):
    counts, changes = rng.uniform(1.0, 3.0, 5), rng.normal(size=(2, 5))
    seen = rng.normal(2.0, 1.0, 5)
    layers = np.concatenate([counts[None], changes])
    chi2, _, _ = fit(layers, seen, gaussian=np.ones(5, bool))
    assert chi2 == pytest.approx(naive.pulled_chi2(layers, seen), rel=1e-11)


@pytest.mark.parametrize("size", [1e3, 1e8, 1e16])
def test_signals_of_any_size_come_down(size):
    """A normalisation takes a huge signal away, to what the data leave of it."""
    shape, background = np.array([1.0, 2.0, 0.5]), np.array([3.0, 1.0, 2.0])
    seen = np.array([5.0, 2.0, 1.0])
    # From its centre, where the signal is gone: counts are b + x t.
    pulls, sigma = 1, 0.2
    constraint = np.array([[1 / sigma, 1.0], [0.0, sigma], [0.0, 1 / sigma]])
    data = np.stack([seen, np.ones(3), np.ones(3)])
    layers = np.stack([background, sigma * size * shape])
    chi2, x, y = np.empty(1), np.empty((1, pulls)), np.empty((1, 3))
    counted_chi2(layers[None], constraint, data, chi2, x, y)
    strength = sigma * size * x[0, 0]
    slope = (shape * (1.0 - seen / (background + strength * shape))).sum()
    pull = (x[0, 0] - 1 / sigma) / (sigma * size)
    assert slope + pull == pytest.approx(0.0, abs=1e-8)
