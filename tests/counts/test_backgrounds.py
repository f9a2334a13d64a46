"""Backgrounds and counts as they stand in files: what they become, and what is refused."""

import numpy as np
import pytest
from counted import BACKGROUND, EDGES, SEEN, ccd, table

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.likelihoods import likelihood

SAME_NAME = """
[[systematics.pulls]]
name = "dark current"
kind = "normalisation"
sigma = 0.1
"""


def test_counts_are_signal_and_background_and_their_changes(tmp_path):
    counts = likelihood("sm", ccd(tmp_path)).counts()
    layers = counts.layers([[0.23857]])[0] * counts.sigma
    assert counts.pulls == ("normalisation", "dark current", "dark current tilt")
    signal = layers[0] - BACKGROUND
    assert signal.sum() == pytest.approx(4.0, rel=0.01)
    np.testing.assert_allclose(layers[1], 0.2 * signal, rtol=1e-12)
    np.testing.assert_allclose(layers[2], 0.15 * np.array(BACKGROUND), rtol=1e-12)
    np.testing.assert_allclose(
        layers[3], 0.2 * np.array(BACKGROUND) * np.linspace(-1.0, 1.0, 8), atol=1e-15
    )
    np.testing.assert_array_equal(counts.seen * counts.sigma, SEEN)


def test_floors_are_the_factors_of_signal_and_background(tmp_path):
    floors = likelihood("sm", ccd(tmp_path)).counts().floors
    np.testing.assert_allclose(floors, [[1, 0, 0.15, 0], [1, 0.2, 0, 0]], atol=1e-15)


def test_a_background_that_is_known_has_no_pull(tmp_path):
    counts = likelihood("sm", ccd(tmp_path, size="", tilt=0.0)).counts()
    assert counts.pulls == ("normalisation",)
    assert counts.normalisation is None


def test_a_free_background_has_no_measurement(tmp_path):
    counts = likelihood("sm", ccd(tmp_path, size="free = true", tilt=0.0)).counts()
    assert counts.free == ("dark current",)
    np.testing.assert_array_equal(counts.penalised, [True, False])


def test_a_given_normalisation_keeps_backgrounds(tmp_path):
    own = likelihood("sm", ccd(tmp_path, tilt=0.0), sigma_alpha=0.3)
    assert own.nuisance_names == ("normalisation", "dark current")


def test_backgrounds_change_no_tensor(tmp_path):
    with_one = load_experiment(ccd(tmp_path / "one"))
    without = load_experiment(ccd(tmp_path / "other", background=np.zeros(8)))
    assert with_one.tensor_inputs() == without.tensor_inputs()


def test_bins_that_are_left_out_take_their_background_along(tmp_path):
    some = load_experiment(ccd(tmp_path, observation="start_ev = 190.0"))
    (background,) = some.backgrounds
    np.testing.assert_array_equal(background.counts(some.observation.edges_ev), BACKGROUND[3:])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seen": (4, 3, -1, 3, 1, 2, 0, 1)}, "counts are negative"),
        ({"seen": (4, 3, 1.5, 3, 1, 2, 0, 1)}, "no whole number"),
        ({"background": (1, 1, 1, -0.5, 1, 1, 1, 1), "tilt": 0.0}, "-0.5 counts in the bin"),
        ({"tilt": 1.2}, "at one standard deviation in the bin"),
        ({"size": "sigma = 0.1\nfree = true"}, "is free and has a sigma"),
        ({"size": "sigma = 15.0"}, "backgrounds.0.sigma = 15 is unusual"),
        ({"observation": "reference_live_time_d = 3.0"}, "changes no count"),
        ({"pulls": SAME_NAME}, "two nuisances are called"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, changes, words):
    with pytest.raises(InputError, match=words) as found:
        load_experiment(ccd(tmp_path, **changes))
    assert "\n" not in str(found.value)


def test_expected_counts_need_a_key(tmp_path):
    path = ccd(tmp_path, seen=np.array(BACKGROUND) + 0.5, observation="asimov = true")
    np.testing.assert_allclose(load_experiment(path).observation.counts, np.add(BACKGROUND, 0.5))


def test_per_kilogram_counts_are_refused(tmp_path):
    path = ccd(tmp_path)
    text = path.read_text().replace('normalisation = "total"', 'normalisation = "per-kg"')
    path.write_text(text.replace("[systematics]", "reference_live_time_d = 100.0\n[systematics]"))
    with pytest.raises(InputError, match="counts per kg are no counts"):
        load_experiment(path)


def test_an_excess_is_no_number_of_events(tmp_path):
    path = ccd(tmp_path)
    table(tmp_path / "ccd.csv", "excess,sigma", SEEN, np.ones(8))
    with pytest.raises(InputError, match="counts"):
        load_experiment(path)


def test_a_background_has_the_bins_of_the_data(tmp_path):
    path = ccd(tmp_path, tilt=0.0)
    file = tmp_path / "ccd-background.csv"
    file.write_text(f"low_ev,high_ev,counts\n{EDGES[0]},{EDGES[2]},3.0\n")
    with pytest.raises(InputError, match="is not an observed bin"):
        load_experiment(path)


def test_an_excess_has_no_backgrounds(tmp_path):
    path = ccd(tmp_path, tilt=0.0)
    text = path.read_text()
    head, _, tail = text.partition("[observation]")
    path.write_text(head + "[systematics]" + tail.partition("[systematics]")[2])
    with pytest.raises(InputError, match="subtracted from it already"):
        load_experiment(path)


def test_projections_are_refused(tmp_path):
    from fastscan.inputs.projection import project, with_counts

    experiment = load_experiment(ccd(tmp_path))
    with pytest.raises(InputError, match="not projected"):
        project(experiment, exposure=2.0)
    other = with_counts(experiment, np.arange(8.0) + 0.25)
    np.testing.assert_array_equal(other.observation.counts, np.arange(8.0) + 0.25)
