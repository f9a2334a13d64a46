"""The flux and its moments against adaptive quadrature, for every spectrum and normalisation."""

from math import pi

import naive
import numpy as np
import pytest

from fastscan.inputs import load_experiment
from fastscan.inputs.reactor import SpectrumScale
from fastscan.tensors.emission import flux_parts
from fastscan.tensors.flux import BetaBranch, Flux

LOWEST_MEV = 1e-3
REACTORS = {
    "total-flux": {},
    "fission-flux": {"normalisation": "fission-flux"},
    "thermal-power": {"normalisation": "thermal-power"},
    "vogel-engel": {"high_energy_spectrum": "vogel-engel"},
    "extrapolated": {"low_energy_spectrum": "extrapolated"},
    "no captures": {"captures_per_fission": 0.0},
    "one isotope": {"fission_fractions": {"U235": 1.0}},
    "lower maximum": {"energy_max_mev": 7.3},
    "maximum below the join": {"energy_max_mev": 1.1},
    "narrow bins": {"energy_bin_width_mev": 0.1},
    "one bin": {"energy_bin_width_mev": 20.0},
}


def reactor(**changes):
    return load_experiment("conus-plus").reactor.model_copy(update=changes)


class Experiment:
    """As much of an experiment as the twin's flux reads."""

    def __init__(self, reactor):
        self.reactor = reactor


@pytest.fixture(scope="module", params=REACTORS)
def pair(request):
    """The engine's flux and its twin."""
    changed = reactor(**REACTORS[request.param])
    return Flux(changed, LOWEST_MEV), naive.Flux(Experiment(changed))


@pytest.fixture(scope="module")
def flux():
    return Flux(reactor(), LOWEST_MEV)


def test_spectrum(pair, rng):
    engine, twin = pair
    energy = rng.uniform(0.0, engine.energy_max_mev, 300)
    np.testing.assert_allclose(engine(energy), twin(energy), rtol=1e-11)


def test_moments_above_random_thresholds(pair, rng):
    engine, twin = pair
    end = engine.energy_max_mev
    thresholds = np.exp(rng.uniform(np.log(LOWEST_MEV), np.log(end), 3))
    got = engine.moments(thresholds).sum(axis=1)
    expected = [[twin.moment(n, low, end) for low in thresholds] for n in (0, 1, 2)]
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_moments_of_the_bin_that_a_threshold_cuts(pair, rng):
    engine, twin = pair
    edges = engine.bin_edges_mev
    b = int(rng.integers(edges.size - 1))
    threshold = 0.3 * edges[b] + 0.7 * edges[b + 1]
    got = engine.moments(np.array([threshold]))[:, b, 0]
    expected = [twin.moment(n, threshold, edges[b + 1]) for n in (0, 1, 2)]
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_total_flux(pair):
    engine, twin = pair
    expected = naive.integrate_panels(lambda e: float(twin(e)), twin.breaks)
    assert engine.bin_flux.sum() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    "name", [name for name in REACTORS if name not in ("fission-flux", "thermal-power")]
)
def test_total_flux_is_the_given_one(name):
    assert Flux(reactor(**REACTORS[name]), LOWEST_MEV).bin_flux.sum() == pytest.approx(
        1.5e13, rel=1e-12
    )


def test_fission_flux_has_the_captures_on_top():
    fission = {"normalisation": "fission-flux"}
    without = Flux(reactor(**fission, captures_per_fission=0.0), LOWEST_MEV).bin_flux.sum()
    with_captures = Flux(reactor(**fission), LOWEST_MEV).bin_flux.sum()
    assert without == pytest.approx(1.5e13, rel=1e-12)
    assert with_captures > 1.1 * without


def test_thermal_power_counts_fissions():
    # Each of 0.6 captures gives two antineutrinos: what they add to the flux counts the fissions.
    power = {"normalisation": "thermal-power"}
    captures = (
        Flux(reactor(**power), LOWEST_MEV).bin_flux.sum()
        - Flux(reactor(**power, captures_per_fission=0.0), LOWEST_MEV).bin_flux.sum()
    )
    fissions_per_s = 3.6e9 / (205.24e6 * 1.602176634e-19)
    assert captures == pytest.approx(1.2 * fissions_per_s / (4 * pi * 2070.0**2), rel=1e-9)


def test_spectrum_file(folder, edit):
    keys = 'low_energy_spectrum = "vogel-engel"\nspectrum_file = "spectrum.csv"'
    path = edit("si.toml", "[reactor]", f"[reactor]\n{keys}")
    read = load_experiment(path).reactor
    engine, twin = Flux(read, LOWEST_MEV), naive.Flux(Experiment(read))
    energy = np.array([0.02, 0.5, 1.0, 1.7, 4.0, 7.9, 8.1, 9.5])
    np.testing.assert_allclose(engine(energy), twin(energy), rtol=1e-11)
    got = engine.moments(energy).sum(axis=1)
    expected = [[twin.moment(n, low, 10.0) for low in energy] for n in (0, 1, 2)]
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_spectrum_file_that_ends_in_a_step(folder, edit):
    edit("spectrum.csv", "8,0", "3.3,1.5")
    path = edit(
        "si.toml",
        "[reactor]",
        '[reactor]\nspectrum_file = "spectrum.csv"\ncaptures_per_fission = 0\n'
        'low_energy_spectrum = "none"\nenergy_max_mev = 3.3',
    )
    edit("si.toml", "fission_fractions", "# fission_fractions")
    engine = Flux(load_experiment(path).reactor, LOWEST_MEV)
    per_fission = engine(np.array([2.0]))[0] / 1.5
    # From 2 MeV on a constant 1.5 up to 3.3 MeV, where it stops; below 1 MeV nothing.
    assert not engine(np.array([0.5, 0.99])).any()
    got = engine.moments(np.array([2.0, 3.29, 3.31])).sum(axis=1)[0]
    np.testing.assert_allclose(got / per_fission, [1.95, 0.015, 0.0], rtol=1e-12)


def test_nothing_above_the_maximum(flux):
    assert not flux.moments(np.array([10.0, 10.1, 50.0])).any()


def test_bins_below_a_threshold_are_empty(flux):
    moments = flux.moments(np.array([3.1]))[:, :, 0]
    above = flux.bin_edges_mev[1:] > 3.1
    assert not moments[:, ~above].any()
    assert np.all(moments[:, above] > 0.0)


def test_whole_bins_do_not_depend_on_the_threshold(flux):
    low, high = flux.moments(np.array([1e-3, 2.9])).transpose(2, 0, 1)
    above = flux.bin_edges_mev[:-1] >= 3.0
    np.testing.assert_array_equal(low[:, above], high[:, above])
    np.testing.assert_array_equal(low[0, above], flux.bin_flux[above])


def test_moments_fall_with_the_threshold(flux):
    moments = flux.moments(np.geomspace(LOWEST_MEV, 9.99, 500)).sum(axis=1)
    assert np.all(np.diff(moments, axis=1) < 0.0)


@pytest.mark.parametrize("edge", [0.25, 2.0, 1.256, 5.75])
def test_moments_are_continuous_at_edges(flux, edge):
    # Bin edges, the join and near an end point: a threshold there belongs to one panel only.
    moments = flux.moments(edge * np.array([1 - 1e-13, 1.0, 1 + 1e-13])).sum(axis=1)
    np.testing.assert_allclose(moments[:, [0, 2]], moments[:, [1, 1]], rtol=1e-11)


def test_every_shape_of_thresholds(flux):
    assert flux.moments(np.empty(0)).shape == (3, 40, 0)
    assert flux(np.ones((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(("z", "a", "endpoint"), [(93, 239, 1.26), (94, 239, 0.71), (1, 3, 0.0186)])
def test_beta_branch(z, a, endpoint):
    energy = endpoint * np.array([0.01, 0.4, 0.8, 0.99, 1.01])
    expected = naive.beta_branch(energy, z, a, endpoint)
    np.testing.assert_allclose(BetaBranch(z, endpoint)(energy), expected, rtol=1e-9)


@pytest.mark.parametrize("normalisation", ["total-flux", "fission-flux", "thermal-power"])
def test_scaled_isotopes_add_to_a_flux_that_is_already_normalised(normalisation):
    energy = np.linspace(0.1, 9.0, 40)
    plain = reactor(normalisation=normalisation)
    moved = plain.model_copy(update={"spectrum_scale": SpectrumScale(U235=1.02, Pu239=0.9)})
    fractions = plain.fission_fractions
    change = 0.02 * fractions["U235"] * _alone("U235")(energy)
    change -= 0.1 * fractions["Pu239"] * _alone("Pu239")(energy)
    # Fissions per second of this normalisation, in those of the thermal power.
    fissions = Flux(plain, LOWEST_MEV)(2.5) / Flux(reactor(**THERMAL), LOWEST_MEV)(2.5)
    np.testing.assert_allclose(
        Flux(moved, LOWEST_MEV)(energy) - Flux(plain, LOWEST_MEV)(energy),
        fissions * change,
        rtol=1e-9,
    )


THERMAL = {"normalisation": "thermal-power"}


def _alone(isotope):
    only = {"fission_fractions": {isotope: 1.0}, "captures_per_fission": 0.0}
    return Flux(reactor(**THERMAL, **only), LOWEST_MEV)


# --- tables of users ------------------------------------------------------------------------------


def tabulated(folder, rows, keys=""):
    """A reactor with a table as its spectrum, no captures and the flux of its power."""
    lines = [f"{energy!r},{value!r}" for energy, value in rows]
    header = "energy_mev,antineutrinos_per_mev_per_fission"
    (folder / "table.csv").write_text("\n".join([header, *lines]))
    (folder / "mine.toml").write_text(
        'extends = "conus-plus"\n[reactor]\nnormalisation = "thermal-power"\n'
        f'spectrum_file = "table.csv"\ncaptures_per_fission = 0.0\n{keys}'
    )
    return load_experiment(folder / "mine.toml").reactor


def uranium(energy):
    """Exponential polynomial of 235U."""
    coefficients = [4.367, -4.577, 2.100, -0.5294, 0.06186, -0.002777]
    return np.exp(np.polynomial.polynomial.polyval(energy, coefficients))


@pytest.mark.parametrize(("step", "error"), [(0.25, 1e-4), (0.5, 1e-3)])
def test_a_table_gives_back_what_it_was_made_from(tmp_path, step, error):
    nodes = np.arange(2.0, 8.0 + step / 2, step).tolist()
    reactor_of_table = tabulated(
        tmp_path, zip(nodes, uranium(np.array(nodes)).tolist(), strict=True), "energy_max_mev = 8.0"
    )
    engine = Flux(reactor_of_table, LOWEST_MEV)
    energy = np.linspace(2.0, 8.0, 1000)
    per_fission = Flux(reactor(**THERMAL, captures_per_fission=0.0), LOWEST_MEV)(1.0)
    scale = engine(np.array([2.0]))[0] / uranium(2.0)
    np.testing.assert_allclose(engine(energy) / scale, uranium(energy), rtol=error)
    # Below stands the table of Vogel and Engel, as without a file.
    assert engine(1.0) == pytest.approx(per_fission, rel=1e-12)


JAGGED = {
    "jagged": [(0.0, 0.0), (0.5, 3.0), (0.7, 1.0), (1.9, 2.5), (2.0, 0.1), (3.0, 0.09), (8.0, 0.0)],
    "gap": [(0.0, 1.0), (1.0, 2.0), (2.0, 0.0), (4.0, 0.0), (5.0, 1.0), (6.0, 0.5), (10.0, 0.2)],
    "smooth": [(0.2 * i, float(np.exp(1 - 0.3 * i + 0.004 * i**2))) for i in range(51)],
}


@pytest.mark.parametrize("rows", JAGGED.values(), ids=JAGGED)
def test_moments_of_tables_against_twin(tmp_path, rows, rng):
    read = tabulated(tmp_path, rows)
    engine, twin = Flux(read, LOWEST_MEV), naive.Flux(Experiment(read))
    energy = rng.uniform(0.0, 10.0, 200)
    np.testing.assert_allclose(engine(energy), twin(energy), rtol=1e-11)
    thresholds = np.array([1.23])
    got = engine.moments(thresholds).sum(axis=1)
    expected = [[twin.moment(n, low, 10.0) for low in thresholds] for n in (0, 1, 2)]
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_a_jagged_table_is_not_overshot(tmp_path):
    rows = [(float(e), 1.0 if e < 5 else 1e-3) for e in range(11)]
    engine = Flux(tabulated(tmp_path, rows), LOWEST_MEV)
    flux = engine(np.linspace(0.0, 10.0, 2001)) / engine(1.0)
    assert flux.max() <= 1.0 + 1e-12
    assert flux.min() >= 1e-3 * (1.0 - 1e-12)


@pytest.mark.parametrize("name", [*REACTORS])
def test_parts_add_up_to_the_flux(name):
    engine = Flux(reactor(**REACTORS[name]), LOWEST_MEV)
    assert sum(engine.parts().values()) == pytest.approx(engine.bin_flux.sum(), rel=1e-12)


def test_parts_of_the_shipped_reactor():
    # The captures are 1.2 antineutrinos a fission, of about 7.
    parts = flux_parts(load_experiment("conus-plus"))
    assert list(parts) == ["fissions below 2 MeV", "fissions from 2 MeV", "neutron captures"]
    assert parts["neutron captures"] == pytest.approx(0.176 * 1.5e13, rel=2e-3)
