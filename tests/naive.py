"""The slow, obviously right twin of everything the fast engine computes.

Every formula is one function whose docstring is the equation, written from the physics and not from
the engine: nothing here knows about moments, monomials or tensors. Each bin content is an integral
over the recoil energy (adaptive, `scipy.integrate.quad_vec`) of an integral over the antineutrino
energy (Gauss-Legendre on every panel between two kinks of the flux) of the full cross section.

`experiment` is a `fastscan.inputs.Experiment`, or anything with the same attributes.
Energies are in MeV, observed energies (`*_ev`) in eV, fluxes in cm^-2 s^-1 MeV^-1, cross sections
in MeV^-3 (MeV^-2 per MeV of recoil; one factor (hbar c)^2 in `Predictor.rates` makes it cm^2).
C25 is arXiv:2501.12441, A25 is arXiv:2501.10355.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from math import erfc, exp, factorial, isfinite, pi, sqrt
from typing import Any, NamedTuple

import mpmath
import numpy as np
from scipy import constants as codata
from scipy.integrate import quad, quad_vec
from scipy.interpolate import CubicHermiteSpline, KroghInterpolator
from scipy.optimize import brentq, minimize_scalar
from scipy.special import loggamma

HBAR_C_MEV_FM = 197.3269804
MEV_MINUS_2_IN_CM2 = (HBAR_C_MEV_FM * 1e-13) ** 2
FERMI_CONSTANT = codata.value("Fermi coupling constant") * 1e-6  # MeV^-2
ALPHA = codata.value("fine-structure constant")
ELECTRON_MASS = codata.value("electron mass energy equivalent in MeV")
PROTON_MASS = codata.value("proton mass energy equivalent in MeV")
NEUTRON_MASS = codata.value("neutron mass energy equivalent in MeV")
ATOMIC_MASS_UNIT = codata.value("atomic mass constant energy equivalent in MeV")
AVOGADRO = codata.value("Avogadro constant")
JOULE_IN_MEV = 1e-6 / codata.value("elementary charge")
SECONDS_PER_DAY = 86400.0

SIN2_THETA_W = 0.23857  # MS-bar at zero momentum transfer
MEV_IN_EV = 1e6
TIGHT: dict[str, Any] = {"epsabs": 0.0, "epsrel": 1e-12, "limit": 200}  # for quad
SMEARING_REACH = 10.0  # standard deviations: beyond them a Gaussian holds less than 1e-23

CrossSection = Callable[[Any, Any, "Nucleus"], Any]


# --- reactor antineutrino flux --------------------------------------------------------------------


def fermi_function(z: int, a: int, kinetic_mev: Any) -> Any:
    """F = 2(1+γ) (2pR)^{2(γ-1)} e^{πη} |Γ(γ+iη)|² / Γ(2γ+1)², γ = √(1-(αZ)²), η = αZW/p.

    W and p are the electron's total energy and momentum, R = 1.2 A^{1/3} fm. Logarithms, because
    e^{πη} and |Γ|² leave the range of doubles in opposite directions as p goes to zero.
    """
    kinetic = np.asarray(kinetic_mev, dtype=float)
    total = kinetic + ELECTRON_MASS
    momentum = np.sqrt(kinetic * (kinetic + 2 * ELECTRON_MASS))
    radius = 1.2 * a ** (1 / 3) / HBAR_C_MEV_FM
    gamma = sqrt(1 - (ALPHA * z) ** 2)
    eta = ALPHA * z * total / momentum
    logarithm = (
        2 * (gamma - 1) * np.log(2 * momentum * radius)
        + pi * eta
        + 2 * loggamma(gamma + 1j * eta).real
        - 2 * loggamma(2 * gamma + 1).real
    )
    return 2 * (1 + gamma) * np.exp(logarithm)


def beta_shape(energy_mev: Any, z: int, a: int, endpoint_mev: float) -> Any:
    """p W E_ν² F(Z, W) with W = E_0 - E_ν + m_e: an allowed spectrum, not normalised.

    It does not vanish at the end point: p F(Z, W) is finite as p goes to zero.
    """
    energy = np.asarray(energy_mev, dtype=float)
    inside = (energy > 0) & (energy < endpoint_mev)
    kinetic = np.where(inside, endpoint_mev - energy, 1.0)
    total = kinetic + ELECTRON_MASS
    momentum = np.sqrt(kinetic * (kinetic + 2 * ELECTRON_MASS))
    return np.where(inside, momentum * total * energy**2 * fermi_function(z, a, kinetic), 0.0)


@cache
def beta_integral(z: int, a: int, endpoint_mev: float) -> float:
    """∫_0^{E_0} p W E_ν² F(Z, W) dE_ν."""
    value, _ = quad(beta_shape, 0.0, endpoint_mev, args=(z, a, endpoint_mev), **TIGHT)
    return value


def beta_branch(energy_mev: Any, z: int, a: int, endpoint_mev: float) -> Any:
    """Antineutrinos per MeV of one beta branch, its integral over E_ν being one.

    z is the daughter's atomic number, a the mass number.
    """
    return beta_shape(energy_mev, z, a, endpoint_mev) / beta_integral(z, a, endpoint_mev)


class Flux:
    """dΦ/dE of an experiment; its numbers are read once, its normalisation is found once."""

    def __init__(self, experiment: Any) -> None:
        self.reactor = experiment.reactor
        self.table = experiment.reactor.spectrum
        self.branches = list(
            zip(
                (int(z) for z in self.table.branch_daughter_z),
                (int(a) for a in self.table.branch_mass_number),
                (float(e) for e in self.table.branch_endpoint_mev),
                (float(w) for w in self.table.branch_weight),
                strict=True,
            )
        )
        self.slopes = [self._slope(i) for i in range(len(self.table.file_energy_mev))]
        self.breaks = self._breaks()
        self.normalisation = self._normalisation()

    def __call__(self, energy_mev: Any) -> Any:
        """dΦ/dE = norm · (Σ_k f_k S_k(E) + captures), antineutrinos / cm² / s / MeV."""
        return self.normalisation * (self.fission(energy_mev) + self.capture(energy_mev))

    def fission(self, energy_mev: Any) -> Any:
        """Σ_k f_k S_k(E) per MeV and fission; zero above E_max.

        S_k = exp Σ_i a_i E^i from the joining energy on, or the table of a file; below it the
        low-energy table, linear in E.
        """
        energy = np.asarray(energy_mev, dtype=float)
        join = self.table.join_energy_mev
        result = np.zeros_like(energy)
        for k, fraction in enumerate(self.table.fractions):
            value = np.exp(np.polynomial.polynomial.polyval(energy, self.table.polynomials[k]))
            if join > 0:
                nodes, values = self.table.table_energy_mev, self.table.table_spectrum[k]
                low = np.interp(energy, nodes, values, right=0.0) if len(nodes) else 0.0 * energy
                value = np.where(energy < join, low, value)
            result = result + fraction * value
        if len(self.table.file_energy_mev):
            result = np.where(energy < join, result, self._file(energy))
        return np.where((energy >= 0) & (energy <= self.reactor.energy_max_mev), result, 0.0)

    def _file(self, energy_mev: Any) -> Any:
        """S of a file: ln S by Hermite cubics, S linear where a neighbour is zero, zero outside.

        The slopes are those of the polynomial through the nearest five points, at most three times
        that of either neighbouring panel.
        """
        nodes, values = self.table.file_energy_mev, self.table.file_spectrum
        result = np.zeros_like(energy_mev)
        for index, e in np.ndenumerate(energy_mev):
            if not nodes[0] <= e <= nodes[-1]:
                continue
            right = max(int(np.searchsorted(nodes, e)), 1)
            ends = slice(right - 1, right + 1)
            if values[ends].min() > 0:
                logarithm = CubicHermiteSpline(nodes[ends], np.log(values[ends]), self.slopes[ends])
                result[index] = np.exp(logarithm(e))
            else:
                result[index] = np.interp(e, nodes[ends], values[ends])
        return result

    def _slope(self, i: int) -> float:
        """d ln S/dE at a point of a file; zero where S, or both neighbours, are."""
        nodes, values = self.table.file_energy_mev, self.table.file_spectrum
        if values[i] == 0 or max([*values[max(i - 1, 0) : i], *values[i + 1 : i + 2]]) == 0:
            return 0.0
        first = last = i
        while first > 0 and values[first - 1] > 0:
            first -= 1
        while last < len(nodes) - 1 and values[last + 1] > 0:
            last += 1
        width = min(5, last - first + 1)
        start = min(max(i - width // 2, first), last - width + 1)
        near = slice(start, start + width)
        slope = float(KroghInterpolator(nodes[near], np.log(values[near])).derivative(nodes[i]))
        most = min(
            abs(np.log(values[j + 1] / values[j]) / (nodes[j + 1] - nodes[j]))
            for j in (i - 1, i)
            if first <= j < last
        )
        return float(np.clip(slope, -3 * most, 3 * most))

    def capture(self, energy_mev: Any) -> Any:
        """Σ_b w_b · (beta branch b) per MeV and fission: the decays that follow a capture."""
        energy = np.asarray(energy_mev, dtype=float)
        result = np.zeros_like(energy)
        for z, a, endpoint, weight in self.branches:
            if np.any(energy < endpoint):
                result = result + weight * beta_branch(energy, z, a, endpoint)
        return np.where(energy <= self.reactor.energy_max_mev, result, 0.0)

    def moment(self, n: int, low_mev: float, high_mev: float) -> float:
        """∫_low^high dΦ/dE E^{-n} dE."""
        inner = [e for e in self.breaks if low_mev < e < high_mev]
        return integrate_panels(lambda e: float(self(e)) * e**-n, [low_mev, *inner, high_mev])

    def _breaks(self) -> list[float]:
        """Steps and kinks: table nodes, the join, end points; and 0 and E_max."""
        kinks = [endpoint for _, _, endpoint, _ in self.branches]
        if self.table.join_energy_mev > 0:
            kinks += [float(e) for e in self.table.table_energy_mev]
            kinks += [float(e) for e in self.table.file_energy_mev]
        if isfinite(self.table.join_energy_mev):
            kinks.append(self.table.join_energy_mev)
        energy_max = self.reactor.energy_max_mev
        return sorted({0.0, energy_max, *(e for e in kinks if 0 < e < energy_max)})

    def _normalisation(self) -> float:
        """Fissions per cm² and s seen by the detector: the factor in front of the spectra.

        total-flux: Φ / ∫(fission + capture), fission-flux: Φ / ∫fission, both over 0 … E_max;
        thermal-power: P / (4π d² ε).
        """
        reactor = self.reactor
        if reactor.normalisation == "thermal-power":
            power_mev_per_s = reactor.thermal_power_gw * 1e9 * JOULE_IN_MEV
            area_cm2 = 4 * pi * (reactor.distance_m * 100) ** 2
            return power_mev_per_s / (area_cm2 * reactor.energy_per_fission_mev)
        antineutrinos = integrate_panels(self.fission, self.breaks)
        if reactor.normalisation == "total-flux":
            antineutrinos += integrate_panels(self.capture, self.breaks)
        elif reactor.normalisation != "fission-flux":
            raise ValueError(f"unknown normalisation {reactor.normalisation!r}")
        return reactor.flux_per_cm2_s / antineutrinos


def integrate_panels(function: Callable[[float], Any], breaks: Sequence[float]) -> float:
    """Sum of `scipy.integrate.quad` over the panels between neighbouring breaks."""
    return sum(quad(function, low, high, **TIGHT)[0] for low, high in pairwise(breaks))


def spectrum(experiment: Any, energy_mev: Any) -> Any:
    """dΦ/dE, antineutrinos / cm² / s / MeV. Make one `Flux` for many calls."""
    return Flux(experiment)(energy_mev)


def flux_moment(experiment: Any, n: int, low_mev: float, high_mev: float) -> float:
    """∫_low^high dΦ/dE E^{-n} dE. Make one `Flux` for many calls."""
    return Flux(experiment).moment(n, low_mev, high_mev)


# --- target ---------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """The keys of a form factor."""

    model: str = "helm"
    skin_thickness_fm: float = 0.9
    surface_thickness_fm: float = 0.52
    radius_scale: float = 1.0


HELM = Shape()


class Nucleus(NamedTuple):
    """One isotope as a target; the form factor's settings travel with it."""

    z: int
    a: int
    mass_mev: float
    shape: Any = HELM

    @property
    def n(self) -> int:
        """N = A - Z."""
        return self.a - self.z


def nuclear_mass(atomic_mass_u: float, z: int) -> float:
    """M = (atomic mass) u - Z m_e; the electrons' binding is left out."""
    return atomic_mass_u * ATOMIC_MASS_UNIT - z * ELECTRON_MASS


def nuclei(experiment: Any, element: Any) -> list[Nucleus]:
    """The isotopes of an element."""
    shape = experiment.target.form_factor
    return [
        Nucleus(
            int(element.atomic_number),
            int(a),
            nuclear_mass(float(mass), int(element.atomic_number)),
            shape,
        )
        for a, mass in zip(element.mass_number, element.atomic_mass_u, strict=True)
    ]


def formula_units_per_kg(experiment: Any) -> float:
    """N_A · 1 kg / Σ_elements n Σ_i a_i M_i, n atoms of the element to a formula unit."""
    grams_per_mol = sum(
        element.atoms_per_formula_unit * float(np.dot(element.abundance, element.atomic_mass_u))
        for element in experiment.target.elements
    )
    return AVOGADRO * 1000 / grams_per_mol


def z_eff(electrons: Sequence[float], binding_ev: Sequence[float], recoil_mev: float) -> float:
    """Z_eff(T) = Σ_shells occupancy Θ(T - B); all binding energies are 0 for free electrons."""
    ionised = zip(electrons, binding_ev, strict=True)
    return float(sum(n for n, binding in ionised if recoil_mev * MEV_IN_EV > binding))


def helm(
    q_mev: Any, a: int, s_fm: float = 0.9, a_fm: float = 0.52, radius_scale: float = 1.0
) -> Any:
    """F = 3 j_1(qR_0)/(qR_0) e^{-(qs)²/2}, R_0² = c² + 7π²a²/3 - 5s², c = 1.23 A^{1/3} - 0.60 fm.

    3 j_1(x)/x = 3 (sin x - x cos x)/x³ = Σ_n (-1)^n 6 (n+1) x^{2n}/(2n+3)! near zero.
    """
    q_per_fm = np.asarray(q_mev, dtype=float) / HBAR_C_MEV_FM
    c = 1.23 * a ** (1 / 3) - 0.60
    x = q_per_fm * radius_scale * sqrt(c**2 + 7 * pi**2 * a_fm**2 / 3 - 5 * s_fm**2)
    series = sum((-1) ** n * 6 * (n + 1) * x ** (2 * n) / factorial(2 * n + 3) for n in range(8))
    far = np.where(np.abs(x) > 0.5, x, 1.0)
    sphere = np.where(np.abs(x) > 0.5, 3 * (np.sin(far) - far * np.cos(far)) / far**3, series)
    return sphere * np.exp(-((q_per_fm * s_fm) ** 2) / 2)


def form_factor_squared(recoil_mev: Any, nucleus: Nucleus) -> Any:
    """F² at q² = 2MT."""
    q = np.sqrt(2 * nucleus.mass_mev * np.asarray(recoil_mev, dtype=float))
    return form_factor(q, nucleus.a, nucleus.shape) ** 2


def form_factor(q_mev: Any, a: int, shape: Any) -> Any:
    """F of the chosen model."""
    if shape.model == "helm":
        return helm(
            q_mev, a, shape.skin_thickness_fm, shape.surface_thickness_fm, shape.radius_scale
        )
    if shape.model == "klein-nystrand":
        radius = shape.radius_fm or 1.23 * a ** (1 / 3)
        return klein_nystrand(q_mev, radius * shape.radius_scale, shape.range_fm)
    if shape.model == "symmetrised-fermi":
        radius = (1.23 * a ** (1 / 3) - 0.60) * shape.radius_scale
        return symmetrised_fermi(q_mev, radius, shape.surface_fm)
    table = shape.file.table(("momentum_mev", "form_factor"))
    return np.interp(q_mev**2, table["momentum_mev"] ** 2, table["form_factor"])


def klein_nystrand(q_mev: Any, radius_fm: float, range_fm: float) -> Any:
    """3 j_1(qR)/(qR) / (1 + (aq)²)."""
    q = np.asarray(q_mev, dtype=float) / HBAR_C_MEV_FM
    sphere = helm(q_mev, 1, 0.0, 0.0, radius_fm / 0.63)  # c = 0.63 fm, R_0 = c, no skin
    return sphere / (1 + (q * range_fm) ** 2)


def symmetrised_fermi(q_mev: Any, c_fm: float, a_fm: float) -> Any:
    """3/(qc [(qc)² + (πqa)²]) · πqa/sinh(πqa) · [πqa sin(qc)/tanh(πqa) - qc cos(qc)]."""
    q = np.asarray(q_mev, dtype=float) / HBAR_C_MEV_FM
    result = np.empty_like(q)
    with mpmath.workdps(40):
        for index, value in np.ndenumerate(q):
            x, y = mpmath.mpf(value) * c_fm, mpmath.pi * value * a_fm
            bracket = y * mpmath.sin(x) / mpmath.tanh(y) - x * mpmath.cos(x) if value else 0
            result[index] = 3 / (x * (x**2 + y**2)) * y / mpmath.sinh(y) * bracket if value else 1.0
    return result


def momentum_kinks(nucleus: Nucleus) -> tuple[float, ...]:
    """T at which a tabulated F has a kink, MeV."""
    if nucleus.shape.model != "table":
        return ()
    momentum = nucleus.shape.file.table(("momentum_mev",))["momentum_mev"]
    return tuple(momentum**2 / (2 * nucleus.mass_mev))


def minimum_energy(recoil_mev: Any, mass_mev: float) -> Any:
    """E_min = ½ [T + √(T² + 2MT)]."""
    return (recoil_mev + np.sqrt(recoil_mev**2 + 2 * mass_mev * recoil_mev)) / 2


def maximum_recoil(energy_mev: Any, mass_mev: float) -> Any:
    """T_max = 2E²/(M + 2E)."""
    return 2 * energy_mev**2 / (mass_mev + 2 * energy_mev)


# --- cross sections -------------------------------------------------------------------------------


def _value(parameters: Mapping[str, Any], name: str) -> Any:
    return parameters.get(name, SIN2_THETA_W if name == "sin2_theta_w" else 0.0)


def coherent(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus, charge_squared: Any) -> Any:
    """dσ/dT = G_F² M/π F² Q² (1 - MT/2E²): C25 eq. (1) for any weak charge squared."""
    return (
        FERMI_CONSTANT**2
        * nucleus.mass_mev
        / pi
        * form_factor_squared(recoil_mev, nucleus)
        * charge_squared
        * (1 - nucleus.mass_mev * recoil_mev / (2 * energy_mev**2))
    )


def elastic(energy_mev: Any, recoil_mev: Any, g_v: Any, transition: Any = 0.0) -> Any:
    """ν̄_e on one free electron: C25 eqs. (3) and (7b), Σ = transition, g_A = ½.

    dσ/dT = G_F² m_e/2π { [(g_V-g_A)² + Σ] + [(g_V+g_A)² + Σ] (1 - T/E)²
                          - [g_V² - g_A² + Σ] m_e T/E² }.
    """
    g_a = 0.5
    bracket = (
        ((g_v - g_a) ** 2 + transition)
        + ((g_v + g_a) ** 2 + transition) * (1 - recoil_mev / energy_mev) ** 2
        - (g_v**2 - g_a**2 + transition) * ELECTRON_MASS * recoil_mev / energy_mev**2
    )
    return FERMI_CONSTANT**2 * ELECTRON_MASS / (2 * pi) * bracket


def weak_charge(nucleus: Nucleus, sin2_theta_w: Any, shift: Any = 0.0) -> Any:
    """Q = Z (½ - 2 sin²θ_W - shift) - N/2."""
    return nucleus.z * (0.5 - 2 * sin2_theta_w - shift) - nucleus.n / 2


def electron_vector_coupling(sin2_theta_w: Any) -> Any:
    """g_V = ½ + 2 sin²θ_W, charged current included."""
    return 0.5 + 2 * sin2_theta_w


def cevns_sm(parameters: Mapping[str, Any]) -> CrossSection:
    """Q² of the standard model."""

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        charge = weak_charge(nucleus, _value(parameters, "sin2_theta_w"))
        return coherent(energy_mev, recoil_mev, nucleus, charge**2)

    return dsigma


def eves_sm(parameters: Mapping[str, Any]) -> CrossSection:
    """g_V of the standard model."""

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        g_v = electron_vector_coupling(_value(parameters, "sin2_theta_w"))
        return elastic(energy_mev, recoil_mev, g_v)

    return dsigma


VECTOR_CHARGES = {"b-l": (-1.0, -1.0, 1 / 3, 1 / 3)}


def vector_charges(parameters: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """(Q_ν, Q_e, Q_u, Q_d): `charges` is b-l (default) or the four numbers."""
    charges = parameters.get("charges", "b-l")
    return VECTOR_CHARGES[charges] if isinstance(charges, str) else charges


def cevns_vector(parameters: Mapping[str, Any]) -> CrossSection:
    """Q → Q + g² Q_ν [Z(2Q_u+Q_d) + N(Q_u+2Q_d)] / (√2 G_F (M_V² + 2MT)): C25 eq. (10)."""
    q_nu, _, q_u, q_d = vector_charges(parameters)

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        propagator = _value(parameters, "mass_mev") ** 2 + 2 * nucleus.mass_mev * recoil_mev
        nuclear = nucleus.z * (2 * q_u + q_d) + nucleus.n * (q_u + 2 * q_d)
        new = (
            _value(parameters, "g") ** 2 * q_nu * nuclear / (sqrt(2) * FERMI_CONSTANT * propagator)
        )
        charge = weak_charge(nucleus, _value(parameters, "sin2_theta_w")) + new
        return coherent(energy_mev, recoil_mev, nucleus, charge**2)

    return dsigma


def eves_vector(parameters: Mapping[str, Any]) -> CrossSection:
    """g_V → g_V + g² Q_ν Q_e / (√2 G_F (M_V² + 2 m_e T)): C25 eq. (12)."""
    q_nu, q_e, _, _ = vector_charges(parameters)

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        propagator = _value(parameters, "mass_mev") ** 2 + 2 * ELECTRON_MASS * recoil_mev
        new = _value(parameters, "g") ** 2 * q_nu * q_e / (sqrt(2) * FERMI_CONSTANT * propagator)
        g_v = electron_vector_coupling(_value(parameters, "sin2_theta_w")) + new
        return elastic(energy_mev, recoil_mev, g_v)

    return dsigma


def scalar_charge(nucleus: Nucleus, m_u_mev: float = 2.16, m_d_mev: float = 4.70) -> float:
    """Q_φ/g² = Z Σ_q f^p_q m_p/m_q + N Σ_q f^n_q m_n/m_q: C25 eq. (15)."""
    proton = PROTON_MASS * (0.026 / m_u_mev + 0.038 / m_d_mev)
    neutron = NEUTRON_MASS * (0.018 / m_u_mev + 0.056 / m_d_mev)
    return nucleus.z * proton + nucleus.n * neutron


def cevns_scalar(parameters: Mapping[str, Any]) -> CrossSection:
    """SM + M² T Q_φ² / (4π E² (M_φ² + 2MT)²) F²: C25 eq. (14)."""
    standard = cevns_sm(parameters)

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        charge = _value(parameters, "g") ** 2 * scalar_charge(
            nucleus, parameters.get("m_u_mev", 2.16), parameters.get("m_d_mev", 4.70)
        )
        propagator = _value(parameters, "mass_mev") ** 2 + 2 * nucleus.mass_mev * recoil_mev
        new = (
            nucleus.mass_mev**2
            * recoil_mev
            * charge**2
            / (4 * pi * energy_mev**2 * propagator**2)
            * form_factor_squared(recoil_mev, nucleus)
        )
        return standard(energy_mev, recoil_mev, nucleus) + new

    return dsigma


def eves_scalar(parameters: Mapping[str, Any]) -> CrossSection:
    """SM + m_e² T g⁴ / (4π E² (M_φ² + 2 m_e T)²): C25 eq. (16)."""
    standard = eves_sm(parameters)

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        propagator = _value(parameters, "mass_mev") ** 2 + 2 * ELECTRON_MASS * recoil_mev
        new = (
            ELECTRON_MASS**2
            * recoil_mev
            * _value(parameters, "g") ** 4
            / (4 * pi * energy_mev**2 * propagator**2)
        )
        return standard(energy_mev, recoil_mev, nucleus) + new

    return dsigma


def magnetic(energy_mev: Any, recoil_mev: Any, parameters: Mapping[str, Any]) -> Any:
    """πα²/m_e² (1/T - 1/E) (μ/μ_B)² for unit charge; + T/4E² in A25 (`with_t_over_4e2`)."""
    shape = 1 / recoil_mev - 1 / energy_mev
    if parameters.get("with_t_over_4e2", False):
        shape = shape + recoil_mev / (4 * energy_mev**2)
    return pi * ALPHA**2 / ELECTRON_MASS**2 * shape * _value(parameters, "mu_nu") ** 2


def charge_coupling(parameters: Mapping[str, Any], flavour: str, q2_mev2: Any) -> Any:
    """Q_ℓℓ' = √2πα/G_F (⟨r²⟩/3 - 2q/𝔮²), ⟨r²⟩ in cm², q in units of e, either may be complex."""
    radius_squared = _value(parameters, f"r2_{flavour}") / MEV_MINUS_2_IN_CM2
    millicharge = _value(parameters, f"q_{flavour}")
    return sqrt(2) * pi * ALPHA / FERMI_CONSTANT * (radius_squared / 3 - 2 * millicharge / q2_mev2)


def transition_strength(parameters: Mapping[str, Any], q2_mev2: Any) -> Any:
    """Σ_{ℓ'≠e} |Q_eℓ'|²."""
    return sum(
        np.abs(charge_coupling(parameters, flavour, q2_mev2)) ** 2 for flavour in ("emu", "etau")
    )


def cevns_electromagnetic(parameters: Mapping[str, Any]) -> CrossSection:
    """Q² → [Z(½ - 2 sin²θ_W - Q_ee) - N/2]² + Z² Σ|Q_eℓ'|², C25 eq. (7a); + magnetic · Z²F²."""

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        q2 = 2 * nucleus.mass_mev * recoil_mev
        q_ee = charge_coupling(parameters, "ee", q2)
        charge = weak_charge(nucleus, _value(parameters, "sin2_theta_w"), shift=q_ee)
        squared = charge**2 + nucleus.z**2 * transition_strength(parameters, q2)
        dipole = magnetic(energy_mev, recoil_mev, parameters) * nucleus.z**2
        return coherent(energy_mev, recoil_mev, nucleus, squared) + dipole * form_factor_squared(
            recoil_mev, nucleus
        )

    return dsigma


def eves_electromagnetic(parameters: Mapping[str, Any]) -> CrossSection:
    """g_V → g_V + Q_ee and Σ|Q_eℓ'|² in each bracket, C25 eq. (7b); + magnetic."""

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        q2 = 2 * ELECTRON_MASS * recoil_mev
        g_v = electron_vector_coupling(_value(parameters, "sin2_theta_w"))
        g_v = g_v + charge_coupling(parameters, "ee", q2)
        weak = elastic(energy_mev, recoil_mev, g_v, transition_strength(parameters, q2))
        return weak + magnetic(energy_mev, recoil_mev, parameters)

    return dsigma


def cevns_nsi(parameters: Mapping[str, Any]) -> CrossSection:
    """Q² → [Z(½ - 2 sin²θ_W + 2ε_ee^u + ε_ee^d) + N(-½ + ε_ee^u + 2ε_ee^d)]²
    + Σ_{β≠e} |Z(2ε_eβ^u + ε_eβ^d) + N(ε_eβ^u + 2ε_eβ^d)|²: A25 eq. (4)."""

    def dsigma(energy_mev: Any, recoil_mev: Any, nucleus: Nucleus) -> Any:
        def new(flavour: str) -> Any:
            up = _value(parameters, f"eps_u_{flavour}")
            down = _value(parameters, f"eps_d_{flavour}")
            return nucleus.z * (2 * up + down) + nucleus.n * (up + 2 * down)

        diagonal = weak_charge(nucleus, _value(parameters, "sin2_theta_w")) + new("ee")
        squared = diagonal**2 + abs(new("emu")) ** 2 + abs(new("etau")) ** 2
        return coherent(energy_mev, recoil_mev, nucleus, squared)

    return dsigma


_ELECTROMAGNETIC = {"cevns": cevns_electromagnetic, "eves": eves_electromagnetic}
CROSS_SECTIONS: dict[str, dict[str, Callable[[Mapping[str, Any]], CrossSection]]] = {
    "sm": {"cevns": cevns_sm, "eves": eves_sm},
    "magnetic-moment": _ELECTROMAGNETIC,
    "millicharge": _ELECTROMAGNETIC,
    "charge-radius": _ELECTROMAGNETIC,
    "electromagnetic": _ELECTROMAGNETIC,
    "vector": {"cevns": cevns_vector, "eves": eves_vector},
    "scalar": {"cevns": cevns_scalar, "eves": eves_scalar},
    "nsi": {"cevns": cevns_nsi, "eves": eves_sm},
}


_ELECTROMAGNETIC_PARAMETERS = {
    *("mu_nu", "with_t_over_4e2"),
    *("q_ee", "q_emu", "q_etau", "r2_ee", "r2_emu", "r2_etau"),
}
PARAMETERS = {
    "sm": set(),
    "magnetic-moment": _ELECTROMAGNETIC_PARAMETERS,
    "millicharge": _ELECTROMAGNETIC_PARAMETERS,
    "charge-radius": _ELECTROMAGNETIC_PARAMETERS,
    "electromagnetic": _ELECTROMAGNETIC_PARAMETERS,
    "vector": {"mass_mev", "g", "charges"},
    "scalar": {"mass_mev", "g", "m_u_mev", "m_d_mev"},
    "nsi": {f"eps_{quark}_{flavour}" for quark in "ud" for flavour in ("ee", "emu", "etau")},
}


def cross_section(model: str, channel: str, parameters: Mapping[str, Any]) -> CrossSection:
    """dσ/dT(E, T, nucleus) in MeV⁻³, per nucleus (cevns) or per electron (eves, nucleus unused).

    Valid for E ≥ E_min(T). Parameters not given stay at zero, sin2_theta_w at 0.23857.
    """
    unknown = set(parameters) - PARAMETERS[model] - {"sin2_theta_w"}
    if unknown:
        raise ValueError(f"{model} has no parameter {sorted(unknown)}")
    return CROSS_SECTIONS[model][channel](parameters)


# --- detector response ----------------------------------------------------------------------------


def lindhard(recoil_mev: Any, z: int, k: float) -> Any:
    """T_ee = T kg/(1+kg), g = 3ε^0.15 + 0.7ε^0.6 + ε, ε = 11.5 Z^{-7/3} T[keV]."""
    epsilon = 11.5 * z ** (-7 / 3) * recoil_mev * 1000
    g = 3 * epsilon**0.15 + 0.7 * epsilon**0.6 + epsilon
    return recoil_mev * k * g / (1 + k * g)


def inverse_lindhard(ionisation_mev: float, z: int, k: float) -> float:
    """T with T_ee(T) = ionisation."""
    if ionisation_mev == 0:
        return 0.0
    high = 2 * ionisation_mev
    while lindhard(high, z, k) < ionisation_mev:
        high *= 2
    # scipy's default absolute tolerance, 2e-12 MeV, is coarse next to recoils of 1e-5 MeV.
    return brentq(
        lambda t: lindhard(t, z, k) - ionisation_mev, ionisation_mev, high, xtol=1e-22, rtol=1e-15
    )


def ionisation(quenching: Any, recoil_mev: float, z: int) -> float:
    """T_ee(T) of the chosen model of quenching, T_ee = T q(T)."""
    if quenching.model == "lindhard":
        return lindhard(recoil_mev, z, quenching.k)
    if quenching.model == "none":
        return recoil_mev
    recoil_ev = recoil_mev * MEV_IN_EV
    if quenching.model == "table":
        table = quenching.file.table(("recoil_ev", "quenching"))
        rows, values = table["recoil_ev"], table["quenching"]
        first, last = rows[0], rows[-1]
        if quenching.second is not None:
            other = quenching.second.table(("recoil_ev", "quenching"))
            mixed = np.interp(rows, other["recoil_ev"], other["quenching"])
            values = (1 - quenching.shift) * values + quenching.shift * mixed
        inside = min(max(recoil_ev, first), last)
        factor = float(np.interp(inside, rows, values))
    else:
        first, last = quenching.lowest_recoil_ev, quenching.highest_recoil_ev
        inside = min(max(recoil_ev, first), last)
        unit = inside / {"eV": 1.0, "keV": 1e3, "MeV": 1e6}[quenching.energy_unit]
        factor = sum(c * unit**n for n, c in enumerate(quenching.coefficients))
    outside = quenching.below if recoil_ev < first else quenching.above
    if inside != recoil_ev and outside == "zero":
        return 0.0
    return recoil_mev * factor


@cache
def ionisation_steps(quenching: Any, z: int) -> tuple[np.ndarray, np.ndarray]:
    """T in steps of a thousandth and at its kinks, and the largest T_ee up to there."""
    recoil = np.unique([*np.geomspace(1e-8, 0.1, 16_000), *recoil_kinks(quenching)])
    energy = [ionisation(quenching, t, z) for t in recoil]
    return recoil, np.maximum.accumulate(energy)


def first_recoil(quenching: Any, ionisation_mev: float, z: int) -> float:
    """The smallest T with T_ee(T) >= ionisation; the largest T looked at where there is none."""
    if quenching.model == "lindhard":
        return inverse_lindhard(ionisation_mev, z, quenching.k)
    recoil, energy = ionisation_steps(quenching, z)
    i = int(np.searchsorted(energy, ionisation_mev))
    if i == 0 or i == recoil.size or energy[i - 1] == 0.0:
        return float(recoil[min(i, recoil.size - 1)])
    return brentq(
        lambda t: ionisation(quenching, t, z) - ionisation_mev,
        recoil[i - 1],
        recoil[i],
        xtol=1e-22,
        rtol=1e-15,
    )


def recoil_kinks(quenching: Any) -> tuple[float, ...]:
    """T at which T_ee(T) has a kink or a step, MeV."""
    if quenching.model == "table":
        return tuple(quenching.file.table(("recoil_ev",))["recoil_ev"] / MEV_IN_EV)
    if quenching.model == "polynomial":
        ends = (quenching.lowest_recoil_ev, quenching.highest_recoil_ev)
        return tuple(end / MEV_IN_EV for end in ends)
    return ()


class Detector(NamedTuple):
    """What makes a true ionisation energy an observed count; without smearing both noises are 0."""

    exposure_kg_d: float
    threshold_ev: float
    noise_ev: float
    fano_ev: float
    minimum_ev: float
    efficiency_energy_ev: tuple[float, ...]
    efficiency_value: tuple[float, ...]


def detectors(experiment: Any) -> list[Detector]:
    """The detectors of an experiment, each with the ionisation parameters they share."""
    shared, result = experiment.ionisation, []
    for d in experiment.detectors:
        noise, fano = d.electronic_noise_ev, shared.fano_factor * shared.pair_energy_ev
        if noise is None:
            noise = shared.electronic_noise_ev
        if shared.resolution == "none":
            noise, fano = 0.0, 0.0
        table = tuple(map(float, d.efficiency_energy_ev)), tuple(map(float, d.efficiency_value))
        exposure = d.mass_kg * d.live_time_d
        result.append(Detector(exposure, d.threshold_ev, noise, fano, shared.minimum_ev, *table))
    return result


def resolution(detector: Detector, ionisation_ev: float) -> float:
    """σ = √(σ_0² + F η T_ee) in eV."""
    return sqrt(detector.noise_ev**2 + detector.fano_ev * ionisation_ev)


def efficiency(detector: Detector, observed_ev: float) -> float:
    """ε(E_obs): zero below the threshold; above it 1, or the table, linear, ends held."""
    if observed_ev < detector.threshold_ev:
        return 0.0
    if not detector.efficiency_energy_ev:
        return 1.0
    return float(np.interp(observed_ev, detector.efficiency_energy_ev, detector.efficiency_value))


def normal_content(low: float, high: float) -> float:
    """Φ(high) - Φ(low), from the tail that keeps the digits."""
    if low > 0:
        low, high = -high, -low
    return (erfc(-high / sqrt(2)) - erfc(-low / sqrt(2))) / 2


def normal_density(x: float) -> float:
    """φ(x) = e^{-x²/2}/√(2π)."""
    return exp(-(x**2) / 2) / sqrt(2 * pi)


def response(detector: Detector, ionisation_ev: float, low_ev: float, high_ev: float) -> float:
    """W = ∫_low^high ε(x) N(x; T_ee, σ) dx: observed in [low, high] and accepted.

    On a piece [a, b] where ε = c_0 + c_1 (x - T_ee),
    ∫_a^b ε N dx = c_0 [Φ(β) - Φ(α)] - c_1 σ [φ(β) - φ(α)], α = (a - T_ee)/σ, β = (b - T_ee)/σ.
    Without resolution ε(T_ee) when T_ee is in the bin. Nothing below the smallest ionisation.
    """
    if ionisation_ev < detector.minimum_ev:
        return 0.0
    sigma = resolution(detector, ionisation_ev)
    if sigma == 0:
        return efficiency(detector, ionisation_ev) if low_ev <= ionisation_ev < high_ev else 0.0
    start = max(low_ev, detector.threshold_ev)
    if start >= high_ev:
        return 0.0
    nodes = [start, *(e for e in detector.efficiency_energy_ev if start < e < high_ev), high_ev]
    probability = 0.0
    for a, b in pairwise(nodes):
        alpha, beta = (a - ionisation_ev) / sigma, (b - ionisation_ev) / sigma
        c_1 = (efficiency(detector, b) - efficiency(detector, a)) / (b - a)
        c_0 = efficiency(detector, a) + c_1 * (ionisation_ev - a)
        probability += c_0 * normal_content(alpha, beta)
        probability -= c_1 * sigma * (normal_density(beta) - normal_density(alpha))
    return probability


# --- counts ---------------------------------------------------------------------------------------


class Scatterer(NamedTuple):
    """One term of the sum over targets: how many, how heavy, how a recoil ionises."""

    per_kg: float
    mass_mev: float
    nucleus: Nucleus
    electrons: Callable[[float], float]
    ionisation_mev: Callable[[float], float]
    recoil_mev: Callable[[float], float]
    kinks_ev: tuple[float, ...]
    recoil_kinks_mev: tuple[float, ...] = ()


def scatterers(experiment: Any, channel: str) -> list[Scatterer]:
    """Isotopes with their ionisation (cevns), or the electrons of each element (eves)."""
    formula_units, quenching = formula_units_per_kg(experiment), experiment.target.quenching
    steps, result = experiment.target.electron_binding == "steps", []
    for element in experiment.target.elements:
        atoms = formula_units * element.atoms_per_formula_unit
        isotopes, z = nuclei(experiment, element), int(element.atomic_number)
        if channel == "eves":
            occupancy, binding = list(element.shell_electrons), list(element.shell_binding_ev)
            if not steps:
                binding = [0.0] * len(binding)
            result.append(
                Scatterer(
                    atoms * float(np.sum(element.abundance)),
                    ELECTRON_MASS,
                    isotopes[0],
                    partial(z_eff, occupancy, binding),
                    lambda recoil: recoil,
                    lambda ionisation: ionisation,
                    tuple(binding),
                )
            )
            continue
        for nucleus, abundance in zip(isotopes, element.abundance, strict=True):
            result.append(
                Scatterer(
                    atoms * float(abundance),
                    nucleus.mass_mev,
                    nucleus,
                    lambda recoil: 1.0,
                    partial(ionisation, quenching, z=z),
                    partial(first_recoil, quenching, z=z),
                    (),
                    recoil_kinks(quenching) + momentum_kinks(nucleus),
                )
            )
    return result


def ionisation_breaks(
    detectors: Sequence[Detector],
    edges_ev: Sequence[float],
    kinks_ev: Sequence[float],
    panel_sigmas: float,
) -> list[float]:
    """Panels in true ionisation energy, from the first to the last that can reach a bin.

    Not wider than `panel_sigmas` resolutions nor than half the energy itself, and broken wherever
    the integrand has a kink; without resolution that is at every edge and threshold too.
    """
    low, high, minimum = edges_ev[0], edges_ev[-1], detectors[0].minimum_ev
    widest = max(detectors, key=lambda d: resolution(d, high))
    narrowest = min(detectors, key=lambda d: resolution(d, high))
    start, stop, kinks = max(low, minimum), high, list(kinks_ev)
    if resolution(widest, high) > 0:
        start = minimum
        if minimum + SMEARING_REACH * resolution(widest, minimum) < low:
            start = brentq(lambda t: t + SMEARING_REACH * resolution(widest, t) - low, minimum, low)
        while stop - SMEARING_REACH * resolution(widest, stop) < high:
            stop += resolution(widest, high)
    else:
        kinks += edges_ev
        for detector in detectors:
            kinks += [detector.threshold_ev, *detector.efficiency_energy_ev]
    if start >= stop:
        return []
    breaks = [start]
    while breaks[-1] < stop:
        step = max(breaks[-1] / 2, 1e-3)
        if resolution(narrowest, breaks[-1]) > 0:
            step = min(step, panel_sigmas * resolution(narrowest, breaks[-1]))
        breaks.append(min(breaks[-1] + step, stop))
    return sorted({*breaks, *(k for k in kinks if start < k < stop)})


class Predictor:
    """Expected counts of one channel; the experiment is read when the predictor is made.

    What depends on no parameter (flux at the quadrature nodes, response at the recoil nodes) is
    remembered between calls.

    Parameters
    ----------
    bins
        Edges in eV in place of the observed ones.
    inner_order
        Gauss-Legendre points on every panel of the flux.
    rule, panel_sigmas
        `quad_vec`'s rule and the width of its first panels, in energy resolutions.
    """

    def __init__(
        self,
        experiment: Any,
        channel: str,
        bins: Any = None,
        *,
        inner_order: int = 40,
        rule: str = "gk15",
        panel_sigmas: float = 1.0,
    ) -> None:
        observation = experiment.observation
        self.channel = channel
        self.edges_ev = [float(e) for e in (observation.edges_ev if bins is None else bins)]
        self.detectors = detectors(experiment)
        self.scatterers = scatterers(experiment, channel)
        self.per_kg_days = None
        if observation.normalisation == "per-kg":
            self.per_kg_days = observation.reference_live_time_d
        self.rule, self.panel_sigmas = rule, panel_sigmas
        self.flux = Flux(experiment)
        # Nodes and weights on (0, 1), then E_pj and w_pj dΦ/dE(E_pj) on every panel p of the flux.
        nodes, weights = np.polynomial.legendre.leggauss(inner_order)
        self.unit_nodes, self.unit_weights = (nodes + 1) / 2, weights / 2
        breaks = np.array(self.flux.breaks)
        width = np.diff(breaks)[:, None]
        self.energy_mev = breaks[:-1, None] + width * self.unit_nodes
        self.weighted_flux = width * self.unit_weights * self.flux(self.energy_mev)
        self._remembered: dict[tuple[int, float], tuple[Any, Any, Any]] = {}
        self.scale = 1.0
        if observation.sm_expectation is not None:
            # The published number is of CEvNS events in the observed bins.
            if channel == "cevns" and bins is None:
                self.scale = observation.sm_expectation / float(np.sum(self.counts("sm", {})))
            else:
                quadrature = {"rule": rule, "panel_sigmas": panel_sigmas}
                standard = Predictor(experiment, "cevns", inner_order=inner_order, **quadrature)
                self.scale = standard.scale

    def counts(self, model: str, parameters: Mapping[str, Any]) -> np.ndarray:
        """Counts per bin, X = mass · live time in kg d.

        total: R_b = Σ_d X_d r_db. per-kg: R_b = t_ref Σ_d X_d r_db / Σ_d X_d over the detectors
        whose threshold is below the bin's upper edge.
        """
        rates = self.rates(model, parameters)
        exposure = np.array([[d.exposure_kg_d] for d in self.detectors])
        if self.per_kg_days is None:
            return self.scale * np.sum(exposure * rates, axis=0)
        threshold = np.array([[d.threshold_ev] for d in self.detectors])
        exposure = np.where(threshold < np.array(self.edges_ev[1:]), exposure, 0.0)
        summed, of = np.sum(exposure * rates, axis=0), np.sum(exposure, axis=0)
        mean = np.divide(summed, of, out=np.zeros_like(summed), where=of > 0)
        return self.scale * self.per_kg_days * mean

    def rates(self, model: str, parameters: Mapping[str, Any]) -> np.ndarray:
        """Events per kg and day, shape (detectors, bins).

        r_db = Σ_targets N ∫dT W_db(T_ee(T)) Z_eff(T) ∫_{E_min(T)}^{E_max} dE dΦ/dE dσ/dT(E, T).
        """
        dsigma = cross_section(model, self.channel, parameters)
        total = np.zeros((len(self.detectors), len(self.edges_ev) - 1))
        for index, scatterer in enumerate(self.scatterers):
            panels_ev = ionisation_breaks(
                self.detectors, self.edges_ev, scatterer.kinks_ev, self.panel_sigmas
            )
            # The inner integral has a kink wherever E_min(T) passes one of the flux.
            kinks = [maximum_recoil(e, scatterer.mass_mev) for e in self.flux.breaks[1:]]
            end = kinks[-1]
            kinks += scatterer.recoil_kinks_mev
            recoils = [scatterer.recoil_mev(e / MEV_IN_EV) for e in panels_ev]
            if not recoils or recoils[0] >= end:
                continue

            def integrand(recoil: float, index: int = index) -> np.ndarray:
                energy, weighted_flux, accepted = self._at(index, recoil)
                nucleus = self.scatterers[index].nucleus
                return accepted * np.dot(weighted_flux, dsigma(energy, recoil, nucleus))

            integral, _ = quad_vec(
                integrand,
                recoils[0],
                min(recoils[-1], end),
                points=[*recoils, *kinks],
                quadrature=self.rule,
                norm="max",
                epsabs=1e-250,  # when nothing reaches a bin, stop instead of refining zeros
                epsrel=1e-10,
            )
            total += scatterer.per_kg * integral
        return total * MEV_MINUS_2_IN_CM2 * SECONDS_PER_DAY

    def _at(self, index: int, recoil: float) -> tuple[Any, Any, Any]:
        """At one recoil: E nodes above E_min, w dΦ/dE there, and Z_eff W_db."""
        key = (index, recoil)
        if key not in self._remembered:
            scatterer = self.scatterers[index]
            ionisation_ev = scatterer.ionisation_mev(recoil) * MEV_IN_EV
            accepted = [
                [response(d, ionisation_ev, low, high) for low, high in pairwise(self.edges_ev)]
                for d in self.detectors
            ]
            low = float(minimum_energy(recoil, scatterer.mass_mev))
            energy, weighted_flux = self._above(low)
            self._remembered[key] = (
                energy,
                weighted_flux,
                scatterer.electrons(recoil) * np.array(accepted),
            )
        return self._remembered[key]

    def _above(self, low_mev: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights for ∫_low^E_max dΦ/dE … dE: the panel that `low` cuts gets its own."""
        whole = int(np.searchsorted(self.flux.breaks, low_mev, side="right"))
        if whole == len(self.flux.breaks):
            return np.ones(1), np.zeros(1)
        width = self.flux.breaks[whole] - low_mev
        cut = low_mev + width * self.unit_nodes
        cut_flux = width * self.unit_weights * self.flux(cut)
        return (
            np.concatenate([cut, self.energy_mev[whole:].ravel()]),
            np.concatenate([cut_flux, self.weighted_flux[whole:].ravel()]),
        )


def counts(
    experiment: Any,
    model: str,
    parameters: Mapping[str, Any],
    channel: str,
    bins: Any = None,
    **quadrature: Any,
) -> np.ndarray:
    """Expected counts per bin in the observation's normalisation, one channel: cevns or eves.

    Where the observation names an expected standard-model total of CEvNS events, all rates are
    scaled to it. Make one `Predictor` for many parameter points; it explains the other arguments.
    """
    return Predictor(experiment, channel, bins, **quadrature).counts(model, parameters)


# --- statistics -----------------------------------------------------------------------------------


def chi2(counts: Any, data: Any, sigma: Any, sigma_alpha: float) -> float:
    """min_α Σ [((1+α)R - D)/σ]² + (α/σ_α)², C25 eq. (20), the minimum found numerically.

    The search is over x = (1+α) max(1, |R/σ|): in these units the curvature at the minimum stays
    of order one whatever the size of R.
    """
    r, d = np.asarray(counts) / sigma, np.asarray(data) / sigma
    size = max(1.0, float(np.linalg.norm(r)))

    def at(x: float) -> float:
        return float(np.sum((x * (r / size) - d) ** 2) + ((x / size - 1) / sigma_alpha) ** 2)

    return float(minimize_scalar(at, bracket=(0.0, size), method="brent", tol=1e-10).fun)


def chi2_exact(counts: Any, data: Any, sigma: Any, sigma_alpha: float, digits: int = 50) -> float:
    """The same minimum with 50 digits: α̂ where the derivative vanishes, put into the definition."""
    with mpmath.workdps(digits):
        r = [
            mpmath.mpf(float(x)) / mpmath.mpf(float(s)) for x, s in zip(counts, sigma, strict=True)
        ]
        d = [mpmath.mpf(float(x)) / mpmath.mpf(float(s)) for x, s in zip(data, sigma, strict=True)]
        penalty = mpmath.mpf(float(sigma_alpha)) ** -2
        slope = mpmath.fsum(x * (y - x) for x, y in zip(r, d, strict=True))
        alpha = slope / (mpmath.fsum(x * x for x in r) + penalty)
        pulls = mpmath.fsum(((1 + alpha) * x - y) ** 2 for x, y in zip(r, d, strict=True))
        return float(pulls + penalty * alpha**2)


class Limit(NamedTuple):
    """Best fit, its χ², and every piece of the allowed set."""

    best_fit: float
    chi2_min: float
    intervals: list[tuple[float, float]]


def limit(chi2_of: Callable[[float], float], grid: Any, delta: float) -> Limit:
    """{x : χ²(x) - χ²_min ≤ Δ} by brute force, for one parameter.

    χ² on a fine grid; every minimum of the grid refined and put in as a further grid point, so
    that an allowed piece inside one cell is seen; a root by `brentq` in every cell where
    χ² - χ²_min - Δ changes sign. A piece that leaves the grid ends at the grid's end.
    """
    points = {float(x): chi2_of(float(x)) for x in grid}
    xs = sorted(points)
    for i, x in enumerate(xs):
        left, right = xs[max(i - 1, 0)], xs[min(i + 1, len(xs) - 1)]
        if points[x] <= min(points[left], points[right]):
            found = minimize_scalar(
                chi2_of,
                bounds=(left, right),
                method="bounded",
                options={"xatol": 1e-9 * (right - left)},
            )
            points.setdefault(float(found.x), float(found.fun))
    best_fit = min(points, key=points.__getitem__)
    chi2_min = points[best_fit]

    def excess(x: float) -> float:
        return chi2_of(x) - chi2_min - delta

    xs = sorted(points)
    ends = [xs[0]] if points[xs[0]] - chi2_min <= delta else []
    for left, right in pairwise(xs):
        if (points[left] - chi2_min <= delta) != (points[right] - chi2_min <= delta):
            ends.append(brentq(excess, left, right, xtol=1e-300, rtol=1e-14))
    if points[xs[-1]] - chi2_min <= delta:
        ends.append(xs[-1])
    return Limit(best_fit, chi2_min, list(zip(ends[::2], ends[1::2], strict=True)))


# --- likelihoods with linear pulls ----------------------------------------------------------------


def pulled_chi2(layers: Any, seen: Any) -> float:
    """Chi2 of counts with pulls profiled, by the covariance that they are worth.

    min over beta of |y + beta T - d|**2 + |beta|**2 = r (1 + T^T T)^-1 r, r = y - d; ``layers``
    holds y, and then the rows of T: counts over sigma and their change by each pull.
    """
    rest = np.asarray(layers[0]) - np.asarray(seen)
    changes = np.asarray(layers[1:])
    covariance = np.eye(rest.size) + changes.T @ changes
    return float(rest @ np.linalg.solve(covariance, rest))


def chi2_of_vector(table: Any, exponents: Any, z: Any, data: Any) -> float:
    """Chi2 of counts and auxiliary measurements, with a mass between the rows of a table.

    min over gamma of |f + gamma T - d|**2 + |gamma - a|**2 with f and T polynomials in couplings
    tan(phi) and, in the place z[0], the polynomial through the six rows around it.
    """
    table, data = np.asarray(table), np.asarray(data)
    first = min(max(int(z[0]) - 2, 0), len(table) - 6)
    mixed = np.zeros(table.shape[1:])
    for i in range(6):
        others = [j for j in range(6) if j != i]
        weight = np.prod([(z[0] - first - j) / (i - j) for j in others])
        mixed += weight * table[first + i]
    monomials = np.prod(np.tan(np.asarray(z[1:])) ** np.asarray(exponents), axis=1)
    layers = np.einsum("m,lmb->lb", monomials, mixed)
    bins = layers.shape[1]
    columns = np.concatenate([layers[1:], np.eye(len(layers) - 1)], axis=1)
    rest = data - np.append(layers[0], np.zeros(len(data) - bins))
    gamma = np.linalg.lstsq(columns.T, rest, rcond=None)[0]
    return float(((rest - gamma @ columns) ** 2).sum())


def pulled_log_marginal(layers: Any, seen: Any) -> float:
    """Logarithm of the likelihood with the pulls integrated out, but for a constant."""
    changes = np.asarray(layers[1:])
    covariance = np.eye(np.asarray(seen).size) + changes.T @ changes
    return -0.5 * pulled_chi2(layers, seen) - 0.5 * float(np.linalg.slogdet(covariance)[1])
