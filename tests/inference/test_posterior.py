"""Posteriors agree with slow twins, closed forms and a sampler; bad priors are refused."""

import emcee
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import truncnorm

from fastscan import Chi2Function, InputError, load_experiment
from fastscan.inference.dimension import Dimension
from fastscan.inference.posterior import Credible, credible_intervals, posterior
from fastscan.inference.prior_boxes import check_valley
from fastscan.likelihoods import Likelihood
from fastscan.likelihoods.hypotheses import hypotheses
from fastscan.models import Parameter

G = {"mass_mev": 10.0}


def log_likelihood(likelihood, counts):
    """The integral over alpha, done numerically, of a likelihood with one normalisation."""
    data, sigma, width = likelihood.data, likelihood.sigma, likelihood.sigma_alpha

    def chi2(alpha):
        return ((((1 + alpha) * counts - data) / sigma) ** 2).sum() + (alpha / width) ** 2

    # Parabolic in alpha: its lowest point and width tell where the integral is.
    second = (chi2(1.0) + chi2(-1.0)) / 2 - chi2(0.0)
    best = -(chi2(1.0) - chi2(-1.0)) / 4 / second
    spread = second**-0.5
    lowest = chi2(best)
    total, _ = quad(
        lambda a: np.exp((lowest - chi2(a)) / 2), best - 12 * spread, best + 12 * spread
    )
    return np.log(total / (width * np.sqrt(2 * np.pi))) - lowest / 2


def dense(likelihood, values, weight):
    """Probability of each of many even cells, from the closed form written out."""
    counts = likelihood.counts(["g"], G).layers(values[:, None])[:, 0]
    chi2 = Chi2Function(likelihood, ["g"], G)(values[:, None])
    norm = 1 + likelihood.sigma_alpha**2 * (counts**2).sum(axis=1)
    probability = np.exp(-(chi2 - chi2.min()) / 2) / np.sqrt(norm) * weight
    return probability / probability.sum()


def test_normalisation_is_integrated_out(make):
    likelihood = make("vector")
    one = posterior(likelihood, "g", G)
    values = np.array([0.0, 1e-5, 2e-5, 4e-5])
    density = one.density(values)
    counts = [likelihood.predict(g=g, **G).total for g in values]
    expected = [log_likelihood(likelihood, c) for c in counts]
    found = np.log(density / density[0])
    assert found == pytest.approx(np.array(expected) - expected[0], abs=1e-9)


def test_several_pulls_are_integrated_out(make):
    """Against the determinant of I + T T^T, with T from the layers."""
    changed = load_experiment("conus-plus").with_changes(
        {
            "systematics": {
                "sigma_alpha": 0.1,
                "pulls": [
                    {"name": "electrons", "kind": "normalisation", "sigma": 0.3, "channel": "eves"},
                    {
                        "name": "nuclei",
                        "kind": "normalisation",
                        "sigma": 0.2,
                        "channel": "cevns",
                    },
                ],
            }
        }
    )
    likelihood = Likelihood(make("vector").model, changed, make("vector").response)
    values = np.array([0.0, 1e-5, 3e-5])
    free = likelihood.counts(["g"], G)
    changes = free.layers(values[:, None])[:, 1:]
    assert changes.shape[1] > 1
    chi2 = hypotheses(free, values[:, None]).chi2(free.observed[None])[0]
    inner = np.eye(changes.shape[1]) + np.einsum("pkb,plb->pkl", changes, changes)
    expected = -0.5 * chi2 - 0.5 * np.linalg.slogdet(inner)[1]
    density = posterior(likelihood, "g", G).density(values)
    assert np.log(density / density[0]) == pytest.approx(expected - expected[0], abs=1e-9)


@pytest.mark.parametrize("prior", ["flat-g", "flat-g2", "log-g"])
def test_twin_with_two_islands(make, prior):
    likelihood = make("vector", charges="universal")
    low, high = (1e-7, 5e-5) if prior == "log-g" else (0.0, 5e-5)
    one = posterior(likelihood, "g", G, prior=prior, box=(low, high))
    cells = 400_000
    edges = np.linspace(low, high, cells + 1)
    values = (edges[1:] + edges[:-1]) / 2
    weight = {"flat-g": 1.0 + 0 * values, "flat-g2": values, "log-g": 1 / values}[prior]
    probability = dense(likelihood, values, weight)
    below = np.cumsum(probability)
    assert one.probability_below(2e-5) == pytest.approx(np.interp(2e-5, edges[1:], below), rel=1e-5)
    for cl in (0.5, 0.9):
        assert one.upper_limit(cl) == pytest.approx(np.interp(cl, below, edges[1:]), rel=1e-5)
    likely = np.argsort(-probability / weight)
    inside = np.zeros(cells, dtype=bool)
    inside[likely[: np.searchsorted(np.cumsum(probability[likely]), 0.9)]] = True
    steps = np.flatnonzero(np.diff(inside.astype(int), prepend=0, append=0))
    found = np.ravel(one.intervals(0.9))
    assert len(found) == len(steps)
    assert found == pytest.approx(edges[steps], abs=3 * (high - low) / cells)


def test_gaussian_posterior_in_closed_form(make):
    """Counts linear in mu_nu**2, no systematics: a normal distribution cut off at zero."""
    plain = make("magnetic-moment")
    likelihood = make("magnetic-moment", sigma_alpha=1e-9)
    none, one = (plain.predict(mu_nu=mu).total / plain.sigma for mu in (0.0, 1e-10))
    slope = (one - none) / 1e-20
    width = (slope @ slope) ** -0.5
    best = slope @ (plain.data / plain.sigma - none) * width**2
    normal = truncnorm(-best / width, np.inf, best, width)
    found = posterior(likelihood, "mu_nu", prior="flat-g2", box=(0.0, 1e-9))
    assert found.upper_limit(0.9) == pytest.approx(normal.ppf(0.9) ** 0.5, rel=1e-6, abs=0)
    assert found.quantile(0.5) == pytest.approx(normal.ppf(0.5) ** 0.5, rel=1e-6, abs=0)
    assert found.mode == pytest.approx(max(best, 0.0) ** 0.5, abs=1e-15)


def test_region_is_the_same_whatever_the_variable(make):
    """The densest region ends where the likelihood is one and the same, for every prior."""
    likelihood = make("vector", charges="universal")
    for prior in ("flat-g", "flat-g2", "log-g"):
        one = posterior(likelihood, "g", G, prior=prior, box=(1e-7, None))
        ends = [e for piece in one.intervals(0.8) for e in piece if e not in one.box]
        plain = posterior(likelihood, "g", G, box=(1e-7, None)).density(ends)
        assert plain == pytest.approx(plain[0], rel=1e-6)


def test_credible_region_holds_its_probability(make):
    one = posterior(make("millicharge"), "q_ee")
    held = sum(
        one.probability_below(high) - one.probability_below(low) for low, high in one.intervals(0.9)
    )
    assert held == pytest.approx(0.9, abs=1e-8)
    assert one.quadrature_error < 1e-8
    inside = quad(one.density, *one.intervals(0.9)[0], epsabs=0, epsrel=1e-9)[0]
    assert inside == pytest.approx(0.9, rel=1e-7)


def test_box_that_is_not_given_hardly_matters(make):
    chosen = credible_intervals(make("vector"), "g", G)
    wide = credible_intervals(make("vector"), "g", G, box=(0.0, 1.0))
    assert isinstance(chosen, Credible)
    assert chosen.upper_limit == pytest.approx(wide.upper_limit, rel=1e-6, abs=0)
    assert chosen.intervals[0][0] == 0.0


def test_posterior_of_a_mass(make):
    one = posterior(make("vector"), "mass_mev", {"g": 1e-5}, prior="log-g", box=(1e-2, 1e3))
    values = np.geomspace(1e-2, 1e3, 4001)
    density = one.density(values)
    assert np.trapezoid(density * values, np.log(values)) == pytest.approx(1.0, rel=1e-6)


def charges(likelihood):
    """The marginalised log likelihood of q_ee and q_emu, from the closed form written out."""
    free = likelihood.counts(("q_ee", "q_emu"))
    chi2 = Chi2Function(likelihood, free.names)

    def log_probability(points):
        counts = free.layers(points)[:, 0]
        norm = 1 + likelihood.sigma_alpha**2 * (counts**2).sum(axis=1)
        return chi2.log_likelihood(points) - 0.5 * np.log(norm)

    return log_probability


@pytest.fixture(scope="module")
def millicharges(make):
    """Posterior of q_ee and q_emu, made once."""
    return posterior(make("millicharge"), ("q_ee", "q_emu"))


def below(plane, name, value):
    """Probability below a value, the other parameter integrated over."""
    edges, probability = plane.marginal(name)
    return np.interp(value, edges, np.concatenate([[0.0], np.cumsum(probability)]))


def test_two_parameters_agree_with_a_sampler(make, millicharges):
    likelihood, plane = make("millicharge"), millicharges
    assert plane.quadrature_error < 1e-5
    scale, log = 1e-12, charges(likelihood)
    start = np.random.default_rng(7).normal(0.0, 1.0, (50, 2))
    sampler = emcee.EnsembleSampler(50, 2, lambda points: log(points * scale), vectorize=True)
    sampler._random.seed(7)
    sampler.run_mcmc(start, 1200)
    samples = scale * sampler.get_chain(discard=200, thin=5, flat=True)
    for i, name in enumerate(plane.names):
        for p in (0.05, 0.5, 0.95):
            assert below(plane, name, np.quantile(samples[:, i], p)) == pytest.approx(p, abs=0.015)
    # The sampler's points inside the region of 90 %, by their likelihood.
    inside = log(samples) - log(np.array([plane.mode]))[0] >= plane.level(0.9)
    assert inside.mean() == pytest.approx(0.9, abs=0.015)


def test_plane_agrees_with_the_line(make):
    """A parameter that is all but fixed leaves the posterior of the other alone."""
    likelihood = make("millicharge")
    plane = posterior(likelihood, ("q_ee", "q_emu"), box={"q_emu": (0.0, 1e-20)})
    one = posterior(likelihood, "q_ee")
    for p in (0.1, 0.5, 0.9):
        assert below(plane, "q_ee", one.quantile(p)) == pytest.approx(p, abs=1e-4)
        assert plane.quantile("q_ee", p) == pytest.approx(one.quantile(p), rel=1e-3, abs=1e-15)


def test_contours_lie_at_the_level(make, millicharges):
    likelihood, plane = make("millicharge"), millicharges
    (line,) = plane.contours(0.9)
    log = charges(likelihood)
    assert log(line) - log(np.array([plane.mode]))[0] == pytest.approx(plane.level(0.9), abs=1e-3)


def test_narrow_valley_is_followed(make):
    """Couplings to up and down quarks nearly cancel: against a fine grid."""
    likelihood = make("nsi", channels="cevns")
    names = ("eps_u_ee", "eps_d_ee")
    plane = posterior(likelihood, names, box=(-1.0, 1.0))
    free = likelihood.counts(names)
    chi2 = Chi2Function(likelihood, names)
    first = np.linspace(-1.0, 1.0, 801)[1::2]
    second = np.linspace(-1.0, 1.0, 2401)[1::2]
    mass = np.empty(first.size)
    for i, value in enumerate(first):
        points = np.stack([np.full(second.size, value), second], axis=1)
        counts = free.layers(points)[:, 0]
        norm = 1 + likelihood.sigma_alpha**2 * (counts**2).sum(axis=1)
        mass[i] = (np.exp(-chi2(points) / 2) / np.sqrt(norm)).sum()
    held = np.cumsum(mass) / mass.sum()
    for p in (0.2, 0.5, 0.8):
        value = np.interp(p, held, first + 2.5e-3)
        assert below(plane, names[0], value) == pytest.approx(p, abs=2e-4)


def test_end_in_a_valley_is_not_chosen():
    parameters = [Parameter(name, "1", 0.0, name, "") for name in ("a", "b")]
    pair = tuple(Dimension(parameter, "flat-g", 0.01) for parameter in parameters)
    full = ((-3.0, 3.0), (-3.0, 3.0))

    def valley(points):
        return -0.5 * (points.sum(axis=1) / 0.01) ** 2

    with pytest.raises(InputError, match="does not fall along a valley of a and b"):
        check_valley(valley, pair, ((None, None), (None, None)), full)
    check_valley(valley, pair, full, full)


def test_level_of_two_equal_partners(make):
    """Only the sum of their squares matters: the region is a disc, half of it on each side."""
    likelihood = make("electromagnetic")
    plane = posterior(likelihood, ("q_emu", "q_etau"), box=(-3e-11, 3e-11))
    for name in plane.names:
        assert plane.quantile(name, 0.5) == pytest.approx(0.0, abs=1e-16)
    (line,) = plane.contours(0.9)
    radius = np.hypot(*line.T)
    assert np.ptp(radius) / radius.mean() < 2e-3
    # In the radius alone, q dq: a prior flat in the square.
    one = posterior(likelihood, "q_emu", prior="flat-g2", box=(0.0, 3e-11))
    assert radius.mean() == pytest.approx(one.quantile(0.9), rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prior": "jeffreys"}, "unknown prior 'jeffreys'"),
        ({"prior": "log-g"}, "has no lower end"),
        ({"prior": "log-g", "box": (0.0, 1e-3)}, "can not start at 0"),
        ({"box": (-1e-6, 1e-3)}, "out of range"),
        ({"box": (1e-5, 1e-6)}, "is empty"),
        ({"box": (float("nan"), 1e-6)}, "not a finite number"),
        ({"box": (1e-3, 1.0)}, "the data exclude the box"),
        ({"box": {"mass": (0.0, 1.0)}}, "unknown parameter 'mass'"),
    ],
)
def test_bad_priors_are_refused(make, arguments, message):
    with pytest.raises(InputError, match=message):
        posterior(make("vector"), "g", G, **arguments)


def test_mass_needs_an_end_of_its_box(make):
    with pytest.raises(InputError, match="does not fall towards large mass_mev"):
        posterior(make("vector"), "mass_mev", {"g": 1e-5})


def test_disfavoured_box_gives_a_warning(make):
    low = make("vector").limit("g", G, cl=0.999).intervals[-1][1]
    found = posterior(make("vector"), "g", G, box=(low, None))
    assert found.warning.startswith("the data disfavour the box")


def test_parameter_without_effect_is_refused(make):
    with pytest.raises(InputError, match="do not depend on g"):
        posterior(make("vector", channels="eves", charges="b-3l_mu"), "g", G)


@pytest.mark.parametrize("cl", [0.68, 0.9, 0.95])
def test_a_flat_posterior_holds_what_is_asked_of_it(make, cl):
    """In log g all small couplings are equally likely: the smallest are left out first."""
    one = posterior(make("scalar"), "g", {"mass_mev": 0.3}, prior="log-g", box=(1e-10, 2e-5))
    held = sum(
        one.probability_below(high) - one.probability_below(low) for low, high in one.intervals(cl)
    )
    assert held == pytest.approx(cl, abs=1e-4)
