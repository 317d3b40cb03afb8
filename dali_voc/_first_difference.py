"""Where two lists differ first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["first_difference"]


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> tuple[Any, Any]:
    """Return the first two values that differ; where one is the other's beginning, the lengths."""
    pairs = zip(one, other, strict=False)
    return next(((a, b) for a, b in pairs if a != b), (len(one), len(other)))
