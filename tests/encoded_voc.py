"""A data set in VOC's layout whose pixels say which sample, row and column they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dali_voc.labels import voc_colormap

SIZES = ((90, 120), (64, 64), (120, 90), (64, 200), (50, 70), (100, 40), (63, 65), (150, 150))


def label_of(sample: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The class at a place: changes with every step in any direction, and with the sample."""
    return (y * 5 + x * 3 + sample * 7 + (y // 8) * (x // 8)) % 21


def write(root: Path, *, sizes: Sequence[tuple[int, int]] = SIZES) -> Path:
    """Write one pair per size (height, width), as split train and val.

    The pictures are PNG, so that nothing is lost, under the name of a JPEG.
    """
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    for i, (height, width) in enumerate(sizes):
        y, x = np.mgrid[:height, :width]
        pixels = np.stack([np.full_like(y, i), y, x], axis=2).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"JPEGImages/s{i:04d}.jpg", "PNG")
        label = Image.fromarray(label_of(i, y, x).astype(np.uint8), "P")
        label.putpalette([v for color in voc_colormap(256) for v in color])
        label.save(root / f"SegmentationClass/s{i:04d}.png")
    names = "".join(f"s{i:04d}\n" for i in range(len(sizes)))
    for split in "train", "val":
        (root / f"ImageSets/Segmentation/{split}.txt").write_text(names)
    return root
