"""The response tensors in memory: recoil nodes, flux moments and bin contents of both channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANNELS", "FLUX_UNITS", "ChannelResponse", "Response"]

FloatArray = NDArray[np.float64]

CHANNELS = ("cevns", "eves")
# What the ends of names say of the unit, by what the sources give.
FLUX_UNITS = {"flux": "per_cm2_s", "fluence": "per_cm2"}


@dataclass(frozen=True, eq=False, repr=False)
class ChannelResponse:
    """Everything one channel needs, on its recoil nodes t (all isotopes one after the other).

    Attributes
    ----------
    recoil_energy_mev, target_mass_mev : (t,)
        Recoil energy and mass of the struck nucleus or electron.
    protons, neutrons : (t,)
        Of the nucleus; zero for electrons.
    form_factor_squared : (t,)
        Helm form factor squared at the node; one for electrons.
    flux_moments : (3, energy bins, t)
        int phi E**-n dE over each neutrino-energy bin above E_min(T), cm**-2 s**-1 MeV**-n; bins
        of several components of the neutrinos one after the other, see `Response.components`.
        Of fluences cm**-2 MeV**-n. Of electrons that equivalent photons ionise also a fourth one,
        int phi ln(E / m_nu) dE.
    response : (t, bins)
        Counts of each observed bin for unit cross section (MeV**-3) and unit flux moment:
        quadrature weight, targets, live time, resolution, efficiency and exposure.
    error_estimate : float
        Of the recoil quadrature, relative to the largest bin.
    panels : int
        Number of recoil panels.
    """

    recoil_energy_mev: FloatArray
    target_mass_mev: FloatArray
    protons: FloatArray
    neutrons: FloatArray
    form_factor_squared: FloatArray
    flux_moments: FloatArray
    response: FloatArray
    error_estimate: float
    panels: int

    def __repr__(self) -> str:
        nodes, bins = self.recoil_energy_mev.size, len(self.response)
        return f"<ChannelResponse: {nodes} recoil nodes, {bins} bins>"

    ARRAYS: ClassVar[dict[str, tuple[str, ...]]] = {
        "recoil_energy_mev": ("recoil_node",),
        "target_mass_mev": ("recoil_node",),
        "protons": ("recoil_node",),
        "neutrons": ("recoil_node",),
        "form_factor_squared": ("recoil_node",),
        "flux_moments": ("moment", "energy_bin", "recoil_node"),
        "response": ("recoil_node", "observed_bin"),
    }

    def kernel(
        self,
        flux_weights: FloatArray | None = None,
        energy_bins: NDArray[np.int64] | None = None,
    ) -> FloatArray:
        """Contract the neutrino-energy bins: K[n, t, b], shape (3, t, bins).

        Parameters
        ----------
        flux_weights : (energy bins,), optional
            Factor on the flux of each neutrino-energy bin; one where left out.
        energy_bins : ndarray of int, optional
            Those to take, as of one flavour; all of them where left out.
        """
        flux_moments = self.flux_moments
        if energy_bins is not None:
            flux_moments = flux_moments[:, energy_bins]
            flux_weights = None if flux_weights is None else flux_weights[energy_bins]
        if flux_weights is None:
            moments = flux_moments.sum(axis=1)
        else:
            moments = np.einsum("net,e->nt", flux_moments, flux_weights)
        return np.ascontiguousarray(moments[:, :, None] * self.response[None])

    def resolved_kernel(self) -> FloatArray:
        """The energy-resolved product K[e, n, t, b], shape (energy bins, 3, t, bins)."""
        resolved: FloatArray = np.einsum("net,tb->entb", self.flux_moments, self.response)
        return resolved


@dataclass(frozen=True, repr=False)
class Response:
    """Response tensors of one experiment, both channels, with what identifies them.

    Attributes
    ----------
    header : dict
        Canonical description of all that the tensors depend on; its sha256 names the store.
    name : str
        That sha256.
    channels : dict of ChannelResponse
        By channel name, `CHANNELS`.
    energy_bin_edges_mev, edges_ev : (energy bins + components,), (bins + 1,)
        Neutrino-energy bins, the edges of each component in turn, and observed-energy bins.
    bin_flux_per_cm2_s : (energy bins,)
        Flux of each neutrino-energy bin; the fluence per cm**2 where the sources give one.
    """

    header: dict[str, Any]
    name: str
    channels: dict[str, ChannelResponse]
    energy_bin_edges_mev: FloatArray
    edges_ev: FloatArray

    def __repr__(self) -> str:
        return (
            f"<Response {self.name[:12]}: channels {', '.join(self.channels)}, "
            f"{len(self.edges_ev) - 1} bins from {self.edges_ev[0]:g} to {self.edges_ev[-1]:g} eV>"
        )

    bin_flux_per_cm2_s: FloatArray

    def __post_init__(self) -> None:
        # Built or read, the arrays are shared by all who ask: none may change them in place.
        arrays = [self.energy_bin_edges_mev, self.edges_ev, self.bin_flux_per_cm2_s]
        for channel in self.channels.values():
            arrays.extend(getattr(channel, name) for name in ChannelResponse.ARRAYS)
        for array in arrays:
            array.flags.writeable = False

    @property
    def components(self) -> tuple[tuple[str, int], ...]:
        """Flavour and number of energy bins of each component of the neutrinos.

        A reactor alone, whose header names no components, emits electron antineutrinos.
        """
        components = self.header.get("inputs", {}).get("components")
        if components is None:
            return (("nubar_e", self.bin_flux_per_cm2_s.size),)
        return tuple((c["flavour"], len(c["energy_bin_edges_mev"]) - 1) for c in components)

    @property
    def flavours(self) -> tuple[str, ...]:
        """Flavours of the neutrinos, each once."""
        return tuple(dict.fromkeys(flavour for flavour, _ in self.components))

    def energy_bins(self, flavour: str) -> NDArray[np.int64] | None:
        """Indices of the energy bins of one flavour; None where all are."""
        if self.flavours == (flavour,):
            return None
        owners = [name for name, bins in self.components for _ in range(bins)]
        return np.flatnonzero(np.array(owners) == flavour)

    @property
    def quantity(self) -> str:
        """Whether the sources give a ``flux`` or a ``fluence``."""
        return str(self.header.get("inputs", {}).get("quantity", "flux"))

    @property
    def error_estimate(self) -> float:
        """The larger of the two channels' quadrature error estimates."""
        return max(channel.error_estimate for channel in self.channels.values())

    @property
    def size_bytes(self) -> int:
        """Size of all arrays, uncompressed."""
        return sum(
            int(getattr(channel, name).nbytes)
            for channel in self.channels.values()
            for name in ChannelResponse.ARRAYS
        )
