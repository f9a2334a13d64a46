"""Least squares in the pulls agree with the closed forms and with many-digit arithmetic."""

import mpmath
import numpy as np
import pytest

from fastscan.counts import at_centre, plain_constraint
from fastscan.kernels.pulls import pulled_chi2
from fastscan.likelihoods import normalisation_pull, profiled_chi2

BINS = 19


def fit(layers, centre, data):
    chi2, pulls = np.empty(len(layers)), np.empty((len(layers), centre.size))
    pulled_chi2(at_centre(layers, centre), plain_constraint(centre), data, chi2, pulls)
    return chi2, pulls - centre


def fit_with_many_digits(layer, data):
    """Chi2 and pulls of one point from the normal equations, in 120 digits."""
    with mpmath.workdps(120):
        counts = mpmath.matrix(layer[0].tolist())
        changes = mpmath.matrix(layer[1:].tolist())
        seen = mpmath.matrix(data.tolist())
        unit = mpmath.eye(changes.rows)
        rest = seen - counts
        pulls = mpmath.lu_solve(changes * changes.T + unit, changes * rest)
        left = rest - changes.T * pulls
        chi2 = mpmath.fdot(left, left) + mpmath.fdot(pulls, pulls)
        return float(chi2), np.array([float(pull) for pull in pulls])


@pytest.mark.parametrize("sigma_alpha", [0.01, 0.2, 0.9])
def test_normalisation_alone_is_the_closed_form(rng, sigma_alpha):
    size = 10.0 ** rng.uniform(-6.0, 20.0, (400, 1))
    counts = size * rng.uniform(0.1, 1.0, (400, BINS))
    data = rng.normal(1.0, 1.5, BINS)
    layers = np.stack([counts, sigma_alpha * counts], axis=1)
    chi2, pulls = fit(layers, np.array([1.0 / sigma_alpha]), data)
    one = np.ones(BINS)
    assert chi2 == pytest.approx(profiled_chi2(counts, data, one, sigma_alpha), rel=1e-12, abs=0)
    alpha = normalisation_pull(counts, data, one, sigma_alpha)
    assert sigma_alpha * pulls[:, 0] == pytest.approx(alpha, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("pulls", [1, 2, 5, 25])
def test_any_pulls_are_the_generalised_chi2(rng, pulls):
    """Chi2 = r^T (1 + T T^T)^-1 r, errors of bins and of pulls taken together."""
    counts = rng.uniform(0.1, 3.0, (60, 1, BINS))
    changes = 10.0 ** rng.uniform(-3.0, 1.0, (60, pulls, 1)) * rng.normal(size=(60, pulls, BINS))
    data = rng.normal(1.0, 1.5, BINS)
    chi2, _ = fit(np.concatenate([counts, changes], axis=1), np.zeros(pulls), data)
    rest = counts[:, 0] - data
    covariance = np.eye(BINS) + np.einsum("pkb,pkc->pbc", changes, changes)
    solved = np.linalg.solve(covariance, rest[..., None])[..., 0]
    assert chi2 == pytest.approx((rest * solved).sum(axis=1), rel=1e-10, abs=0)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e8, 1e16, 1e20])
def test_signals_of_any_size_keep_the_digits(rng, size):
    """A normalisation beside two shapes that grow with the signal, all at once."""
    # A power of two: the normalisation takes the counts away in the twin as well, exactly.
    counts = rng.uniform(0.5, 1.0, BINS)
    data = rng.normal(1.0, 1.5, BINS)
    layer = size * np.stack(
        [
            counts,
            0.25 * counts,
            0.1 * counts * rng.normal(size=BINS),
            0.05 * np.linspace(0, 1, BINS),
        ]
    )
    (chi2,), (pulls,) = fit(layer[None], np.array([4.0, 0.0, 0.0]), data)
    exact_chi2, exact_pulls = fit_with_many_digits(layer, data)
    assert chi2 == pytest.approx(exact_chi2, rel=1e-11, abs=0)
    assert pulls == pytest.approx(exact_pulls, rel=1e-9, abs=1e-12)


def test_counts_that_pulls_do_not_move_are_plain_chi2(rng):
    counts, data = rng.uniform(0.0, 2.0, (5, BINS)), rng.normal(size=BINS)
    layers = np.concatenate([counts[:, None], np.zeros((5, 3, BINS))], axis=1)
    chi2, pulls = fit(layers, np.zeros(3), data)
    assert chi2 == pytest.approx(((counts - data) ** 2).sum(axis=1), rel=1e-14)
    assert not pulls.any()


def test_points_do_not_depend_on_their_neighbours(rng):
    layers, data = rng.normal(size=(9, 5, BINS)), rng.normal(size=BINS)
    together = fit(layers, np.zeros(4), data)
    alone = [fit(layers[i : i + 1], np.zeros(4), data) for i in range(9)]
    np.testing.assert_array_equal(together[0], [chi2[0] for chi2, _ in alone])
    np.testing.assert_array_equal(together[1], [pulls[0] for _, pulls in alone])


def test_huge_counts_that_no_pull_takes_away_do_not_overflow_the_pulls():
    layers = np.ones((1, 2, BINS))
    layers[0, 0] = 1e200
    with np.errstate(over="ignore"):
        chi2, pulls = fit(layers, np.zeros(1), np.zeros(BINS))
    assert np.isinf(chi2[0])
    assert pulls[0, 0] == pytest.approx(-1e200 * BINS / (BINS + 1.0), rel=1e-12)
