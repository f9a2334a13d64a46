"""Grids in memory against a fill of their array, and into zarr against random data.

The part of `fastscan bench` that is about grids, with any number of points.
"""

import argparse
import json

import fastscan
from fastscan.bench.engine import measure_zarr
from fastscan.bench.grids import measure_grid
from fastscan.bench.report import Report, machine
from fastscan.bench.suite import grid_cases
from fastscan.scan import default_workers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=float, default=1e8)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--workers", type=int, default=default_workers())
    options = parser.parse_args()
    models = {name: fastscan.likelihood(name) for name in ("vector", "scalar", "millicharge")}
    report = Report(machine(), vars(options))
    cases = grid_cases(models, round(options.points))
    for case in cases.values():
        report.entries.extend(measure_grid(case, options.workers, options.repetitions))
    report.entries.extend(measure_zarr(cases["vector"], options.workers, options.repetitions))
    print(json.dumps(report.to_dict(), indent=2))


if __name__ == "__main__":
    main()
