"""Dense scans: axes, blocks under dask, results in zarr, contours."""

from fastscan.scan.axes import Axis
from fastscan.scan.band import Band, contour_band, write_band
from fastscan.scan.boundary import Boundary, find_boundary, write_boundary
from fastscan.scan.contour import contour_lines, write_contour
from fastscan.scan.executors import default_workers
from fastscan.scan.grid import Grid
from fastscan.scan.marginal import Marginal, count_inside, marginalise, write_marginal
from fastscan.scan.points import evaluate_points, open_points
from fastscan.scan.provenance import scan_header
from fastscan.scan.pulled_grid import PulledGrid, grid_of
from fastscan.scan.result import BestFit, ScanResult
from fastscan.scan.run import run_scan, scan_in_memory
from fastscan.storage.plan import DEFAULT_BLOCK_POINTS, Plan

__all__ = [
    "DEFAULT_BLOCK_POINTS",
    "Axis",
    "Band",
    "BestFit",
    "Boundary",
    "Grid",
    "Marginal",
    "Plan",
    "PulledGrid",
    "ScanResult",
    "contour_band",
    "contour_lines",
    "count_inside",
    "default_workers",
    "evaluate_points",
    "find_boundary",
    "grid_of",
    "marginalise",
    "open_points",
    "run_scan",
    "scan_header",
    "scan_in_memory",
    "write_band",
    "write_boundary",
    "write_contour",
    "write_marginal",
]
