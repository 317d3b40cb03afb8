"""`keep_window`: what is published as kept has been copied, also where another sample fails."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
from nvidia.dali import Pipeline, fn

from dali_voc._shared_memory import SharedMemory
from dali_voc.ops import CacheNodes, keep_window

# as in sample_cache.h
HEADER, SLOT, EMPTY, READY = 64, 32, 0, 2
N = 3


class Kept:
    """A cache for N pictures, and the operator that fills it."""

    def __init__(self) -> None:
        self.memory = np.zeros(100_000, np.uint8)
        self.known = SharedMemory(None, size=HEADER + 2 * N * SLOT + self.memory.size)
        rng = np.random.default_rng(0)
        self.pictures = [rng.integers(0, 256, (20 + i, 30 + i, 3), np.uint8) for i in range(N)]

    def run(self, starts: list[tuple[int, int]], *, is_kept: int) -> list[np.ndarray]:
        shape = (10, 12)
        given = {
            "picture": [np.zeros((1, 1, 3), np.uint8)] * N if is_kept else self.pictures,
            "sample": list(np.arange(N)),
            "is_kept": [np.int32(is_kept)] * N,
            "start": [np.array(start, np.int32) for start in starts],
            "shape": [np.array(shape, np.int32)] * N,
        }
        pipeline = Pipeline(batch_size=N, num_threads=1, device_id=None, prefetch_queue_depth=1)
        with pipeline:
            picture, sample, kept, start, size = fn.external_source(
                source=lambda: tuple(given.values()), num_outputs=len(given)
            )
            cache = CacheNodes(
                handle=self.known.handle, num_samples=N, keep="decoded", sample=sample
            )
            pipeline.set_outputs(
                keep_window(
                    picture,
                    cache=cache,
                    memory=self.memory.ctypes.data,
                    is_kept=kept,
                    start=start,
                    shape=size,
                )
            )
        (found,) = pipeline.run()
        return [np.array(found[i]) for i in range(N)]

    def states(self) -> list[int]:
        """Return those of the pictures; each sample's second slot is its label's."""
        places = [HEADER + 2 * i * SLOT for i in range(N)]
        return [struct.unpack("=I", os.pread(self.known.handle, 4, at))[0] for at in places]


def test_windows_are_those_of_the_pictures_and_later_ones_of_what_is_kept() -> None:
    kept = Kept()
    starts = [(0, 0), (3, 5), (12, 20)]
    expected = [
        picture[y : y + 10, x : x + 12]
        for picture, (y, x) in zip(kept.pictures, starts, strict=True)
    ]
    for is_kept in (0, 1, 1):
        found = kept.run(starts, is_kept=is_kept)
        assert all(map(np.array_equal, found, expected))
        assert kept.states() == [READY] * N
    for picture in kept.pictures:
        assert picture.tobytes() in kept.memory.tobytes()


def test_after_a_failure_nothing_counts_as_kept() -> None:
    kept = Kept()
    with pytest.raises(RuntimeError, match="the window reaches past the picture's edge"):
        kept.run([(0, 0), (3, 5), (13, 20)], is_kept=0)
    assert not kept.memory.any()
    assert kept.states() == [EMPTY] * N
    with pytest.raises(RuntimeError, match="the picture is not kept any more"):
        kept.run([(0, 0)] * N, is_kept=1)
    # another time they are kept, where there is still room
    kept.run([(0, 0)] * N, is_kept=0)
    assert kept.states() == [READY] * N
    found = kept.run([(0, 0)] * N, is_kept=1)
    expected = [picture[:10, :12] for picture in kept.pictures]
    assert all(map(np.array_equal, found, expected))
