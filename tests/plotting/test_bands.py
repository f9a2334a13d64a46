"""Bands of expected limits show the numbers they are given."""

import numpy as np
import pytest

from fastscan import InputError
from fastscan.models import Parameter
from fastscan.plotting import PlotAxis
from fastscan.plotting.bands import LimitCurve, bands_figure

X = PlotAxis.of_parameter(Parameter("m", "MeV", 0.0, "M", "mass"), 1.0, 100.0, logarithmic=True)
Y = PlotAxis.of_parameter(Parameter("g", "1", 0.0, "g", "coupling"), 1e-6, 1e-3, logarithmic=True)
VALUES = np.array([1.0, 10.0, 100.0])
EXPECTED = np.array([1e-5, 2e-5, 1e-4])
BANDS = EXPECTED[:, None] * np.array([0.5, 0.7, 1.4, 2.0])


def words(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_bands_lie_where_they_are_given():
    observed = 1.1 * EXPECTED
    figure = bands_figure([LimitCurve("now", VALUES, EXPECTED, BANDS, observed)], X, Y, cl=0.9)
    (axes,) = figure.axes
    inner, outer = (part.get_paths()[0].vertices for part in axes.collections)
    for vertices, (low, high) in ((inner, (1, 2)), (outer, (0, 3))):
        assert vertices[:, 1].min() == pytest.approx(BANDS[0, low], abs=0)
        assert vertices[:, 1].max() == pytest.approx(BANDS[-1, high], abs=0)
    assert axes.lines[0].get_ydata() == pytest.approx(observed, abs=0)
    assert words(figure) == [
        "observed",
        "expected",
        r"$\pm1\sigma$ of the expected",
        r"$\pm2\sigma$ of the expected",
    ]
    low, high = axes.get_ylim()
    assert low < BANDS.min()
    assert high > BANDS.max()


def test_scenarios_stand_beside_the_first_one():
    curves = [LimitCurve("1", VALUES, EXPECTED), LimitCurve("10", VALUES, 0.5 * EXPECTED, color=1)]
    figure = bands_figure(curves, X, Y, cl=0.9)
    lower = figure.axes[1]
    assert [line.get_ydata()[0] for line in lower.lines] == pytest.approx([1.0, 0.5])
    assert words(figure) == ["1", "10"]


def test_an_infinite_end_leaves_the_axis_finite():
    bands = BANDS.copy()
    bands[-1, -1] = np.inf
    figure = bands_figure([LimitCurve("now", VALUES, EXPECTED, bands)], X, Y, cl=0.9)
    assert np.isfinite(figure.axes[0].get_ylim()).all()


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="no limit to draw"):
        bands_figure([], X, Y, cl=0.9)
    with pytest.raises(InputError, match="no limit is finite"):
        bands_figure([LimitCurve("now", VALUES, np.full(3, np.inf))], X, Y, cl=0.9)
