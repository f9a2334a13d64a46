"""Residual panels show what the fit says."""

import numpy as np
import pytest

from fastscan.models import get_model
from fastscan.plotting.residuals import residual_figure
from fastscan.results import Bins, Fit, Provenance

EDGES = np.array([0.0, 10.0, 20.0, 30.0])
FITTED, SIGMA = np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 0.5])


def made(*residuals):
    """A fit of one experiment or of several, with these residuals each."""
    every = np.concatenate(residuals)
    fitted, sigma = (np.tile(values, len(residuals)) for values in (FITTED, SIGMA))
    places = [slice(3 * i, 3 * i + 3) for i in range(len(residuals))]
    return Fit(
        free={}, parameters={"sin2_theta_w": 0.24}, chi2_min=1.0, ndf=3, p_value=0.8,
        alpha_hat=0.0, pulls={}, counts=fitted, nominal=fitted, expected=fitted,
        data=fitted + every * sigma, sigma=sigma, residuals=every,
        bins=tuple(Bins(f"x{p.start}", f"title {p.start}", "counts", EDGES, p) for p in places),
        provenance=Provenance("sm", {}, "x", "both", "x", model=get_model("sm")),
    )  # fmt: skip


def test_bars_are_the_residuals():
    figure = residual_figure(made([0.5, -1.0, 4.0]))
    upper, lower = figure.axes
    assert [bar.get_height() for bar in lower.patches[2:]] == pytest.approx([0.5, -1.0, 4.0])
    assert lower.get_ylim() == pytest.approx((-4.6, 4.6))
    assert any("best fit" in text.get_text() for text in upper.get_legend().get_texts())


def test_experiments_stand_side_by_side():
    figure = residual_figure(made([0.0, 1.0, 2.0], [1.0, 0.0, 0.0]))
    assert len(figure.axes) == 4
    assert ["title" in axes.get_title(loc="left") for axes in figure.axes[:2]] == [True] * 2
    assert [bar.get_height() for bar in figure.axes[3].patches[2:]] == pytest.approx(
        [1.0, 0.0, 0.0]
    )
