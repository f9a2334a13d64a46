"""Models by name, and what they say of themselves."""

import numpy as np
import pytest

from fastscan.counts import channel_names
from fastscan.exceptions import InputError
from fastscan.models import MODELS, Model, Parameter, get_model, model_names
from fastscan.tensors import CHANNELS

PLAIN = Parameter("x", "1", 0.0, "x", "a number")
BOUNDED = Parameter("y", "MeV", 1.0, "y", "an energy", minimum=0.0, maximum=2.0)


@pytest.mark.parametrize("name", ["sm", "vector", "scalar"])
def test_known_models(name):
    assert name in model_names()
    assert isinstance(get_model(name), Model)


@pytest.mark.parametrize("name", model_names())
def test_every_model_has_its_name(name):
    assert get_model(name).name == MODELS[name].name == name


@pytest.mark.parametrize("name", model_names())
def test_every_model_describes_itself(name):
    model = get_model(name)
    assert model.title
    assert model.reference
    for parameter in model.parameters:
        assert parameter.name
        assert parameter.unit
        assert parameter.symbol
        assert parameter.description


@pytest.mark.parametrize("name", model_names())
def test_parameters_of_a_model_have_different_names(name):
    names = [parameter.name for parameter in get_model(name).parameters]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", model_names())
def test_every_default_is_in_range(name):
    for parameter in get_model(name).parameters:
        assert parameter.check(parameter.standard) == parameter.standard
        assert parameter.default in (None, parameter.standard)


def test_no_mass_is_natural():
    for name in model_names():
        for parameter in get_model(name).parameters:
            assert (parameter.default is None) == (parameter.kind == "shape")


@pytest.mark.parametrize("name", model_names())
def test_the_weak_mixing_angle_can_be_set_in_every_model(name):
    # MS-bar at zero momentum transfer, not the on-shell 0.223 of scipy.
    assert get_model(name).parameter("sin2_theta_w").default == 0.23857


def test_unknown_model():
    with pytest.raises(InputError, match=r"unknown model 'vectr'.*did you mean 'vector'"):
        get_model("vectr")


@pytest.mark.parametrize(
    ("model", "options", "hint"),
    [
        ("sm", {"charges": "b-l"}, "there is none"),
        ("vector", {"charge": "b-l"}, "did you mean 'charges'"),
        ("scalar", {"charges": "b-l"}, "known: down_mass_mev, up_mass_mev"),
    ],
)
def test_unknown_option(model, options, hint):
    with pytest.raises(InputError, match=f"has no option.*{hint}"):
        get_model(model, **options)


@pytest.mark.parametrize("mass", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("option", ["up_mass_mev", "down_mass_mev"])
def test_quark_masses_are_positive(option, mass):
    with pytest.raises(InputError, match=f"{option} = .* is not a quark mass"):
        get_model("scalar", **{option: mass})


def test_scalar_charges_of_the_nucleons():
    # Masses in MeV and nucleon fractions of C25 below eq. (15).
    proton, neutron = get_model("scalar").nucleon_charges()
    assert proton == pytest.approx(938.27209 * (0.026 / 2.16 + 0.038 / 4.70), rel=1e-7)
    assert neutron == pytest.approx(939.56542 * (0.018 / 2.16 + 0.056 / 4.70), rel=1e-7)


def test_scalar_says_which_quark_masses_it_has():
    options = {"up_mass_mev": 2.0, "down_mass_mev": 5.0}
    assert get_model("scalar", **options).options() == options


# --- parameters -----------------------------------------------------------------------------------


def test_unknown_parameter():
    with pytest.raises(InputError, match=r"unknown parameter 'mas_mev' \(model vector\).*mass_mev"):
        get_model("vector").parameter("mas_mev")


@pytest.mark.parametrize("value", [-1e300, 0.0, 1e300])
def test_unbounded_parameter_takes_any_number(value):
    assert PLAIN.check(value) == value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameter_that_is_no_finite_number(value):
    with pytest.raises(InputError, match=r"x = .* is not a finite number \(x\); give a number$"):
        PLAIN.check(value)


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_bounds_are_in_range(value):
    assert BOUNDED.check(value) == value


@pytest.mark.parametrize("value", [-1e-300, np.nextafter(2.0, 3.0)])
def test_parameter_out_of_range(value):
    with pytest.raises(InputError, match=r"out of range \(y\); give a number in MeV from 0 to 2$"):
        BOUNDED.check(value)


def test_error_says_where():
    with pytest.raises(InputError, match=r"\(y\)"):
        BOUNDED.check(3.0, "--set y")


def test_check_returns_a_float():
    assert type(BOUNDED.check(1)) is float


@pytest.mark.parametrize("name", ["vector", "scalar"])
@pytest.mark.parametrize("parameter", ["g", "mass_mev"])
def test_coupling_and_mass_are_not_negative(name, parameter):
    with pytest.raises(InputError, match="out of range"):
        get_model(name).parameter(parameter).check(-1e-9)


# --- channels -------------------------------------------------------------------------------------


def test_channel_names():
    assert channel_names("both") == CHANNELS == ("cevns", "eves")
    assert channel_names("cevns") == ("cevns",)
    assert channel_names("eves") == ("eves",)


def test_unknown_channel():
    with pytest.raises(InputError, match=r"unknown channel 'cenvs'.*did you mean 'cevns'"):
        channel_names("cenvs")


def test_a_model_is_one_file(tmp_path, monkeypatch):
    """A module beside the others is found: nothing else names it."""
    import fastscan.models
    from fastscan.models.registry import found_models

    (tmp_path / "heavier.py").write_text(
        "from fastscan.models.sm import StandardModel\n\n"
        'class Heavier(StandardModel):\n    name = "heavier"\n    title = "A copy"\n'
    )
    monkeypatch.setattr(fastscan.models, "__path__", [*fastscan.models.__path__, str(tmp_path)])
    found = found_models()
    assert {*found} - {*MODELS} == {"heavier"}
    assert found["heavier"]().title == "A copy"
