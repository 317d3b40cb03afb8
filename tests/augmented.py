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
