"""A model with a fault is told in one line, before anything is calculated."""

import numpy as np
import pytest

import fastscan
from fastscan import InputError, Likelihood
from fastscan.models import Model, Parameter, Polynomial, symbol
from fastscan.models.base import MEDIATOR_MASS, WEAK_MIXING_ANGLE, mediator_propagator
from fastscan.models.sm import StandardModel
from fastscan.models.validation import check_class

G = Parameter("g", "1", 0.0, "g", "a coupling", minimum=0.0)


class Sound(Model):
    """Adds g**2 times a propagator to the Standard Model: the others here have one fault each."""

    name, title, reference = "sound", "a sound model", "none"
    parameters = (MEDIATOR_MASS, G, WEAK_MIXING_ANGLE)
    factor = 1.0

    def cross_section(self, recoils):
        extra = symbol("g") ** 2 * symbol("propagator") * (recoils.nucleus_vector() * self.factor)
        return StandardModel().cross_section(recoils) + extra

    def functions(self, recoils, shape):
        return {"propagator": mediator_propagator(recoils, shape)}


@pytest.fixture(scope="module")
def experiment(make):
    return make("sm")


def fault(model, experiment, **options):
    """The one line that says what is wrong with a model."""
    likelihood = Likelihood(model, experiment.experiment, experiment.response, **options)
    with pytest.raises(InputError) as caught:
        likelihood.predict(mass_mev=10.0)
    error = caught.value
    assert error.where
    assert error.hint
    assert len(str(error).splitlines()) == 1
    return str(error)


def test_a_sound_model_passes(experiment):
    likelihood = Likelihood(Sound(), experiment.experiment, experiment.response)
    found = likelihood.predict(mass_mev=10.0).total
    np.testing.assert_array_equal(found, experiment.predict().total)


def test_shape_parameters_are_as_a_dict(experiment):
    class Merged(Sound):
        name = "merged"

        def functions(self, recoils, shape):
            return super().functions(recoils, shape.copy() | (shape | {"unused": None}))

    Likelihood(Merged(), experiment.experiment, experiment.response).predict(mass_mev=10.0)


# --- terms ----------------------------------------------------------------------------------------


def test_a_misspelt_function(experiment):
    class Faulty(Sound):
        def cross_section(self, recoils):
            extra = symbol("g") ** 2 * symbol("propagatr") * recoils.nucleus_vector()
            return StandardModel().cross_section(recoils) + extra

    message = fault(Faulty(), experiment)
    assert "unknown symbol 'propagatr'" in message
    assert "model sound, cevns, term g**2*propagatr" in message
    assert "did you mean 'propagator'?" in message


def test_a_misspelt_coupling(experiment):
    class Faulty(Sound):
        def cross_section(self, recoils):
            extra = symbol("G_") ** 2 * symbol("propagator") * recoils.nucleus_vector()
            return StandardModel().cross_section(recoils) + extra

    message = fault(Faulty(), experiment)
    assert "unknown symbol 'G_'" in message
    assert "every symbol is a coupling or a function" in message


def test_a_shape_parameter_is_no_symbol(experiment):
    class Faulty(Sound):
        def cross_section(self, recoils):
            return super().cross_section(recoils) * symbol("mass_mev")

    assert "mass_mev is a shape parameter" in fault(Faulty(), experiment)


def factors(kind):
    """Coefficients of other shapes, made of the number of recoil nodes."""
    return {
        "(t,)": lambda t: np.ones(t),
        "(1, t)": lambda t: np.ones((1, t)),
        "a number": lambda t: 1.0,
        "(2, t)": lambda t: np.ones((2, t)),
        "(3, t + 1)": lambda t: np.ones((3, t + 1)),
        "(3, t, 1)": lambda t: np.ones((3, t, 1)),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["(t,)", "(1, t)", "a number", "(2, t)", "(3, t + 1)", "(3, t, 1)"]
)
def test_a_coefficient_of_another_shape(experiment, kind):
    """Some of these broadcast to (3, t), and are then no coefficients of E**-n."""

    class Faulty(Sound):
        def cross_section(self, recoils):
            value = factors(kind)(recoils.protons.size)
            extra = symbol("g") ** 2 * symbol("propagator") * value
            return StandardModel().cross_section(recoils) + extra

    message = fault(Faulty(), experiment)
    t = experiment.response.channels["cevns"].recoil_energy_mev.size
    assert f"coefficient of shape {factors(kind)(t).shape if kind != 'a number' else ()}" in message
    assert "model sound, cevns, term g**2*propagator" in message
    assert f"(3, {t}): of E**-n" in message


def test_a_coefficient_that_is_the_same_at_all_recoils(experiment):
    class Plain(Sound):
        name = "plain"

        def cross_section(self, recoils):
            value = np.array([1.0, 2.0, 3.0])[:, None] * self.factor
            extra = symbol("g") ** 2 * symbol("propagator") * value + 0.0
            return StandardModel().cross_section(recoils) + extra

    class Full(Plain):
        name = "full"

        @property
        def factor(self):
            return np.ones(self.size)

        def cross_section(self, recoils):
            self.size = recoils.protons.size
            return super().cross_section(recoils)

    point = {"mass_mev": 10.0, "g": 1e-3}
    totals = [
        Likelihood(model, experiment.experiment, experiment.response).predict(**point).total
        for model in (Plain(), Full())
    ]
    np.testing.assert_array_equal(*totals)


@pytest.mark.parametrize(("bad", "words"), [(np.nan, "is not a number"), (np.inf, "overflows")])
def test_a_coefficient_that_is_not_finite(experiment, bad, words):
    class Faulty(Sound):
        def cross_section(self, recoils):
            return super().cross_section(recoils) + symbol("g") ** 2 * symbol("propagator") * bad

    message = fault(Faulty(), experiment)
    assert f"a coefficient {words}" in message
    assert "model sound, cevns, term g**2*propagator" in message


def test_a_coefficient_that_is_complex(experiment):
    class Faulty(Sound):
        factor = 1.0j

    assert "coefficient of type complex128" in fault(Faulty(), experiment)


@pytest.mark.parametrize(("value", "words"), [(None, "missing"), (0.0, "0.0"), ([], "type list")])
def test_a_cross_section_that_is_no_polynomial(experiment, value, words):
    class Faulty(Sound):
        def cross_section(self, recoils):
            return value

    message = fault(Faulty(), experiment)
    assert "cross_section returns" in message
    assert words in message


# --- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shaped", [lambda v: v[0], lambda v: v[:1], lambda v: v.T, lambda v: v[:, :1]]
)
def test_a_function_of_another_shape(experiment, shaped):
    class Faulty(Sound):
        def functions(self, recoils, shape):
            return {"propagator": shaped(mediator_propagator(recoils, shape))}

    message = fault(Faulty(), experiment)
    assert "model sound, function propagator, cevns" in message
    t = experiment.response.channels["cevns"].recoil_energy_mev.size
    assert f"of shape (2, {t})" in message


def test_a_function_that_is_not_finite(experiment):
    class Faulty(Sound):
        def functions(self, recoils, shape):
            return {"propagator": mediator_propagator(recoils, shape) * np.nan}

    message = fault(Faulty(), experiment)
    assert "it is not a number at mass_mev = 1 (model sound, function propagator" in message


def test_a_function_that_is_not_finite_somewhere(experiment):
    class Pole(Sound):
        name = "pole"

        def functions(self, recoils, shape):
            with np.errstate(divide="ignore"):
                pole = 1.0 / (shape["mass_mev"] - 10.0)
            return {"propagator": mediator_propagator(recoils, shape) * pole[:, None]}

    likelihood = Likelihood(Pole(), experiment.experiment, experiment.response)
    likelihood.predict(mass_mev=9.0)
    with pytest.raises(InputError, match=r"it overflows at mass_mev = 10.*function propagator"):
        likelihood.predict(mass_mev=10.0, g=1e-5)


def test_functions_are_a_mapping(experiment):
    class Faulty(Sound):
        def functions(self, recoils, shape):
            return mediator_propagator(recoils, shape)

    assert "functions returns of type ndarray" in fault(Faulty(), experiment)


# --- what is stated and not used ------------------------------------------------------------------


def test_a_coupling_that_no_term_uses(experiment):
    class Faulty(Sound):
        parameters = (*Sound.parameters, Parameter("g_", "1", 0.0, "h", "a coupling"))

    message = fault(Faulty(), experiment)
    assert "no term uses the coupling g_ (model sound, both channels)" in message


def test_a_coupling_of_the_other_channel_is_used(experiment):
    """That of electrons does nothing in CEvNS, and is no fault of the model."""
    nsi = Likelihood(
        fastscan.get_model("nsi"), experiment.experiment, experiment.response, channels="cevns"
    )
    np.testing.assert_array_equal(
        nsi.predict(eps_el_ee=1.0).total, nsi.predict(eps_el_ee=0.0).total
    )


def test_a_function_that_no_term_uses(experiment):
    class Faulty(Sound):
        def functions(self, recoils, shape):
            found = mediator_propagator(recoils, shape)
            return {"propagator": found, "propagator2": found}

    assert "no term uses the function propagator2" in fault(Faulty(), experiment)


def test_a_shape_parameter_that_no_function_uses(experiment):
    class Faulty(Sound):
        parameters = (
            *Sound.parameters,
            Parameter("m2", "MeV", 1.0, "m", "a mass", minimum=0.0, kind="shape"),
        )

    assert "nothing depends on the shape parameter m2" in fault(Faulty(), experiment)


# --- options --------------------------------------------------------------------------------------


def test_an_option_that_the_constructor_does_not_have(experiment):
    class Faulty(Sound):
        def options(self):
            return {"scale": 2.0}

    assert "option 'scale' is not in the constructor" in fault(Faulty(), experiment)


def test_an_option_that_results_would_not_tell(experiment):
    class Faulty(Sound):
        def __init__(self, scale=1.0):
            self.scale = scale

    assert "option 'scale' is not in options()" in fault(Faulty(), experiment)


def test_an_option_that_can_not_be_stored(experiment):
    class Faulty(Sound):
        def __init__(self, scale=1.0):
            self.scale = scale

        def options(self):
            return {"scale": self}

    assert "options can not be stored" in fault(Faulty(), experiment)


# --- the class ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"name": None}, "its name is missing"),
        ({"name": ""}, "its name is ''"),
        ({"name": "../up"}, "its name '../up' is not one word"),
        ({"name": 3}, "its name is 3"),
        ({"title": " "}, "its title is ' '"),
        ({"reference": None}, "its reference is missing"),
        ({"parameters": None}, "its parameters are missing"),
        ({"parameters": ()}, "its parameters are of type tuple"),
        ({"parameters": G}, "its parameters are of type Parameter"),
        ({"parameters": ("g",)}, "a parameter is 'g'"),
        ({"parameters": (G, G)}, "it is stated twice (model sound, parameter g)"),
        ({"profiled_by_default": ("h",)}, "unknown parameter 'h'"),
    ],
)
def test_what_a_class_states(stated, words):
    with pytest.raises(InputError) as caught:
        check_class(type("Faulty", (Sound,), stated))
    assert words in str(caught.value)
    assert "model" in caught.value.where


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("g h", "1", 0.0, "g", "x"), "its name is not one word"),
        (("g", "", 0.0, "g", "x"), "its unit is ''"),
        (("g", "1", 0.0, "g", None), "its description is missing"),
        (("g", "1", "0", "g", "x"), "its default and range are 0, -inf to inf"),
        (("g", "1", np.nan, "g", "x"), "its default and range are nan"),
        (("g", "1", -1.0, "g", "x", 0.0), "g = -1 is out of range"),
        (("g", "1", 0.0, "g", "x", 1.0, 1.0), "its range from 1 to 1 is empty"),
        (("g", "1", None, "g", "x"), "a coupling without a default"),
        (("g", "1", 0.0, "g", "x", 0.0, 1.0, "mass"), "unknown kind 'mass'"),
        (("m", "1", 1.0, "m", "x", 0.0, 1.0, "shape", "even"), "unknown spacing 'even'"),
        (("m", "1", 1.0, "m", "x", -1.0, 2.0, "shape"), "which has no logarithm"),
        (("m", "1", 1.0, "m", "x", 0.0, np.inf, "shape", "linear"), "evenly spaced from 0 to inf"),
    ],
)
def test_what_a_parameter_states(values, words):
    with pytest.raises(InputError) as caught:
        check_class(type("Faulty", (Sound,), {"parameters": (Parameter(*values),)}))
    assert words in str(caught.value)


def test_a_class_without_a_cross_section():
    with pytest.raises(InputError, match=r"it states no cross_section \(model Faulty\)"):
        check_class(type("Faulty", (Model,), {"name": "x"}))


@pytest.mark.parametrize("thing", [3, Sound(), Polynomial])
def test_what_is_no_model(thing):
    with pytest.raises(InputError, match="is not a model"):
        check_class(thing)


@pytest.mark.parametrize("name", fastscan.models.MODELS)
def test_shipped_models_pass(name):
    check_class(fastscan.models.MODELS[name])
