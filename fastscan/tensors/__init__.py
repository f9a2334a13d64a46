"""Response tensors: flux moments and detector response at recoil nodes, built once and stored."""

from fastscan.tensors.header import DATA_VERSION, QUADRATURE_TOLERANCE
from fastscan.tensors.response import CHANNELS, FLUX_UNITS, ChannelResponse, Response
from fastscan.tensors.store import (
    build_response,
    load_response,
    read_store,
    store_path,
    survey_store,
    tables_directory,
    write_store,
)

__all__ = [
    "CHANNELS",
    "DATA_VERSION",
    "FLUX_UNITS",
    "QUADRATURE_TOLERANCE",
    "ChannelResponse",
    "Response",
    "build_response",
    "load_response",
    "read_store",
    "store_path",
    "survey_store",
    "tables_directory",
    "write_store",
]
