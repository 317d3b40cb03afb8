"""Loads an epoch of augmented samples in list order, as bytes, for tests to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dali_voc import Config, build_loader, parse_config
from dali_voc.augment import draw_parameters
from dali_voc.synthetic import write_voc

N = 24


def write_lossless(folder: Path) -> Path:
    """Made-up pictures, stored without loss under the name of a JPEG."""
    root = write_voc(folder, train=N, val=4)
    for path in (root / "JPEGImages").iterdir():
        Image.open(path).save(path, "PNG")
    return root


def make(root: Path, *, batch_size: int = 7, seed: int = 3, **augment: Any) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [160, 200], **augment},
            "normalize": {"dtype": "uint8"},
            "loader": {"device": "cpu", "batch_size": batch_size, "seed": seed},
        }
    )


def load(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, height, width, 3] and labels [N, height, width] of the first epoch."""
    with build_loader(config) as loader:
        order = loader._plan._order(0)
        batches = [(images.clone(), labels.clone()) for images, labels in loader]
    images = np.concatenate([b[0].permute(0, 2, 3, 1).numpy() for b in batches])
    labels = np.concatenate([b[1].numpy() for b in batches])
    back = np.argsort(order)
    return images[back], labels[back]


def parameters(config: Config) -> dict[str, np.ndarray]:
    return draw_parameters(
        config.augment, training=True, seed=config.loader.seed, epoch=0, samples=np.arange(N)
    )


def mean_color(config: Config) -> np.ndarray:
    return np.round(np.array(config.normalize.mean) * 255)


def pair(root: Path, sample: int) -> tuple[Image.Image, np.ndarray]:
    """A picture and its label as they are stored."""
    name = (root / "ImageSets/Segmentation/train.txt").read_text().split()[sample]
    label = np.array(Image.open(root / f"SegmentationClass/{name}.png"))
    return Image.open(root / f"JPEGImages/{name}.jpg").convert("RGB"), label


def pair_of_size(root: Path, sample: int, size: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The whole picture resized by Pillow, the whole label by a loop over its definition."""
    image, label = pair(root, sample)
    rows = [(2 * i + 1) * label.shape[0] // (2 * size[0]) for i in range(size[0])]
    columns = [(2 * j + 1) * label.shape[1] // (2 * size[1]) for j in range(size[1])]
    resized = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.array(resized).astype(float), label[rows][:, columns]


def scaled_size(size: tuple[int, int] | list[int], factors: Any) -> list[int]:
    """Rounded half up."""
    return [max(1, int(np.floor(s * float(f) + 0.5))) for s, f in zip(size, factors, strict=True)]


def place(size: int, crop: int, u: float) -> int:
    return int(float(u) * (max(size - crop, 0) + 1))


def cut(
    picture: np.ndarray, start: tuple[int, ...] | list[int], crop: tuple[int, int], fill: Any
) -> np.ndarray:
    window = picture[start[0] : start[0] + crop[0], start[1] : start[1] + crop[1]]
    out = np.full((*crop, *picture.shape[2:]), fill, float)
    out[: window.shape[0], : window.shape[1]] = window
    return out


def write_sized(folder: Path, sizes: list[tuple[int, int]], *, splits: tuple[str, ...]) -> Path:
    """The first pictures of `write_lossless`, cut to these sizes, as the lists of some splits."""
    root = write_lossless(folder)
    lists = root / "ImageSets/Segmentation"
    names = (lists / "train.txt").read_text().split()[: len(sizes)]
    for split in splits:
        (lists / f"{split}.txt").write_text("\n".join(names))
    for name, (height, width) in zip(names, sizes, strict=True):
        for path in (root / f"JPEGImages/{name}.jpg", root / f"SegmentationClass/{name}.png"):
            with Image.open(path) as image:
                part = image.crop((10, 10, 10 + width, 10 + height))
            part.save(path, "PNG")
    return root
