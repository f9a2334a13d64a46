"""Machine code where no folder can keep it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fastscan

PROGRAM = """
import numpy as np
from fastscan.kernels import fill, quenching
print(fill.__file__)
print(quenching.lindhard(np.array([1e-3]), 32.0, 0.16)[0])
"""


def test_kernels_compile_in_memory_where_nothing_can_be_written(tmp_path):
    """Every folder that numba tries is a file, so that even root, which passes by permissions, can
    not write there: a read-only installation of a user without a home.
    """
    source = Path(fastscan.__file__).parent
    package = shutil.copytree(
        source, tmp_path / "fastscan", ignore=shutil.ignore_patterns("__pycache__")
    )
    (package / "kernels" / "__pycache__").write_text("")
    (tmp_path / "file").write_text("")
    nowhere = str(tmp_path / "file" / "home")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")},
        **dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), nowhere),
        "PYTHONPATH": str(tmp_path),
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    path, value = ended.stdout.split()
    assert Path(path).is_relative_to(tmp_path)
    assert 0.0 < float(value) < 1e-3
    # Once, although there are two kernels.
    assert ended.stderr.count("\n") == 1
    assert "no folder for machine code" in ended.stderr
