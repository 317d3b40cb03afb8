"""Copies a batch's bytes on two threads, into fresh tensors or into the same ones again and again.

A loader that reuses memory may be faster than copying into fresh tensors, whose pages the system
has to clear first.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import torch

from benchmarks.cpu.peers._windows import find_pairs
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str, *, fresh: bool = True) -> Generator[Item, None, None]:
    """Yield copies of one batch without end, as large as the batches of an epoch."""
    torch.set_num_threads(1)
    size = config.loader.batch_size
    crop = config.augment.crop_size
    num_samples = len(find_pairs(config, split))
    images = torch.rand((size, 3, *crop))
    labels = torch.randint(21, (size, *crop))
    targets = torch.empty_like(images), torch.empty_like(labels)

    def half(sources: list[torch.Tensor], targets: list[torch.Tensor]) -> None:
        for source, target in zip(sources, targets, strict=True):
            target.copy_(source)

    with ThreadPoolExecutor(2) as pool:
        while True:
            for first in range(0, num_samples, size):
                n = min(size, num_samples - first)
                if fresh:
                    targets = torch.empty_like(images), torch.empty_like(labels)
                middle = (n + 1) // 2
                copies = [
                    pool.submit(half, [images[part], labels[part]], [t[part] for t in targets])
                    for part in (slice(middle), slice(middle, n))
                ]
                for copy in copies:
                    copy.result()
                yield targets[0][:n], targets[1][:n]
