"""Fits of toys on a grid agree with the exact ones, and work with any nuisances."""

import numpy as np
import pytest
from scipy.optimize import brentq

from fastscan import load_experiment
from fastscan.statistics import delta_chi2, likelihood
from fastscan.statistics.grid_fits import GridFits, fits_of_toys
from fastscan.statistics.toys import ToyFits, draw_toys

RISE = delta_chi2(0.90)
CASES = {
    "vector": ("g", {"mass_mev": 10.0}),
    "millicharge": ("q_ee", {"q_emu": 0.0, "q_etau": 0.0}),
    "charge-radius": ("r2_emu", {"r2_ee": 0.0, "r2_etau": 0.0}),
    "sm": ("sin2_theta_w", {}),
}


@pytest.mark.parametrize("model", CASES)
def test_ends_are_the_exact_ones(make, model):
    poi, given = CASES[model]
    exact, grid = ToyFits(make(model), poi, given), GridFits(make(model), poi, given)
    toys = draw_toys(exact.space.observed, 600, 4)
    found, known = grid.limits(toys, RISE), exact.limits(toys, RISE)
    # Half of them to 1e-5, and none by more than a few per cent of the interval.
    width = np.median(known[:, 1] - known[:, 0])
    assert np.median(np.abs(found - known)) < 1e-5 * width
    assert np.abs(found - known).max() < 0.05 * width
    assert grid.best(toys)[1] == pytest.approx(exact.best(toys)[1], abs=1e-3)


def test_end_at_infinity(make):
    grid = GridFits(make("vector"), "mass_mev", {"g": 1e-6})
    assert np.isinf(grid.limits(grid.space.observed, RISE)[0, 1])


def test_ends_with_several_nuisances_are_those_of_the_likelihood():
    pulls = [
        {"name": "nuclei", "kind": "normalisation", "sigma": 0.2, "channel": "cevns"},
        {"name": "electrons", "kind": "normalisation", "sigma": 0.3, "channel": "eves"},
    ]
    changed = load_experiment("conus-plus").with_changes({"systematics": {"pulls": pulls}})
    several = likelihood("vector", changed)
    given = {"mass_mev": 0.3}
    fits = fits_of_toys(several, "g", given)
    assert isinstance(fits, GridFits)
    seen = fits.space.observed
    (value,), (lowest,) = fits.best(seen)
    low, high = fits.limits(seen, RISE)[0]
    profile = several.profile("g", given)
    assert profile(value) == pytest.approx(lowest, abs=1e-6)
    assert low == 0.0
    exact = brentq(lambda g: profile(g) - lowest - RISE, value, 1e-4, xtol=1e-18)
    assert high == pytest.approx(exact, rel=2e-5, abs=0)


def test_one_normalisation_is_fitted_exactly(make):
    assert isinstance(fits_of_toys(make("vector"), "g", {"mass_mev": 1.0}), ToyFits)
