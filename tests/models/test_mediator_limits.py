"""Physics of mediators: massless and contact limits, signs of the interference."""

import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.models import get_model
from fastscan.tensors import CHANNELS

SIN2 = {"sin2_theta_w": 0.23857}
both_models = pytest.mark.parametrize("model", ["vector", "scalar"])
each_channel = pytest.mark.parametrize("channel", CHANNELS)


@pytest.fixture(scope="module")
def counts(experiments, responses):
    """Counts of conus-plus."""

    def of(model, channel, point, **options):
        arguments = (get_model(model, **options), experiments["conus-plus"])
        rates = build_signal(*arguments, responses["conus-plus"], channels=(channel,))
        return rates.counts(SIN2 | point)

    return of


@both_models
@each_channel
def test_light_mediator_is_massless(counts, model, channel):
    # 2 M T is above 1e-5 MeV^2 at every node: 1e-4 eV changes nothing to double precision.
    light = counts(model, channel, {"mass_mev": 1e-10, "g": 1e-5})
    np.testing.assert_allclose(light, counts(model, channel, {"mass_mev": 0.0, "g": 1e-5}), 1e-13)


@both_models
@each_channel
def test_massless_limit_is_continuous(counts, model, channel):
    # The first correction is M^2/(2 M_target T).
    massless = counts(model, channel, {"mass_mev": 0.0, "g": 1e-5})
    at = [counts(model, channel, {"mass_mev": m, "g": 1e-5}) for m in (1e-5, 1e-4)]
    changes = [np.abs(c - massless).max() / massless.max() for c in at]
    assert changes[0] < 2e-4
    assert changes[1] == pytest.approx(100 * changes[0], rel=0.05)


@both_models
@each_channel
def test_heavy_mediator_is_a_contact_interaction(counts, model, channel):
    one = counts(model, channel, {"mass_mev": 1e5, "g": 0.1})
    other = counts(model, channel, {"mass_mev": 1e6, "g": 1.0})
    np.testing.assert_allclose(one, other, rtol=1e-6)


@both_models
@each_channel
def test_infinitely_heavy_mediator_is_not_there(counts, model, channel):
    standard = counts("sm", channel, {})
    heavy = counts(model, channel, {"mass_mev": 1e15, "g": 1.0})
    np.testing.assert_allclose(heavy, standard, rtol=1e-12)


@both_models
@each_channel
def test_zero_coupling_is_the_standard_model(counts, model, channel):
    without = counts(model, channel, {"mass_mev": 1.0, "g": 0.0})
    np.testing.assert_allclose(without, counts("sm", channel, {}), rtol=1e-14)


@each_channel
def test_strong_scalar_grows_with_the_fourth_power(counts, channel):
    standard = counts("sm", channel, {})
    one, two = (counts("scalar", channel, {"mass_mev": 1.0, "g": g}) for g in (1e-3, 2e-3))
    np.testing.assert_allclose((two - standard) / (one - standard), 16.0, rtol=1e-9)


@both_models
@each_channel
def test_counts_fall_with_the_mass(counts, model, channel):
    masses = np.geomspace(1e-6, 1e6, 25)
    total = [counts(model, channel, {"mass_mev": m, "g": 1e-4}).sum() for m in masses]
    assert np.all(np.diff(total) <= 1e-12 * total[0])


def test_b_minus_l_adds_to_the_weak_charge(counts):
    # Small g: 2 Q Q_new, both negative, so that CEvNS rises at once.
    standard = counts("sm", "cevns", {})
    assert np.all(counts("vector", "cevns", {"mass_mev": 10.0, "g": 1e-6}) > standard)


def test_universal_vector_takes_from_the_weak_charge(counts):
    point = {"mass_mev": 10.0, "g": 1e-6}
    assert np.all(counts("vector", "cevns", point, charges="universal") < counts("sm", "cevns", {}))


@pytest.mark.parametrize("charges", ["b-l", "universal", "l_e-l_mu"])
def test_like_charges_add_on_electrons(counts, charges):
    # Q_nu Q_e > 0 enlarges g_V, which is positive.
    point = {"mass_mev": 10.0, "g": 1e-6}
    assert np.all(counts("vector", "eves", point, charges=charges) > counts("sm", "eves", {}))


@pytest.mark.parametrize(("charges", "channel"), [("l_e-l_mu", "cevns"), ("1,0,1,1", "eves")])
def test_without_charges_there_is_no_exchange(counts, charges, channel):
    got = counts("vector", channel, {"mass_mev": 1.0, "g": 1.0}, charges=charges)
    np.testing.assert_allclose(got, counts("sm", channel, {}), rtol=1e-13)


@each_channel
def test_neutrinos_without_charge_see_nothing(counts, channel):
    got = counts("vector", channel, {"mass_mev": 1.0, "g": 1.0}, charges="b-3l_mu")
    np.testing.assert_allclose(got, counts("sm", channel, {}), rtol=1e-13)


@each_channel
def test_charges_and_coupling_are_one_product(counts, channel):
    # Twice all charges and half the coupling: g^2 Q Q is the same.
    plain = counts("vector", channel, {"mass_mev": 1.0, "g": 2e-5}, charges="-1,-1,1/3,1/3")
    doubled = counts("vector", channel, {"mass_mev": 1.0, "g": 1e-5}, charges="-2,-2,2/3,2/3")
    np.testing.assert_allclose(plain, doubled, rtol=1e-12)


@each_channel
def test_only_products_with_the_neutrino_charge_count(counts, channel):
    point = {"mass_mev": 1.0, "g": 2e-5}
    one = counts("vector", channel, point, charges="1,1,-1/3,-1/3")
    other = counts("vector", channel, point, charges="-1,-1,1/3,1/3")
    np.testing.assert_array_equal(one, other)
