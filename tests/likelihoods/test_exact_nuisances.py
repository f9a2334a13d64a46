"""Linear nuisances against counts predicted again at every value, fitted with iminuit.

The twin knows no expansion: the tensors are built at five values of the setting, each coefficient
is interpolated through all of them, and the normalisation multiplies the result.
"""

from functools import cache

import numpy as np
import pytest
from iminuit import Minuit
from scipy.optimize import toms748

from fastscan.counts import build_signal
from fastscan.counts.nuisances import Nuisances
from fastscan.inputs import load_experiment
from fastscan.likelihoods import Likelihood, delta_chi2
from fastscan.models import get_model
from fastscan.tensors import load_response

VALUES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
NORMALISATION = 0.058  # what conus-plus-shapes has beside quenching and energy scale
# Away from the edges of the bins: there counts are not a smooth function of them.
THRESHOLDS = {f"detectors.{i}.threshold_ev": ev for i, ev in enumerate((184.0, 164.0, 174.0))}
SETTINGS = {
    "quenching": ({}, {"target.quenching.k": 0.004}),
    "threshold": (THRESHOLDS, dict.fromkeys(THRESHOLDS, 1.5)),
    "energy scale": ({}, {"ionisation.energy_scale": 0.0354}),
}
CASES = {"sm": ("sin2_theta_w", {}, 0.6), "vector": ("g", {"mass_mev": 10.0}, 1e-4)}
# Largest difference of the upper 90 % limits, relative.
DIFFERENCES = {
    ("quenching", "sm"): 0.0015,
    ("quenching", "vector"): 0.0025,
    ("threshold", "sm"): 0.0003,
    ("threshold", "vector"): 0.0007,
    ("energy scale", "sm"): 0.005,
    ("energy scale", "vector"): 0.010,
}


@cache
def experiment(setting):
    base, changes = SETTINGS[setting]
    pulls = [
        {"name": "other", "kind": "normalisation", "sigma": NORMALISATION},
        {"name": setting, "kind": "setting", "settings": changes},
    ]
    conus = load_experiment("conus-plus")
    # Settings first: pulls are checked against what the experiment then is.
    return conus.with_changes(base).with_changes({"systematics": {"pulls": pulls}})


@cache
def moved_responses(setting):
    own = experiment(setting)
    pull = own.systematics.pulls[1]
    moved = [own.pulled(pull, float(value)) for value in VALUES]
    return [(each, load_response(each)) for each in moved]


class Exact:
    """Chi2 profiled over normalisation and setting by iminuit."""

    def __init__(self, setting, model):
        poi, given, _ = CASES[model]
        theory = get_model(model)
        fixed = {p.name: p.default for p in theory.parameters if p.name != poi} | given
        rates = [build_signal(theory, *each, fixed=fixed) for each in moved_responses(setting)]
        self.poi, self.rates = poi, rates[0]
        powers = np.linalg.inv(np.vander(VALUES, increasing=True))
        self.polynomials = np.einsum("pv,vmb->pmb", powers, [r.coefficients()[0] for r in rates])
        seen = experiment(setting).observation
        self.data, self.sigma = seen.counts, seen.sigma

    def chi2(self, value):
        counts = np.einsum(
            "m,pmb->pb", self.rates.monomials({self.poi: value})[0], self.polynomials
        )

        def function(alpha, beta):
            rest = (1.0 + NORMALISATION * alpha) * (beta ** np.arange(5) @ counts) - self.data
            return ((rest / self.sigma) ** 2).sum() + alpha**2 + beta**2

        fit = Minuit(function, alpha=0.0, beta=0.0)
        fit.tol = 1e-6
        fit.migrad()
        assert fit.valid
        return fit.fval, fit.values["beta"]


@pytest.mark.parametrize("model", CASES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_linear_limits_are_near_the_exact_ones(setting, model):
    poi, given, high = CASES[model]
    own = experiment(setting)
    linear = Likelihood(get_model(model), own, load_response(own), nuisances=Nuisances.load(own))
    limit = linear.limit(poi, given)
    exact = Exact(setting, model)
    # A pull of a tenth at the best fit: there both agree.
    lowest, _ = exact.chi2(limit.best_fit)
    assert lowest == pytest.approx(limit.chi2_min, abs=2e-3)
    rise = delta_chi2(0.90)
    end = toms748(
        lambda value: exact.chi2(value)[0] - lowest - rise, limit.best_fit, high, rtol=1e-6
    )
    linear_end = limit.intervals[-1][1]
    assert abs(exact.chi2(end)[1]) > 0.1
    assert linear_end == pytest.approx(end, rel=DIFFERENCES[setting, model])
    # Where they differ the linear limit is the weaker one.
    assert linear_end > end * (1.0 - 2e-4)


@pytest.mark.parametrize(("model", "difference"), [("sm", 0.008), ("vector", 0.0155)])
def test_two_settings_together_differ_most(model, difference):
    """Quenching and energy scale both exact, on a lattice of their values."""
    pulls = [
        {"name": "other", "kind": "normalisation", "sigma": NORMALISATION},
        *(
            {"name": name, "kind": "setting", "settings": SETTINGS[name][1]}
            for name in ("quenching", "energy scale")
        ),
    ]
    own = load_experiment("conus-plus").with_changes({"systematics": {"pulls": pulls}})
    _, first, second = own.systematics.pulls
    poi, given, high = CASES[model]
    theory = get_model(model)
    fixed = {p.name: p.default for p in theory.parameters if p.name != poi} | given
    values = np.array([-1.5, 0.0, 1.5])
    lattice = []
    for a in values:
        for b in values:
            moved = own.pulled(first, float(a)).with_changes(
                {key: own.number(key) + b * step for key, step in second.settings.items()}
            )
            rates = build_signal(theory, moved, load_response(moved), fixed=fixed)
            lattice.append(rates.coefficients()[0])
    powers = np.linalg.inv(np.vander(values, increasing=True))
    nodes = np.reshape(lattice, (3, 3, *lattice[0].shape))
    polynomials = np.einsum("pa,qb,abmn->pqmn", powers, powers, nodes)
    seen = own.observation

    def chi2(value):
        counts = np.einsum("m,pqmb->pqb", rates.monomials({poi: value})[0], polynomials)

        def function(alpha, one, other):
            moved = np.einsum("p,q,pqb->b", one ** np.arange(3), other ** np.arange(3), counts)
            rest = ((1.0 + NORMALISATION * alpha) * moved - seen.counts) / seen.sigma
            return rest @ rest + alpha**2 + one**2 + other**2

        fit = Minuit(function, alpha=0.0, one=0.0, other=0.0)
        fit.tol = 1e-6
        fit.migrad()
        assert fit.valid
        return fit.fval

    linear = Likelihood(theory, own, load_response(own), nuisances=Nuisances.load(own))
    limit = linear.limit(poi, given)
    level = chi2(limit.best_fit) + delta_chi2(0.90)
    end = toms748(lambda value: chi2(value) - level, limit.best_fit, high, rtol=1e-6)
    assert limit.intervals[-1][1] / end - 1.0 == pytest.approx(difference, abs=5e-4)
