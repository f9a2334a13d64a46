"""What a notebook shows of the objects that results are made from."""

import fastscan


def test_reprs_are_a_line_or_two(tables):
    likelihood = fastscan.likelihood("vector", "conus-plus-shapes")
    joint = likelihood.parts[0]
    counts = likelihood.counts(("g",), {"mass_mev": 1.0})
    for thing in (
        likelihood,
        joint.experiment,
        joint.response,
        *joint.response.channels.values(),
        counts,
        *counts.parts,
        *(signal for part in counts.parts for signal in part.signals),
    ):
        assert len(repr(thing)) < 300
    assert "conus-plus-shapes" in repr(likelihood)
    assert "g in" in repr(counts)
