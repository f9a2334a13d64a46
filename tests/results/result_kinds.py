"""One result of every kind, small."""

import numpy as np

import fastscan
from fastscan import Axis
from fastscan.inference.cls import cls_limit
from fastscan.inference.coverage import coverage
from fastscan.inference.feldman_cousins import feldman_cousins
from fastscan.inference.goodness import best_fit
from fastscan.inference.impacts import find_impacts
from fastscan.inference.posterior import credible_intervals, posterior
from fastscan.inference.sensitivity import expected_limit
from fastscan.results import Scenario
from fastscan.scan import (
    contour_band,
    find_boundary,
    find_contour,
    marginalise,
    run_scan,
    scan_in_memory,
)
from fastscan.scan.construction import run_construction
from fastscan.scan.sensitivity import find_sensitivity

HELD = {"mass_mev": 10.0}
MASS, G = Axis("mass_mev", 0.1, 300.0, 24, "log"), Axis("g", 1e-6, 1e-3, 24, "log")
CHARGES = [Axis(name, -3e-12, 3e-12, 13) for name in ("q_ee", "q_emu", "q_etau")]


def _construction(vector, folder):
    axes = [Axis("g", 1e-6, 3e-5, 5), Axis("sin2_theta_w", 0.1, 0.4, 5)]
    out = folder / "fc.zarr"
    return run_construction(vector, axes, HELD, out=out, toys=512, precision=0.5)


# What is made of: vector mediator, Standard Model with many nuisances, charges, a folder.
MAKERS = {
    "prediction": lambda v, s, q, f: v.predict(mass_mev=1.0, g=1e-5),
    "joint prediction": lambda v, s, q, f: (v + _other(v)).predict(mass_mev=1.0, g=1e-5),
    "limit": lambda v, s, q, f: v.limit("g", HELD),
    "degenerate limit": lambda v, s, q, f: v.limit("mass_mev", {"g": 0.0}),
    "feldman-cousins": lambda v, s, q, f: feldman_cousins(v, "g", HELD, toys=2000),
    "cls": lambda v, s, q, f: cls_limit(v, "g", HELD),
    "credible": lambda v, s, q, f: credible_intervals(v, "g", HELD),
    "profile": lambda v, s, q, f: v.profile_curve("g", HELD, values=np.linspace(0.0, 3e-5, 9)),
    "fit": lambda v, s, q, f: best_fit(v, ["g"], HELD, toys=50),
    "joint fit": lambda v, s, q, f: best_fit(v + _other(v), ["g"], HELD),
    "impacts": lambda v, s, q, f: find_impacts(s, "sin2_theta_w"),
    "coverage": lambda v, s, q, f: coverage(s, "sin2_theta_w", 0.24, toys=50),
    "expected": lambda v, s, q, f: expected_limit(v, "g", HELD, toys=50),
    "sensitivity": lambda v, s, q, f: find_sensitivity(
        v, "g", axis=Axis("mass_mev", 1.0, 100.0, 3, "log"), toys=50,
        scenarios=[Scenario(), Scenario(10.0)],
    ),
    "posterior": lambda v, s, q, f: posterior(v, "g", HELD),
    "plane posterior": lambda v, s, q, f: posterior(
        v, ["g", "sin2_theta_w"], HELD, box={"sin2_theta_w": (0.2, 0.3)}
    ),
    "line": lambda v, s, q, f: scan_in_memory(v, [Axis("g", 0.0, 4e-5, 41)], HELD),
    "memory": lambda v, s, q, f: scan_in_memory(v, [G, MASS]),
    "store": lambda v, s, q, f: run_scan(v, [MASS, G], out=f / "plane.zarr"),
    "cube": lambda v, s, q, f: scan_in_memory(q, CHARGES),
    "contour": lambda v, s, q, f: find_contour(scan_in_memory(v, [MASS, G])),
    "boundary": lambda v, s, q, f: find_boundary(v, MASS, "g"),
    "marginal": lambda v, s, q, f: marginalise(q, CHARGES, ["q_ee"]),
    "density": lambda v, s, q, f: marginalise(q, CHARGES, ["q_ee"], method="bayes"),
    "marginal plane": lambda v, s, q, f: marginalise(q, CHARGES, ["q_ee", "q_emu"]),
    "band": lambda v, s, q, f: contour_band(q, CHARGES, ["q_ee"], "q_emu"),
    "construction": lambda v, s, q, f: _construction(v, f),
}  # fmt: skip


def _other(likelihood):
    """The same experiment with other counts, under another name."""
    experiment = likelihood.experiment.model_copy(update={"name": "other", "title": "<b>$other$"})
    again = fastscan.Likelihood(likelihood.model, experiment, likelihood.response)
    return again.observing(1.1 * likelihood.data)
