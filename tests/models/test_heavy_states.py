"""The dipole portal: its cross section, its limits, and counts against the slow twin."""

import naive
import numpy as np
import pytest
from scipy.integrate import quad_vec

from fastscan.counts import build_signal
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
