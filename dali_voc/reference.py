"""The textbook's way in plain PyTorch and Pillow: slow, obvious, and what the fast path must match.

The pieces have the names and conventions of "Dive into Deep Learning", section "Semantic
Segmentation and the Dataset"
(https://d2l.ai/chapter_computer-vision/semantic-segmentation-and-dataset.html), written anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dali_voc.datasets.voc import VOC_BORDER_COLOR, VOC_SPEC

__all__ = [
    "VOC_CLASSES",
    "VOC_COLORMAP",
    "VOCSegDataset",
    "VOCSegFiles",
    "read_voc_images",
    "voc_colormap2label",
    "voc_label_indices",
    "voc_rand_crop",
]

VOC_CLASSES = list(VOC_SPEC.classes)
VOC_COLORMAP = [list(color) for color in VOC_SPEC.colors]


def voc_colormap2label() -> torch.Tensor:
    """Return the class of each colour, int64 of shape [256 ** 3]; 0 for colours of no class."""
    table = torch.zeros(256**3, dtype=torch.long)
    for index, (r, g, b) in enumerate(VOC_COLORMAP):
        table[(r * 256 + g) * 256 + b] = index
    return table


def voc_label_indices(colormap: torch.Tensor, colormap2label: torch.Tensor) -> torch.Tensor:
    """Return the classes, int64 [height, width], of an RGB label, uint8 [3, height, width]."""
    rgb = colormap.long()
    return colormap2label[(rgb[0] * 256 + rgb[1]) * 256 + rgb[2]]


def _read_rgb(path: Path) -> torch.Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


def read_voc_images(
    voc_dir: str | os.PathLike[str], is_train: bool = True
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Read a split into memory: images and RGB labels, uint8 [3, height, width] each."""
    root = Path(voc_dir)
    ids = (root / "ImageSets/Segmentation" / ("train.txt" if is_train else "val.txt")).read_text()
    names = ids.split()
    features = [_read_rgb(root / "JPEGImages" / f"{name}.jpg") for name in names]
    labels = [_read_rgb(root / "SegmentationClass" / f"{name}.png") for name in names]
    return features, labels


def voc_rand_crop(
    feature: torch.Tensor, label: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut the same random window, by torch's global generator, from an image and its label."""
    top = int(torch.randint(feature.shape[-2] - height + 1, ()))
    left = int(torch.randint(feature.shape[-1] - width + 1, ()))
    rows, columns = slice(top, top + height), slice(left, left + width)
    return feature[..., rows, columns], label[..., rows, columns]


class VOCSegDataset(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """The textbook's data set: everything in memory, normalised at once, cropped on access.

    Items are (float32 [3, height, width], int64 [height, width]). Pictures smaller than the crop
    are left out; border pixels are class 0.

    Args:
        is_train: the train split, else val.
        crop_size: height and width, pixels.
        voc_dir: the folder `VOC2012`.
    """

    def __init__(
        self, is_train: bool, crop_size: tuple[int, int], voc_dir: str | os.PathLike[str]
    ) -> None:
        self.crop_size = crop_size
        features, labels = read_voc_images(voc_dir, is_train=is_train)
        self.features = [self.normalize_image(f) for f in self.filter(features)]
        self.labels = self.filter(labels)
        self.colormap2label = voc_colormap2label()

    def normalize_image(self, img: torch.Tensor) -> torch.Tensor:
        """Return (img / 255 - mean) / std with ImageNet's mean and std, float32."""
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        return (img.float() / 255 - mean) / std

    def filter(self, imgs: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the pictures that are at least as large as the crop."""
        height, width = self.crop_size
        return [img for img in imgs if img.shape[1] >= height and img.shape[2] >= width]

    def __getitem__(self, idx: int) -> tuple[torch.Tensor, torch.Tensor]:
        feature, label = voc_rand_crop(self.features[idx], self.labels[idx], *self.crop_size)
        return feature, voc_label_indices(label, self.colormap2label)

    def __len__(self) -> int:
        return len(self.features)


class VOCSegFiles(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """The same from files, one pair at a time: what people write when memory no longer suffices.

    Small pictures are padded at the bottom and the right, the image with the mean colour, the label
    with 255; border pixels are 255; half of the pairs are mirrored.

    Args:
        split: name of a list in `ImageSets/Segmentation`.
        crop_size: height and width, pixels.
        voc_dir: the folder `VOC2012`.
    """

    def __init__(
        self, split: str, crop_size: tuple[int, int], voc_dir: str | os.PathLike[str]
    ) -> None:
        self.root = Path(voc_dir)
        self.crop_size = crop_size
        self.names = (self.root / "ImageSets/Segmentation" / f"{split}.txt").read_text().split()
        self.colormap2label = voc_colormap2label()
        r, g, b = VOC_BORDER_COLOR
        self.colormap2label[(r * 256 + g) * 256 + b] = 255
        self.mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def __getitem__(self, idx: int) -> tuple[torch.Tensor, torch.Tensor]:
        name = self.names[idx]
        feature = _read_rgb(self.root / "JPEGImages" / f"{name}.jpg")
        colors = _read_rgb(self.root / "SegmentationClass" / f"{name}.png")
        height, width = (min(c, s) for c, s in zip(self.crop_size, feature.shape[1:], strict=True))
        feature, colors = voc_rand_crop(feature, colors, height, width)
        image = (feature.float() / 255 - self.mean) / self.std
        label = voc_label_indices(colors, self.colormap2label)
        padding = (0, self.crop_size[1] - width, 0, self.crop_size[0] - height)
        image = torch.nn.functional.pad(image, padding)
        label = torch.nn.functional.pad(label, padding, value=255)
        if torch.rand(()) < 0.5:
            image, label = image.flip(-1), label.flip(-1)
        return image, label

    def __len__(self) -> int:
        return len(self.names)
