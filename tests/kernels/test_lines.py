"""Turning points and crossings of pulled lines, against dense samples and the normal equations."""

import numpy as np
import pytest
from scipy.optimize import brentq

from fastscan.counts import at_centre, plain_constraint
from fastscan.kernels.lines import line_crossings, line_turning_points
from fastscan.kernels.pulls import chi2_along, polynomial_layers, pulled_chi2

CENTRE = np.array([5.0, 0.0])
CONSTRAINT = plain_constraint(CENTRE)


def line_of(rng, bins=5, size=1.0, interference=1.0):
    """Counts c0 - c1 u + c2 u**2 with a normalisation of 20 % and a tilt, and data."""
    counts = np.array([3.0, -interference, 1.0])[:, None] * rng.uniform(0.5, 1.5, (3, bins))
    counts *= size ** -np.arange(3.0)[:, None]
    tilt = 0.1 * counts * np.linspace(-1.0, 1.0, bins)
    return np.stack([counts, counts / CENTRE[0], tilt], axis=1), rng.normal(3.0, 1.0, bins)


def twin(line, data, u):
    """Chi2 = r^T (1 + T T^T)^-1 r."""
    layers = sum(layer * u**power for power, layer in enumerate(line))
    rest, changes = layers[0] - data, layers[1:]
    covariance = np.eye(data.size) + changes.T @ changes
    return float(rest @ np.linalg.solve(covariance, rest))


def turned(line, data, ends, size=1.0):
    marks, heights = np.empty((2, 1, 20))
    counts = np.zeros(1, dtype=np.int64)
    sizes, given = np.array([size]), np.array([ends])
    moved = at_centre(line[None], CENTRE)
    line_turning_points(moved, sizes, given, CONSTRAINT, data, marks, heights, counts)
    return marks, heights, counts


def below(line, data, found, level, size=1.0):
    pieces = np.empty((1, 11, 2))
    sizes = np.array([size])
    used = line_crossings(
        at_centre(line[None], CENTRE), sizes, CONSTRAINT, data, *found, level, pieces
    )
    return pieces[0, :used]


def test_chi2_along_is_that_of_the_layers(rng):
    lines, data = zip(*(line_of(rng) for _ in range(3)), strict=True)
    u, data = np.array([-2.0, 0.0, 1e-3, 40.0]), data[0]
    chi2, rounding = np.empty((2, 3, u.size))
    chi2_along(at_centre(np.array(lines), CENTRE), u, CONSTRAINT, data, chi2, rounding)
    for line, row in zip(lines, chi2, strict=True):
        layers = np.empty((u.size, *line.shape[1:]))
        for layer, at in zip(layers, u, strict=True):
            polynomial_layers(line, at, layer)
        alone, pulls = np.empty(u.size), np.empty((u.size, 2))
        pulled_chi2(at_centre(layers, CENTRE), CONSTRAINT, data, alone, pulls)
        np.testing.assert_array_equal(row, alone)
    assert (rounding > 0.0).all()
    assert (rounding < 1e-11).all()


@pytest.mark.parametrize("interference", [0.0, 2.0, 5.0])
def test_extrema_are_those_of_dense_samples(rng, interference):
    line, data = line_of(rng, interference=interference)
    marks, heights, (count,) = turned(line, data, (-10.0, 10.0))
    u = np.linspace(-10.0, 10.0, 4001)
    sampled = np.array([twin(line, data, at) for at in u])
    changes = np.flatnonzero(np.diff(np.sign(np.diff(sampled))) != 0) + 1
    inner = marks[0, 1 : count - 1]
    assert count == changes.size + 2
    np.testing.assert_allclose(inner, u[changes], atol=u[1] - u[0])
    for at, height in zip(marks[0, :count], heights[0, :count], strict=True):
        assert height == pytest.approx(twin(line, data, at), rel=1e-11)
        assert -10.0 <= at <= 10.0
    # Stationary to the second order.
    for at, height in zip(inner, heights[0, 1 : count - 1], strict=True):
        near = [twin(line, data, at + step) - height for step in (-1e-5, 1e-5)]
        assert abs(near[1] - near[0]) <= 1e-9


@pytest.mark.parametrize("size", [1.0, 1e-16, 1e9])
def test_crossings_are_roots_between_all_turning_points(rng, size):
    line, data = line_of(rng, size=size, interference=5.0)
    ends = (0.0, 30.0 * size)
    found = turned(line, data, ends, size)
    level = float(np.sort(found[1][0, : found[2][0]])[:2].mean()) + 0.3
    pieces = below(line, data, found, level, size)
    u = np.linspace(*ends, 6001)
    sampled = np.array([twin(line, data, at) for at in u]) - level
    wanted = [
        brentq(lambda v: twin(line, data, v) - level, u[i], u[i + 1], xtol=1e-14 * size, rtol=1e-14)
        for i in np.flatnonzero(np.diff(np.sign(sampled)))
    ]
    if sampled[0] <= 0.0:
        wanted.insert(0, ends[0])
    if sampled[-1] <= 0.0:
        wanted.append(ends[1])
    assert len(wanted) >= 2
    np.testing.assert_allclose(pieces.ravel(), wanted, rtol=1e-10, atol=1e-12 * size)


def test_a_narrow_basin_is_found(rng):
    """Counts of 1e5 standard deviations cancel in a part of 1e-5 of the coupling."""
    line, data = line_of(rng, interference=0.0)
    line[:, :, :] = 0.0
    line[0, 0], line[1, 0] = 1e5, -2e4
    line[:, 1] = line[:, 0] / CENTRE[0]
    marks, heights, (count,) = turned(line, data, (-100.0, 100.0))
    best = heights[0, :count].argmin()
    wanted = 5.0 - data.mean() / 2e4
    assert marks[0, best] == pytest.approx(wanted, abs=1e-7)


def test_a_flat_line_has_no_extrema_and_is_below_or_not(rng):
    line, data = line_of(rng)
    line = line[:1]
    found = turned(line, data, (-1.0, 1.0))
    assert found[2][0] == 2
    height = found[1][0, 0]
    np.testing.assert_array_equal(below(line, data, found, height + 1.0), [[-1.0, 1.0]])
    assert below(line, data, found, height - 1.0).size == 0


def test_marks_that_do_not_fit_are_counted(rng):
    line, data = line_of(rng, interference=5.0)
    _, _, (count,) = turned(line, data, (-10.0, 10.0))
    marks, heights = np.empty((2, 1, 2))
    counts = np.zeros(1, dtype=np.int64)
    ends, moved = np.array([[-10.0, 10.0]]), at_centre(line[None], CENTRE)
    line_turning_points(moved, np.ones(1), ends, CONSTRAINT, data, marks, heights, counts)
    assert counts[0] == count > 2
