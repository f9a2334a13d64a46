"""What a model may do to the flux: weights that depend on the neutrino energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError

__all__ = ["Energies", "Oscillation"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Energies:
    """Neutrino energies, as a model sees them.

    Attributes
    ----------
    energy_mev : (e,)
    experiment : str
    source_distance_m : float
        From the sources to the detectors; 0 where the experiment does not say one for all.
    """

    energy_mev: FloatArray
    experiment: str
    source_distance_m: float

    @property
    def distance_m(self) -> float:
        """From the source to the detectors.

        Raises
        ------
        InputError
            The experiment does not say.
        """
        if self.source_distance_m > 0.0:
            return self.source_distance_m
        raise InputError(
            "missing key 'distance_m': neutrinos oscillate on their way from the source",
            where=f"{self.experiment}: reactor",
            hint="give reactor.distance_m in metres; of several sources, the same for all",
        )


@dataclass(frozen=True)
class Oscillation:
    """The weight exp(-(d / E)**2 / 2) cos(k / E), integrated exactly whatever the phase is.

    Attributes
    ----------
    phase_mev : (rows,)
        k.
    damping_mev : (rows,), optional
        d: where k is normally distributed, as with the distance, its standard deviation.
    """

    phase_mev: FloatArray
    damping_mev: FloatArray | None = None
