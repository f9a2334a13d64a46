"""Results of every kind, each made once."""

import pytest
from result_kinds import MAKERS

import fastscan


@pytest.fixture(scope="session")
def every(tables, tmp_path_factory):
    """Make a result by its kind, once."""
    vector = fastscan.likelihood("vector")
    shapes = fastscan.likelihood("sm", "conus-plus-shapes")
    charges = fastscan.likelihood("millicharge")
    folder, made = tmp_path_factory.mktemp("results"), {}

    def make(kind):
        if kind not in made:
            made[kind] = MAKERS[kind](vector, shapes, charges, folder)
        return made[kind]

    return make
