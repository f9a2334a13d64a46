"""Chi2 with several nuisances: against the closed form of one, and the covariance of many."""

import mpmath
import numpy as np
import pytest

from fastscan.likelihoods.closed import ClosedSurface
from fastscan.likelihoods.linear import LinearSurface, fitted_pulls
from fastscan.models import Parameter

BINS = 12
EXPONENTS = np.array([[0, 0], [1, 0], [2, 0], [0, 2]])
COUPLINGS = tuple(Parameter(name, "1", 0.0, name, "") for name in "ab")


def random_case(seed, pulls):
    random = np.random.default_rng(seed)
    coefficients = random.normal(size=(4, BINS))
    changes = 0.3 * random.normal(size=(pulls, 4, BINS))
    return coefficients, changes, 3.0 * random.normal(size=BINS)


def surface(coefficients, changes, data, centre=None):
    centre = np.zeros(len(changes)) if centre is None else centre
    return LinearSurface(COUPLINGS, EXPONENTS, coefficients, data, changes, centre)


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e6, 1e10])
def test_one_normalisation_is_the_closed_form(size):
    coefficients, _, data = random_case(1, 1)
    closed = ClosedSurface(COUPLINGS, EXPONENTS, coefficients, data, 0.2**-2)
    pulled = surface(coefficients, 0.2 * coefficients[None], data, np.array([5.0]))
    point = np.array([size, -0.7 * size])
    assert pulled.value(point) == pytest.approx(closed.value(point), rel=1e-12, abs=0)


@pytest.mark.parametrize("seed", range(5))
def test_chi2_is_that_of_the_covariance_matrix(seed):
    """Profiled pulls are worth the covariance 1 + sum_k t_k t_k^T of the counts."""
    coefficients, changes, data = random_case(seed, 4)
    point = np.random.default_rng(seed + 50).normal(size=2)
    monomials = (point**EXPONENTS).prod(axis=1)
    residual = monomials @ coefficients - data
    templates = np.einsum("m,kmb->kb", monomials, changes)
    with mpmath.workdps(40):
        covariance = mpmath.matrix((np.eye(BINS) + templates.T @ templates).tolist())
        rest = mpmath.matrix(residual.tolist())
        exact = float((rest.T * mpmath.lu_solve(covariance, rest))[0])
    value = surface(coefficients, changes, data).value(point)
    assert value == pytest.approx(exact, rel=1e-11)


def test_gradient_is_the_slope():
    found = surface(*random_case(7, 3))
    point, step = np.array([0.4, -0.9]), 1e-5
    _, gradient = found.value_and_gradient(point)
    for i in range(2):
        shift = step * np.eye(2)[i]
        slope = (found.value(point + shift) - found.value(point - shift)) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_a_line_holds_its_lowest_point(seed):
    """No point of a dense sample lies below the minimum of the curve."""
    found = surface(*random_case(seed, 3))
    curve, power = found.line(np.array([0.0, 0.3]), 0)
    assert power == 1
    u, chi2 = curve.minimum()
    assert chi2 == pytest.approx(found.value(np.array([u, 0.3])), rel=1e-12)
    dense = np.sinh(np.linspace(-10, 10, 4001))
    assert min(curve(x) for x in dense) >= chi2 - 1e-9


def test_curve_has_its_limit_at_infinity():
    coefficients, _, data = random_case(3, 1)
    pulled = surface(coefficients, 0.2 * coefficients[None], data, np.array([5.0]))
    closed = ClosedSurface(COUPLINGS, EXPONENTS, coefficients, data, 0.2**-2)
    start = np.array([0.0, 0.5])
    curve, exact = pulled.line(start, 1)[0], closed.line(start, 1)[0]
    assert curve(np.inf) == pytest.approx(exact(np.inf), rel=1e-12)
    assert curve(1e30) == pytest.approx(exact(np.inf), rel=1e-9)


def test_pulls_are_those_of_the_normal_equations():
    random = np.random.default_rng(9)
    counts, data = random.normal(size=BINS), random.normal(size=BINS)
    changes = random.normal(size=(3, BINS))
    pulls, chi2 = fitted_pulls(np.concatenate([counts[None], changes]), data, np.zeros(3))
    normal = np.linalg.solve(np.eye(3) + changes @ changes.T, changes @ (data - counts))
    assert pulls == pytest.approx(normal, rel=1e-12)
    rest = counts + pulls @ changes - data
    assert chi2 == pytest.approx(rest @ rest + pulls @ pulls, rel=1e-12)
