"""Fits of toys with several pulls, and of two parameters, against brute force on the same toys."""

import numpy as np
import pytest
from scipy.optimize import minimize

import fastscan
from fastscan import Axis
from fastscan.exceptions import InputError
from fastscan.inference.coverage import coverage
from fastscan.inference.critical_values import critical_value
from fastscan.inference.feldman_cousins import feldman_cousins
from fastscan.inference.goodness import best_fit
from fastscan.inference.sensitivity import expected_limit
from fastscan.inference.toys import ToyFits, draw_toys
from fastscan.likelihoods import Likelihood
from fastscan.likelihoods.hypotheses import hypotheses, scores_at_points
from fastscan.scan.construction import run_construction

SHAPES = "conus-plus-shapes"


def brute_force(counts, toy, grid):
    """Lowest chi2 over parameters and pulls together, from the lowest points of a grid."""
    size = counts.seen.size

    def chi2(variables):
        point, pulls = variables[: grid.shape[1]] * scale, variables[grid.shape[1] :]
        layers = counts.layers(point[None])[0]
        rest = layers[0] + (pulls - counts.centre) @ layers[1:] - toy[:size]
        return float(rest @ rest + ((pulls - toy[size:]) ** 2).sum())

    order = np.argsort(hypotheses(counts, grid).chi2(toy[None])[0])
    bounds = [(p.minimum, p.maximum) for p in counts.parameters]
    best = np.inf
    for start in grid[order[:40:8]]:
        scale = np.where(start != 0.0, np.abs(start), np.abs(grid).max(axis=0))
        scaled = [(a / s, b / s) for (a, b), s in zip(bounds, scale, strict=True)]
        own = hypotheses(counts, start[None])
        pulls = own.mean(toy)[0, size:]
        found = minimize(
            chi2,
            np.append(start / scale, pulls),
            bounds=scaled + [(None, None)] * pulls.size,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000, "maxfun": 100_000},
        )
        best = min(best, float(found.fun))
    return best


def product(*columns):
    return np.stack(np.meshgrid(*columns, indexing="ij"), axis=-1).reshape(-1, len(columns))


PLANES = [
    ("vector", ("mass_mev", "g"), {}, (10.0, 1e-5),
     (np.geomspace(1e-3, 1e4, 60), np.append(0.0, np.geomspace(1e-6, 1.0, 120)))),
    ("vector", ("g", "sin2_theta_w"), {"mass_mev": 10.0}, (1e-5, 0.24),
     (np.append(0.0, np.geomspace(1e-6, 1e-3, 60)), np.linspace(0.0, 1.0, 81))),
    ("charge-radius", ("r2_ee", "r2_emu"), {"r2_etau": 0.0}, (1e-32, 1e-32),
     (np.linspace(-1e-30, 1e-30, 61), np.linspace(0.0, 1e-30, 61))),
]  # fmt: skip


@pytest.mark.parametrize(("model", "names", "given", "point", "columns"), PLANES)
def test_two_parameters_agree_with_brute_force(make, model, names, given, point, columns):
    fits = ToyFits(make(model, SHAPES), names, given)
    toys = draw_toys(fits.mean(point), 2, 8)
    values, chi2 = fits.best(toys)
    for toy, value, own in zip(toys, values, chi2, strict=True):
        exact = brute_force(fits.counts, toy, product(*columns))
        assert exact - 1e-6 < own < exact + 1e-6
        if np.isfinite(value).all():
            at = hypotheses(fits.counts, value[None]).chi2(toy[None])[0, 0]
            assert at == pytest.approx(own, abs=1e-6)


def test_a_profiled_mass_is_fitted(make):
    """At each of three couplings, all masses."""
    fits = ToyFits(make("vector", SHAPES), "g", {}, ["mass_mev"])
    toys = draw_toys(fits.mean(2e-5), 40, 5)
    masses = np.geomspace(1e-3, 1e4, 4001)
    for value in (1e-6, 2e-5, 1e-3):
        points = np.stack([np.full(masses.size, value), masses], axis=1)
        dense = toys @ toys.T
        dense = np.diag(dense) - scores_at_points(toys, hypotheses(fits.counts, points)).max(axis=1)
        own = fits.chi2_at(toys, value)
        assert (own < dense + 1e-6).all()
        assert np.median(np.abs(own - dense)) < 1e-4
    with pytest.raises(InputError, match="profiled mass"):
        fits.limits(toys, 2.7)


def test_ends_with_a_profiled_parameter_lie_on_the_level(make):
    fits = ToyFits(make("vector", SHAPES), "g", {"mass_mev": 10.0}, ["sin2_theta_w"])
    toys = draw_toys(fits.counts.observed, 8, 6)
    low, high = fits.limits(toys, 2.7).T
    lowest = fits.best(toys)[1]
    assert (low == 0.0).all()
    for toy, end, least in zip(toys, high, lowest, strict=True):
        assert fits.chi2_at(toy, end)[0] == pytest.approx(least + 2.7, abs=1e-7)
        assert fits.chi2_at(toy, 1.01 * end)[0] > least + 2.7


def test_a_pulled_fit_does_not_depend_on_its_company(make):
    fits = ToyFits(make("vector", SHAPES), ("mass_mev", "g"))
    toys = draw_toys(fits.counts.observed, 70, 12)
    whole = fits.best(toys)
    parts = [fits.best(part) for part in np.split(toys, [1, 33])]
    for k in range(2):
        assert np.array_equal(whole[k], np.concatenate([part[k] for part in parts]))


def test_one_normalisation_is_fitted_alike_by_both_strategies(make):
    """A constraint on what is held changes nothing but the strategy."""
    free = make("vector")
    held = free.constrained("sin2_theta_w", 0.23857, 0.01)
    for names in ("g", ("mass_mev", "g")):
        given = {"sin2_theta_w": 0.23857} | ({"mass_mev": 10.0} if names == "g" else {})
        one, other = ToyFits(free, names, given), ToyFits(held, names, given)
        toys = draw_toys(one.counts.observed, 300, 4)
        measured = np.insert(toys, toys.shape[1] - 1, 23.857, axis=1)
        off = other.best(measured)[1] - one.best(toys)[1]
        # Of two parameters either may take one of two basins for the other.
        assert np.abs(off).max() < (1e-9 if names == "g" else 1e-2)
        assert (np.abs(off) > 1e-5).mean() < 0.01


def test_a_construction_with_pulls_has_the_critical_values_of_brute_force(tables, tmp_path):
    """A plane of 6 x 6, at each point other toys, fitted on a dense grid."""
    likelihood = fastscan.likelihood("vector", SHAPES)
    axes = [Axis("mass_mev", 1.0, 100.0, 6, "log"), Axis("g", 1e-6, 1e-4, 6, "log")]
    made = run_construction(
        likelihood, axes, out=tmp_path / "x.zarr", toys=1, precision=0.9, seed=1
    )
    counts = likelihood.counts(("mass_mev", "g"))
    masses, couplings = np.geomspace(1.0, 100.0, 25), np.append(0.0, np.geomspace(1e-6, 1.0, 180))
    dense = hypotheses(counts, product(masses, couplings))
    off = []
    for index in np.ndindex(6, 6):
        own = hypotheses(counts, [[axis.values[i] for axis, i in zip(axes, index, strict=True)]])
        toys = draw_toys(own.mean(counts.observed)[0], 300, 99, index)
        rises = scores_at_points(toys, dense).max(axis=1) - scores_at_points(toys, own)[:, 0]
        found = critical_value(np.maximum(rises, 0.0), 0.90)
        error = np.hypot(found.error, made.critical_error[index])
        off.append((made.critical_value[index] - found.value) / error)
    assert np.abs(off).max() < 4.0
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1.0, abs=0.4)
    assert abs(np.mean(off)) < 0.5


@pytest.fixture(scope="module")
def whole_and_halves(tables):
    """Two experiments, and the same with one of them cut in two that share their nuisances."""
    budget = fastscan.likelihood("vector", "conus-plus-budget").experiment
    changes = {"name": "second", "observation.stop_ev": 300.0}
    second = fastscan.likelihood("vector", budget.with_changes(changes))
    second = second.observing(1.1 * second.data)
    whole = fastscan.likelihood("vector", SHAPES)
    edges = np.asarray(whole.experiment.observation.edges_ev)
    middle = len(edges) // 2
    halves = []
    for name, start, stop in (("low", 0, middle), ("high", middle, len(edges) - 1)):
        changes = {
            "name": name,
            "observation.start_ev": float(edges[start]),
            "observation.stop_ev": float(edges[stop]),
        }
        half = fastscan.likelihood("vector", whole.experiment.with_changes(changes))
        halves.append(half.observing(whole.data[start:stop]))
    both = [name for name in whole.nuisance_names if name in second.nuisance_names]
    cut = Likelihood.joined([second, *halves], shared=whole.nuisance_names)
    return Likelihood.joined([second, whole], shared=both), cut


def test_two_halves_are_the_whole(whole_and_halves):
    whole, halves = whole_and_halves
    for names, given, profiled in (
        ("g", {"mass_mev": 10.0}, None),
        ("g", {}, ["mass_mev"]),
        (("mass_mev", "g"), {}, None),
    ):
        one, other = (ToyFits(each, names, given, profiled) for each in whole_and_halves)
        assert other.counts.observed == pytest.approx(one.counts.observed, rel=1e-9)
        toys = draw_toys(one.counts.observed, 60, 4)
        assert other.best(toys)[1] == pytest.approx(one.best(toys)[1], abs=1e-9)
        value = 1e-5 if isinstance(names, str) else (10.0, 1e-5)
        assert other.rises(toys, value) == pytest.approx(one.rises(toys, value), abs=1e-9)
    given = {"mass_mev": 10.0}
    one, other = (expected_limit(each, "g", given, toys=20) for each in (whole, halves))
    assert other.bands == pytest.approx(one.bands, rel=1e-8)
    one, other = (feldman_cousins(each, "g", given, toys=300) for each in (whole, halves))
    assert other.intervals == pytest.approx(np.array(one.intervals), rel=1e-8)
    one, other = (coverage(each, "g", 2e-5, given, toys=200) for each in (whole, halves))
    assert other.shares == one.shares
    one, other = (best_fit(each, ["g"], given, toys=200) for each in (whole, halves))
    assert other.toys.p_value == one.toys.p_value


def test_coverage_with_pulls_is_what_is_stated(make):
    found = coverage(
        make("vector", SHAPES), "g", 2e-5, {"mass_mev": 10.0}, toys=4000, seed=2,
        methods=("wilks", "feldman-cousins", "cls", "bayes-flat-g2"),
    )  # fmt: skip
    shares = {name: share.value for name, share in found.shares.items()}
    assert shares["feldman-cousins"] == pytest.approx(0.90, abs=0.02)
    assert 0.88 < shares["wilks"] < 0.95
    assert 0.90 < shares["cls"] < 0.98
    assert 0.85 < shares["bayes-flat-g2"] < 0.97
