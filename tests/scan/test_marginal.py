"""Profiles and posteriors from scans that are never stored, against arrays and exact limits."""

import numpy as np
import pytest

import fastscan
from fastscan import Axis, InputError, scan_in_memory
from fastscan.scan import count_inside, marginalise, write_marginal


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


def trapezoid(axis):
    steps = np.diff(axis.values)
    return 0.5 * (np.append(steps, 0.0) + np.append(0.0, steps))


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
    assert marginal.chi2_min == chi2.min()


@pytest.mark.parametrize("model", AXES)
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_posterior_is_the_integral_of_the_array(likelihoods, model, kept):
    axes = AXES[model]
    marginal = marginalise(likelihoods[model], axes, [axes[kept].name], method="bayes")
    density = np.exp(-0.5 * scan_in_memory(likelihoods[model], axes).values)
    for i in (2, 1, 0):
        if i != kept:
            density = np.tensordot(density, trapezoid(axes[i]), axes=(i, 0))
    density /= (density * trapezoid(axes[kept])).sum()
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


def test_credible_interval_holds_its_probability(likelihoods):
    axes = [
        Axis("sin2_theta_w", 0.0, 0.6, 2001),
        Axis("g", 0.0, 1e-9, 2),
        Axis("mass_mev", 1.0, 2.0, 2),
    ]
    marginal = marginalise(likelihoods["vector"], axes, ["sin2_theta_w"], method="bayes")
    ((low, high),) = marginal.intervals(0.9)
    x = marginal.axes[0].values
    inside = (x >= low) & (x <= high)
    content = np.trapezoid(marginal.values[inside], x[inside])
    assert content == pytest.approx(0.9, abs=2e-3)


def test_points_inside_are_those_of_the_array(likelihoods):
    for model, axes in AXES.items():
        chi2 = scan_in_memory(likelihoods[model], axes).values
        level = float(np.median(chi2))
        assert count_inside(likelihoods[model], axes, level) == (chi2 <= level).sum()


def test_csv(likelihoods, tmp_path):
    marginal = marginalise(likelihoods["millicharge"], AXES["millicharge"], ["q_ee"])
    write_marginal(marginal, tmp_path / "m.csv")
    table = np.loadtxt(tmp_path / "m.csv", delimiter=",", skiprows=13)
    np.testing.assert_allclose(table[:, 1], marginal.values, rtol=1e-11)
    with pytest.raises(InputError, match="exists"):
        write_marginal(marginal, tmp_path / "m.csv")
