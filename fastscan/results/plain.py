"""Plain values: what JSON can hold, and when two contents are the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["alike", "plain"]


def plain(value: Any) -> Any:
    """A value as JSON knows it: dicts, lists, text, numbers; None for what is not finite.

    Examples
    --------
    >>> plain({"intervals": [(0.0, math.inf)]})
    {'intervals': [[0.0, None]]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def alike(first: Any, second: Any) -> bool:
    """Whether two contents are the same: arrays by value, a NaN like another NaN."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        a, b = np.asarray(first), np.asarray(second)
        numbers = a.dtype.kind == b.dtype.kind == "f"
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=numbers))
    if isinstance(first, float) and isinstance(second, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(alike(v, second[k]) for k, v in first.items())
    if isinstance(first, str) or not isinstance(first, Sequence):
        return bool(first == second)
    if not isinstance(second, Sequence) or len(first) != len(second):
        return False
    return all(alike(a, b) for a, b in zip(first, second, strict=True))
