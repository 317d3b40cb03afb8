"""PyTorch's DataLoader, tuned by hand: workers write into shared buffers that are used again.

A batch is overwritten once the next but `_SLOTS - _AHEAD - 1` is asked for. One sampler runs
through all epochs, so that workers do not stand still between them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import cycle

import cv2
import torch

from benchmarks.cpu.peers._fast_pair import FastPairs
from benchmarks.cpu.peers._windows import find_pairs, shuffled_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["batches"]

_WORKERS = 2
_AHEAD = 4  # batches that the workers may be ahead, as the DataLoader counts
_SLOTS = _AHEAD + 1


class _Slots(torch.utils.data.Dataset[tuple[int, int]]):
    """An item is a whole batch: the buffer it was written to, and how many pairs it has."""

    def __init__(self, config: Config, index: PairIndex) -> None:
        height, width = config.augment.crop_size
        shape = (_SLOTS, config.loader.batch_size, 3, height, width)
        self.images = torch.zeros(shape).share_memory_()
        self.labels = torch.zeros(shape[:2] + shape[3:], dtype=torch.int64).share_memory_()
        self._parts = config, index
        self._pairs: FastPairs | None = None

    def __getitem__(self, task: tuple[int, list[int]]) -> tuple[int, int]:
        if self._pairs is None:  # in the worker, once
            cv2.setNumThreads(1)
            self._pairs = FastPairs(*self._parts)
        slot, samples = task
        images, labels = self.images[slot].numpy(), self.labels[slot].numpy()
        for place, sample in enumerate(samples):
            self._pairs.read(sample, images[place], labels[place])
        return slot, len(samples)


class _Tasks(torch.utils.data.Sampler[tuple[int, list[int]]]):
    def __init__(self, config: Config, num_samples: int) -> None:
        self._config, self._num_samples = config, num_samples

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        loader = self._config.loader
        lists = shuffled_batches(
            num_samples=self._num_samples, batch_size=loader.batch_size, seed=loader.seed
        )
        return zip(cycle(range(_SLOTS)), lists)


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end; each is valid until the next is asked for."""
    index = find_pairs(config, split)
    slots = _Slots(config, index)
    loader = torch.utils.data.DataLoader(
        slots,
        batch_size=None,
        sampler=_Tasks(config, len(index)),
        num_workers=_WORKERS,
        multiprocessing_context="fork",  # as users of Linux have it
        prefetch_factor=_AHEAD // _WORKERS,
        persistent_workers=True,
    )
    for slot, n in loader:
        yield slots.images[slot, :n], slots.labels[slot, :n]
