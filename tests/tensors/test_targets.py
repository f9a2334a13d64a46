"""Counts with other quenching, form factors and targets, against the slow twin."""

from __future__ import annotations

from pathlib import Path

import naive
import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.inputs import Experiment, load_experiment
from fastscan.models import get_model
from fastscan.tensors.build import build_response


def counts_of(experiment, channel="cevns", model="sm", **parameters):
    response = build_response(experiment)
    signal = build_signal(get_model(model), experiment, response, channels=[channel])
    values = {p.name: parameters.get(p.name, p.standard) for p in signal.model.parameters}
    return signal.counts(values)


def assert_like_twin(experiment: Experiment, channel="cevns") -> None:
    expected = naive.Predictor(experiment, channel).counts("sm", {})
    assert expected.max() > 0.0
    np.testing.assert_allclose(
        counts_of(experiment, channel), expected, rtol=0, atol=1e-6 * expected.max()
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("target")


def changed(folder: Path, target: str, base="conus-plus") -> Experiment:
    path = folder / "mine.toml"
    (folder / "bins.csv").write_text(
        "low_ev,high_ev,excess,sigma\n160,170,30,5\n170,200,80,9\n200,350,100,10\n"
    )
    observation = '[observation]\nfile = "bins.csv"\n'
    path.write_text(f'extends = "{base}"\n{observation}[target]\n{target}')
    return load_experiment(path)


@pytest.fixture(scope="module")
def tables(folder):
    rows = {
        "rising.csv": "recoil_ev,quenching\n0,0.15\n900,0.18\n1500,0.2\n2600,0.21\n",
        "from_900.csv": "recoil_ev,quenching\n900,0.19\n1500,0.2\n1900,0.21\n",
        "turning.csv": "recoil_ev,quenching\n0,0.1\n1000,0.25\n1300,0.17\n3000,0.2\n",
        "second.csv": "recoil_ev,quenching\n0,0.16\n3000,0.23\n",
        "form.csv": "momentum_mev,form_factor\n0,1\n9,0.95\n13,0.9\n40,0.3\n",
    }
    for name, text in rows.items():
        (folder / name).write_text(text)
    return folder


TABLE = 'quenching = {{ model = "table", file = "{}", {} }}'
QUENCHING = {
    "none": 'quenching = { model = "none" }',
    "rising": TABLE.format("rising.csv", 'above = "constant"'),
    "cut": TABLE.format("from_900.csv", 'below = "zero", above = "zero"'),
    "held": TABLE.format("from_900.csv", 'below = "constant", above = "constant"'),
    "turning": TABLE.format("turning.csv", 'above = "constant"'),
    "mixed": TABLE.format("rising.csv", 'second = "second.csv", shift = -0.7, above = "constant"'),
    "polynomial": 'quenching = { model = "polynomial", coefficients = [0.17, 0.02, -0.004], '
    'energy_unit = "keV", lowest_recoil_ev = 300, highest_recoil_ev = 2100, '
    'below = "constant", above = "zero" }',
}


# What the shipped experiments set is merged with: their k is taken out by a whole table.
@pytest.mark.parametrize("case", QUENCHING)
def test_quenching(tables, case):
    assert_like_twin(changed(tables, QUENCHING[case]))


@pytest.mark.parametrize("case", ["none", "rising", "cut", "polynomial"])
def test_quenching_without_resolution(tables, case):
    assert_like_twin(changed(tables, QUENCHING[case], "conus-plus-c25"))


FORM_FACTORS = {
    "helm": "form_factor = { skin_thickness_fm = 1.3, radius_scale = 1.8 }",
    "klein-nystrand": 'form_factor = { model = "klein-nystrand" }',
    "klein-nystrand of a radius": 'form_factor = { model = "klein-nystrand", radius_fm = 9.0, '
    "range_fm = 1.5, radius_scale = 0.9 }",
    "symmetrised-fermi": 'form_factor = { model = "symmetrised-fermi", surface_fm = 2.5 }',
    "table": 'form_factor = { model = "table", file = "form.csv" }',
}


@pytest.mark.parametrize("case", FORM_FACTORS)
def test_form_factor(tables, case):
    assert_like_twin(changed(tables, FORM_FACTORS[case]))
