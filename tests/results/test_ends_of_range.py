"""An interval that ends with the parameter's range is no limit, and says so."""

import dataclasses

import fastscan


def test_the_upper_end_of_a_range(tables):
    limit = fastscan.likelihood("sm").limit("sin2_theta_w")
    assert limit.warnings == []
    cut = dataclasses.replace(limit, intervals=[(0.1, 1.0)])
    (words,) = cut.warnings
    assert words == "sin2_theta_w = 1 is where its range ends: the data set no upper end"
    everything = dataclasses.replace(limit, intervals=[(0.0, 1.0)])
    assert everything.warnings == ["no value of sin2_theta_w is excluded at 90 %"]
