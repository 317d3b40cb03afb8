"""The textbook's own data set: all pairs in memory, normalised at the beginning.

It does less than the others: no JPEG, no flip, small pictures left out, border as background. It
reads train or val; for trainval both, one behind the other.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from benchmarks.cpu.peers._plain_loader import loader_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.reference import VOCSegDataset

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    lists = {"train": [True], "val": [False], "trainval": [True, False]}[split]
    parts = [
        VOCSegDataset(is_train, config.augment.crop_size, config.dataset.path) for is_train in lists
    ]
    pairs = torch.utils.data.ConcatDataset(parts)
    return loader_batches(pairs, batch_size=config.loader.batch_size)
