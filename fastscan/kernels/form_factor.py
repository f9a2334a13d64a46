"""Nuclear form factors: Fourier transforms of densities that are normalised to one."""

from __future__ import annotations

import math

import numpy as np

from fastscan.kernels.compilation import jit

__all__ = ["helm", "helm_squared", "klein_nystrand", "symmetrised_fermi"]

FloatArray = np.ndarray


@jit
def helm_squared(
    momentum_per_fm: FloatArray,
    mass_number: float,
    skin_thickness_fm: float,
    surface_thickness_fm: float,
    radius_scale: float = 1.0,
) -> FloatArray:
    """Helm form factor squared, [3 j1(q R0)/(q R0)]**2 exp(-(q s)**2), shape (q,).

    R0**2 = c**2 + 7 pi**2 a**2 / 3 - 5 s**2, c = 1.23 A**(1/3) - 0.60 fm, and R0 times
    ``radius_scale`` in its place. Near q = 0 the Bessel ratio is its series, so that F(0) = 1
    exactly and no digits are lost.
    """
    s, a = skin_thickness_fm, surface_thickness_fm
    c = 1.23 * mass_number ** (1.0 / 3.0) - 0.60
    radius = radius_scale * math.sqrt(c * c + 7.0 * math.pi**2 * a * a / 3.0 - 5.0 * s * s)
    out = np.empty(momentum_per_fm.size)
    for i in range(momentum_per_fm.size):
        x = momentum_per_fm[i] * radius
        if x < 0.1:
            x2 = x * x
            ratio = 1.0 - x2 / 10.0 * (1.0 - x2 / 28.0 * (1.0 - x2 / 54.0 * (1.0 - x2 / 88.0)))
        else:
            ratio = 3.0 * (math.sin(x) - x * math.cos(x)) / x**3
        out[i] = ratio * ratio * math.exp(-((momentum_per_fm[i] * s) ** 2))
    return out


# The functions below run once for each model on a few thousand nodes, and give F itself, whose
# sign matters where protons and neutrons interfere.


def helm(
    momentum_per_fm: FloatArray, radius_fm: FloatArray | float, skin_thickness_fm: float
) -> FloatArray:
    """Helm form factor, 3 j1(q R0)/(q R0) exp(-(q s)**2 / 2), of the shape the two broadcast to.

    A sphere of radius R0 whose surface is smeared by a Gaussian of width s.
    """
    surface = np.exp(-0.5 * (momentum_per_fm * skin_thickness_fm) ** 2)
    value: FloatArray = _sphere(momentum_per_fm * radius_fm) * surface
    return value


def klein_nystrand(
    momentum_per_fm: FloatArray, radius_fm: FloatArray | float, range_fm: float
) -> FloatArray:
    """Klein-Nystrand form factor, 3 j1(q R)/(q R) / (1 + (a q)**2), as `helm`.

    A sphere of radius R folded with a Yukawa potential of range a (Phys. Rev. C 60 (1999) 014903).
    """
    folding = 1.0 + (momentum_per_fm * range_fm) ** 2
    value: FloatArray = _sphere(momentum_per_fm * radius_fm) / folding
    return value


def symmetrised_fermi(
    momentum_per_fm: FloatArray, radius_fm: FloatArray | float, surface_fm: float
) -> FloatArray:
    """Form factor of the density sinh(c/a) / [cosh(r/a) + cosh(c/a)], as `helm`.

    3 / (x (x**2 + y**2)) y / sinh y [y coth y sin x - x cos x], x = q c, y = pi q a
    (Sprung and Martorell 1997), written as a mean of two functions that are 1 at q = 0.
    """
    x, y = momentum_per_fm * radius_fm, momentum_per_fm * (math.pi * surface_fm)
    share = radius_fm**2 / (radius_fm**2 + (math.pi * surface_fm) ** 2)
    sine = np.sinc(x / math.pi)
    mean = share * _sphere(x) + (1.0 - share) * _hyperbolic(y) * sine
    value: FloatArray = mean * _over_sinh(y)
    return value


def _sphere(x: FloatArray) -> FloatArray:
    """3 j1(x)/x = 3 (sin x - x cos x) / x**3."""
    x = np.asarray(x, dtype=float)
    far = np.where(x < 0.1, 1.0, x)
    x2 = x * x
    near = 1.0 - x2 / 10.0 * (1.0 - x2 / 28.0 * (1.0 - x2 / 54.0 * (1.0 - x2 / 88.0)))
    value: FloatArray = np.where(x < 0.1, near, 3.0 * (np.sin(far) - far * np.cos(far)) / far**3)
    return value


def _hyperbolic(y: FloatArray) -> FloatArray:
    """3 (y coth y - 1) / y**2."""
    far = np.where(y < 0.1, 1.0, y)
    y2 = y * y
    near = 1.0 - y2 / 10.0 * (1.0 - y2 * 10.0 / 99.0)
    near = 1.0 - y2 / 15.0 * (1.0 - y2 * 2.0 / 21.0 * near)
    value: FloatArray = np.where(y < 0.1, near, 3.0 * (far / np.tanh(far) - 1.0) / far**2)
    return value


def _over_sinh(y: FloatArray) -> FloatArray:
    """Hyperbolic y / sinh y, without overflow."""
    far = np.where(y < 1e-4, 1.0, y)
    exact = 2.0 * far * np.exp(-far) / -np.expm1(-2.0 * far)
    value: FloatArray = np.where(y < 1e-4, 1.0 - y * y / 6.0, exact)
    return value
