"""Results: one base for all, and those that are plain numbers."""

from fastscan.results.bins import Bins
from fastscan.results.coverage import Coverage, Share
from fastscan.results.curve import ProfileCurve
from fastscan.results.fit import Fit, ToyProbability
from fastscan.results.impacts import Impact, Impacts
from fastscan.results.intervals import (
    Basin,
    CLsLimit,
    Credible,
    FeldmanCousinsLimit,
    Intervals,
    Limit,
    interval_words,
)
from fastscan.results.plain import plain
from fastscan.results.prediction import Prediction
from fastscan.results.provenance import Provenance, with_unit
from fastscan.results.result import FORMATS, Column, Result, Table, check_result_path
from fastscan.results.sensitivity import BAND_SIGMAS, Expected, Scenario, Sensitivity
from fastscan.results.touch import Touch, cut_words, edge_words, touch_words

__all__ = [
    "BAND_SIGMAS",
    "FORMATS",
    "Basin",
    "Bins",
    "CLsLimit",
    "Column",
    "Coverage",
    "Credible",
    "Expected",
    "FeldmanCousinsLimit",
    "Fit",
    "Impact",
    "Impacts",
    "Intervals",
    "Limit",
    "Prediction",
    "ProfileCurve",
    "Provenance",
    "Result",
    "Scenario",
    "Sensitivity",
    "Share",
    "Table",
    "Touch",
    "ToyProbability",
    "check_result_path",
    "cut_words",
    "edge_words",
    "interval_words",
    "plain",
    "touch_words",
    "with_unit",
]
