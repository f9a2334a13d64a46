"""Counts by flavour of the incoming neutrinos, against double integrals and symmetries."""

import re
from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment, solar_part
from fastscan.likelihoods import likelihood
from fastscan.models import MODELS, Recoils, get_model
from fastscan.models.elements import ELEMENTS, LEPTONS, families, row
from fastscan.models.vector import NAMED_CHARGES, Charges, induced_charge
from fastscan.tensors import CHANNELS, build_response

FLAVOURS = ("nu_e", "nubar_e", "nu_mu", "nubar_mu", "nu_tau", "nubar_tau")
SIN2 = 0.23857
G_F, M_E, ALPHA = 1.1663787e-11, 0.51099895069, 7.2973525643e-3
CM2 = (197.3269804e-13) ** 2
AVOGADRO, U_MEV = 6.02214076e23, 931.49410372
LINE = """
[[sources]]
kind = "line"
flavour = "FLAVOUR"
energies_mev = [ENERGY]
flux_per_cm2_s = 1e12
"""
TOML = """
unusual = ["observation.file.high_ev"]
SOURCES
[target]
electron_binding = "free"
elements = [{ symbol = "Xe", atomic_number = 54, isotopes = "isotopes.csv" }]
quenching = { k = 0.11 }
[ionisation]
resolution = "none"
minimum_ev = 1.0
[[detectors]]
name = "A"
mass_kg = 1.0
live_time_d = 1.0
threshold_ev = 1.0
[observation]
file = "counts.csv"
normalisation = "total"
[systematics]
sigma_alpha = 0.1
"""
ATOMS_PER_KG = 1000 / 131.904 * AVOGADRO


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """An experiment of one kilogram of one xenon isotope, free electrons, one bin from 1 eV on."""
    folder = tmp_path_factory.mktemp("xenon")
    (folder / "isotopes.csv").write_text("mass_number,abundance,atomic_mass_u\n132,1,131.904\n")
    (folder / "counts.csv").write_text("low_ev,high_ev,excess,sigma\n1,3e7,1,1\n")

    def load(sources, live=True):
        path = folder / "xenon.toml"
        text = TOML if live else TOML.replace("live_time_d = 1.0\n", "")
        path.write_text(text.replace("SOURCES", sources))
        return load_experiment(path)

    return load


def line(flavour, energy=0.8):
    return LINE.replace("FLAVOUR", flavour).replace("ENERGY", str(energy))


def sun(*parts):
    return f'[[sources]]\nkind = "solar"\nparts = {list(parts)}\n'.replace("'", '"')


def signal_counts(experiment, response, model, channel, flavours=None, **parameters):
    values = {p.name: p.standard for p in model.parameters} | {"sin2_theta_w": SIN2} | parameters
    signal = build_signal(
        model, experiment, response, channels=(channel,), flavours=flavours, fixed=values
    )
    return float(signal.counts({}).sum())


def electron_section(flavour, energy, recoil, vector=0.0, axial=0.0):
    """2 G_F**2 m_e / pi [g_L**2 + g_R**2 (1 - T/E)**2 - g_L g_R m_e T/E**2], L <-> R for bars."""
    charged = flavour.endswith("_e")
    left = (0.5 if charged else -0.5) + SIN2 + (vector + axial) / 2
    right = SIN2 + (vector - axial) / 2
    if flavour.startswith("nubar"):
        left, right = right, left
    shape = left**2 + right**2 * (1 - recoil / energy) ** 2
    shape -= left * right * M_E * recoil / energy**2
    return 2 * G_F**2 * M_E / pi * shape


def electrons_per_day(flavour, energy, flux):
    """Recoils above 1 eV in the experiment of these tests."""
    end = 2 * energy**2 / (M_E + 2 * energy)
    section = quad(lambda t: electron_section(flavour, energy, t), 1e-6, end)[0]
    return section * CM2 * flux * 54 * ATOMS_PER_KG * 86400


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_electrons_of_each_flavour(load, flavour):
    experiment = load(line(flavour))
    found = signal_counts(experiment, build_response(experiment), get_model("sm"), "eves")
    assert found == pytest.approx(electrons_per_day(flavour, 0.8, 1e12), rel=1e-7)


@pytest.mark.parametrize(("part", "rate"), [("pp", 135.5), ("be7", 49.5), ("pep", 2.85)])
def test_solar_rates_without_a_threshold(load, part, rate):
    # Per day and 3.307e31 electrons, those of 100 t of Borexino's scintillator.
    experiment = load(sun(part))
    found = signal_counts(experiment, build_response(experiment), get_model("sm"), "eves")
    assert found / (54 * ATOMS_PER_KG) * 3.307e31 == pytest.approx(rate, rel=2e-3)


def test_beryllium_by_flavour(load):
    experiment = load(sun("be7"))
    response, model = build_response(experiment), get_model("sm")
    parts = {f: signal_counts(experiment, response, model, "eves", (f,)) for f in response.flavours}
    assert list(parts) == ["nu_e", "nu_mu", "nu_tau"]
    assert sum(parts.values()) == pytest.approx(
        signal_counts(experiment, response, model, "eves"), rel=1e-12
    )
    flux = solar_part("be7").flux_per_cm2_s
    pure = sum(
        share * electrons_per_day("nu_mu", energy, flux)
        for energy, share in ((0.8613, 0.897), (0.3843, 0.103))
    )
    assert 0.44 * pure < parts["nu_mu"] + parts["nu_tau"] < 0.48 * pure


def test_boron_on_xenon_with_a_coupling_of_electron_neutrinos(load):
    # As if all neutrinos were nu_e it would be 0.243.
    experiment = load(sun("b8"))
    response, model = build_response(experiment), get_model("nsi")
    standard = signal_counts(experiment, response, model, "cevns")
    changed = signal_counts(experiment, response, model, "cevns", eps_u_ee=0.1)
    assert changed / standard == pytest.approx(0.746, abs=2e-3)
    every = dict.fromkeys(("eps_u_ee", "eps_u_mumu", "eps_u_tautau"), 0.1)
    together = signal_counts(experiment, response, model, "cevns", **every)
    alone = {"eps_u_ee": 0.1}
    electrons = [
        signal_counts(experiment, response, model, "cevns", ("nu_e",), **p) for p in (alone, {})
    ]
    assert together / standard == pytest.approx(electrons[0] / electrons[1], rel=1e-9)


def test_stopped_pions_by_flavour(load):
    """Spectra times G_F**2 M / pi (1 - M T/2E**2) F**2, as double integrals without a threshold."""
    text = 'kind = "pion-decay"\nprotons_on_target = 3.198e23\nneutrinos_per_proton = 0.0848\n'
    experiment = load("[[sources]]\n" + text + "distance_m = 19.3\n", live=False)
    response, model = build_response(experiment), get_model("sm")
    found = {
        f: signal_counts(experiment, response, model, "cevns", (f,)) for f in response.flavours
    }
    mass, muon, prompt = 131.904 * U_MEV - 54 * M_E, 105.6583755, 29.79

    def section(energy):
        end, low = 2 * energy**2 / (mass + 2 * energy), lowest

        def at(recoil):
            q = np.sqrt(2 * mass * recoil) / 197.3269804
            radius = np.sqrt(
                (1.23 * 132 ** (1 / 3) - 0.6) ** 2 + 7 / 3 * (pi * 0.52) ** 2 - 5 * 0.9**2
            )
            x = q * radius
            helm = 3 * (np.sin(x) - x * np.cos(x)) / x**3 * np.exp(-((q * 0.9) ** 2) / 2)
            return helm**2 * (1 - mass * recoil / (2 * energy**2))

        return quad(at, low, end, limit=200)[0] if end > low else 0.0

    lowest = float(response.channels["cevns"].recoil_energy_mev.min()) * 0.9
    spectra = {
        "nubar_mu": lambda e: 64 * e**2 / muon**3 * (3 / 4 - e / muon),
        "nu_e": lambda e: 192 * e**2 / muon**3 * (1 / 2 - e / muon),
    }
    expected = {
        flavour: quad(lambda e, s=shape: s(e) * section(e), 1.0, muon / 2, epsrel=1e-7)[0]
        for flavour, shape in spectra.items()
    }
    line = (139.57039**2 - muon**2) / (2 * 139.57039)
    assert line == pytest.approx(prompt, abs=5e-3)
    expected["nu_mu"] = section(line)
    for flavour in ("nubar_mu", "nu_e"):
        ratio = found[flavour] / found["nu_mu"]
        assert ratio == pytest.approx(expected[flavour] / expected["nu_mu"], rel=1e-4)


# --- heavy states and oscillations ----------------------------------------------------------------

PIONS = """
[[sources]]
kind = "pion-decay"
protons_on_target = 3.198e23
neutrinos_per_proton = 0.0848
distance_m = 19.3
"""


@pytest.mark.parametrize(("sources", "live"), [(PIONS, False), (sun("be7", "pep", "n13"), True)])
def test_a_massless_heavy_neutrino_is_a_moment_of_all_flavours(load, sources, live):
    experiment = load(sources, live)
    response = build_response(experiment)
    portal, moment = get_model("dipole-portal"), get_model("magnetic-moment", universal=True)
    for channel in CHANNELS:
        found = signal_counts(experiment, response, portal, channel, mass_n_mev=0.0, d=1e-9)
        expected = signal_counts(experiment, response, moment, channel, mu_nu=1e-9)
        assert found == pytest.approx(expected, rel=1e-6)


def test_a_line_below_the_mass_of_a_heavy_neutrino_makes_none(load):
    experiment = load(line("nu_mu", 0.8))
    response, model = build_response(experiment), get_model("dipole-portal", flavour="mu")
    light, heavy = (
        signal_counts(experiment, response, model, "eves", mass_n_mev=m, d=1e-9) for m in (0.1, 2.0)
    )
    standard = signal_counts(experiment, response, get_model("sm"), "eves")
    assert light > standard
    assert heavy == pytest.approx(standard, rel=1e-12)
    other = get_model("dipole-portal", flavour="tau")
    assert signal_counts(
        experiment, response, other, "eves", mass_n_mev=0.1, d=1e-9
    ) == pytest.approx(standard, rel=1e-12)


def test_oscillations_of_a_line(load):
    text = LINE.replace("FLAVOUR", "nu_e").replace("ENERGY", "0.8")
    experiment = load(text + "distance_m = 2.0\n")
    response, model = build_response(experiment), get_model("sterile")
    standard = signal_counts(experiment, response, get_model("sm"), "eves")
    for splitting in (0.1, 1.0, 37.0):
        found = signal_counts(
            experiment, response, model, "eves", dm2_ev2=splitting, sin2_2theta=0.3
        )
        lost = 0.3 * np.sin(1.267 * splitting * 2.0 / 0.8) ** 2
        assert found == pytest.approx(standard * (1 - lost), rel=1e-9)


def test_muon_neutrinos_do_not_oscillate_into_sterile_ones(load):
    experiment = load(PIONS, live=False)
    response, model = build_response(experiment), get_model("sterile")
    point = {"dm2_ev2": 1e3, "sin2_2theta": 1.0}
    for flavour, share in (("nu_e", 0.5), ("nu_mu", 1.0), ("nubar_mu", 1.0)):
        found = signal_counts(experiment, response, model, "cevns", (flavour,), **point)
        standard = signal_counts(experiment, response, get_model("sm"), "cevns", (flavour,))
        assert found / standard == pytest.approx(share, abs=0.01 if share < 1 else 1e-9)


# --- symmetries -----------------------------------------------------------------------------------


def nodes(channel, flavour):
    """A few recoils of a nucleus with spin, or of electrons."""
    protons, neutrons, mass = (32.0, 41.0, 67923.0) if channel == "cevns" else (0.0, 0.0, M_E)
    recoil = np.array([1e-4, 5e-4, 2e-3])
    values = (recoil, mass, protons, neutrons, 0.9)
    arrays = (np.broadcast_to(value, 3).astype(float) for value in values)
    return Recoils(channel, *arrays, flavour, load_experiment("conus-plus").target)


def exchanged(monomial):
    """Names of a monomial with mu and tau exchanged."""

    def swap(name):
        if name.startswith("mu_nu"):
            return {"mu_nu_mu": "mu_nu_tau", "mu_nu_tau": "mu_nu_mu"}.get(name, name)
        stem, _, element = name.rpartition("_")
        if element not in ELEMENTS:
            return name
        other = element.replace("mu", "X").replace("tau", "mu").replace("X", "tau")
        return f"{stem}_{other if other in ELEMENTS else 'mutau'}"

    return tuple(sorted((swap(name), power) for name, power in monomial))


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", MODELS)
def test_the_row_of_tau_is_that_of_mu_with_names_exchanged(name, channel):
    model = get_model(name)
    for kind in ("nu", "nubar"):
        muon, tau = (model.cross_section(nodes(channel, f"{kind}_{f}")) for f in ("mu", "tau"))
        swapped = {exchanged(monomial): value for monomial, value in muon.terms.items()}
        assert swapped.keys() == tau.terms.keys()
        for monomial, value in tau.terms.items():
            np.testing.assert_allclose(swapped[monomial], value, rtol=1e-14)


@pytest.mark.parametrize("name", MODELS)
def test_nuclei_do_not_tell_neutrinos_from_antineutrinos(name):
    for lepton in LEPTONS:
        one, other = (
            get_model(name).cross_section(nodes("cevns", f"{kind}_{lepton}")).terms
            for kind in ("nu", "nubar")
        )
        assert one.keys() == other.keys()
        for monomial, value in one.items():
            np.testing.assert_array_equal(value, other[monomial])


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_parameters_that_a_flavour_does_not_feel_are_in_no_term(flavour):
    for name in MODELS:
        model = get_model(name)
        felt = {p.name for p in model.parameters if p.felt_by([flavour])}
        unfelt = {p.name for p in model.parameters} - felt
        for channel in CHANNELS:
            terms = model.cross_section(nodes(channel, flavour)).terms
            assert not unfelt & {name for monomial in terms for name, _ in monomial}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_equal_couplings_of_quarks_and_charge_radius_are_one_shift(flavour):
    # 2 eps_u + eps_d on protons alone, eps_u = -2 eps_d, is what a charge radius does.
    diagonal, _ = row(flavour.partition("_")[2])
    radius, down = 1e-32, 0.02
    shift = sqrt(2) * pi * ALPHA / G_F * radius / CM2 / 3

    def value(model, point):
        total = np.zeros((3, 3))
        for monomial, coefficient in (
            get_model(model).cross_section(nodes("cevns", flavour)).terms.items()
        ):
            factor = np.prod([point.get(name, 0.0) ** power for name, power in monomial])
            total = total + factor * coefficient
        return total

    angle = {"sin2_theta_w": SIN2}
    charge = value("charge-radius", angle | {f"r2_{diagonal}": radius})
    # Z (2 eps_u + eps_d) = -Z shift, N (eps_u + 2 eps_d) = 0.
    up, down = -2 * shift / 3, shift / 3
    quarks = value("nsi", angle | {f"eps_u_{diagonal}": up, f"eps_d_{diagonal}": down})
    np.testing.assert_allclose(quarks, charge, rtol=1e-9)


def test_rows_and_families_of_elements():
    assert row("e") == ("ee", ("emu", "etau"))
    assert row("tau") == ("tautau", ("etau", "mutau"))
    assert {element: families(element) for element in ("mumu", "mutau")} == {
        "mumu": ("mu",),
        "mutau": ("mu", "tau"),
    }


# --- charges of the vector ------------------------------------------------------------------------


def test_charges_lepton_by_lepton():
    assert [NAMED_CHARGES["l_e-l_mu"].of(lepton) for lepton in LEPTONS] == [1, -1, 0]
    assert [NAMED_CHARGES["b-3l_mu"].of(lepton) for lepton in LEPTONS] == [0, -3, 0]
    assert [NAMED_CHARGES["b-l"].of(lepton) for lepton in LEPTONS] == [-1, -1, -1]
    six = Charges.parse("1,2,3,4,1/3,-1/3")
    assert [six.of(lepton) for lepton in LEPTONS] == [1, 2, 3]
    assert (six.electron, six.up, six.down) == (4, 1 / 3, -1 / 3)


@pytest.mark.parametrize(("charges", "at_zero"), [("l_e-l_mu", 8.256e-3), ("l_mu-l_tau", 4.371e-3)])
def test_charge_that_loops_induce(charges, at_zero):
    masses = {"l_e-l_mu": (M_E, 105.6583755), "l_mu-l_tau": (105.6583755, 1776.86)}[charges]
    momenta = np.array([0.0, 1e-3, 3.0, 2e3, 1e5])
    found = induced_charge(NAMED_CHARGES[charges], momenta)

    def loop(q2):
        def integrand(x):
            y = x * (1 - x)
            return y * np.log((masses[1] ** 2 + y * q2) / (masses[0] ** 2 + y * q2))

        return 2 * ALPHA / pi * quad(integrand, 0, 1, epsabs=0, epsrel=1e-12)[0]

    np.testing.assert_allclose(found, [loop(q2) for q2 in momenta], rtol=1e-9)
    assert found[0] == pytest.approx(at_zero, rel=1e-3)


def test_the_loop_interferes_destructively_for_the_first_flavour(load):
    experiment = load(sun("b8"))
    response, model = build_response(experiment), get_model("vector", charges="l_e-l_mu+loop")
    point = {"mass_mev": 10.0, "g": 1e-4}
    for flavour, sign in (("nu_e", -1), ("nu_mu", 1), ("nu_tau", 0)):
        new, standard = (
            signal_counts(experiment, response, m, "cevns", (flavour,), **p)
            for m, p in ((model, point), (get_model("sm"), {}))
        )
        assert np.sign(new - standard) == sign or new == pytest.approx(standard, rel=1e-12)


@pytest.mark.parametrize("charges", ["b-l", "1,1,0,0"])
def test_a_loop_that_is_not_finite_is_refused(charges):
    with pytest.raises(InputError, match="no finite loop"):
        get_model("vector", charges=f"{charges}+loop")


# --- what an experiment can not see ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "poi", "families"),
    [
        ("nsi", "eps_u_mumu", "nu_mu"),
        ("millicharge", "q_mutau", "nu_mu and nu_tau"),
        ("magnetic-moment", "mu_nu_mu", "nu_mu"),
    ],
)
def test_what_reactors_do_not_see_is_said_to_be_unconstrained(make, model, poi, families):
    reactor = make(model)
    message = re.escape(f"{poi} is not constrained: {families} would feel it")
    with pytest.raises(InputError, match=message):
        reactor.limit(poi)
    with pytest.raises(InputError, match=message):
        reactor.predict(**{poi: 1e-12})
    with pytest.raises(InputError, match=message):
        reactor.form((poi,))
    assert poi not in reactor.predict().parameters


def test_a_moment_of_all_flavours(load):
    experiment = load(sun("pp"))
    response, moment = build_response(experiment), {"mu_nu": 1e-11}
    model, universal = get_model("magnetic-moment"), get_model("magnetic-moment", universal=True)
    standard = signal_counts(experiment, response, model, "eves")
    one, every = (
        signal_counts(experiment, response, m, "eves", **moment) - standard
        for m in (model, universal)
    )
    three = dict.fromkeys(("mu_nu", "mu_nu_mu", "mu_nu_tau"), 1e-11)
    same = signal_counts(experiment, response, model, "eves", **three) - standard
    assert same == pytest.approx(every, rel=1e-9)
    # The square of the ratio of limits: 1 / P_ee.
    assert sqrt(every / one) == pytest.approx(1.36, abs=0.01)


def test_prediction_by_flavour(load):
    parts = likelihood("sm", load(sun("b8"))).predict().by_flavour
    assert list(parts) == ["nu_e", "nu_mu", "nu_tau"]
    total = likelihood("sm", load(sun("b8"))).predict().total
    np.testing.assert_allclose(sum(parts.values()), total, rtol=1e-12)


def test_a_reactor_has_one_flavour(make):
    prediction = make("sm").predict()
    assert list(prediction.by_flavour) == ["nubar_e"]
    np.testing.assert_array_equal(prediction.by_flavour["nubar_e"], prediction.total)


def test_an_experiment_of_another_flavour_profiles_its_own_row(load):
    found = likelihood("millicharge", load(line("nu_mu"))).limit("q_mumu")
    assert set(found.profiled) == {"q_emu", "q_mutau"}
    assert "q_ee" not in found.parameters
