"""Axial, pseudoscalar and tensor exchange: traces, identities, nuclear spins, slow twin, limits."""

import math
import zlib
from itertools import product

import naive
import numpy as np
import pytest

from fastscan import likelihood
from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import NuclearSpin, nuclear_spins, nucleon_couplings
from fastscan.kernels import cross_sections
from fastscan.models import Recoils, get_model, spin
from fastscan.tensors import CHANNELS

MODELS = ("axial", "pseudoscalar", "tensor")
SQRT2_G_F = math.sqrt(2) * naive.FERMI_CONSTANT
GE73 = naive.Nucleus(32, 73, naive.nuclear_mass(72.923458954, 32))
# J, <S_p>, <S_n> of the nuclei with spin in the two targets (arXiv:1304.7684).
SPINS = {(32, 73): (4.5, 0.031, 0.439), (14, 29): (0.5, 0.016, 0.156)}
DELTA_U, DELTA_D, DELTA_S = 0.842, -0.427, -0.085
TENSOR_U, TENSOR_D = 0.784, -0.204
M_U, M_D, M_S = 2.16, 4.70, 93.5


# --- the sum over all spins, done with matrices ---------------------------------------------------

ONE, ZERO = np.eye(2), np.zeros((2, 2))
PAULI = (np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]]))
GAMMA = (
    np.block([[ZERO, ONE], [ONE, ZERO]]),
    *(np.block([[ZERO, s], [-s, ZERO]]) for s in PAULI),
)
GAMMA5 = np.diag([-1.0, -1.0, 1.0, 1.0])
LEFT = (np.eye(4) - GAMMA5) / 2
METRIC = (1.0, -1.0, -1.0, -1.0)
SIGMA = {
    (m, n): 0.5j * (GAMMA[m] @ GAMMA[n] - GAMMA[n] @ GAMMA[m]) for m in range(4) for n in range(4)
}

# [nubar N nu] [fbar F f] as (N, F, sign), contracted over Lorentz indices.
AXIAL = [(GAMMA[m] @ GAMMA5, GAMMA[m] @ GAMMA5, METRIC[m]) for m in range(4)]
PSEUDOSCALAR = [(1j * GAMMA5, 1j * GAMMA5, 1.0)]
TENSOR = [(SIGMA[m, n], SIGMA[m, n], METRIC[m] * METRIC[n]) for m, n in product(range(4), repeat=2)]


def slashed(momentum):
    return sum(METRIC[m] * momentum[m] * GAMMA[m] for m in range(4))


def barred(matrix):
    return GAMMA[0] @ matrix.conj().T @ GAMMA[0]


def from_traces(operators, energy, recoil, mass):
    """dσ/dT = |M|²/(32π m E²) of antineutrinos on a fermion of spin ½, spins summed by traces.

    The antineutrino comes right-handed, so its line is v̄(k) N P_L v(k').
    """
    final = energy - recoil
    cosine = 1 - mass * recoil / (energy * final)
    k = energy * np.array([1, 0, 0, 1])
    k_final = final * np.array([1, math.sqrt(1 - cosine**2), 0, cosine])
    p = np.array([mass, 0, 0, 0])
    total = 0.0
    for (n, f, sign), (other_n, other_f, other_sign) in product(operators, repeat=2):
        neutrino = slashed(k) @ n @ LEFT @ slashed(k_final) @ barred(other_n @ LEFT)
        incoming, outgoing = slashed(p) + mass * np.eye(4), slashed(p + k - k_final)
        target = (outgoing + mass * np.eye(4)) @ f @ incoming @ barred(other_f)
        total += sign * other_sign * np.trace(neutrino) * np.trace(target) / 2
    return float(np.real(total)) / (32 * math.pi * mass * energy**2)


def summed(coefficients, energy):
    """The cross section that coefficients of shape (3, 1) stand for."""
    return sum(float(coefficients[n, 0]) * energy**-n for n in range(3))


def nodes(channel, recoil, mass, protons=0.0, neutrons=0.0):
    """One recoil node."""
    values = (recoil, mass, protons, neutrons, 1.0)
    return Recoils(channel, *(np.array([value]) for value in values))


def evaluate(model, recoils, energy, **point):
    """dσ/dT of a model at one recoil node."""
    functions = model.functions(recoils, {"mass_mev": np.array([point["mass_mev"]])})
    symbols = point | {name: float(value[0, 0]) for name, value in functions.items()}
    total = 0.0
    for monomial, value in model.cross_section(recoils).terms.items():
        factor = math.prod(symbols[name] ** power for name, power in monomial)
        total += factor * summed(np.broadcast_to(value, (3, 1)), energy)
    return total


def random_points_on_electrons():
    rng = np.random.default_rng(5)
    for _ in range(5):
        energy = float(rng.uniform(0.1, 10.0))
        yield (
            energy,
            float(rng.uniform(0.05, 0.95)) * naive.maximum_recoil(energy, naive.ELECTRON_MASS),
        )


ELECTRON_POINTS = list(random_points_on_electrons())


@pytest.mark.parametrize(("energy", "recoil"), ELECTRON_POINTS)
@pytest.mark.parametrize(
    ("kernel", "operators"),
    [
        (cross_sections.pseudoscalar_exchange, PSEUDOSCALAR),
        (cross_sections.tensor_electron, TENSOR),
    ],
)
def test_exchange_on_electrons_is_the_sum_over_spins(kernel, operators, energy, recoil):
    got = summed(kernel(np.array([recoil]), np.array([naive.ELECTRON_MASS])), energy)
    expected = from_traces(operators, energy, recoil, naive.ELECTRON_MASS)
    assert got == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize(("energy", "recoil"), ELECTRON_POINTS)
@pytest.mark.parametrize("g", [0.0, 3e-6, 1e-5, 1e-3])
def test_axial_exchange_interferes_with_the_weak_one_as_the_traces_say(energy, recoil, g):
    # L = -√2 G_F [ν̄_L γ ν_L][ē γ (g_V - g_A γ5) e] - g²/(M²+q²) [ν̄ γ γ5 ν][ē γ γ5 e].
    mass, g_v, g_a = 0.3, 0.5 + 2 * 0.21, 0.5
    exchange = g**2 / (mass**2 + 2 * naive.ELECTRON_MASS * recoil)
    weak = [
        (GAMMA[m], GAMMA[m] @ (g_v * np.eye(4) - g_a * GAMMA5), -SQRT2_G_F * METRIC[m])
        for m in range(4)
    ]
    new = [(n, f, -exchange * sign) for n, f, sign in AXIAL]
    expected = from_traces(weak + new, energy, recoil, naive.ELECTRON_MASS)
    recoils = nodes("eves", recoil, naive.ELECTRON_MASS)
    point = {"mass_mev": mass, "g": g, "sin2_theta_w": 0.21}
    got = evaluate(get_model("axial"), recoils, energy, **point)
    assert got == pytest.approx(expected, rel=1e-10, abs=0)


# --- identities -----------------------------------------------------------------------------------


@pytest.fixture
def free_proton(monkeypatch):
    """Hydrogen is the only nucleus, and its charges are one."""
    proton = NuclearSpin(
        atomic_number=1, mass_number=1, spin=0.5, proton_spin=0.5, neutron_spin=0.0, source=""
    )
    monkeypatch.setattr(spin, "_nuclei", lambda: {(1, 1): proton})


def test_response_of_a_free_nucleon_is_its_charge_squared(free_proton):
    recoils = nodes("cevns", 1e-3, naive.PROTON_MASS, protons=1.0)
    assert spin.spin_response(recoils, -0.7, 3.0) == pytest.approx([0.49])


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.999])
@pytest.mark.parametrize(
    ("kernel", "operators", "scale"),
    [
        # a² G_F² = g⁴/2 for unit exchange.
        (lambda t, m: cross_sections.axial_nucleus(t, m, 1.0) / 2, AXIAL, 1.0),
        (cross_sections.tensor_nucleus, TENSOR, 2.0),
    ],
)
def test_nuclear_formula_is_that_of_a_fermion_up_to_recoil(kernel, operators, scale, fraction):
    mass, energy = 7e4, 4.0
    recoil = fraction * naive.maximum_recoil(energy, mass)
    got = summed(kernel(np.array([recoil]), np.array([mass])), energy)
    expected = from_traces(operators, energy, recoil, mass)
    assert got == pytest.approx(expected, rel=scale * recoil / energy, abs=0)
    assert got >= expected


def test_pseudoscalar_on_a_free_nucleon_is_the_electron_formula(free_proton, monkeypatch):
    model = get_model("pseudoscalar")
    charges = (1 / naive.PROTON_MASS, 0.0)
    monkeypatch.setattr(model, "nucleon_charges_per_mev", lambda: charges)
    recoils = nodes("cevns", 0.02, naive.PROTON_MASS, protons=1.0)
    nuclear = model.cross_section(recoils) - get_model("sm").cross_section(recoils)
    (coefficients,) = (v for powers, v in nuclear.terms.items() if dict(powers).get("g"))
    assert summed(coefficients, 6.0) == pytest.approx(
        from_traces(PSEUDOSCALAR, 6.0, 0.02, naive.PROTON_MASS), rel=1e-10, abs=0
    )


@pytest.mark.parametrize("angle", [0.1, 1.0, 2.0, 3.0])
def test_angles_of_elastic_scattering_on_a_static_nucleon(angle):
    # dσ/dΩ = G_F²E²/4π² [g_V² (1 + cos θ) + g_A² (3 - cos θ)], T = E²(1 - cos θ)/m.
    mass, energy, cosine = 1e9, 3.0, math.cos(angle)
    arguments = (np.array([energy**2 * (1 - cosine) / mass]), np.array([mass]), 1.0)
    jacobian = energy**2 / (2 * math.pi * mass)
    expected = (energy / (2 * math.pi)) ** 2
    axial = jacobian * summed(cross_sections.axial_nucleus(*arguments), energy)
    vector = jacobian * summed(cross_sections.vector_nucleus(*arguments), energy)
    assert axial == pytest.approx(expected * (3 - cosine))
    assert vector == pytest.approx(expected * (1 + cosine))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("channel", CHANNELS)
def test_without_coupling_it_is_the_standard_model(experiments, responses, name, channel):
    arguments = (experiments["conus-plus"], responses["conus-plus"])
    point = {"mass_mev": 1.0, "g": 0.0, "sin2_theta_w": 0.3}
    got = build_signal(get_model(name), *arguments, channels=(channel,)).counts(point)
    expected = build_signal(get_model("sm"), *arguments, channels=(channel,))
    np.testing.assert_allclose(got, expected.counts({"sin2_theta_w": 0.3}), rtol=1e-13)


# --- nuclei and nucleons --------------------------------------------------------------------------


def test_spins_of_the_table():
    table = {
        (row.atomic_number, row.mass_number): (row.spin, row.proton_spin, row.neutron_spin)
        for row in nuclear_spins()
    }
    assert SPINS.items() <= table.items()
    for spin_of_nucleus, proton_spin, neutron_spin in table.values():
        assert (2 * spin_of_nucleus) % 2 == 1
        assert abs(proton_spin) + abs(neutron_spin) <= 0.5


def test_charges_of_the_table():
    table = {(row.current, row.quark): row.proton_charge for row in nucleon_couplings()}
    # Bjorken: Δu - Δd = g_A of beta decay.
    assert table["axial", "up"] - table["axial", "down"] == pytest.approx(1.27, abs=0.01)
    assert table["tensor", "up"] - table["tensor", "down"] == pytest.approx(0.988)


def test_neutron_is_a_proton_with_quarks_exchanged():
    up, down = {"up": 1.0, "down": 0.0}, {"up": 0.0, "down": 1.0}
    assert spin.nucleon_charges("axial", up) == (DELTA_U, DELTA_D)
    assert spin.nucleon_charges("axial", down) == (DELTA_D, DELTA_U)


def test_anomaly_takes_away_the_isoscalar_coupling():
    # ⟨N| Σ_uds q̄ iγ5 q |N⟩ = 0, so that of u + d is minus that of s.
    m = 1 / (1 / M_U + 1 / M_D + 1 / M_S)
    proton = -(DELTA_S - m * (DELTA_U / M_U + DELTA_D / M_D + DELTA_S / M_S)) / M_S
    neutron = -(DELTA_S - m * (DELTA_D / M_U + DELTA_U / M_D + DELTA_S / M_S)) / M_S
    charges = get_model("pseudoscalar").nucleon_charges_per_mev()
    assert charges == pytest.approx((proton, neutron), rel=1e-12)
    without = get_model("pseudoscalar", anomaly=False).nucleon_charges_per_mev()
    assert without == pytest.approx((DELTA_U / M_U + DELTA_D / M_D, DELTA_D / M_U + DELTA_U / M_D))
    assert get_model("pseudoscalar", anomaly=False).options() == {"anomaly": False}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("experiment", "neutrons"), [("conus-plus", 41.0), ("silicon", 15.0)])
def test_only_the_isotope_with_spin_contributes(responses, name, experiment, neutrons):
    recoils = Recoils.of("cevns", responses[experiment].channels["cevns"])
    terms = get_model(name).cross_section(recoils).terms
    (new,) = (value for powers, value in terms.items() if dict(powers).get("g"))
    hit = recoils.neutrons == neutrons
    assert np.all(new[:, ~hit] == 0.0)
    assert np.all(new.any(axis=0) == hit)
    assert 0 < hit.sum() < hit.size


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("protons", "neutrons"), [(55.0, 78.0), (54.0, 71.0), (7.0, 7.0)])
def test_isotope_that_is_not_in_the_table(name, protons, neutrons):
    recoils = nodes("cevns", 1e-3, 1e5, protons, neutrons)
    text = rf"Z = {protons:g}, A = {protons + neutrons:g} .*nuclear_spins\.csv\); add it"
    with pytest.raises(InputError, match=text):
        get_model(name).cross_section(recoils)


@pytest.mark.parametrize("name", MODELS)
def test_even_even_isotope_needs_no_entry(name):
    recoils = nodes("cevns", 1e-3, 1e5, 18.0, 22.0)
    point = {"mass_mev": 1.0, "sin2_theta_w": 0.2}
    model = get_model(name)
    with_exchange = evaluate(model, recoils, 3.0, g=1.0, **point)
    assert with_exchange == evaluate(model, recoils, 3.0, g=0.0, **point)


def test_tables_are_read_once(monkeypatch):
    recoils = nodes("cevns", 1e-3, GE73.mass_mev, 32.0, 41.0)
    get_model("axial").cross_section(recoils)
    monkeypatch.setattr(spin, "nuclear_spins", None)
    monkeypatch.setattr(spin, "nucleon_couplings", None)
    get_model("axial").cross_section(recoils)


# --- slow twin ------------------------------------------------------------------------------------


def response(nucleus, proton, neutron):
    """(4/3)(J+1)/J (c_p⟨S_p⟩ + c_n⟨S_n⟩)², zero of nuclei without spin."""
    j, proton_spin, neutron_spin = SPINS.get((nucleus.z, nucleus.a), (1.0, 0.0, 0.0))
    return 4 / 3 * (j + 1) / j * (proton * proton_spin + neutron * neutron_spin) ** 2


def exchange(parameters, mass, recoil):
    """g²/(M² + 2mT)."""
    return parameters["g"] ** 2 / (parameters["mass_mev"] ** 2 + 2 * mass * recoil)


def cevns_axial(parameters):
    """SM + a² G_F² M/π (1 + MT/2E²) S², a = g²/(√2 G_F (M_A² + 2MT)), c = Δu + Δd."""
    standard = naive.cevns_sm({"sin2_theta_w": parameters["sin2_theta_w"]})

    def dsigma(energy, recoil, nucleus):
        a = exchange(parameters, nucleus.mass_mev, recoil) / SQRT2_G_F
        shape = 1 + nucleus.mass_mev * recoil / (2 * energy**2)
        new = a**2 * naive.FERMI_CONSTANT**2 * nucleus.mass_mev / math.pi * shape
        charge = DELTA_U + DELTA_D
        return standard(energy, recoil, nucleus) + new * response(nucleus, charge, charge)

    return dsigma


def eves_axial(parameters):
    """g_A → ½ + g²/(√2 G_F (M_A² + 2 m_e T)) in C25 eq. (3)."""
    g_v = naive.electron_vector_coupling(parameters["sin2_theta_w"])

    def dsigma(energy, recoil, nucleus):
        m = naive.ELECTRON_MASS
        g_a = 0.5 + exchange(parameters, m, recoil) / SQRT2_G_F
        bracket = (g_v - g_a) ** 2 + (g_v + g_a) ** 2 * (1 - recoil / energy) ** 2
        bracket -= (g_v**2 - g_a**2) * m * recoil / energy**2
        return naive.FERMI_CONSTANT**2 * m / (2 * math.pi) * bracket

    return dsigma


def cevns_pseudoscalar(parameters):
    """SM + M²T/(4πE²(M_P²+2MT)²) · 2MT/4m² · S² g⁴, c/m = Σ_q Δ_q/m_q [c_q - Σ c_q' m/m_q']."""
    standard = naive.cevns_sm({"sin2_theta_w": parameters["sin2_theta_w"]})
    common = 0.0
    if parameters.get("anomaly", True):
        common = (1 / M_U + 1 / M_D) / (1 / M_U + 1 / M_D + 1 / M_S)
    strange = -common * DELTA_S / M_S
    proton = (1 - common) * (DELTA_U / M_U + DELTA_D / M_D) + strange
    neutron = (1 - common) * (DELTA_D / M_U + DELTA_U / M_D) + strange

    def dsigma(energy, recoil, nucleus):
        mass = nucleus.mass_mev
        scalar = mass**2 * recoil / (4 * math.pi * energy**2)
        scalar = scalar * exchange(parameters, mass, recoil) ** 2
        new = scalar * (2 * mass * recoil / 4) * response(nucleus, proton, neutron)
        return standard(energy, recoil, nucleus) + new

    return dsigma


def eves_pseudoscalar(parameters):
    """SM + g⁴ m_e T²/(8πE²(M_P² + 2 m_e T)²)."""
    standard = naive.eves_sm({"sin2_theta_w": parameters["sin2_theta_w"]})

    def dsigma(energy, recoil, nucleus):
        m = naive.ELECTRON_MASS
        new = m * recoil**2 / (8 * math.pi * energy**2) * exchange(parameters, m, recoil) ** 2
        return standard(energy, recoil, nucleus) + new

    return dsigma


def cevns_tensor(parameters):
    """SM + g⁴ M/(π(M_T² + 2MT)²) (4 - MT/E²) S², c = g_T^u + g_T^d."""
    standard = naive.cevns_sm({"sin2_theta_w": parameters["sin2_theta_w"]})

    def dsigma(energy, recoil, nucleus):
        mass, charge = nucleus.mass_mev, TENSOR_U + TENSOR_D
        shape = mass / math.pi * (4 - mass * recoil / energy**2)
        new = shape * exchange(parameters, mass, recoil) ** 2
        return standard(energy, recoil, nucleus) + new * response(nucleus, charge, charge)

    return dsigma


def eves_tensor(parameters):
    """SM + g⁴ m_e/(π(M_T² + 2 m_e T)²) [1 + 2(1-T/E) + (1-T/E)² - m_e T/E²]."""
    standard = naive.eves_sm({"sin2_theta_w": parameters["sin2_theta_w"]})

    def dsigma(energy, recoil, nucleus):
        m, left = naive.ELECTRON_MASS, 1 - recoil / energy
        shape = m / math.pi * (1 + 2 * left + left**2 - m * recoil / energy**2)
        return standard(energy, recoil, nucleus) + shape * exchange(parameters, m, recoil) ** 2

    return dsigma


TWINS = {
    "axial": {"cevns": cevns_axial, "eves": eves_axial},
    "pseudoscalar": {"cevns": cevns_pseudoscalar, "eves": eves_pseudoscalar},
    "tensor": {"cevns": cevns_tensor, "eves": eves_tensor},
}


@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-c25", "silicon"])
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("name", "options"),
    [("axial", {}), ("pseudoscalar", {}), ("pseudoscalar", {"anomaly": False}), ("tensor", {})],
)
def test_counts_against_the_slow_twin(
    twins, experiments, responses, monkeypatch, experiment, channel, name, options
):
    monkeypatch.setitem(naive.CROSS_SECTIONS, name, TWINS[name])
    monkeypatch.setitem(naive.PARAMETERS, name, {"mass_mev", "g", "anomaly"})
    arguments = (experiments[experiment], responses[experiment])
    rates = build_signal(get_model(name, **options), *arguments, channels=(channel,))
    rng = np.random.default_rng(zlib.crc32(f"{experiment}/{channel}/{name}/{options}".encode()))
    for _ in range(3):
        point = {
            "mass_mev": float(10 ** rng.uniform(-6, 5)),
            "g": float(10 ** rng.uniform(-6, 0)),
            "sin2_theta_w": float(rng.uniform(0, 1)),
        }
        expected = twins.counts(experiment, channel, name, point | options)
        assert expected.max() > 0.0
        np.testing.assert_allclose(
            rates.counts(point), expected, rtol=0, atol=1e-9 * expected.max(), err_msg=str(point)
        )


# --- the numbers in the models' docstrings --------------------------------------------------------


@pytest.fixture(scope="module")
def upper_limit():
    """90 % limit on g at 1 MeV in conus-plus."""

    def limit(name, channels, **options):
        made = likelihood(name, channels=channels, **options)
        return made.limit("g", {"mass_mev": 1.0}, cl=0.9).intervals[-1][1]

    return limit


@pytest.mark.parametrize(
    ("name", "options", "cevns", "both"),
    [
        ("vector", {}, 1.48e-5, 1.44e-5),
        ("scalar", {}, 3.65e-6, 3.65e-6),
        ("axial", {}, 4.23e-4, 2.52e-5),
        ("pseudoscalar", {}, 4.49e-3, 1.106e-3),
        ("pseudoscalar", {"anomaly": False}, 2.80e-3, 1.106e-3),
        ("tensor", {}, 2.82e-4, 1.51e-5),
    ],
)
def test_limits_at_one_mev(upper_limit, name, options, cevns, both):
    assert upper_limit(name, "cevns", **options) == pytest.approx(cevns, rel=5e-3)
    assert upper_limit(name, "both", **options) == pytest.approx(both, rel=5e-3)


@pytest.mark.parametrize(
    ("name", "like", "share"),
    [("axial", "vector", 1.26e-6), ("tensor", "vector", 6.3e-6), ("pseudoscalar", "scalar", 4e-13)],
)
def test_share_of_the_counts_where_the_coherent_mediator_is_excluded(
    experiments, responses, upper_limit, name, like, share
):
    arguments = (experiments["conus-plus"], responses["conus-plus"])
    rates = build_signal(
        get_model(name), *arguments, channels=("cevns",), fixed={"sin2_theta_w": 0.23857}
    )
    # The exchange alone; the difference of two totals would lose the digits.
    new = rates.coefficients({"mass_mev": np.array([1.0])})[0, rates.exponents[:, 0] == 4].sum()
    standard = rates.counts({"mass_mev": 1.0, "g": 0.0}).sum()
    assert new * upper_limit(like, "cevns") ** 4 / standard == pytest.approx(share, rel=0.1)


def test_axial_current_of_the_standard_model_is_negligible_too(responses, upper_limit):
    # c_p = -c_n = (Δu - Δd)/2 adds to the new amplitude (Δu + Δd) a on 73Ge.
    channel = responses["conus-plus"].channels["cevns"]
    recoils, kernel = Recoils.of("cevns", channel), channel.kernel()
    shape = cross_sections.axial_nucleus(
        recoils.recoil_energy_mev, recoils.target_mass_mev, naive.FERMI_CONSTANT
    )

    def counts(factor):
        return float(np.einsum("nt,ntb->", shape * factor, kernel))

    j, proton_spin, neutron_spin = SPINS[32, 73]
    weight = np.where(recoils.neutrons == 41, 4 / 3 * (j + 1) / j, 0.0)
    weak = (DELTA_U - DELTA_D) / 2 * (proton_spin - neutron_spin)
    propagator = 1 / (1 + recoils.momentum_squared_mev2)
    new = (DELTA_U + DELTA_D) * (proton_spin + neutron_spin) * propagator / SQRT2_G_F
    new = new * upper_limit("axial", "cevns") ** 2
    assert counts(weight * weak**2) / 145.850 == pytest.approx(2.5e-4, rel=0.05)
    share = counts(weight * 2 * weak * new) / counts(weight * new**2)
    assert share == pytest.approx(-0.034, rel=0.05)
