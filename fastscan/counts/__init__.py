"""Counts of every bin as polynomials in the couplings, and their change by each pull."""

from fastscan.counts.basis import Basis, at_centre, basis_of, plain_constraint
from fastscan.counts.constraint import Constraint, constrained
from fastscan.counts.counts import Counts, Part
from fastscan.counts.nuisances import Nuisances, background_counts
from fastscan.counts.signal import Signal, build_signal, channel_names

__all__ = [
    "Basis",
    "Constraint",
    "Counts",
    "Nuisances",
    "Part",
    "Signal",
    "at_centre",
    "background_counts",
    "basis_of",
    "build_signal",
    "channel_names",
    "constrained",
    "plain_constraint",
]
