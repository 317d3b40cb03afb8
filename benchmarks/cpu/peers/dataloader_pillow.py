"""PyTorch's DataLoader with Pillow, which gives the palette indices of labels as they are."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from PIL import Image

from benchmarks.cpu.peers._plain_loader import plain_batches
from benchmarks.cpu.peers._plain_pair import Sample, cut
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""

    def read(image: str, label: str) -> Sample:
        with Image.open(image) as picture, Image.open(label) as indices:
            return cut(np.asarray(picture.convert("RGB")), np.asarray(indices), config)

    return plain_batches(config, split, read)
