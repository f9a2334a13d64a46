"""Protons and neutrons apart: the neutrons' radius, and radiatively corrected weak charges."""

from __future__ import annotations

import naive
import numpy as np
import pytest

from fastscan import likelihood
from fastscan.counts import build_signal
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.models import get_model
from fastscan.models.weak_charge import radiative_shifts
from fastscan.tensors.build import build_response

SHAPES = ["helm", "klein-nystrand", "symmetrised-fermi"]
CHARGE = 0.5 - 2 * 0.23857


@pytest.fixture(scope="module", params=SHAPES)
def experiment(request):
    settings = {"target.form_factor": {"model": request.param}, "target.material": "CsI"}
    # An axis of recoil energies, where caesium and iodine are far from coherent.
    settings |= {"target.quenching": {"model": "none"}}
    return load_experiment("conus-plus").with_changes(settings)


def signal_of(experiment, model):
    return build_signal(
        get_model(model).bound(experiment.target),
        experiment,
        build_response(experiment),
        channels=["cevns"],
    )


def rms_radius(shape, a):
    """From the slope of F at small momenta."""
    q = 1e-2 * naive.HBAR_C_MEV_FM
    return np.sqrt(6 * (1 - float(naive.form_factor(np.array(q), a, shape))) / 1e-4)


def test_default_is_the_standard_model(experiment):
    radius = signal_of(experiment, "neutron-radius")
    default = radius.model.parameter("r_n_fm").default
    expected = signal_of(experiment, "sm").counts({"sin2_theta_w": 0.23857})
    found = radius.counts({"r_n_fm": default, "sin2_theta_w": 0.23857})
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_default_is_the_mean_radius(experiment):
    shape = experiment.target.form_factor
    mean = np.mean([rms_radius(shape, a) for a in (133, 127)])
    default = get_model("neutron-radius").bound(experiment.target).parameter("r_n_fm").default
    assert default == pytest.approx(mean, rel=1e-3)


@pytest.mark.parametrize("factor", [0.5, 1.2, 2.5])
def test_counts_against_the_twin(experiment, factor, monkeypatch):
    signal = signal_of(experiment, "neutron-radius")
    parameter = signal.model.parameter("r_n_fm")
    shape = experiment.target.form_factor
    surface2 = {"helm": 3 * 0.9**2, "klein-nystrand": 6 * 0.7**2}.get(
        shape.model, 1.4 * (np.pi * 0.52) ** 2
    )

    def section(energy, recoil, nucleus):
        q = np.sqrt(2 * nucleus.mass_mev * recoil)
        cbrt = nucleus.a ** (1 / 3)
        length = {
            "helm": np.sqrt((1.23 * cbrt - 0.6) ** 2 + 7 / 3 * (np.pi * 0.52) ** 2 - 5 * 0.9**2),
            "klein-nystrand": 1.23 * cbrt,
            "symmetrised-fermi": 1.23 * cbrt - 0.6,
        }[shape.model]
        rms2 = 0.6 * length**2 + surface2
        scale = np.sqrt((factor**2 * rms2 - surface2) / 0.6) / length
        neutrons = naive.form_factor(q, nucleus.a, shape.model_copy(update={"radius_scale": scale}))
        protons = naive.form_factor(q, nucleus.a, shape)
        charge = nucleus.z * CHARGE * protons - nucleus.n / 2 * neutrons
        kinematics = 1 - nucleus.mass_mev * recoil / (2 * energy**2)
        return naive.FERMI_CONSTANT**2 * nucleus.mass_mev / np.pi * charge**2 * kinematics

    monkeypatch.setitem(naive.CROSS_SECTIONS["sm"], "cevns", lambda parameters: section)
    expected = naive.Predictor(experiment, "cevns", bins=[160, 170, 180]).counts("sm", {})
    found = signal.counts({"r_n_fm": factor * parameter.default, "sin2_theta_w": 0.23857})
    np.testing.assert_allclose(found[:2], expected, rtol=1e-6)


def test_smallest_radius_is_that_of_the_skin(experiment):
    parameter = get_model("neutron-radius").bound(experiment.target).parameter("r_n_fm")
    signal = signal_of(experiment, "neutron-radius")
    assert np.isfinite(signal.counts({"r_n_fm": parameter.minimum, "sin2_theta_w": 0.2})).all()
    with pytest.raises(InputError, match="out of range"):
        parameter.check(0.99 * parameter.minimum)


def test_limit_stays_in_the_range_of_the_radius(tmp_path):
    limit = likelihood("neutron-radius", tables=tmp_path).limit("r_n_fm")
    ((low, high),) = limit.intervals
    assert low == pytest.approx(1.5759, rel=1e-3)
    assert high == 20.0


def test_targets_of_other_radii_are_not_joined(tmp_path):
    conus = load_experiment("conus-plus")
    other = conus.with_changes({"name": "other", "target.material": "Si"})
    with pytest.raises(InputError, match="other parameters in each of the targets"):
        likelihood("neutron-radius", [conus, other], tables=tmp_path)


def test_radiative_charges_change_the_counts_as_they_should():
    tree = load_experiment("conus-plus").with_changes({"target.material": "I"})
    corrected = tree.with_changes({"target.weak_charges": "radiative"})
    point = {"sin2_theta_w": 0.23857}
    ratio = signal_of(corrected, "sm").counts(point) / signal_of(tree, "sm").counts(point)
    expected = ((53 * 0.0382 - 74 * 0.5117) / (53 * CHARGE - 37)) ** 2
    np.testing.assert_allclose(ratio, expected, rtol=1e-12)


def test_shifts_are_of_the_default_mixing_angle():
    proton, neutron = radiative_shifts("mu")
    assert CHARGE + proton == pytest.approx(0.0300)
    assert neutron - 0.5 == pytest.approx(-0.5117)


def test_no_radiative_charge_of_nu_tau():
    with pytest.raises(InputError, match="not for nu_tau"):
        radiative_shifts("tau")


def test_table_of_the_form_factor_has_no_radius(tmp_path, monkeypatch):
    (tmp_path / "f.csv").write_text("momentum_mev,form_factor\n0,1\n100,0.1\n")
    monkeypatch.chdir(tmp_path)
    table = {"model": "table", "file": "f.csv"}
    experiment = load_experiment("conus-plus").with_changes({"target.form_factor": table})
    with pytest.raises(InputError, match="has no radius"):
        get_model("neutron-radius").bound(experiment.target)
