"""Adaptive boxes meet functions to the error they state, whatever is asked of them at a time."""

import pickle

import numpy as np
import pytest

from fastscan.likelihoods.boxes import ERROR, Boxes


def whole(shape):
    return tuple(slice(0, n) for n in shape)


class Function:
    """A function of coordinates on a product of columns, which counts its points."""

    def __init__(self, formula, noise=0.0):
        self.formula, self.noise, self.points = formula, noise, 0

    def __call__(self, columns):
        meshes = np.meshgrid(*columns, indexing="ij")
        values = np.asarray(self.formula(*meshes), dtype=float).ravel()
        self.points += values.size
        return values, np.full(values.size, self.noise)


def resonance(x, y):
    """A ridge 1e-3 wide across the plane, and a slope over decades."""
    return 1.0 / (1.0 + ((x - 0.3 * y - 0.123) / 1e-3) ** 2) + np.exp(3.0 * y)


def smooth(*x):
    return np.cos(sum(x)) ** 2 + sum(x) ** 2


CASES = {
    "ridge": (resonance, [np.linspace(-1.0, 1.0, 1500), np.linspace(-1.0, 1.0, 400)]),
    "one": (np.exp, [np.linspace(-2.0, 9.0, 3000)]),
    "logarithmic": (
        lambda m, g: 1.0 / (1.0 + g**2 / (1.0 + m**2)) + m * 0.0,
        [np.geomspace(1e-3, 1e3, 300), np.geomspace(1e-4, 1e6, 500)],
    ),
    "falling": (smooth, [np.linspace(3.0, -2.0, 200), np.linspace(0.0, 1.0, 300)]),
    "cube": (smooth, [np.linspace(-1.0, 1.0, 60), np.linspace(-1.0, 2.0, 70), np.arange(50.0)]),
    "few of one": (smooth, [np.linspace(0.0, 1.0, 3), np.linspace(0.0, 9.0, 900)]),
    "in no order": (smooth, [np.array([3.0, 1.0, 2.0]), np.linspace(0.0, 9.0, 900)]),
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_right_at_every_point(name):
    formula, columns = CASES[name]
    exact = Function(formula)
    boxes = Boxes(columns, exact)
    out = np.empty(boxes.shape)
    boxes.fill(whole(boxes.shape), out)
    wanted = formula(*np.meshgrid(*columns, indexing="ij"))
    assert boxes.error == ERROR
    assert (np.abs(out - wanted) / (1.0 + np.abs(wanted))).max() <= boxes.error
    assert exact.points < 0.8 * out.size


def test_a_copy_makes_the_same():
    columns = [np.linspace(0.0, 9.0, 3000)]
    boxes = Boxes(columns, Function(np.exp))
    out, other = np.empty((2, 3000))
    boxes.fill(whole(boxes.shape), out)
    pickle.loads(pickle.dumps(boxes)).fill(whole(boxes.shape), other)
    np.testing.assert_array_equal(other, out)


@pytest.mark.parametrize("name", CASES)
def test_values_do_not_depend_on_blocks(name, rng):
    formula, columns = CASES[name]
    boxes = Boxes(columns, Function(formula))
    out = np.empty(boxes.shape)
    boxes.fill(whole(boxes.shape), out)
    for _ in range(10):
        ends = [np.sort(rng.choice(n + 1, 2, replace=False)) for n in boxes.shape]
        block = tuple(slice(int(a), int(b)) for a, b in ends)
        other = Boxes(columns, Function(formula))
        part = np.empty([b - a for a, b in ends])
        other.fill(block, part)
        np.testing.assert_array_equal(part, out[block])


def test_a_few_points_are_computed():
    columns = [np.linspace(0.0, 1.0, 20), np.linspace(0.0, 1.0, 47)]
    exact = Function(lambda x, y: np.sign(x - y))
    boxes = Boxes(columns, exact)
    out = np.empty(boxes.shape)
    boxes.fill(whole(boxes.shape), out)
    np.testing.assert_array_equal(out, np.sign(columns[0][:, None] - columns[1]))
    assert boxes.error == 0.0
    assert exact.points == out.size


def test_what_can_not_be_interpolated_is_computed(rng):
    """Noise costs no more than some times the points themselves."""
    noise = rng.normal(size=5000)
    exact = Function(lambda x: noise[np.rint(x).astype(int)])
    boxes = Boxes([np.arange(5000.0)], exact)
    out = np.empty(5000)
    boxes.fill(whole(out.shape), out)
    np.testing.assert_array_equal(out, noise)
    assert exact.points < 3 * out.size


def test_rounding_is_not_refined(rng):
    """A function that is rounded to 1e-6 is met to that, in few points."""
    exact = Function(lambda x: np.sin(x) + 1e-6 * rng.uniform(-1.0, 1.0, x.shape), noise=1e-5)
    boxes = Boxes([np.linspace(0.0, 1.0, 4000)], exact)
    out = np.empty(4000)
    boxes.fill(whole(out.shape), out)
    np.testing.assert_allclose(out, np.sin(np.linspace(0.0, 1.0, 4000)), atol=2e-5)
    assert exact.points < 2000


def test_only_what_is_asked_for_is_made():
    exact = Function(smooth)
    boxes = Boxes([np.linspace(0.0, 1.0, 5000), np.linspace(0.0, 1.0, 5000)], exact)
    boxes.fill((slice(0, 1), slice(0, 1)), np.empty((1, 1)))
    assert exact.points < 2000
