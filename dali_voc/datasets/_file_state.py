"""Whether files are as they were, by their sizes and times of change."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from dali_voc.datasets._at_once import AT_ONCE, map_at_once
from dali_voc.datasets._index import PairIndex

__all__ = ["state_of_files"]


def state_of_files(index: PairIndex) -> str:
    """Return a hash of the sizes and times of the files that pairs are in."""
    every = np.arange(len(index))
    rows = [row for files in (index.images, index.labels) for row in files.encoded(every)]
    names = sorted({row.tobytes().rstrip(b"\0") for row in rows})
    facts = map_at_once(_facts, [names[i::AT_ONCE] for i in range(AT_ONCE)])
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _facts(names: list[bytes]) -> list[tuple[int, int] | None]:
    """Return size and time of change; None for a file that cannot be looked at."""
    facts: list[tuple[int, int] | None] = []
    for name in names:
        try:
            found = os.stat(name)
        except OSError:
            facts.append(None)
        else:
            facts.append((found.st_size, found.st_mtime_ns))
    return facts
