"""Bracketed roots: the same bits as SciPy's version of the algorithm."""

import math

import numpy as np
import pytest
from scipy.optimize import toms748

from fastscan.likelihoods.root import find_root

# Shapes of chi2 along a coupling, all rising through zero at x = 1.
CURVES = {
    "quartic": lambda x: x**4 - 1.0,
    "steep": lambda x: math.exp(min(50.0 * x, 600.0)) - math.exp(50.0),
    "flat far out": lambda x: x**2 / (1.0 + x**2) - 0.5,
    "kink": lambda x: max(x - 1.0, 1e-6 * (x - 1.0)),
    "slow": lambda x: 1e-9 * (x - 1.0) * (1.0 + (x - 1.0) ** 2),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e12])
def test_roots_are_those_of_scipy(name, scale, rng):
    def curve(x):
        return CURVES[name](x / scale)

    for reach in 10.0 ** rng.uniform(-3, 2, 20):
        ends = 0.0, scale * (1.0 + reach)
        expected = toms748(curve, *ends, xtol=1e-300, rtol=1e-13, maxiter=400)
        found = find_root(curve, *ends, 1e-13)
        assert found == expected
        assert found == pytest.approx(scale, rel=1e-12)


def test_a_root_at_an_end_and_at_zero():
    assert find_root(lambda x: x - 1.0, 1.0, 2.0, 1e-13) == 1.0
    assert find_root(lambda x: x - 2.0, 1.0, 2.0, 1e-13) == 2.0
    assert abs(find_root(lambda x: np.cbrt(x), -1.0, 3.0, 1e-13)) < 1e-290
