"""PyTorch's DataLoader with OpenCV's readers and albumentations."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import albumentations
import albumentations.pytorch
import cv2

from benchmarks.cpu.peers._colors import color_classes, color_table
from benchmarks.cpu.peers._plain_loader import plain_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    cv2.setNumThreads(1)
    table = color_table()
    height, width = config.augment.crop_size
    normal = config.normalize
    transform = albumentations.Compose(
        [
            albumentations.RandomCrop(
                height,
                width,
                pad_if_needed=True,
                pad_position="top_left",
                fill=tuple(255 * m for m in normal.mean),
                fill_mask=255,
            ),
            albumentations.HorizontalFlip(p=0.5),
            albumentations.Normalize(mean=normal.mean, std=normal.std),
            albumentations.pytorch.ToTensorV2(),
        ]
    )

    def read(image: str, label: str) -> tuple[Any, Any]:
        picture = cv2.cvtColor(cv2.imread(image), cv2.COLOR_BGR2RGB)
        colors = cv2.cvtColor(cv2.imread(label), cv2.COLOR_BGR2RGB)
        made = transform(image=picture, mask=color_classes(colors, table))
        return made["image"], made["mask"].long()

    return plain_batches(config, split, read)
