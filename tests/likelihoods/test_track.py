"""Basins of chi2 over several couplings: narrow ones are found, and none is missed by a profile."""

from itertools import combinations_with_replacement
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize

from fastscan.likelihoods import track
from fastscan.likelihoods.basins import Descents
from fastscan.likelihoods.track import Track
from fastscan.models import Parameter

BINS = 4


class Planted:
    """Counts without pulls whose chi2 is known: each of z = M x has two basins of its own.

    y = base + b z u + (b / far) z**2 v with u and v almost alike, so that the basins lie at about 0
    and -far, a width of about 1 / b each. The first coupling is of interest, the others are mixed.
    """

    def __init__(self, seed, *, mixed):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 6))
        self.couplings = tuple(f"x{c}" for c in range(n))
        mixing = np.eye(n)
        if mixed:
            sizes = 10.0 ** rng.uniform(-3.0, 0.0, (n - 1, n - 1))
            mixing[1:, 1:] += rng.normal(size=(n - 1, n - 1)) * sizes
        base, linear, square = np.zeros((3, n, n * BINS))
        for c in range(n):
            own = slice(c * BINS, (c + 1) * BINS)
            far, strength = 10.0 ** rng.uniform(0.5, 5.0), rng.uniform(0.5, 2.0)
            pattern = rng.uniform(0.3, 1.0, BINS)
            base[c, own] = rng.uniform(5.0, 10.0, BINS)
            linear[c, own] = strength * pattern
            square[c, own] = strength / far * pattern * (1.0 + 1e-3 * rng.normal(size=BINS))
        self.seen = base.sum(axis=0) + 1e-3 * rng.normal(size=n * BINS)
        self.truth = np.zeros(n)
        for c in range(n):
            far = linear[c].max() / square[c].max()
            self.truth[c] = rng.normal() - (far if rng.random() < 0.5 else 0.0)
            self.seen += self.truth[c] * linear[c] + self.truth[c] ** 2 * square[c]
        self.pieces = base, linear, square
        exponents, rows = [np.zeros(n, int)], [base.sum(axis=0)]
        for i in range(n):
            exponents.append(np.eye(n, dtype=int)[i])
            rows.append(mixing[:, i] @ linear)
        for i, j in combinations_with_replacement(range(n), 2):
            exponents.append(np.eye(n, dtype=int)[i] + np.eye(n, dtype=int)[j])
            rows.append((mixing[:, i] * mixing[:, j] * (1.0 if i == j else 2.0)) @ square)
        self.exponents, self.layers = np.array(exponents), np.array(rows)[None]
        self.shape_parameters, self.typical_shape, self.centre = (), {}, np.zeros(0)

    def parameter(self, name):
        return Parameter(name, "1", 0.0, name, "planted")

    def coefficients(self, shape=None):
        return self.layers[None].copy()

    def own_chi2(self, c, z):
        """Chi2 of the bins of one of the z."""
        own = slice(c * BINS, (c + 1) * BINS)
        base, linear, square = (piece[c, own] for piece in self.pieces)
        return float(((base + z * linear + z**2 * square - self.seen[own]) ** 2).sum())

    def lowest(self, c):
        """The lower of its two basins, from the roots of a cubic and Newton steps."""
        own = slice(c * BINS, (c + 1) * BINS)
        base, linear, square = (piece[c, own] for piece in self.pieces)
        rest = base - self.seen[own]
        cubic = [2 * square @ square, 3 * linear @ square,
                 linear @ linear + 2 * rest @ square, rest @ linear]  # fmt: skip
        found = []
        for root in np.roots(cubic):
            z = root.real
            for _ in range(6):
                residual, slope = rest + z * linear + z**2 * square, linear + 2 * z * square
                curvature = slope @ slope + 2 * residual @ square
                z -= residual @ slope / curvature if curvature > 0.0 else 0.0
            found.append(self.own_chi2(c, z))
        return min(found)

    def track(self):
        descents = Descents(self)
        form = SimpleNamespace(counts=self, descents=lambda shape: descents)
        free = tuple(range(1, len(self.couplings)))
        return Track(form, self.parameter("x0"), free, None, positive=False)


@pytest.mark.parametrize("mixed", [False, True], ids=["apart", "mixed"])
def test_planted_basins_are_found(mixed):
    # Of the first 300 mixed ones four starts at each point miss 3, eight miss 2, the default none;
    # the last ones here are among those that fewer starts have missed.
    for seed in (*range(6), 52, 73, 126, 133, 197):
        planted = Planted(seed, mixed=mixed)
        own = planted.track()
        rest = sum(planted.lowest(c) for c in range(1, len(planted.couplings)))
        rng = np.random.default_rng(seed)
        values = [*rng.normal(size=3), *(planted.truth[0] + rng.normal(size=2)), 30.0, -1e4]
        for value in values:
            expected = planted.own_chi2(0, value) + rest
            assert own.at(own.to_track(value))[0] == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_more_starts_find_no_more(make, monkeypatch):
    profiled = ("r2_ee", "q_emu", "q_etau", "r2_emu")
    few = make("electromagnetic").profile("q_ee", profiled=profiled).pieces(2.7)
    monkeypatch.setattr(track, "_STARTS", 40)
    many = make("electromagnetic").profile("q_ee", profiled=profiled).pieces(2.7)
    assert few.best.chi2 == pytest.approx(many.best.chi2, rel=1e-12)
    np.testing.assert_allclose(few.intervals, many.intervals, rtol=1e-9)


CASES = [
    # Model, parameter of interest, profiled, held; experiment.
    ("nsi", "eps_u_ee", ("eps_el_ee", "eps_d_emu", "eps_u_emu"), {"eps_er_ee": 0.3}, "conus-plus"),
    ("nsi", "eps_el_emu", ("eps_er_emu", "eps_er_ee"), {"eps_u_emu": 0.2}, "conus-plus"),
    ("electromagnetic", "mu_nu", ("q_ee", "r2_ee", "r2_emu"), {"q_emu": 1e-12}, "conus-plus"),
    ("electromagnetic", "r2_emu", ("q_emu", "q_etau", "r2_etau"), {"r2_ee": 5e-32}, "conus-plus"),
    ("charge-radius", "r2_ee", ("r2_emu", "sin2_theta_w"), {}, "conus-plus"),
    ("millicharge", "q_ee", ("q_emu", "q_etau", "sin2_theta_w"), {}, "conus-plus"),
    ("vector", "g", ("sin2_theta_w",), {"mass_mev": 0.3}, "conus-plus"),
    ("electromagnetic", "q_ee", ("r2_ee", "q_emu"), {"r2_emu": 1e-31}, "conus-plus-shapes"),
    ("nsi", "eps_d_ee", ("eps_u_emu", "eps_el_ee"), {}, "conus-plus-shapes"),
]


@pytest.mark.parametrize(
    ("model", "poi", "profiled", "held", "experiment"),
    CASES,
    ids=[f"{c[0]} {c[1]} {c[4]}" for c in CASES],
)
def test_many_random_starts_find_nothing_lower(make, model, poi, profiled, held, experiment):
    likelihood = make(model, experiment=experiment)
    profile = likelihood.profile(poi, held, profiled)
    form = likelihood.form((poi, *profiled), held)
    surface = form.surface(form.coefficients()[0])
    index = [form.counts.couplings.index(name) for name in profiled]
    sizes = np.array([form.counts.size(name) for name in profiled])
    bounds = [likelihood.model.parameter(name) for name in profiled]
    low, high = np.array([[p.minimum, p.maximum] for p in bounds]).T / sizes
    point = np.array([form.counts.parameter(name).standard for name in form.counts.couplings])
    defaults = point[index] / sizes
    rng = np.random.default_rng(1)
    for value in form.counts.size(poi) * np.array([0.03, 3.0]):
        point[form.counts.couplings.index(poi)] = value

        def objective(x):
            point[index] = x * sizes
            chi2, gradient = surface.value_and_gradient(point)
            return chi2, gradient[index] * sizes

        lowest = np.inf
        for _ in range(6):
            signs = rng.choice([-1.0, 1.0], sizes.size)
            start = defaults + signs * 10.0 ** rng.uniform(-1.5, 2.5, sizes.size)
            found = minimize(
                objective,
                np.clip(start, low, high),
                jac=True,
                bounds=list(zip(low, high, strict=True)),
                method="L-BFGS-B",
                options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 300},
            )
            lowest = min(lowest, float(found.fun))
        chi2, basin = profile(value), profile.basin(value)
        assert chi2 <= lowest * (1.0 + 1e-9)
        attained = likelihood.predict(**held, **{poi: value}, **basin.profiled).chi2
        assert chi2 == pytest.approx(attained, rel=1e-9)


def test_signals_of_any_size(make):
    likelihood = make("millicharge")
    profile = likelihood.profile("q_ee", profiled=("q_emu", "sin2_theta_w"))
    for value in (1e-9, 1e-6, 1e-4):
        basin = profile.basin(value)
        attained = likelihood.predict(q_ee=value, **basin.profiled).chi2
        assert basin.chi2 == pytest.approx(attained, rel=1e-9)
