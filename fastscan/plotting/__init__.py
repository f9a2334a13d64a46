"""Figures: planes, profiles, spectra and comparisons, in one style, as files."""

from fastscan.plotting.axis import PlotAxis
from fastscan.plotting.caption import CHANNEL_LABELS, caption, result_caption
from fastscan.plotting.delta_chi2 import DeltaChi2Curve, PublishedInterval, draw_delta_chi2
from fastscan.plotting.exclusion import (
    allowed_figure,
    draw_allowed,
    draw_exclusion,
    exclusion_figure,
)
from fastscan.plotting.limit_chart import UpperLimit, draw_limit_chart, limit_chart_figure
from fastscan.plotting.overlay import draw_overlays
from fastscan.plotting.painters import result_figure, save_result
from fastscan.plotting.profile import draw_profile, profile_figure
from fastscan.plotting.running import Measurement, draw_running, drawn_scales, running_figure
from fastscan.plotting.save import check_figure_path, save_figure
from fastscan.plotting.scan import plot_scan, scan_description, scan_figure
from fastscan.plotting.spectrum import draw_excess, draw_spectrum, spectrum_figure
from fastscan.plotting.style import COLUMN_WIDTH_CM, PAGE_WIDTH_CM, new_figure, style

__all__ = [
    "CHANNEL_LABELS",
    "COLUMN_WIDTH_CM",
    "PAGE_WIDTH_CM",
    "DeltaChi2Curve",
    "Measurement",
    "PlotAxis",
    "PublishedInterval",
    "UpperLimit",
    "allowed_figure",
    "caption",
    "check_figure_path",
    "draw_allowed",
    "draw_delta_chi2",
    "draw_excess",
    "draw_exclusion",
    "draw_limit_chart",
    "draw_overlays",
    "draw_profile",
    "draw_running",
    "draw_spectrum",
    "drawn_scales",
    "exclusion_figure",
    "limit_chart_figure",
    "new_figure",
    "plot_scan",
    "profile_figure",
    "result_caption",
    "result_figure",
    "running_figure",
    "save_figure",
    "save_result",
    "scan_description",
    "scan_figure",
    "spectrum_figure",
    "style",
]
