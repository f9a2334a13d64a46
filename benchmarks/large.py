"""A scan of very many points into zarr: memory, time, and that of random data with the same codec.

Scans and random data take turns; each scan is a process of its own, whose peak memory is read.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import zarr

from fastscan.bench import Spread, ratio
from fastscan.bench.report import machine
from fastscan.scan import DEFAULT_BLOCK_POINTS, Plan, default_workers
from fastscan.scan.store import compressors

SCAN = """\
import sys, time
import fastscan
from fastscan import Axis

out, side, dtype, workers = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
likelihood = fastscan.likelihood("vector")
axes = [Axis("mass_mev", 1e-2, 1e3, side, "log"), Axis("g", 1e-8, 1e-2, side, "log")]
start = time.perf_counter()
fastscan.run_scan(likelihood, axes, out=out, dtype=dtype, workers=workers)
seconds = time.perf_counter() - start
with open("/proc/self/status") as lines:
    peak = next(int(line.split()[1]) for line in lines if "VmHWM" in line)
print(seconds, peak * 1024)
"""


def size_of(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())


def random_data(store: Path, side: int, dtype: str, workers: int) -> float:
    """Seconds to write the same random block everywhere."""
    plan = Plan.of((side, side))
    block = np.random.default_rng(1).random(plan.block_shape).astype(dtype)
    start = time.perf_counter()
    array = zarr.create_array(
        store,
        shape=plan.shape,
        chunks=plan.block_shape,
        dtype=dtype,
        compressors=compressors(dtype),
    )

    def one(index: tuple[int, ...]) -> None:
        slices = plan.slices(index)
        array[slices] = block[tuple(slice(s.stop - s.start) for s in slices)]

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, plan.indices()))
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where to write; what is made there is deleted again")
    parser.add_argument("--points", type=float, default=1e9)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--workers", type=int, default=default_workers())
    options = parser.parse_args()
    side = math.isqrt(round(options.points))
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "side": side, "block_points": DEFAULT_BLOCK_POINTS}
    for dtype in ("float64", "float32"):
        seconds: dict[str, list[float]] = {"raw": [], "scan": []}
        peaks, bytes_per_point, loads = [], {}, []
        for _ in range(options.repetitions):
            loads.append(os.getloadavg()[0])
            store = folder / "raw.zarr"
            seconds["raw"].append(random_data(store, side, dtype, options.workers))
            bytes_per_point["raw"] = size_of(store) / side**2
            shutil.rmtree(store)
            store = folder / "scan.zarr"
            arguments = [str(store), str(side), dtype, str(options.workers)]
            done = subprocess.run(
                [sys.executable, "-c", SCAN, *arguments], check=True, capture_output=True, text=True
            )
            found = [float(word) for word in done.stdout.split()]
            seconds["scan"].append(found[0])
            peaks.append(found[1])
            bytes_per_point["scan"] = size_of(store) / side**2
            shutil.rmtree(store)
        report[dtype] = {
            "seconds": {name: asdict(Spread.of(values)) for name, values in seconds.items()},
            "scan_over_raw": asdict(ratio(seconds["scan"], seconds["raw"])),
            "points_per_second": side**2 / Spread.of(seconds["scan"]).median,
            "peak_memory_bytes": asdict(Spread.of(peaks)),
            "stored_bytes_per_point": bytes_per_point,
            "load_at_the_start": loads,
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
