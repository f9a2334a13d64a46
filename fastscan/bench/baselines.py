"""Chi2 of a plane as competent code computes it that was written for one paper.

All of them are given what any analysis computes once: the response, and the flux moments above the
smallest energy at each recoil node. None of them knows another model, nuisance or experiment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numba
import numpy as np
from numpy.typing import NDArray

from fastscan.bench.measure import in_turn, ratio
from fastscan.bench.report import Entry
from fastscan.constants import FERMI_CONSTANT_PER_MEV2, SIN2_THETA_W
from fastscan.counts.signal import sm_scale
from fastscan.likelihoods import Likelihood
from fastscan.scan import Axis, scan_in_memory

__all__ = ["Baselines", "measure_baselines"]

FloatArray = NDArray[np.float64]


@numba.njit(parallel=True, fastmath=True, cache=True)
def _sum_over_bins(
    rates: FloatArray, u: FloatArray, data: FloatArray, weight: float, out: FloatArray
) -> None:
    """Counts of each bin at each point, and chi2 with the normalisation profiled."""
    squared = 0.0
    for b in range(data.size):
        squared += data[b] * data[b]
    for i in numba.prange(rates.shape[0]):
        for j in range(u.size):
            counts_squared, product = 0.0, 0.0
            for b in range(data.size):
                counts = rates[i, 0, b] + u[j] * (rates[i, 1, b] + u[j] * rates[i, 2, b])
                counts_squared += counts * counts
                product += counts * data[b]
            numerator = counts_squared * squared - product * product
            numerator += weight * (counts_squared - 2.0 * product + squared)
            out[i, j] = numerator / (counts_squared + weight)


@numba.njit(parallel=True, fastmath=True, cache=True)
def _divide_polynomials(
    numerator: FloatArray, denominator: FloatArray, u: FloatArray, out: FloatArray
) -> None:
    """Chi2 as the ratio of two polynomials of the fourth degree in g**2, by Horner's rule."""
    for i in numba.prange(numerator.shape[0]):
        n0, n1, n2, n3, n4 = numerator[i]
        d0, d1, d2, d3, d4 = denominator[i]
        for j in range(u.size):
            x = u[j]
            above = (((n4 * x + n3) * x + n2) * x + n1) * x + n0
            out[i, j] = above / ((((d4 * x + d3) * x + d2) * x + d1) * x + d0)


class Baselines:
    """A light B-L vector mediator, both channels, chi2 on the product of masses and couplings.

    Parameters
    ----------
    likelihood : Likelihood
        Of the vector model with its default charges, one experiment with one normalisation.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        assert likelihood.sigma_alpha is not None
        sigma = likelihood.sigma
        (experiment,) = likelihood.experiments
        scale = sm_scale(experiment, likelihood.response)
        nuclei, electrons = (likelihood.response.channels[name] for name in ("cevns", "eves"))
        unit = math.sqrt(2.0) * FERMI_CONSTANT_PER_MEV2
        self._data = likelihood.data / sigma
        self._weight = likelihood.sigma_alpha**-2

        # CEvNS: (charge - u * exchange)**2 times a kernel.
        recoil, mass = nuclei.recoil_energy_mev, nuclei.target_mass_mev
        m0, _, m2 = nuclei.flux_moments.sum(axis=1)
        size = scale * FERMI_CONSTANT_PER_MEV2**2 * mass / math.pi * nuclei.form_factor_squared
        kernel = size * (m0 - 0.5 * mass * recoil * m2)
        self._nuclei = kernel[:, None] * nuclei.response / sigma
        self._charge = nuclei.protons * (0.5 - 2.0 * SIN2_THETA_W) - 0.5 * nuclei.neutrons
        self._nucleons = (nuclei.protons + nuclei.neutrons) / unit
        self._transfer = 2.0 * mass * recoil

        # EvES: a polynomial of the second degree in g_V, one kernel a power.
        recoil, mass = electrons.recoil_energy_mev, electrons.target_mass_mev
        m0, m1, m2 = electrons.flux_moments.sum(axis=1)
        right, mixed = m0 - 2.0 * recoil * m1 + recoil**2 * m2, mass * recoil * m2
        size = scale * FERMI_CONSTANT_PER_MEV2**2 * mass / (2.0 * math.pi)
        powers = (0.25 * (m0 + right + mixed), right - m0, m0 + right - mixed)
        self._electrons = [(size * power)[:, None] * electrons.response / sigma for power in powers]
        self._per_electron = 1.0 / unit
        self._electron_transfer = 2.0 * mass * recoil

    def numpy(self, masses_mev: FloatArray, couplings: FloatArray) -> FloatArray:
        """Rates as polynomials in g**2, counts of all couplings at a mass at once."""
        u = couplings[:, None] ** 2
        d, s = self._data, self._weight
        out = np.empty((masses_mev.size, couplings.size))
        for i, (zeroth, first, second) in enumerate(self._rates(masses_mev)):
            counts = zeroth + u * (first + u * second)
            squared, product = np.einsum("jb,jb->j", counts, counts), counts @ d
            numerator = squared * (d @ d) - product**2 + s * (squared - 2.0 * product + d @ d)
            out[i] = numerator / (squared + s)
        return out

    def numba_bins(
        self, masses_mev: FloatArray, couplings: FloatArray, out: FloatArray
    ) -> FloatArray:
        """The same in compiled loops over masses (in parallel), couplings and bins."""
        _sum_over_bins(self._rates(masses_mev), couplings**2, self._data, self._weight, out)
        return out

    def numba_ratio(
        self, masses_mev: FloatArray, couplings: FloatArray, out: FloatArray
    ) -> FloatArray:
        """Chi2's own polynomials of each mass, divided in compiled loops (masses in parallel)."""
        d, s = self._data, self._weight
        rates = self._rates(masses_mev)
        degrees = range(3)
        squared, product = np.zeros((2, masses_mev.size, 5))
        square = np.zeros((masses_mev.size, 5))
        for a in degrees:
            product[:, a] = rates[:, a] @ d
            for b in degrees:
                squared[:, a + b] += np.einsum("mb,mb->m", rates[:, a], rates[:, b])
        for a in degrees:
            for b in degrees:
                square[:, a + b] += product[:, a] * product[:, b]
        numerator = squared * (d @ d) - square + s * (squared - 2.0 * product)
        numerator[:, 0] += s * (d @ d)
        denominator = squared.copy()
        denominator[:, 0] += s
        _divide_polynomials(numerator, denominator, couplings**2, out)
        return out

    def _rates(self, masses_mev: FloatArray) -> FloatArray:
        """Counts over sigma as polynomials in g**2, shape (masses, 3, bins)."""
        squared = masses_mev[:, None] ** 2
        exchange = self._nucleons / (squared + self._transfer)
        electron = self._per_electron / (squared + self._electron_transfer)
        constant, linear, square = self._electrons
        vector = 0.5 + 2.0 * SIN2_THETA_W
        standard = self._charge**2 @ self._nuclei
        standard = standard + (constant + vector * linear + vector**2 * square).sum(axis=0)
        first = (-2.0 * self._charge * exchange) @ self._nuclei
        first += electron @ (linear + 2.0 * vector * square)
        second = exchange**2 @ self._nuclei + electron**2 @ square
        rates = np.stack([np.broadcast_to(standard, first.shape), first, second], axis=1)
        return np.ascontiguousarray(rates)


def measure_baselines(
    vector: Likelihood, side: int, few: int, workers: int, repetitions: int
) -> Iterator[Entry]:
    """A plane by other code over the same plane by `scan_in_memory`, all from nothing.

    Parameters
    ----------
    vector : Likelihood
    side, few : int
        Points of each axis; for NumPy few, which is faster on arrays that stay in the cache.
    workers, repetitions : int
    """
    baselines = Baselines(vector)

    def axes(points: int) -> tuple[Axis, Axis]:
        return Axis("mass_mev", 1e-2, 1e3, points, "log"), Axis("g", 1e-8, 1e-2, points, "log")

    masses, couplings = (axis.values for axis in axes(side))
    few_masses, few_couplings = (axis.values for axis in axes(few))
    before = numba.get_num_threads()
    numba.set_num_threads(min(workers, before))
    try:
        seconds = in_turn(
            repetitions,
            {
                "ours": lambda: scan_in_memory(vector, axes(side), workers=workers),
                "numpy": lambda: baselines.numpy(few_masses, few_couplings),
                "bins": lambda: baselines.numba_bins(masses, couplings, np.empty((side, side))),
                "ratio": lambda: baselines.numba_ratio(masses, couplings, np.empty((side, side))),
            },
        )
    finally:
        numba.set_num_threads(before)
    seconds["numpy"] = [second * (side / few) ** 2 for second in seconds["numpy"]]
    for name, what in (
        ("numpy", f"vectorised NumPy, by the point on {few} x {few}, one thread"),
        ("bins", "a numba loop over masses (parallel), couplings and bins"),
        ("ratio", "a numba loop over the ratio of chi2's own polynomials (parallel)"),
    ):
        yield Entry(
            f"plane_{name}_over_scan",
            ratio(seconds[name], seconds["ours"]),
            "1",
            f"vector plane of {side} x {side} by {what}, time over that of scan_in_memory",
        )
