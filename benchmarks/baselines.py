"""A B-L plane by fastscan beside the same plane by other code, all in one run.

Vectorised NumPy, numba over bins, numba over the ratio of polynomials (those of `fastscan bench`,
with any number of points), and iminuit, which minimises over the normalisation at each point:
`pip install iminuit` if it is not there.
"""

import argparse
import json
from functools import partial

import numpy as np
from iminuit import Minuit

import fastscan
from fastscan import Axis
from fastscan.bench.baselines import measure_baselines
from fastscan.bench.measure import in_turn, ratio
from fastscan.bench.report import Entry, Report, machine
from fastscan.scan import default_workers


def measure_iminuit(likelihood, side, points, repetitions):
    """A point by iminuit over a point of a plane; counts are given to it."""
    rng = np.random.default_rng(1)
    counts = [
        likelihood.predict(mass_mev=10 ** rng.uniform(-2, 3), g=10 ** rng.uniform(-8, -4)).total
        for _ in range(points)
    ]
    data, sigma, width = likelihood.data, likelihood.sigma, likelihood.sigma_alpha

    def chi2(row, alpha):
        rest = ((1.0 + alpha) * row - data) / sigma
        return rest @ rest + (alpha / width) ** 2

    def minimise():
        for row in counts:
            Minuit(partial(chi2, row), 0.0, name=["alpha"]).migrad()

    axes = [Axis("mass_mev", 1e-2, 1e3, side, "log"), Axis("g", 1e-8, 1e-2, side, "log")]
    seconds = in_turn(
        repetitions,
        {
            "ours": partial(fastscan.scan_in_memory, likelihood, axes, workers=1),
            "iminuit": minimise,
        },
    )
    seconds["iminuit"] = [second * side**2 / points for second in seconds["iminuit"]]
    what = (
        f"a point by iminuit, time over that of a point of a plane of {side} x {side}, one thread"
    )
    yield Entry("iminuit_over_scan", ratio(seconds["iminuit"], seconds["ours"]), "1", what)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=float, default=3.6e7)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--workers", type=int, default=default_workers())
    options = parser.parse_args()
    likelihood = fastscan.likelihood("vector")
    side = round(options.points**0.5)
    report = Report(machine(), vars(options))
    rows = measure_baselines(likelihood, side, 600, options.workers, options.repetitions)
    report.entries.extend(rows)
    report.entries.extend(measure_iminuit(likelihood, side, 200, options.repetitions))
    print(json.dumps(report.to_dict(), indent=2))


if __name__ == "__main__":
    main()
