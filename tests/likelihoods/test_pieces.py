"""Turning points and the pieces of a curve below a level, on curves known by heart."""

import numpy as np
import pytest

from fastscan.likelihoods.curve import find_turning_points, pieces_below
from fastscan.likelihoods.ratio import stationary_points

INF = np.inf


def double_well(u):
    """Minima of 0 at -2 and 2, a maximum of 16 at 0."""
    return (u * u - 4.0) ** 2


def falling(u):
    """From 1 to 0, without an end."""
    return 1.0 / (1.0 + u) if np.isfinite(u) else 0.0


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1.0, [(-np.sqrt(5), -np.sqrt(3)), (np.sqrt(3), np.sqrt(5))]),
        (25.0, [(-3.0, 3.0)]),
        (1e4, [(-5.0, 5.0)]),
    ],
)
def test_every_piece_is_found(level, expected):
    pieces = pieces_below(double_well, [-5.0, -2.0, 0.0, 2.0, 5.0], level)
    np.testing.assert_allclose(pieces, expected, rtol=1e-12)


def test_nothing_below_the_minimum():
    assert pieces_below(double_well, [-5.0, -2.0, 0.0, 2.0, 5.0], -1.0) == []


def test_superfluous_turning_points_are_harmless():
    points = sorted([-5.0, -2.0, 0.0, 2.0, 5.0, *np.linspace(-4.9, 4.9, 50)])
    np.testing.assert_allclose(
        pieces_below(double_well, points, 1.0),
        [(-np.sqrt(5), -np.sqrt(3)), (np.sqrt(3), np.sqrt(5))],
        rtol=1e-12,
    )


def test_piece_without_an_end():
    ((low, high),) = pieces_below(falling, [0.0, INF], 0.25)
    assert low == pytest.approx(3.0, rel=1e-12)
    assert high == INF


@pytest.mark.parametrize("scale", [1e-30, 1e-16, 1.0, 1e16, 1e100])
def test_end_far_away(scale):
    pieces = pieces_below(lambda u: 1.0 - falling(u / scale), [0.0, INF], 0.75)
    np.testing.assert_allclose(pieces, [(0.0, 3.0 * scale)], rtol=1e-12)


def test_piece_from_minus_infinity():
    ((low, high),) = pieces_below(lambda u: falling(-u), [-INF, 0.0], 0.25)
    assert low == -INF
    assert high == pytest.approx(-3.0, rel=1e-12)


def test_all_of_the_line():
    assert pieces_below(falling, [0.0, INF], 2.0) == [(0.0, INF)]


def parabola(scale):
    """Counts (u/scale)^2 in one bin that saw 4: with a stiff normalisation, chi2 = (R - 4)^2."""
    return np.array([[0.0], [0.0], [scale**-2]]), np.array([4.0]), 1e20


@pytest.mark.parametrize("scale", [1e-40, 1e-16, 1.0, 1e16])
def test_stationary_points_of_any_scale(scale):
    found = stationary_points(*parabola(scale))
    for expected in (-2.0 * scale, 0.0, 2.0 * scale):
        assert min(abs(u - expected) for u in found) < 1e-6 * scale


def test_stationary_points_next_to_a_cancellation():
    # Counts (u - 1e6)^2: their terms are 1e12 where they themselves are of order one.
    y = np.array([[1e12], [-2e6], [1.0]])
    found = stationary_points(y, np.array([4.0]), 1e20)
    for expected in (1e6 - 2.0, 1e6, 1e6 + 2.0):
        assert min(abs(u - expected) for u in found) < 1e-3


def test_constant_has_no_stationary_points():
    assert stationary_points(np.array([[3.0], [0.0]]), np.array([2.0]), 25.0) == []


def test_turning_points_between_samples():
    found = find_turning_points(double_well, [-5.0, -3.0, -1.3, -0.4, 0.7, 1.9, 4.0])
    np.testing.assert_allclose(found, [-5.0, -2.0, 0.0, 2.0, 4.0], atol=1e-6)


def test_turning_point_between_samples_of_equal_height():
    found = find_turning_points(lambda u: (u - 0.5) ** 2, [-1.0, 0.0, 1.0, 2.0])
    assert min(abs(u - 0.5) for u in found) < 1e-6


def test_kink_at_a_sample():
    assert find_turning_points(abs, [-2.0, -1.0, 0.0, 1.0]) == [-2.0, 0.0, 1.0]


def test_plateau_has_its_ends_only():
    assert find_turning_points(lambda u: 1.0, [0.0, 1.0, 2.0, 3.0]) == [0.0, 3.0]
