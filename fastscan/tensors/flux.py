"""Fluxes and their moments above an energy, to quadrature accuracy: any spectrum, and reactors."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.special import loggamma

from fastscan.constants import ELECTRON_MASS_MEV, FINE_STRUCTURE_CONSTANT, MEV_PER_JOULE
from fastscan.inputs import Reactor, ReactorSpectrum
from fastscan.kernels import spectra

__all__ = ["Flux", "PanelFlux", "panel_nodes"]

FloatArray = NDArray[np.float64]

# Gauss-Legendre order of the energy panels, which `PanelFlux` halves until a doubled order agrees.
ORDER = 16
# Rows of a table up to which each is a break of the quadrature over recoils; and of longer ones the
# second difference of the logarithm up to which they are smooth, and need no breaks.
MOST_TABLE_KINKS = 1000
SMOOTH = 1e-3
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(ORDER)
_NODE_FINE, _WEIGHT_FINE = np.polynomial.legendre.leggauss(2 * ORDER)


def panel_nodes(
    low: FloatArray, high: FloatArray, node: FloatArray = _NODE, weight: FloatArray = _WEIGHT
) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights of each panel [low, high], shapes (panels, order)."""
    half = 0.5 * (high - low)[:, None]
    return 0.5 * (high + low)[:, None] + half * node, half * weight


class BetaBranch:
    """One allowed beta branch, its antineutrino spectrum normalised to one.

    p W E**2 F with the relativistic Fermi function of a point nucleus. The nuclear radius enters F
    as a constant factor R**(2 gamma - 2), which the normalisation removes. That is integrated on
    panels that narrow towards the end point, where the Coulomb factor is steep.
    """

    def __init__(self, daughter_z: int, endpoint_mev: float) -> None:
        self.endpoint_mev = endpoint_mev
        self.coulomb = FINE_STRUCTURE_CONSTANT * daughter_z
        self.gamma = float(np.sqrt(1.0 - self.coulomb**2))
        self.norm = 1.0
        edges = endpoint_mev * np.concatenate(([0.0], 1.0 - 0.5 ** np.arange(1.0, 40.0), [1.0]))
        energy, weight = panel_nodes(edges[:-1], edges[1:])
        self.norm = float((self(energy.ravel()) * weight.ravel()).sum())

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Antineutrinos per MeV and decay."""
        kinetic = np.maximum(self.endpoint_mev - energy_mev, 1e-300) / ELECTRON_MASS_MEV
        y = self.coulomb * (kinetic + 1.0) / np.sqrt(kinetic * (kinetic + 2.0))
        log_gamma_squared = 2.0 * loggamma(self.gamma + 1j * y).real
        shape = spectra.beta_spectrum(
            energy_mev,
            self.endpoint_mev,
            ELECTRON_MASS_MEV,
            self.gamma,
            log_gamma_squared,
            self.coulomb,
        )
        return shape / self.norm


class PanelFlux(ABC):
    """A flux that is smooth between its kinks, and its moments by quadrature on panels.

    A subclass states its bins and kinks, the flux at an energy, and its parts; it calls
    `_build_panels` and then `_tabulate`. Of a flux the units are cm**-2 s**-1 MeV**-1, of a fluence
    cm**-2 MeV**-1.
    """

    energy_max_mev: float
    bin_edges_mev: FloatArray
    kinks_mev: FloatArray
    _edges: FloatArray
    # Where a fourth moment is asked for, int phi ln(E / m) dE: m.
    _logarithm_of_mev: float | None = None

    @abstractmethod
    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux at each energy, any shape."""

    @abstractmethod
    def parts(self) -> dict[str, float]:
        """Flux of each part of the spectrum by name: they add up to the whole one."""

    @property
    def lines(self) -> FloatArray:
        """No lines, shape (2, 0)."""
        return np.empty((2, 0))

    @property
    def recoil_kinks_mev(self) -> FloatArray:
        """Kinks that a quadrature over recoils has to know of."""
        return self.kinks_mev

    @property
    def bin_flux(self) -> FloatArray:
        """Flux of each energy bin, shape (bins,)."""
        flux: FloatArray = self._bin_moments[0]
        return flux

    def moments(self, minimum_energy_mev: FloatArray) -> FloatArray:
        """Moments of the flux above each energy, in bins: int phi E**-n dE, shape (3, bins, T).

        A fourth one with a logarithm is there if it was asked for. Units of the flux times
        MeV**(1 - n); zero for bins below the minimum energy and above E_max.
        """
        start = np.asarray(minimum_energy_mev, dtype=float)
        out = np.zeros((len(self._bin_moments), self.bin_edges_mev.size - 1, start.size))
        inside = np.flatnonzero(start < self.energy_max_mev)
        if inside.size == 0:
            return out
        panel = np.searchsorted(self._edges, start[inside], side="right") - 1
        energy, weight = panel_nodes(start[inside], self._edges[panel + 1])
        first = self._moments_at(energy, weight) + self._rest_of_bin[:, panel]
        bin_index = self._bin_of_panel[panel]
        whole = np.arange(out.shape[1])[:, None] > bin_index[None, :]
        out[:, :, inside] = np.where(whole[None], self._bin_moments[:, :, None], 0.0)
        out[:, bin_index, inside] = first
        return out

    def _moments_at(self, energy: FloatArray, weight: FloatArray) -> FloatArray:
        weighted = self(energy) * weight
        weights = [energy**-n for n in (0, 1, 2)]
        if self._logarithm_of_mev is not None:
            weights.append(np.log(energy / self._logarithm_of_mev))
        return np.stack([(weighted * weight).sum(axis=1) for weight in weights])

    def _build_panels(self, lowest: float, tolerance: float) -> FloatArray:
        """Edges at every kink and bin edge, octaves below the first, halved until accurate."""
        fixed = np.unique(np.concatenate((self.kinks_mev, self.bin_edges_mev[1:])))
        octaves = fixed[0] * 0.5 ** np.arange(1, 1 + max(1, int(np.log2(fixed[0] / lowest)) + 2))
        edges = np.unique(np.concatenate(([0.0], octaves, fixed)))
        # The lowest panel starts at zero, where E**-n has no moments: it only enters the total.
        low, high = edges[1:-1], edges[2:]
        done = [edges[:2]]
        while low.size:
            coarse = self._moments_at(*panel_nodes(low, high))
            fine = self._moments_at(*panel_nodes(low, high, _NODE_FINE, _WEIGHT_FINE))
            bad = (np.abs(coarse - fine) > tolerance * np.abs(fine)).any(axis=0)
            # Next to an end point the Coulomb factor is not analytic, and a panel this narrow
            # carries nothing.
            bad &= high - low > 1e-5 * high
            done.append(np.concatenate((low[~bad], high[~bad])))
            middle = 0.5 * (low[bad] + high[bad])
            low, high = np.concatenate((low[bad], middle)), np.concatenate((middle, high[bad]))
        return np.unique(np.concatenate(done))

    def _tabulate(self) -> None:
        """Moments of every panel, once the flux has its scale."""
        self._bin_of_panel = (
            np.searchsorted(self.bin_edges_mev, 0.5 * (self._edges[1:] + self._edges[:-1])) - 1
        )
        energy, weight = panel_nodes(self._edges[:-1], self._edges[1:])
        full = self._moments_at(energy, weight)
        # Moments from each panel's low edge to the end of its energy bin, and of whole bins.
        bins = self.bin_edges_mev.size - 1
        self._bin_moments = np.zeros((len(full), bins))
        self._rest_of_bin = np.zeros((len(full), full.shape[1] + 1))
        for p in range(full.shape[1] - 1, -1, -1):
            e = self._bin_of_panel[p]
            self._rest_of_bin[:, p] = self._bin_moments[:, e]
            self._bin_moments[:, e] += full[:, p]


class Flux(PanelFlux):
    """Flux of a reactor's antineutrinos at the detector, in cm**-2 s**-1 MeV**-1.

    Parameters
    ----------
    reactor : Reactor
        Spectra, fractions and one of three normalisations.
    lowest_energy_mev : float
        Smallest energy any moment will be asked from; panels go on in octaves down to it.
    tolerance : float
        Relative accuracy of every panel's moments.
    logarithm_of_mev : float, optional
        A mass m far below all energies: adds int phi ln(E / m) dE as a fourth moment.
    """

    def __init__(
        self,
        reactor: Reactor,
        lowest_energy_mev: float,
        tolerance: float = 1e-12,
        logarithm_of_mev: float | None = None,
    ) -> None:
        self._logarithm_of_mev = logarithm_of_mev
        self._spectrum: ReactorSpectrum = reactor.spectrum
        # The flux is normalised with the spectra as they are, before any of them is scaled.
        self._weights: FloatArray = self._spectrum.fractions
        spectrum = self._spectrum
        self._branches = [
            BetaBranch(int(z), float(endpoint))
            for z, endpoint in zip(
                spectrum.branch_daughter_z, spectrum.branch_endpoint_mev, strict=True
            )
        ]
        self.energy_max_mev = float(reactor.energy_max_mev)
        self.bin_edges_mev: FloatArray = np.asarray(reactor.energy_bin_edges_mev, dtype=float)
        self.kinks_mev = self._find_kinks()
        self._scale = 1.0
        self._edges = self._build_panels(lowest_energy_mev, tolerance)
        self._scale = self._normalisation(reactor)
        if reactor.spectrum_file is None:
            self._weights = self._weights * reactor.spectrum_scale.factors
        self._tabulate()

    def __call__(self, energy_mev: FloatArray) -> FloatArray:
        """Flux at each energy, any shape, cm**-2 s**-1 MeV**-1."""
        energy = np.ascontiguousarray(energy_mev, dtype=float).ravel()
        return (self._scale * (self._fission(energy) + self._captures(energy))).reshape(
            np.shape(energy_mev)
        )

    @property
    def recoil_kinks_mev(self) -> FloatArray:
        """Kinks that a quadrature over recoils has to know of.

        Between the points of a long and smooth table the slope changes so little that the integral
        is as good as smooth, and the error estimate of the quadrature holds without them.
        """
        file, spectrum = self._spectrum.file_energy_mev, self._spectrum.file_spectrum
        positive = spectrum[spectrum > 0.0]
        bends = np.abs(np.diff(np.log(positive), 2))
        if file.size <= MOST_TABLE_KINKS or bends.max() > SMOOTH:
            return self.kinks_mev
        inner: FloatArray = self.kinks_mev[~np.isin(self.kinks_mev, file[1:-1])]
        return inner

    def parts(self) -> dict[str, float]:
        """Flux of each part of the spectrum, cm**-2 s**-1: they add up to the whole one."""
        energy, weight = panel_nodes(self._edges[:-1], self._edges[1:])
        flat, flat_weight = energy.ravel(), self._scale * weight.ravel()
        fission = self._fission(flat) * flat_weight
        join = float(self._spectrum.join_energy_mev)
        found = {
            f"fissions below {join:g} MeV": float(fission[flat < join].sum()),
            f"fissions from {join:g} MeV": float(fission[flat >= join].sum()),
            "neutron captures": float((self._captures(flat) * flat_weight).sum()),
        }
        return {name: flux for name, flux in found.items() if flux > 0.0}

    def _find_kinks(self) -> FloatArray:
        spectrum = self._spectrum
        points = [
            np.asarray(spectrum.table_energy_mev, dtype=float),
            np.asarray(spectrum.file_energy_mev, dtype=float),
            np.asarray(spectrum.branch_endpoint_mev, dtype=float),
            np.array([spectrum.join_energy_mev]),
        ]
        kinks = np.unique(np.concatenate(points))
        return kinks[(kinks > 0.0) & (kinks < self.energy_max_mev)]

    def _fission(self, energy: FloatArray) -> FloatArray:
        s = self._spectrum
        join = float(s.join_energy_mev)
        from_file = s.file_energy_mev.size > 0
        per_fission: FloatArray = spectra.fission_spectrum(
            energy,
            np.inf if from_file else join,
            self._weights,
            s.polynomials,
            s.table_energy_mev,
            s.table_spectrum,
        )
        if from_file:
            table = spectra.table_spectrum(
                energy, s.file_energy_mev, s.file_spectrum, s.file_slope_per_mev
            )
            per_fission = np.where(energy < join, per_fission, table)
        return per_fission

    def _captures(self, energy: FloatArray) -> FloatArray:
        out = np.zeros_like(energy)
        for branch, weight in zip(self._branches, self._spectrum.branch_weight, strict=True):
            reached = np.flatnonzero(energy < branch.endpoint_mev)
            out[reached] += weight * branch(energy[reached])
        return out

    def _normalisation(self, reactor: Reactor) -> float:
        energy, weight = panel_nodes(self._edges[:-1], self._edges[1:])
        flat, flat_weight = energy.ravel(), weight.ravel()
        fission = float((self._fission(flat) * flat_weight).sum())
        captures = float((self._captures(flat) * flat_weight).sum())
        if reactor.normalisation == "thermal-power":
            per_second = reactor.thermal_power_gw * 1e9 * MEV_PER_JOULE
            per_second /= reactor.energy_per_fission_mev
            return per_second / (4.0 * np.pi * (100.0 * reactor.distance_m) ** 2)
        if reactor.normalisation == "fission-flux":
            return reactor.flux_per_cm2_s / fission
        return reactor.flux_per_cm2_s / (fission + captures)
