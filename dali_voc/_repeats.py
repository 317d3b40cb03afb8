"""What is there more than once, where each should be there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

__all__ = ["find_twice", "repeated"]

T = TypeVar("T", bound=Hashable)


def repeated(values: Iterable[T]) -> list[T]:
    """Return the values that are there more than once, each once, as they come first."""
    return [value for value, times in Counter(values).items() if times > 1]


def find_twice(values: Iterable[T]) -> T | None:
    """Return the first of them, None where all differ."""
    return next(iter(repeated(values)), None)
