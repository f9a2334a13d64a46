"""Build the response tensors of conus-plus: cold, warm, and against one point of quadrature."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict

import fastscan
from fastscan.bench import Spread, in_turn, ratio
from fastscan.bench.quadrature import PlainQuadrature
from fastscan.tensors import build_response

COLD = "import fastscan; fastscan.load_response(fastscan.load_experiment('conus-plus'))"


def cold_build() -> float:
    """Seconds of a whole process with no machine code and no store from before."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"NUMBA_CACHE_DIR": folder, "FASTSCAN_TABLES": f"{folder}/tables"}
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", COLD], check=True, env=os.environ | places)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    experiment = fastscan.load_experiment("conus-plus")
    plain = PlainQuadrature(fastscan.likelihood("vector"))
    seconds = in_turn(
        repetitions,
        {
            "build": lambda: build_response(experiment),
            "quadrature": lambda: plain.counts(1.0, 1e-5),
        },
    )
    response = build_response(experiment)
    cold = Spread.of(cold_build() for _ in range(repetitions))
    report = {
        "cold_process_seconds": asdict(cold),
        "warm_build_seconds": asdict(Spread.of(seconds["build"])),
        "one_point_of_quadrature_over_warm_build": asdict(
            ratio(seconds["quadrature"], seconds["build"])
        ),
        "size_bytes": response.size_bytes,
        "error_estimate": response.error_estimate,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
