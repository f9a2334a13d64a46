"""Chi2 of one point by SciPy's quadrature, as a script written for one paper computes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import FERMI_CONSTANT_PER_MEV2, SIN2_THETA_W
from fastscan.counts.signal import sm_scale
from fastscan.likelihoods import Likelihood, profiled_chi2
from fastscan.tensors.flux import Flux

__all__ = ["PlainQuadrature"]

FloatArray = NDArray[np.float64]

_ACCURACY = 1e-5
_TABLE_POINTS = 20_000


class PlainQuadrature:
    """A light B-L vector mediator, both channels, point by point.

    The flux is a table that is interpolated, cross sections are plain Python, and at every recoil
    node the integral over antineutrino energies is one call of `scipy.integrate.quad`. The recoil
    nodes and their response, which depend on no parameter, are taken from the tensors: a script
    that also integrates over recoils and resolution for each point takes longer.

    Parameters
    ----------
    likelihood : Likelihood
        Of the vector model with its default charges.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        self._likelihood = likelihood
        (experiment,) = likelihood.experiments
        self._scale = sm_scale(experiment, likelihood.response)
        reactor = experiment.reactor
        assert reactor is not None
        self._energy_max = float(reactor.energy_max_mev)
        self._energies = np.geomspace(1e-3, self._energy_max, _TABLE_POINTS)
        self._flux = Flux(reactor, 1e-3)(self._energies)

    def chi2(self, mass_mev: float, g: float) -> float:
        """Profiled chi2 at one point."""
        own = self._likelihood
        assert own.sigma_alpha is not None
        counts = self.counts(mass_mev, g)
        return float(profiled_chi2(counts, own.data, own.sigma, own.sigma_alpha))

    def counts(self, mass_mev: float, g: float) -> FloatArray:
        """Counts of each bin at one point."""
        total = np.zeros_like(self._likelihood.data)
        for name, channel in self._likelihood.response.channels.items():
            nodes = zip(
                channel.recoil_energy_mev.tolist(),
                channel.target_mass_mev.tolist(),
                channel.protons.tolist(),
                channel.neutrons.tolist(),
                channel.form_factor_squared.tolist(),
                strict=True,
            )
            for t, (recoil, target, protons, neutrons, form_factor) in enumerate(nodes):
                exchange = g**2 / (
                    math.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2 * (mass_mev**2 + 2.0 * target * recoil)
                )
                if name == "cevns":
                    charge = protons * (0.5 - 2.0 * SIN2_THETA_W) - 0.5 * neutrons
                    charge -= exchange * (protons + neutrons)
                    section = _nucleus(recoil, target, charge**2 * form_factor)
                else:
                    section = _electron(recoil, target, 0.5 + 2.0 * SIN2_THETA_W + exchange)
                total += self._over_energies(section, recoil, target) * channel.response[t]
        return self._scale * total

    def _over_energies(
        self, section: Callable[[float], float], recoil: float, target: float
    ) -> float:
        from scipy.integrate import quad

        lowest = 0.5 * (recoil + math.sqrt(recoil**2 + 2.0 * target * recoil))
        if lowest >= self._energy_max:
            return 0.0

        def integrand(energy: float) -> float:
            return float(np.interp(energy, self._energies, self._flux)) * section(energy)

        # The full output keeps quad from warning: the flux has kinks, and this accuracy will do.
        options: dict[str, Any] = {"epsrel": _ACCURACY, "epsabs": 0.0, "limit": 200}
        found: Any = quad(integrand, lowest, self._energy_max, full_output=1, **options)
        return float(found[0])


def _nucleus(recoil: float, mass: float, charge_squared: float) -> Callable[[float], float]:
    size = FERMI_CONSTANT_PER_MEV2**2 * mass / math.pi * charge_squared
    return lambda energy: size * (1.0 - mass * recoil / (2.0 * energy**2))


def _electron(recoil: float, mass: float, vector: float) -> Callable[[float], float]:
    size = FERMI_CONSTANT_PER_MEV2**2 * mass / (2.0 * math.pi)
    left, right = (vector - 0.5) ** 2, (vector + 0.5) ** 2
    mixed = vector**2 - 0.25
    return lambda energy: (
        size * (left + right * (1.0 - recoil / energy) ** 2 - mixed * mass * recoil / energy**2)
    )
