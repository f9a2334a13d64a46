"""Oscillations into a sterile neutrino: limits, and counts and chi2 against the slow twin."""

import naive
import numpy as np
import pytest

import fastscan
from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.tensors import CHANNELS


class Twin(naive.Predictor):
    """Counts of the Standard Model with the flux as it arrives."""

    survival = None

    def _above(self, low_mev):
        energy, weighted = super()._above(low_mev)
        return energy, weighted * self.survival(energy)

    def counts_at(self, dm2, mixing, distance, spread=0.0):
        phase = 2 * 1.267 * dm2

        def survival(energy):
            damping = np.exp(-((phase * spread / energy) ** 2) / 2)
            return 1 - mixing / 2 * (1 - damping * np.cos(phase * distance / energy))

        self.survival = survival
        self._remembered.clear()
        return self.counts("sm", {})


def signal(experiments, responses, experiment, channel, **options):
    model = get_model("sterile", **options)
    arguments = (model, experiments[experiment], responses[experiment])
    return build_signal(*arguments, channels=(channel,), fixed={"sin2_theta_w": 0.23857})


@pytest.mark.parametrize(
    ("experiment", "channel", "spread"),
    [("conus-plus", "cevns", 0.0), ("conus-plus", "eves", 0.7), ("silicon", "cevns", 0.4)],
)
def test_counts_against_the_twin(experiments, responses, experiment, channel, spread):
    twin = Twin(experiments[experiment], channel, inner_order=150)
    distance = experiments[experiment].reactor.distance_m
    found = signal(experiments, responses, experiment, channel, spread_m=spread)
    for dm2, mixing in ((0.03, 0.9), (1.7, 0.6)):
        got = found.counts({"dm2_ev2": dm2, "sin2_2theta": mixing})
        expected = twin.counts_at(dm2, mixing, distance, spread)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8 * expected.max())


def test_a_random_plane_against_the_twin(make, experiments, rng):
    likelihood = make("sterile", channels="eves")
    twin = Twin(experiments["conus-plus"], "eves", inner_order=150)
    points = np.stack([10 ** rng.uniform(-2, 0.3, 3), rng.uniform(0, 1, 3)], axis=1)
    got = fastscan.Chi2Function(likelihood, ["dm2_ev2", "sin2_2theta"])(points)
    expected = [
        naive.chi2(twin.counts_at(*point, 20.7), likelihood.data, likelihood.sigma, 0.2)
        for point in points
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_without_mixing_it_is_the_standard_model_to_the_bit(make):
    standard = make("sm").predict().total
    for dm2 in (0.0, 1.3, 1e6):
        np.testing.assert_array_equal(
            make("sterile").predict(dm2_ev2=dm2, sin2_2theta=0.0).total, standard
        )


def test_without_a_phase_nothing_is_lost(make):
    standard = make("sm").predict().total
    found = make("sterile").predict(dm2_ev2=0.0, sin2_2theta=1.0).total
    np.testing.assert_allclose(found, standard, rtol=1e-9)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(("dm2", "off"), [(1e4, 3e-4), (1e8, 1e-7)])
def test_fast_oscillations_average(make, channels, dm2, off):
    # What is left of the cosine falls like E over the phase; it does not come back as an alias.
    standard = make("sm", channels=channels).predict().total
    found = make("sterile", channels=channels).predict(dm2_ev2=dm2, sin2_2theta=0.8).total
    np.testing.assert_allclose(found, (1.0 - 0.4) * standard, rtol=off)


def test_a_spread_of_the_distance_averages_sooner(make):
    standard = make("sm").predict().total
    damped = make("sterile", spread_m=3.0).predict(dm2_ev2=30.0, sin2_2theta=0.8).total
    np.testing.assert_allclose(damped, 0.6 * standard, rtol=1e-6)


def test_rows_are_bit_identical_in_any_company(experiments, responses):
    found = signal(experiments, responses, "conus-plus", "cevns", spread_m=0.3)
    phases = np.geomspace(1e-3, 1e5, 40)
    together = found.coefficients({"dm2_ev2": phases})
    for part in (slice(0, 1), slice(7, 10), slice(3, 40, 11)):
        np.testing.assert_array_equal(together[part], found.coefficients({"dm2_ev2": phases[part]}))


def test_weighted_flux(experiments, responses, rng):
    # Counts are linear in the weights of the energy bins.
    weights = rng.uniform(0.0, 2.0, 40)
    point = {"dm2_ev2": 0.4, "sin2_2theta": 0.7, "sin2_theta_w": 0.23857}
    model = get_model("sterile")
    arguments = (model, experiments["conus-plus"], responses["conus-plus"])
    whole = build_signal(*arguments, flux_weights=weights).counts(point)
    lower, upper = (
        np.where(np.arange(40) < 20, weights, 0.0),
        np.where(np.arange(40) < 20, 0.0, weights),
    )
    parts = [build_signal(*arguments, flux_weights=w).counts(point) for w in (lower, upper)]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-11)


def test_an_experiment_without_a_distance(experiments, responses):
    conus = load_experiment("conus-plus")
    reactor = conus.reactor.model_copy(update={"distance_m": 0.0})
    nowhere = conus.model_copy(update={"reactor": reactor})
    with pytest.raises(
        InputError, match=r"missing key 'distance_m'.*conus-plus: reactor"
    ) as caught:
        build_signal(get_model("sterile"), nowhere, responses["conus-plus"])
    assert "reactor.distance_m in metres" in str(caught.value)


def test_a_spread_is_a_length():
    with pytest.raises(InputError, match="spread_m = -1"):
        get_model("sterile", spread_m=-1.0)
