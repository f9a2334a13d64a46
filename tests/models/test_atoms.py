"""Electrons in atoms: equivalent photons, and tables of the ratio to free electrons."""

from __future__ import annotations

from math import log, pi

import naive
import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.inputs.tables import DataFile
from fastscan.models import get_model
from fastscan.models.atoms import equivalent_photons
from fastscan.tensors.build import build_response

TABLE = "energy_ev,ratio\n100,0.8\n300,0.8\n1000,0.9\n"


def counts(experiment, model, **parameters):
    signal = build_signal(
        get_model(model), experiment, build_response(experiment), channels=["eves"]
    )
    point = {p.name: parameters.get(p.name, p.standard) for p in signal.model.parameters}
    return signal.counts(point)


@pytest.fixture(scope="module")
def steps():
    return load_experiment("conus-plus")


@pytest.fixture(scope="module")
def photons(steps):
    return steps.with_changes({"target.electron_binding": "epa"})


@pytest.fixture
def ratio(steps, tmp_path, monkeypatch):
    (tmp_path / "ratio.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)

    def make(**keys):
        settings = {
            "weak": "ratio.csv",
            "relative_to": "steps",
            "other": "unchanged",
            "below": "constant",
            "above": "constant",
            **keys,
        }
        return steps.with_changes(
            {"target.electron_binding": "table", "target.electron_ratio": settings}
        )

    return make


def cross_section_mb(energy_ev):
    """Linear in the logarithms, written without arrays."""
    table = DataFile.shipped("photoabsorption/ge_chantler.csv").table(
        ("energy_ev", "cross_section_mb")
    )
    rows, values = table["energy_ev"], table["cross_section_mb"]
    i = next(i for i in range(rows.size - 1) if rows[i] <= energy_ev < rows[i + 1])
    share = log(energy_ev / rows[i]) / log(rows[i + 1] / rows[i])
    return values[i] * (values[i + 1] / values[i]) ** share


@pytest.mark.parametrize(("energy_ev", "expected"), [(200, 11.7), (1000, 2.7), (5000, 1.3)])
def test_ratio_to_free_electrons_in_germanium(photons, energy_ev, expected):
    # At 4 MeV, to millicharges on free electrons in steps.
    recoil = energy_ev * 1e-6
    section = equivalent_photons(photons.target, np.array([recoil]))[0] * log(4.0 / 1e-6)
    q2 = 2 * naive.ELECTRON_MASS * recoil
    strength = abs(naive.charge_coupling({"q_ee": 1.0}, "ee", q2)) ** 2
    free = naive.elastic(4.0, recoil, 0.0, strength) - naive.elastic(4.0, recoil, 0.0)
    assert section / free == pytest.approx(expected, rel=0.01)


def test_counts_of_photons_against_the_twin(photons, monkeypatch):
    charge = 3e-12

    def section(energy, recoil, nucleus):
        shells = photons.target.elements[0]
        active = naive.z_eff(shells.shell_electrons, shells.shell_binding_ev, recoil)
        sigma = cross_section_mb(recoil * 1e6) * 1e-18 / naive.MEV_MINUS_2_IN_CM2
        shape = 2 * naive.ALPHA / pi * charge**2 * sigma / recoil / active
        return shape * np.log(energy / 1e-6)

    monkeypatch.setitem(naive.CROSS_SECTIONS["sm"], "eves", lambda parameters: section)
    twin = naive.Predictor(photons, "eves", bins=[160, 170, 180])
    table = DataFile.shipped("photoabsorption/ge_chantler.csv").table(("energy_ev",))
    binding = photons.target.elements[0].shell_binding_ev
    twin.scatterers = [
        one._replace(
            electrons=lambda recoil: naive.z_eff(
                photons.target.elements[0].shell_electrons, binding, recoil
            ),
            kinks_ev=(*binding, *table["energy_ev"]),
            # Below the first point there are no photons.
            ionisation_mev=lambda ionisation: ionisation,
        )
        for one in twin.scatterers
    ]
    low = float(table["energy_ev"][0])
    guarded = cross_section_mb
    monkeypatch.setitem(globals(), "cross_section_mb", lambda e: guarded(e) if e >= low else 0.0)
    expected = twin.counts("sm", {})
    found = counts(photons, "millicharge", q_ee=charge) - counts(photons, "sm")
    np.testing.assert_allclose(found[:2], expected, rtol=0, atol=1e-6 * found.max())


def test_photons_do_not_interfere(photons):
    np.testing.assert_array_equal(
        counts(photons, "millicharge", q_ee=1e-12), counts(photons, "millicharge", q_ee=-1e-12)
    )


def test_each_element_of_the_row_counts_alike(photons):
    one, other = (counts(photons, "millicharge", **{q: 1e-12}) for q in ("q_ee", "q_etau"))
    np.testing.assert_allclose(one, other, rtol=1e-14)


@pytest.mark.parametrize("model", ["sm", "magnetic-moment"])
def test_photons_leave_all_else_alone(photons, steps, model):
    own = {"mu_nu": 1e-10} if model == "magnetic-moment" else {}
    here, there = counts(photons, model, **own), counts(steps, model, **own)
    np.testing.assert_allclose(here, there, rtol=1e-8)


def test_limits_are_three_times_stronger(photons, steps, tmp_path):
    from fastscan import likelihood

    held = {"q_emu": 0.0, "q_etau": 0.0}
    reach = [
        likelihood("millicharge", e, tables=tmp_path).limit("q_ee", held).intervals[0][1]
        for e in (steps, photons)
    ]
    assert reach[0] / reach[1] == pytest.approx(3.1, abs=0.1)


def test_ratio_is_of_the_weak_interaction(ratio, steps):
    # All that is seen of conus-plus in electrons lies below 1 keV, most below 300 eV.
    constant = ratio()
    weak = counts(constant, "sm") / counts(steps, "sm")
    assert np.all((weak >= 0.8) & (weak < 0.82))
    added = [counts(e, "magnetic-moment", mu_nu=1e-10) - counts(e, "sm") for e in (constant, steps)]
    np.testing.assert_allclose(added[0], added[1], rtol=1e-7)


def test_ratio_of_charge_radii_is_the_weak_one(ratio, steps):
    shifted = [counts(e, "charge-radius", r2_ee=1e-31) for e in (ratio(), steps)]
    np.testing.assert_allclose(
        shifted[0] / shifted[1], counts(ratio(), "sm") / counts(steps, "sm"), rtol=1e-2
    )


def test_interactions_without_a_table_can_be_refused(ratio):
    with pytest.raises(InputError, match=r"magnetic interactions.*other = 'refuse'"):
        counts(ratio(other="refuse"), "magnetic-moment", mu_nu=1e-10)


def test_recoils_outside_the_table_can_be_refused(ratio):
    with pytest.raises(InputError, match="begins at 100 eV"):
        counts(ratio(below="refuse"), "sm")


def test_table_needs_its_keys(steps):
    with pytest.raises(InputError, match="missing key 'electron_ratio'"):
        steps.with_changes({"target.electron_binding": "table"})


def test_photons_need_a_cross_section(steps):
    with pytest.raises(InputError, match="photoelectric cross section of Ca"):
        steps.with_changes({"target.electron_binding": "epa", "target.material": "CaWO4"})
