"""One vocabulary: the command line and Python have the same names, defaults and errors."""

import inspect

import click
import numpy as np
import pandas
import pytest
import xarray

import fastscan
from fastscan import Axis, InputError, Likelihood
from fastscan.cli import commands
from fastscan.likelihoods.questions import Questions
from fastscan.vocabulary import argument, in_python

# Commands and the methods that do the same.
PAIRS = {
    "limit": "limit",
    "scan": "scan",
    "boundary": "boundary",
    "posterior": "posterior",
    "fit": "best_fit",
    "sensitivity": "sensitivity",
    "impacts": "impacts",
}
# Options that say which likelihood is asked, which parameters are held, or how a result is shown.
ELSEWHERE = {
    "experiment", "shared", "constrain", "data", "inject", "channels", "charges", "option",
    "sigma_alpha", "flux_weights", "tables", "json", "quiet", "overwrite", "help",
}  # fmt: skip
# Where Python takes one axis.
ALIASES = {"axes": ("axes", "axis")}
# What is read off a result in Python, or drawn.
RESULTS = {
    "boundary": {"out"},
    "posterior": {"out", "cl", "points"},
    "fit": {"out"},
    "sensitivity": {"out", "significance"},
    "impacts": {"out"},
}


@pytest.mark.parametrize("command", PAIRS)
def test_every_option_is_an_argument_with_the_same_default(command):
    signature = inspect.signature(getattr(Likelihood, PAIRS[command])).parameters
    context = click.Context(commands)
    for option in commands.get_command(context, command).params:
        if not isinstance(option, click.Option):
            continue
        name = argument(max(option.opts, key=len))
        if name in ELSEWHERE | RESULTS.get(command, set()):
            continue
        known = [alias for alias in ALIASES.get(name, (name,)) if alias in signature]
        assert known, f"{name} of fastscan {command} is no argument of {PAIRS[command]}"
        default = option.get_default(context)
        # Of those that may be left out, click has a mark of its own.
        if not isinstance(default, (str, int, float, tuple)) or default in ((), False):
            continue
        if option.multiple:
            (default,) = default
        assert signature[known[0]].default == default, name


@pytest.mark.parametrize("name", [n for n in vars(Questions) if not n.startswith("_")])
def test_methods_are_documented_and_take_parameters_both_ways(name):
    method = getattr(Questions, name)
    signature = inspect.signature(method).parameters
    assert method.__doc__
    assert all(p.annotation is not p.empty for n, p in signature.items() if n != "self")
    assert "given" in signature
    assert signature["parameters"].kind is inspect.Parameter.VAR_KEYWORD


@pytest.fixture(scope="module")
def vector(tables):
    return fastscan.likelihood("vector")


QUESTIONS = {
    "limit": lambda of, *a, **k: of.limit("g", *a, **k).intervals,
    "profile": lambda of, *a, **k: of.profile("g", *a, **k)(1e-5),
    "best_fit": lambda of, *a, **k: of.best_fit(["g"], *a, **k).chi2_min,
    "predict": lambda of, *a, **k: of.predict(*a, **k).chi2,
    "posterior": lambda of, *a, **k: of.posterior("g", *a, **k).quantile(0.5),
    "impacts": lambda of, *a, **k: of.impacts("g", *a, **k).best_fit,
    "toys": lambda of, *a, **k: of.toys("g", *a, **k).counts.fixed,
    "sensitivity": lambda of, *a, **k: of.sensitivity("g", *a, toys=0, **k).asimov,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_mapping_and_names_are_alike(vector, question):
    ask = QUESTIONS[question]
    assert ask(vector, mass_mev=10.0) == ask(vector, {"mass_mev": 10.0})
    with pytest.raises(InputError, match="mass_mev is given twice"):
        ask(vector, {"mass_mev": 10.0}, mass_mev=10.0)
    with pytest.raises(InputError, match="unknown parameter 'mas_mev'"):
        ask(vector, mas_mev=10.0)


@pytest.mark.parametrize(
    ("method", "function", "toys"),
    [
        ("feldman-cousins", "feldman_cousins", {"toys": 500, "seed": 1}),
        ("cls", "cls_limit", {"toys": 500, "seed": 1}),
        ("bayes", "credible_intervals", {}),
    ],
)
def test_methods_of_limits_are_the_functions_of_that_name(vector, method, function, toys):
    expected = getattr(fastscan, function)(vector, "g", {"mass_mev": 10.0}, **toys)
    found = vector.limit("g", mass_mev=10.0, method=method, **toys)
    assert type(found) is type(expected)
    assert found.intervals == expected.intervals if method != "cls" else found == expected


def test_axes_by_name_and_as_objects(vector):
    by_name = vector.scan(g=(1e-6, 1e-4, 5, "log"), mass_mev=10.0)
    as_object = vector.scan([Axis("g", 1e-6, 1e-4, 5, "log")], {"mass_mev": 10.0})
    assert by_name.header == as_object.header
    assert by_name.chi2.equals(as_object.chi2)
    boundary = vector.boundary(mass_mev=(1.0, 10.0, 3))
    expected = vector.boundary("g", Axis("mass_mev", 1.0, 10.0, 3))
    assert (boundary.allowed == expected.allowed).all()
    several = vector.sensitivity("g", mass_mev=(1.0, 10.0, 2), toys=0)
    assert several.points[0][1].asimov == vector.sensitivity("g", mass_mev=10.0, toys=0).asimov


@pytest.mark.parametrize("kind", [np.asarray, pandas.Series, xarray.DataArray])
def test_points_of_axes_names_and_values_in_arrays(vector, kind):
    points = kind(np.geomspace(1e-6, 1e-4, 5))
    plane = vector.scan(g=points, mass_mev=kind([10.0])[0])
    assert plane.header == vector.scan(g=(1e-6, 1e-4, 5, "log"), mass_mev=10.0).header
    with pytest.raises(InputError, match=r"spaced evenly neither .* \(g\)"):
        vector.scan(g=kind([1e-6, 2e-6, 9e-6]), mass_mev=10.0)
    given = pandas.Series({"mass_mev": 10.0})
    names = np.array(["sin2_theta_w"])
    found = vector.limit("g", given, profiled=names)
    assert found == vector.limit("g", mass_mev=10.0, profiled=["sin2_theta_w"])
    assert (
        vector.observing(kind(vector.data)).predict(given, g=1e-5).chi2
        == vector.predict(given, g=1e-5).chi2
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda of: of.limit("g", mass_mev=1.0, method="walds"), "unknown method 'walds'"),
        (lambda of: of.limit("g", mass_mev=1.0, toys=9), "toys does nothing with method wilks"),
        (lambda of: of.limit("g"), r"mass_mev is not set .* give it in MeV, as in mass_mev="),
        (lambda of: of.limit("g", mass_mev=1.0, profiled=["g"]), r"\(profiled\)"),
        (lambda of: of.scan(g=(0.0, 1.0), mass_mev=1.0), "axis of 2 entries"),
        (lambda of: of.scan(g=(0.0, 1.0, 3), mass_mev=1.0, dtype="float32"), "no dtype .* out"),
        (lambda of: of.boundary("g"), "0 axes"),
    ],
)
def test_errors_speak_of_arguments(vector, ask, message):
    with pytest.raises(InputError, match=message) as caught:
        ask(vector)
    assert "--" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hold some with --set NAME=VALUE", "hold some with NAME=VALUE"),
        ("--toys, --seed", "toys, seed"),
        ("name another with -o or --out", "name another with out or out"),
        ("a two--dash and x--y stay, so does -1", "a two--dash and x--y stay, so does -1"),
        ("--box g", "box g"),
        ("lost; run its command with --resume", "lost; run its command with --resume"),
        ("--axis g", "g"),
    ],
)
def test_flags_become_arguments(text, expected):
    assert in_python(text) == expected
