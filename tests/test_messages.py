"""Advice that helps: names that were meant, and options that the command has."""

import pytest

import fastscan
from fastscan.exceptions import RunError, unknown_name
from fastscan.models import Parameter

KEYS = ("electronic_noise_ev", "threshold_ev", "mass_kg", "live_time_d")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("treshold_ev", "threshold_ev"),
        ("Threshold_EV", "threshold_ev"),
        ("noise_ev", "electronic_noise_ev"),
        ("mass", "mass_kg"),
        ("live-time-d", "live_time_d"),
    ],
)
def test_the_nearest_name(word, meant):
    assert unknown_name("key", word, KEYS).hint == f"did you mean {meant!r}?"


def test_no_name_is_near():
    assert unknown_name("key", "colour", KEYS).hint.startswith("known: electronic_noise_ev, ")
    assert unknown_name("key", "colour", ()).hint == "there is none"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, float("inf"), "give a number in MeV from 0 up"),
        (float("-inf"), 3.0, "give a number in MeV up to 3"),
        (1.0, 3.0, "give a number in MeV from 1 to 3"),
    ],
)
def test_the_range_of_a_parameter_in_words(low, high, words):
    parameter = Parameter("x", "MeV", 2.0, "x", "x", low, high)
    with pytest.raises(fastscan.InputError) as caught:
        parameter.check(low - 1.0 if high == float("inf") else high + 1.0)
    assert caught.value.hint == words


def test_a_pure_number_has_no_unit():
    with pytest.raises(fastscan.InputError, match=r"give a number$"):
        Parameter("x", "1", 2.0, "x", "x").check("big")


def test_another_method_is_named(capsys):
    from fastscan.cli import main

    with pytest.raises(SystemExit):
        main(("limit", "sm", "--poi", "sin2_theta_w", "--toys", "10"))
    assert "use --method feldman-cousins or cls" in capsys.readouterr().err


def test_a_command_without_resume_goes_on_with_force(capsys, monkeypatch, tmp_path):
    import fastscan.reproduce
    from fastscan.cli import main

    def stop(*_, **__):
        raise RunError("scan stopped", hint="run the same command with --resume")

    monkeypatch.setattr(fastscan.reproduce, "run_quickstart", stop)
    with pytest.raises(SystemExit):
        main(("quickstart", "-o", str(tmp_path / "q")))
    assert "run the same command with --force" in capsys.readouterr().err
