"""One set of toys for a plane gives what toys of each point give."""

import numpy as np
import pytest
from scipy.stats import chi2 as chi2_distribution

import fastscan
from fastscan.exceptions import RunError
from fastscan.inference.critical_values import critical_value
from fastscan.inference.shared_toys import FIRST, RADIUS, SharedToys, cover
from fastscan.inference.toys import ToyFits, draw_toys

MASSES = (0.01, 1000.0)


class Plane:
    """Toys in a plane of which all points are predictions: chi2 has two degrees of freedom."""

    class counts:
        observed = np.zeros(5)

    def means(self, points):
        return np.pad(points, ((0, 0), (0, 3)))

    def scores(self, data, points):
        rest = data[:, None] - self.means(points)
        return (data**2).sum(axis=1)[:, None] - (rest**2).sum(axis=2)

    def best_scores(self, data):
        return (data[:, :2] ** 2).sum(axis=1)


def grid(low, high, points):
    axis = np.linspace(low, high, points)
    return np.stack([part.ravel() for part in np.meshgrid(axis, axis)], axis=1)


def test_every_expectation_is_near_a_component():
    means = np.random.default_rng(1).normal(size=(500, 4))
    chosen = means[cover(means)]
    distance = np.linalg.norm(means[:, None] - chosen, axis=2).min(axis=1)
    assert distance.max() <= RADIUS
    assert len(chosen) < len(means)


def test_too_large_a_plane_is_refused():
    with pytest.raises(RunError, match="components"):
        cover(10.0 * np.arange(1200.0)[:, None])


@pytest.mark.parametrize("cl", [0.68, 0.90, 0.99])
def test_textbook(cl):
    """Where Wilks' theorem holds; errors are those of repeated sets of toys."""
    points = grid(-2.0, 2.0, 6)
    every = [
        SharedToys.over(Plane(), points, cl, seed).criticals(points, FIRST) for seed in range(12)
    ]
    values = np.array([[critical.value for critical in found] for found in every])
    errors = np.array([[critical.error for critical in found] for found in every])
    assert values.mean() == pytest.approx(chi2_distribution.ppf(cl, 2), rel=0.003)
    spread = values.std(axis=0, ddof=1)
    assert np.sqrt(np.mean(errors**2) / np.mean(spread**2)) == pytest.approx(1.0, abs=0.2)
    assert np.median(spread) < 0.02 * values.mean()


def test_between_components_and_beyond_them_the_effective_number_tells():
    shared = SharedToys.over(Plane(), grid(-2.0, 2.0, 6), 0.90, 1)
    inside, outside = shared.criticals(np.array([[0.3, 0.7], [5.0, 5.0]]), FIRST)
    assert inside.toys > 1000
    assert outside.toys < 0.05 * inside.toys


@pytest.mark.parametrize(
    ("model", "experiment", "low", "high"),
    [
        ("vector", "conus-plus", 1e-7, 1e-3),
        ("scalar", "conus-plus", 1e-8, 1e-3),
        ("vector", "conus-plus-budget", 1e-7, 1e-3),
    ],
)
def test_it_agrees_with_toys_of_each_point(tables, model, experiment, low, high):
    likelihood = fastscan.likelihood(model, experiment)
    fits = ToyFits(likelihood, ["mass_mev", "g"], ranges={"mass_mev": MASSES})
    masses, couplings = np.geomspace(*MASSES, 20), np.geomspace(low, high, 20)
    points = np.stack([part.ravel() for part in np.meshgrid(masses, couplings)], axis=1)
    shared = SharedToys.over(fits, points, 0.90, 3)
    chosen = points[np.random.default_rng(2).choice(len(points), 4, replace=False)]
    pulls = []
    for number, (point, found) in enumerate(
        zip(chosen, shared.criticals(chosen, FIRST), strict=True)
    ):
        toys = draw_toys(fits.mean(point), 2048, 7, (number,))
        own = critical_value(fits.rises(toys, point), 0.90)
        pulls.append((found.value - own.value) / np.hypot(found.error, own.error))
    assert np.abs(pulls).max() < 3.5


def test_a_point_is_the_same_whatever_comes_with_it(tables):
    fits = ToyFits(fastscan.likelihood("vector"), ["mass_mev", "g"], ranges={"mass_mev": MASSES})
    points = np.column_stack([np.full(40, 10.0), np.geomspace(1e-6, 1e-4, 40)])
    shared = SharedToys.over(fits, points, 0.90, 1)
    assert shared.criticals(points, FIRST)[17] == shared.criticals(points[17:18], FIRST)[0]
    again = SharedToys.over(fits, points, 0.90, 1)
    again.prepare(3)
    assert again.criticals(points[:2], FIRST) == shared.criticals(points[:2], FIRST)
