"""Basins against plain least squares: what is found is a minimum, and its chi2 is right."""

import numpy as np
import pytest

from fastscan.kernels.basins import follow

ROOM = 12
EXPONENTS = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 1], [0, 1, 1], [1, 2, 0]])


def naive_chi2(x, layers, data, centre):
    counts = np.einsum("m,lmb->lb", np.prod(x**EXPONENTS, axis=1), layers)
    matrix = np.concatenate([counts[1:].T, np.eye(centre.size)])
    target = np.concatenate([data - counts[0], centre])
    pulls = np.linalg.lstsq(matrix, target)[0]
    return float(((matrix @ pulls - target) ** 2).sum())


@pytest.fixture(params=[0, 1, 3], ids="{} pulls".format)
def problem(request):
    rng = np.random.default_rng(request.param)
    pulls, bins = request.param, 9
    layers = rng.normal(size=(1 + pulls, len(EXPONENTS), bins))
    layers[1:] *= 0.2
    data = layers[0, 0] + 2.0 * rng.normal(size=bins)
    return layers, data, 0.5 * rng.normal(size=pulls)


def find(problem, held, free, starts, bounds=(-100.0, 100.0), mirrors=((), ())):
    layers, data, centre = problem
    held = np.asarray(held, dtype=float)
    nodes = len(held)
    points = np.full((nodes, ROOM, 3), np.nan)
    chi2, number = np.full((nodes, ROOM), np.inf), np.zeros(nodes, np.int64)
    signs, own = np.reshape(mirrors[0], (-1, 3)).astype(float), np.array(mirrors[1], np.int64)
    lower, upper = np.full((1, 3), bounds[0]), np.full((1, 3), bounds[1])
    rows = np.zeros(nodes, np.int64)
    for path, given in (
        (np.arange(nodes), starts),
        (np.arange(nodes)[::-1].copy(), starts[:, :0].copy()),
    ):
        follow(path, rows, held, layers[None], EXPONENTS, data, centre, np.array(free), lower,
               upper, signs, own, given, points, chi2, number)  # fmt: skip
    return points, chi2, number


def random_starts(nodes, each=20, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(nodes, each, 3)) * 10.0 ** rng.uniform(-1.0, 1.0, (nodes, each, 1))


def test_each_basin_is_a_minimum(problem):
    points, chi2, number = find(problem, [[0.7, 0.0, 0.0]], (1, 2), random_starts(1))
    assert number[0] >= 1
    rng = np.random.default_rng(2)
    for x, found in zip(points[0, : number[0]], chi2[0], strict=False):
        assert x[0] == 0.7
        assert found == pytest.approx(naive_chi2(x, *problem), rel=1e-10)
        for _ in range(20):
            moved = x + 1e-3 * np.array([0.0, *rng.normal(size=2)])
            assert naive_chi2(moved, *problem) >= found * (1.0 - 1e-9)


def test_no_random_search_finds_a_lower_one(problem):
    _, chi2, _ = find(problem, [[0.0, 0.0, 0.0]], (0, 1, 2), random_starts(1))
    rng = np.random.default_rng(3)
    tried = rng.normal(size=(3000, 3)) * 10.0 ** rng.uniform(-1.0, 1.0, (3000, 1))
    assert chi2.min() <= min(naive_chi2(x, *problem) for x in tried)


def test_a_basin_is_passed_on_to_both_sides(problem):
    held = np.zeros((9, 3))
    held[:, 0] = np.linspace(-0.4, 0.4, 9)
    # One node alone has starts.
    starts = np.full((9, 20, 3), np.nan)
    starts[4] = random_starts(1)[0]
    _, everywhere, _ = find(problem, held, (1, 2), random_starts(9))
    _, chi2, _ = find(problem, held, (1, 2), starts)
    np.testing.assert_allclose(chi2.min(axis=1), everywhere.min(axis=1), rtol=1e-9)


def test_bounds_hold(problem):
    points, chi2, number = find(
        problem, [[0.3, 0.0, 0.0]], (1, 2), random_starts(1), bounds=(-0.5, 0.01)
    )
    own = points[0, : number[0], 1:]
    assert ((own >= -0.5) & (own <= 0.01)).all()
    grid = np.linspace(-0.5, 0.01, 60)
    lowest = min(naive_chi2(np.array([0.3, a, b]), *problem) for a in grid for b in grid)
    assert chi2.min() <= lowest * (1.0 + 1e-12)


def test_mirror_images_are_one(problem):
    layers, data, centre = problem
    layers = layers.copy()
    # Without its interference the second coupling enters squared.
    layers[:, 5] = 0.0
    starts = random_starts(1)
    _, chi2, both = find((layers, data, centre), [[0.7, 0.0, 0.0]], (1, 2), starts)
    points, again, one = find(
        (layers, data, centre), [[0.7, 0.0, 0.0]], (1, 2), starts, mirrors=([[1, -1, 1]], [1])
    )
    assert again.min() == pytest.approx(chi2.min(), rel=1e-12)
    assert one[0] <= both[0]
    assert (points[0, : one[0], 1] >= 0.0).all()


def test_zero_is_left_where_it_is_no_minimum(problem):
    layers, data, centre = problem
    layers = layers.copy()
    layers[:, 5] = 0.0
    # More counts seen than predicted, in the shape of the square: zero is a saddle.
    seen = data + 30.0 * layers[0, 3]
    _, chi2, _ = find((layers, seen, centre), [[0.0, 0.0, 0.0]], (1, 2), np.zeros((1, 1, 3)))
    at_zero = naive_chi2(np.zeros(3), layers, seen, centre)
    assert chi2.min() < 0.5 * at_zero
