"""Chi2 with the normalisation profiled in closed form, intervals and limits."""

from fastscan.statistics.chi2 import delta_chi2, normalisation_pull, profiled_chi2
from fastscan.statistics.curve import Chi2Curve
from fastscan.statistics.fit_space import FitSpace, Hypotheses
from fastscan.statistics.likelihood import Likelihood, Limit, Prediction, likelihood
from fastscan.statistics.points import Chi2Function
from fastscan.statistics.profile import Basin, Profile
from fastscan.statistics.pulls import Part, PulledRates
from fastscan.statistics.surface import Surface

__all__ = [
    "Basin",
    "Chi2Curve",
    "Chi2Function",
    "FitSpace",
    "Hypotheses",
    "Likelihood",
    "Limit",
    "Part",
    "Prediction",
    "Profile",
    "PulledRates",
    "Surface",
    "delta_chi2",
    "likelihood",
    "normalisation_pull",
    "profiled_chi2",
]
