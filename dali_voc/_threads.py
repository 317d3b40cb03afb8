"""How many CPU threads "auto" stands for."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Literal

from dali_voc._cgroup import cpu_quota

__all__ = ["pick_threads"]


def pick_threads(threads: int | Literal["auto"], *, root: Path = Path("/")) -> int:
    """Return the number of CPU threads; "auto" is one per core that this process may use.

    Of a container that may use less time than its cores have, `docker run --cpus 2.5`, the cores
    that this comes to, rounded up: more threads would be stopped in turns.

    Args:
        threads: `loader.threads`.
        root: where /proc and /sys are.
    """
    if threads != "auto":
        return threads
    cores = len(os.sched_getaffinity(0))
    quota = cpu_quota(root=root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))
