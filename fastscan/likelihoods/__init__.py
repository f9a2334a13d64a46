"""Chi2 with all pulls profiled: one form, whatever the likelihood, and its strategies."""

from fastscan.likelihoods.form import Chi2Form, chi2_form
from fastscan.likelihoods.function import Chi2Function
from fastscan.likelihoods.levels import delta_chi2, normalisation_pull, profiled_chi2
from fastscan.likelihoods.likelihood import Likelihood
from fastscan.likelihoods.loading import likelihood, make_likelihood
from fastscan.likelihoods.profile import Profile
from fastscan.results import Basin, Limit, Prediction

__all__ = [
    "Basin",
    "Chi2Form",
    "Chi2Function",
    "Likelihood",
    "Limit",
    "Prediction",
    "Profile",
    "chi2_form",
    "delta_chi2",
    "likelihood",
    "make_likelihood",
    "normalisation_pull",
    "profiled_chi2",
]
