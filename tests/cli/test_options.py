"""Options of a model by their declared type; options of commands that are given too often."""

from typing import Literal, Optional

import pytest

from fastscan import InputError
from fastscan.cli.model_options import typed_options


class Declared:
    def __init__(
        self,
        flag: bool = False,
        count: int = 1,
        size: float = 1.0,
        word: str = "a",
        pair: tuple[float, int] = (1.0, 2),
        row: tuple[float, ...] = (),
        flavour: Literal["e", "mu"] = "e",
        maybe: Optional[float] = None,  # noqa: UP045
        other: float | None = None,
        bare=3,
    ) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("flag", "true", True),
        ("flag", "False", False),
        ("count", "12", 12),
        ("size", "1e-3", 1e-3),
        ("word", "1", "1"),
        ("pair", "1,2", (1.0, 2)),
        ("row", "1, 2.5,3", (1.0, 2.5, 3.0)),
        ("flavour", "mu", "mu"),
        ("maybe", "2", 2.0),
        ("other", "2", 2.0),
        ("bare", "4", 4),
        ("unknown", "x", "x"),
    ],
)
def test_words_become_what_is_declared(name, word, value):
    found = typed_options(Declared, {name: word})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "word", "message"),
    [
        ("flag", "1", "'1' is not true or false"),
        ("flag", "no", "not true or false"),
        ("count", "1.5", "'1.5' is not a whole number"),
        ("count", "1_0", "not a whole number"),
        ("size", "big", "'big' is not a number"),
        ("pair", "1", "1 values instead of 2"),
        ("pair", "1,x", "'x' is not a whole number"),
        ("flavour", "tau", "unknown word 'tau'"),
    ],
)
def test_words_of_another_type(name, word, message):
    with pytest.raises(InputError, match=message) as caught:
        typed_options(Declared, {name: word})
    assert f"--option {name}={word}" in caught.value.line


@pytest.mark.parametrize(("word", "text"), [("true", "True"), ("false", "False")])
def test_a_switch_of_a_shipped_model(run, word, text):
    outcome = run(
        "limit", "magnetic-moment", "--poi", "mu_nu", "--option", f"quadratic_term={word}"
    )
    assert f"magnetic-moment (quadratic_term = {text}, " in outcome.out


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (("limit", "sm", "--poi", "sin2_theta_w", "--cl", "0.9", "--cl", "0.9"),
         ("--cl is given twice",)),
        (("limit", "sm", "--poi", "sin2_theta_w", "--poi", "x"), ("--poi is given twice",)),
        (("scan", "sm", "--axis", "sin2_theta_w=0:1:3", "-o", "a.zarr", "--out", "b.zarr"),
         ("--out is given twice",)),
        (("contour", "x.zarr", "--cl", "0.9", "--cl", "0.8"),
         ("--cl is given twice", "give it once")),
    ],
)  # fmt: skip
def test_an_option_of_one_value_is_given_once(run, words, fragments):
    outcome = run(*words)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in outcome.err


def test_options_of_many_values_and_switches_may_be_repeated(run):
    words = ("--exposure", "1", "--exposure", "2", "--toys", "0", "--quiet", "--quiet")
    assert run("sensitivity", "sm", "--poi", "sin2_theta_w", *words).code == 0


def test_memory_that_is_not_enough_names_options_that_exist(run, monkeypatch):
    import fastscan.likelihoods

    def fill(*_, **__):
        raise MemoryError

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "parameters", fill)
    scan = run("scan", "sm", "--axis", "sin2_theta_w=0:1:3")
    assert scan.code == 1
    assert "use fewer --workers or smaller --block-points" in scan.err
    predict = run("predict", "sm")
    assert predict.err == "fastscan: out of memory\n"
