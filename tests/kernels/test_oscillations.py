"""Weights of cosines at Gauss points, at any frequency, against quadrature made for cosines."""

import numpy as np
import pytest
from numpy.polynomial import legendre
from scipy.integrate import quad
from scipy.special import spherical_jn

from fastscan.kernels.oscillations import spherical_bessel, weigh_cosines
from fastscan.tensors.legendre import LEGENDRE, NODES, ORDER, WEIGHTS


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-9, 0.3, 1.999, 2.0, 4.4934094579, 19.99, 20.0, 1e6])
def test_spherical_bessel_functions(x):
    out = np.empty(ORDER)
    spherical_bessel(x, out)
    expected = spherical_jn(np.arange(ORDER), x)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-15 * max(1.0, 1e-3 * x))


def integral(phase, damping, centre, half, polynomial):
    factors = np.empty((1, ORDER))
    weigh_cosines(
        np.array([phase]),
        np.array([damping]),
        np.array([centre]),
        np.array([half]),
        NODES,
        LEGENDRE,
        factors,
    )
    return half * float((WEIGHTS * factors[0] * legendre.legval(NODES, polynomial)).sum())


@pytest.mark.parametrize("phase", [0.0, 1e-6, 3.0, 50.0, 1e3, 1e5])
def test_integrals_of_polynomials_are_exact(rng, phase):
    polynomial = rng.normal(size=ORDER)
    centre, half = 0.3, 0.1
    got = integral(phase, 0.0, centre, half, polynomial)
    # Over t = x - low with cos(k x) = cos(k low) cos(k t) - sin(k low) sin(k t).
    low = centre - half
    parts = [
        quad(
            lambda t: legendre.legval((t - half) / half, polynomial),
            0.0,
            2.0 * half,
            weight=weight,
            wvar=phase,
            epsabs=1e-14,
            epsrel=1e-13,
            limit=500,
        )[0]
        for weight in ("cos", "sin")
    ]
    expected = np.cos(phase * low) * parts[0] - np.sin(phase * low) * parts[1]
    assert got == pytest.approx(expected, rel=0.0, abs=2e-13)


def test_a_damped_cosine_is_the_average_over_phases():
    # Of phases that are normally distributed, by Gauss-Hermite.
    centre, half, phase, damping = 0.3, 0.01, 40.0, 8.0
    x, w = np.polynomial.hermite_e.hermegauss(60)
    every = [integral(phase + damping * shift, 0.0, centre, half, [1.0]) for shift in x]
    expected = float(w @ every / w.sum())
    got = integral(phase, damping, centre, half, [1.0])
    assert got == pytest.approx(expected, rel=1e-11)
