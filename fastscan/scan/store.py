"""What the store of a scan holds; how it is written and read is `fastscan.storage`."""

from __future__ import annotations

from typing import Any

import numpy as np
from zarr.codecs import BloscCodec, Crc32cCodec

from fastscan.storage.layout import Layout, Values

__all__ = ["DTYPES", "compressors", "scan_layout"]

# Types chi2 can be stored in, and what is said of them in its attributes.
DTYPES = {
    "float64": "computed and stored in double precision",
    "float32": "computed in double precision, rounded once: relative error at most 6e-8",
}


def compressors(dtype: str = "float64") -> tuple[Any, ...]:
    """Codecs of the chi2 chunks: fast compression, and a checksum that is verified on reading."""
    size = np.dtype(dtype).itemsize
    return BloscCodec(cname="lz4", clevel=1, shuffle="shuffle", typesize=size), Crc32cCodec()


def scan_layout(dtype: str = "float64") -> Layout:
    """Chi2 of every point, and the lowest of every block."""
    return Layout(
        kind="fastscan scan",
        noun="scan",
        made_by="fastscan scan",
        format_version=2,
        points={
            "chi2": Values(
                dtype,
                np.nan,
                "absolute chi2, nuisances profiled",
                compressors(dtype),
                {"precision": DTYPES[dtype]},
            )
        },
        blocks={
            "block_chi2_min": Values("float64", np.nan, "lowest chi2 of the block"),
            "block_best_index": Values(
                "int64", -1, "flat index of that point in the block, C order"
            ),
            "block_alpha_hat": Values(
                "float64", np.nan, "change of the total counts by nuisances there"
            ),
        },
    )
