"""From a decoded picture and its label to a sample, in plain NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.cpu.peers._windows import draw_window
from dali_voc.config import Config

__all__ = ["Sample", "cut", "pad_normalised"]

Sample = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def cut(picture: npt.NDArray[np.uint8], classes: npt.NDArray[np.uint8], config: Config) -> Sample:
    """Return a random window: float32 [3, height, width], int64 [height, width].

    Args:
        picture: [height, width, 3].
        classes: [height, width].
        config: crop size, mean and deviation.
    """
    window = draw_window(*classes.shape[:2], config.augment.crop_size)
    part = picture[window.rows, window.columns]
    label = classes[window.rows, window.columns]
    if window.flip:
        part, label = part[:, ::-1], label[:, ::-1]
    return pad_normalised(part, label, config)


def pad_normalised(
    part: npt.NDArray[np.uint8], label: npt.NDArray[np.uint8], config: Config
) -> Sample:
    """Return a window as a sample, padded at the bottom and the right."""
    normal, crop = config.normalize, config.augment.crop_size
    scale = np.array([1 / (255 * std) for std in normal.std], np.float32)
    shift = np.array([m / std for m, std in zip(normal.mean, normal.std, strict=True)], np.float32)
    values = (part * scale - shift).transpose(2, 0, 1)
    if label.shape == tuple(crop):
        return np.ascontiguousarray(values), label.astype(np.int64)
    image, padded = np.zeros((3, *crop), np.float32), np.full(crop, 255, np.int64)
    image[:, : label.shape[0], : label.shape[1]] = values
    padded[: label.shape[0], : label.shape[1]] = label
    return image, padded
