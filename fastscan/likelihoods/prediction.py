"""What a model predicts at a point, beside the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Prediction"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Counts of each bin at one point.

    Attributes
    ----------
    parameters : dict
        All parameters of the model.
    edges_ev, unit
        Observed bins and the unit of the counts.
    cevns, eves, total : (bins,)
        Zero in a channel that is switched off.
    chi2, alpha_hat : float
        Profiled chi2 and the relative change of the total counts it is reached at: the shift of the
        normalisation, where that is the only nuisance.
    pulls : dict of float
        Nuisances at that chi2, in their standard deviations.
    parts : tuple of Prediction
        Of each experiment of a joint fit, with the pulls of all; empty otherwise.
    """

    parameters: dict[str, float]
    edges_ev: FloatArray
    unit: str
    cevns: FloatArray
    eves: FloatArray
    total: FloatArray
    chi2: float
    alpha_hat: float
    pulls: dict[str, float]
    parts: tuple[Prediction, ...] = ()
