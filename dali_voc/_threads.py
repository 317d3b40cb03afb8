"""How many CPU threads "auto" stands for."""

from __future__ import annotations

import os
from typing import Literal

__all__ = ["pick_threads"]


def pick_threads(threads: int | Literal["auto"]) -> int:
    """Return the number of CPU threads; "auto" is one per core that this process may use."""
    return len(os.sched_getaffinity(0)) if threads == "auto" else threads
