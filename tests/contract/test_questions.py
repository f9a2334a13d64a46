"""Every public question, asked of every kind of likelihood, against its slow twin.

A kind of likelihood that can not answer one of these does not exist; a question that one of them
can not answer is none.
"""

from itertools import pairwise

import numpy as np
import pytest
from contract.conftest import Twin
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from fastscan import scan_in_memory
from fastscan.inference.cls import cls_limit
from fastscan.inference.coverage import coverage
from fastscan.inference.feldman_cousins import feldman_cousins
from fastscan.inference.goodness import best_fit
from fastscan.inference.impacts import find_impacts
from fastscan.inference.posterior import credible_intervals, posterior
from fastscan.inference.sensitivity import asimov, expected_limit, signal_significance
from fastscan.inference.toys import ToyFits
from fastscan.likelihoods import Chi2Function, delta_chi2
from fastscan.scan import Axis, contour_band, find_boundary, marginalise

RISE = delta_chi2(0.90)
# The exact forms and the twin lose different digits where signals are large.
CLOSE = 1e-9


def lowest(twin, case, cells=400):
    """The lowest chi2 between the case's ends, by brute force."""
    values = np.linspace(case.low, case.high, cells + 1)
    chi2 = twin.many(values[:, None])
    best = int(chi2.argmin())
    left, right = values[max(best - 1, 0)], values[min(best + 1, cells)]
    found = minimize_scalar(
        twin, bounds=(left, right), method="bounded", options={"xatol": 1e-12 * (right - left)}
    )
    return min(float(found.fun), float(chi2[best]))


def ends(intervals):
    return [end for piece in intervals for end in piece if np.isfinite(end)]


def check_region(intervals, twin, case, level):
    """Ends lie on the level, and a sample is inside just where it is below."""
    for end in ends(intervals):
        if end not in (case.low, 0.0, 1.0):
            assert twin(end) == pytest.approx(level, abs=1e-6)
    values = np.linspace(case.low, case.high, 60)[1:-1]
    inside = np.any([(values >= low) & (values <= high) for low, high in intervals], axis=0)
    chi2 = twin.many(values[:, None])
    clear = np.abs(chi2 - level) > 1e-6
    np.testing.assert_array_equal(inside[clear], (chi2 <= level)[clear])


def test_predict(asked, case, twin):
    for value in (case.low, 0.3 * case.high):
        prediction = asked.predict(**case.held, **{case.poi: value})
        assert prediction.chi2 == pytest.approx(twin(value), rel=CLOSE)


def test_points(asked, case, twin):
    values = np.linspace(case.low, case.high, 7)
    chi2 = Chi2Function(asked, [case.poi], case.held)
    np.testing.assert_allclose(chi2(values[:, None]), twin.many(values[:, None]), rtol=CLOSE)


def test_gradient(asked, case, twin):
    value, step = 0.37 * case.high, 1e-5 * case.high
    slope = (twin(value + step) - twin(value - step)) / (2 * step)
    gradient = Chi2Function(asked, [case.poi], case.held).gradient([value])
    assert gradient[0] == pytest.approx(slope, rel=1e-5)


def test_limit(asked, case, twin):
    found = asked.limit(case.poi, case.held)
    assert found.chi2_min == pytest.approx(lowest(twin, case), abs=1e-7)
    assert found.chi2_min == pytest.approx(twin(found.best_fit), rel=CLOSE)
    check_region(found.intervals, twin, case, found.chi2_min + RISE)


def test_profile(asked, case):
    if not case.second:
        pytest.skip("one parameter alone")
    profile = asked.profile(case.poi, case.held, [case.second])
    plane = Twin(asked, (case.poi, case.second), case.held)
    value = 0.2 * case.high
    found = minimize_scalar(
        lambda other: plane(value, other), bounds=case.second_range, method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert profile(value) == pytest.approx(found.fun, abs=1e-7)


def test_best_fit(asked, case, twin):
    fit = best_fit(asked, [case.poi], case.held)
    assert fit.chi2_min == pytest.approx(lowest(twin, case), abs=1e-7)
    counts = asked.counts((case.poi,), case.held)
    residuals = ((asked.data - fit.counts) / asked.sigma)[~counts.poisson]
    assert fit.chi2_min >= (residuals**2).sum() - 1e-9


def test_scan(asked, case, twin):
    axis = Axis(case.poi, case.low, case.high, 9)
    chi2 = np.asarray(scan_in_memory(asked, [axis], case.held))
    np.testing.assert_allclose(chi2, twin.many(axis.values[:, None]), rtol=CLOSE)


def test_plane(asked, case):
    if not case.second:
        pytest.skip("one parameter alone")
    axes = [Axis(case.second, *case.second_range, 4), Axis(case.poi, case.low, case.high, 5)]
    chi2 = np.asarray(scan_in_memory(asked, axes, case.held))
    plane = Twin(asked, (case.second, case.poi), case.held)
    mesh = np.stack(np.meshgrid(*(axis.values for axis in axes), indexing="ij"), axis=-1)
    expected = plane.many(mesh.reshape(-1, 2)).reshape(chi2.shape)
    np.testing.assert_allclose(chi2, expected, rtol=CLOSE)


def test_boundary(asked, case):
    if not case.second:
        pytest.skip("one parameter alone")
    axis = Axis(case.second, *case.second_range, 4)
    found = find_boundary(asked, axis, case.poi, case.held)
    plane = Twin(asked, (case.second, case.poi), case.held)
    for value, pieces in zip(found.values, found.allowed, strict=True):
        for end in pieces[np.isfinite(pieces)]:
            if end != 0.0:
                assert plane(value, end) == pytest.approx(found.level, abs=1e-6)


def test_marginal_and_band(asked, case):
    if not case.second:
        pytest.skip("one parameter alone")
    axes = [Axis(case.second, *case.second_range, 5), Axis(case.poi, case.low, case.high, 41)]
    chi2 = np.asarray(scan_in_memory(asked, axes, case.held))
    profile = marginalise(asked, axes, [case.second], case.held)
    np.testing.assert_array_equal(profile.values, chi2.min(axis=1))
    band = contour_band(asked, axes, [case.second], case.poi, case.held)
    inside = chi2 <= band.level
    for i, row in enumerate(inside):
        own = axes[1].values[row]
        if own.size:
            assert (band.low[i], band.high[i]) == (own[0], own[-1])
        else:
            assert np.isnan(band.low[i])


def test_posterior(asked, case, twin):
    box = (case.low, case.high)
    (found,) = credible_intervals(
        asked, case.poi, case.held, prior="flat-g", box={case.poi: box}
    ).intervals[-1:]
    top = max(twin.log_marginal(v) for v in np.linspace(*box, 201))

    def density(value):
        return np.exp(twin.log_marginal(value) - top)

    nodes = np.linspace(*box, 9)

    def integral(upto):
        breaks = [*nodes[nodes < upto], upto]
        return sum(quad(density, a, b)[0] for a, b in pairwise(breaks))

    own = posterior(asked, [case.poi], case.held, prior="flat-g", box={case.poi: box})
    for value in (0.3 * case.high, found[1]):
        share = integral(value) / integral(case.high)
        assert own.probability_below(value) == pytest.approx(share, abs=2e-6)


def test_toys(asked, case, twin):
    fits = ToyFits(asked, case.poi, case.held)
    value = 0.2 * case.high
    toys = fits.draw(fits.mean(value), 6, 3)
    rises = fits.rises(toys, value)
    counts = asked.counts((case.poi,), case.held)
    bins = counts.seen.size

    def chi2(toy, at):
        if counts.poisson.any():
            return twin.fit_vector((at,), toy)
        # Auxiliary measurements that came out elsewhere move the pulls' origin.
        layers = counts.layers([[at]])[0]
        moved = layers[0] + (toy[bins:] - counts.centre) @ layers[1:]
        rest = moved - toy[:bins]
        covariance = np.eye(bins) + layers[1:].T @ layers[1:]
        return float(rest @ np.linalg.solve(covariance, rest))

    wide = np.linspace(case.low, case.high, 61 if counts.poisson.any() else 401)
    for toy, rise in zip(toys, rises, strict=True):
        dense = [chi2(toy, at) for at in wide]
        best = int(np.argmin(dense))
        bounds = wide[max(best - 1, 0)], wide[min(best + 1, wide.size - 1)]
        low = minimize_scalar(lambda at, toy=toy: chi2(toy, at), bounds=bounds, method="bounded",
                              options={"xatol": 1e-9 * abs(bounds[1] - bounds[0])})  # fmt: skip
        exact = chi2(toy, value) - min(float(low.fun), dense[best])
        assert rise == pytest.approx(max(exact, 0.0), abs=2e-5)


def test_feldman_cousins(asked, case, twin):
    found = feldman_cousins(asked, case.poi, case.held, toys=400, seed=2)
    assert found.chi2_min == pytest.approx(lowest(twin, case), abs=1e-5)
    wilks = asked.limit(case.poi, case.held).intervals[-1][1]
    assert found.intervals[-1][1] == pytest.approx(wilks, rel=0.5)


def test_cls(asked, case):
    if case.poi != "g":
        pytest.skip("counts from zero only where a coupling is not negative")
    found = cls_limit(asked, case.poi, case.held, toys=0)
    wilks = asked.limit(case.poi, case.held).intervals[-1][1]
    assert found.upper_limit == pytest.approx(wilks, rel=0.2)


def test_coverage(asked, case):
    found = coverage(asked, case.poi, 0.25 * case.high, case.held, methods=("wilks",), toys=400)
    assert 0.8 < found.shares["wilks"].value <= 1.0


def test_sensitivity(asked, case):
    expected = asimov(asked, case.held)
    assert expected.predict(**case.held).chi2 == pytest.approx(0.0, abs=1e-15)
    found = expected_limit(asked, case.poi, case.held, toys=0)
    known = asimov(asked).limit(case.poi, case.held)
    assert found.asimov == pytest.approx((known.intervals[0][0], known.intervals[-1][1]), rel=1e-9)
    assert signal_significance(asked, case.held).sigmas > 0.0


def test_impacts(asked, case):
    found = find_impacts(asked, case.poi, case.held)
    assert {row.name for row in found.rows} == set(asked.nuisance_names)
    prediction = asked.predict(**case.held, **{case.poi: found.best_fit})
    for row in found.rows:
        assert row.pull == pytest.approx(prediction.pulls[row.name], abs=1e-6)
        assert 0.0 < row.error <= 1.0 + 1e-9
