"""Processes that make one store at the same moment: one wins, the others are told, or use it."""

from functools import partial

import pytest
from racing import race
from scan_helpers import contents

from fastscan import Axis, ScanResult, run_scan
from fastscan.scan import Grid

AXES = [Axis("mass_mev", 0.01, 1e3, 30, "log"), Axis("g", 0.0, 1e-4, 20)]
ROUNDS = 12
RACERS = 3


def compile_kernels(likelihood):
    Grid(likelihood, AXES).evaluate((slice(0, 1), slice(0, 1)))


@pytest.mark.parametrize("resume", [False, True])
def test_one_wins(vector, tmp_path, resume):
    common = {"likelihood": vector, "axes": AXES, "block_points": 100, "workers": 2}
    rounds = [
        {**common, "out": tmp_path / f"{n}" / "x.zarr", "resume": resume} for n in range(ROUNDS)
    ]
    for one in rounds:
        one["out"].parent.mkdir()
    alone = tmp_path / "alone.zarr"
    outcomes = race(
        run_scan,
        rounds,
        racers=RACERS,
        folder=tmp_path,
        warm=partial(compile_kernels, vector),
    )
    run_scan(vector, AXES, out=alone, block_points=100)
    assert len(outcomes) == ROUNDS
    for one, outcome in zip(rounds, outcomes, strict=True):
        refused = [words for words in outcome if words != "ok"]
        if not resume:
            assert len(refused) == RACERS - 1
        assert len(refused) < RACERS
        for words in refused:
            held = words.startswith("StoreError: another process is writing this scan")
            # Who comes when the winner has finished finds an output, and may not go on with it.
            late = not resume and words.startswith("StoreError: output exists")
            assert held or late
            assert str(one["out"]) in words
        assert contents(one["out"]) == contents(alone)
        assert list(one["out"].parent.iterdir()) == [one["out"]]
        assert ScanResult.open(one["out"]).chi2.shape == (30, 20)


def test_the_holder_is_named(vector, tmp_path):
    """Most of those who are refused learn the process and its machine."""
    rounds = [
        {"likelihood": vector, "axes": AXES, "block_points": 20, "out": tmp_path / f"{n}.zarr"}
        for n in range(2)
    ]
    outcomes = race(
        run_scan, rounds, racers=4, folder=tmp_path, warm=partial(compile_kernels, vector)
    )
    told = [words for outcome in outcomes for words in outcome if ": process " in words]
    assert told
    assert all(" on " in words for words in told)
