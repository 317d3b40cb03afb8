"""Our loader once it has kept what it reads in memory."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from dali_voc.benchmarking import CONTENDERS, Item
from dali_voc.config import CacheConfig, Config

__all__ = ["batches"]


def batches(
    config: Config, split: str, *, keep: Literal["encoded", "decoded"]
) -> Generator[Item, None, None]:
    """Yield batches without end."""
    cached = config.model_copy(update={"cache": CacheConfig(keep=keep)})
    return CONTENDERS["loader"](cached, split)
