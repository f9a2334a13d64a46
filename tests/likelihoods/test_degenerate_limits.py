"""Questions that the data can not answer: answered, and said to be degenerate."""

import pytest

from fastscan.exceptions import InputError
from fastscan.inference.impacts import find_impacts


@pytest.mark.parametrize("profiled", [("r2_ee",), ("r2_ee", "r2_emu")])
def test_a_coupling_that_another_makes_up_for(make, profiled):
    # Both are one and the same change of the vector coupling.
    found = make("charge-radius").limit("sin2_theta_w", profiled=profiled)
    assert found.degenerate
    assert found.intervals == [(0.0, 1.0)]


def test_a_coupling_that_no_count_depends_on(make):
    # Without a mediator's coupling to anything its mass changes nothing.
    assert make("vector").limit("mass_mev", {"g": 0.0}).degenerate


@pytest.mark.parametrize("profiled", [("r2_emu",), ("r2_emu", "r2_etau", "sin2_theta_w")])
def test_others_are_not(make, profiled):
    # sin2_theta_w makes up for r2_ee only as far as its own bounds.
    assert not make("charge-radius").limit("r2_ee", profiled=profiled).degenerate


def test_impacts_have_no_best_fit_to_refer_to(make):
    with pytest.raises(InputError, match="the same at every sin2_theta_w"):
        find_impacts(make("charge-radius"), "sin2_theta_w", profiled=("r2_ee",))
