"""Several experiments together."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment, load_experiments
from fastscan.likelihoods import Likelihood, likelihood

BINS = {"low": (160.0, 170.0), "middle": (170.0, 180.0), "high": (180.0, 350.0)}


@pytest.fixture
def pieces(tmp_path):
    """conus-plus cut into the bins that C3, C3 and C5, and all three detectors fill."""
    for name, (start, stop) in BINS.items():
        (tmp_path / f"{name}.toml").write_text(
            f'extends = "conus-plus"\nname = "{name}"\n'
            f"[observation]\nstart_ev = {start}\nstop_ev = {stop}\n"
        )

    def write(text):
        path = tmp_path / "joint.toml"
        path.write_text(text)
        return path

    return write


EXPERIMENTS = 'experiments = ["low.toml", "middle.toml", "high.toml"]\n'


def test_pieces_with_a_shared_normalisation_are_the_whole(pieces, tables):
    """Cut into pieces with one common normalisation, the fit is the uncut one."""
    joint = likelihood("vector", pieces(EXPERIMENTS + 'shared = ["normalisation"]'))
    whole = likelihood("vector")
    given = {"mass_mev": 10.0}
    for g in (0.0, 1e-5, 3e-5, 1.0, 1e3):
        assert joint.profile("g", given)(g) == pytest.approx(
            whole.profile("g", given)(g), rel=1e-9, abs=0
        )
    found, known = joint.limit("g", given), whole.limit("g", given)
    assert np.array(found.intervals) == pytest.approx(np.array(known.intervals), rel=1e-8, abs=0)
    assert found.chi2_min == pytest.approx(known.chi2_min, rel=1e-10)


def test_nuisances_of_their_own_add_their_chi2(pieces, tables):
    """Without anything shared, chi2 is the sum of those of the pieces."""
    joint = likelihood("sm", pieces(EXPERIMENTS))
    assert joint.nuisance_names == (
        "low/normalisation",
        "middle/normalisation",
        "high/normalisation",
    )
    total = sum(part.predict(sin2_theta_w=0.3).chi2 for part in joint.parts)
    assert joint.predict(sin2_theta_w=0.3).chi2 == pytest.approx(total, rel=1e-12)


def test_profiles_with_two_parameters_agree(pieces, tables):
    joint = likelihood("millicharge", pieces(EXPERIMENTS + 'shared = ["normalisation"]'))
    found = np.array(joint.limit("q_ee").intervals)
    known = np.array(likelihood("millicharge").limit("q_ee").intervals)
    assert found == pytest.approx(known, rel=1e-6, abs=0)


def test_prediction_lists_every_experiment(pieces, tables):
    prediction = likelihood("sm", pieces(EXPERIMENTS)).predict()
    assert [part.total.size for part in prediction.parts] == [1, 1, 17]
    assert prediction.total == pytest.approx(likelihood("sm").predict().total, rel=1e-9)


def test_detectors_apart_are_as_good_as_together(tmp_path, tables):
    """Synthetic: the SM as data of each detector, its errors those of its share of the mass.

    Detectors of equal live time and threshold, one common normalisation: the same limit as the
    sum of all three.
    """
    whole = likelihood("vector")
    counts = whole.predict(mass_mev=1.0).total[2:]
    edges = np.arange(180.0, 351.0, 10.0)

    def write(name, detectors, mass_kg):
        sigma = whole.sigma[2:] * np.sqrt(2.83 / mass_kg)
        rows = zip(edges[:-1], edges[1:], counts, sigma, strict=True)
        table = "".join(f"{a},{b},{float(c)!r},{float(s)!r}\n" for a, b, c, s in rows)
        (tmp_path / f"{name}.csv").write_text("low_ev,high_ev,excess,sigma\n" + table)
        each = "".join(
            f'[[detectors]]\nname = "{d}"\nmass_kg = {m}\nlive_time_d = 119.0\n'
            "threshold_ev = 180.0\n"
            for d, m in detectors.items()
        )
        (tmp_path / f"{name}.toml").write_text(
            f'extends = "conus-plus"\nname = "{name}"\ndescription = "synthetic"\n{each}'
            f'[observation]\nfile = "{name}.csv"\nnormalisation = "per-kg"\n'
            "reference_live_time_d = 119.0\n"
        )

    masses = {"C2": 0.95, "C3": 0.945, "C5": 0.935}  # no two of the same data
    write("together", masses, 2.83)
    for name, mass_kg in masses.items():
        write(name, {name: mass_kg}, mass_kg)
    (tmp_path / "joint.toml").write_text(
        'experiments = ["C2.toml", "C3.toml", "C5.toml"]\nshared = ["normalisation"]\n'
    )
    given = {"mass_mev": 1.0}
    apart = likelihood("vector", tmp_path / "joint.toml").limit("g", given).intervals
    together = likelihood("vector", tmp_path / "together.toml").limit("g", given).intervals
    assert np.array(apart) == pytest.approx(np.array(together), rel=1e-7, abs=0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('experiments = ["low.toml"]', "fewer than two"),
        ('experiments = "low.toml"', "no list"),
        ('experiments = ["low.toml", "joint.toml"]', "several experiments itself"),
        ('experiments = ["low.toml", "low.toml"]', "2 times"),
        ('experiments = ["low.toml", "none.toml"]', "none"),
        (EXPERIMENTS + 'shared = ["flux"]', "flux"),
        (EXPERIMENTS + "weights = [1, 2]", "weights"),
    ],
    ids=["one", "word", "nested", "doubled", "missing", "unknown-nuisance", "unknown-key"],
)
def test_bad_joint_files_are_refused(pieces, tables, text, words):
    with pytest.raises(InputError, match=words):
        likelihood("sm", pieces(text))


def test_experiments_of_equal_names_are_refused(pieces, tmp_path):
    (tmp_path / "low.toml").write_text('extends = "conus-plus"\nname = "high"\n')
    with pytest.raises(InputError, match="called 'high'"):
        load_experiments(pieces(EXPERIMENTS))


SYNTHETIC = """
extends = "conus-plus"
name = "{name}"
description = "synthetic: made up for this test"
[reactor]
flux_per_cm2_s = {flux}
[observation]
file = "{name}.csv"
stop_ev = {stop}
[[systematics.pulls]]
name = "flux"
kind = "normalisation"
sigma = {sigma}
[[systematics.pulls]]
name = "target mass"
kind = "normalisation"
sigma = 0.1
"""


def synthetic(folder, name, flux, stop, sigma, more=""):
    """An experiment with counts of its own, a hundredth above those of the base for each letter."""
    text = SYNTHETIC.format(name=name, flux=flux, stop=stop, sigma=sigma)
    (folder / f"{name}.toml").write_text(text + more)
    seen = load_experiment("conus-plus").observation
    counts = seen.counts * (1 + 0.01 * len(name))
    columns = np.column_stack([seen.edges_ev[:-1], seen.edges_ev[1:], counts, seen.sigma])
    header = "low_ev,high_ev,excess,sigma"
    np.savetxt(folder / f"{name}.csv", columns, delimiter=",", header=header, comments="")


def test_two_reactors_with_one_common_nuisance(tmp_path, tables):
    """A made-up second reactor: chi2 is that of the covariance matrix of all bins."""
    for name, flux, stop, sigma in (("near", 1.5e13, 350.0, 0.05), ("far", 0.9e13, 300.0, 0.07)):
        synthetic(tmp_path, name, flux, stop, sigma)
    path = tmp_path / "joint.toml"
    path.write_text('experiments = ["near.toml", "far.toml"]\nshared = ["flux"]\n')
    joint = likelihood("sm", path)
    prediction = joint.predict(sin2_theta_w=0.2)
    near, far = (part.total for part in prediction.parts)
    templates = np.zeros((3, joint.data.size))
    templates[0] = np.concatenate([0.05 * near, 0.07 * far])
    templates[1, : near.size] = 0.1 * near
    templates[2, near.size :] = 0.1 * far
    covariance = np.diag(joint.sigma**2) + templates.T @ templates
    rest = prediction.total - joint.data
    assert prediction.chi2 == pytest.approx(rest @ np.linalg.solve(covariance, rest), rel=1e-11)
    assert set(prediction.pulls) == {"flux", "near/target mass", "far/target mass"}


def test_a_shared_nuisance_with_correlations_of_its_own_is_refused(tmp_path, tables):
    for name in ("near", "far"):
        correlation = '[[systematics.correlations]]\nnames = ["flux", "target mass"]\nrho = 0.5\n'
        synthetic(tmp_path, name, 1e13, 350.0, 0.05, correlation)
    path = tmp_path / "joint.toml"
    path.write_text('experiments = ["near.toml", "far.toml"]\nshared = ["flux"]\n')
    with pytest.raises(InputError, match="correlated with target mass"):
        likelihood("sm", path)


def test_the_same_data_twice_are_refused(tables):
    one = likelihood("sm")
    other = likelihood("sm", one.experiment.with_changes({"name": "again"}))
    with pytest.raises(InputError, match=r"'conus-plus' and 'again' hold the same data"):
        _ = one + other


def test_likelihoods_of_two_models_are_not_added(tables):
    a25 = "conus-plus-a25"
    with pytest.raises(InputError, match="different models"):
        _ = likelihood("sm") + likelihood("vector", a25)
    with pytest.raises(InputError, match="different models"):
        _ = likelihood("vector", charges="b-3l_e") + likelihood("vector", a25)


def test_a_sum_shares_nothing_unless_told(pieces, tmp_path, tables):
    pieces(EXPERIMENTS)
    every = [likelihood("sm", tmp_path / f"{name}.toml") for name in BINS]
    alone = every[0] + every[1] + every[2]
    assert alone.nuisance_names == tuple(f"{name}/normalisation" for name in BINS)
    whole = Likelihood.joined(every, shared=["normalisation"]).predict(sin2_theta_w=0.3)
    assert whole.chi2 == pytest.approx(likelihood("sm").predict(sin2_theta_w=0.3).chi2, rel=1e-9)
    total = sum(each.predict(sin2_theta_w=0.3).chi2 for each in every)
    assert alone.predict(sin2_theta_w=0.3).chi2 == pytest.approx(total, rel=1e-12)
