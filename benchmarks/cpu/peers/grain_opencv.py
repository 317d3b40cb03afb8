"""Grain's threads around OpenCV's readers; each thread makes whole batches."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import grain
import torch

from benchmarks.cpu.peers._colors import color_classes, color_table
from benchmarks.cpu.peers._plain_pair import Sample, cut
from benchmarks.cpu.peers._windows import find_pairs
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    index = find_pairs(config, split)
    table = color_table()

    def read(sample: int) -> Sample:
        picture = cv2.cvtColor(cv2.imread(index.images[sample]), cv2.COLOR_BGR2RGB)
        colors = cv2.cvtColor(cv2.imread(index.labels[sample]), cv2.COLOR_BGR2RGB)
        return cut(picture, color_classes(colors, table), config)

    made = (
        grain.MapDataset.range(len(index))
        .shuffle(seed=config.loader.seed)
        .map(read)
        .batch(config.loader.batch_size)
        .repeat()
        .to_iter_dataset(grain.ReadOptions(num_threads=2, prefetch_buffer_size=4))
    )
    for images, labels in made:
        yield torch.from_numpy(images), torch.from_numpy(labels)
