"""Interpolated rows of a mass axis against computed ones, and what may not be interpolated."""

from typing import ClassVar

import numpy as np
import pytest

import fastscan
from fastscan import Axis, InputError, Likelihood
from fastscan.likelihoods.closed_grid import ClosedGrid
from fastscan.likelihoods.octaves import interpolation_degree
from fastscan.models import get_model
from fastscan.models.base import propagator_growth
from fastscan.models.vector import VectorMediator
from fastscan.scan import Grid, scan_in_memory

G = Axis("g", 1e-8, 1e-1, 7, "log")
# Three octaves in MeV with 100 points or so each; of all others there is no point.
LONG = Axis("mass_mev", 1.0, 8.0, 300, "log")


def rows_of(likelihood, axis, part=slice(None), given=None):
    """Polynomials of chi2 along g at part of a mass axis."""
    counts = likelihood.counts(("mass_mev", "g"), given)
    grid = ClosedGrid(counts, {"mass_mev": axis.values, "g": G.values})
    return grid.rows((part, slice(None)))


def rows_one_by_one(likelihood, axis, indices, given=None):
    """Rows of single masses, which no axis is long enough to interpolate."""
    rows = []
    for i in indices:
        mass = float(axis.values[i])
        rows.append(rows_of(likelihood, Axis("mass_mev", mass, mass, 1), slice(0, 1), given))
    return [np.concatenate(part) for part in zip(*rows, strict=True)]


@pytest.fixture
def vector(make):
    return make("vector")


@pytest.fixture
def made(monkeypatch):
    """How many masses coefficients are computed at."""
    count = [0]
    compute = VectorMediator.functions

    def functions(self, recoils, shape):
        count[0] += shape["mass_mev"].size * (recoils.channel == "cevns")
        return compute(self, recoils, shape)

    monkeypatch.setattr(VectorMediator, "functions", functions)
    return count


@pytest.mark.parametrize("model", ["vector", "scalar", "axial", "tensor", "pseudoscalar"])
@pytest.mark.parametrize("channels", ["both", "cevns", "eves"])
def test_interpolated_rows_are_the_computed_ones(model, channels, rng):
    likelihood = fastscan.likelihood(model, channels=channels)
    axis = Axis("mass_mev", 1e-4, 1e5, 3000, "log")
    found = rows_of(likelihood, axis)
    indices = np.sort(rng.integers(0, axis.points, 60))
    expected = rows_one_by_one(likelihood, axis, indices)
    for got, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(got[indices], exact, rtol=2e-12, atol=0)


@pytest.mark.parametrize("charges", ["l_e-l_mu", "1,1,-1/3,-1/3", "0,1,1,1", "1,0,-1,1"])
def test_chi2_of_other_charges(charges, rng):
    likelihood = fastscan.likelihood("vector", charges=charges)
    axes = [Axis("mass_mev", 1e-3, 1e4, 2000, "log"), Axis("g", 1e-7, 1e-1, 20, "log")]
    chi2 = scan_in_memory(likelihood, axes).values
    for i in rng.integers(0, 2000, 30):
        exact = scan_in_memory(likelihood, [axes[1]], {"mass_mev": float(axes[0].values[i])}).values
        np.testing.assert_allclose(chi2[i], exact, rtol=1e-11)


def test_rows_do_not_depend_on_how_the_axis_is_cut(vector):
    whole = Grid(vector, [LONG, G]).evaluate((slice(None), slice(None)))
    for part in (slice(0, 1), slice(299, 300), slice(90, 210)):
        alone = Grid(vector, [LONG, G]).evaluate((part, slice(2, 5)))
        np.testing.assert_array_equal(alone, whole[part, 2:5])


@pytest.mark.parametrize("workers", [1, 2])
def test_scans_are_bit_identical_for_any_blocks(vector, workers):
    whole = Grid(vector, [LONG, G]).evaluate((slice(None), slice(None)))
    chi2 = scan_in_memory(vector, [LONG, G], workers=workers, block_points=70).values
    np.testing.assert_array_equal(chi2, whole)


def test_a_long_axis_is_computed_at_few_masses(vector, made):
    rows_of(vector, LONG)
    degree = interpolation_degree(vector.counts(("mass_mev", "g")))
    # Two masses more in an octave check it; the last point of the axis begins another octave.
    assert made[0] == 3 * (degree + 3) + 1


def test_only_octaves_that_are_asked_for_are_made(vector, made):
    rows_of(vector, LONG, slice(0, 10))
    assert made[0] < 40


def test_a_short_axis_is_computed(vector, made):
    axis = Axis("mass_mev", 1.0, 1.9, 20)
    rows_of(vector, axis)
    assert made[0] == 20


def test_a_mass_of_zero_on_a_long_axis(vector):
    axis = Axis("mass_mev", 0.0, 10.0, 2001)
    got = rows_of(vector, axis, slice(0, 1))
    for rows, exact in zip(got, rows_one_by_one(vector, axis, [0]), strict=True):
        np.testing.assert_array_equal(rows, exact)


def test_where_there_is_no_new_physics_the_mass_does_not_matter(vector):
    chi2 = scan_in_memory(vector, [LONG, Axis("g", 0.0, 1e-5, 2)]).values
    assert (chi2[:, 0] == chi2[0, 0]).all()


def test_counts_that_overflow_are_told():
    likelihood = fastscan.likelihood("vector", charges="1e170,1,1,1")
    with pytest.raises(InputError, match="overflow"):
        scan_in_memory(likelihood, [LONG, G])


class Unstated(VectorMediator):
    """A function of the mass of which nothing is known."""

    growths: ClassVar = {}


class Resonant(VectorMediator):
    """A function that varies more than the model says."""

    def functions(self, recoils, shape):
        found = super().functions(recoils, shape)
        bump = 1.0 + np.exp(-(((shape["mass_mev"] - 3.0) / 0.2) ** 2))
        return {"propagator": found["propagator"] * bump[:, None]}


@pytest.mark.parametrize("model", [Unstated, Resonant])
def test_other_functions_are_computed(vector, model):
    likelihood = Likelihood(model(), vector.experiment, vector.response)
    axis = Axis("mass_mev", 2.0, 3.99, 400)
    got = rows_of(likelihood, axis)
    indices = [0, 100, 200, 201, 202, 399]
    for rows, exact in zip(got, rows_one_by_one(likelihood, axis, indices), strict=True):
        if model is Unstated:
            np.testing.assert_array_equal(rows[indices], exact)
        else:
            np.testing.assert_allclose(rows[indices], exact, rtol=1e-12)


@pytest.mark.parametrize("model", ["sm", "nsi", "electromagnetic"])
def test_nothing_to_interpolate_without_a_mass(counts_of, model):
    assert interpolation_degree(counts_of(model)) is None


@pytest.fixture
def counts_of():
    return lambda model: fastscan.likelihood(model).counts(
        [p.name for p in get_model(model).parameters]
    )


@pytest.mark.parametrize("ellipse", [1.5, 3.0, 6.0, 9.0])
@pytest.mark.parametrize("square", [1e-12, 1e-2, 1.0, 1e3])
def test_growth_of_the_propagator(ellipse, square):
    """The bound holds on the whole ellipse, against the least value on the interval."""
    half_width = 0.5 * np.log(2.0)
    circle = np.exp(2j * np.pi * np.linspace(0.0, 1.0, 721))
    edge = 0.5 * (ellipse * circle + 1.0 / (ellipse * circle))
    on_edge = np.abs(1.0 / (np.exp(2.0 * half_width * edge) + square))
    inside = 1.0 / (np.exp(2.0 * half_width * np.linspace(-1.0, 1.0, 11)) + square)
    assert on_edge.max() <= propagator_growth(half_width, ellipse) * inside.min() * (1 + 1e-12)


def test_the_degree_bounds_the_error_of_products():
    """Fourth powers of propagators, in the degree and between the nodes that are used."""
    degree = interpolation_degree(fastscan.likelihood("vector").counts(("mass_mev", "g")))
    masses = 2.0 ** np.linspace(0.0, 1.0, 501)
    nodes = np.cos((np.arange(degree + 1) + 0.5) * np.pi / (degree + 1))
    for square in (0.0, 1e-3, 0.5, 1.0, 3.0, 1e4):

        def product(x, square=square):
            return (4.0 ** (0.5 * (x + 1.0)) + square) ** -4

        series = np.polynomial.chebyshev.chebfit(nodes, product(nodes), degree)
        places = 2.0 * np.log2(masses) - 1.0
        found = np.polynomial.chebyshev.chebval(places, series)
        # The proven error and 256 times what rounding leaves.
        np.testing.assert_allclose(found, product(places), rtol=1e-12)


def test_models_that_state_growths_state_them_of_all_their_functions(vector):
    for name in ("vector", "scalar", "axial", "tensor", "pseudoscalar"):
        model = get_model(name)
        likelihood = Likelihood(model, vector.experiment, vector.response)
        assert interpolation_degree(likelihood.counts(("mass_mev", "g"))) is not None
