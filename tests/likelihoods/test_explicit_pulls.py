"""Profiled limits with several nuisances against iminuit, which fits every pull explicitly."""

import numpy as np
import pytest
from iminuit import Minuit
from scipy.optimize import toms748

CASES = [
    # Model, parameter of interest, profiled, held.
    ("electromagnetic", "q_ee", ("r2_ee", "q_emu"), {}),
    ("charge-radius", "r2_ee", ("r2_emu",), {}),
    ("vector", "g", ("sin2_theta_w",), {"mass_mev": 1.0}),
]
cases = pytest.mark.parametrize(
    ("model", "poi", "profiled", "held"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES]
)


class Explicit:
    """Chi2 of one parameter, minimised over couplings in natural sizes and over all pulls."""

    def __init__(self, likelihood, poi, profiled, held):
        self.counts = likelihood.counts((poi, *profiled), held)
        self.sizes = np.array([self.counts.size(name) for name in profiled])
        self.parameters = [likelihood.model.parameter(name) for name in profiled]

    def chi2(self, value, near):
        counts, n = self.counts, self.sizes.size

        def function(x):
            layers = counts.layers([[value, *(x[:n] * self.sizes)]])[0]
            moved = layers[0] + x[n:] @ layers[1:] - counts.seen
            return float(moved @ moved + x[n:] @ x[n:])

        start = np.array([near[p.name] for p in self.parameters]) / self.sizes
        fit = Minuit(function, np.concatenate([start + 0.05, np.zeros(len(counts.pulls))]))
        for i, (p, size) in enumerate(zip(self.parameters, self.sizes, strict=True)):
            fit.limits[i] = (p.minimum / size, p.maximum / size)
        fit.tol, fit.strategy = 1e-5, 2
        fit.migrad()
        return fit.fval


@cases
def test_chi2_is_that_of_iminuit(make, model, poi, profiled, held):
    likelihood = make(model, experiment="conus-plus-shapes")
    profile = likelihood.profile(poi, held, profiled)
    explicit = Explicit(likelihood, poi, profiled, held)
    sizes = np.abs(np.random.default_rng(5).normal(size=4))
    for value in sizes * explicit.counts.size(poi):
        basin = profile.basin(value)
        assert basin.chi2 == pytest.approx(explicit.chi2(value, basin.profiled), abs=1e-6)


@cases
def test_the_end_is_that_of_iminuit(make, model, poi, profiled, held):
    likelihood = make(model, experiment="conus-plus-shapes")
    found = likelihood.limit(poi, held, profiled=profiled)
    explicit = Explicit(likelihood, poi, profiled, held)
    end = found.intervals[-1][1]
    near = likelihood.profile(poi, held, profiled).basin(end).profiled
    level = explicit.chi2(found.best_fit, found.best_basin.profiled) + found.delta_chi2
    crossing = toms748(
        lambda value: explicit.chi2(value, near) - level, 0.98 * end, 1.02 * end, rtol=1e-5
    )
    assert end == pytest.approx(crossing, rel=1e-4)
