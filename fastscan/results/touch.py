"""Ends of axes and boxes that a region reaches: there something may be cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Touch", "cut_words", "edge_words", "touch_words"]


@dataclass(frozen=True)
class Touch:
    """An end of an axis that a region reaches.

    Attributes
    ----------
    parameter : str
    end : {"low", "high"}
    value : float
    """

    parameter: str
    end: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def edge_words(touches: Sequence[Touch], what: str = "grid") -> str:
    """What is told of a region that reaches edges; empty if it reaches none."""
    if not touches:
        return ""
    return f"the region is cut off by the edge of the {what}: {touch_words(touches)}"


def cut_words(touches: Sequence[Touch]) -> str:
    """What is told of a credible region that reaches an end of the prior's box."""
    words = edge_words(touches, "box")
    return f"{words}: it ends where the prior does, not where the data do" if words else ""


def touch_words(touches: Sequence[Touch]) -> str:
    """Edges as ``name = value and value, …``."""
    ends: dict[str, list[str]] = {}
    for touch in touches:
        ends.setdefault(touch.parameter, []).append(f"{touch.value:g}")
    return ", ".join(f"{name} = {' and '.join(values)}" for name, values in ends.items())
