"""Axes: what is read, what is refused, and where the points lie."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_helpers import refusal

from fastscan import Axis, InputError

GOOD = {
    "g=0:1:11": Axis("g", 0.0, 1.0, 11),
    "g=0:1:11:linear": Axis("g", 0.0, 1.0, 11),
    "mass_mev=0.01:1000:200:log": Axis("mass_mev", 0.01, 1000.0, 200, "log"),
    "q_ee=-1e-9:2E-9:3": Axis("q_ee", -1e-9, 2e-9, 3),
    " g = 1 : 2 : 3 ": Axis("g", 1.0, 2.0, 3),
    "g=5:5:1": Axis("g", 5.0, 5.0, 1),
    "g=5:5:1:log": Axis("g", 5.0, 5.0, 1, "log"),
    "g=-1:+1:2": Axis("g", -1.0, 1.0, 2),
}

FORM = "write NAME=START:STOP:N or NAME=START:STOP:N:log"
BAD = {
    "": FORM,
    "g": FORM,
    "g=": FORM,
    "=1:2:3": FORM,
    " =1:2:3": FORM,
    "g:1:2:3": FORM,
    "g=1": FORM,
    "g=1:2": FORM,
    "g=1:2:3:log:5": FORM,
    "g=1:2:3:cubic": FORM,
    "g=1:2:3:": FORM,
    "g=1:2:3:LOG": FORM,
    "g=a:2:3": FORM,
    "g=1:b:3": FORM,
    "g=:2:3": FORM,
    "g=1:2:": FORM,
    "g=1:2:c": FORM,
    "g=1:2:3.5": FORM,
    "g=1:2:1e3": FORM,
    "g=1=2:3:4": FORM,
    f"g=1:2:{'9' * 5000}": FORM,
    "g=1:2:0": "at least one point",
    "g=1:2:-3": "at least one point",
    "g=nan:2:3": "",
    "g=1:nan:3": "",
    "g=1:nan:1": "",
    "g=1:inf:3": "",
    "g=-inf:1:3": "",
    "g=1:1e999:3": "",
    "g=2:1:3": "put the smaller end first",
    "g=1:1:2": "put the smaller end first",
    "g=2:1:3:log": "put the smaller end first",
    "g=0:1:3:log": "start above zero or leave out :log",
    "g=-1:1:3:log": "start above zero or leave out :log",
    "g=-1:-1:1:log": "start above zero or leave out :log",
    "g=1:2:10000000000000": "give at most",
}


@pytest.mark.parametrize("text", GOOD)
def test_good_forms(text):
    assert Axis.parse(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_bad_forms_are_refused(text):
    message = refusal(InputError, Axis.parse, text)
    assert BAD[text] in message
    name = text.partition("=")[0].split(":")[0].strip()
    assert name in message


def test_a_bad_axis_made_in_code_is_refused_like_one_that_was_read():
    made = refusal(InputError, Axis, "g", 2.0, 1.0, 3)
    assert made == refusal(InputError, Axis.parse, "g=2:1:3")


def test_ten_to_the_thirteen_points_are_refused_before_any_are_made():
    assert "10000000000000 points" in refusal(InputError, Axis, "g", 0.0, 1.0, 10**13)


@pytest.mark.parametrize("spacing", ["linear", "log"])
def test_one_point_is_the_start(spacing):
    for stop in (0.3, 7.0, 0.1):
        assert Axis("g", 0.3, stop, 1, spacing).values.tolist() == [0.3]


@pytest.mark.parametrize("words", ["0.3:7:1", "0.3:7:1:log", "0.3:0.1:1"])
def test_one_point_of_a_range_is_refused(words):
    """It would be scanned at its start alone, without a word."""
    assert "or g=0.3" in refusal(InputError, Axis.parse, f"g={words}")
    assert Axis.parse("g=0.3:0.3:1").values.tolist() == [0.3]


def test_linear_points():
    np.testing.assert_allclose(
        Axis("g", -1.0, 1.0, 5).values, [-1.0, -0.5, 0.0, 0.5, 1.0], rtol=0.0, atol=1e-15
    )


def test_logarithmic_points():
    np.testing.assert_allclose(
        Axis("g", 1e-3, 1e2, 6, "log").values, [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0], rtol=1e-14
    )


@given(
    st.floats(-300, 300),
    st.floats(1e-6, 250),
    st.integers(2, 300),
    st.sampled_from(["linear", "log"]),
)
def test_points_rise_evenly_from_end_to_end(exponent, decades, points, spacing):
    start, stop = 10.0**exponent, 10.0 ** min(exponent + decades, 307.0)
    if not start < stop:
        return
    values = Axis("g", start, stop, points, spacing).values
    assert values.dtype == np.float64
    assert values.shape == (points,)
    assert values[0] == start
    assert values[-1] == stop
    assert (np.diff(values) > 0).all()
    if spacing == "linear":
        np.testing.assert_allclose(np.diff(values), (stop - start) / (points - 1), rtol=1e-5)
    else:
        step = (math.log(stop) - math.log(start)) / (points - 1)
        np.testing.assert_allclose(np.diff(np.log(values)), step, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("start", [-2.0, 0.0])
def test_linear_axes_may_start_at_or_below_zero(start):
    values = Axis("q_ee", start, 2.0, 401).values
    assert values[0] == start
    assert values[-1] == 2.0


def test_what_a_header_says_makes_the_axis_again():
    axis = Axis("mass_mev", 0.01, 1e3, 7, "log")
    assert Axis(**axis.to_dict()) == axis
