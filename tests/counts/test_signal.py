"""Counts as polynomials: folding parameters in, rows of masses, channels, reweighted flux."""

from itertools import combinations

import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.models import get_model
from fastscan.tensors import CHANNELS, build_response

POINT = {"mass_mev": 0.7, "g": 3e-5, "sin2_theta_w": 0.21}
MODELS = ("sm", "vector", "scalar")


@pytest.fixture(scope="module")
def build(experiments, responses):
    """Rates of a model in conus-plus."""

    def rates(model, fixed=None, name="conus-plus", **options):
        arguments = (get_model(model), experiments[name], responses[name])
        return build_signal(*arguments, fixed=fixed, **options)

    return rates


def all_subsets(items):
    return [s for n in range(len(items) + 1) for s in combinations(items, n)]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (model, names)
        for model in MODELS
        for names in all_subsets([p.name for p in get_model(model).parameters])
    ],
)
def test_folding_parameters_in_changes_no_counts(build, model, names):
    point = {p.name: POINT[p.name] for p in get_model(model).parameters}
    fixed = {name: point.pop(name) for name in names}
    free = build(model).counts(point | fixed)
    folded = build(model, fixed)
    assert folded.fixed == fixed
    np.testing.assert_allclose(folded.counts(point), free, rtol=1e-12)


def test_free_parameters_by_kind(build):
    rates = build("vector", {"sin2_theta_w": 0.2})
    assert rates.couplings == ("g",)
    assert rates.shape_parameters == ("mass_mev",)


def test_powers_of_the_vector_coupling(build):
    # Standard Model, interference and exchange squared.
    rates = build("vector", {"sin2_theta_w": 0.2})
    assert rates.exponents.tolist() == [[0], [2], [4]]


def test_powers_of_the_scalar_coupling(build):
    # A scalar does not interfere.
    assert build("scalar", {"sin2_theta_w": 0.2}).exponents.tolist() == [[0], [4]]


def test_powers_of_the_weak_mixing_angle(build):
    assert build("sm").exponents.tolist() == [[0], [1], [2]]


@pytest.mark.parametrize("model", MODELS)
def test_both_channels_are_the_sum(build, model):
    point = {p.name: POINT[p.name] for p in get_model(model).parameters}
    parts = [build(model, channels=(channel,)).counts(point) for channel in CHANNELS]
    np.testing.assert_allclose(build(model).counts(point), sum(parts), rtol=1e-13)


def test_order_of_channels_does_not_matter(build):
    one, other = (
        build("vector", channels=order).counts(POINT) for order in (CHANNELS, CHANNELS[::-1])
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("model", ["vector", "scalar"])
def test_rows_are_bit_identical_in_any_company(build, model):
    rates = build(model)
    masses = np.geomspace(1e-6, 1e6, 150)
    together = rates.coefficients({"mass_mev": masses})
    for part in (slice(0, 1), slice(63, 66), slice(100, 150), slice(3, 150, 50)):
        alone = rates.coefficients({"mass_mev": masses[part]})
        np.testing.assert_array_equal(together[part], alone)


def test_a_fixed_mass_is_a_row(build):
    free = build("vector", {"sin2_theta_w": 0.2}).coefficients({"mass_mev": np.array([3.0])})
    folded = build("vector", {"sin2_theta_w": 0.2, "mass_mev": 3.0}).coefficients()
    np.testing.assert_array_equal(free, folded)


def test_monomials_at_many_points(build):
    rates = build("vector")
    g = np.array([1e-5, 2e-5])
    got = rates.monomials({"g": g, "sin2_theta_w": 0.3})
    expected = [[value**p * 0.3**q for p, q in rates.exponents.tolist()] for value in g]
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_zero_coupling_is_the_standard_model(build):
    np.testing.assert_array_equal(
        build("vector", {"g": 0.0, "mass_mev": 0.0, "sin2_theta_w": 0.2}).counts({}),
        build("sm", {"sin2_theta_w": 0.2}).counts({}),
    )


@pytest.mark.parametrize("model", MODELS)
def test_weights_of_one_change_nothing(build, model):
    point = {p.name: POINT[p.name] for p in get_model(model).parameters}
    weighted = build(model, flux_weights=np.ones(40)).counts(point)
    np.testing.assert_allclose(weighted, build(model).counts(point), rtol=1e-13)


def test_counts_are_linear_in_the_flux(build, rng):
    weights = rng.uniform(0.0, 2.0, 40)
    parts = [build("vector", flux_weights=w * np.eye(40)[e]) for e, w in enumerate(weights)]
    total = sum(rates.counts(POINT) for rates in parts)
    whole = build("vector", flux_weights=weights).counts(POINT)
    np.testing.assert_allclose(total, whole, rtol=1e-11)


def test_without_flux_no_counts(build):
    assert not build("vector", flux_weights=np.zeros(40)).counts(POINT).any()


def test_unknown_fixed_parameter(build):
    with pytest.raises(InputError, match=r"unknown parameter 'gg' \(model vector\)"):
        build("vector", {"gg": 1.0})


@pytest.mark.parametrize(("name", "value"), [("g", -1.0), ("mass_mev", np.nan)])
def test_fixed_parameter_out_of_range(build, name, value):
    with pytest.raises(InputError, match=name):
        build("vector", {name: value})


def test_expectation_without_any_cevns(experiments, responses):
    # Electrons alone are left when the flux ends below the reach of the nuclei.
    experiment = experiments["conus-plus-a25"]
    reactor = experiment.reactor.model_copy(update={"energy_max_mev": 0.5})
    dim = experiment.model_copy(update={"reactor": reactor})
    with pytest.raises(InputError, match="no CEvNS recoil reaches the bins") as caught:
        build_signal(get_model("sm"), dim, build_response(dim))
    assert "sm_expectation" in str(caught.value)
