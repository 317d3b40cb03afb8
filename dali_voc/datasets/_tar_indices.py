"""The indices of a split's shards, and what is told while they are made."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from dali_voc.datasets._at_once import map_at_once
from dali_voc.datasets._tar_index import ShardIndex, load_index
from dali_voc.errors import printable

__all__ = ["load_indices"]

_log = logging.getLogger("dali_voc")
_NOTES = 3  # that are logged; others are counted
_PATIENCE = 10.0  # seconds without a word
# Times the processor's: storage makes a thread wait, and others might ask it meanwhile. Where it
# does not, they would only wait for each other, as Python runs one at a time.
_SLOW = 3.0


def load_indices(shards: Sequence[Path], *, unlabeled: bool = False) -> list[ShardIndex]:
    """Return the index of each shard, see `load_index`, and log what was noted of them.

    Raises:
        DatasetError: a shard cannot be read, or is not a sound tar of pairs; of several, the first.
    """
    progress = _Progress(shards)

    def load(shard: Path) -> ShardIndex:
        index = load_index(shard, unlabeled=unlabeled)
        progress.step()
        return index

    found: list[ShardIndex] = []
    for number, shard in enumerate(shards, 1):
        begin, worked = time.perf_counter(), time.thread_time()
        found.append(load(shard))
        took, worked = time.perf_counter() - begin, time.thread_time() - worked
        if took > _SLOW * worked:
            found += map_at_once(load, shards[number:])
            break
    _tell(shards, found)
    return found


class _Progress:
    """Says once that it takes long; threads may share it."""

    def __init__(self, shards: Sequence[Path]) -> None:
        self._shards, self._done = shards, 0
        self._until = time.monotonic() + _PATIENCE
        self._lock = threading.Lock()

    def step(self) -> None:
        with self._lock:
            self._done += 1
            tells = time.monotonic() > self._until
            if tells:
                self._until = float("inf")
        if tells:
            _log.warning(
                "%s: looking for the pairs in %d shards, of which %d are done; what is found is "
                "kept, and later starts are quick",
                printable(str(self._shards[0].parent)),
                len(self._shards),
                self._done,
            )


def _tell(shards: Sequence[Path], indices: Sequence[ShardIndex]) -> None:
    """Log the first things that were noted of shards, and how many others were."""
    pairs = zip(shards, indices, strict=True)
    noted = [(shard, note) for shard, index in pairs for note in index.notes()]
    for shard, note in noted[:_NOTES]:
        _log.warning("%s: %s", printable(str(shard)), printable(note))
    if noted[_NOTES:]:
        more = len(noted) - _NOTES
        _log.warning("%s: %d more such notes on shards", printable(str(shards[0].parent)), more)
