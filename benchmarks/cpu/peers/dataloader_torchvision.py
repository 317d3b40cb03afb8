"""PyTorch's DataLoader with torchvision's readers and its transforms v2."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
import torchvision
from torchvision import tv_tensors
from torchvision.transforms import v2

from benchmarks.cpu.peers._colors import color_table
from benchmarks.cpu.peers._plain_loader import plain_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    table = torch.from_numpy(color_table())
    normal = config.normalize
    transform = v2.Compose(
        [
            v2.RandomCrop(
                config.augment.crop_size,
                pad_if_needed=True,
                fill={
                    tv_tensors.Image: [round(255 * m) for m in normal.mean],
                    tv_tensors.Mask: 255,
                },
            ),
            v2.RandomHorizontalFlip(),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            v2.Normalize(list(normal.mean), list(normal.std)),
        ]
    )

    def read(image: str, label: str) -> tuple[Any, Any]:
        rgb = torchvision.io.ImageReadMode.RGB
        picture = torchvision.io.decode_image(image, rgb)
        colors = torchvision.io.decode_image(label, rgb).int()
        classes = table[colors[0] << 16 | colors[1] << 8 | colors[2]]
        pair = transform(tv_tensors.Image(picture), tv_tensors.Mask(classes))
        return pair[0].as_subclass(torch.Tensor), pair[1].as_subclass(torch.Tensor).long()

    return plain_batches(config, split, read)
