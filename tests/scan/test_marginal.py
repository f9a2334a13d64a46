"""Profiles and posteriors from scans that are never stored, against arrays and exact limits."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate
from scipy.optimize import brentq, minimize_scalar

import fastscan
from fastscan import Axis, Chi2Function, InputError, scan_in_memory
from fastscan.scan import count_inside, marginalise


def box(prefix, low, high):
    points = {"ee": 31, "emu": 25, "etau": 27}
    return [Axis(f"{prefix}_{flavour}", low, high, n) for flavour, n in points.items()]


AXES = {
    "millicharge": box("q", -3e-12, 3e-12),
    "charge-radius": box("r2", -8e-31, 5e-31),
    "vector": [
        Axis("mass_mev", 0.1, 50.0, 23, "log"),
        Axis("g", 1e-7, 1e-4, 29, "log"),
        Axis("sin2_theta_w", 0.2, 0.3, 11),
    ],
}


@pytest.fixture(scope="module")
def likelihoods(tables):
    return {name: fastscan.likelihood(name) for name in AXES}


def gregory(axis):
    """Weights of the trapezoidal rule with end corrections, flat in the parameter."""
    u = np.log(axis.values) if axis.spacing == "log" else axis.values
    weights = np.full(axis.points, u[1] - u[0])
    for i, factor in enumerate((3 / 8, 7 / 6, 23 / 24)):
        weights[i] *= factor
        weights[-1 - i] *= factor
    return weights * (axis.values if axis.spacing == "log" else 1.0)


@pytest.mark.parametrize("model", AXES)
@pytest.mark.parametrize("kept", [(0,), (1,), (2,), (0, 1), (2, 0)])
def test_profile_is_the_minimum_of_the_array(likelihoods, model, kept):
    axes = AXES[model]
    keep = [axes[i].name for i in kept]
    marginal = marginalise(likelihoods[model], axes, keep)
    chi2 = scan_in_memory(likelihoods[model], axes).values
    reduced = tuple(i for i in range(3) if i not in kept)
    expected = chi2.min(axis=reduced)
    if list(kept) != sorted(kept):
        expected = expected.T
    np.testing.assert_array_equal(marginal.values, expected)
    assert marginal.grid_chi2_min == chi2.min()
    assert marginal.chi2_min <= chi2.min()


@pytest.mark.parametrize("model", AXES)
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_posterior_is_the_integral_of_the_array(likelihoods, model, kept):
    axes = AXES[model]
    marginal = marginalise(likelihoods[model], axes, [axes[kept].name], method="bayes")
    density = np.exp(-0.5 * scan_in_memory(likelihoods[model], axes).values)
    for i in (2, 1, 0):
        if i != kept:
            density = np.tensordot(density, gregory(axes[i]), axes=(i, 0))
    density /= (density * gregory(axes[kept])).sum()
    np.testing.assert_allclose(marginal.values, density, rtol=1e-10)


@pytest.mark.parametrize("method", ["profile", "bayes"])
def test_values_do_not_depend_on_workers(likelihoods, method):
    results = [
        marginalise(
            likelihoods["millicharge"], AXES["millicharge"], ["q_emu"], method=method, workers=n
        )
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(results[0].values, results[1].values)


@pytest.mark.parametrize(("model", "poi"), [("millicharge", "q_ee"), ("charge-radius", "r2_emu")])
def test_scan_and_algebra_agree(likelihoods, model, poi):
    low, high = AXES[model][0].start, AXES[model][0].stop
    axes = [Axis(axis.name, low, high, 121) for axis in AXES[model]]
    ((left, right),) = marginalise(likelihoods[model], axes, [poi]).intervals()
    ((exact_left, exact_right),) = likelihoods[model].limit(poi).intervals
    assert left == pytest.approx(exact_left, rel=5e-3, abs=0)
    assert right == pytest.approx(exact_right, rel=5e-3, abs=0)


def exact_density(likelihood, kept, held, span=None):
    """Posterior of one coupling by adaptive quadrature, the nuisances profiled: log density."""
    free, given = held
    chi2 = Chi2Function(likelihood, [kept, *free], given)
    if not free:
        return lambda x: -0.5 * float(chi2([x]))
    (other,) = free

    def log(x):
        lowest = min(float(chi2([x, y])) for y in np.linspace(*span, 41))
        total, _ = integrate.quad(
            lambda y: np.exp(-0.5 * (float(chi2([x, y])) - lowest)), *span,
            epsabs=0, epsrel=1e-11, limit=200,
        )  # fmt: skip
        return np.log(total) - 0.5 * lowest

    assert other
    return log


def exact_ends(log, low, high, cl):
    """The densest interval, one piece, that holds a probability: quadrature and root finding."""
    top = minimize_scalar(lambda x: -log(x), bounds=(low, high), method="bounded",
                          options={"xatol": 1e-12 * (high - low)})  # fmt: skip
    mode, highest = float(top.x), -float(top.fun)
    if log(low) > highest:
        mode, highest = low, log(low)

    def density(x):
        return np.exp(log(x) - highest)

    def content(start, stop):
        cuts = [start, *(c for c in np.linspace(low, high, 9) if start < c < stop), stop]
        return sum(
            integrate.quad(density, one, two, epsabs=0, epsrel=1e-11)[0]
            for one, two in pairwise(cuts)
        )

    def ends(depth):
        level = highest - depth
        left, right = low, high
        if log(low) < level:
            left = brentq(lambda x: log(x) - level, low, mode, xtol=1e-300, rtol=1e-12)
        if log(high) < level:
            right = brentq(lambda x: log(x) - level, mode, high, xtol=1e-300, rtol=1e-12)
        return left, right

    whole = content(low, high)
    depth = brentq(lambda d: content(*ends(d)) / whole - cl, 1e-3, 20.0, xtol=1e-10)
    return ends(depth)


CREDIBLE = {
    "one sum": ("millicharge", "q_ee", ("q_emu",), {"q_etau": 0.0}, (-3e-12, 3e-12), "linear"),
    "bound": ("vector", "g", (), {"mass_mev": 10.0}, (0.0, 5e-5), "linear"),
    "logarithmic": ("vector", "g", (), {"mass_mev": 10.0}, (1e-7, 1e-4), "log"),
    "asymmetric": ("charge-radius", "r2_ee", (), {"r2_emu": 0.0, "r2_etau": 0.0},
                   (-1e-31, 1e-31), "linear"),
}  # fmt: skip


@pytest.mark.parametrize("case", CREDIBLE)
def test_credible_ends_against_quadrature(make, case):
    """The ends themselves, and that half a step of the grid moves them by no more than is said."""
    model, kept, free, given, (low, high), spacing = CREDIBLE[case]
    likelihood = make(model)
    log = exact_density(likelihood, kept, (free, given), (low, high))
    exact = np.array(exact_ends(log, low, high, 0.9))
    width = np.diff(exact)[0]
    for points, allowed in ((61, 2e-3), (201, 1e-4)):
        step = (
            (high / low) ** (1 / (points - 1)) if spacing == "log" else (high - low) / (points - 1)
        )
        found = []
        for shift in (0.0, 0.5):
            ends = (low * step**shift, high * step**shift) if spacing == "log" else (
                low + shift * step, high + shift * step)  # fmt: skip
            axes = [Axis(kept, *ends, points, spacing)]
            axes += [Axis(name, low, high, points) for name in free]
            if not free:
                # There has to be an axis to reduce; along this one nothing changes.
                axes.append(Axis("sin2_theta_w", 0.23857, 0.23857 + 1e-9, 2))
            marginal = marginalise(likelihood, axes, [kept], given, method="bayes")
            ((left, right),) = marginal.intervals()
            ((left_error, right_error),) = marginal.interval_errors()
            found.append((left, right, left_error, right_error))
        assert np.abs(np.array(found[0][:2]) - exact).max() < allowed * width
        for i in (0, 1):
            assert abs(found[1][i] - found[0][i]) <= max(found[0][i + 2], found[1][i + 2])


def test_profiles_state_how_far_their_points_are_off(make):
    """A grid whose points miss the profiled minimum: the exact end lies within the error."""
    likelihood = make("millicharge")
    ((exact_low, exact_high),) = likelihood.limit("q_ee").intervals
    for points in (31, 61):
        shift = 3e-12 / (points - 1)
        axes = [
            Axis(name, -3e-12 + shift, 3e-12 + shift, points)
            for name in ("q_ee", "q_emu", "q_etau")
        ]
        marginal = marginalise(likelihood, axes, ["q_ee"])
        ((low, high),) = marginal.intervals()
        ((low_error, high_error),) = marginal.interval_errors()
        assert 0.0 < low_error < 1e-2 * (exact_high - exact_low)
        assert abs(low - exact_low) < 1.01 * low_error
        assert abs(high - exact_high) < 1.01 * high_error


def test_a_box_that_cuts_the_region_off_says_so(make):
    axes = [Axis("mass_mev", 1.0, 10.0, 21), Axis("g", 1e-6, 1.2e-5, 41)]
    for method in ("profile", "bayes"):
        marginal = marginalise(make("vector"), axes, ["g"], method=method)
        ends = [(touch.parameter, touch.end) for touch in marginal.touches()]
        assert ends == [("mass_mev", "low"), ("mass_mev", "high"), ("g", "low"), ("g", "high")]
        (words,) = marginal.warnings
        assert "cut off by the edge of the box: mass_mev = 1 and 10, g = 1e-06 and 1.2e-05" in words
    # A range that ends with the parameter's is cut off by nothing.
    wide = [Axis("mass_mev", 5.0, 10.0, 5), Axis("g", 0.0, 1e-4, 41)]
    found = marginalise(make("vector"), wide, ["g"]).touches()
    assert {touch.parameter for touch in found} == {"mass_mev"}


def test_a_box_without_the_minimum_counts_from_the_minimum(make):
    likelihood = make("millicharge")
    held = {"q_emu": 0.0}
    axes = [Axis("q_ee", 1e-12, 3e-12, 41), Axis("q_etau", -3e-12, 3e-12, 61)]
    marginal = marginalise(likelihood, axes, ["q_ee"], held)
    exact = likelihood.limit("q_ee", held, profiled=["q_etau"])
    assert marginal.chi2_min == pytest.approx(exact.chi2_min, abs=1e-8)
    ((low, high),) = marginal.intervals()
    assert low == 1e-12
    assert high == pytest.approx(exact.intervals[0][1], rel=1e-5)
    assert any("is outside the box" in words for words in marginal.warnings)


@pytest.mark.parametrize("method", ["profile", "bayes"])
def test_a_box_that_the_data_exclude_is_refused(make, method):
    axes = [Axis("q_ee", 1e-11, 2e-11, 5), Axis("q_etau", -3e-12, 3e-12, 5)]
    with pytest.raises(InputError, match="the data exclude the box"):
        marginalise(make("millicharge"), axes, ["q_ee"], {"q_emu": 0.0}, method=method)


def test_points_inside_are_those_of_the_array(likelihoods):
    for model, axes in AXES.items():
        chi2 = scan_in_memory(likelihoods[model], axes).values
        level = float(np.median(chi2))
        assert count_inside(likelihoods[model], axes, level) == (chi2 <= level).sum()


def test_csv(likelihoods, tmp_path):
    marginal = marginalise(likelihoods["millicharge"], AXES["millicharge"], ["q_ee"])
    marginal.write(tmp_path / "m.csv")
    table = np.loadtxt(tmp_path / "m.csv", delimiter=",", skiprows=16)
    np.testing.assert_allclose(table[:, 1], marginal.values, rtol=1e-11)
    with pytest.raises(InputError, match="exists"):
        marginal.write(tmp_path / "m.csv")
