"""The DataLoader that most people write, two workers, default collation; a data set of pairs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import torch

from benchmarks.cpu.peers._windows import find_pairs
from dali_voc.benchmarking import Item, endless
from dali_voc.config import Config

__all__ = ["loader_batches", "plain_batches"]


class _Pairs(torch.utils.data.Dataset[tuple[Any, Any]]):
    def __init__(self, config: Config, split: str, read: Callable[[str, str], Any]) -> None:
        self._index = find_pairs(config, split)
        self._read = read

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, sample: int) -> Any:
        return self._read(self._index.images[sample], self._index.labels[sample])


def plain_batches(
    config: Config, split: str, read: Callable[[str, str], Any]
) -> Generator[Item, None, None]:
    """Yield batches without end of what `read` makes of an image's and a label's path."""
    return loader_batches(_Pairs(config, split, read), batch_size=config.loader.batch_size)


def loader_batches(
    pairs: torch.utils.data.Dataset[Any], *, batch_size: int
) -> Generator[Item, None, None]:
    """Yield batches of a data set without end."""
    loader = torch.utils.data.DataLoader(
        pairs,
        batch_size=batch_size,
        shuffle=True,
        num_workers=2,
        multiprocessing_context="fork",  # as users of Linux have it
        persistent_workers=True,
    )
    return endless(loader)
