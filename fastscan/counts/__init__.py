"""Counts of every bin as polynomials in the couplings, and their change by each pull."""

from fastscan.counts.constraint import Constraint, constrained
from fastscan.counts.counts import Counts, Part
from fastscan.counts.nuisances import Nuisances
from fastscan.counts.signal import Signal, build_signal, channel_names

__all__ = [
    "Constraint",
    "Counts",
    "Nuisances",
    "Part",
    "Signal",
    "build_signal",
    "channel_names",
    "constrained",
]
