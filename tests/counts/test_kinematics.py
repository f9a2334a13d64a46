"""Models that state least energies and weights of the flux: what they get, and what is refused."""

import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.models import Model, Oscillation, Parameter, symbol
from fastscan.models.sm import StandardModel

SHAPE = Parameter("scale_mev", "MeV", None, "s", "a scale", minimum=0.0, kind="shape")
SIN2 = StandardModel.parameters[0]


class Guest(Model):
    """The Standard Model times one symbol."""

    name = "guest"
    title = "a model of a test"
    reference = "none"
    parameters = (SHAPE, SIN2)
    factor = symbol("x")

    def cross_section(self, recoils):
        return StandardModel().cross_section(recoils) * self.factor


def counts(experiments, responses, model, scale=1.0, **options):
    arguments = (model, experiments["conus-plus"], responses["conus-plus"])
    signal = build_signal(*arguments, channels=("cevns",), **options)
    return signal.counts({"scale_mev": scale, "sin2_theta_w": 0.23857})


@pytest.fixture(scope="module")
def standard(experiments, responses):
    arguments = (StandardModel(), experiments["conus-plus"], responses["conus-plus"])
    return build_signal(*arguments, channels=("cevns",)).counts({"sin2_theta_w": 0.23857})


class Massless(Guest):
    """The massless least energy, stated as one's own."""

    def minimum_energy(self, recoils, shape):
        recoil = recoils.recoil_energy_mev
        least = 0.5 * (recoil + np.sqrt(recoil**2 + recoils.momentum_squared_mev2))
        return {"x": np.repeat(least[None], shape["scale_mev"].size, axis=0)}


class One(Guest):
    """A weight of one."""

    def weights(self, energies, shape):
        return {"x": np.ones((shape["scale_mev"].size, energies.energy_mev.size))}


@pytest.mark.parametrize("model", [Massless(), One()])
def test_the_standard_model_in_other_words(experiments, responses, standard, model):
    np.testing.assert_allclose(
        counts(experiments, responses, model), standard, rtol=0, atol=1e-9 * standard.max()
    )


def test_a_smooth_weight_is_that_of_the_bins(experiments, responses):
    # Weights of the flux's bins, and one that is about constant in each of them.
    class Steps(Guest):
        def weights(self, energies, shape):
            found = 1.0 + 0.1 * np.floor(energies.energy_mev / 0.25)
            return {"x": np.repeat(found[None], shape["scale_mev"].size, axis=0)}

    weights = 1.0 + 0.1 * np.arange(40)
    arguments = (StandardModel(), experiments["conus-plus"], responses["conus-plus"])
    binned = build_signal(*arguments, channels=("cevns",), flux_weights=weights)
    expected = binned.counts({"sin2_theta_w": 0.23857})
    got = counts(experiments, responses, Steps())
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * expected.max())


def test_an_oscillation_is_the_weight_of_its_values(experiments, responses):
    class Values(Guest):
        def weights(self, energies, shape):
            return {"x": np.cos(shape["scale_mev"][:, None] / energies.energy_mev)}

    class Exact(Guest):
        def weights(self, energies, shape):
            return {"x": Oscillation(shape["scale_mev"])}

    for phase in (0.3, 30.0):
        one, other = (counts(experiments, responses, m(), phase) for m in (Values, Exact))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(other).max())
    with pytest.raises(InputError, match=r"varies too fast near .* state it as an Oscillation"):
        counts(experiments, responses, Values(), 1e4)


def test_functions_beside_a_least_energy(experiments, responses, standard):
    class Both(Massless):
        factor = symbol("x") * symbol("f") ** 2

        def functions(self, recoils, shape):
            rows = shape["scale_mev"][:, None]
            return {"f": rows * np.ones((1, recoils.recoil_energy_mev.size))}

    got = counts(experiments, responses, Both(), 3.0)
    np.testing.assert_allclose(got, 9.0 * standard, rtol=0, atol=1e-8 * standard.max())


def least(expression):
    class Stated(Guest):
        def minimum_energy(self, recoils, shape):
            return {"x": expression(recoils.recoil_energy_mev, shape["scale_mev"])}

    return Stated()


def weight(expression):
    class Stated(Guest):
        def weights(self, energies, shape):
            return {"x": expression(energies.energy_mev, shape["scale_mev"])}

    return Stated()


REFUSED = {
    "shape of an energy": (least(lambda t, s: t), r"shape \(1680,\) instead of \(1, 1680\)"),
    "energy below zero": (least(lambda t, s: -t[None]), "is no energy"),
    "no number": (least(lambda t, s: np.full((s.size, t.size), np.nan)), "nan is no energy"),
    "kink of an energy": (
        least(lambda t, s: np.where(t > 1e-3, 3.0, 2.0)[None] + 0.0 * s[:, None]),
        "not smooth in the recoil energy near 9",
    ),
    "tiny energy": (
        least(lambda t, s: 1e-9 + 0.0 * t[None] * s[:, None]),
        "below 0.95 eV near 27.4 eV",
    ),
    "shape of a weight": (weight(lambda e, s: e), r"no finite numbers of shape \(1, "),
    "infinite weight": (weight(lambda e, s: np.full((s.size, e.size), np.inf)), "no finite"),
    "phases": (weight(lambda e, s: Oscillation(np.ones(3))), "not numbers, one a row"),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(experiments, responses, model, message):
    with pytest.raises(InputError, match=message) as caught:
        counts(experiments, responses, model)
    assert str(caught.value).count("model guest: ") == 1
    assert "\n" not in str(caught.value)


class Array(Guest):
    """A least energy without a symbol."""

    def minimum_energy(self, recoils, shape):
        return np.ones((1, recoils.recoil_energy_mev.size))


class Twice(Massless, One):
    """One symbol for two things."""


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Array(), "minimum_energy returns no dict"),
        (Twice(), "x is both a least energy and a weight"),
    ],
)
def test_symbols_that_are_none(experiments, responses, model, message):
    with pytest.raises(InputError, match=message):
        counts(experiments, responses, model)


def test_a_product_of_weights_is_refused(experiments, responses):
    model = One()
    model.factor = symbol("x") ** 2
    with pytest.raises(InputError, match=r"a term holds x\*\*2 .*a weight of its own"):
        counts(experiments, responses, model)
