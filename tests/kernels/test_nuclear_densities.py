"""Form factors against the Fourier transforms of their densities, their limits and their radii."""

from __future__ import annotations

from itertools import pairwise
from math import cosh, erf, exp, pi, sin, sinh, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from fastscan.inputs.form_factor import Helm, KleinNystrand, SymmetrisedFermi
from fastscan.kernels.form_factor import helm, helm_squared, klein_nystrand, symmetrised_fermi

MOMENTA = np.array([0.0, 1e-8, 1e-3, 0.07, 0.1, 0.3, 0.9, 1.7, 2.6])
NUCLEI = np.array([6.0, 28.0, 73.0, 133.0, 184.0])


def helm_density(r, radius, skin):
    """A sphere, each point smeared by a Gaussian."""
    edges = erf((r + radius) / (sqrt(2) * skin)) - erf((r - radius) / (sqrt(2) * skin))
    tails = exp(-((r + radius) ** 2) / (2 * skin**2)) - exp(-((r - radius) ** 2) / (2 * skin**2))
    return 3 / (4 * pi * radius**3) * (edges / 2 + skin / (sqrt(2 * pi) * r) * tails)


def klein_nystrand_density(r, radius, reach):
    """A sphere, each point spread by a Yukawa potential exp(-r/a) / (4 pi a**2 r)."""
    x, y = radius / reach, r / reach
    if r < radius:
        inside = 1 - (1 + x) * exp(-x) * sinh(y) / y
    else:
        inside = (x * cosh(x) - sinh(x)) * exp(-y) / y
    return 3 / (4 * pi * radius**3) * inside


def fermi_density(r, half, surface):
    """Symmetrised Fermi function; its normalisation is that of the closed form at q = 0."""
    norm = 4 / 3 * pi * half**3 * (1 + (pi * surface / half) ** 2)
    return sinh(half / surface) / (cosh(r / surface) + cosh(half / surface)) / norm


def transform(density, momentum, *lengths):
    """4 pi int r**2 rho(r) sin(qr)/(qr) dr."""

    def integrand(r):
        wave = sin(momentum * r) / (momentum * r) if momentum else 1.0
        return 4 * pi * r**2 * density(r, *lengths) * wave

    breaks = [1e-12, *np.linspace(0.5, 1.5, 5) * lengths[0], 60.0]
    options = {"epsabs": 1e-13, "epsrel": 1e-12, "limit": 400}
    return sum(quad(integrand, low, high, **options)[0] for low, high in pairwise(breaks))


CASES = {
    "helm": (helm, helm_density, (4.9, 0.9)),
    "helm, thick": (helm, helm_density, (2.1, 1.4)),
    "klein-nystrand": (klein_nystrand, klein_nystrand_density, (5.1, 0.7)),
    "klein-nystrand, light": (klein_nystrand, klein_nystrand_density, (2.3, 1.3)),
    "symmetrised-fermi": (symmetrised_fermi, fermi_density, (4.5, 0.52)),
    "symmetrised-fermi, diffuse": (symmetrised_fermi, fermi_density, (2.0, 1.1)),
}


@pytest.mark.parametrize("case", CASES)
def test_is_the_transform_of_its_density(case):
    function, density, lengths = CASES[case]
    expected = [transform(density, q, *lengths) for q in MOMENTA]
    np.testing.assert_allclose(function(MOMENTA, *lengths), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_is_one_without_momentum(case):
    function, _, lengths = CASES[case]
    assert function(np.zeros(1), *lengths)[0] == 1.0


@pytest.mark.parametrize("case", CASES)
def test_changes_sign(case):
    function, _, lengths = CASES[case]
    assert function(np.linspace(0.0, 3.0, 400), *lengths).min() < 0.0


@pytest.mark.parametrize(
    "shape",
    [
        Helm(),
        Helm(skin_thickness_fm=0.5, surface_thickness_fm=0.7, radius_scale=1.3),
        KleinNystrand(model="klein-nystrand"),
        KleinNystrand(model="klein-nystrand", radius_fm=4.4, radius_scale=0.8),
        SymmetrisedFermi(model="symmetrised-fermi"),
    ],
)
class TestShapes:
    def test_slope_is_the_mean_square_radius(self, shape):
        momentum = np.full_like(NUCLEI, 1e-3)
        slope = 6.0 * (1.0 - shape.amplitude(momentum, NUCLEI)) / momentum**2
        np.testing.assert_allclose(np.sqrt(slope), shape.rms_radius_fm(NUCLEI), rtol=1e-5)

    def test_same_radius_gives_the_same(self, shape):
        momentum = np.linspace(0.0, 2.0, NUCLEI.size)
        again = shape.at_rms_radius(momentum, shape.rms_radius_fm(NUCLEI))
        np.testing.assert_allclose(again, shape.amplitude(momentum, NUCLEI), rtol=0, atol=1e-14)

    def test_square_is_that_of_the_amplitude(self, shape):
        momentum = np.linspace(0.0, 2.0, 50)
        amplitude = shape.amplitude(momentum, np.full(50, 73.0))
        np.testing.assert_allclose(shape.squared(momentum, 73.0), amplitude**2, atol=1e-15)

    def test_smallest_radius_leaves_the_surface(self, shape):
        smallest = np.array([shape.smallest_rms_radius_fm])
        assert 0.0 < shape.at_rms_radius(np.array([1.0]), smallest)[0] < 1.0


def test_radius_of_caesium():
    # Published comparisons of the two: 4.8 and 5.16 fm.
    caesium = np.array([133.0])
    assert Helm().rms_radius_fm(caesium)[0] == pytest.approx(4.80, abs=0.01)
    assert KleinNystrand(model="klein-nystrand").rms_radius_fm(caesium)[0] == pytest.approx(
        5.16, abs=0.01
    )


def test_scale_of_helm_is_that_of_its_radius():
    momentum = np.array([0.2, 0.8])
    scaled = helm_squared(momentum, 73.0, 0.9, 0.52, 1.1)
    expected = helm(momentum, 1.1 * Helm().length_fm(np.array([73.0])), 0.9) ** 2
    np.testing.assert_allclose(scaled, expected, rtol=1e-13)


@pytest.mark.parametrize("surface", [1e-3, 0.52, 30.0])
def test_symmetrised_fermi_does_not_overflow(surface):
    values = symmetrised_fermi(np.geomspace(1e-6, 100.0, 200), 4.0, surface)
    assert np.all(np.abs(values) <= 1.0)
