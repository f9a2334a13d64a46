"""Counts of every model in every experiment against the slow twin, at random points."""

import zlib

import naive
import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.models.elements import ELEMENTS
from fastscan.tensors import CHANNELS, build_response

EXPERIMENTS = ("conus-plus", "conus-plus-c25", "conus-plus-a25", "silicon")
# Of the largest bin; the tensors promise as much to their quadrature.
TOLERANCE = 1e-9
POINTS = 2
# Whether electrons are free is nothing to nuclei.
PAIRS = [
    *((experiment, channel) for experiment in EXPERIMENTS for channel in CHANNELS),
    ("free electrons", "eves"),
]

MODELS = {
    "sm": ("sm", {}, {}),
    "scalar": ("scalar", {}, {}),
    "scalar of other quarks": (
        "scalar",
        {"up_mass_mev": 2.0, "down_mass_mev": 5.0},
        {"m_u_mev": 2.0, "m_d_mev": 5.0},
    ),
    **{
        f"vector {text}": ("vector", {"charges": text}, {"charges": charges})
        for text, charges in {
            "b-l": (-1.0, -1.0, 1 / 3, 1 / 3),
            "l_e-l_mu": (1.0, 1.0, 0.0, 0.0),
            "universal": (1.0, 1.0, 1.0, 1.0),
            "-0.7,1.5,2/3,-1/3": (-0.7, 1.5, 2 / 3, -1 / 3),
        }.items()
    },
}


QUADRATIC = {"quadratic_term": True}, {"with_t_over_4e2": True}
MODELS |= {
    **{name: (name, {}, {}) for name in ("magnetic-moment", "millicharge", "charge-radius")},
    "magnetic-moment with T/4E^2": ("magnetic-moment", *QUADRATIC),
    "electromagnetic": ("electromagnetic", {}, {}),
    "nsi": ("nsi", {}, {}),
}
# Largest values drawn of couplings that may have either sign, and how many decades below.
SIGNED = {"q_": (1e-9, 6), "r2_": (1e-29, 6), "eps_u": (10.0, 4), "eps_d": (10.0, 4)}


def random_points(*seed, points=POINTS):
    """Masses from 1 eV to 1 TeV, couplings from 1e-10 to 1, any weak mixing angle."""
    rng = np.random.default_rng(zlib.crc32("/".join(seed).encode()))

    def signed(largest, decades):
        return float(largest * 10 ** -rng.uniform(0, decades) * rng.choice([-1, 1]))

    return [
        {
            "mass_mev": float(10 ** rng.uniform(-6, 6)),
            "g": float(10 ** rng.uniform(-10, 0)),
            "sin2_theta_w": float(rng.uniform(0, 1)),
            "mu_nu": float(10 ** rng.uniform(-13, -7)),
            **{
                f"{kind}{joint}{flavour}": signed(*SIGNED[kind])
                for kind, joint in (("q_", ""), ("r2_", ""), ("eps_u", "_"), ("eps_d", "_"))
                for flavour in ELEMENTS
            },
            # The twin leaves couplings to electrons out, and what electron neutrinos do not feel.
            **{f"eps_e{hand}_{f}": 0.0 for hand in "lr" for f in ("ee", "emu", "etau")},
            **{f"eps_e{hand}_{f}": 1.0 for hand in "lr" for f in ("mumu", "mutau", "tautau")},
            "mu_nu_mu": 1e-8,
            "mu_nu_tau": 1e-8,
        }
        for _ in range(points)
    ]


def assert_counts(twins, experiments, responses, experiment, channel, model, options, point):
    """The engine and the twin agree; ``options`` are the engine's and the twin's."""
    made = get_model(model, **options[0])
    point = {p.name: point[p.name] for p in made.parameters}
    arguments = (made, experiments[experiment], responses[experiment])
    got = build_signal(*arguments, channels=(channel,)).counts(point)
    known = naive.PARAMETERS[model] | {"sin2_theta_w"}
    shared = {name: value for name, value in point.items() if name in known}
    expected = twins.counts(experiment, channel, model, shared | options[1])
    assert expected.max() > 0.0
    np.testing.assert_allclose(
        got, expected, rtol=0, atol=TOLERANCE * expected.max(), err_msg=str(point)
    )


# Variants of a model differ in numbers that no experiment has a say in.
VARIANTS = [name for name in MODELS if " " in name and name != "vector b-l"]


@pytest.mark.parametrize(
    ("experiment", "channel", "label"),
    [
        (experiment, channel, label)
        for experiment, channel in PAIRS
        for label in MODELS
        if experiment == "conus-plus" or label not in VARIANTS
    ],
)
def test_random_points(twins, experiments, responses, experiment, channel, label):
    model, *options = MODELS[label]
    for point in random_points(experiment, channel, label):
        assert_counts(twins, experiments, responses, experiment, channel, model, options, point)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("phase", [0.7, np.pi / 2, np.pi])
def test_phases_of_transition_elements(twins, experiments, responses, channel, phase):
    model = get_model("electromagnetic", phase_emu=phase, phase_etau=-0.4)
    point = {name: 0.0 for name in (p.name for p in model.parameters)}
    point |= {"q_emu": 1e-12, "r2_emu": 2e-31, "q_etau": 3e-12, "r2_etau": -1e-31}
    arguments = (model, experiments["conus-plus"], responses["conus-plus"])
    got = build_signal(*arguments, channels=(channel,)).counts(point | {"sin2_theta_w": 0.23857})
    turned = {
        "q_emu": 1e-12,
        "r2_emu": 2e-31 * np.exp(1j * phase),
        "q_etau": 3e-12,
        "r2_etau": -1e-31 * np.exp(-0.4j),
    }
    expected = twins.counts("conus-plus", channel, "electromagnetic", turned)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * expected.max())


@pytest.mark.parametrize("flavours", [("ee",), ("emu",), ("ee", "emu", "etau")])
def test_couplings_to_electrons(twins, experiments, responses, monkeypatch, flavours):
    rng = np.random.default_rng(len(flavours))
    model = get_model("nsi")
    point = {p.name: p.default for p in model.parameters}
    point |= {f"eps_e{hand}_{f}": float(rng.uniform(-1, 1)) for hand in "lr" for f in flavours}

    def cross_section(_):
        def dsigma(energy, recoil, _nucleus):
            mass, total = naive.ELECTRON_MASS, 0.0
            for flavour in ("ee", "emu", "etau"):
                # 2 g_L = g_V + g_A and 2 g_R = g_V - g_A, of which only electron flavour has any.
                left = 0.5 + 0.23857 if flavour == "ee" else 0.0
                right = 0.23857 if flavour == "ee" else 0.0
                left += point[f"eps_el_{flavour}"]
                right += point[f"eps_er_{flavour}"]
                total = total + right**2 + left**2 * (1 - recoil / energy) ** 2
                total = total - left * right * mass * recoil / energy**2
            return naive.FERMI_CONSTANT**2 * mass / (2 * np.pi) * 4 * total

        return dsigma

    monkeypatch.setitem(naive.CROSS_SECTIONS["nsi"], "eves", cross_section)
    expected = twins.counts("conus-plus", "eves", "nsi", {})
    arguments = (model, experiments["conus-plus"], responses["conus-plus"])
    got = build_signal(*arguments, channels=("eves",)).counts(point)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * expected.max())


EDGES = [
    {"mass_mev": 0.0, "g": 1e-10},
    {"mass_mev": 0.0, "g": 1.0},
    {"mass_mev": 1e-6, "g": 1e-5},
    {"mass_mev": 1e6, "g": 1.0},
    {"mass_mev": 1.0, "g": 0.0},
    {"mass_mev": 1.0, "g": 1e-5, "sin2_theta_w": 0.0},
    {"mass_mev": 1.0, "g": 1e-5, "sin2_theta_w": 1.0},
]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("model", ["vector", "scalar"])
@pytest.mark.parametrize("point", EDGES, ids=str)
def test_corners(twins, experiments, responses, channel, model, point):
    point = {"sin2_theta_w": 0.23857} | point
    options = ({}, {})
    assert_counts(twins, experiments, responses, "conus-plus", channel, model, options, point)


@pytest.mark.parametrize("channel", CHANNELS)
def test_where_the_exchange_cancels_the_weak_charge(twins, experiments, responses, channel):
    # Q + g^2 Q_nu Q_N/(sqrt2 G_F M^2) = 0 of 72Ge: little is left in any bin of the heavy mediator.
    charge = 20.0 - 32 * (0.5 - 2 * 0.23857)
    mass = 1e4
    g = mass * np.sqrt(charge * np.sqrt(2) * 1.1663788e-11 / 72)
    point = {"mass_mev": mass, "g": g, "sin2_theta_w": 0.23857}
    options = ({"charges": "1,-1,1/3,1/3"}, {"charges": (1.0, -1.0, 1 / 3, 1 / 3)})
    assert_counts(twins, experiments, responses, "conus-plus", channel, "vector", options, point)
    left = twins.counts("conus-plus", "cevns", "vector", point | options[1])
    assert left.max() < 0.01 * twins.counts("conus-plus", "cevns", "sm", {}).max()


# --- anchors: conus-plus at the Standard Model ----------------------------------------------------


@pytest.fixture
def sm_counts(experiments, responses):
    arguments = (get_model("sm"), experiments["conus-plus"], responses["conus-plus"])
    default = {"sin2_theta_w": 0.23857}
    return {c: build_signal(*arguments, channels=(c,)).counts(default) for c in CHANNELS}


def test_anchor_of_cevns(sm_counts):
    assert sm_counts["cevns"].sum() == pytest.approx(145.850, abs=6e-4)


def test_anchor_of_the_first_bin(sm_counts):
    assert sm_counts["cevns"][0] == pytest.approx(32.976, abs=6e-4)


def test_anchor_of_eves(sm_counts):
    assert sm_counts["eves"].sum() == pytest.approx(0.0548, abs=5e-5)


def test_anchor_without_smearing(experiments):
    conus = load_experiment("conus-plus")
    ionisation = conus.ionisation.model_copy(update={"resolution": "none"})
    sharp = conus.model_copy(update={"ionisation": ionisation})
    rates = build_signal(get_model("sm"), sharp, build_response(sharp), channels=("cevns",))
    assert rates.counts({"sin2_theta_w": 0.23857}).sum() == pytest.approx(126.184, abs=6e-4)


def test_counts_fall_with_energy(sm_counts):
    # Above 180 eV all detectors see every bin.
    for channel in CHANNELS:
        assert sm_counts[channel].shape == (19,)
    assert np.all(np.diff(sm_counts["cevns"][2:]) < 0.0)


# --- rates scaled to a published total ------------------------------------------------------------


def test_expectation_is_met_by_cevns_at_the_default(experiments, responses):
    arguments = (get_model("sm"), experiments["conus-plus-a25"], responses["conus-plus-a25"])
    counts = build_signal(*arguments, channels=("cevns",)).counts({"sin2_theta_w": 0.23857})
    assert counts == pytest.approx([356.0], rel=1e-12)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("model", ["sm", "vector", "scalar"])
def test_expectation_scales_every_model_and_channel_alike(experiments, responses, channel, model):
    scaled = experiments["conus-plus-a25"]
    observation = scaled.observation.model_copy(update={"sm_expectation": None})
    plain = scaled.model_copy(update={"observation": observation})
    point = {"mass_mev": 1.0, "g": 1e-5, "sin2_theta_w": 0.3}
    made = get_model(model)
    point = {p.name: point[p.name] for p in made.parameters}
    response = responses["conus-plus-a25"]
    with_scale, without = (
        build_signal(made, e, response, channels=(channel,)).counts(point) for e in (scaled, plain)
    )
    standard = build_signal(get_model("sm"), plain, response, channels=("cevns",))
    factor = 356.0 / standard.counts({"sin2_theta_w": 0.23857}).sum()
    np.testing.assert_allclose(with_scale, factor * without, rtol=1e-13)
