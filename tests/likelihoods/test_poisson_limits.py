"""Limits from counts against textbooks, another minimiser and another program."""

import math
import warnings

import numpy as np
import pytest
from counted import BACKGROUND, SEEN, ccd
from iminuit import Minuit
from naive import poisson_deviance
from scipy.optimize import brentq
from scipy.stats import poisson

from fastscan.exceptions import InputError
from fastscan.inference.cls import cls_limit
from fastscan.inference.toys import ToyFits
from fastscan.likelihoods import Chi2Function, Likelihood, delta_chi2, likelihood
from fastscan.likelihoods.form import chi2_form

with warnings.catch_warnings():
    # What pyhf's own dependencies say about each other.
    warnings.simplefilter("ignore")
    import pyhf

pytestmark = pytest.mark.filterwarnings(
    "ignore:jsonschema.RefResolver is deprecated:DeprecationWarning"
)

ONE_BIN = (160.0, 350.0)
MASS = {"mass_mev": 10.0}


def minuit_chi2(counts, value, starts=4):
    """The lowest -2 ln L over the pulls at a value of the parameter, by Minuit."""
    layers = counts.layers([[value]])[0] * counts.sigma
    seen, pulls = counts.seen * counts.sigma, len(counts.pulls)

    def cost(beta):
        expected = np.maximum(layers[0] + beta @ layers[1:], 1e-12)
        return poisson_deviance(expected, seen) + float(beta @ beta)

    found = []
    for start in np.random.default_rng(5).normal(0.0, 0.7, (starts, pulls)):
        fit = Minuit(cost, start)
        fit.errordef, fit.strategy, fit.tol = Minuit.LEAST_SQUARES, 2, 1e-4
        fit.migrad(ncall=20_000)
        found.append(fit.fval)
    return min(found)


def test_limit_is_that_of_minuit(tmp_path):
    own = likelihood("vector", ccd(tmp_path))
    limit = own.limit("g", MASS)
    counts = own.counts(("g",), MASS)
    assert limit.chi2_min == pytest.approx(minuit_chi2(counts, limit.best_fit), abs=1e-7)
    level = limit.chi2_min + delta_chi2(0.90)
    end = limit.intervals[-1][1]
    found = brentq(
        lambda g: minuit_chi2(counts, g) - level, 0.95 * end, 1.05 * end, xtol=1e-7 * end
    )
    assert end == pytest.approx(found, rel=1e-5)


def test_few_counts_are_not_gaussian(tmp_path):
    """With errors of the root of 15 counts the limit would be another one by more than 5 %."""
    own = likelihood("vector", ccd(tmp_path))
    counts = own.counts(("g",), MASS)
    gaussian = counts.__class__(
        counts.parameters, counts.fixed,
        tuple(part.__class__(part.name, part.signals, part.mixing, part.seen, part.sigma)
              for part in counts.parts), counts.pulls, counts.centre,
    )  # fmt: skip
    from fastscan.likelihoods.profile import Profile

    wrong = Profile(chi2_form(gaussian)).pieces(delta_chi2(0.90)).intervals[-1][1]
    assert abs(wrong / own.limit("g", MASS).intervals[-1][1] - 1.0) > 0.05


def one_bin(folder, seen, known):
    """One bin with a known background, and a magnetic moment as its signal."""
    path = ccd(
        folder, seen=[seen], background=[known - 1e-6], size="", tilt=0.0, expectation=1e-6,
        sigma_alpha=1e-4, edges=ONE_BIN,
    )  # fmt: skip
    return likelihood("magnetic-moment", path, channels="eves")


# Intervals at 90 %, Feldman and Cousins, Phys. Rev. D 57 (1998) 3873, tables IV and V.
TABLES = {
    0.0: {0: (0.00, 2.44), 1: (0.11, 4.36), 2: (0.53, 5.91), 3: (1.10, 7.42), 4: (1.47, 8.60),
          5: (1.84, 9.99), 6: (2.21, 11.47), 7: (3.56, 12.53), 8: (3.96, 13.99), 9: (4.36, 15.30),
          10: (5.50, 16.50), 15: (9.48, 22.52), 20: (13.55, 28.52)},
    3.0: {0: (0.00, 1.08), 1: (0.00, 1.88), 2: (0.00, 3.04), 3: (0.00, 4.42), 4: (0.00, 5.60),
          5: (0.00, 6.99), 6: (0.15, 8.47), 7: (0.89, 9.53), 8: (1.51, 10.99), 9: (1.88, 12.30),
          10: (2.63, 13.50), 15: (6.48, 19.52), 20: (10.55, 25.52)},
}  # fmt: skip


@pytest.mark.parametrize("known", TABLES)
def test_one_bin_is_the_table_of_feldman_and_cousins(tmp_path, known):
    """The statistic orders counts as theirs does; their probabilities are summed here."""
    own = one_bin(tmp_path, 3.0, max(known, 2e-6))
    poi = "mu_nu"
    fits = ToyFits(own, poi)
    counts = fits.counts
    background, unit = (counts.layers([[v]])[0, 0, 0] * counts.sigma[0] for v in (0.0, 1e-10))
    per_square = (unit - background) / 1e-20
    numbers = np.arange(80.0)
    vectors = np.repeat(counts.observed[None], numbers.size, axis=0)
    vectors[:, 0] = numbers / counts.sigma[0]
    signals = np.arange(0.0, 30.0, 0.01)
    accepted = np.zeros((signals.size, numbers.size), dtype=bool)
    best = fits.best(vectors)[1]
    for i, signal in enumerate(signals):
        value = math.sqrt(signal / per_square)
        rises = fits.chi2_at(vectors, value) - best
        probability = poisson.pmf(numbers, signal + known)
        order = np.argsort(np.round(rises, 5), kind="stable")
        needed = int(np.searchsorted(np.cumsum(probability[order]), 0.90)) + 1
        accepted[i, order[:needed]] = True
    for number, (low, high) in TABLES[known].items():
        inside = signals[accepted[:, number]]
        assert inside.min() == pytest.approx(low, abs=0.025), number
        if (known, number) == (3.0, 0):
            # Lengthened in the tables, so that no larger background gives a larger limit.
            assert 0.9 < inside.max() < high
            continue
        assert inside.max() == pytest.approx(high, abs=0.025), number


@pytest.mark.parametrize(("on", "off", "ratio"), [(17, 12, 0.5), (40, 90, 0.25), (6, 1, 1.0)])
def test_on_and_off_are_li_and_ma(tmp_path, on, off, ratio):
    """Signal in one bin, and none in another that measures the free background of both.

    q0 is the square of eq. 17 of Li and Ma, Astrophys. J. 272 (1983) 317.
    """
    parts = [
        likelihood(
            "sm",
            ccd(
                tmp_path / name, name=name, seen=[seen], background=[size], size="free = true",
                tilt=0.0, expectation=1e-9, sigma_alpha=1e-3, edges=ONE_BIN,
            ),
        )
        for name, seen, size in (("on", on, 10.0 * ratio), ("off", off, 10.0))
    ]  # fmt: skip
    joint = Likelihood.joined(parts, shared=["dark current"])
    squared = 2 * (
        on * math.log((1 + ratio) / ratio * on / (on + off))
        + off * math.log((1 + ratio) * off / (on + off))
    )
    assert joint.predict().chi2 == pytest.approx(squared, rel=1e-7)


def test_no_counts_at_all_set_a_limit(tmp_path):
    own = likelihood("vector", ccd(tmp_path, seen=np.zeros(8)))
    limit = own.limit("g", MASS)
    counts = own.counts(("g",), MASS)
    end = limit.intervals[-1][1]
    level = limit.chi2_min + delta_chi2(0.90)
    assert minuit_chi2(counts, end) == pytest.approx(level, abs=1e-4)


def test_counts_without_signal_and_background_are_infinitely_unlikely(tmp_path):
    """Said, and not NaN; above zero signal chi2 is finite."""
    background = np.array(BACKGROUND)
    background[3] = 0.0
    own = likelihood("scalar", ccd(tmp_path, background=background, tilt=0.0), channels="eves")
    chi2 = Chi2Function(own, ["g", "sin2_theta_w"], MASS)
    assert np.isfinite(chi2([1e-5, 0.2]))
    layers = own.counts(("g",), MASS).layers([[0.0]])[0]
    without = layers - own.counts(("g",), MASS).layers([[0.0]])[0]
    without[0] = background / own.counts(("g",), MASS).sigma
    assert own.form(("g",), MASS).fit(without).chi2 == math.inf


def test_events_that_nothing_expects_are_said(tmp_path):
    path = ccd(
        tmp_path, edges=(160.0, 200.0, 300.0, 3000.0, 4000.0), seen=[4, 5, 3, 1],
        background=[2.0, 2.0, 2.0, 0.0], tilt=0.0,
    )  # fmt: skip
    own = likelihood("vector", path, channels="cevns")
    assert own.predict(g=1e-5, **MASS).chi2 == math.inf
    for ask in (
        lambda: own.limit("g", MASS),
        lambda: ToyFits(own, "g", MASS),
        lambda: own.limit("g", MASS, profiled=["sin2_theta_w"]),
    ):
        with pytest.raises(InputError, match="1 events in bin 4, where there is no background"):
            ask()


def test_expected_data_are_fitted_exactly(tmp_path):
    from fastscan.inference.sensitivity import asimov

    expected = asimov(likelihood("vector", ccd(tmp_path)), {"g": 2e-5, **MASS})
    assert expected.predict(g=2e-5, **MASS).chi2 == pytest.approx(0.0, abs=1e-12)
    limit = expected.limit("g", MASS)
    assert limit.best_fit == pytest.approx(2e-5, rel=1e-6)


def workspace(own, value, scale=1.0):
    """The experiment as pyhf has it: all nuisances are symmetric histosys, which are linear."""
    counts = own.counts(("mu_nu",))
    none, one = (counts.layers([[v]])[0] * counts.sigma for v in (0.0, value))
    names = counts.pulls

    def sample(name, layers, *more):
        modifiers = [
            {
                "name": pull,
                "type": "histosys",
                "data": {"lo_data": list(layers[0] - own), "hi_data": list(layers[0] + own)},
            }
            for pull, own in zip(names, layers[1:], strict=True)
        ]
        return {"name": name, "data": list(layers[0]), "modifiers": [*modifiers, *more]}

    strength = {"name": "mu", "type": "normfactor", "data": None}
    spec = {
        "channels": [
            {
                "name": "bins",
                "samples": [sample("signal", one - none, strength), sample("rest", none)],
            }
        ],
        "parameters": [{"name": "mu", "bounds": [[0.0, 20.0]], "inits": [1.0]}],
    }
    model = pyhf.Model(spec, poi_name="mu")
    return model, [*(counts.seen * counts.sigma), *model.config.auxdata]


def test_minus_two_log_likelihood_is_that_of_pyhf(tmp_path):
    own = likelihood("magnetic-moment", ccd(tmp_path))
    model, data = workspace(own, 1e-10)

    def theirs(value):
        pulls = own.predict(mu_nu=value).pulls
        at = {"mu": [(value / 1e-10) ** 2], **{name: [pull] for name, pull in pulls.items()}}
        parameters = [p for name in model.config.par_order for p in at[name]]
        return -2.0 * float(np.asarray(model.logpdf(parameters, data)).ravel()[0])

    reference = own.predict(mu_nu=0.0).chi2 - theirs(0.0)
    for value in (2e-11, 1e-10, 2e-10):
        assert own.predict(mu_nu=value).chi2 - theirs(value) == pytest.approx(reference, abs=1e-9)


def test_cls_limit_is_that_of_pyhf(tmp_path):
    """Asymptotic CLs with the statistic q of a strength that is not negative."""
    own = likelihood("magnetic-moment", ccd(tmp_path))
    limit = cls_limit(own, "mu_nu", cl=0.90).upper_limit
    model, data = workspace(own, limit)
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(strategy=2, tolerance=1e-6))
    try:
        cls = float(pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde"))
        near = float(pyhf.infer.hypotest(1.001, data, model, test_stat="qtilde"))
    finally:
        pyhf.set_backend("numpy")
    # From the distance of CLs to that of the strength, the square of the moment.
    strength = 1.0 + (0.10 - cls) * 0.001 / (near - cls)
    assert math.sqrt(strength) == pytest.approx(1.0, abs=1e-4)


def test_sum_of_counts_is_that_of_the_example():
    assert sum(SEEN) == 15
    assert sum(BACKGROUND) == pytest.approx(9.8)
