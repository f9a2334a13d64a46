"""What a model states: its parameters, and its cross sections as polynomials in the couplings."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from fastscan.constants import (
    ELECTRON_MASS_MEV,
    FERMI_CONSTANT_PER_MEV2,
    FINE_STRUCTURE_CONSTANT,
    SIN2_THETA_W,
)
from fastscan.exceptions import InputError, unknown_name
from fastscan.inputs import Target
from fastscan.kernels import cross_sections
from fastscan.models.elements import LEPTONS
from fastscan.models.flux_weights import Energies, Oscillation
from fastscan.models.polynomial import Polynomial, symbol
from fastscan.models.weak_charge import radiative_shifts
from fastscan.tensors import ChannelResponse

if TYPE_CHECKING:
    from fastscan.tensors.panels import RecoilPanels

__all__ = [
    "MEDIATOR_MASS",
    "WEAK_MIXING_ANGLE",
    "Growth",
    "Model",
    "Parameter",
    "Recoils",
    "mediator_propagator",
    "propagator_growth",
]

FloatArray = NDArray[np.float64]
# See `Model.growths`: (half the width of an interval of ln M, parameter of an ellipse) -> bound.
Growth = Callable[[float, float], float]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model.

    Attributes
    ----------
    name, unit, description : str
        As on the command line; unit "1" for pure numbers.
    default : float or None
        Value where it is neither set, scanned nor fitted; None where no value is natural, as that
        of a mediator's mass: then it must be given.
    symbol : str
        For axis labels, in TeX.
    minimum, maximum : float
        Physical range, kept by fits and by input checks.
    kind : "coupling" or "shape"
        Counts are polynomials in couplings; a shape parameter (a mediator mass) enters through
        the model's functions.
    spacing : "log" or "linear"
        Of a shape parameter: how the values are spread at which fits, limits and posteriors try it,
        evenly in its logarithm, as suits a mass, or evenly from minimum to maximum, as an angle.
    families : tuple of str
        Of the neutrinos that feel it: any of e, mu, tau. Where the sources emit none of them, it
        changes no count.
    """

    name: str
    unit: str
    default: float | None
    symbol: str
    description: str
    minimum: float = -np.inf
    maximum: float = np.inf
    kind: Literal["coupling", "shape"] = "coupling"
    spacing: Literal["linear", "log"] = "log"
    families: tuple[str, ...] = LEPTONS

    @property
    def standard(self) -> float:
        """Value in the Standard Model: the default.

        Where there is none, and no coupling makes the parameter matter: as near zero as it may be.
        """
        if self.default is not None:
            return self.default
        return min(max(0.0, self.minimum), self.maximum)

    def felt_by(self, flavours: Iterable[str]) -> bool:
        """Whether neutrinos of any of some flavours feel it."""
        return not {f.partition("_")[2] for f in flavours}.isdisjoint(self.families)

    @property
    def typical(self) -> float:
        """A value of a shape parameter where none is given: the default, or that nearest to 1."""
        if self.default is not None:
            return self.default
        return min(max(1.0, self.minimum), self.maximum)

    @property
    def _range(self) -> str:
        if math.isinf(self.maximum):
            return f"from {self.minimum:g} up"
        if math.isinf(self.minimum):
            return f"up to {self.maximum:g}"
        return f"from {self.minimum:g} to {self.maximum:g}"

    def check(self, value: float, where: str = "") -> float:
        """Return ``value`` if it is a number in the physical range.

        Raises
        ------
        InputError
            NaN, infinite or out of range.
        """
        where = where or self.name
        unit = "" if self.unit == "1" else f" in {self.unit}"
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise InputError(
                f"{self.name} = {value!r} is not a number",
                where=where,
                hint=f"give a number{unit}",
            ) from None
        if not np.isfinite(value):
            raise InputError(
                f"{self.name} = {value} is not a finite number",
                where=where,
                hint=f"give a number{unit}",
            )
        if not self.minimum <= value <= self.maximum:
            raise InputError(
                f"{self.name} = {value:g} is out of range",
                where=where,
                hint=f"give a number{unit} {self._range}",
            )
        return value


WEAK_MIXING_ANGLE = Parameter(
    "sin2_theta_w",
    "1",
    SIN2_THETA_W,
    r"\sin^2\theta_W",
    "weak mixing angle, MS-bar at zero momentum transfer",
    0.0,
    1.0,
)
MEDIATOR_MASS = Parameter(
    "mass_mev", "MeV", None, "M", "mass of the mediator", minimum=0.0, kind="shape"
)


@dataclass(frozen=True)
class Recoils:
    """The recoil nodes of one channel, as a model sees them; arrays of shape (t,).

    The methods give kinematics: coefficients of E**-n, shape (3, t), in MeV**-3.

    ``flavour`` is that of the incoming neutrinos: nu_e, nubar_e, nu_mu, nubar_mu, nu_tau or
    nubar_tau. A model is asked for the cross section of each flavour that the sources emit.
    """

    channel: str
    recoil_energy_mev: FloatArray
    target_mass_mev: FloatArray
    protons: FloatArray
    neutrons: FloatArray
    form_factor_squared: FloatArray
    flavour: str = "nubar_e"
    target: Target | None = None

    @classmethod
    def of(
        cls,
        channel: str,
        response: ChannelResponse | RecoilPanels,
        flavour: str = "nubar_e",
        target: Target | None = None,
    ) -> Recoils:
        """Take the nodes of a channel from its response."""
        return cls(
            channel,
            response.recoil_energy_mev,
            response.target_mass_mev,
            response.protons,
            response.neutrons,
            response.form_factor_squared,
            flavour,
            target,
        )

    def first(self, nodes: int, flavour: str) -> Recoils:
        """The first nodes alone, of another flavour."""
        arrays = {
            field.name: getattr(self, field.name)[:nodes]
            for field in fields(self)
            if field.name not in ("channel", "flavour", "target")
        }
        return replace(self, flavour=flavour, **arrays)

    @property
    def lepton(self) -> str:
        """Family of the neutrinos: e, mu or tau."""
        return self.flavour.partition("_")[2]

    @property
    def is_antineutrino(self) -> bool:
        """Whether they are antineutrinos."""
        return self.flavour.startswith("nubar")

    @property
    def momentum_squared_mev2(self) -> FloatArray:
        """Momentum transfer squared, 2 M T."""
        return 2.0 * self.target_mass_mev * self.recoil_energy_mev

    def nucleus_vector(self) -> FloatArray:
        """CEvNS for unit weak charge, G_F**2 M / pi F**2 (1 - M T / 2 E**2)."""
        shape: FloatArray = cross_sections.vector_nucleus(
            self.recoil_energy_mev, self.target_mass_mev, FERMI_CONSTANT_PER_MEV2
        )
        return shape * self.form_factor_squared

    def electron_vector(
        self, vector: Polynomial, axial: Polynomial | float | None = None
    ) -> Polynomial:
        """EvES for couplings that may hold new physics (C25 eq. 3).

        G_F**2 m_e / 2 pi times, of antineutrinos,
        (g_V - g_A)**2 + (g_V + g_A)**2 (1 - T/E)**2 - (g_V**2 - g_A**2) m_e T / E**2,
        and of neutrinos the same with g_A -> -g_A. The axial coupling is that of the SM unless
        given.
        """
        arguments = (self.recoil_energy_mev, self.target_mass_mev, FERMI_CONSTANT_PER_MEV2)
        if axial is None:
            axial = self.electron_axial_coupling()
        minus, plus = vector - axial, vector + axial
        if not self.is_antineutrino:
            minus, plus = plus, minus
        return (
            minus * minus * cross_sections.electron_left(*arguments)
            + plus * plus * cross_sections.electron_right(*arguments)
            + minus * plus * cross_sections.electron_mixed(*arguments)
        )

    def magnetic(self, quadratic_term: float = 0.0) -> FloatArray:
        """Magnetic scattering for one Bohr magneton (C25 eq. 6), Z**2 F**2 on nuclei.

        pi alpha**2 / m_e**2 [1/T - 1/E + x T/4E**2], x = ``quadratic_term``.
        """
        shape: FloatArray = cross_sections.magnetic_moment(self.recoil_energy_mev, quadratic_term)
        shape = shape * (math.pi * FINE_STRUCTURE_CONSTANT**2 / ELECTRON_MASS_MEV**2)
        if self.channel == "cevns":
            shape = shape * (self.protons**2 * self.form_factor_squared)
        return shape

    def scalar(self) -> FloatArray:
        """Scalar exchange for unit charge and propagator, M**2 T F**2 / 4 pi E**2 (C25 eq. 14)."""
        shape: FloatArray = cross_sections.scalar_exchange(
            self.recoil_energy_mev, self.target_mass_mev
        )
        return shape * self.form_factor_squared

    def weak_charge(self) -> Polynomial:
        """Weak charge of the nuclei, Z (1/2 - 2 sin2_theta_w) - N/2 (C25 eq. 2).

        Or Z g_p + N g_n with the radiative corrections of the flavour, where the target asks for
        them.
        """
        proton, neutron = self.nucleon_charges()
        return self.protons * proton + neutron * self.neutrons

    def nucleon_charges(self) -> tuple[Polynomial, float]:
        """Weak couplings of proton and neutron, of the target's ``weak_charges``."""
        proton, neutron = 0.5 - 2.0 * symbol("sin2_theta_w"), -0.5
        if self.target is None or self.target.weak_charges == "tree":
            return proton, neutron
        of_proton, of_neutron = radiative_shifts(self.lepton)
        return proton + of_proton, neutron + of_neutron

    def electron_vector_coupling(self) -> Polynomial:
        """g_V on electrons, 2 sin2_theta_w - 1/2, and + 1/2 for nu_e (C25 eq. 4).

        Electron neutrinos and antineutrinos alone have the charged current, which adds one.
        """
        return self.electron_axial_coupling() + 2.0 * symbol("sin2_theta_w")

    def electron_axial_coupling(self) -> float:
        """g_A on electrons, -1/2, and + 1/2 for nu_e."""
        return 0.5 if self.lepton == "e" else -0.5


class Model(ABC):
    """A theory of both channels.

    A subclass states ``name``, ``title``, ``reference``, ``parameters`` and ``cross_section``; a
    model whose counts depend on a mass also states ``functions``, one with a heavy final state
    ``minimum_energy``, one that changes the flux ``weights``, and one whose constructor takes
    options gives them back by ``options``. Everything else in the project works on any model
    unchanged, whether it is shipped or a file of one's own; `fastscan.models.validation` tells in
    one line what is wrong with one.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    reference: ClassVar[str]
    parameters: tuple[Parameter, ...]
    # Parameters that a limit on one of them profiles unless told otherwise.
    profiled_by_default: ClassVar[tuple[str, ...]] = ()
    # Function symbols that are analytic in the logarithm of the one shape parameter, each with a
    # bound of |f| anywhere on the Bernstein ellipse around an interval, relative to f at any point
    # of that interval. Long axes interpolate them, to an error that follows from the bound;
    # functions that are not named here are computed at every point.
    growths: ClassVar[Mapping[str, Growth]] = {}

    @abstractmethod
    def cross_section(self, recoils: Recoils) -> Polynomial:
        """D sigma / d T of one channel as a polynomial in couplings and functions.

        Coefficients have shape (3, t): of E**-n, n = 0, 1, 2, at each recoil node, in MeV**-3; one
        that is the same at all nodes may have shape (3, 1). They are those of the incoming
        ``recoils.flavour``. Symbols are couplings and `functions`.
        """

    def functions(self, recoils: Recoils, shape: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Values of the function symbols at rows of shape parameters, shape (rows, t) each.

        They are the same for all flavours: what depends on the flavour stands in `cross_section`,
        or has symbols of its own. So a point costs the same however many flavours there are.
        """
        return {}

    def bound(self, target: Target) -> Self:
        """The model in a target, where what it states depends on it: by default as it is."""
        return self

    def minimum_energy(
        self, recoils: Recoils, shape: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray]:
        """Least neutrino energies of heavy final states, in MeV, shape (rows, t) each, by symbol.

        In a term with such a symbol the flux counts above this energy, in all others above that of
        a massless final state. It has to be smooth in the recoil energy, and may be infinite.
        """
        return {}

    def weights(
        self, energies: Energies, shape: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray | Oscillation]:
        """Factors on the flux at neutrino energies, by symbol.

        Either an `Oscillation`, which is integrated exactly at any frequency, or values of shape
        (rows, e). Those are integrated as polynomials of degree 15 in 1/E on panels between the
        kinks of the flux; what is not smooth enough for that, to 1e-7 of the counts, is refused.
        The weight of all other terms is one.
        """
        return {}

    def options(self) -> dict[str, object]:
        """What sets this instance apart from the default one; stored with results."""
        return {}

    def parameter(self, name: str, where: str = "") -> Parameter:
        """Look a parameter up by name.

        Raises
        ------
        InputError
            The model has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = [parameter.name for parameter in self.parameters]
        raise unknown_name("parameter", name, known, where=where or f"model {self.name}")


def mediator_propagator(recoils: Recoils, shape: Mapping[str, FloatArray]) -> FloatArray:
    """1 / (M**2 + 2 M_target T) in MeV**-2 for rows of mediator masses, shape (rows, t)."""
    mass_squared = shape["mass_mev"][:, None] ** 2
    propagator: FloatArray = 1.0 / (mass_squared + recoils.momentum_squared_mev2[None, :])
    return propagator


def propagator_growth(half_width: float, ellipse: float) -> float:
    """Bound of `mediator_propagator` for `Model.growths`, whatever the momentum transfer is.

    At complex ln M**2 = s the ellipse of parameter rho around an interval of half-width 2 h, h that
    of ln M, reaches Re s = h (rho + 1/rho) from its centre, Im s = h (rho - 1/rho). As
    ``|exp(s) + a| >= (|exp(s)| + a) cos(Im s / 2)`` for a >= 0, there
    ``|1 / (exp(s) + a)| <= exp(2 h + h (rho + 1/rho)) / cos(Im s / 2)`` times any value on the
    interval; all poles have Im s = pi.
    """
    angle = 0.5 * half_width * (ellipse - 1.0 / ellipse)
    if angle >= 0.5 * math.pi:
        return math.inf
    return math.exp(half_width * (2.0 + ellipse + 1.0 / ellipse)) / math.cos(angle)
