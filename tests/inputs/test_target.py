"""Targets: materials by formula, and every bad setting in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.inputs.materials import ATOMIC_NUMBERS, elements_of
from fastscan.inputs.target import Element
from fastscan.tensors.build import build_response
from fastscan.tensors.header import canonical_header, header_name

# Names of the tensor stores, which no new setting may change.
STORES = {
    "conus-plus": "08a55e376f35ef612c71f42eb198e64e6c943d5b977682b4d6d1384d8ac3f5be",
    "conus-plus-a25": "95a562ad4b1834f87bfee560458899a0d4296b874eff02f39d537ff33bc33a58",
    "conus-plus-budget": "08a55e376f35ef612c71f42eb198e64e6c943d5b977682b4d6d1384d8ac3f5be",
    "conus-plus-c25": "3532c806228402b90f4222d02f2e508c24b3039470292096cfd5d6c27ddc4255",
    "conus-plus-shapes": "08a55e376f35ef612c71f42eb198e64e6c943d5b977682b4d6d1384d8ac3f5be",
}
# Standard atomic weights, abridged (IUPAC 2021).
WEIGHTS = {
    "Li": 6.94, "O": 15.999, "F": 18.998, "Na": 22.990, "Al": 26.982, "Si": 28.085,
    "Ar": 39.95, "Ca": 40.078, "Ge": 72.630, "I": 126.90, "Xe": 131.29, "Cs": 132.91,
    "W": 183.84,
}  # fmt: skip
MATERIALS = ["Ge", "Si", "Xe", "Ar", "CsI", "NaI", "CaWO4", "LiF", "Al2O3"]


@pytest.mark.parametrize("name", STORES)
def test_stores_keep_their_names(name):
    assert header_name(canonical_header(load_experiment(name))) == STORES[name]


@pytest.mark.parametrize("symbol", ATOMIC_NUMBERS)
def test_shipped_isotopes_have_the_weight_of_the_element(symbol):
    element = Element(symbol=symbol)
    weight = float(element.abundance @ element.atomic_mass_u) / element.abundance.sum()
    assert weight == pytest.approx(WEIGHTS[symbol], abs=0.01)
    assert element.shell_electrons.sum() == ATOMIC_NUMBERS[symbol]


@pytest.mark.parametrize("material", MATERIALS)
def test_material_is_enough(material, tmp_path):
    path = tmp_path / "mine.toml"
    quenching = "quenching = { k = 0.15 }"
    path.write_text(f'extends = "conus-plus"\n[target]\nmaterial = "{material}"\n{quenching}')
    elements = load_experiment(path).target.elements
    wanted = elements_of(material)
    assert [e.symbol for e in elements] == [e["symbol"] for e in wanted]
    assert [e.atoms_per_formula_unit for e in elements] == [
        e["atoms_per_formula_unit"] for e in wanted
    ]
    assert (
        load_experiment("conus-plus").with_changes({"target.material": material}).target.elements
        == elements
    )


def test_material_of_germanium_is_that_of_conus():
    conus = load_experiment("conus-plus")
    assert conus.with_changes({"target.material": "Ge"}).tensor_inputs() == conus.tensor_inputs()


def mine(folder: Path, target: str) -> str:
    path = folder / "mine.toml"
    path.write_text(f'extends = "conus-plus"\n[target]\n{target}')
    with pytest.raises(InputError) as caught:
        build_response(load_experiment(path))
    text = str(caught.value)
    assert "\n" not in text
    return text


FILES = {
    "above.csv": "recoil_ev,quenching\n0,0.1\n1000,16.2\n",
    "negative.csv": "recoil_ev,quenching\n0,-0.1\n1000,0.2\n",
    "falling.csv": "recoil_ev,quenching\n1000,0.1\n0,0.2\n",
    "late.csv": "recoil_ev,quenching\n1100,0.17\n1500,0.2\n",
    "short.csv": "recoil_ev,quenching\n1200,0.3\n1300,0.9\n",
    "half.csv": "momentum_mev,form_factor\n0,0.5\n100,0.1\n",
    "no_zero.csv": "momentum_mev,form_factor\n1,1\n100,0.1\n",
    "low.csv": "momentum_mev,form_factor\n0,1\n2,0.99\n",
}
QUENCHING = 'quenching = {{ model = "table", file = "{}", {} }}'
FORM = 'form_factor = {{ model = "table", file = "{}" }}'
POLYNOMIAL = (
    'quenching = {{ model = "polynomial", coefficients = {}, energy_unit = "{}", '
    'highest_recoil_ev = 3000, above = "{}" }}'
)
BAD = {
    "unknown material": ('material = "KrF"', ["'Kr'", "no shipped tables"]),
    "no formula": ('material = "germanium"', ["'germanium' is no formula"]),
    "material twice": ('material = "Ge"\nelements = []', ["both given"]),
    "unknown quenching": ('quenching = { model = "sarkis" }', ["'sarkis'", "target.quenching"]),
    "key of another": ('quenching = { model = "none", k = 0.1 }', ["unknown key 'k'"]),
    "quenching above 1": (QUENCHING.format("above.csv", 'above = "zero"'), ["above 1", "0.162"]),
    "negative quenching": (QUENCHING.format("negative.csv", 'above = "zero"'), ["negative"]),
    "unsorted": (
        QUENCHING.format("falling.csv", 'below = "zero", above = "zero"'),
        ["does not increase"],
    ),
    "nothing above": (QUENCHING.format("late.csv", 'below = "zero"'), ["missing key 'above'"]),
    "nothing below": (QUENCHING.format("late.csv", 'above = "zero"'), ["missing key 'below'"]),
    "refused below": (
        QUENCHING.format("late.csv", 'below = "refuse", above = "constant"'),
        ["begins at 1100 eV", "below = 'refuse'"],
    ),
    "refused above": (
        QUENCHING.format("late.csv", 'below = "zero", above = "refuse"'),
        ["ends at 1500 eV", "above = 'refuse'"],
    ),
    "shift alone": (QUENCHING.format("late.csv", 'below = "zero", above = "zero", shift = 1.0'),
                    ["missing key 'second'"]),
    "short second": (
        QUENCHING.format("late.csv", 'below = "zero", above = "zero", second = "short.csv"'),
        ["does not cover"],
    ),
    "polynomial above 1": (POLYNOMIAL.format("[0.2, 0.01]", "eV", "zero"), ["above 1"]),
    "polynomial negative": (POLYNOMIAL.format("[0.2, -0.1]", "keV", "zero"), ["negative"]),
    "F at zero": (FORM.format("half.csv"), ["0.5 without momentum transfer"]),
    "F without zero": (FORM.format("no_zero.csv"), ["does not begin at 0"]),
    "F too short": (FORM.format("low.csv"), ["ends at 2 MeV"]),
    "radius in metres": (
        'form_factor = { model = "klein-nystrand", radius_fm = 5e-15 }', ["5 fm"],
    ),
    "photons not read": ("[target.equivalent_photons]\nneutrino_mass_ev = 2.0", ["changes no"]),
    "unknown charges": ('weak_charges = "loop"', ["'tree' or 'radiative'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_target(tmp_path, case):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    target, fragments = BAD[case]
    message = mine(tmp_path, target)
    assert [f for f in fragments if f not in message] == [], message


def test_shift_of_a_table_is_a_nuisance(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "conus-plus"\n[target.quenching]\nmodel = "table"\n'
        'file = "shipped:quenching_ge_fef.csv"\nsecond = "shipped:quenching_ge_ybe.csv"\n'
        'shift = 0.0\nabove = "constant"\n'
        '[[systematics.pulls]]\nname = "quenching"\nkind = "setting"\n'
        'settings = { "target.quenching.shift" = 0.5 }\n'
    )
    experiment = load_experiment(path)
    moved = experiment.pulled(experiment.systematics.pulls[0], 1.0)
    assert moved.target.quenching.shift == 0.5
    energy = [e.target.quenching.ionisation_ev(np.array([2e-4]), 32) for e in (experiment, moved)]
    assert energy[1] < energy[0]
