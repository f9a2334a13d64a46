"""Charge assignments of the vector mediator."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.models import get_model
from fastscan.models.vector import NAMED_CHARGES, Charges


def quark_charges_of_nucleons(charges):
    """Charge of the proton and of the neutron."""
    return 2 * charges.up + charges.down, charges.up + 2 * charges.down


def test_b_minus_l():
    assert Charges.parse("b-l") == Charges(-1.0, -1.0, 1 / 3, 1 / 3)


def test_named_assignments():
    known = {"b-l", "b-3l_e", "b-3l_mu", "l_e-l_mu", "l_e-l_tau", "universal", "dark-photon"}
    assert set(NAMED_CHARGES) >= known


@pytest.mark.parametrize("name", [name for name in NAMED_CHARGES if name.startswith("b-")])
def test_nucleons_have_one_unit_of_baryon_number(name):
    assert quark_charges_of_nucleons(NAMED_CHARGES[name]) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("name", [name for name in NAMED_CHARGES if name.startswith("l_e")])
def test_lepton_numbers_leave_quarks_alone(name):
    assert quark_charges_of_nucleons(NAMED_CHARGES[name]) == (0.0, 0.0)


@pytest.mark.parametrize("name", [name for name in NAMED_CHARGES if name not in ("dark-photon",)])
def test_neutrino_and_electron_are_one_doublet(name):
    assert NAMED_CHARGES[name].nu == NAMED_CHARGES[name].electron


def test_dark_photon_couples_to_electric_charge():
    charges = NAMED_CHARGES["dark-photon"]
    assert quark_charges_of_nucleons(charges) == pytest.approx((1.0, 0.0))
    assert charges.electron == -1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1,-1,1/3,1/3", (-1.0, -1.0, 1 / 3, 1 / 3)),
        (" 1, 0 ,-2/3 , 1e-3", (1.0, 0.0, -2 / 3, 1e-3)),
        ("0.5,+2,-1/-3,.25", (0.5, 2.0, 1 / 3, 0.25)),
    ],
)
def test_four_numbers(text, expected):
    charges = Charges.parse(text)
    np.testing.assert_allclose(
        (charges.nu, charges.electron, charges.up, charges.down), expected, rtol=1e-15
    )


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,",
        "1,2,3,x",
        "1,2,3,1/0",
        "1,2,3,1/",
        "1,2,3,/2",
        "1,2,3,1/2/3",
        "1,2,3,nan",
        "1,2,3,inf",
        "1,2,3,1e400",
        ",,,",
    ],
)
def test_not_four_finite_numbers(text):
    with pytest.raises(InputError, match=r"not four finite numbers \(charges\); write") as caught:
        Charges.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "b-k", "B+L", "1"])
def test_unknown_name(text):
    with pytest.raises(InputError, match=f"unknown charge assignment '{text}'".replace("+", r"\+")):
        Charges.parse(text)


def test_misspelt_name_gets_a_suggestion():
    with pytest.raises(InputError, match="did you mean 'dark-photon'"):
        Charges.parse("darkphoton")


def test_model_says_which_charges_it_has():
    assert get_model("vector").options() == {"charges": "b-l"}
    assert get_model("vector", charges="1,2,3,4").options() == {"charges": "1,2,3,4"}
