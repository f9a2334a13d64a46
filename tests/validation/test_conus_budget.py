"""What conus-plus-shapes says of its nuisances, against the published budget of the prediction.

arXiv:2501.05206 prints, of the number of CEvNS events: quenching 7.3 %, threshold 14.1 %.
"""

from functools import cache

import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.tensors import load_response

SHAPES = load_experiment("conus-plus-shapes")
PULLS = {pull.name: pull for pull in SHAPES.systematics.pulls}
# Exposure of the detectors that reach each bin, in that which its counts are given for.
REACH = [
    sum(d.mass_kg * d.live_time_d for d in SHAPES.detectors if d.threshold_ev < high) / 119.0
    for high in SHAPES.observation.edges_ev[1:]
]


@cache
def events(name=None, deviations=0.0):
    """CEvNS events of the Standard Model in all bins."""
    moved = SHAPES.pulled(PULLS[name], deviations) if name else SHAPES
    model = get_model("sm")
    fixed = {p.name: p.default for p in model.parameters}
    rates = build_signal(model, moved, load_response(moved), channels=("cevns",), fixed=fixed)
    return float(np.dot(rates.counts({}), REACH))


def per_cent(name):
    """Change by +1 and by -1 standard deviation."""
    return tuple(100.0 * (events(name, sign) / events() - 1.0) for sign in (1.0, -1.0))


def test_quenching_is_near_the_printed_one_and_larger():
    assert per_cent("quenching") == pytest.approx((8.3, -8.0), abs=0.05)
    up, down = per_cent("quenching")
    assert 0.5 * (up - down) / 7.3 == pytest.approx(1.11, abs=0.01)


def test_energy_scale_is_calibrated_to_the_printed_threshold():
    assert per_cent("energy scale") == pytest.approx((14.6, -13.6), abs=0.05)
    up, down = per_cent("energy scale")
    assert 0.5 * (up - down) == pytest.approx(14.1, abs=0.05)


def test_resolution_is_small_beside_them():
    up, down = per_cent("resolution")
    assert 0.5 * (up - down) == pytest.approx(1.1, abs=0.05)
    # The noise peak's full width at half maximum varies by 2 eV_ee.
    width = 2.0 / np.sqrt(8.0 * np.log(2.0))
    assert PULLS["resolution"].settings["ionisation.electronic_noise_ev"] == pytest.approx(
        width, abs=0.005
    )


def test_normalisations_are_those_of_the_published_budget():
    budget = {p.name: p.sigma for p in load_experiment("conus-plus-budget").systematics.pulls}
    for name in ("flux", "active mass", "trigger efficiency", "form factor"):
        assert PULLS[name].sigma == budget[name]
