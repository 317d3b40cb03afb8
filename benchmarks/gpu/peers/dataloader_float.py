"""The textbook's way with a worker per core: float32 made in the workers, copied to the GPU."""

from __future__ import annotations

from collections.abc import Generator

from benchmarks.gpu.peers._worker_loader import device_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.reference import VOCSegFiles

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    pairs = VOCSegFiles(split, config.augment.crop_size, config.dataset.path)
    yield from device_batches(pairs, config)
