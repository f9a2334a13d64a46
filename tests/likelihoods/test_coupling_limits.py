"""Limits on couplings: against brute force, with all their pieces, and where there are none."""

from itertools import pairwise

import naive
import numpy as np
import pytest

from fastscan.likelihoods import delta_chi2, profiled_chi2

RISE = delta_chi2(0.90)
NAMED = {
    "b-l": (-1.0, -1.0, 1 / 3, 1 / 3),
    "universal": (1.0, 1.0, 1.0, 1.0),
    "-1,-1,-1/3,-1/3": (-1.0, -1.0, -1 / 3, -1 / 3),
}


def chi2_of(likelihood, g, given):
    """Chi2 at many couplings, from counts, without the curve that finds limits."""
    counts = likelihood.counts(["g"], given).layers(np.reshape(g, (-1, 1)))[:, 0]
    counts = counts.reshape(*np.shape(g), -1) * likelihood.sigma
    return profiled_chi2(counts, likelihood.data, likelihood.sigma, likelihood.sigma_alpha)


def inside(values, intervals):
    found = np.zeros(np.shape(values), dtype=bool)
    for low, high in intervals:
        found |= (values >= low) & (values <= high)
    return found


# --- against the twin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("experiment", "charges", "mass_mev", "scale", "pieces"),
    [
        ("conus-plus", "b-l", 1e-3, 1e-6, 1),
        ("conus-plus", "b-l", 1e4, 1e-2, 1),
        # The exchange turns the weak charge into minus itself: an island of allowed couplings.
        ("conus-plus", "universal", 10.0, 1e-5, 2),
        ("conus-plus", "-1,-1,-1/3,-1/3", 100.0, 1e-4, 2),
        ("conus-plus-a25", "b-l", 1.0, 1e-5, 1),
        ("conus-plus-a25", "universal", 10.0, 1e-5, 2),
    ],
)
def test_limit_against_twin(make, vector_twin, experiment, charges, mass_mev, scale, pieces):
    chi2 = vector_twin(experiment, NAMED[charges], mass_mev, scale)
    grid = np.concatenate(([0.0], scale * np.geomspace(1e-2, 1e2, 121)))
    expected = naive.limit(chi2, grid, RISE)
    found = make("vector", experiment, charges=charges).limit("g", {"mass_mev": mass_mev})
    assert len(expected.intervals) == pieces
    assert found.chi2_min == pytest.approx(expected.chi2_min, rel=1e-7, abs=1e-7)
    np.testing.assert_allclose(found.intervals, expected.intervals, rtol=1e-6)
    # Where chi2 is lowest it is flat: half the digits.
    assert found.best_fit == pytest.approx(expected.best_fit, rel=1e-3, abs=1e-3 * scale)


def random_cases(count):
    rng = np.random.default_rng(20250109)
    charges = [-1.0, 0.0, 1.0, 1 / 3, -1 / 3, 1e-3, 0.7, 10.0]
    for _ in range(count):
        options = {}
        model = str(rng.choice(["vector", "vector", "vector", "scalar"]))
        numbers = ",".join(f"{q!r}" for q in rng.choice(charges, 4).tolist())
        if model == "vector":
            options["charges"] = numbers
        options["channels"] = str(rng.choice(["both", "cevns", "eves"]))
        options["sigma_alpha"] = float(10 ** rng.uniform(-3, 0))
        given = {
            "mass_mev": float(10 ** rng.uniform(-6, 6)),
            "sin2_theta_w": float(rng.uniform(0, 1)),
        }
        experiment = str(rng.choice(["conus-plus", "conus-plus-c25", "conus-plus-a25"]))
        yield model, experiment, options, given, float(rng.choice([0.6827, 0.9, 0.999]))


@pytest.mark.parametrize("case", list(random_cases(40)), ids=lambda case: case[1])
def test_limit_against_dense_scan(make, case):
    model, experiment, options, given, cl = case
    likelihood = make(model, experiment, **options)
    found = likelihood.limit("g", given, cl=cl)
    ends = np.array([x for pair in found.intervals for x in pair if 0.0 < x < np.inf])
    around = np.outer(ends, [1 - 1e-4, 1 - 1e-7, 1 + 1e-7, 1 + 1e-4]).ravel()
    g = np.concatenate(([0.0], np.geomspace(1e-12, 1e8, 4001), around))
    chi2 = chi2_of(likelihood, g, given)
    level = found.chi2_min + found.delta_chi2
    rounding = 1e-8 * (1.0 + level)
    assert chi2.min() >= found.chi2_min - rounding
    clear = np.abs(chi2 - level) > rounding
    np.testing.assert_array_equal(inside(g, found.intervals)[clear], (chi2 <= level)[clear])


def test_coupling_of_the_best_fit_has_the_lowest_chi2(make):
    # Its chi2 is that of the prediction there, and no other point lies lower.
    likelihood = make("vector", charges="universal")
    for mass in (1e-3, 1.0, 100.0, 1e4):
        found = likelihood.limit("g", {"mass_mev": mass})
        prediction = likelihood.predict(mass_mev=mass, g=found.best_fit)
        assert prediction.chi2 == pytest.approx(found.chi2_min, rel=1e-9)
        g = np.concatenate(([0.0], np.geomspace(1e-9, 1e2, 5001)))
        lowest = chi2_of(likelihood, g, {"mass_mev": mass}).min()
        assert found.chi2_min <= lowest <= found.chi2_min + 1e-3


@pytest.mark.parametrize("cl", [0.6827, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("charges", ["b-l", "universal"])
def test_chi2_at_every_end_is_at_the_level(make, charges, cl):
    likelihood = make("vector", charges=charges)
    found = likelihood.limit("g", {"mass_mev": 10.0}, cl=cl)
    for end in np.ravel(found.intervals)[1:]:
        chi2 = likelihood.predict(mass_mev=10.0, g=end).chi2
        assert chi2 == pytest.approx(found.chi2_min + delta_chi2(cl), rel=1e-10)


# --- pieces ---------------------------------------------------------------------------------------


def test_island_of_destructive_interference(make):
    likelihood = make("vector", charges="universal")
    found = likelihood.limit("g", {"mass_mev": 10.0})
    (zero, low), (start, stop) = found.intervals
    assert zero == 0.0 < low < start < stop
    between = likelihood.predict(mass_mev=10.0, g=(low + start) / 2)
    assert between.chi2 > found.chi2_min + 4 * RISE


def test_best_fit_may_lie_on_the_island(make):
    found = make("vector", charges="universal").limit("g", {"mass_mev": 100.0})
    (_, low), (start, stop) = found.intervals
    assert low < start < found.best_fit < stop


def test_higher_confidence_allows_more(make):
    likelihood = make("vector", charges="universal")
    by_level = [
        likelihood.limit("g", {"mass_mev": 10.0}, cl=cl).intervals for cl in (0.6827, 0.9, 0.99)
    ]
    for narrow, wide in pairwise(by_level):
        for (low, high), (lower, higher) in zip(narrow, wide, strict=True):
            assert lower <= low < high < higher


def test_islands_join_at_the_highest_confidence(make):
    found = make("vector", charges="universal").limit("g", {"mass_mev": 10.0}, cl=1 - 1e-12)
    assert len(found.intervals) == 1


# --- no limit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["vector", "scalar"])
def test_normalisation_that_makes_up_for_everything(make, model):
    # With one bin and a free normalisation any signal fits.
    found = make(model, "conus-plus-a25", sigma_alpha=1e4).limit("g", {"mass_mev": 1.0})
    assert found.intervals == [(0.0, np.inf)]


def test_charges_that_neutrinos_do_not_have(make):
    found = make("vector", charges="b-3l_mu").limit("g", {"mass_mev": 1.0})
    assert found.intervals == [(0.0, np.inf)]
    standard = make("sm").predict().chi2
    assert found.chi2_min == pytest.approx(standard, rel=1e-12)


def test_channel_that_the_mediator_does_not_touch(make):
    found = make("vector", charges="l_e-l_mu", channels="cevns").limit("g", {"mass_mev": 1.0})
    assert found.intervals == [(0.0, np.inf)]


@pytest.mark.parametrize("sigma_alpha", [1e2, 1e3, 1e4, 1e6])
def test_nearly_free_normalisation_where_counts_cancel(make, sigma_alpha):
    # Tiny counts scaled up by a huge alpha: a ratio of polynomials would lose the digits.
    likelihood = make("vector", channels="cevns", charges="-1/3,-1,0,-1", sigma_alpha=sigma_alpha)
    given = {"mass_mev": 7e5, "sin2_theta_w": 0.65}
    found = likelihood.limit("g", given)
    g = np.concatenate((np.geomspace(1e-2, 1e4, 20001), [found.best_fit]))
    chi2 = chi2_of(likelihood, g[np.isfinite(g)], given)
    assert found.chi2_min == pytest.approx(chi2.min(), rel=1e-4)


# --- sanity over masses ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["vector", "scalar"])
@pytest.mark.parametrize("channels", ["both", "cevns", "eves"])
def test_limit_weakens_with_the_mass(make, model, channels):
    likelihood = make(model, channels=channels)
    masses = np.geomspace(1e-6, 1e6, 25)
    limits = [likelihood.limit("g", {"mass_mev": m}).intervals[-1][1] for m in masses]
    assert np.all(np.diff(limits) >= -1e-9 * np.array(limits[1:]))


@pytest.mark.parametrize("model", ["vector", "scalar"])
def test_light_mediators_share_one_limit(make, model):
    massless, light = (
        make(model).limit("g", {"mass_mev": m}).intervals[-1][1] for m in (0.0, 1e-6)
    )
    assert light == pytest.approx(massless, rel=1e-6, abs=0)


@pytest.mark.parametrize("model", ["vector", "scalar"])
def test_heavy_mediators_have_a_limit_on_the_ratio(make, model):
    low, high = (make(model).limit("g", {"mass_mev": m}).intervals[-1][1] / m for m in (1e5, 1e9))
    assert low == pytest.approx(high, rel=1e-6, abs=0)


def test_both_channels_are_at_least_as_strong_as_either(make):
    for mass in (1e-3, 1.0):
        limits = {
            channels: make("vector", channels=channels).limit("g", {"mass_mev": mass})
            for channels in ("both", "cevns", "eves")
        }
        best = min(limits[c].intervals[-1][1] for c in ("cevns", "eves"))
        # Not strictly: the other channel's data fluctuate.
        assert limits["both"].intervals[-1][1] < 1.02 * best


def test_a_larger_systematic_weakens_the_limit(make):
    limits = [
        make("vector", sigma_alpha=s).limit("g", {"mass_mev": 1.0}).intervals[-1][1]
        for s in (0.01, 0.2, 0.5)
    ]
    assert limits == sorted(limits)


# --- weak mixing angle ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("experiment", "channels", "published"),
    [("conus-plus", "both", 0.252), ("conus-plus-a25", "cevns", 0.255)],
)
def test_weak_mixing_angle_of_the_papers(make, experiment, channels, published):
    found = make("sm", experiment, channels=channels).limit("sin2_theta_w", cl=0.6827)
    assert found.best_fit == pytest.approx(published, rel=0.01)
    ((low, high),) = found.intervals
    assert low < found.best_fit < high


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-c25", "conus-plus-a25"])
def test_weak_mixing_angle_against_dense_scan(make, experiment):
    likelihood = make("sm", experiment)
    found = likelihood.limit("sin2_theta_w")
    values = np.linspace(0.0, 1.0, 2001)
    counts = likelihood.counts(["sin2_theta_w"]).layers(values[:, None])[:, 0] * likelihood.sigma
    chi2 = profiled_chi2(counts, likelihood.data, likelihood.sigma, likelihood.sigma_alpha)
    assert found.chi2_min <= chi2.min()
    level = found.chi2_min + RISE
    np.testing.assert_array_equal(inside(values, found.intervals), chi2 <= level)


def test_interval_ends_at_the_physical_bound(make):
    found = make("sm", sigma_alpha=100.0).limit("sin2_theta_w", cl=0.999)
    assert found.intervals[0][0] == 0.0
    assert found.intervals[-1][1] <= 1.0


def test_one_bin_can_be_fitted_perfectly(make):
    found = make("sm", "conus-plus-a25").limit("sin2_theta_w")
    assert found.chi2_min == pytest.approx(0.0, abs=1e-9)
