"""What a model may do to the flux: weights that depend on the neutrino energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastscan.exceptions import InputError

if TYPE_CHECKING:
    from fastscan.models.base import Model, Recoils

__all__ = ["Energies", "Oscillation", "kinematic_symbols", "trial_shape"]

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


def kinematic_symbols(
    model: Model, recoils: Recoils, energies: Energies, shape: Mapping[str, FloatArray]
) -> tuple[frozenset[str], frozenset[str]]:
    """Symbols that a model states in `Model.minimum_energy` and in `Model.weights`.

    Raises
    ------
    InputError
        One of them returns no dict, or both have a symbol in common.
    """
    stated: dict[str, object] = {
        "minimum_energy": model.minimum_energy(recoils, shape),
        "weights": model.weights(energies, shape),
    }
    names = []
    for method, found in stated.items():
        if not isinstance(found, Mapping):
            raise InputError(
                f"{method} returns no dict",
                where=f"model {model.name}",
                hint="return {symbol: values}, and multiply the terms that are meant by the symbol",
            )
        names.append(frozenset(found))
    thresholds, weights = names
    if thresholds & weights:
        raise InputError(
            f"{', '.join(sorted(thresholds & weights))} is both a least energy and a weight",
            where=f"model {model.name}",
            hint="give each a symbol of its own",
        )
    return thresholds, weights


def trial_shape(model: Model) -> dict[str, FloatArray]:
    """One row of shape parameters, for a model tells its symbols with their values."""
    return {
        p.name: np.array([min(max(1.0 if p.default is None else p.default, p.minimum), p.maximum)])
        for p in model.parameters
        if p.kind == "shape"
    }
