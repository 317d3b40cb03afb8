"""Many small waits at once: a network takes its time for each file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["AT_ONCE", "map_at_once"]

AT_ONCE = 16  # threads

T = TypeVar("T")
R = TypeVar("R")


def map_at_once(look: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """Return what a function makes of each part, by threads, or by this one if there are no more.

    What it raises is raised, of several the first in the order of the parts.
    """
    try:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return [*threads.map(look, parts)]
    except RuntimeError:  # the system gives no more threads
        return [*map(look, parts)]
