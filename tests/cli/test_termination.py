"""SIGTERM in any command ends in one line with the command to run again, and in code 1."""

import os
import signal
import time
from pathlib import Path

import pytest

import fastscan.likelihoods
import fastscan.reproduce
import fastscan.scan
from fastscan.inference import coverage as coverage_module


def end(*_, **__):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


AXES = ("--axis", "q_ee=-1e-12:1e-12:5", "--axis", "q_emu=-1e-12:1e-12:5")
COMMANDS = [
    ("predict", "sm"),
    ("marginal", "millicharge", *AXES, "--keep", "q_ee", "-o", "it's mine.csv"),
    ("coverage", "sm", "--toys", "10", "-o", "x.csv"),
    ("limit", "sm", "--poi", "sin2_theta_w"),
    ("reproduce", "a25", "-o", "a25-again"),
    ("quickstart", "-o", "first"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])
def test_one_line(run, monkeypatch, words, handler):
    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", end)
    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "limit", end)
    monkeypatch.setattr(fastscan.scan, "marginalise", end)
    monkeypatch.setattr(coverage_module, "coverage", end)
    monkeypatch.setattr(fastscan.reproduce, "run_papers", end)
    monkeypatch.setattr(fastscan.reproduce, "run_quickstart", end)
    if handler == signal.SIG_IGN:
        # As under nohup: what is ignored stays so, and the command goes on.
        monkeypatch.setattr(time, "sleep", lambda _: None)
    before = signal.signal(signal.SIGTERM, handler)
    try:
        if handler == signal.SIG_IGN:
            run(*words)
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            return
        outcome = run(*words)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert outcome.code == 1
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("fastscan: interrupted; ")
    written = " ".join(f"'{w}'" if "'" not in w and " " in w else w for w in words)
    if "it's mine.csv" in words:
        written = written.replace("it's mine.csv", "'it'\"'\"'s mine.csv'")
    forced = " --force" if words[0] in ("reproduce", "quickstart") else ""
    assert line.endswith(f": fastscan {written}{forced}")
    assert list(Path().iterdir()) == []


def test_one_line_while_another_error_is_handled(run, monkeypatch):
    def look_up(*_, **__):
        try:
            {}["name"]
        except KeyError:
            end()

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", look_up)
    outcome = run("predict", "sm")
    assert outcome.err.startswith("fastscan: interrupted; ")


class Unlucky:
    """Ended by a signal where Python prints an error and goes on."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_line_from_a_destructor(run, monkeypatch, number):
    def destroy(*_, **__):
        Unlucky(number)
        time.sleep(60)

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", destroy)
    # A shell lets its background jobs ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        outcome = run("predict", "sm")
    finally:
        signal.signal(signal.SIGINT, before)
    assert outcome.code == 1
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith("fastscan: interrupted; ")


def test_one_line_where_the_signal_turned_into_another_error(run, monkeypatch):
    def half_an_import(*_, **__):
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException:
            raise AttributeError("partially initialized module") from None

    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", half_an_import)
    outcome = run("predict", "sm")
    assert outcome.code == 1
    (line,) = outcome.err.splitlines()
    assert line.startswith("fastscan: interrupted; ")


def test_an_error_without_a_signal_is_no_interruption(run, monkeypatch):
    def fail(*_, **__):
        raise AttributeError("a mistake")

    run("predict", "sm")
    monkeypatch.setattr(fastscan.likelihoods.Likelihood, "predict", fail)
    assert "internal error: AttributeError: a mistake" in run("predict", "sm").err
