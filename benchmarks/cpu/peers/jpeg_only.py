"""libjpeg-turbo through simplejpeg in two processes, decoding and nothing else."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import simplejpeg
import torch

from benchmarks.cpu.peers._windows import find_pairs, shuffled_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["batches"]


class _Decoded(torch.utils.data.Dataset[int]):
    def __init__(self, index: PairIndex) -> None:
        self._index = index
        self._scratch = bytearray(1 << 24)

    def __getitem__(self, samples: list[int]) -> int:
        for sample in samples:
            data = Path(self._index.images[sample]).read_bytes()
            simplejpeg.decode_jpeg(data, buffer=self._scratch)
        return len(samples)


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield numbers of pairs without end."""
    index = find_pairs(config, split)
    loader = config.loader
    yield from torch.utils.data.DataLoader(
        _Decoded(index),
        batch_size=None,
        sampler=shuffled_batches(  # type: ignore[arg-type]
            num_samples=len(index), batch_size=loader.batch_size, seed=loader.seed
        ),
        num_workers=2,
        multiprocessing_context="fork",  # as users of Linux have it
    )
