"""The one alias every kernel is compiled with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba

__all__ = ["jit"]

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile a serial kernel that releases the GIL and keeps its machine code on disk.

    Where no folder can be written, as in a read-only installation without a home, machine code
    stays in memory, and a warning is logged, once.

    No ``fastmath``: the order of every sum is fixed, so a result does not depend on how a grid was
    cut into blocks, nor on the width of the vector unit.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    except RuntimeError:
        # numba's word for having tried its folder, the package's and the user's in vain.
        _warn()
        return cast(F, numba.njit(**options)(function))


@cache
def _warn() -> None:
    logging.getLogger("fastscan").warning(
        "no folder for machine code can be written: kernels are compiled anew in every process; "
        "NUMBA_CACHE_DIR names a folder to keep it"
    )
