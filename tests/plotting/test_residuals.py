"""Residual panels show what the fit says."""

import numpy as np
import pytest

from fastscan import InputError
from fastscan.plotting.residuals import ResidualPanel, residual_figure

EDGES = np.array([0.0, 10.0, 20.0, 30.0])


def panel(residuals):
    fitted = np.array([3.0, 2.0, 1.0])
    sigma = np.array([1.0, 2.0, 0.5])
    data = fitted + np.array(residuals) * sigma
    return ResidualPanel("title", "counts", EDGES, data, sigma, fitted, fitted)


def test_bars_are_the_residuals():
    figure = residual_figure([panel([0.5, -1.0, 4.0])])
    upper, lower = figure.axes
    assert [bar.get_height() for bar in lower.patches[2:]] == pytest.approx([0.5, -1.0, 4.0])
    assert lower.get_ylim() == pytest.approx((-4.6, 4.6))
    assert "best fit" in [text.get_text() for text in upper.get_legend().get_texts()]


def test_experiments_stand_side_by_side():
    figure = residual_figure([panel([0.0, 1.0, 2.0])] * 2)
    assert len(figure.axes) == 4


def test_no_panel_is_refused():
    with pytest.raises(InputError, match="no fit to draw"):
        residual_figure([])
