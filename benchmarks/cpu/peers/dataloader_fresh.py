"""The tuned DataLoader without its reused buffers: fresh shared memory for every batch."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import torch

from benchmarks.cpu.peers._fast_pair import FastPairs
from benchmarks.cpu.peers._plain_loader import loader_batches
from benchmarks.cpu.peers._windows import find_pairs
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["batches"]


class _Pairs(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, config: Config, index: PairIndex) -> None:
        self._parts = config, index
        self._pairs: FastPairs | None = None

    def __len__(self) -> int:
        return len(self._parts[1])

    def __getitem__(self, sample: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self._pairs is None:  # in the worker, once
            cv2.setNumThreads(1)
            self._pairs = FastPairs(*self._parts)
        crop = self._parts[0].augment.crop_size
        image, label = torch.empty((3, *crop)), torch.empty(crop, dtype=torch.int64)
        self._pairs.read(sample, image.numpy(), label.numpy())
        return image, label


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    pairs = _Pairs(config, find_pairs(config, split))
    return loader_batches(pairs, batch_size=config.loader.batch_size)
