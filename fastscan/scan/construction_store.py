"""What the store of a Feldman-Cousins construction holds; see `fastscan.storage`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastscan.storage.contents import kind_of
from fastscan.storage.layout import Layout, Values

__all__ = ["CONSTRUCTION", "is_construction"]

CONSTRUCTION = Layout(
    kind="fastscan construction",
    noun="construction",
    made_by="fastscan scan --method feldman-cousins",
    format_version=2,
    points={
        "statistic": Values("float64", np.nan, "chi2 of the data above its minimum in the plane"),
        "critical_value": Values(
            "float64", np.nan, "value at or below which a part cl of toys lies"
        ),
        "critical_error": Values("float64", np.nan, "Monte Carlo error of the critical value"),
        "toys": Values("int64", -1, "effective number of toys"),
    },
    blocks={},
    blocks_noun="rows",
)


def is_construction(path: str | Path) -> bool:
    """Whether a folder says that it is a construction."""
    return kind_of(Path(path)) == CONSTRUCTION.kind
