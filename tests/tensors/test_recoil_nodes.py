"""Recoil quadrature: exact where it can be, honest about its error where it can not."""

import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.tensors import QUADRATURE_TOLERANCE, build, build_response
from fastscan.tensors.recoil import choose_nodes

# Everything a model multiplies: powers of T from a massless mediator to a scalar, in two bins.
POWERS = np.array([-2.0, -1.0, 0.0, 1.0])


def powers(recoil):
    shapes = recoil[:, None] ** POWERS
    return np.stack((shapes, 0.5 * shapes), axis=2)


def integrals(low, high):
    return np.array([1 / low - 1 / high, np.log(high / low), high - low, (high**2 - low**2) / 2])


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9, 1e-12])
def test_error_estimate_is_within_the_tolerance_and_above_the_error(tolerance):
    nodes = choose_nodes(np.array([1e-5, 1e-2]), powers, tolerance)
    got = np.einsum("t,tsb->sb", nodes.weight_mev, powers(nodes.recoil_energy_mev))[:, 0]
    error = np.max(np.abs(got / integrals(1e-5, 1e-2) - 1.0))
    assert error <= nodes.error_estimate + 1e-14
    assert nodes.error_estimate <= tolerance


def test_a_tighter_tolerance_costs_nodes():
    sizes = [
        choose_nodes(np.array([1e-5, 1e-2]), powers, tolerance).recoil_energy_mev.size
        for tolerance in (1e-3, 1e-6, 1e-9)
    ]
    assert sizes == sorted(set(sizes))


def test_nodes_are_a_quadrature_between_the_breaks():
    breaks = np.array([1.0, 1.5, 4.0])
    nodes = choose_nodes(breaks, powers, 1e-9)
    assert np.all(np.diff(nodes.recoil_energy_mev) > 0.0)
    assert nodes.recoil_energy_mev[0] > 1.0
    assert nodes.recoil_energy_mev[-1] < 4.0
    assert np.all(nodes.weight_mev > 0.0)
    assert nodes.weight_mev.sum() == pytest.approx(3.0, rel=1e-13)


def test_a_step_at_a_break_is_no_obstacle():
    def step(recoil):
        return np.where(recoil < 2.0, 1.0, 5.0)[:, None, None]

    nodes = choose_nodes(np.array([1.0, 2.0, 3.0]), step, 1e-9)
    assert nodes.panels == 2
    value = nodes.weight_mev @ step(nodes.recoil_energy_mev)[:, 0, 0]
    assert value == pytest.approx(6.0, rel=1e-14)


def test_every_shape_counts_by_itself():
    # The second is a billionth of the first, and no smoother.
    def shapes(recoil):
        return np.stack((np.ones_like(recoil), 1e-9 * recoil**-6), axis=1)[:, :, None]

    nodes = choose_nodes(np.array([0.1, 10.0]), shapes, 1e-9)
    value = nodes.weight_mev @ shapes(nodes.recoil_energy_mev)[:, 1, 0]
    assert value == pytest.approx(1e-9 * (0.1**-5 - 10.0**-5) / 5, rel=1e-9, abs=0)


@pytest.mark.parametrize("breaks", [[], [1.0]])
def test_nothing_to_integrate(breaks):
    nodes = choose_nodes(np.array(breaks), powers, 1e-9)
    assert nodes.recoil_energy_mev.size == nodes.weight_mev.size == nodes.panels == 0
    assert nodes.error_estimate == 0.0


def test_zero_integrand():
    nodes = choose_nodes(np.array([1.0, 2.0]), lambda t: np.zeros((t.size, 1, 1)), 1e-9)
    assert nodes.error_estimate == 0.0
    assert nodes.weight_mev.sum() == pytest.approx(1.0, rel=1e-14)


# --- the tensors of an experiment -----------------------------------------------------------------

POINTS = [
    ("sm", {}),
    ("vector", {"mass_mev": 0.0, "g": 1e-4}),
    ("vector", {"mass_mev": 3.0, "g": 1e-4}),
    ("vector", {"mass_mev": 1e3, "g": 1e-2}),
    ("scalar", {"mass_mev": 0.0, "g": 1e-4}),
    ("scalar", {"mass_mev": 0.1, "g": 1e-4}),
    ("scalar", {"mass_mev": 1e3, "g": 1e-2}),
]


def counts(experiment, response):
    """Counts of every point in every channel, each relative to its largest bin."""
    rows = []
    for channel in response.channels:
        for model, point in POINTS:
            rates = build_signal(
                get_model(model), experiment, response, channels=(channel,), fixed=point
            )
            rows.append(rates.counts({p.name: p.default for p in rates.model.parameters}))
    return np.array([row / row.max() for row in rows])


@pytest.mark.parametrize("name", ["conus-plus", "conus-plus-c25", "conus-plus-a25"])
def test_error_of_the_counts_is_within_the_estimate(name, monkeypatch):
    experiment = load_experiment(name)
    response = build_response(experiment)
    assert response.error_estimate <= QUADRATURE_TOLERANCE
    monkeypatch.setattr(build, "QUADRATURE_TOLERANCE", QUADRATURE_TOLERANCE / 100)
    finer = build_response(experiment)
    assert finer.error_estimate <= QUADRATURE_TOLERANCE / 100
    # The normalised rows add the error of the largest bin itself.
    error = np.abs(counts(experiment, response) - counts(experiment, finer)).max()
    assert error <= 2 * (response.error_estimate + finer.error_estimate)
