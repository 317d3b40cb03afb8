"""A window of a picture and its label as bytes; and bytes to normalised images on the device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.cpu.peers._windows import draw_window
from dali_voc.config import Config

__all__ = ["BytePair", "cut_bytes", "cut_label", "normalise"]

BytePair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def cut_bytes(
    picture: npt.NDArray[np.uint8], classes: npt.NDArray[np.uint8], config: Config
) -> BytePair:
    """Return a random window, padded: uint8 [3, height, width] and uint8 [height, width].

    Args:
        picture: [height, width, 3].
        classes: [height, width].
        config: crop size and mean.
    """
    window = draw_window(*classes.shape, config.augment.crop_size)
    part = picture[window.rows, window.columns]
    label = classes[window.rows, window.columns]
    if window.flip:
        part, label = part[:, ::-1], label[:, ::-1]
    image = np.empty((3, *config.augment.crop_size), np.uint8)
    if label.shape != image.shape[1:]:
        image[:] = np.array(config.normalize.mean_color).reshape(3, 1, 1)
    image[:, : label.shape[0], : label.shape[1]] = part.transpose(2, 0, 1)
    return image, cut_label(label, config)


def cut_label(label: npt.NDArray[np.uint8], config: Config) -> npt.NDArray[np.uint8]:
    """Return a label's window, padded to the crop's size."""
    padded = np.full(config.augment.crop_size, config.labels.ignore_index, np.uint8)
    padded[: label.shape[0], : label.shape[1]] = label
    return padded


def normalise(images: torch.Tensor, config: Config) -> torch.Tensor:
    """Return float32 images of bytes [n, 3, height, width], where they lie."""
    normal = config.normalize
    scale = torch.tensor([1 / (255 * std) for std in normal.std], device=images.device)
    shift = torch.tensor(
        [-m / std for m, std in zip(normal.mean, normal.std, strict=True)], device=images.device
    )
    return torch.addcmul(shift.view(3, 1, 1), images.float(), scale.view(3, 1, 1))
