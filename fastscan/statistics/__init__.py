"""Chi2 with nuisances profiled, and everything that is made of it.

What every use needs is imported here; toys, posteriors, sensitivities and the like are modules of
their own, imported by those who ask for them.
"""

from fastscan.statistics.chi2 import delta_chi2, normalisation_pull, profiled_chi2
from fastscan.statistics.curve import Chi2Curve
from fastscan.statistics.fit_space import FitSpace, Hypotheses
from fastscan.statistics.likelihood import Likelihood, Limit, Prediction
from fastscan.statistics.make import likelihood, make_likelihood
from fastscan.statistics.nuisances import Nuisances
from fastscan.statistics.points import Chi2Function
from fastscan.statistics.profile import Basin, Profile
from fastscan.statistics.pulled_surface import PulledCurve, PulledSurface, fitted_pulls
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
    "Nuisances",
    "Part",
    "Prediction",
    "Profile",
    "PulledCurve",
    "PulledRates",
    "PulledSurface",
    "Surface",
    "delta_chi2",
    "fitted_pulls",
    "likelihood",
    "make_likelihood",
    "normalisation_pull",
    "profiled_chi2",
]
