"""Sources of an experiment: forms that are read, and mistakes that are one line each."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.tensors import store_path

HEAD = """\
[target]
electron_binding = "free"
elements = [{ symbol = "Si", atomic_number = 14, isotopes = "isotopes.csv" }]
quenching = { k = 0.146 }

[ionisation]
resolution = "none"
minimum_ev = 3.7

[observation]
file = "counts.csv"
normalisation = "total"

[systematics]
sigma_alpha = 0.1

[[detectors]]
name = "A"
mass_kg = 0.1
threshold_ev = 50.0
"""
LIVE = "live_time_d = 200.0\n"
PIONS = """
[[sources]]
kind = "pion-decay"
protons_on_target = 3e23
neutrinos_per_proton = 0.08
distance_m = 20.0
"""
SUN = '\n[[sources]]\nkind = "solar"\n'
LINE = '\n[[sources]]\nkind = "line"\nflavour = "nu_e"\n'
TABLE = '\n[[sources]]\nkind = "table"\nflavour = "nu_mu"\nfile = "table.csv"\n'
CORE = """
[[sources]]
kind = "reactor"
normalisation = "total-flux"
flux_per_cm2_s = 1e13
fission_fractions = { U235 = 1.0 }
"""
PROBABILITIES = "energy_mev,nu_e,nu_mu,nu_tau\n"


@pytest.fixture
def load(folder):
    """Load an experiment with some sources; other files are written beside it."""

    def load(sources, live=True, **files):
        for name, content in files.items():
            (folder / f"{name}.csv").write_text(content)
        path = folder / "own.toml"
        path.write_text(HEAD + (LIVE if live else "") + sources)
        return load_experiment(path)

    return load


@pytest.mark.parametrize(
    ("sources", "live", "quantity", "flavours"),
    [
        (PIONS, False, "fluence", ["nu_mu", "nubar_mu", "nu_e"]),
        (SUN, True, "flux", ["nu_e", "nu_mu", "nu_tau"]),
        (LINE + "energies_mev = [0.8]\nflux_per_cm2_s = 1e13\n", True, "flux", ["nu_e"]),
        (LINE + "energies_mev = [0.8]\nfluence_per_cm2 = 1e15\n", False, "fluence", ["nu_e"]),
        (TABLE + 'unit = "cm-2 MeV-1"\n', False, "fluence", ["nu_mu"]),
        (TABLE + "flux_per_cm2_s = 1e12\n", True, "flux", ["nu_mu"]),
        (CORE + CORE, True, "flux", ["nubar_e"]),
        (CORE + SUN, True, "flux", ["nubar_e", "nu_e", "nu_mu", "nu_tau"]),
    ],
)
def test_flavours_and_exposures(load, sources, live, quantity, flavours):
    experiment = load(sources, live, table="energy_mev,per_mev\n0,0\n1,3e11\n4,0\n")
    assert [component.flavour for component in experiment.components] == flavours
    assert experiment.quantity == quantity
    assert experiment.exposures == (20.0 if live else 0.1)


def test_a_reactor_alone_is_the_same_in_either_form(load, folder):
    listed = load(CORE)
    short = load(CORE.replace("[[sources]]", "[reactor]").replace('kind = "reactor"\n', ""))
    assert listed.tensor_inputs() == short.tensor_inputs()
    assert store_path(listed, folder) == store_path(short, folder)


def test_cores_are_one_component_with_the_keys_of_each(load):
    two = load(CORE + CORE)
    (component,) = two.components
    assert component.sources == (0, 1)
    np.testing.assert_array_equal(two.energy_bin_edges_mev, component.energy_bin_edges_mev)
    assert two.number("sources.1.flux.flux_per_cm2_s") == 1e13
    moved = two.with_changes({"sources.1.flux.flux_per_cm2_s": 2e13})
    assert [source.flux_per_cm2_s for source in moved.sources] == [1e13, 2e13]


def test_own_sources_replace_the_reactor_of_a_base(folder):
    path = folder / "own.toml"
    path.write_text('extends = "conus-plus"\n' + SUN + 'parts = ["b8"]\n')
    experiment = load_experiment(path)
    assert experiment.reactor is None
    assert [source.kind for source in experiment.every_source] == ["solar"]


def test_standard_fluxes_their_scale_and_own_ones(load):
    text = SUN + 'parts = ["b8", "pp"]\nflux_per_cm2_s = { b8 = 5.25e6 }\nflux_scale = { pp = 0.9 }'
    (sun,) = load(text).sources
    assert sun.flux_of("b8") == 5.25e6
    assert sun.flux_of("pp") == pytest.approx(0.9 * 5.98e10)


BAD = {
    "none": ("", True, ["missing key 'reactor'", "[[sources]]"]),
    "no kind": (SUN.replace("kind", "parts"), True, ["missing key 'kind'", "solar"]),
    "unknown kind": (SUN.replace("solar", "sun"), True, ["unknown kind of source 'sun'"]),
    "no list": (SUN.replace("[[sources]]", "[sources]"), True, ["should be a list of tables"]),
    "unknown key": (PIONS + "power = 1.0\n", False, ["unknown key 'power'", "sources[0]"]),
    "no live time": (SUN, False, ["missing key 'live_time_d'", "a flux needs it"]),
    "useless live time": (PIONS, True, ["live_time_d = 200 changes no count", "fluences"]),
    "mixed": (SUN + PIONS, True, ["some sources give a flux, others a fluence"]),
    "both forms": (
        CORE + CORE.replace("[[sources]]", "[reactor]").replace('kind = "reactor"\n', ""),
        True,
        ["[reactor] and [[sources]] are both given"],
    ),
    "fractions of the second core": (
        CORE + CORE.replace("1.0", "0.9"),
        True,
        ["add up to 0.9", "sources[1]"],
    ),
    "flux twice": (
        CORE + "flux = { flux_per_cm2_s = 1e13 }\n",
        True,
        ["flux_per_cm2_s is given twice", "[sources.0]"],
    ),
    "unknown flavour": (
        LINE.replace("nu_e", "nu_s") + "energies_mev = [0.8]\nflux_per_cm2_s = 1e13\n",
        True,
        ["'nu_s' should be 'nu_e'", "sources[0].flavour"],
    ),
    "no flux": (LINE + "energies_mev = [0.8]\n", True, ["no flux is given"]),
    "two fluxes": (
        LINE + "energies_mev = [0.8]\nflux_per_cm2_s = 1e13\nfluence_per_cm2 = 1e13\n",
        True,
        ["flux_per_cm2_s and fluence_per_cm2 are both given"],
    ),
    "line in keV": (
        LINE + "energies_mev = [811.0]\nflux_per_cm2_s = 1e13\n",
        True,
        ["energies_mev = 811 is unusual", "811 keV would be 0.811 MeV"],
    ),
    "shares missing": (
        LINE + "energies_mev = [0.75, 0.43]\nflux_per_cm2_s = 1e13\n",
        True,
        ["0 shares for 2 energies_mev"],
    ),
    "shares of too little": (
        LINE + "energies_mev = [0.75, 0.43]\nshares = [0.8, 0.1]\nflux_per_cm2_s = 1e13\n",
        True,
        ["shares add up to 0.9"],
    ),
    "open below": (TABLE + "flux_per_cm2_s = 1e12\n", True, ["begins at 1 MeV", "below = 'none'"]),
    "unknown part": (SUN + 'parts = ["b9"]\n', True, ["'b9' should be 'pp'"]),
    "part twice": (SUN + 'parts = ["b8", "b8"]\n', True, ["names 'b8' twice"]),
    "scale of no part": (
        SUN + 'parts = ["b8"]\nflux_scale = { pp = 1.1 }\n',
        True,
        ["flux_scale of 'pp', which is none of the parts"],
    ),
    "probability above one": (
        SUN + 'parts = ["b8"]\nprobabilities = "above.csv"\n',
        True,
        ["probability nu_e is not between 0 and 1", "above.csv, line 3"],
    ),
    "probabilities do not add up": (
        SUN + 'parts = ["b8"]\nprobabilities = "lost.csv"\n',
        True,
        ["nu_e, nu_mu, nu_tau do not add up to 1"],
    ),
    "probabilities end early": (
        SUN + 'parts = ["b8"]\nprobabilities = "short.csv"\n',
        True,
        ["cover 0 to 9 MeV"],
    ),
    "oscillation beside probabilities": (
        SUN + 'parts = ["b8"]\nprobabilities = "good.csv"\noscillation = { theta12_deg = 30.0 }\n',
        True,
        ["sources.0.oscillation", "changes no count", "sources.0.probabilities"],
    ),
}
FILES = {
    "table": "energy_mev,per_mev\n1,3\n4,0\n",
    "above": PROBABILITIES + "0,0.5,0.3,0.2\n20,1.1,-0.1,0\n",
    "lost": PROBABILITIES + "0,0.5,0.3,0.2\n20,0.5,0.3,0.1\n",
    "short": PROBABILITIES + "0,0.5,0.3,0.2\n9,0.5,0.3,0.2\n",
    "good": PROBABILITIES + "0,0.5,0.3,0.2\n20,0.5,0.3,0.2\n",
}


@pytest.mark.parametrize("mistake", BAD)
def test_mistakes_are_one_line(load, mistake):
    sources, live, fragments = BAD[mistake]
    with pytest.raises(InputError) as caught:
        load(sources, live, **FILES)
    message = str(caught.value)
    assert "\n" not in message
    assert not [fragment for fragment in fragments if fragment not in message], message


def test_fluences_have_no_counts_per_live_time(load, folder):
    head = (folder / "own.toml",)
    text = HEAD.replace('"total"', '"per-kg"\nreference_live_time_d = 100.0')
    head[0].write_text(text + PIONS)
    with pytest.raises(InputError, match="per-kg' is per live time"):
        load_experiment(head[0])


def test_a_spectrum_of_several_flavours_is_not_reweighted_by_energy(load):
    with pytest.raises(InputError, match="are for one flavour"):
        _ = load(SUN).energy_bin_edges_mev
