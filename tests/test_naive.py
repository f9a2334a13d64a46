"""The reference is worth something only if it is checked by other means than the engine."""

from __future__ import annotations

from itertools import pairwise
from math import pi

import mpmath
import naive
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import spherical_jn

from fastscan.inputs import load_experiment

CHANNELS = ("cevns", "eves")
GE72 = naive.Nucleus(32, 72, naive.nuclear_mass(71.922075824, 32))
RECOIL = np.array([2e-5, 3e-4, 2e-3])
ENERGY = np.array([[9.9], [9.0], [8.5]])  # all above E_min of the recoils


@pytest.fixture(scope="module")
def experiment():
    return load_experiment("conus-plus")


@pytest.fixture(scope="module")
def flux(experiment):
    return naive.Flux(experiment)


@pytest.fixture(scope="module")
def predictors(experiment):
    return {channel: naive.Predictor(experiment, channel) for channel in CHANNELS}


def changed(experiment, **parts):
    """A copy of an experiment with other values in some of its parts."""
    new = {name: getattr(experiment, name).model_copy(update=v) for name, v in parts.items()}
    return experiment.model_copy(update=new)


def with_threshold(experiment, threshold_ev):
    """A copy in which every detector has this threshold."""
    detectors = [d.model_copy(update={"threshold_ev": threshold_ev}) for d in experiment.detectors]
    return experiment.model_copy(update={"detectors": tuple(detectors)})


def assert_same(channel, one, other):
    """Two (model, parameters) have one cross section."""
    first, second = (
        naive.cross_section(model, channel, parameters)(ENERGY, RECOIL, GE72)
        for model, parameters in (one, other)
    )
    np.testing.assert_allclose(first, second, rtol=1e-12)


# --- anchors --------------------------------------------------------------------------------------


def test_cevns_counts(predictors):
    counts = predictors["cevns"].counts("sm", {})
    assert counts.shape == (19,)
    assert counts.sum() == pytest.approx(145.850, abs=6e-4)
    assert counts[0] == pytest.approx(32.976, abs=6e-4)


def test_eves_counts(predictors):
    assert predictors["eves"].counts("sm", {}).sum() == pytest.approx(0.0548, abs=5e-5)


def test_cevns_counts_without_smearing(experiment):
    sharp = changed(experiment, ionisation={"resolution": "none"})
    assert naive.counts(sharp, "sm", {}, "cevns").sum() == pytest.approx(126.184, abs=6e-4)


def test_weak_mixing_angle(experiment, predictors):
    seen, sigma_alpha = experiment.observation, experiment.systematics.sigma_alpha
    data, sigma = seen.counts, seen.sigma

    def chi2_of(sin2_theta_w):
        point = {"sin2_theta_w": sin2_theta_w}
        counts = sum(predictors[channel].counts("sm", point) for channel in CHANNELS)
        return naive.chi2_exact(counts, data, sigma, sigma_alpha)

    found = naive.limit(chi2_of, np.linspace(0.1, 0.4, 7), delta=1.0)
    # Best fit of C25: 0.252.
    assert found.best_fit == pytest.approx(0.252, rel=0.01)
    ((low, high),) = found.intervals
    assert [chi2_of(low), chi2_of(high)] == pytest.approx([found.chi2_min + 1.0] * 2, rel=1e-9)
    assert low < found.best_fit < high


# --- accuracy of the counts -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def doubled(experiment):
    finer = {"inner_order": 80, "rule": "gk21", "panel_sigmas": 0.5}
    return {channel: naive.Predictor(experiment, channel, **finer) for channel in CHANNELS}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("sm", {}),
        ("vector", {"mass_mev": 1e-3, "g": 1e-5}),
        ("scalar", {"mass_mev": 1e-2, "g": 1e-5}),
        ("electromagnetic", {"mu_nu": 1e-10, "q_ee": 1e-12, "q_emu": 1e-12j, "r2_ee": 1e-32}),
    ],
)
def test_doubled_orders_change_nothing(predictors, doubled, channel, model, parameters):
    counts = predictors[channel].counts(model, parameters)
    finer = doubled[channel].counts(model, parameters)
    np.testing.assert_allclose(counts, finer, rtol=0, atol=1e-12 * counts.max())


@pytest.mark.parametrize("channel", CHANNELS)
def test_counts_by_nested_quad(experiment, channel):
    # No captures and one isotope, to spare time; neither quadrature is the predictor's.
    sharp = changed(
        experiment, ionisation={"resolution": "none"}, reactor={"captures_per_fission": 0.0}
    )
    predictor = naive.Predictor(sharp, channel, bins=[200.0, 210.0])
    predictor.scatterers = predictor.scatterers[:1]
    scatterer, flux = predictor.scatterers[0], predictor.flux
    dsigma = naive.cross_section("sm", channel, {})

    def over_energy(recoil):
        low = float(naive.minimum_energy(recoil, scatterer.mass_mev))
        return scatterer.electrons(recoil) * naive.integrate_panels(
            lambda energy: float(flux(energy) * dsigma(energy, recoil, scatterer.nucleus)),
            [low, *(e for e in flux.breaks if e > low)],
        )

    low, high = scatterer.recoil_mev(200e-6), scatterer.recoil_mev(210e-6)
    kinks = [naive.maximum_recoil(e, scatterer.mass_mev) for e in flux.breaks]
    breaks = [low, *(t for t in kinks if low < t < high), high]
    integral = sum(quad(over_energy, a, b, epsrel=1e-10)[0] for a, b in pairwise(breaks))
    per_day = 86400.0 * (197.3269804e-13) ** 2
    expected = 119.0 * per_day * scatterer.per_kg * integral
    assert predictor.counts("sm", {}) == pytest.approx([expected], rel=1e-10)


@pytest.mark.parametrize("channel", CHANNELS)
def test_smearing_redistributes_the_sharp_histogram(experiment, channel):
    # Bins of 4 eV are a fifth of the resolution: their midpoints do to a fraction of a per cent.
    fine = np.arange(0.0, 601.0, 4.0)
    low_threshold = with_threshold(experiment, 1.0)
    sharp = naive.Predictor(
        changed(low_threshold, ionisation={"resolution": "none"}), channel, bins=fine
    )
    smeared = naive.Predictor(low_threshold, channel, bins=[160.0, 200.0, 300.0])
    sharp.scatterers, smeared.scatterers = sharp.scatterers[:1], smeared.scatterers[:1]
    true = sharp.counts("sm", {})
    detector, middle = smeared.detectors[0], (fine[:-1] + fine[1:]) / 2
    expected = [
        sum(n * naive.response(detector, t, low, high) for n, t in zip(true, middle, strict=True))
        for low, high in ((160.0, 200.0), (200.0, 300.0))
    ]
    assert smeared.counts("sm", {}) == pytest.approx(expected, rel=5e-3)


# --- flux -----------------------------------------------------------------------------------------


def test_total_flux(experiment, flux):
    assert flux.moment(0, 0.0, 10.0) == pytest.approx(1.5e13, rel=1e-12)
    parts = naive.flux_moment(experiment, 2, 1.0, 2.5) + naive.flux_moment(experiment, 2, 2.5, 9.0)
    assert parts == pytest.approx(naive.flux_moment(experiment, 2, 1.0, 9.0), rel=1e-12)


def test_fission_flux_puts_captures_on_top(experiment):
    flux = naive.Flux(changed(experiment, reactor={"normalisation": "fission-flux"}))
    fissions = flux.normalisation * naive.integrate_panels(flux.fission, flux.breaks)
    assert fissions == pytest.approx(1.5e13, rel=1e-12)
    # 0.6 captures per fission, each followed by two decays.
    captures = flux.moment(0, 0.0, 10.0) - fissions
    assert captures == pytest.approx(1.2 * flux.normalisation, rel=1e-9)


def test_thermal_power(experiment):
    flux = naive.Flux(changed(experiment, reactor={"normalisation": "thermal-power"}))
    fissions_per_s = 3.6e9 / (205.24e6 * 1.602176634e-19)
    assert flux.normalisation == pytest.approx(fissions_per_s / (4 * pi * 2070.0**2), rel=1e-12)


def test_spectrum_of_the_tables(experiment, flux):
    # 235U at a table node and in the middle of two; Huber's polynomial; the linear start.
    table = flux.table
    assert flux.fission(0.5) == pytest.approx(np.dot(table.fractions, table.table_spectrum[:, 7]))
    only = changed(experiment, reactor={"fission_fractions": {"U235": 1.0}})
    uranium = naive.Flux(only)
    assert uranium.fission([1.25, 0.007813 / 2]) == pytest.approx([(2.41 + 1.69) / 2, 0.012])
    exponents = [4.367, -4.577, 2.100, -0.5294, 0.06186, -0.002777]
    logarithm = sum(a * 3.0**i for i, a in enumerate(exponents))
    assert uranium.fission(3.0) == pytest.approx(np.exp(logarithm))
    assert naive.spectrum(experiment, [10.001, -0.001]) == pytest.approx([0.0, 0.0], abs=0)


def test_spectrum_file(tmp_path):
    lines = ["energy_mev,antineutrinos_per_mev_per_fission", "0,0", "1.0,2.0", "3.0,4.0"]
    (tmp_path / "spectrum.csv").write_text("\n".join(lines) + "\n")
    keys = 'spectrum_file = "spectrum.csv"\ncaptures_per_fission = 0.0\nenergy_max_mev = 3.0\n'
    (tmp_path / "mine.toml").write_text('extends = "conus-plus"\n[reactor]\n' + keys)
    experiment = load_experiment(tmp_path / "mine.toml")
    # A triangle of area 1, and an exponential that doubles from 1 to 3 MeV.
    expected = 1.5e13 / (1.0 + 4.0 / np.log(2.0)) * np.array([1.0, 2.0 * np.sqrt(2.0), 0.0])
    assert naive.spectrum(experiment, [0.5, 2.0, 3.1]) == pytest.approx(expected, rel=1e-12)


def test_fermi_function_against_its_definition():
    z, a, kinetic = 94, 239, 0.3
    with mpmath.workdps(30):
        total = kinetic + mpmath.mpf(naive.ELECTRON_MASS)
        momentum = mpmath.sqrt(total**2 - mpmath.mpf(naive.ELECTRON_MASS) ** 2)
        gamma = mpmath.sqrt(1 - (naive.ALPHA * z) ** 2)
        eta = naive.ALPHA * z * total / momentum
        radius = 1.2 * mpmath.cbrt(a) / mpmath.mpf("197.3269804")
        expected = (
            2 * (1 + gamma) * (2 * momentum * radius) ** (2 * gamma - 2) * mpmath.exp(pi * eta)
        ) * (abs(mpmath.gamma(gamma + 1j * eta)) / mpmath.gamma(2 * gamma + 1)) ** 2
    assert naive.fermi_function(z, a, kinetic) == pytest.approx(float(expected), rel=1e-12)
    assert naive.fermi_function(0, a, kinetic) == pytest.approx(1.0, rel=1e-14)


def test_every_beta_branch_is_normalised(flux):
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for z, a, endpoint, _ in flux.branches:
        energy = endpoint * (nodes + 1) / 2
        integral = endpoint / 2 * np.dot(weights, naive.beta_branch(energy, z, a, endpoint))
        assert integral == pytest.approx(1.0, rel=1e-11)
        assert naive.beta_branch([0.0, endpoint, 2.0], z, a, endpoint) == pytest.approx(0, abs=0)
        # The spectrum ends in a step.
        assert naive.beta_branch(endpoint * (1 - 1e-9), z, a, endpoint) > 0.5


# --- target and response --------------------------------------------------------------------------


def test_helm_form_factor():
    assert naive.helm(0.0, 72) == 1.0
    q = np.array([1e-6, 5.0, 20.0, 23.4, 23.5, 60.0, 200.0])
    per_fm = q / 197.3269804
    c = 1.23 * 72 ** (1 / 3) - 0.60
    radius = np.sqrt(c**2 + 7 / 3 * pi**2 * 0.52**2 - 5 * 0.9**2)
    x = per_fm * radius
    expected = 3 * spherical_jn(1, x) / x * np.exp(-((0.9 * per_fm) ** 2) / 2)
    assert naive.helm(q, 72) == pytest.approx(expected, rel=1e-12)


def test_lindhard_and_its_inverse():
    for recoil in (1e-6, 3e-5, 1e-3, 0.1):
        ionisation = naive.lindhard(recoil, 32, 0.162)
        assert 0 < ionisation < recoil
        assert naive.inverse_lindhard(ionisation, 32, 0.162) == pytest.approx(recoil, rel=1e-13)
    # 1 keV in germanium: epsilon = 0.003535, g = 1.3125
    assert naive.lindhard(1e-3, 32, 0.162) == pytest.approx(1.7534e-4, rel=1e-3)


def test_electrons_that_can_be_ionised(experiment):
    element = experiment.target.elements[0]
    shells = element.shell_electrons, element.shell_binding_ev
    # Below M1 (180.1 eV): M2 to M5 and the valence electrons.
    assert naive.z_eff(*shells, 150e-6) == 2 + 4 + 4 + 6 + 4
    assert naive.z_eff(*shells, 12e-3) == 32
    steps, free = (
        naive.counts(changed(experiment, target={"electron_binding": b}), "sm", {}, "eves", edges)
        for b, edges in (("steps", [300, 350]), ("free", [300, 350]))
    )
    assert free == pytest.approx(steps * 32 / 22, rel=1e-9)


@pytest.mark.parametrize("channel", CHANNELS)
def test_target_of_two_elements(experiment, channel):
    sharp = changed(experiment, ionisation={"resolution": "none"})
    half = sharp.target.elements[0].model_copy(update={"atoms_per_formula_unit": 0.5})
    halves = changed(sharp, target={"elements": (half, half)})
    whole, split = (naive.counts(x, "sm", {}, channel, [160, 200]) for x in (sharp, halves))
    assert split == pytest.approx(whole, rel=1e-12)


def test_kinematics():
    energy = np.array([0.1, 2.0, 9.0])
    for mass in (naive.ELECTRON_MASS, GE72.mass_mev):
        recoil = naive.maximum_recoil(energy, mass)
        assert naive.minimum_energy(recoil, mass) == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize("table", [(), ((150.0, 170.0, 200.0), (0.2, 0.9, 1.0))])
def test_response_against_quad(table):
    energies, values = table or ((), ())
    detector = naive.Detector(1.0, 160.0, 20.38, 0.1096 * 2.96, 2.96, energies, values)
    for ionisation in (100.0, 165.0, 230.0):
        sigma = naive.resolution(detector, ionisation)

        def integrand(x, ionisation=ionisation, sigma=sigma):
            density = np.exp(-(((x - ionisation) / sigma) ** 2) / 2) / sigma / np.sqrt(2 * pi)
            return naive.efficiency(detector, x) * density

        expected = quad(integrand, 160, 180, points=[170], epsrel=1e-12)[0]
        got = naive.response(detector, ionisation, 150.0, 180.0)
        assert got == pytest.approx(expected, rel=1e-10)
    assert naive.response(detector, 200.0, 100.0, 160.0) == 0.0
    assert naive.response(detector, 2.95, 150.0, 180.0) == 0.0


def test_only_detectors_above_threshold_contribute(predictors, experiment):
    rates = predictors["cevns"].rates("sm", {})
    thresholds = [d.threshold_ev for d in experiment.detectors]
    assert [(r > 0).sum() for r in rates] == [19 - (t - 160) // 10 for t in thresholds]
    counts = predictors["cevns"].counts("sm", {})
    assert counts == pytest.approx(119.0 * rates.max(axis=0), rel=1e-12)


def test_rates_scaled_to_a_published_total():
    experiment = load_experiment("conus-plus-a25")
    raw = changed(experiment, observation={"sm_expectation": None})
    scaled, unscaled = (
        [naive.counts(x, "sm", {}, channel)[0] for channel in CHANNELS] for x in (experiment, raw)
    )
    assert scaled[0] == pytest.approx(356.0, rel=1e-12)
    assert scaled[1] / scaled[0] == pytest.approx(unscaled[1] / unscaled[0], rel=1e-12)


# --- cross sections -------------------------------------------------------------------------------


def test_total_cross_sections():
    # Coherent: G_F^2 Q^2 E^2/pi while the form factor is one.
    charge = 32 * (0.5 - 2 * 0.23857) - 20
    coherent = naive.cross_section("sm", "cevns", {})
    stop = naive.maximum_recoil(1.0, GE72.mass_mev)
    total = quad(lambda t: coherent(1.0, t, GE72), 0, stop)[0]
    assert total == pytest.approx((naive.FERMI_CONSTANT * charge) ** 2 / pi, rel=1e-3)
    # On electrons at high energy: G_F^2 m_e E/(2 pi) [(g_V-g_A)^2 + (g_V+g_A)^2/3], g_A = 1/2.
    elastic = naive.cross_section("sm", "eves", {})
    stop = naive.maximum_recoil(1e4, naive.ELECTRON_MASS)
    total = quad(lambda t: elastic(1e4, t, GE72), 0, stop)[0]
    bracket = (2 * 0.23857) ** 2 + (1 + 2 * 0.23857) ** 2 / 3
    expected = naive.FERMI_CONSTANT**2 * naive.ELECTRON_MASS * 1e4 / (2 * pi) * bracket
    assert total == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("model", sorted(naive.CROSS_SECTIONS))
def test_without_new_couplings_every_model_is_the_standard_one(model, channel):
    assert_same(channel, (model, {"sin2_theta_w": 0.25}), ("sm", {"sin2_theta_w": 0.25}))


@pytest.mark.parametrize("channel", CHANNELS)
def test_charge_radius_shifts_the_weak_mixing_angle(channel):
    # Q_ee = sqrt(2) pi alpha/G_F <r^2>/3 acts as 2 delta(sin^2 theta_W) on nuclei and electrons.
    radius = 3e-32
    shift = np.sqrt(2) * pi * naive.ALPHA / naive.FERMI_CONSTANT / 3
    shift *= radius / (197.3269804e-13) ** 2
    angle = {"sin2_theta_w": 0.23857 + shift / 2}
    assert_same(channel, ("charge-radius", {"r2_ee": radius}), ("sm", angle))


def test_heavy_vector_is_a_nonstandard_interaction():
    g, mass, charges = 300.0, 1e8, (-0.7, 1.0, 0.4, -0.3)
    contact = g**2 * charges[0] / (np.sqrt(2) * naive.FERMI_CONSTANT * mass**2)
    epsilons = {"eps_u_ee": contact * charges[2], "eps_d_ee": contact * charges[3]}
    vector = {"g": g, "mass_mev": mass, "charges": charges}
    assert_same("cevns", ("vector", vector), ("nsi", epsilons))


def test_b_minus_l_enlarges_the_weak_charge():
    point = {"g": 1e-5, "mass_mev": 1.0}
    named, numbers = point | {"charges": "b-l"}, point | {"charges": (-1.0, -1.0, 1 / 3, 1 / 3)}
    assert_same("cevns", ("vector", named), ("vector", numbers))
    larger = naive.cross_section("vector", "cevns", point)(ENERGY, RECOIL, GE72)
    assert np.all(larger > naive.cross_section("sm", "cevns", {})(ENERGY, RECOIL, GE72))


def test_massless_vector_is_a_millicharge():
    # Q_ee = -sqrt(2) pi alpha/G_F 2q/q^2 on protons, against g^2 Q_nu Q_p/(sqrt(2) G_F q^2) with
    # Q_p = 1: g^2 Q_nu = 4 pi alpha q. The electron's charge is -1.
    q = 3e-13
    vector = {"g": np.sqrt(4 * pi * naive.ALPHA * q), "charges": (1.0, -1.0, 2 / 3, -1 / 3)}
    assert_same("cevns", ("vector", vector), ("millicharge", {"q_ee": q}))
    assert_same("eves", ("vector", vector), ("millicharge", {"q_ee": q}))


@pytest.mark.parametrize("channel", CHANNELS)
def test_transition_elements(channel):
    phase = np.exp(0.7j)
    real = {"q_emu": 1e-12, "r2_emu": 2e-32 * phase}
    turned = {"q_etau": 1e-12 * phase.conjugate(), "r2_etau": 2e-32}
    assert_same(channel, ("electromagnetic", real), ("electromagnetic", turned))
    flipped = {"q_emu": -1e-12, "r2_emu": -2e-32 * phase}
    assert_same(channel, ("electromagnetic", real), ("electromagnetic", flipped))


def test_scalar_charge():
    # One proton and one neutron, from the values below C25 eq. (15).
    deuteron = naive.Nucleus(1, 2, 1875.6)
    proton = 938.272 * (0.026 / 2.16 + 0.038 / 4.70)
    neutron = 939.565 * (0.018 / 2.16 + 0.056 / 4.70)
    assert naive.scalar_charge(deuteron) == pytest.approx(proton + neutron, rel=1e-6)


def test_misspelt_parameter():
    with pytest.raises(ValueError, match="mass"):
        naive.cross_section("vector", "cevns", {"mass": 1.0})


# --- statistics -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 1e3, 1e8, 1e12])
def test_chi2_forms_agree(experiment, size):
    data, sigma = experiment.observation.counts, experiment.observation.sigma
    counts = size * np.linspace(30.0, 1.0, 19) ** 1.3
    a, b, c = np.sum([counts**2 / sigma**2, counts * data / sigma**2, data**2 / sigma**2], axis=1)
    s = 0.2**-2
    closed = (a * c - b**2 + s * (a - 2 * b + c)) / (a + s)
    exact = naive.chi2_exact(counts, data, sigma, 0.2)
    assert closed == pytest.approx(exact, rel=1e-12)
    assert naive.chi2(counts, data, sigma, 0.2) == pytest.approx(exact, rel=1e-9)


def test_chi2_is_the_minimum_over_alpha(experiment):
    data, sigma = experiment.observation.counts, experiment.observation.sigma
    counts = np.linspace(30.0, 1.0, 19)
    alphas = np.linspace(-1.0, 1.0, 4001)[:, None]
    scan = (((1 + alphas) * counts - data) ** 2 / sigma**2).sum(axis=1) + (alphas[:, 0] / 0.2) ** 2
    assert naive.chi2(counts, data, sigma, 0.2) == pytest.approx(scan.min(), rel=1e-6)


def test_limit_returns_every_piece():
    found = naive.limit(lambda x: 3.0 + (x**2 - 4) ** 2, np.linspace(-5, 5, 101), 1.0)
    assert found.chi2_min == pytest.approx(3.0, abs=1e-12)
    low, high = np.sqrt(3), np.sqrt(5)
    assert found.intervals == [pytest.approx((-high, -low)), pytest.approx((low, high))]


def test_limit_sees_a_piece_narrower_than_the_grid():
    found = naive.limit(lambda x: ((x - 0.51) / 1e-3) ** 2, np.linspace(0, 1, 6), 2.706)
    half = 1e-3 * np.sqrt(2.706)
    assert found.intervals == [pytest.approx((0.51 - half, 0.51 + half), rel=1e-6)]


def test_limit_at_the_end_of_the_grid():
    found = naive.limit(lambda x: x, np.linspace(0, 10, 11), 2.5)
    assert found.best_fit == pytest.approx(0.0, abs=1e-6)
    assert found.intervals == [pytest.approx((0.0, 2.5), abs=1e-6)]
