"""CLs and Wilks intervals against pyhf, in a case that both can state.

Counts of 1e8 in each bin have Poisson errors that are Gaussian to 1e-4, and a normalisation is a
linear `histosys` of all that is predicted.
"""

import json
import math
import warnings

import numpy as np
import pytest
from scipy.optimize import brentq

from fastscan.exceptions import InputError
from fastscan.inference.cls import asymptotic_tails, cls_limit, one_sided_statistic
from fastscan.inference.toys import ToyFits

with warnings.catch_warnings():
    # What pyhf's own dependencies say about each other.
    warnings.simplefilter("ignore")
    import pyhf

pytestmark = pytest.mark.filterwarnings(
    "ignore:jsonschema.RefResolver is deprecated:DeprecationWarning"
)

BACKGROUND = 1e8
SIZE = 1e-10  # of the magnetic moment at which pyhf's strength is one, in Bohr magnetons


@pytest.fixture(scope="module")
def case(make):
    """A magnetic moment seen in CONUS+, and the same in pyhf on a background."""
    likelihood = make("magnetic-moment")
    scale = math.sqrt(BACKGROUND) / likelihood.sigma
    standard = likelihood.predict(mu_nu=0.0).total * scale
    signal = likelihood.predict(mu_nu=SIZE).total * scale - standard
    seen = BACKGROUND + likelihood.data * scale

    def sample(name, counts, *modifiers):
        alpha = {
            "name": "alpha",
            "type": "histosys",
            "data": {
                "hi_data": list(counts * (1.0 + likelihood.sigma_alpha)),
                "lo_data": list(counts * (1.0 - likelihood.sigma_alpha)),
            },
        }
        return {"name": name, "data": list(counts), "modifiers": [alpha, *modifiers]}

    spec = {
        "channels": [
            {
                "name": "bins",
                "samples": [
                    sample("signal", signal, {"name": "mu", "type": "normfactor", "data": None}),
                    sample("standard", standard),
                    {
                        "name": "background",
                        "data": [BACKGROUND] * seen.size,
                        "modifiers": [],
                    },
                ],
            }
        ]
    }
    spec = json.loads(json.dumps(spec))
    model = pyhf.Model(spec, poi_name="mu")
    data = [*seen, *model.config.auxdata]
    return likelihood, model, data


@pytest.fixture(scope="module")
def pyhf_numbers(case):
    """Statistic, CL_s+b, CL_b and CLs at some strengths, and twice the profiled likelihood."""
    _, model, data = case
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-4))
    bounds = [(0.0, 10.0) if name == "mu" else (-5.0, 5.0) for name in model.config.parameters]
    out = {}
    for strength in (1.0, 1.4, 2.0):
        calculator = pyhf.infer.calculators.AsymptoticCalculator(
            data, model, par_bounds=bounds, test_stat="qtilde"
        )
        statistic = calculator.teststatistic(strength)
        signal, background = calculator.distributions(strength)
        above, beyond, cls = calculator.pvalues(statistic, signal, background)
        out[strength] = tuple(float(v) for v in (above, beyond, cls))
    return out


def test_tail_probabilities_are_those_of_pyhf(case, pyhf_numbers):
    likelihood, _, _ = case
    fits = ToyFits(likelihood, "mu_nu")
    for strength, (above, beyond, cls) in pyhf_numbers.items():
        value = SIZE * math.sqrt(strength)
        found = asymptotic_tails(
            float(one_sided_statistic(fits, fits.counts.observed, value)[0]),
            float(one_sided_statistic(fits, fits.mean(0.0), value)[0]),
        )
        assert found.signal == pytest.approx(above, rel=3e-3)
        assert found.background == pytest.approx(beyond, rel=3e-3)
        assert found.cls == pytest.approx(cls, rel=3e-3)


def test_wilks_interval_is_that_of_pyhf(case):
    likelihood, model, data = case
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-4))
    bounds = [(0.0, 10.0) if name == "mu" else (-5.0, 5.0) for name in model.config.parameters]
    _, lowest = pyhf.infer.mle.fit(data, model, par_bounds=bounds, return_fitted_val=True)

    def excess(strength):
        _, value = pyhf.infer.mle.fixed_poi_fit(
            strength, data, model, par_bounds=bounds, return_fitted_val=True
        )
        return float(value - lowest) - 2.7055

    high = brentq(excess, 0.5, 3.0, xtol=1e-4)
    own = likelihood.limit("mu_nu").intervals[-1][1]
    assert own == pytest.approx(SIZE * math.sqrt(high), rel=1e-3)


def test_the_formulas_give_the_limit_at_their_own_crossing(make):
    limit = cls_limit(make("magnetic-moment"), "mu_nu")
    fits = ToyFits(make("magnetic-moment"), "mu_nu")
    tails = asymptotic_tails(
        float(one_sided_statistic(fits, fits.counts.observed, limit.upper_limit)[0]),
        float(one_sided_statistic(fits, fits.mean(0.0), limit.upper_limit)[0]),
    )
    assert tails.cls == pytest.approx(0.10, rel=1e-9)
    assert limit.upper_limit == limit.asymptotic_upper_limit


def test_toys_scatter_around_their_limit_as_their_errors_say(make):
    found = [
        cls_limit(make("vector"), "g", {"mass_mev": 10.0}, toys=4000, seed=seed)
        for seed in range(10)
    ]
    highs = np.array([limit.upper_limit for limit in found])
    errors = np.array([limit.upper_error for limit in found])
    assert 0.4 < highs.std() / errors.mean() < 1.9
    assert highs.mean() == pytest.approx(found[0].asymptotic_upper_limit, rel=0.03)


def test_it_is_the_same_with_any_number_of_workers(make):
    one, two = (
        cls_limit(make("scalar"), "g", {"mass_mev": 1.0}, toys=1000, workers=workers)
        for workers in (1, 2)
    )
    assert one == two


@pytest.mark.parametrize(("model", "poi"), [("sm", "sin2_theta_w"), ("charge-radius", "r2_ee")])
def test_a_parameter_without_a_value_of_no_signal_is_refused(make, model, poi):
    with pytest.raises(InputError, match="feldman-cousins"):
        cls_limit(make(model), poi)
