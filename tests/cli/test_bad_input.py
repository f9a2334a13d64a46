"""Bad input: one line: what, where, how to put it right; exit code 2; nothing written."""

import os
from pathlib import Path

import pytest

AXES = ("--axis", "mass_mev=0.1:10:5:log", "--axis", "g=1e-6:1e-4:5:log")
LIMIT = ("limit", "vector", "--poi", "g", "--set", "mass_mev=1")


def complain(run, arguments, *fragments, code=2):
    before = sorted(Path.cwd().rglob("*"))
    outcome = run(*arguments)
    assert outcome.code == code
    assert outcome.out == ""
    assert outcome.err.startswith("fastscan: ")
    assert outcome.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in outcome.err
    assert sorted(Path.cwd().rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("limits",), ("unknown command 'limits'", "did you mean 'limit'?")),
        (("predict", "vectr"), ("unknown model 'vectr'", "did you mean 'vector'?")),
        (("predict", "quantum"), ("unknown model 'quantum'", "known: ")),
        (("predict", "sm", "--experiment", "conus"), ("unknown experiment", "conus-plus")),
        (("predict", "sm", "--experiment", "none.toml"), ("none.toml",)),
        (("predict", "sm", "--set", "g=1"), ("unknown parameter 'g'", "sin2_theta_w")),
        (("predict", "vector", "--set", "g"), ("not of the form NAME=VALUE", "--set g")),
        (("predict", "vector", "--set", "g=big"), ("'big' is not a number", "--set g=big")),
        (("predict", "vector", "--set", "g=nan"), ("not a finite number", "g")),
        (("predict", "vector", "--set", "g=-1"), ("out of range", "from 0")),
        (("predict", "vector", "--set", "g=1", "--set", "g=2"), ("g is given twice",)),
        (("predict", "vector", "--set", "g=1e200", "--set", "mass_mev=1"),
         ("overflow", "smaller couplings")),
        (("predict", "vector", "--set", "g=1e-5"), ("mass_mev is not set", "--set mass_mev=…")),
        (("limit", "vector", "--poi", "g"), ("mass_mev is not set", "give it in MeV")),
        (("predict", "vector", "--charges", "b-1"), ("unknown charge assignment", "b-l")),
        (("predict", "vector", "--charges", "1,2,3"), ("not four finite numbers", "--charges")),
        (("predict", "vector", "--charges", "1,2,3,1/0"), ("not four finite numbers",)),
        (("predict", "sm", "--charges", "b-l"), ("no option 'charges'", "there is none")),
        (("predict", "scalar", "--option", "up_mass_mev=-2"), ("not a quark mass", "positive")),
        (("predict", "scalar", "--option", "up=2"), ("no option 'up'", "up_mass_mev")),
        (("predict", "sm", "--channels", "cenvs"), ("unknown channel", "'cevns'")),
        (("predict", "sm", "--sigma-alpha", "0"), ("sigma_alpha", "positive", "0.20")),
        (("predict", "sm", "--sigma-alpha", "nan"), ("sigma_alpha", "positive")),
        (("predict", "charge-radius", "--set", "r2_ee=1e-5"), ("r2_ee", "cm2", "1e-25")),
        (("predict", "sm", "--flux-weights", "w.csv"), ("w.csv",)),
        (("limit", "sm"), ("--poi",)),
        (("limit", "sm", "--poi", "g"), ("unknown parameter 'g'",)),
        ((*LIMIT, "--set", "g=1"), ("both the parameter of interest and set", "--poi")),
        ((*LIMIT, "--profile", "g"), ("both profiled and the parameter of interest",)),
        ((*LIMIT, "--profile", "mass_mev"), ("both profiled and set", "--profile")),
        ((*LIMIT, "--profile", "q"), ("unknown parameter 'q'", "--profile")),
        ((*LIMIT, "--cl", "90"), ("not between 0 and 1", "0.90")),
        (("scan", "vector"), ("--axis",)),
        (("scan", "vector", "--axis", "g=1:2"), ("not of its form", "NAME=START:STOP:N")),
        (("scan", "vector", "--axis", "g=1:2:x"), ("no number",)),
        (("scan", "vector", "--axis", "g=2:1:5"), ("does not rise",)),
        (("scan", "vector", "--axis", "g=0:1:5", "--out", ""), ("output has no name",)),
        (("marginal", "vector", *AXES, "--keep", "g", "-o", ""), ("output has no name",)),
        (("marginal", "vector", *AXES, "--keep", "g", "--dof", "1"), ("--dof is for a band",)),
        (
            ("marginal", "vector", *AXES, "--keep", "g", "--band", "g", "--method", "bayes"),
            ("a band is of the profile",),
        ),
        (("scan", "vector", *AXES, "--dtype", "half"), ("unknown dtype 'half'",)),
        (
            ("boundary", "vector", "--axis", "mass_mev=1:2:3", "--profile", "sin2_theta_w"),
            ("can not be profiled exactly",),
        ),
        (("scan", "vector", "--axis", "g=0:1:5:log"), ("logarithmic axis starts at 0",)),
        (("scan", "vector", "--axis", "g=0:nan:5"), ("not finite",)),
        (("scan", "vector", "--axis", "g=0:1:10000000000000"), ("too long",)),
        (("scan", "vector", "--axis", "q=0:1:5"), ("unknown parameter 'q'",)),
        (("scan", "vector", *AXES, "--set", "g=1"), ("both scanned and set",)),
        (("scan", "vector", *AXES, "--axis", "g=0:1:5"), ("given twice",)),
        (("scan", "vector", *AXES, "--workers", "0"), ("0 workers", "--workers")),
        (("scan", "vector", *AXES, "--block-points", "0"), ("--block-points",)),
        (("scan", "vector", *AXES, "--scheduler", "cluster"), ("unknown scheduler",)),
        (("scan", "vector", *AXES, "--scheduler", "tcp://127.0.0.1:1"), ("no dask scheduler",)),
        (("scan", "vector", *AXES, "--workers", "two"), ("not a valid integer", "--help")),
        (("contour", "none.zarr"), ("no scan there", "none.zarr")),
        (("plot", "none.zarr"), ("no scan there", "none.zarr")),
        (("inspect", "nothing"), ("unknown experiment 'nothing'",)),
        (("experiments", "--show", "conus"), ("unknown experiment 'conus'",)),
        (("build", "--tables", "/dev/null/x", "conus-plus"), ("can not be written", "--tables")),
        (("marginal", "vector", *AXES, "--keep", "q"), ("q is kept but is no axis",)),
        (("marginal", "vector", *AXES, "--keep", "g", "--keep", "mass_mev"), ("leave at least",)),
        (("marginal", "vector", "--axis", "g=1e-6:1e-6:1", "--axis", "mass_mev=1:2:3",
          "--keep", "mass_mev"), ("the box is empty", "--axis g")),
        (("marginal", "vector", *AXES, "--keep", "g", "--method", "mean"), ("unknown method",)),
    ],
)  # fmt: skip
def test_one_line_and_nothing_written(run, arguments, fragments):
    complain(run, arguments, *fragments)


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("low_mev,high_mev\n0,10\n", ("weight",)),
        ("low_kev,high_mev,weight\n0,10,1\n", ("low_mev",)),
        ("low_mev,high_mev,weight\n0,10,-1\n", ("negative", "row 1")),
        ("low_mev,high_mev,weight\n0,10,1e-300\n", ("no factor on a flux", "row 1")),
        ("low_mev,high_mev,weight\n0,10,nan\n", ("nan",)),
        ("low_mev,high_mev,weight\n0,1.1,1\n", ("whole energy bins", "0.25")),
        ("low_mev,high_mev,weight\n0,1,1\n0.5,2,1\n", ("overlaps", "row 2")),
    ],
)
def test_flux_weights(run, tmp_path, text, fragments):
    path = tmp_path / "weights.csv"
    path.write_text(text)
    complain(run, ("predict", "sm", "--flux-weights", str(path)), *fragments)


def edited(tmp_path, old, new):
    """The shipped experiment with one line changed, at a path of the user's own."""
    from fastscan.inputs import data_directory

    text = (data_directory() / "experiments" / "conus-plus.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new))
    return path


def test_absurd_noise(run, tmp_path):
    path = edited(tmp_path, "electronic_noise_ev = 20.38", "electronic_noise_ev = 1e9")
    complain(run, ("predict", "sm", "--experiment", str(path)), "electronic_noise_ev", "10000")


def test_counts_that_overflow(run, tmp_path):
    path = edited(tmp_path, "shipped:conus_plus_2025_excess.csv", "counts.csv")
    (tmp_path / "counts.csv").write_text("low_ev,high_ev,excess,sigma\n160,180,1e300,1e-300\n")
    complain(run, ("predict", "sm", "--experiment", str(path)), "overflow", "observation")


def test_a_pipe_in_place_of_a_file(run, tmp_path):
    os.mkfifo(tmp_path / "p.toml")
    complain(run, ("predict", "sm", "--experiment", str(tmp_path / "p.toml")), "not a regular file")


def test_output_that_exists(run):
    words = ("scan", "vector", *AXES, "--out", "s.zarr")
    assert run(*words).code == 0
    assert run("contour", "s.zarr", "--cl", "0.5").code in (0, 2)
    complain(run, words, "exists", "s.zarr", "--resume")


def test_resume_of_another_scan(run):
    assert run("scan", "vector", *AXES, "--out", "s.zarr").code == 0
    words = ("scan", "vector", *AXES, "--out", "s.zarr", "--resume", "--channels", "cevns")
    complain(run, words, "another one", "channels", "s.zarr")


@pytest.mark.parametrize("name", ["contour", "plot"])
def test_a_folder_that_is_no_scan(run, name):
    Path("thesis").mkdir()
    Path("thesis", "chapter.txt").write_text("years of work")
    complain(run, (name, "thesis"), "not a scan of fastscan", "thesis")


def test_an_internal_error_is_one_line_without_traceback(run, monkeypatch):
    import fastscan.likelihoods

    def fall_over(*_, **__):
        raise RuntimeError("of a kind nobody\nthought of")

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", fall_over)
    complain(run, ("predict", "sm"), "internal error", "RuntimeError", "FASTSCAN_DEBUG", code=1)


def test_interruption_is_told(run, monkeypatch):
    import fastscan.likelihoods

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", interrupt)
    outcome = run("predict", "sm")
    assert outcome.code == 1
    # The empty line ends the one on which the terminal shows ^C.
    assert outcome.err.startswith("\nfastscan: interrupted; ")
    assert outcome.err.count("\n") == 2
