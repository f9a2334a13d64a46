"""The dipole portal: its cross section, its limits, and counts against the slow twin."""

import naive
import numpy as np
import pytest
from scipy.integrate import quad_vec

import fastscan
from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.models import get_model
from fastscan.tensors import CHANNELS

# Of the largest bin; asked for is 1e-6.
TOLERANCE = 1e-8


def dipole(energy, recoil, target, mass):
    """dσ/dT for unit charge and one Bohr magneton, in MeV⁻³, above the least energy."""
    return (
        np.pi
        * naive.ALPHA**2
        / naive.ELECTRON_MASS**2
        * (
            1 / recoil
            - 1 / energy
            + mass**2 * (recoil - 2 * energy - target) / (4 * energy**2 * recoil * target)
            + mass**4 * (recoil - target) / (8 * energy**2 * recoil**2 * target**2)
        )
    )


def least_energy(recoil, target, mass):
    """From s: E (T + √(T² + 2MT)) … the energy whose largest or least recoil is T."""
    root = np.sqrt(recoil**2 + 2 * target * recoil)
    return (recoil + root) / 2 * (1 + mass**2 / (2 * target * recoil))


def end_recoils(energy, target, mass):
    """Least and largest recoil of an energy, from the two-body kinematics in the centre of mass."""
    s = target**2 + 2 * target * energy
    if energy <= mass + mass**2 / (2 * target):
        return None
    root_s = np.sqrt(s)
    before = (s - target**2) / (2 * root_s)
    after = np.sqrt((s - (mass + target) ** 2) * (s - (mass - target) ** 2)) / (2 * root_s)
    # The target's energy afterwards, boosted to where it was at rest.
    e_before, e_after = np.hypot(before, target), np.hypot(after, target)
    gamma, speed = e_before / target, before / e_before
    return tuple(gamma * (e_after - sign * speed * after) - target for sign in (1, -1))


class Twin(naive.Predictor):
    """Counts of the dipole alone, with recoils broken where the flux has its kinks."""

    def dipole_counts(self, mass):
        total = np.zeros((len(self.detectors), len(self.edges_ev) - 1))
        for index, scatterer in enumerate(self.scatterers):
            target = scatterer.mass_mev
            window = [
                scatterer.recoil_mev(e / naive.MEV_IN_EV)
                for e in naive.ionisation_breaks(
                    self.detectors, self.edges_ev, scatterer.kinks_ev, self.panel_sigmas
                )
            ]
            ends = end_recoils(self.flux.breaks[-1], target, mass)
            if ends is None or not window:
                continue
            low, high = max(window[0], ends[0]), min(window[-1], ends[1])
            if low >= high:
                continue
            kinks = [end_recoils(e, target, mass) for e in self.flux.breaks[1:]]
            points = [*window, *(t for pair in kinks if pair for t in pair)]

            def integrand(recoil, index=index, scatterer=scatterer):
                accepted = self._at(index, recoil)[2]
                energy, flux = self._above(least_energy(recoil, scatterer.mass_mev, mass))
                charge = 1.0
                if self.channel == "cevns":
                    nucleus = scatterer.nucleus
                    charge = nucleus.z**2 * naive.form_factor_squared(recoil, nucleus)
                sigma = dipole(energy, recoil, scatterer.mass_mev, mass)
                return accepted * charge * np.dot(flux, sigma)

            integral, _ = quad_vec(
                integrand,
                low,
                high,
                points=[t for t in points if low < t < high],
                quadrature="gk15",
                norm="max",
                epsabs=1e-250,
                epsrel=1e-9,
            )
            total += scatterer.per_kg * integral
        self.total = total * naive.MEV_MINUS_2_IN_CM2 * naive.SECONDS_PER_DAY
        return self.counts("dipole", {})

    def rates(self, model, parameters):
        return self.total if model == "dipole" else super().rates(model, parameters)


@pytest.fixture(scope="module")
def dipole_twins(experiments):
    made = {}

    def twin(experiment, channel):
        if (experiment, channel) not in made:
            made[experiment, channel] = Twin(experiments[experiment], channel)
        return made[experiment, channel]

    return twin


def dipole_signal(experiments, responses, experiment, channel, **options):
    model = get_model("dipole-portal")
    arguments = (model, experiments[experiment], responses[experiment])
    return build_signal(*arguments, channels=(channel,), **options)


def counts_of_dipole(signal, masses):
    """Counts for d = 1 without those of the Standard Model, shape (masses, bins)."""
    d = signal.exponents[:, signal.couplings.index("d")]
    (monomial,) = np.flatnonzero(d)
    return signal.coefficients({"mass_n_mev": np.asarray(masses)})[:, monomial]


# Six decades, up to the end of the flux at 10 MeV; what nothing reaches is asked below.
MASSES = {"cevns": [1e-5, 1.1, 9.3], "eves": [1e-5, 0.03, 0.3]}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("experiment", ["conus-plus", "conus-plus-a25", "silicon"])
def test_counts_against_the_twin(dipole_twins, experiments, responses, experiment, channel):
    twin = dipole_twins(experiment, channel)
    signal = dipole_signal(experiments, responses, experiment, channel)
    masses = MASSES[channel]
    for mass, got in zip(masses, counts_of_dipole(signal, masses), strict=True):
        expected = twin.dipole_counts(mass)
        assert expected.max() > 0.0
        np.testing.assert_allclose(
            got, expected, rtol=0, atol=TOLERANCE * expected.max(), err_msg=str(mass)
        )


def test_counts_near_the_end_of_the_flux(experiments, responses):
    # The last of the counts goes away smoothly, and beyond nothing is left.
    signal = dipole_signal(experiments, responses, "conus-plus", "cevns")
    ends = [10.0 * (1.0 - share) for share in (1e-2, 3e-3, 2e-3, 1e-3, 9e-4)]
    totals = counts_of_dipole(signal, ends).sum(axis=1)
    assert np.all(np.diff(totals) < 0.0)
    assert np.all(totals > 0.0)
    beyond = counts_of_dipole(signal, [10.0, 11.0, 1e3, 1e6, np.inf])
    np.testing.assert_array_equal(beyond, 0.0)


@pytest.mark.parametrize("channel", CHANNELS)
def test_without_a_mass_it_is_a_magnetic_moment(make, channel):
    # That of C25, without the T/4E² of A25.
    found = make("dipole-portal", channels=channel).predict(mass_n_mev=0.0, d=1e-8).total
    expected = make("magnetic-moment", channels=channel).predict(mu_nu=1e-8).total
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * expected.max())


def test_without_a_dipole_it_is_the_standard_model(make):
    found = make("dipole-portal").predict(mass_n_mev=0.7, d=0.0).total
    np.testing.assert_array_equal(found, make("sm").predict().total)


def test_rows_are_bit_identical_in_any_company(experiments, responses):
    signal = dipole_signal(experiments, responses, "silicon", "cevns")
    masses = np.geomspace(1e-3, 20.0, 40)
    together = signal.coefficients({"mass_n_mev": masses})
    for part in (slice(0, 1), slice(7, 10), slice(3, 40, 11)):
        alone = signal.coefficients({"mass_n_mev": masses[part]})
        np.testing.assert_array_equal(together[part], alone)


def test_counts_are_linear_in_the_flux(experiments, responses, rng):
    weights = rng.uniform(0.0, 2.0, 40)
    first = np.arange(40) % 3 == 0
    each = [
        dipole_signal(experiments, responses, "conus-plus", "cevns", flux_weights=w)
        for w in (weights, np.where(first, weights, 0.0), np.where(first, 0.0, weights))
    ]
    whole, one, other = (counts_of_dipole(signal, [1.3, 6.2]) for signal in each)
    np.testing.assert_allclose(one + other, whole, rtol=1e-10)
    ones = dipole_signal(experiments, responses, "conus-plus", "cevns", flux_weights=np.ones(40))
    plain = dipole_signal(experiments, responses, "conus-plus", "cevns")
    np.testing.assert_allclose(
        counts_of_dipole(ones, [1.3]), counts_of_dipole(plain, [1.3]), rtol=1e-11
    )


def test_other_flavours_do_not_come_from_a_reactor(make):
    with pytest.raises(InputError, match="d is not constrained: nu_mu would feel it"):
        make("dipole-portal", flavour="mu").limit("d", {"mass_n_mev": 1.0})
    with pytest.raises(InputError, match="unknown flavour 'nu_e'"):
        get_model("dipole-portal", flavour="nu_e")


def test_no_limit_beyond_the_end_of_the_flux(make):
    likelihood = make("dipole-portal")
    assert not likelihood.limit("d", {"mass_n_mev": 9.5}).degenerate
    beyond = likelihood.limit("d", {"mass_n_mev": 10.5})
    assert beyond.degenerate
    standard = fastscan.Chi2Function(make("sm"), ["sin2_theta_w"])([0.23857])
    assert beyond.chi2_min == pytest.approx(float(standard), rel=1e-13)


def test_limits_on_the_mass_run_to_where_nothing_is_seen(make):
    ((low, high),) = make("dipole-portal").limit("mass_n_mev", {"d": 1e-8}).intervals
    assert 5.0 < low < 10.0
    assert high > 1e5


# --- the cross section from traces ----------------------------------------------------------------

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])


def dirac_matrices():
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    zero, one = np.zeros((2, 2)), np.eye(2)
    return np.array(
        [np.block([[one, zero], [zero, -one]])] + [np.block([[zero, s], [-s, zero]]) for s in pauli]
    )


def dipole_from_traces(energy, recoil, target, mass):
    """|M|² / (32 π M E²) for L = (μ/2) N̄ σ_ab ν F^ab on a point charge of spin ½, spins summed.

    M = μ e/q² [N̄ σ^{ab} q_b P_L ν] [p̄' γ_a p], averaged over the target's spin alone: neutrinos
    have one helicity. μ = d μ_B, μ_B = e/2m_e, e² = 4πα.
    """
    gamma = dirac_matrices()
    lower = np.einsum("ab,bij->aij", METRIC, gamma)
    sigma = 0.5j * (
        np.einsum("aij,bjk->abik", gamma, gamma) - np.einsum("bij,ajk->abik", gamma, gamma)
    )
    gamma_5 = 1j * gamma[0] @ gamma[1] @ gamma[2] @ gamma[3]
    left = 0.5 * (np.eye(4) - gamma_5)

    def slashed(p):
        return np.einsum("a,aij->ij", p, lower)

    # Momenta in the laboratory, the neutrino along z.
    k = np.array([energy, 0.0, 0.0, energy])
    p = np.array([target, 0.0, 0.0, 0.0])
    momentum = np.sqrt(recoil**2 + 2.0 * target * recoil)
    out = energy - recoil
    along = (energy**2 + momentum**2 - (out**2 - mass**2)) / (2.0 * energy)
    across = np.sqrt(momentum**2 - along**2)
    p_out = np.array([target + recoil, across, 0.0, along])
    k_out = k + p - p_out
    q = k - k_out
    vertex = np.einsum("abij,bc,c->aij", sigma, METRIC, q) @ left
    # The conjugate of a vertex G is gamma_0 G^dagger gamma_0.
    barred = np.einsum("ij,akj,kl->ail", gamma[0], vertex.conj(), gamma[0])
    leptons = np.einsum(
        "ij,ajk,kl,bli->ab", slashed(k_out) + mass * np.eye(4), vertex, slashed(k), barred
    )
    ones = target * np.eye(4)
    hadrons = np.einsum("ij,ajk,kl,bli->ab", slashed(p_out) + ones, lower, slashed(p) + ones, lower)
    q_squared = -2.0 * target * recoil
    charge = 4.0 * np.pi * naive.ALPHA
    moment_squared = charge / (4.0 * naive.ELECTRON_MASS**2)
    squared = moment_squared * charge / q_squared**2 * np.einsum("ab,ab->", leptons, hadrons)
    assert abs(squared.imag) < 1e-9 * abs(squared.real)
    return float(0.5 * squared.real / (32.0 * np.pi * target * energy**2))


@pytest.mark.parametrize("target", [naive.ELECTRON_MASS, 938.0, 67e3])
@pytest.mark.parametrize("mass", [0.0, 0.2, 1.5, 4.0])
def test_the_cross_section_is_that_of_the_traces(target, mass):
    energy = 1.7 * (mass + mass**2 / (2.0 * target)) + 2.0
    low, high = end_recoils(energy, target, mass)
    for recoil in low + (high - low) * np.array([0.1, 0.5, 0.9]):
        expected = dipole_from_traces(energy, recoil, target, mass)
        assert dipole(energy, recoil, target, mass) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("mass", [1e-3, 0.3, 2.0])
@pytest.mark.parametrize("target", [naive.ELECTRON_MASS, 10.0])
def test_the_least_energy_is_that_of_the_kinematics(mass, target):
    for energy in (1.01, 1.5, 4.0):
        energy = energy * (mass + mass**2 / (2.0 * target))
        for recoil in end_recoils(energy, target, mass):
            assert least_energy(recoil, target, mass) == pytest.approx(energy, rel=1e-6)
