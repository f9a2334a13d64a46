"""Nuisances as a TOML file states them, and every mistake in one line."""

import numpy as np
import pytest

from fastscan.exceptions import InputError
from fastscan.inputs import load_experiment

NORMALISATION = """
[[systematics.pulls]]
name = "flux"
kind = "normalisation"
sigma = 0.05
"""
QUENCHING = """
[[systematics.pulls]]
name = "quenching"
kind = "setting"
settings = { "target.quenching.k" = 0.004 }
"""
SPECTRUM = """
[[systematics.pulls]]
name = "spectrum"
kind = "flux-shape"
covariance = "covariance.csv"
"""
TEMPLATE = """
[[systematics.pulls]]
name = "background"
kind = "template"
table = "background.csv"
"""


def correlation(first, second, rho):
    return f'\n[[systematics.correlations]]\nnames = ["{first}", "{second}"]\nrho = {rho}\n'


def write(folder, text, sigma_alpha=True, **files):
    """An own experiment with such pulls; its files hold lines."""
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    path = folder / "si.toml"
    toml = path.read_text()
    if not sigma_alpha:
        toml = toml.replace("sigma_alpha = 0.1\n", "")
    path.write_text(toml + text)
    return path


COVARIANCE = ["low_mev,high_mev,2,2.25", "2,2.25,0.04,0.01", "2.25,2.5,0.01,0.09"]
BACKGROUND = ["low_ev,high_ev,counts", "50,60,1", "60,80,-2", "80,100,0"]


def test_names_and_correlations(folder):
    path = write(folder, NORMALISATION + QUENCHING + correlation("quenching", "flux", -0.25))
    systematics = load_experiment(path).systematics
    assert systematics.names == ("normalisation", "flux", "quenching")
    expected = [[1.0, 0.0, 0.0], [0.0, 1.0, -0.25], [0.0, -0.25, 1.0]]
    np.testing.assert_array_equal(systematics.correlation, expected)


def test_pulls_alone_are_enough(folder):
    systematics = load_experiment(write(folder, NORMALISATION, sigma_alpha=False)).systematics
    assert systematics.sigma_alpha is None
    assert systematics.names == ("flux",)


def test_an_own_budget_replaces_that_of_the_base(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('extends = "conus-plus"\n' + NORMALISATION)
    assert load_experiment(path).systematics.names == ("flux",)


def test_published_budget_is_the_root_of_its_squares():
    pulls = load_experiment("conus-plus-budget").systematics.pulls
    per_cent = {pull.name: 100.0 * pull.sigma for pull in pulls}
    assert per_cent == pytest.approx(
        {
            "flux": 4.6,
            "quenching": 7.3,
            "threshold": 14.1,
            "active mass": 1.1,
            "trigger efficiency": 0.7,
            "form factor": 3.2,
        }
    )
    assert sum(v**2 for v in per_cent.values()) ** 0.5 == pytest.approx(16.9, abs=0.05)


def test_flux_shapes_make_up_their_covariance(folder):
    experiment = load_experiment(write(folder, SPECTRUM, covariance=COVARIANCE))
    shapes = experiment.systematics.pulls[0].flux_shapes(experiment.reactor.energy_bin_edges_mev)
    assert shapes.shape == (2, 40)
    expected = np.zeros((40, 40))
    expected[8:10, 8:10] = [[0.04, 0.01], [0.01, 0.09]]
    np.testing.assert_allclose(shapes.T @ shapes, expected, atol=1e-16)


def test_negligible_eigenvectors_are_left_out(folder):
    rows = ["low_mev,high_mev,2,2.25", "2,2.25,0.04,0.06", "2.25,2.5,0.06,0.09"]
    experiment = load_experiment(write(folder, SPECTRUM, covariance=rows))
    (shape,) = experiment.systematics.pulls[0].flux_shapes(experiment.reactor.energy_bin_edges_mev)
    assert shape[8:10] == pytest.approx([0.2, 0.3])


def test_template_of_bins(folder):
    rows = [*BACKGROUND, "100,200,7"]  # a bin that is not observed
    experiment = load_experiment(write(folder, TEMPLATE, background=rows))
    changes = experiment.systematics.pulls[0].bin_changes(experiment.observation.edges_ev)
    np.testing.assert_array_equal(changes, [1.0, -2.0, 0.0])


def test_settings_move_by_their_change():
    experiment = load_experiment("conus-plus-shapes")
    (pull,) = (p for p in experiment.systematics.pulls if p.name == "quenching")
    assert experiment.pulled(pull, -2.0).target.quenching.k == pytest.approx(0.154)
    assert experiment.pulled(pull, -2.0).systematics.names == ("normalisation",)
    assert experiment.number("reactor.spectrum_scale.U238") == 1.0
    assert experiment.number("detectors.1.threshold_ev") == 160.0


# Case: text of the pulls, files, what the message must contain.
MISTAKES = {
    "nothing at all": ("", {}, ["missing key 'sigma_alpha'", "systematics"]),
    "negative sigma": (NORMALISATION.replace("0.05", "-0.05"), {}, ["greater than 0", "sigma"]),
    "no sigma": (NORMALISATION.replace("sigma = 0.05", ""), {}, ["missing key 'sigma'"]),
    "unknown key": (NORMALISATION.replace("sigma", "sigmas"), {}, ["unknown key 'sigmas'"]),
    "unknown kind": (NORMALISATION.replace('"norm', '"Norm'), {}, ["'Normalisation'", "kind"]),
    "foreign key": (
        NORMALISATION + "settings = { a = 1.0 }\n",
        {},
        ["'settings' has no meaning", "takes sigma, channel"],
    ),
    "same name": (NORMALISATION * 2, {}, ["2 nuisances are called 'flux'"]),
    "name of sigma_alpha": (
        "sigma_alpha = 0.1" + NORMALISATION.replace('"flux"', '"normalisation"'),
        {},
        ["2 nuisances are called 'normalisation'", "sigma_alpha"],
    ),
    "letter of sigma_alpha": (
        "sigma_alpha = 0.1" + NORMALISATION.replace('"flux"', '"alpha"'),
        {},
        ["'alpha' beside sigma_alpha"],
    ),
    "correlation of one": (
        NORMALISATION + QUENCHING + correlation("flux", "quenching", "1.0"),
        {},
        ["less than 1", "rho"],
    ),
    "correlation with itself": (
        NORMALISATION + correlation("flux", "flux", 0.5),
        {},
        ["correlated with itself"],
    ),
    "correlation of a stranger": (
        NORMALISATION + correlation("flux", "fluxes", 0.5),
        {},
        ["unknown pull 'fluxes'", "'flux'"],
    ),
    "correlation twice": (
        NORMALISATION
        + QUENCHING
        + correlation("flux", "quenching", 0.5)
        + correlation("quenching", "flux", 0.5),
        {},
        ["given twice"],
    ),
    "correlation of many": (
        NORMALISATION + SPECTRUM + correlation("flux", "spectrum", 0.5),
        {"covariance": COVARIANCE},
        ["flux-shape, which is many"],
    ),
    "impossible correlations": (
        NORMALISATION
        + NORMALISATION.replace("flux", "b")
        + NORMALISATION.replace("flux", "c")
        + correlation("flux", "b", 0.9)
        + correlation("flux", "c", 0.9)
        + correlation("b", "c", -0.9),
        {},
        ["smallest eigenvalue is -0.8"],
    ),
    "unknown setting": (
        QUENCHING.replace("quenching.k", "quenching.kk"),
        {},
        ["pull 'quenching'", "unknown setting 'kk'", "target.quenching.kk"],
    ),
    "no setting of the prediction": (
        QUENCHING.replace("target.quenching.k", "observation.start_ev"),
        {},
        ["'observation.start_ev'", "reactor, sources, target, ionisation, detectors"],
    ),
    "setting that is a word": (
        QUENCHING.replace("quenching.k", "quenching.model"),
        {},
        ["setting is not a number", "target.quenching.model"],
    ),
    "setting that is not given": (
        QUENCHING.replace("target.quenching.k", "detectors.0.electronic_noise_ev"),
        {},
        ["setting is not given"],
    ),
    "change of nothing": (QUENCHING.replace("0.004", "0.0"), {}, ["change of target.quenching.k"]),
    "out of the physical range": (
        QUENCHING.replace("0.004", "0.2"),
        {},
        ["-1 standard deviations", "target.quenching.k = -0.054", "greater than 0"],
    ),
    "fractions that do not add up": (
        QUENCHING.replace("target.quenching.k", "reactor.fission_fractions.U235"),
        {},
        ["fission fractions add up to 0.004 instead of 0"],
    ),
    "no file": (SPECTRUM, {}, ["no such file", "covariance.csv"]),
    "negative variance": (
        SPECTRUM,
        {"covariance": [COVARIANCE[0], "2,2.25,-0.04,0", "2.25,2.5,0,0.09"]},
        ["variance is negative", "covariance.csv, line 2"],
    ),
    "not symmetric": (
        SPECTRUM,
        {"covariance": [COVARIANCE[0], "2,2.25,0.04,0.01", "2.25,2.5,0.02,0.09"]},
        ["not symmetric"],
    ),
    "not positive": (
        SPECTRUM,
        {"covariance": [COVARIANCE[0], "2,2.25,0.04,0.07", "2.25,2.5,0.07,0.09"]},
        ["not positive", "eigenvalue"],
    ),
    "other energy bins": (
        SPECTRUM,
        {"covariance": ["low_mev,high_mev,2", "2,2.5,0.04"]},
        ["2 to 2.5 is not an energy bin", "line 2", "2 to 2.25"],
    ),
    "columns of others": (
        SPECTRUM,
        {"covariance": ["low_mev,high_mev,3", "2,2.25,0.04"]},
        ["column '2' is missing"],
    ),
    "other observed bins": (
        TEMPLATE,
        {"background": [*BACKGROUND[:2], "60,70,1", "80,100,1"]},
        ["60 to 70 is not an observed bin", "background.csv, line 3"],
    ),
    "bin left out": (
        TEMPLATE,
        {"background": BACKGROUND[:3]},
        ["no row for the observed bin 80 to 100"],
    ),
    "bin twice": (TEMPLATE, {"background": [*BACKGROUND, "50,60,1"]}, ["there twice", "line 5"]),
    "template of nothing": (
        TEMPLATE,
        {"background": [BACKGROUND[0], "50,60,0", "60,80,0", "80,100,0"]},
        ["0 throughout"],
    ),
    "relative instead of counts": (
        TEMPLATE.replace('"template"', '"efficiency"'),
        {"background": BACKGROUND},
        ["'relative_sigma' is missing"],
    ),
}


@pytest.mark.parametrize(("text", "files", "fragments"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_line(folder, text, files, fragments):
    with pytest.raises(InputError) as caught:
        load_experiment(write(folder, text, sigma_alpha=False, **files))
    message = str(caught.value)
    assert not [fragment for fragment in fragments if fragment not in message], message


def test_scaled_isotopes_need_isotopes(folder, edit):
    scaled = 'spectrum_file = "spectrum.csv"\nspectrum_scale = { U235 = 1.02 }'
    with pytest.raises(InputError, match="spectrum_scale acts on the isotopes' spectra"):
        load_experiment(edit("si.toml", "[reactor]", f"[reactor]\n{scaled}"))
