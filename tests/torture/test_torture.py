"""A few cases of every attack; ``scripts/torture`` runs as many as one likes."""

import numpy as np
import pytest
from click import Context

from fastscan.cli import commands
from torture import mutations, store_files
from torture.__main__ import ATTACKS
from torture.attack import difference, misspoken
from torture.disks import Disks
from torture.kills import Kills
from torture.page import Tally, page
from torture.pool import run_case
from torture.races import Races
from torture.workshop import COMMANDS

SEED = 20260101
# Those that run commands in forks take a second for each case.
FEW = {Kills: (1, 6, 13), Disks: (1,), Races: (25,)}
MANY = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What one attack has prepared here, the next one uses again."""
    return tmp_path_factory.mktemp("torture")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_few_cases(attack, folder, monkeypatch):
    monkeypatch.setenv("FASTSCAN_TABLES", str(folder / "tables"))
    numbers = FEW.get(attack)
    if numbers is None:
        spread = np.random.default_rng(SEED).choice(attack.cases, MANY, replace=False)
        numbers = tuple(int(number) for number in spread)
    with attack(SEED, folder) as running:
        outcomes = {number: run_case(running, number) for number in numbers}
    assert [(n, o.group, o.failure) for n, o in outcomes.items() if o.failure] == []


def test_every_command_that_writes_is_attacked():
    context = Context(commands)
    names = commands.list_commands(context)
    writing = {"build"} | {
        name
        for name in names
        if any(option.name == "out" for option in commands.get_command(context, name).params)
    }
    assert writing == {command.words.split()[0] for command in COMMANDS}


@pytest.fixture(scope="module")
def lenient(tmp_path_factory):
    """A store whose reader looks at nothing but the first byte of each file."""
    path = tmp_path_factory.mktemp("lenient")
    for name in ("x/c/0", "x/c/1"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(name.encode() * 10)

    def read():
        return [(path / name).read_bytes() for name in ("x/c/0", "x/c/1")]

    return store_files.StoreFiles("lenient", path, [path], read)


@pytest.mark.parametrize("damage", mutations.DAMAGES)
def test_damage_is_done_noticed_and_undone(lenient, damage):
    """Of a reader that checks nothing, every damage to a file gives other values or an error."""
    group = ("lenient", "x/c/0", damage)
    for number in range(20):
        mutations.DAMAGES[damage](lenient, "x/c/0", np.random.default_rng(number))
        changed = lenient.contents() != lenient.files
        outcome = mutations.judge(lenient, group)
        assert bool(outcome.failure) == (changed and damage != "added") or damage == "replaced"
        lenient.restore()
        assert lenient.contents() == lenient.files
        assert mutations.judge(lenient, group).failure == ""


@pytest.mark.parametrize(
    ("stderr", "failed"),
    [
        ("", True),
        ("fastscan: no\nfastscan: such file\n", True),
        ("fastscan: internal error: KeyError\n", True),
        ("RuntimeWarning: overflow\n", False),
        ("fastscan: \x1b[2J\n", True),
        ("fastscan: no such file\n", False),
    ],
)
def test_what_is_wrong_with_words(stderr, failed):
    assert misspoken(stderr, failed=failed)


def test_right_words():
    assert misspoken("fastscan: no such file\n", failed=True) == ""
    assert misspoken("fastscan: warning: old\n", "1\n", failed=False) == ""


def test_differences_of_folders():
    found = {"a": b"1", "b": b"2", "c": None}
    wanted = {"a": b"1", "b": b"3", "d": None}
    assert difference(found, wanted) == "left over: c; missing: d; differ: b"
    assert difference(found, found) == ""


def test_the_page_counts_and_names_failures(lenient):
    tally = Tally(mutations.Mutations)
    lenient_group = ("lenient", "x/c/0", "cut")
    for number in range(2):
        tally.add(number, mutations.Outcome(lenient_group, "detected"))
    tally.add(2, mutations.Outcome(lenient_group, "harmless", "other `values`"))
    text = page([tally], seed=5)
    (row,) = (line for line in text.splitlines() if line.startswith("| mutations "))
    assert row.startswith("| mutations | 3 | 3 | 1 | ")
    assert row.endswith(" | `scripts/torture mutations --seed 5 --cases 3` |")
    assert "| lenient | x/c/0 | 3 (1) [1] |" in text
    assert "- `--only 2`, lenient: x/c/0: cut: `other 'values'`" in text


def test_a_page_is_completed(lenient):
    first, second, third = (Tally(attack) for attack in (mutations.Mutations, Kills, Kills))
    first.add(0, mutations.Outcome(("lenient", "x/c/0", "cut"), "detected"))
    second.add(0, mutations.Outcome(("scan",), "ended well", tries=2))
    third.add(0, mutations.Outcome(("scan",), "ended well", "lost"))
    text = page([second], 6, page([first], 5))
    assert text == page([first, second], 5).replace("kills --seed 5", "kills --seed 6")
    assert page([third], 6, text) == page([third], 6, page([first], 5))
