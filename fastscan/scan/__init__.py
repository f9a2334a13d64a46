"""Dense scans: axes, blocks under dask, results in zarr, contours."""

from fastscan.scan.axes import Axis
from fastscan.scan.band import Band, contour_band
from fastscan.scan.boundary import Boundary, find_boundary
from fastscan.scan.contour import (
    Contour,
    contour_lines,
    find_contour,
    no_contour,
    refined,
    region_edges,
    write_contour,
)
from fastscan.scan.evaluation import evaluate_points, open_points
from fastscan.scan.executors import default_workers
from fastscan.scan.grid import Grid
from fastscan.scan.marginal import Marginal, count_inside, marginalise
from fastscan.scan.provenance import scan_header
from fastscan.scan.result import BestFit, ScanResult
from fastscan.scan.run import run_scan, scan_in_memory
from fastscan.storage.plan import DEFAULT_BLOCK_POINTS, Plan

__all__ = [
    "DEFAULT_BLOCK_POINTS",
    "Axis",
    "Band",
    "BestFit",
    "Boundary",
    "Contour",
    "Grid",
    "Marginal",
    "Plan",
    "ScanResult",
    "contour_band",
    "contour_lines",
    "count_inside",
    "default_workers",
    "evaluate_points",
    "find_boundary",
    "find_contour",
    "marginalise",
    "no_contour",
    "open_points",
    "refined",
    "region_edges",
    "run_scan",
    "scan_header",
    "scan_in_memory",
    "write_contour",
]
