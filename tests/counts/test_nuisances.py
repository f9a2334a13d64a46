"""Nuisances change counts as their settings do, and correlated ones as their covariance says."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest

from fastscan.counts import build_signal
from fastscan.counts.nuisances import Nuisances
from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment
from fastscan.likelihoods import Likelihood, profiled_chi2
from fastscan.likelihoods.hypotheses import hypotheses
from fastscan.models import get_model
from fastscan.tensors import load_response

FLUX = '[[systematics.pulls]]\nname = "flux"\nkind = "normalisation"\nsigma = 0.05\n'
MASS = FLUX.replace("flux", "mass").replace("0.05", "0.012")
ONLY_CEVNS = FLUX.replace("flux", "nuclei") + 'channel = "cevns"\n'
ONLY_EVES = FLUX.replace("flux", "electrons").replace("0.05", "0.3") + 'channel = "eves"\n'
QUENCHING = (
    '[[systematics.pulls]]\nname = "quenching"\nkind = "setting"\n'
    'settings = { "target.quenching.k" = 0.004 }\n'
)
SCALE = QUENCHING.replace("quenching", "scale", 1).replace("target.quenching.k", "X")
SCALE = SCALE.replace("X", "ionisation.energy_scale").replace("0.004", "0.02")
SPECTRUM = '[[systematics.pulls]]\nname = "spectrum"\nkind = "flux-shape"\ncovariance = "c.csv"\n'
TEMPLATE = '[[systematics.pulls]]\nname = "background"\nkind = "template"\ntable = "b.csv"\n'
EFFICIENCY = TEMPLATE.replace("background", "cut").replace("template", "efficiency")
SIN2 = {"sin2_theta_w": 0.23857}


def correlation(first, second, rho):
    return f'[[systematics.correlations]]\nnames = ["{first}", "{second}"]\nrho = {rho}\n'


@pytest.fixture
def load(tmp_path):
    """An experiment like conus-plus with other nuisances, its tensors and these."""

    def write(*texts, base="conus-plus", **files):
        for name, lines in files.items():
            (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
        path = tmp_path / "own.toml"
        path.write_text(f'extends = "{base}"\n' + "".join(texts))
        experiment = load_experiment(path)
        return experiment, load_response(experiment), Nuisances.load(experiment)

    return write


def layers(experiment, response, nuisances, model="sm", point=SIN2, **options):
    """Counts and their changes at one point."""
    theory = get_model(model)
    pulled = nuisances.counts(theory, experiment, response, fixed=point, **options)
    return pulled, pulled.coefficients()[0].sum(axis=1) * pulled.parts[0].sigma


def counts(experiment, model="sm", point=SIN2, **options):
    return build_signal(
        get_model(model), experiment, load_response(experiment), fixed=point, **options
    ).counts({})


def test_no_pull_is_the_normalisation():
    nuisances = Nuisances.load(load_experiment("conus-plus"))
    assert (nuisances.names, nuisances.sigma_alpha) == (("normalisation",), 0.20)


def test_normalisations_together_are_one(load):
    experiment, response, nuisances = load("[systematics]\nsigma_alpha = 0.1\n", FLUX, MASS)
    total = float(np.sqrt(0.1**2 + 0.05**2 + 0.012**2))
    assert nuisances.sigma_alpha == pytest.approx(total, rel=1e-14)
    pulled, (nominal, change) = layers(experiment, response, nuisances)
    assert pulled.pulls == ("normalisation",)
    np.testing.assert_allclose(change, total * nominal, rtol=1e-14)
    assert pulled.centre == pytest.approx([1.0 / total], rel=1e-14)
    # Each takes the share of its variance.
    _, weights = nuisances.columns()
    np.testing.assert_allclose(weights, [np.array([0.1, 0.05, 0.012]) / total], rtol=1e-14)


def test_published_budget_is_one_normalisation_of_its_size():
    nuisances = Nuisances.load(load_experiment("conus-plus-budget"), variants=False)
    assert nuisances.sigma_alpha == pytest.approx(0.1689, abs=5e-5)


def test_correlated_normalisations_are_one(load):
    _, _, nuisances = load(FLUX, MASS, correlation("flux", "mass", -0.5))
    variance = 0.05**2 + 0.012**2 - 2 * 0.5 * 0.05 * 0.012
    assert nuisances.sigma_alpha == pytest.approx(variance**0.5, rel=1e-14)


def test_normalisations_of_channels_are_as_many_as_they_move(load):
    experiment, response, nuisances = load(FLUX, MASS, ONLY_CEVNS, ONLY_EVES)
    assert nuisances.sigma_alpha is None
    pulled, moved = layers(experiment, response, nuisances)
    assert len(pulled.pulls) == 2
    both = {c: counts(experiment, channels=(c,)) for c in ("cevns", "eves")}
    variance = {"cevns": 0.05**2 + 0.012**2 + 0.05**2, "eves": 0.05**2 + 0.012**2 + 0.3**2}
    expected = sum(variance[c] * np.outer(both[c], both[c]) for c in both)
    cross = (0.05**2 + 0.012**2) * np.outer(both["cevns"], both["eves"])
    np.testing.assert_allclose(moved[1:].T @ moved[1:], expected + cross + cross.T, rtol=1e-12)
    # The centre takes all counts away.
    np.testing.assert_allclose(pulled.centre @ moved[1:], moved[0], rtol=1e-13)
    one, _ = layers(experiment, response, nuisances, channels=("eves",))
    assert one.pulls == ("normalisation",)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (QUENCHING, {"target.quenching.k": (0.158, 0.166)}),
        (SCALE, {"ionisation.energy_scale": (0.98, 1.02)}),
        (
            QUENCHING.replace(
                '"target.quenching.k" = 0.004',
                '"reactor.fission_fractions.U235" = -0.02, '
                '"reactor.fission_fractions.Pu239" = 0.02',
            ),
            {
                "reactor.fission_fractions.U235": (0.55, 0.51),
                "reactor.fission_fractions.Pu239": (0.30, 0.34),
            },
        ),
        (
            QUENCHING.replace("target.quenching.k", "reactor.spectrum_scale.U235"),
            {"reactor.spectrum_scale.U235": (0.996, 1.004)},
        ),
    ],
    ids=["quenching", "energy scale", "fission fractions", "an isotope"],
)
@pytest.mark.parametrize("base", ["conus-plus", "conus-plus-a25"])
def test_settings_are_central_differences(load, settings, changes, base):
    experiment, response, nuisances = load(settings, base=base)
    _, (nominal, change) = layers(experiment, response, nuisances)
    free = {"observation.sm_expectation": None}
    bare = experiment.with_changes(free)
    down, up = (
        counts(bare.with_changes({key: ends[i] for key, ends in changes.items()})) for i in (0, 1)
    )
    # A published expectation is that of the settings as they are, and does not move with them.
    scale = nominal / counts(bare)
    np.testing.assert_allclose(change, scale * 0.5 * (up - down), rtol=1e-9)


def test_flux_shapes_reweight_the_flux(load):
    rows = ["low_mev,high_mev,3,5", "3,3.25,0.04,0.01", "5,5.25,0.01,0.0025"]
    experiment, response, nuisances = load(SPECTRUM, c=rows)
    assert nuisances.names == ("spectrum 1",)
    _, (nominal, change) = layers(experiment, response, nuisances)
    weights = np.ones(40)
    weights[12], weights[20] = 1.2, 1.05
    moved = build_signal(
        get_model("sm"), experiment, response, fixed=SIN2, flux_weights=weights
    ).counts({})
    np.testing.assert_allclose(change, moved - nominal, rtol=1e-9)


def test_templates_do_not_know_the_signal_and_efficiencies_do(load):
    bins = [f"{low},{low + 10}" for low in range(160, 350, 10)]
    table = ["low_ev,high_ev,counts,relative_sigma"]
    table += [f"{row},{b},{0.01 * b}" for b, row in enumerate(bins)]
    experiment, response, nuisances = load(TEMPLATE, EFFICIENCY, b=table)
    number = np.arange(19)
    for point in ({"g": 0.0, "mass_mev": 10.0}, {"g": 1e-4, "mass_mev": 10.0}):
        _, (nominal, template, efficiency) = layers(
            experiment, response, nuisances, "vector", {**SIN2, **point}
        )
        np.testing.assert_allclose(template, number, rtol=1e-14)
        np.testing.assert_allclose(efficiency, 0.01 * number * nominal, rtol=1e-13)


@pytest.mark.parametrize("merge", [True, False])
def test_correlated_pulls_are_the_covariance(load, merge):
    """Chi2 = r^T (Sigma + T rho T^T)^-1 r, in fifty digits."""
    experiment, response, nuisances = load(
        FLUX, MASS, QUENCHING, SCALE, correlation("quenching", "scale", 0.6),
        correlation("mass", "scale", -0.3),
    )  # fmt: skip
    theory, point = get_model("sm"), {"sin2_theta_w": 0.31}
    pulled = nuisances.counts(theory, experiment, response, fixed=point, merge=merge)
    found = pulled.coefficients()[0].sum(axis=1)
    seen, sigma = experiment.observation.counts, experiment.observation.sigma
    _, own = layers(experiment, response, nuisances, point=point, merge=False)
    # Changes by each nuisance of its own, from those of the independent pulls.
    changes = np.linalg.solve(nuisances.columns(merge=False)[1], own[1:])
    with mpmath.workdps(50):
        covariance = mpmath.diag([mpmath.mpf(s) ** 2 for s in sigma])
        columns = mpmath.matrix(changes.tolist()).T
        covariance += columns * mpmath.matrix(nuisances.correlation.tolist()) * columns.T
        rest = mpmath.matrix((own[0] - seen).tolist())
        exact = float(mpmath.fdot(rest, mpmath.lu_solve(covariance, rest)))
    rows = np.concatenate([found[1:].T, np.eye(len(found) - 1)])
    right = np.concatenate([seen / sigma - found[0], np.zeros(len(found) - 1)])
    solution = np.linalg.lstsq(rows, right)[0]
    chi2 = ((rows @ solution - right) ** 2).sum()
    assert chi2 == pytest.approx(exact, rel=1e-10, abs=0)


def test_one_normalisation_in_a_fit_is_the_closed_form(load):
    experiment, response, nuisances = load(FLUX, MASS)
    likelihood = Likelihood(get_model("vector"), experiment, response, nuisances=nuisances)
    free = likelihood.counts(["g"], {"mass_mev": 1.0})
    for g in (0.0, 1e-5, 1.0):
        total = counts(experiment, "vector", {**SIN2, "mass_mev": 1.0, "g": g})
        seen = experiment.observation
        exact = profiled_chi2(total, seen.counts, seen.sigma, nuisances.sigma_alpha)
        chi2 = hypotheses(free, [[g]]).chi2(free.observed[None])[0, 0]
        assert chi2 == pytest.approx(float(exact), rel=1e-11, abs=0)


def test_an_energy_scale_is_a_ruler(tmp_path, monkeypatch):
    """Energies that read f times too high: bins, thresholds and noise of 1/f on the true scale."""
    scale = 1.25
    conus = load_experiment("conus-plus")
    edges = (conus.observation.edges_ev / scale).tolist()
    monkeypatch.chdir(tmp_path)
    rows = [f"{low},{high},1,1" for low, high in pairwise(edges)]
    (tmp_path / "bins.csv").write_text("\n".join(["low_ev,high_ev,excess,sigma", *rows]))
    changes = {
        "observation.file": "bins.csv",
        "ionisation.electronic_noise_ev": conus.ionisation.electronic_noise_ev / scale,
        "ionisation.fano_factor": conus.ionisation.fano_factor / scale,
    }
    for i, detector in enumerate(conus.detectors):
        changes[f"detectors.{i}.threshold_ev"] = detector.threshold_ev / scale
    true = conus.with_changes(changes)
    read = conus.with_changes({"ionisation.energy_scale": scale})
    for channel in ("cevns", "eves"):
        np.testing.assert_allclose(
            counts(read, channels=(channel,)), counts(true, channels=(channel,)), rtol=1e-8
        )


@pytest.mark.parametrize(
    "settings",
    [
        '"reactor.thermal_power_gw" = 0.1',
        '"detectors.0.live_time_d" = 1.17, "detectors.1.live_time_d" = 1.1, '
        '"detectors.2.live_time_d" = 1.19',
    ],
    ids=["power that is not used", "live time of counts per kg"],
)
def test_settings_without_effect_are_refused(load, settings):
    with pytest.raises(InputError, match="pull 'quenching' changes no count"):
        load(QUENCHING.replace('"target.quenching.k" = 0.004', settings))


def test_thresholds_at_the_edge_of_a_bin_are_no_linear_nuisance(load):
    """The bin loses counts when they rise, and counts of another detector when they fall."""
    moved = ", ".join(f'"detectors.{i}.threshold_ev" = 5.0' for i in range(3))
    with pytest.raises(InputError, match=r"not linear.*threshold_ev.*move ionisation\.energy_sc"):
        load(QUENCHING.replace('"target.quenching.k" = 0.004', moved))


def test_moved_tensors_are_not_read_unasked(load):
    experiment, _, _ = load(QUENCHING)
    with pytest.raises(InputError, match=r"needs the tensors of moved settings.*Nuisances\.load"):
        Nuisances.load(experiment, variants=False)


def test_progress_reaches_the_end(load, tmp_path):
    experiment, _, _ = load(QUENCHING, SCALE)
    seen = []
    Nuisances.load(experiment, tmp_path / "tables", lambda label, done: seen.append((label, done)))
    # The first that is read is the experiment itself, unmoved.
    seen = [(label, done) for label, done in seen if "," in label]
    done = [fraction for _, fraction in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0.0, 1.0)
    assert {label.partition(",")[0] for label, _ in seen} == {"quenching", "scale"}
