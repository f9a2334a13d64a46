"""What the store of a Feldman-Cousins construction holds; see `fastscan.scan.block_store`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from fastscan.scan.block_store import Layout, Values

__all__ = ["CONSTRUCTION", "is_construction"]

CONSTRUCTION = Layout(
    kind="fastscan construction",
    noun="construction",
    made_by="fastscan scan --method feldman-cousins",
    format_version=1,
    points={
        "statistic": Values("float64", np.nan, "chi2 of the data above its minimum in the plane"),
        "critical_value": Values(
            "float64", np.nan, "value at or below which a part cl of toys lies"
        ),
        "critical_error": Values("float64", np.nan, "Monte Carlo error of the critical value"),
        "toys": Values("int64", -1, "toys that were fitted"),
    },
    blocks={},
)


def is_construction(path: str | Path) -> bool:
    """Whether a folder says that it is a construction."""
    try:
        root = json.loads(Path(path, "zarr.json").read_text(encoding="utf-8"))
        return bool(root["attributes"]["kind"] == CONSTRUCTION.kind)
    except (OSError, ValueError, TypeError, KeyError):
        return False
