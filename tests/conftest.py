"""Fixtures and settings shared by all tests."""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]


def _kernel_sources_hash() -> str:
    sources = sorted((ROOT / "fastscan" / "kernels").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


os.environ["MPLBACKEND"] = "Agg"
# numba looks only at the file a kernel stands in, so machine code of an edited helper in another
# file would be reused from the cache. One cache per state of the kernels can not be stale.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache" / _kernel_sources_hash()))

# Compiling a kernel takes longer than any deadline; the same examples everywhere, every time.
settings.register_profile("fastscan", deadline=None, derandomize=True)
settings.load_profile("fastscan")


@pytest.fixture(scope="session", autouse=True)
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the tensor stores that all tests share, in place of the user's own."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Every worker has a folder of its own below that of the run; stores appear in one piece,
        # so two workers may build the same one.
        folder = folder.parent
    folder /= "tables"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTSCAN_TABLES", str(folder))
        yield folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same ones for every test and run."""
    return np.random.default_rng(20250109)


@pytest.fixture(scope="session")
def make(tables):
    """`fastscan.likelihood`, remembered: each made once for all tests of a worker."""
    from fastscan.likelihoods import likelihood

    return cache(likelihood)


@pytest.fixture(scope="session")
def vector_twin():
    """Chi2 of the vector's coupling from the slow twins of counts and chi2, remembered.

    Counts are c0 + c1 g^2 + c2 g^4: three slow predictions give them at every g.
    """
    import naive

    from fastscan.inputs import load_experiment

    @cache
    def predictor(experiment, channel):
        return naive.Predictor(load_experiment(experiment), channel)

    @cache
    def curve(experiment, charges, mass_mev, scale):
        shown = load_experiment(experiment)
        counts = [
            sum(
                predictor(experiment, channel).counts(
                    "vector", {"mass_mev": mass_mev, "charges": charges, "g": g}
                )
                for channel in ("cevns", "eves")
            )
            for g in (0.0, scale, np.sqrt(2.0) * scale)
        ]
        first, second = counts[1] - counts[0], counts[2] - counts[0]
        linear, square = (4 * first - second) / 2, (second - 2 * first) / 2

        def chi2(g):
            u = (g / scale) ** 2
            total = counts[0] + linear * u + square * u**2
            seen = shown.observation
            return naive.chi2_exact(total, seen.counts, seen.sigma, shown.systematics.sigma_alpha)

        return chi2

    return curve


@pytest.fixture(scope="session")
def copied(tmp_path_factory):
    """The vector mediator as a guest: its very source, under another name."""
    from fastscan.models import vector

    source = Path(vector.__file__).read_text(encoding="utf-8")
    assert source.count('    name = "vector"\n') == 1
    path = tmp_path_factory.mktemp("guests") / "copied.py"
    path.write_text(source.replace('    name = "vector"\n', '    name = "copied"\n'))
    return f"{path}:VectorMediator"


@pytest.fixture(scope="session")
def two_mediators(tmp_path_factory):
    """The model that the README shows, with two masses."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```python\n((?:(?!```).)*class TwoMediators.*?)```", readme, re.DOTALL)
    path = tmp_path_factory.mktemp("guests") / "two_mediators.py"
    path.write_text(text, encoding="utf-8")
    return f"{path}:TwoMediators"
