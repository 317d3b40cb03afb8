"""Images of batches as bytes again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.config import NormalizeConfig

__all__ = ["denormalize", "fill_pictures"]


def fill_pictures(images: torch.Tensor, color: tuple[float, float, float]) -> None:
    """Fill images [..., 3, height, width] with a colour, in place.

    Number by number: a tensor would be copied to a GPU, for which the host waits.
    """
    for channel, value in enumerate(color):
        images[..., channel, :, :] = value


def denormalize(images: torch.Tensor, normalize: NormalizeConfig) -> npt.NDArray[np.uint8]:
    """Undo what `normalize` did to images [n, 3, height, width].

    Returns:
        uint8 [n, height, width, 3], memory of its own.
    """
    if images.dtype == torch.uint8:
        return images.cpu().permute(0, 2, 3, 1).numpy().copy()
    mean = torch.tensor(normalize.mean, device="cpu").view(1, 3, 1, 1)
    std = torch.tensor(normalize.std, device="cpu").view(1, 3, 1, 1)
    values = (images.detach().float().cpu() * std + mean) * 255
    return values.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
