"""Processes that want the same tensors at the same moment: one stores them, all have them."""

import shutil
from functools import partial

import numpy as np
import pytest
from racing import race

from fastscan.inputs import load_experiment
from fastscan.tensors import load_response, read_store, store, store_path

ROUNDS = 12


def load_prepared(response, folder, builds):
    """`load_response`, but instead of being built the tensors are there; builds leave a file."""

    def build(*_):
        (builds / f"{id(folder)}-{np.random.default_rng().integers(2**62)}").touch()
        return response

    store.build_response = build
    experiment = load_experiment("conus-plus-a25")
    assert load_response(experiment, folder).name == response.name


@pytest.fixture(scope="module")
def response(tmp_path_factory):
    return load_response(load_experiment("conus-plus-a25"), tmp_path_factory.mktemp("one"))


def test_one_builds_and_the_others_use_it(response, tmp_path):
    rounds = []
    for number in range(ROUNDS):
        folder, builds = tmp_path / f"{number}", tmp_path / f"builds-{number}"
        builds.mkdir()
        rounds.append({"response": response, "folder": folder, "builds": builds})
    outcomes = race(load_prepared, rounds, racers=3, folder=tmp_path)
    assert outcomes == [["ok"] * 3] * ROUNDS
    experiment = load_experiment("conus-plus-a25")
    for one in rounds:
        assert len(list(one["builds"].iterdir())) == 1
        path = store_path(experiment, one["folder"])
        assert list(one["folder"].iterdir()) == [path]
        assert read_store(path).name == response.name


def test_a_killed_builder_leaves_nothing_in_the_way(response, tmp_path):
    """Its temporary folder is removed by the next one; its lock is no lock any more."""
    path = tmp_path / f"{response.name}.zarr"
    (tmp_path / f".{path.name}-{'0' * 32}.partial" / "cevns").mkdir(parents=True)
    (tmp_path / f".{path.name}.lock").write_text("process 1 on nowhere\n")
    builds = tmp_path / "builds"
    builds.mkdir()
    build = store.build_response
    try:
        partial(load_prepared, response, tmp_path, builds)()
    finally:
        store.build_response = build
    shutil.rmtree(builds)
    assert list(tmp_path.iterdir()) == [path]
