"""PyTorch's DataLoader with OpenCV's readers and a table of colours."""

from __future__ import annotations

from collections.abc import Generator

import cv2

from benchmarks.cpu.peers._colors import color_classes, color_table
from benchmarks.cpu.peers._plain_loader import plain_batches
from benchmarks.cpu.peers._plain_pair import Sample, cut
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    cv2.setNumThreads(1)
    table = color_table()

    def read(image: str, label: str) -> Sample:
        picture = cv2.cvtColor(cv2.imread(image), cv2.COLOR_BGR2RGB)
        colors = cv2.cvtColor(cv2.imread(label), cv2.COLOR_BGR2RGB)
        return cut(picture, color_classes(colors, table), config)

    return plain_batches(config, split, read)
