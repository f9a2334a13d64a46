"""The unified construction: its textbook tables, its coverage, and its seed."""

import numpy as np
import pytest
from scipy.special import gammaln, ndtri
from scipy.stats import kstest

from fastscan.exceptions import InputError
from fastscan.inference.belt import accepted_intervals
from fastscan.inference.critical_values import critical_value
from fastscan.inference.feldman_cousins import feldman_cousins
from fastscan.inference.toys import ToyFits, draw_toys

# Measurements of a mean that can not be negative, in midpoints of equally probable slices.
SLICES = ndtri((np.arange(40_000) + 0.5) / 40_000)


def gaussian_rise(x, mean):
    return (x - mean) ** 2 - np.minimum(x, 0.0) ** 2


def gaussian_interval(seen, cl=0.90):
    points = np.linspace(0.0, max(seen, 0.0) + 4.0, 60)
    critical = [critical_value(gaussian_rise(m + SLICES, m), cl).value for m in points]
    return accepted_intervals(
        lambda m: gaussian_rise(seen, m) - np.interp(m, points, critical), points
    )


# Feldman and Cousins, arXiv:physics/9711021, Table X, 90 % C.L.
GAUSSIAN = {
    -3.0: (0.00, 0.26),
    -2.0: (0.00, 0.40),
    -1.0: (0.00, 0.81),
    0.0: (0.00, 1.64),
    1.0: (0.00, 2.64),
    3.0: (1.37, 4.64),
}


@pytest.mark.parametrize("seen", GAUSSIAN)
def test_a_mean_that_can_not_be_negative(seen):
    (interval,) = gaussian_interval(seen)
    assert interval == pytest.approx(GAUSSIAN[seen], abs=0.006)


def poisson_rise(counts, mean, background):
    expected, best = mean + background, np.maximum(counts, background)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(counts > 0, counts * np.log(expected / best), 0.0)
    return -2.0 * (ratio - expected + best)


def poisson_interval(seen, background, cl=0.90):
    """The critical value jumps where outcomes enter; the belt is looked at in small steps."""
    counts = np.arange(60)
    means = np.arange(0.0025, 16.0, 0.005)
    accepted = []
    for mean in means:
        rise = poisson_rise(counts, mean, background)
        expected = mean + background
        probability = np.exp(counts * np.log(expected) - expected - gammaln(counts + 1.0))
        accepted.append(rise[seen] <= critical_value(rise, cl, probability).value + 1e-12)
    inside = means[accepted]
    return max(inside[0] - 0.0025, 0.0), inside[-1] + 0.0025


# Ibid., Table IV, 90 % C.L., by background and number of events.
POISSON = {
    (0.0, 0): (0.00, 2.44),
    (0.0, 1): (0.11, 4.36),
    (0.0, 2): (0.53, 5.91),
    (0.0, 3): (1.10, 7.42),
    (3.0, 1): (0.00, 1.88),
    (3.0, 2): (0.00, 3.04),
    (3.0, 3): (0.00, 4.42),
    (3.0, 4): (0.00, 5.60),
}


@pytest.mark.parametrize(("background", "seen"), POISSON)
def test_events_on_a_background(background, seen):
    assert poisson_interval(seen, background) == pytest.approx(POISSON[background, seen], abs=0.011)


def test_no_event_on_more_background_never_gives_a_weaker_limit():
    """Ibid., section IV B: with background 3 the table has the largest end of more background."""
    highest = max(poisson_interval(0, background)[1] for background in np.arange(3.4, 3.5, 0.01))
    assert poisson_interval(0, 3.0)[1] < 1.0
    assert highest == pytest.approx(1.08, abs=0.011)


def test_error_of_a_critical_value_is_its_scatter():
    rng = np.random.default_rng(4)
    found = [critical_value(rng.chisquare(1, 2000), 0.90) for _ in range(300)]
    values = np.array([c.value for c in found])
    assert values.mean() == pytest.approx(2.7055, abs=0.03)
    assert np.mean([c.error for c in found]) == pytest.approx(values.std(), rel=0.15)


def test_too_few_toys_are_refused():
    with pytest.raises(InputError, match=r"\(toys\)"):
        critical_value(np.arange(20.0), 0.99)


def test_p_values_of_toys_are_uniform(make):
    """Of toys against other toys of the same hypothesis; half of a boundary's are exactly one."""
    fits = ToyFits(make("vector"), "g", {"mass_mev": 10.0})
    mean = fits.mean(1.2e-5)
    reference = np.sort(fits.rises(draw_toys(mean, 60_000, 0), 1.2e-5))
    for seed in range(1, 6):
        own = fits.rises(draw_toys(mean, 3000, seed), 1.2e-5)
        p = 1.0 - np.searchsorted(reference, own) / reference.size
        assert kstest(p, "uniform").pvalue > 1e-3


def test_far_from_bounds_it_is_wilks(make):
    """The weak mixing angle enters almost linearly."""
    likelihood = make("sm")
    found = feldman_cousins(likelihood, "sin2_theta_w", cl=0.6827, toys=20_000)
    assert found.critical_values == pytest.approx(1.0, abs=0.12)
    ((low, high),) = found.intervals
    wilks = likelihood.limit("sin2_theta_w", cl=0.6827).intervals[0]
    assert (low, high) == pytest.approx(wilks, abs=0.006)


def test_it_is_the_same_with_any_number_of_workers(make):
    one, two = (
        feldman_cousins(make("vector"), "g", {"mass_mev": 10.0}, toys=2000, seed=3, workers=workers)
        for workers in (1, 2)
    )
    assert one.intervals == two.intervals
    assert np.array_equal(one.critical_values, two.critical_values)


def test_ends_scatter_as_their_errors_say(make):
    found = [
        feldman_cousins(make("vector"), "g", {"mass_mev": 10.0}, toys=2000, seed=seed)
        for seed in range(12)
    ]
    highs = np.array([limit.intervals[-1][1] for limit in found])
    errors = np.array([limit.interval_errors[-1][1] for limit in found])
    assert 0.3 < highs.std() / errors.mean() < 2.0


def test_a_signed_coupling_is_mirrored(make):
    found = feldman_cousins(
        make("charge-radius"), "r2_emu", {"r2_ee": 0.0, "r2_etau": 0.0}, toys=2000
    )
    assert found.intervals[0][0] == -found.intervals[-1][1]
